/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"
#include "ward-key-public.h"

/* Those of a key that was made in this TPM and never leaves it. */
#define NATIVE_ATTRIBUTES (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN)

static void
sensitive_wipe (TPM2B_SENSITIVE_CREATE *sensitive)
{
  explicit_bzero (sensitive, sizeof (*sensitive));
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TPM2B_SENSITIVE_CREATE, sensitive_wipe)

static TPMA_OBJECT
get_attributes (const WardKeyTemplate *template, GPtrArray *pcrs)
{
  TPMA_OBJECT attributes = 0;

  if (template->usage & WARD_KEY_SIGN)
    attributes |= TPMA_OBJECT_SIGN_ENCRYPT;
  if (template->usage & (WARD_KEY_DECRYPT | WARD_KEY_AGREE))
    attributes |= TPMA_OBJECT_DECRYPT;
  if (pcrs->len == 0)
    attributes |= TPMA_OBJECT_USERWITHAUTH;
  if (template->no_da)
    attributes |= TPMA_OBJECT_NODA;
  return attributes;
}

/* Fills public, but for what makes a key this one, and for where it is bound to. pcrs: with their values. Fails with
 * WARD_ERROR_INVALID_ARGUMENT for what no TPM can do. */
gboolean
ward_tpm2_key_fill_template (const WardKeyTemplate *template, GPtrArray *pcrs, gboolean has_auth, TPMT_PUBLIC *public,
                             GError **error)
{
  const WardKeyAlgorithm *algorithm = ward_key_algorithm_find (template->algorithm);
  TPM2B_DIGEST policy;

  if (algorithm == NULL || template->usage == 0 || (template->usage & ~ward_key_algorithm_get_usage (algorithm)) != 0)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "No key of %s can be made for this usage. RSA keys sign and decrypt, ECC keys sign and agree.",
                   template->algorithm);
      return FALSE;
    }
  ward_tpm2_policy_get_digest (pcrs, has_auth, &policy);
  *public = (TPMT_PUBLIC){ .nameAlg = TPM2_ALG_SHA256,
                           .objectAttributes = get_attributes (template, pcrs),
                           .authPolicy = policy };
  if (algorithm->is_ecc)
    {
      public->type = TPM2_ALG_ECC;
      public->parameters.eccDetail = (TPMS_ECC_PARMS){ .symmetric.algorithm = TPM2_ALG_NULL,
                                                       .scheme.scheme = TPM2_ALG_NULL,
                                                       .curveID = algorithm->bits == 256 ? TPM2_ECC_NIST_P256
                                                                                         : TPM2_ECC_NIST_P384,
                                                       .kdf.scheme = TPM2_ALG_NULL };
    }
  else
    {
      public->type = TPM2_ALG_RSA;
      public->parameters.rsaDetail = (TPMS_RSA_PARMS){ .symmetric.algorithm = TPM2_ALG_NULL,
                                                       .scheme.scheme = TPM2_ALG_NULL,
                                                       .keyBits = algorithm->bits };
    }
  return TRUE;
}

/* What is to be returned after a key was to be made: TRUE if rc is success. */
gboolean
ward_tpm2_key_conclude_make (WardConnection *connection, TSS2_RC rc, const char *algorithm, GError **error)
{
  g_autofree char *words = NULL;

  switch (ward_tpm2_rc_get_meaning (rc))
    {
    case TSS2_RC_SUCCESS:
      return TRUE;
    case TPM2_RC_ASYMMETRIC:
    case TPM2_RC_CURVE:
    case TPM2_RC_TYPE:
    case TPM2_RC_VALUE:
    case TPM2_RC_KEY_SIZE:
      words = ward_tpm2_rc_to_string (rc);
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                   "This TPM takes no keys of %s (%s). Its property KeyAlgorithms names those that it takes.",
                   algorithm, words);
      return FALSE;
    default:
      ward_tpm2_set_error (error, connection, rc, "The TPM did not make the key");
      return FALSE;
    }
}

gboolean
ward_tpm2_key_keep (WardConnection *connection, WardWrappedKey *key, const TPM2B_PUBLIC *public,
                    const TPM2B_PRIVATE *private, GError **error)
{
  key->public_area = ward_tpm2_public_to_bytes (public);
  key->private_area = ward_tpm2_private_to_bytes (private);
  if (key->public_area != NULL && key->private_area != NULL)
    return TRUE;
  ward_tpm2_set_error (error, connection, TSS2_ESYS_RC_MALFORMED_RESPONSE, "The TPM did not make the key");
  return FALSE;
}

/* TPM 2.0 Library, Part 3, 12.1. */
static gboolean
create (WardConnection *connection, ESYS_TR parent, const TPM2B_SENSITIVE_CREATE *sensitive, const TPM2B_PUBLIC *public,
        const char *algorithm, WardWrappedKey *key, GError **error)
{
  static const TPML_PCR_SELECTION pcrs = { 0 };
  g_auto (WardTpm2Handle) session = WARD_TPM2_HANDLE_INIT (connection);
  WARD_ESYS_AUTOFREE TPM2B_PRIVATE *made_private = NULL;
  WARD_ESYS_AUTOFREE TPM2B_PUBLIC *made_public = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (key->has_auth
      && !ward_tpm2_session_start_for_key (connection, parent, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT, &session, error))
    return FALSE;
  do
    rc = Esys_Create (connection->esys, parent, key->has_auth ? session.tr : ESYS_TR_PASSWORD, ESYS_TR_NONE,
                      ESYS_TR_NONE, sensitive, public, NULL, &pcrs, &made_private, &made_public, NULL, NULL, NULL);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  ward_tpm2_forget_buffer (connection);
  return ward_tpm2_key_conclude_make (connection, rc, algorithm, error)
         && ward_tpm2_key_keep (connection, key, made_public, made_private, error);
}

/* See WardBackend. */
WardWrappedKey *
ward_tpm2_create_key (WardConnection *connection, const WardKeyTemplate *template, const WardKeyAuths *auths,
                      GError **error)
{
  g_autoptr (WardWrappedKey) key = ward_sealed_new ();
  g_auto (TPM2B_SENSITIVE_CREATE) sensitive = { 0 };
  g_auto (WardTpm2Handle) parent = WARD_TPM2_HANDLE_INIT (connection);
  TPM2B_PUBLIC public = { 0 };

  if (!ward_tpm2_auth_set (&sensitive.sensitive.userAuth, auths->auth, WARD_MAX_OBJECT_AUTH_SIZE, error)
      || (template->pcrs != NULL && !ward_tpm2_policy_read_pcrs (connection, template->pcrs, key->pcrs, error)))
    return NULL;
  key->has_auth = sensitive.sensitive.userAuth.size > 0;
  if (!ward_tpm2_key_fill_template (template, key->pcrs, key->has_auth, &public.publicArea, error))
    return NULL;
  public.publicArea.objectAttributes |= NATIVE_ATTRIBUTES;
  if (!ward_tpm2_parent_open (connection, auths->owner_auth, &parent, key, error)
      || !create (connection, parent.tr, &sensitive, &public, template->algorithm, key, error))
    return NULL;
  return g_steal_pointer (&key);
}
