/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-envelope.h"
#include "ward-tpm.h"

/* data: 1 to WARD_ENVELOPE_MAX_DATA bytes. auths->auth: at most WARD_MAX_OBJECT_AUTH_SIZE bytes, or NULL for none.
 * pcrs: of WardPcrBank, to whose values now it is bound, or NULL. no_da: the TPM does not count wrong auths. */
void ward_tpm_seal_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *data, const WardKeyAuths *auths,
                          GPtrArray *pcrs, gboolean no_da, GAsyncReadyCallback callback, gpointer user_data);
/* The same for tpm_unsealdata of tpm-tools, which knows of no auth. */
void ward_tpm_seal_for_tpm_tools_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *data,
                                        const WardKeyAuths *auths, GPtrArray *pcrs, GAsyncReadyCallback callback,
                                        gpointer user_data);
/* Of both: the blob; freed by the caller. */
char *ward_tpm_seal_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* envelope: taken over. auths->auth: NULL when none is given. A try that the chip would count goes through the caller's
 * budget: see ward-budget.h. */
void ward_tpm_unseal_async (WardTpm *tpm, const WardTicket *ticket, WardEnvelope *envelope, const WardKeyAuths *auths,
                            GAsyncReadyCallback callback, gpointer user_data);
WardSecret *ward_tpm_unseal_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
