/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

/* A handle's type is its highest byte (TPM 2.0 Library, Part 2, 7.2). */
static gboolean
is_transient (TPM2_HANDLE handle)
{
  TPM2_HT type = handle >> TPM2_HR_SHIFT;

  return type == TPM2_HT_TRANSIENT || type == TPM2_HT_HMAC_SESSION || type == TPM2_HT_POLICY_SESSION;
}

void
ward_tpm2_handle_clear (WardTpm2Handle *handle)
{
  TPM2_HANDLE number;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (handle->tr == ESYS_TR_NONE)
    return;
  if (Esys_TR_GetTpmHandle (handle->connection->esys, handle->tr, &number) == TSS2_RC_SUCCESS && is_transient (number))
    {
      do
        rc = Esys_FlushContext (handle->connection->esys, handle->tr);
      while (ward_tpm2_wait_again (handle->connection, &wait, rc));
      if (rc == TSS2_RC_SUCCESS)
        handle->tr = ESYS_TR_NONE;
      else
        g_debug ("The TPM keeps the handle 0x%08x (0x%x)", number, rc);
    }
  /* what ESYS flushed it has forgotten by itself */
  if (handle->tr != ESYS_TR_NONE)
    Esys_TR_Close (handle->connection->esys, &handle->tr);
  handle->tr = ESYS_TR_NONE;
}

/* The salt is made here and encrypted to salt_key, whose private half only the TPM has: who listens learns neither the
 * session's key nor what is encrypted with it (TPM 2.0 Library, Part 1, 19.6.8). */
static TSS2_RC
start (WardConnection *connection, ESYS_TR salt_key, TPM2_SE type, WardTpm2Handle *session)
{
  static const TPMT_SYM_DEF symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB };
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_StartAuthSession (connection->esys, salt_key, ESYS_TR_NONE, WARD_TPM2_NO_SESSIONS, NULL, type, &symmetric,
                                TPM2_ALG_SHA256, &session->tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    session->tr = ESYS_TR_NONE;
  return rc;
}

static TSS2_RC
start_under_srk (WardConnection *connection, guint32 srk_handle, WardTpm2Handle *session)
{
  g_auto (WardTpm2Handle) key = WARD_TPM2_HANDLE_INIT (connection);
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_TR_FromTPMPublic (connection->esys, srk_handle, WARD_TPM2_NO_SESSIONS, &key.tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    {
      key.tr = ESYS_TR_NONE;
      return rc;
    }
  return start (connection, key.tr, TPM2_SE_HMAC, session);
}

/* The null hierarchy's auth value is always empty, and it cannot be switched off: this works whoever owns the TPM. */
static TSS2_RC
start_under_passing_key (WardConnection *connection, WardTpm2Handle *session)
{
  g_auto (WardTpm2Handle) key = WARD_TPM2_HANDLE_INIT (connection);
  TSS2_RC rc = ward_tpm2_srk_create (connection, ESYS_TR_RH_NULL, ESYS_TR_PASSWORD, &key);

  return rc == TSS2_RC_SUCCESS ? start (connection, key.tr, TPM2_SE_HMAC, session) : rc;
}

/* What every session's start ends with. */
static gboolean
conclude (WardConnection *connection, TSS2_RC rc, TPMA_SESSION attributes, WardTpm2Handle *session, GError **error)
{
  if (rc == TSS2_RC_SUCCESS)
    {
      rc = Esys_TRSess_SetAttributes (connection->esys, session->tr, attributes | TPMA_SESSION_CONTINUESESSION, 0xff);
      if (rc == TSS2_RC_SUCCESS)
        return TRUE;
      ward_tpm2_handle_clear (session);
    }
  ward_tpm2_set_error (error, connection, rc, "The TPM could not start an encrypted session");
  return FALSE;
}

/* Starts a salted HMAC session that can encrypt parameters by AES-128-CFB. srk_handle: of a storage root key that
 * qualifies, for the salt, or 0; without one, or where it does not serve, a key is made for the moment, which takes a
 * chip up to some seconds. attributes: TPMA_SESSION_DECRYPT where the first parameter of the command is secret,
 * TPMA_SESSION_ENCRYPT where that of the answer is, else none. The session lasts until it is cleared. session: on
 * failure there is none. */
gboolean
ward_tpm2_session_start (WardConnection *connection, guint32 srk_handle, TPMA_SESSION attributes,
                         WardTpm2Handle *session, GError **error)
{
  TSS2_RC rc = TSS2_ESYS_RC_NOT_IMPLEMENTED;

  if (srk_handle != 0)
    rc = start_under_srk (connection, srk_handle, session);
  if (rc != TSS2_RC_SUCCESS)
    rc = start_under_passing_key (connection, session);
  return conclude (connection, rc, attributes, session, error);
}

/* The same with the salt for a loaded key that decrypts, and for any type of session. */
gboolean
ward_tpm2_session_start_for_key (WardConnection *connection, ESYS_TR salt_key, TPM2_SE type, TPMA_SESSION attributes,
                                 WardTpm2Handle *session, GError **error)
{
  return conclude (connection, start (connection, salt_key, type, session), attributes, session, error);
}

/* ESYS keeps the auth value that it last authorized with beside the session's key, and frees both unwiped. It writes
 * over it when it prepares to authorize with another: that of the null hierarchy will do, which nobody guesses. The
 * command is never sent, as ESYS refuses to have its answer encrypted twice. If another version did send it, the TPM
 * would refuse it for its handle, before it looks at any authorization. */
void
ward_tpm2_session_forget_auth (const WardTpm2Handle *session)
{
  static const TPM2B_AUTH none = { 0 };
  ESYS_CONTEXT *esys = session->connection->esys;
  WARD_ESYS_AUTOFREE TPM2B_SENSITIVE_DATA *data = NULL;
  TPM2B_AUTH other = { .size = sizeof (other.buffer) };

  if (session->tr == ESYS_TR_NONE)
    return;
  memset (other.buffer, 0xff, sizeof (other.buffer));
  if (Esys_TR_SetAuth (esys, ESYS_TR_RH_NULL, &other) == TSS2_RC_SUCCESS
      && Esys_TRSess_SetAttributes (esys, session->tr, TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION, 0xff)
             == TSS2_RC_SUCCESS)
    Esys_Unseal (esys, ESYS_TR_RH_NULL, session->tr, session->tr, ESYS_TR_NONE, &data);
  Esys_TR_SetAuth (esys, ESYS_TR_RH_NULL, &none);
}
