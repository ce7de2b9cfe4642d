/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-tpm.h"

/* NV indices: see WardBackend. Secrets are referenced, other arguments copied. */

/* Whether such a TPM can have an index of that number, and one like that. Ask nothing of the TPM; fail also with
 * WARD_ERROR_NOT_SUPPORTED for a family without them. */
gboolean ward_tpm_nv_check_index (WardTpm *tpm, guint32 index, GError **error);
gboolean ward_tpm_nv_check_template (WardTpm *tpm, const WardNvTemplate *template, GError **error);

void ward_tpm_nv_list_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data);
/* Of WardNvIndex, by their numbers. */
GPtrArray *ward_tpm_nv_list_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* A try that the chip would count goes through the caller's budget (ward-budget.h), and is not made by an auth value
 * that nobody has given: WARD_ERROR_AUTHENTICATION_FAILED. */
void ward_tpm_nv_read_async (WardTpm *tpm, const WardTicket *ticket, const WardNvAccess *access,
                             GAsyncReadyCallback callback, gpointer user_data);
WardSecret *ward_tpm_nv_read_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* The same. data: 1 to WARD_MAX_NV_SIZE bytes. */
void ward_tpm_nv_write_async (WardTpm *tpm, const WardTicket *ticket, const WardNvAccess *access, WardSecret *data,
                              GAsyncReadyCallback callback, gpointer user_data);

void ward_tpm_nv_define_async (WardTpm *tpm, const WardTicket *ticket, const WardNvTemplate *template,
                               WardSecret *owner_auth, GAsyncReadyCallback callback, gpointer user_data);
void ward_tpm_nv_undefine_async (WardTpm *tpm, const WardTicket *ticket, guint32 index, WardSecret *owner_auth,
                                 gboolean force, GAsyncReadyCallback callback, gpointer user_data);
/* Of a write, a definition and its end. */
gboolean ward_tpm_nv_change_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
