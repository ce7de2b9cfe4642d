/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-keyring.h"
#include "ward-tpm.h"

/* Finds what a clear of the TPM would destroy: the keyring's keys, on the chip itself, and by the helper's scan on this
 * machine's disks and in its homes. ticket: as for the TPM's operations. names_others: other users' keys are named;
 * else counted, apart from those of the ticket's user. */
void ward_preview_clear_async (WardTpm *tpm, const WardTicket *ticket, WardKeyring *keyring, gboolean names_others,
                               GDBusConnection *connection, GAsyncReadyCallback callback, gpointer user_data);

/* An aa{sv} that the caller owns, of all users: see ward_ledger_for_user (). What could not be searched is among it,
 * with the kind "unscanned" and the reason. Fails with WARD_ERROR_CANCELLED alone. */
GVariant *ward_preview_clear_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
