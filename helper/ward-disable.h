/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Has systemd stop a service that stands in the way of a TPM 2.0, "tcsd" or "tpm2-abrmd", and not start it again; with
 * dry_run only looks what there is to do. Returns a line for each action, the caller's; none if it neither runs nor
 * would. root: "", or what stands for "/" in tests, where only /sys is looked at. Waits for systemd: for a worker
 * thread.
 *
 * Fails with WARD_ERROR_INVALID_ARGUMENT for another name, WOULD_BREAK for tcsd on a machine with a TPM 1.2,
 * NOT_SUPPORTED where there is no systemd, FAILED if systemd does not do it. */
GStrv ward_disable (const char *root, GDBusConnection *connection, const char *service, gboolean dry_run,
                    GError **error);
