/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"

/* Those that make of a keyed-hash object a key instead of sealed data (TPM 2.0 Library, Part 1, 27.7). */
#define KEY_ATTRIBUTES (TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_RESTRICTED)

static const WardTpm2LoadWords load_words = {
  .refused = "The TPM does not take the sealed data",
  .why = "It is damaged, or was sealed by another TPM, or before this one was cleared: then nothing can unseal it any "
         "more.",
  .failed = "The TPM could not load the sealed data",
};

static void
sensitive_wipe (TPM2B_SENSITIVE_CREATE *sensitive)
{
  explicit_bzero (sensitive, sizeof (*sensitive));
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TPM2B_SENSITIVE_CREATE, sensitive_wipe)

static gboolean
fill_sensitive (TPM2B_SENSITIVE_CREATE *sensitive, WardSecret *data, WardSecret *auth, GError **error)
{
  gsize size = ward_secret_get_size (data);
  guint8 *bytes = sensitive->sensitive.data.buffer;

  if (size == 0 || size > WARD_MAX_SEALED_SIZE)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "A TPM seals 1 to %d bytes, and these are %" G_GSIZE_FORMAT ".", WARD_MAX_SEALED_SIZE, size);
      return FALSE;
    }
  memcpy (bytes, ward_secret_get_data (data), size);
  sensitive->sensitive.data.size = size;
  return ward_tpm2_auth_set (&sensitive->sensitive.userAuth, auth, WARD_MAX_OBJECT_AUTH_SIZE, error);
}

static void
fill_template (TPM2B_PUBLIC *template, const WardSealed *sealed, gboolean no_da)
{
  *template = (TPM2B_PUBLIC){ .publicArea = { .type = TPM2_ALG_KEYEDHASH,
                                              .nameAlg = TPM2_ALG_SHA256,
                                              .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT,
                                              .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL } };
  if (sealed->pcrs->len == 0)
    template->publicArea.objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
  if (no_da)
    template->publicArea.objectAttributes |= TPMA_OBJECT_NODA;
  ward_tpm2_policy_get_digest (sealed->pcrs, sealed->has_auth, &template->publicArea.authPolicy);
}

/* TPM 2.0 Library, Part 3, 12.1. */
static gboolean
create (WardConnection *connection, ESYS_TR parent, TPM2B_SENSITIVE_CREATE *sensitive, const TPM2B_PUBLIC *template,
        WardSealed *sealed, GError **error)
{
  static const TPML_PCR_SELECTION pcrs = { 0 };
  g_auto (WardTpm2Handle) session = WARD_TPM2_HANDLE_INIT (connection);
  WARD_ESYS_AUTOFREE TPM2B_PRIVATE *private = NULL;
  WARD_ESYS_AUTOFREE TPM2B_PUBLIC *public = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_session_start_for_key (connection, parent, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT, &session, error))
    return FALSE;
  do
    rc = Esys_Create (connection->esys, parent, session.tr, ESYS_TR_NONE, ESYS_TR_NONE, sensitive, template, NULL,
                      &pcrs, &private, &public, NULL, NULL, NULL);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  ward_tpm2_forget_buffer (connection);
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM did not seal the data");
      return FALSE;
    }
  sealed->public_area = ward_tpm2_public_to_bytes (public);
  sealed->private_area = ward_tpm2_private_to_bytes (private);
  if (sealed->public_area != NULL && sealed->private_area != NULL)
    return TRUE;
  ward_tpm2_set_error (error, connection, TSS2_ESYS_RC_MALFORMED_RESPONSE, "The TPM did not seal the data");
  return FALSE;
}

/* See WardBackend. */
WardSealed *
ward_tpm2_seal (WardConnection *connection, WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs,
                gboolean no_da, GError **error)
{
  g_autoptr (WardSealed) sealed = ward_sealed_new ();
  g_auto (TPM2B_SENSITIVE_CREATE) sensitive = { 0 };
  g_auto (WardTpm2Handle) parent = WARD_TPM2_HANDLE_INIT (connection);
  TPM2B_PUBLIC template;

  if (!fill_sensitive (&sensitive, data, auths->auth, error)
      || (pcrs != NULL && !ward_tpm2_policy_read_pcrs (connection, pcrs, sealed->pcrs, error)))
    return NULL;
  sealed->has_auth = sensitive.sensitive.userAuth.size > 0;
  fill_template (&template, sealed, no_da);
  if (!ward_tpm2_parent_open (connection, NULL, &parent, sealed, error)
      || !create (connection, parent.tr, &sensitive, &template, sealed, error))
    return NULL;
  return g_steal_pointer (&sealed);
}

static gboolean
set_corrupt_error (GError **error, const char *why)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
               "The sealed data is damaged: %s. Use another copy of it, if you have one.", why);
  return FALSE;
}

static gboolean
check_policy (const WardSealed *sealed, const TPMT_PUBLIC *public, GError **error)
{
  TPM2B_DIGEST policy;

  ward_tpm2_policy_get_digest (sealed->pcrs, sealed->has_auth, &policy);
  if (sealed->pcrs->len == 0)
    {
      if (public->objectAttributes & TPMA_OBJECT_USERWITHAUTH)
        return TRUE;
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                           "This sealed data has a policy that it does not tell. Unseal it with the program that "
                           "sealed it.");
      return FALSE;
    }
  if ((public->objectAttributes & TPMA_OBJECT_USERWITHAUTH) == 0 && public->nameAlg == TPM2_ALG_SHA256
      && public->authPolicy.size == policy.size && memcmp (public->authPolicy.buffer, policy.buffer, policy.size) == 0)
    return TRUE;
  return set_corrupt_error (error, "the PCRs that it tells are not those that it was sealed to");
}

/* See WardBackend. */
gboolean
ward_tpm2_check_sealed (const WardSealed *sealed, gboolean *counts, GError **error)
{
  TPM2B_PUBLIC public;
  TPM2B_PRIVATE private;
  const TPMT_PUBLIC *area = &public.publicArea;

  if (sealed->parent != WARD_SRK_HANDLE && sealed->parent != WARD_OWNER_PARENT)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                   "This was sealed beneath the key 0x%08x, and only what lies beneath the storage root key can be "
                   "unsealed here. Unseal it with the program that sealed it.",
                   sealed->parent);
      return FALSE;
    }
  if (!ward_tpm2_public_from_bytes (sealed->public_area, &public)
      || !ward_tpm2_private_from_bytes (sealed->private_area, &private))
    return set_corrupt_error (error, "what it says is a TPM's object is none");
  if (area->type != TPM2_ALG_KEYEDHASH || (area->objectAttributes & KEY_ATTRIBUTES) != 0)
    return set_corrupt_error (error, "the TPM's object in it is a key, and no sealed data");
  if (!check_policy (sealed, area, error))
    return FALSE;
  *counts = (area->objectAttributes & TPMA_OBJECT_NODA) == 0 && (sealed->pcrs->len == 0 || sealed->has_auth);
  return TRUE;
}

static WardSecret *
take_data (TPM2B_SENSITIVE_DATA *data)
{
  WardSecret *secret = ward_secret_new_from (data->buffer, MIN (data->size, sizeof (data->buffer)));

  explicit_bzero (data, sizeof (*data));
  return secret;
}

/* TPM 2.0 Library, Part 3, 12.7. */
static WardSecret *
unseal_object (WardConnection *connection, ESYS_TR object, ESYS_TR session, GError **error)
{
  WARD_ESYS_AUTOFREE TPM2B_SENSITIVE_DATA *data = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_Unseal (connection->esys, object, session, ESYS_TR_NONE, ESYS_TR_NONE, &data);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  ward_tpm2_forget_buffer (connection);
  if (rc == TSS2_RC_SUCCESS)
    return take_data (data);
  ward_tpm2_set_error (error, connection, rc, "The TPM did not unseal the data");
  return NULL;
}

static WardSecret *
authorize_and_unseal (WardConnection *connection, const WardSealed *sealed, WardTpm2Handle *parent,
                      WardTpm2Handle *object, const TPM2B_AUTH *auth, GError **error)
{
  static const TPM2B_AUTH none = { 0 };
  g_auto (WardTpm2Handle) session = WARD_TPM2_HANDLE_INIT (connection);
  gboolean is_bound = sealed->pcrs->len > 0;
  WardSecret *data = NULL;
  TSS2_RC rc;

  if (!ward_tpm2_session_start_for_key (connection, parent->tr, is_bound ? TPM2_SE_POLICY : TPM2_SE_HMAC,
                                        TPMA_SESSION_ENCRYPT, &session, error)
      || (is_bound && !ward_tpm2_policy_satisfy (connection, session.tr, sealed->pcrs, sealed->has_auth, error)))
    return NULL;
  rc = Esys_TR_SetAuth (connection->esys, object->tr, auth);
  if (rc == TSS2_RC_SUCCESS)
    data = unseal_object (connection, object->tr, session.tr, error);
  else
    ward_tpm2_set_error (error, connection, rc, "The authorization could not be prepared");
  if (auth->size > 0)
    ward_tpm2_session_forget_auth (&session);
  /* not NULL, which would leave the bytes in ESYS's memory */
  Esys_TR_SetAuth (connection->esys, object->tr, &none);
  return data;
}

/* See WardBackend. */
WardSecret *
ward_tpm2_unseal (WardConnection *connection, const WardSealed *sealed, const WardKeyAuths *auths, GError **error)
{
  g_auto (WardTpm2Handle) parent = WARD_TPM2_HANDLE_INIT (connection);
  g_auto (WardTpm2Handle) object = WARD_TPM2_HANDLE_INIT (connection);
  g_auto (TPM2B_AUTH) value = { 0 };

  if (!ward_tpm2_auth_set (&value, auths->auth, WARD_MAX_OBJECT_AUTH_SIZE, error)
      || !ward_tpm2_policy_check_pcrs (connection, sealed->pcrs, error)
      || !ward_tpm2_object_load (connection, sealed, &load_words, NULL, &parent, &object, error))
    return NULL;
  return authorize_and_unseal (connection, sealed, &parent, &object, &value, error);
}
