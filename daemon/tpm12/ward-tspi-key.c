/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys beneath the storage root key of a TPM 1.2, each loaded for what it is asked for. Of a request's secrets, the
 * first is the key's and the second the storage root key's. */
#include "ward-tspi.h"

#include "ward-error.h"

/* Of SHA-1. */
#define MIGRATION_SECRET_SIZE 20

enum
{
  KEY_SECRET,
  SRK_SECRET,
  NEW_SECRET,
  PRIME = NEW_SECRET,
  OWNER_SECRET,
};

/* A key that takes no secret is not asked with one. */
static gboolean
load_key (WardTspi *tspi, const WardTpm12Message *request, GVariant *blob, TSS_HKEY *srk, TSS_HKEY *key, GError **error)
{
  TSS_RESULT result = ward_tspi_load_srk (tspi, request->secrets[SRK_SECRET], srk);
  UINT32 size = 0;
  BYTE *bytes = ward_tspi_get_bytes (blob, &size);

  if (!result)
    result = Tspi_Context_LoadKeyByBlob (tspi->context, *srk, size, bytes, key);
  if (!result)
    result = ward_tspi_assign_secret (tspi, *key, request->secrets[KEY_SECRET]);
  return ward_tspi_check_key (result, "The TPM does not take the key as its own", error);
}

static GVariant *
get_blob (TSS_HKEY key, const char *what, GError **error)
{
  UINT32 size = 0;
  BYTE *bytes = NULL;
  TSS_RESULT result = Tspi_GetAttribData (key, TSS_TSPATTRIB_KEY_BLOB, TSS_TSPATTRIB_KEYBLOB_BLOB, &size, &bytes);

  return ward_tspi_check (result, what, error) ? ward_tspi_new_bytes (bytes, size) : NULL;
}

/* type: a TSS_KEY_TYPE; kind: whether it can migrate, as what was made elsewhere has to. */
static TSS_RESULT
new_key (WardTspi *tspi, const WardTpm12Message *request, TSS_FLAG type, TSS_FLAG kind, TSS_HKEY *key)
{
  TSS_FLAG auth = request->secrets[KEY_SECRET] ? TSS_KEY_AUTHORIZATION : TSS_KEY_NO_AUTHORIZATION;
  TSS_RESULT result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_RSAKEY,
                                                 type | auth | kind | TSS_KEY_SIZE_2048, key);

  if (!result)
    result = Tspi_SetAttribUint32 (*key, TSS_TSPATTRIB_KEY_INFO, TSS_TSPATTRIB_KEYINFO_SIGSCHEME,
                                   TSS_SS_RSASSAPKCS1V15_DER);
  if (!result && type == TSS_KEY_TYPE_LEGACY)
    result = Tspi_SetAttribUint32 (*key, TSS_TSPATTRIB_KEY_INFO, TSS_TSPATTRIB_KEYINFO_ENCSCHEME, TSS_ES_RSAESPKCSV15);
  return result ? result : ward_tspi_assign_secret (tspi, *key, request->secrets[KEY_SECRET]);
}

GVariant *
ward_tspi_create_key (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  static const char what[] = "The key could not be made";
  TSS_HKEY srk = 0, key = 0;
  TSS_RESULT result = ward_tspi_load_srk (tspi, request->secrets[SRK_SECRET], &srk);

  if (!result)
    result = new_key (tspi, request, g_variant_get_uint32 (request->body), TSS_KEY_NOT_MIGRATABLE, &key);
  if (!result)
    result = Tspi_Key_CreateKey (key, srk, 0);
  return ward_tspi_check (result, what, error) ? get_blob (key, what, error) : NULL;
}

/* wrapper: the storage root key's public half alone, as it is on record or, for its owner, as the TPM tells it. libtspi
 * does not let it be added to the key itself. */
static TSS_RESULT
new_wrapper (WardTspi *tspi, const WardTpm12Message *request, GVariant *modulus, TSS_HKEY *wrapper)
{
  UINT32 size = 0;
  BYTE *bytes = ward_tspi_get_bytes (modulus, &size);
  TSS_RESULT result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_RSAKEY,
                                                 TSS_KEY_TYPE_STORAGE | TSS_KEY_SIZE_2048, wrapper);

  if (!result && size > 0)
    return Tspi_SetAttribData (*wrapper, TSS_TSPATTRIB_RSAKEY_INFO, TSS_TSPATTRIB_KEYINFO_RSA_MODULUS, size, bytes);
  if (!result)
    result = ward_tspi_authorize (tspi->tpm, request->secrets[OWNER_SECRET]);
  if (!result)
    result = Tspi_TPM_OwnerGetSRKPubKey (tspi->tpm, &size, &bytes);
  return result ? result
                : Tspi_SetAttribData (*wrapper, TSS_TSPATTRIB_KEY_BLOB, TSS_TSPATTRIB_KEYBLOB_PUBLIC_KEY, size, bytes);
}

/* Of a prime and what it is a factor of. What would let it migrate is known to nobody. */
static TSS_RESULT
set_halves (WardTspi *tspi, const WardTpm12Message *request, GVariant *modulus, TSS_HKEY key)
{
  WardSecret *prime = request->secrets[PRIME];
  UINT32 size = 0;
  BYTE *bytes = ward_tspi_get_bytes (modulus, &size);
  TSS_HPOLICY policy = 0;
  TSS_RESULT result = Tspi_SetAttribData (key, TSS_TSPATTRIB_RSAKEY_INFO, TSS_TSPATTRIB_KEYINFO_RSA_MODULUS, size,
                                          bytes);

  if (!result)
    result = Tspi_SetAttribData (key, TSS_TSPATTRIB_KEY_BLOB, TSS_TSPATTRIB_KEYBLOB_PRIVATE_KEY,
                                 ward_secret_get_size (prime), ward_secret_get_data (prime));
  if (!result)
    result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_POLICY, TSS_POLICY_MIGRATION, &policy);
  if (!result)
    result = Tspi_TPM_GetRandom (tspi->tpm, MIGRATION_SECRET_SIZE, &bytes);
  if (!result)
    result = Tspi_Policy_SetSecret (policy, TSS_SECRET_MODE_SHA1, MIGRATION_SECRET_SIZE, bytes);
  return result ? result : Tspi_Policy_AssignToObject (policy, key);
}

/* Wrapped by libtspi, and then loaded, as the public half on record may be of another storage root key. */
GVariant *
ward_tspi_import_key (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  static const char what[] = "The key could not be put into the TPM";
  g_autoptr (GVariant) modulus = g_variant_get_child_value (request->body, 1);
  g_autoptr (GVariant) srk_modulus = g_variant_get_child_value (request->body, 2);
  guint32 type;
  TSS_HKEY srk = 0, wrapper = 0, key = 0;
  TSS_RESULT result = ward_tspi_load_srk (tspi, request->secrets[SRK_SECRET], &srk);

  g_variant_get_child (request->body, 0, "u", &type);
  if (!result)
    result = new_wrapper (tspi, request, srk_modulus, &wrapper);
  if (!result)
    result = new_key (tspi, request, type, TSS_KEY_MIGRATABLE, &key);
  if (!result)
    result = set_halves (tspi, request, modulus, key);
  if (!result)
    result = Tspi_Key_WrapKey (key, wrapper, 0);
  if (!result)
    result = Tspi_Key_LoadKey (key, srk);
  return ward_tspi_check (result, what, error) ? get_blob (key, what, error) : NULL;
}

GVariant *
ward_tspi_load_key (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  TSS_HKEY srk = 0, key = 0;

  return load_key (tspi, request, request->body, &srk, &key, error) ? g_variant_new_tuple (NULL, 0) : NULL;
}

/* (ayay): the key, and what a signature of PKCS #1 is to be made of, a DigestInfo. */
GVariant *
ward_tspi_sign (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_autoptr (GVariant) blob = g_variant_get_child_value (request->body, 0);
  g_autoptr (GVariant) info = g_variant_get_child_value (request->body, 1);
  UINT32 size = 0;
  BYTE *bytes = ward_tspi_get_bytes (info, &size);
  TSS_HKEY srk = 0, key = 0;
  TSS_HHASH hash = 0;
  TSS_RESULT result;

  if (!load_key (tspi, request, blob, &srk, &key, error))
    return NULL;
  result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_HASH, TSS_HASH_OTHER, &hash);
  if (!result)
    result = Tspi_Hash_SetHashValue (hash, size, bytes);
  if (!result)
    result = Tspi_Hash_Sign (hash, key, &size, &bytes);
  return ward_tspi_check (result, "It could not be signed", error) ? ward_tspi_new_bytes (bytes, size) : NULL;
}

/* (ayay): the key, and what is encrypted to it by PKCS #1. */
GVariant *
ward_tspi_decrypt (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_autoptr (GVariant) blob = g_variant_get_child_value (request->body, 0);
  g_autoptr (GVariant) ciphertext = g_variant_get_child_value (request->body, 1);
  UINT32 size = 0;
  BYTE *bytes = ward_tspi_get_bytes (ciphertext, &size);
  TSS_HKEY srk = 0, key = 0;
  TSS_HENCDATA data = 0;
  TSS_RESULT result;

  if (!load_key (tspi, request, blob, &srk, &key, error))
    return NULL;
  result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_ENCDATA, TSS_ENCDATA_BIND, &data);
  if (!result)
    result = Tspi_SetAttribData (data, TSS_TSPATTRIB_ENCDATA_BLOB, TSS_TSPATTRIB_ENCDATABLOB_BLOB, size, bytes);
  if (!result)
    result = Tspi_Data_Unbind (data, key, &size, &bytes);
  if (ward_tspi_is_tpm_code (result, TPM_E_DECRYPT_ERROR))
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                         "What was given was not encrypted to this key by PKCS #1 v1.5 (“rsaes”), or it is damaged.");
  else if (ward_tspi_check (result, "It could not be decrypted", error))
    {
      *secret = ward_tspi_take_secret (bytes, size);
      return g_variant_new_tuple (NULL, 0);
    }
  return NULL;
}

GVariant *
ward_tspi_change_key_auth (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  static const char what[] = "The key's secret could not be changed";
  TSS_HKEY srk = 0, key = 0;
  TSS_HPOLICY policy = 0;
  TSS_RESULT result;

  if (!load_key (tspi, request, request->body, &srk, &key, error))
    return NULL;
  result = ward_tspi_new_policy (tspi, TSS_POLICY_USAGE, request->secrets[NEW_SECRET], &policy);
  if (!result)
    result = Tspi_ChangeAuth (key, srk, policy);
  return ward_tspi_check (result, what, error) ? get_blob (key, what, error) : NULL;
}
