/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Has systemd start tcsd.service, unless it runs. Returns which start of it that was (systemd's InvocationID in hex),
 * the caller's; "" if it ran already. root: "", or what stands for "/" in tests, where only /sys is looked at. Waits
 * for systemd: for a worker thread.
 *
 * Fails with WARD_ERROR_WOULD_BREAK where all TPMs are of family 2.0, NOT_FOUND where there is no such unit,
 * NOT_SUPPORTED where there is no systemd or the unit is masked, FAILED if it does not start. */
char *ward_tcsd_unit_start (const char *root, GDBusConnection *connection, GError **error);

/* Has systemd stop it, if it is that start of it which still runs: what somebody else has started is not ours to stop.
 * Fails with NOT_SUPPORTED where there is no systemd, FAILED if it does not stop. */
gboolean ward_tcsd_unit_stop (GDBusConnection *connection, const char *invocation, GError **error);

/* Has systemd start it anew, if it runs. Fails as that. */
gboolean ward_tcsd_unit_restart (GDBusConnection *connection, GError **error);
