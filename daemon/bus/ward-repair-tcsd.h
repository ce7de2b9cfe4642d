/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-tcsd.h"

/* Gives tcsd what it needs: right owners and modes of the device nodes, of /var/lib/tpm and of its configuration, and a
 * start; with dry_run only tells what there is to do. tpm: what is reached through it, or NULL. */
void ward_repair_tcsd_async (GDBusConnection *connection, WardTcsd *tcsd, WardTpm *tpm, gboolean dry_run,
                             GAsyncReadyCallback callback, gpointer user_data);

/* A line for each action, the caller's. Fails with an error of WARD_ERROR, also if the TPM is not reached afterwards.
 */
char **ward_repair_tcsd_finish (GAsyncResult *result, GError **error);
