/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Has systemd load the kernel's module for a TPM that firmware announces and no driver has taken; with dry_run only
 * looks which to try. Returns a line for each action, the caller's; none if no driver is missing. root: "", or what
 * stands for
 * "/" in tests. Waits for systemd, and some seconds for the TPM: for a worker thread.
 *
 * Fails with WARD_ERROR_NOT_SUPPORTED where there is no systemd, FAILED if the kernel has no such module, or no TPM
 * comes of it. */
GStrv ward_driver_load (const char *root, GDBusConnection *connection, gboolean dry_run, GError **error);
