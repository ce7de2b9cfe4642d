/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data sealed beneath the storage root key of a TPM 1.2. */
#include "ward-tspi.h"

#include <string.h>

/* Who may unseal: localities 0 to 4 (TPM Main, Part 2, 8.6). */
#define ANY_LOCALITY 0x1f

enum
{
  DATA_SECRET,
  SRK_SECRET,
  DATA,
};

static TSS_RESULT
new_data (WardTspi *tspi, WardSecret *secret, TSS_HENCDATA *data)
{
  TSS_RESULT result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_ENCDATA, TSS_ENCDATA_SEAL, data);

  return result ? result : ward_tspi_assign_secret (tspi, *data, secret);
}

/* Neither what is sealed nor what is unsealed crosses to the chip in plain then (TPM_Sealx). */
static TSS_RESULT
protect (TSS_HENCDATA data)
{
  return Tspi_SetAttribUint32 (data, TSS_TSPATTRIB_ENCDATA_SEAL, TSS_TSPATTRIB_ENCDATASEAL_PROTECT_MODE,
                               TSS_TSPATTRIB_ENCDATASEAL_PROTECT);
}

static TSS_RESULT
get_blob (TSS_HENCDATA data, UINT32 *size, BYTE **bytes)
{
  return Tspi_GetAttribData (data, TSS_TSPATTRIB_ENCDATA_BLOB, TSS_TSPATTRIB_ENCDATABLOB_BLOB, size, bytes);
}

/* pcrs: a(uay). Without any, none, which is 0. */
static TSS_RESULT
new_composite (WardTspi *tspi, GVariant *pcrs, TSS_HPCRS *composite)
{
  TSS_RESULT result;
  GVariantIter iter;
  guint32 index;
  GVariant *value;

  *composite = 0;
  if (g_variant_n_children (pcrs) == 0)
    return TSS_SUCCESS;
  result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_PCRS, TSS_PCRS_STRUCT_INFO_LONG, composite);
  if (!result)
    result = Tspi_PcrComposite_SetPcrLocality (*composite, ANY_LOCALITY);
  g_variant_iter_init (&iter, pcrs);
  while (!result && g_variant_iter_loop (&iter, "(u@ay)", &index, &value))
    {
      UINT32 size;
      BYTE *bytes = ward_tspi_get_bytes (value, &size);

      result = Tspi_PcrComposite_SelectPcrIndexEx (*composite, index, TSS_PCRS_DIRECTION_CREATION);
      if (!result)
        result = Tspi_PcrComposite_SelectPcrIndexEx (*composite, index, TSS_PCRS_DIRECTION_RELEASE);
      if (!result)
        result = Tspi_PcrComposite_SetPcrValue (*composite, index, size, bytes);
    }
  return result;
}

GVariant *
ward_tspi_seal (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  WardSecret *plain = request->secrets[DATA];
  TSS_HKEY srk = 0;
  TSS_HENCDATA data = 0;
  TSS_HPCRS composite = 0;
  UINT32 size = 0;
  BYTE *bytes = NULL;
  TSS_RESULT result = ward_tspi_load_srk (tspi, request->secrets[SRK_SECRET], &srk);

  if (!result)
    result = new_data (tspi, request->secrets[DATA_SECRET], &data);
  if (!result)
    result = protect (data);
  if (!result)
    result = new_composite (tspi, request->body, &composite);
  if (!result)
    result = Tspi_Data_Seal (data, srk, ward_secret_get_size (plain), ward_secret_get_data (plain), composite);
  if (!result)
    result = get_blob (data, &size, &bytes);
  return ward_tspi_check (result, "The data was not sealed", error) ? ward_tspi_new_bytes (bytes, size) : NULL;
}

/* What tpm-tools gives its storage keys and what they seal. */
static WardSecret *
new_tools_secret (void)
{
  static const char secret[] = "password";

  return ward_secret_new_from (secret, strlen (secret));
}

static TSS_RESULT
new_storage_key (WardTspi *tspi, TSS_HKEY srk, WardSecret *secret, TSS_HKEY *key)
{
  TSS_RESULT result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_RSAKEY,
                                                 TSS_KEY_TYPE_STORAGE | TSS_KEY_SIZE_2048 | TSS_KEY_VOLATILE
                                                     | TSS_KEY_AUTHORIZATION | TSS_KEY_NOT_MIGRATABLE,
                                                 key);

  if (!result)
    result = ward_tspi_assign_secret (tspi, *key, secret);
  if (!result)
    result = Tspi_Key_CreateKey (*key, srk, 0);
  return result ? result : Tspi_Key_LoadKey (*key, srk);
}

GVariant *
ward_tspi_seal_for_tpm_tools (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  WardSecret *plain = request->secrets[DATA];
  g_autoptr (WardSecret) tools_secret = new_tools_secret ();
  TSS_HKEY srk = 0, key = 0;
  TSS_HENCDATA data = 0;
  TSS_HPCRS composite = 0;
  UINT32 key_size = 0, size = 0;
  BYTE *key_bytes = NULL, *bytes = NULL;
  TSS_RESULT result = ward_tspi_load_srk (tspi, request->secrets[SRK_SECRET], &srk);

  if (!result)
    result = new_storage_key (tspi, srk, tools_secret, &key);
  if (!result)
    result = new_data (tspi, tools_secret, &data);
  if (!result)
    result = new_composite (tspi, request->body, &composite);
  if (!result)
    result = Tspi_Data_Seal (data, key, ward_secret_get_size (plain), ward_secret_get_data (plain), composite);
  if (!result)
    result = Tspi_GetAttribData (key, TSS_TSPATTRIB_KEY_BLOB, TSS_TSPATTRIB_KEYBLOB_BLOB, &key_size, &key_bytes);
  if (!result)
    result = get_blob (data, &size, &bytes);
  if (!ward_tspi_check (result, "The data was not sealed", error))
    return NULL;
  return g_variant_new ("(@ay@ay)", ward_tspi_new_bytes (key_bytes, key_size), ward_tspi_new_bytes (bytes, size));
}

/* key: what the data lies beneath: the storage root key or, for tpm-tools, the one of that blob. */
static gboolean
open_data (WardTspi *tspi, const WardTpm12Message *request, GVariant *blob, TSS_HKEY *key, TSS_HENCDATA *data,
           GError **error)
{
  g_autoptr (WardSecret) tools_secret = new_tools_secret ();
  UINT32 size = 0;
  BYTE *bytes = ward_tspi_get_bytes (blob, &size);
  gboolean is_own = size == 0;
  TSS_RESULT result = ward_tspi_load_srk (tspi, request->secrets[SRK_SECRET], key);

  if (!result && !is_own)
    result = Tspi_Context_LoadKeyByBlob (tspi->context, *key, size, bytes, key);
  if (!result && !is_own)
    result = ward_tspi_assign_secret (tspi, *key, tools_secret);
  if (!result)
    result = new_data (tspi, is_own ? request->secrets[DATA_SECRET] : tools_secret, data);
  if (!result && is_own)
    result = protect (*data);
  return ward_tspi_check_key (result, "The TPM does not take what the data was sealed beneath as its own", error);
}

GVariant *
ward_tspi_unseal (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_autoptr (GVariant) key_blob = g_variant_get_child_value (request->body, 0);
  g_autoptr (GVariant) blob = g_variant_get_child_value (request->body, 1);
  UINT32 size = 0;
  BYTE *bytes = ward_tspi_get_bytes (blob, &size);
  TSS_HKEY key = 0;
  TSS_HENCDATA data = 0;
  TSS_RESULT result;

  if (!open_data (tspi, request, key_blob, &key, &data, error))
    return NULL;
  result = Tspi_SetAttribData (data, TSS_TSPATTRIB_ENCDATA_BLOB, TSS_TSPATTRIB_ENCDATABLOB_BLOB, size, bytes);
  if (!result)
    result = Tspi_Data_Unseal (data, key, &size, &bytes);
  if (!ward_tspi_check (result, "The data was not unsealed", error))
    return NULL;
  *secret = ward_tspi_take_secret (bytes, size);
  return g_variant_new_tuple (NULL, 0);
}
