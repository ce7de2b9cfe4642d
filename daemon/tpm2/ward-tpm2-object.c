/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <tss2/tss2_sys.h>

#include "ward-error.h"

/* ESYS keeps the last command's parameters, in case that it is to be sent again: these take their place, of each
 * command that has secrets in the clear among its own. The handle is none that ESYS knows, so nothing is sent. */
static void
forget_parameters (ESYS_CONTEXT *esys)
{
  static const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
  static const TPM2B_PUBLIC public = { 0 };
  static const TPML_PCR_SELECTION pcrs = { 0 };
  static const TPM2B_DATA key = { 0 };
  static const TPM2B_PRIVATE duplicate = { 0 };
  static const TPM2B_ENCRYPTED_SECRET seed = { 0 };
  static const TPMT_SYM_DEF_OBJECT symmetric = { .algorithm = TPM2_ALG_NULL };
  static const TPM2B_AUTH auth = { 0 };

  Esys_Create_Async (esys, G_MAXUINT32, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &public, &key, &pcrs);
  Esys_Import_Async (esys, G_MAXUINT32, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &key, &public, &duplicate, &seed,
                     &symmetric);
  Esys_ObjectChangeAuth_Async (esys, G_MAXUINT32, G_MAXUINT32, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &auth);
}

/* What the last command and its answer had in them stays in ESYS's memory: this takes its place. Nothing is sent. */
void
ward_tpm2_forget_buffer (WardConnection *connection)
{
  static const TPM2B_MAX_BUFFER zeros = { .size = TPM2_MAX_DIGEST_BUFFER };
  TSS2_SYS_CONTEXT *sys = NULL;

  forget_parameters (connection->esys);
  if (Esys_GetSysContext (connection->esys, &sys) == TSS2_RC_SUCCESS)
    Tss2_Sys_Hash_Prepare (sys, &zeros, TPM2_ALG_SHA256, TPM2_RH_NULL);
}

/* Whether it is a parameter that the TPM finds fault with: a session or a handle is not of the object's making. */
static gboolean
is_fault_of_object (TSS2_RC rc)
{
  return ward_tpm2_rc_is_from_tpm (rc) && (rc & TPM2_RC_FMT1) != 0 && (rc & TPM2_RC_P) != 0;
}

/* TPM 2.0 Library, Part 3, 12.2. */
static TSS2_RC
load_beneath (WardConnection *connection, ESYS_TR parent, const WardSealed *wrapped, WardTpm2Handle *object)
{
  TPM2B_PUBLIC public;
  TPM2B_PRIVATE private;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  /* as its check has seen it */
  ward_tpm2_public_from_bytes (wrapped->public_area, &public);
  ward_tpm2_private_from_bytes (wrapped->private_area, &private);
  do
    rc = Esys_Load (connection->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &private, &public,
                    &object->tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    object->tr = ESYS_TR_NONE;
  return rc;
}

static gboolean
conclude_load (WardConnection *connection, TSS2_RC rc, const WardTpm2LoadWords *words, GError **error)
{
  g_autofree char *code = NULL;

  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  if (!is_fault_of_object (rc))
    {
      ward_tpm2_set_error (error, connection, rc, words->failed);
      return FALSE;
    }
  code = ward_tpm2_rc_to_string (rc);
  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT, "%s (%s). %s", words->refused, code, words->why);
  return FALSE;
}

/* Loads what was made beneath the storage root key, whichever that was: where one was provisioned or evicted since, or
 * is not of our template, the object's own word does not tell. owner_auth: for a parent that must be made for the
 * moment; NULL: empty. */
gboolean
ward_tpm2_object_load (WardConnection *connection, const WardSealed *wrapped, const WardTpm2LoadWords *words,
                       WardSecret *owner_auth, WardTpm2Handle *parent, WardTpm2Handle *object, GError **error)
{
  g_autoptr (GError) transient_error = NULL;
  TSS2_RC rc;

  if (!ward_tpm2_parent_open_persistent (connection, parent, error))
    return FALSE;
  if (parent->tr == ESYS_TR_NONE)
    {
      if (!ward_tpm2_parent_open_transient (connection, owner_auth, parent, error))
        return FALSE;
      return conclude_load (connection, load_beneath (connection, parent->tr, wrapped, object), words, error);
    }

  rc = load_beneath (connection, parent->tr, wrapped, object);
  if (ward_tpm2_rc_get_meaning (rc) != TPM2_RC_INTEGRITY)
    return conclude_load (connection, rc, words, error);
  ward_tpm2_handle_clear (parent);
  if (!ward_tpm2_parent_open_transient (connection, owner_auth, parent, &transient_error))
    return conclude_load (connection, rc, words, error);
  return conclude_load (connection, load_beneath (connection, parent->tr, wrapped, object), words, error);
}
