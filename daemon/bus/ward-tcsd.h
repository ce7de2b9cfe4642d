/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-inventory.h"

/* Has tcsd started when a TPM 1.2 is asked for and tcsd does not run, and stopped again when nobody needs it. Lives on
 * the main thread. */
#define WARD_TYPE_TCSD (ward_tcsd_get_type ())
G_DECLARE_FINAL_TYPE (WardTcsd, ward_tcsd, WARD, TCSD, GObject)

WardTcsd *ward_tcsd_new (GDBusConnection *connection, WardInventory *inventory);

/* Whether the TPM is one of tcsd's that cannot be reached, and trying to start tcsd may help: it was not tried within
 * the last seconds. */
gboolean ward_tcsd_may_help (WardTcsd *tcsd, WardTpm *tpm);

/* Has tcsd started, with whatever start is under way already, and waits some seconds for the TPM to be reached. tpm:
 * NULL waits for none. keep: tcsd is not ours to stop after that. */
void ward_tcsd_start_async (WardTcsd *tcsd, WardTpm *tpm, gboolean keep, GAsyncReadyCallback callback,
                            gpointer user_data);

/* FALSE, with an error of WARD_ERROR, if tcsd was not started. Where nothing can start services that is NOT_SUPPORTED.
 * The TPM may be unreachable all the same. */
gboolean ward_tcsd_start_finish (WardTcsd *tcsd, GAsyncResult *result, GError **error);

/* Has tcsd stopped, once no start is under way, if it was started by us and by nobody since, and no other program is
 * connected to it. */
void ward_tcsd_stop_async (WardTcsd *tcsd, GAsyncReadyCallback callback, gpointer user_data);

/* FALSE: other programs use it, so that it still runs, and is still ours. */
gboolean ward_tcsd_stop_finish (WardTcsd *tcsd, GAsyncResult *result);

/* Whether it is being stopped, or will be. */
gboolean ward_tcsd_is_stopping (WardTcsd *tcsd);
