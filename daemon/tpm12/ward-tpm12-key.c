/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of a TPM 1.2. A wrapped one is its TPM_KEY, as its private half; nothing is in its public one. */
#include "ward-tpm12-private.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <tss/platform.h>
#include <tss/tpm.h>
#include <tss/tss_defines.h>

#include "ward-error.h"
#include "ward-key-pair.h"
#include "ward-key-public.h"
#include "ward-key-use.h"
#include "ward-tpm12-blob.h"

#define ALGORITHM "rsa2048"
#define ALGORITHM_RSA 1u
#define BITS 2048

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_SIG, X509_SIG_free)

static gboolean
parse (const WardWrappedKey *key, WardTpm12Blob *blob, GError **error)
{
  if (ward_tpm12_blob_parse (key->private_area, blob) && blob->modulus_size == blob->bits / 8)
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_CORRUPT,
                       "The key is damaged: what it says is a TPM 1.2's key is none.");
  return FALSE;
}

static gboolean
set_unsupported (GError **error, const char *what)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED, "This key cannot be used here: %s.", what);
  return FALSE;
}

static gboolean
check_kind (const WardTpm12Blob *blob, GError **error)
{
  if (blob->algorithm != ALGORITHM_RSA || blob->bits != BITS)
    return set_unsupported (error, "of a TPM 1.2 those of RSA with 2048 bits can be");
  if (blob->usage != TPM_KEY_SIGNING && blob->usage != TPM_KEY_LEGACY)
    return set_unsupported (error, "it is no key that signs or decrypts at will");
  if (blob->signature_scheme != TPM_SS_RSASSAPKCS1v15_DER)
    return set_unsupported (error, "it signs in another way than by the DER scheme of PKCS #1");
  if (blob->is_bound)
    return set_unsupported (error, "it is bound to PCRs");
  return TRUE;
}

WardKeyFacts *
ward_tpm12_describe_key (const WardWrappedKey *key, GError **error)
{
  WardKeyFacts *facts;
  WardTpm12Blob blob;

  if (!parse (key, &blob, error) || !check_kind (&blob, error))
    return NULL;
  facts = g_new0 (WardKeyFacts, 1);
  facts->algorithm = ward_key_algorithm_find (ALGORITHM)->name;
  facts->usage = WARD_KEY_SIGN;
  if (blob.usage == TPM_KEY_LEGACY && blob.encryption_scheme == TPM_ES_RSAESPKCSv15)
    facts->usage |= WARD_KEY_DECRYPT;
  facts->imported = (blob.flags & TPM_MIGRATABLE) != 0;
  facts->no_da = !blob.has_auth;
  facts->counts = blob.has_auth;
  return facts;
}

GBytes *
ward_tpm12_get_public_key (const WardWrappedKey *key, GError **error)
{
  WardTpm12Blob blob;

  return parse (key, &blob, error) ? ward_key_public_new_rsa (blob.modulus, blob.modulus_size, blob.exponent) : NULL;
}

/* The first secret is the key's, the second the storage root key's. arguments: floating. */
static WardTpm12Message *
call (WardConnection *connection, WardTpm12Act act, GVariant *arguments, const WardKeyAuths *auths, WardSecret *more,
      const char *type, GError **error)
{
  WardSecret *const secrets[] = { auths->auth, auths->srk_auth, more };

  return ward_tpm12_call (connection, act, arguments, secrets, G_N_ELEMENTS (secrets), type, WARD_TPM12_LONG_PATIENCE,
                          error);
}

static GVariant *
to_variant (GBytes *bytes)
{
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static WardWrappedKey *
new_wrapped (GVariant *blob, gboolean has_auth)
{
  WardWrappedKey *key = ward_sealed_new ();

  key->parent = WARD_TPM12_SRK_HANDLE;
  key->has_auth = has_auth;
  key->public_area = g_bytes_new (NULL, 0);
  key->private_area = g_variant_get_data_as_bytes (blob);
  return key;
}

/* Whether wrong secrets count is not for us to say. */
gboolean
ward_tpm12_check_no_da (gboolean no_da, const WardKeyAuths *auths, GError **error)
{
  if (no_da == (auths->auth == NULL))
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                       "A TPM 1.2 counts wrong secrets for what has one, and only for that. Leave the option “no-da” "
                       "out.");
  return FALSE;
}

static gboolean
check_template (const char *algorithm, const WardKeyTemplate *template, const WardKeyAuths *auths, GError **error)
{
  if (!g_str_equal (algorithm, ALGORITHM))
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "A TPM 1.2 has keys of " ALGORITHM " alone, and none of %s.", algorithm);
  else if (template->pcrs && template->pcrs->len > 0)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                         "Keys of a TPM 1.2 cannot be bound to PCRs by this service.");
  else
    return ward_tpm12_check_no_da (template->no_da, auths, error);
  return FALSE;
}

static guint32
get_type (const WardKeyTemplate *template)
{
  return template->usage & WARD_KEY_DECRYPT ? TSS_KEY_TYPE_LEGACY : TSS_KEY_TYPE_SIGNING;
}

WardWrappedKey *
ward_tpm12_create_key (WardConnection *connection, const WardKeyTemplate *template, const WardKeyAuths *auths,
                       GError **error)
{
  g_autoptr (WardTpm12Message) answer = NULL;

  if (!check_template (template->algorithm, template, auths, error))
    return NULL;
  answer = call (connection, WARD_TPM12_CREATE_KEY, g_variant_new_uint32 (get_type (template)), auths, NULL, "ay",
                 error);
  return answer ? new_wrapped (answer->body, auths->auth != NULL) : NULL;
}

WardWrappedKey *
ward_tpm12_import_key (WardConnection *connection, const WardKeyPair *pair, const WardKeyTemplate *template,
                       const WardKeyAuths *auths, GError **error)
{
  WardSecret *const secrets[] = { auths->auth, auths->srk_auth, pair->secret, auths->owner_auth };
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  GBytes *srk_modulus = template->srk_modulus && !auths->owner_auth ? template->srk_modulus : nothing;
  g_autoptr (WardTpm12Message) answer = NULL;

  if (!check_template (pair->algorithm, template, auths, error))
    return NULL;
  if (srk_modulus == nothing && !auths->owner_auth)
    {
      g_set_error_literal (
          error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
          "The TPM tells its storage root key, by which the key is wrapped, to its owner alone, and it "
          "is not on record here, as somebody else took ownership. Nothing was tried. Give the owner's "
          "secret by the option “owner-auth”.");
      return NULL;
    }
  answer = ward_tpm12_call (
      connection, WARD_TPM12_IMPORT_KEY,
      g_variant_new ("(u@ay@ay)", get_type (template), to_variant (pair->modulus), to_variant (srk_modulus)), secrets,
      G_N_ELEMENTS (secrets), "ay", WARD_TPM12_LONG_PATIENCE, error);
  return answer ? new_wrapped (answer->body, auths->auth != NULL) : NULL;
}

gboolean
ward_tpm12_check_key (WardConnection *connection, WardWrappedKey *key, const WardKeyAuths *auths, GError **error)
{
  g_autoptr (WardTpm12Message) answer = NULL;
  WardTpm12Blob blob;

  if (!parse (key, &blob, error))
    return FALSE;
  answer = call (connection, WARD_TPM12_LOAD_KEY, to_variant (key->private_area), auths, NULL, "()", error);
  if (!answer)
    return FALSE;
  key->has_auth = blob.has_auth;
  key->parent = WARD_TPM12_SRK_HANDLE;
  return TRUE;
}

/* The DigestInfo of a digest (RFC 8017, 9.2). NULL for a hash that OpenSSL does not know. */
static GBytes *
make_digest_info (const char *hash, GBytes *digest)
{
  const EVP_MD *md = EVP_get_digestbyname (hash);
  g_autoptr (X509_SIG) info = md ? X509_SIG_new () : NULL;
  X509_ALGOR *algorithm;
  ASN1_OCTET_STRING *value;
  guint8 *der = NULL;
  GBytes *bytes = NULL;
  int size = -1;

  if (info)
    {
      X509_SIG_getm (info, &algorithm, &value);
      if (X509_ALGOR_set0 (algorithm, OBJ_nid2obj (EVP_MD_get_type (md)), V_ASN1_NULL, NULL)
          && ASN1_OCTET_STRING_set (value, g_bytes_get_data (digest, NULL), (int)g_bytes_get_size (digest)))
        size = i2d_X509_SIG (info, &der);
    }
  if (size > 0)
    bytes = g_bytes_new (der, (gsize)size);
  OPENSSL_free (der);
  ERR_clear_error ();
  return bytes;
}

GBytes *
ward_tpm12_sign (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                 const WardSigning *signing, GError **error)
{
  g_autoptr (WardTpm12Message) answer = NULL;
  g_autoptr (GBytes) info = NULL;

  if (signing->scheme != WARD_SCHEME_RSASSA)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                           "A TPM 1.2 signs by PKCS #1 alone. Use the scheme “rsassa”.");
      return NULL;
    }
  info = signing->hash ? make_digest_info (signing->hash, signing->data) : g_bytes_ref (signing->data);
  if (!info)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED, "The digest could not be put into a DigestInfo.");
      return NULL;
    }
  answer = call (connection, WARD_TPM12_SIGN,
                 g_variant_new ("(@ay@ay)", to_variant (key->private_area), to_variant (info)), auths, NULL, "ay",
                 error);
  return answer ? g_variant_get_data_as_bytes (answer->body) : NULL;
}

WardSecret *
ward_tpm12_decrypt (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                    const WardDecryption *decryption, GError **error)
{
  if (decryption->scheme != WARD_SCHEME_RSAES)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                           "A TPM 1.2 decrypts what was encrypted by PKCS #1 v1.5. Use the scheme “rsaes”.");
      return NULL;
    }
  return ward_tpm12_reveal (
      connection, WARD_TPM12_DECRYPT,
      g_variant_new ("(@ay@ay)", to_variant (key->private_area), to_variant (decryption->ciphertext)), auths->auth,
      auths->srk_auth, error);
}

/* A key that was made for a secret may have the well-known one, which is told as none. */
WardWrappedKey *
ward_tpm12_change_key_auth (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                            WardSecret *new_auth, GError **error)
{
  g_autoptr (WardTpm12Message) answer = NULL;
  WardTpm12Blob blob;

  if (!parse (key, &blob, error))
    return NULL;
  if (!blob.has_auth && !new_auth)
    return ward_sealed_copy (key);
  if (!blob.has_auth)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                           "This key was made without a secret, and can be given none. Make another one.");
      return NULL;
    }
  answer = call (connection, WARD_TPM12_CHANGE_KEY_AUTH, to_variant (key->private_area), auths, new_auth, "ay", error);
  return answer ? new_wrapped (answer->body, new_auth != NULL) : NULL;
}
