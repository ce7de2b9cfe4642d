/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Data in the permanent memory of a TPM 1.2. */
#include "ward-tspi.h"

#include <string.h>
#include <trousers/trousers.h>

static GVariant *
nothing (void)
{
  return g_variant_new_tuple (NULL, 0);
}

/* (uuubb): number, size, attributes, and whether it is locked against reading and writing until a restart. */
static TSS_RESULT
describe (WardTspi *tspi, UINT32 index, GVariantBuilder *builder)
{
  TPM_NV_DATA_PUBLIC public = { 0 };
  UINT64 offset = 0;
  UINT32 size = 0;
  BYTE *bytes = NULL;
  TSS_RESULT result = Tspi_TPM_GetCapability (tspi->tpm, TSS_TPMCAP_NV_INDEX, sizeof index, (BYTE *)&index, &size,
                                              &bytes);

  if (!result)
    result = Trspi_UnloadBlob_NV_DATA_PUBLIC (&offset, bytes, &public);
  if (result)
    return result;
  g_variant_builder_add (builder, "(uuubb)", index, public.dataSize, public.permission.attributes,
                         public.bReadSTClear != 0, public.bWriteSTClear != 0 || public.bWriteDefine != 0);
  free (public.pcrInfoRead.pcrSelection.pcrSelect);
  free (public.pcrInfoWrite.pcrSelection.pcrSelect);
  return TSS_SUCCESS;
}

GVariant *
ward_tspi_list_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(uuubb)"));
  UINT32 size = 0;
  BYTE *list = NULL;
  TSS_RESULT result = Tspi_TPM_GetCapability (tspi->tpm, TSS_TPMCAP_NV_LIST, 0, NULL, &size, &list);

  for (UINT32 i = 0; !result && i + sizeof (UINT32) <= size; i += sizeof (UINT32))
    {
      UINT64 offset = i;
      UINT32 index;

      Trspi_UnloadBlob_UINT32 (&offset, &index, list);
      result = describe (tspi, index, &builder);
      /* another program may have undefined it meanwhile */
      if (ward_tspi_is_tpm_code (result, TPM_E_BADINDEX))
        result = TSS_SUCCESS;
    }
  return ward_tspi_check (result, "The TPM could not tell of its NV indices", error) ? g_variant_builder_end (&builder)
                                                                                     : NULL;
}

static TSS_RESULT
new_store (WardTspi *tspi, UINT32 index, TSS_HNVSTORE *store)
{
  TSS_RESULT result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_NV, 0, store);

  return result ? result : Tspi_SetAttribUint32 (*store, TSS_TSPATTRIB_NV_INDEX, 0, index);
}

GVariant *
ward_tspi_define_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  UINT32 index = 0, size = 0, attributes = 0;
  TSS_HNVSTORE store = 0;
  TSS_RESULT result = ward_tspi_authorize (tspi->tpm, request->secrets[0]);

  g_variant_get (request->body, "(uuu)", &index, &size, &attributes);
  if (!result)
    result = new_store (tspi, index, &store);
  if (!result)
    result = Tspi_SetAttribUint32 (store, TSS_TSPATTRIB_NV_DATASIZE, 0, size);
  if (!result)
    result = Tspi_SetAttribUint32 (store, TSS_TSPATTRIB_NV_PERMISSIONS, 0, attributes);
  if (!result && request->secrets[1])
    result = ward_tspi_assign_secret (tspi, store, request->secrets[1]);
  if (!result)
    result = Tspi_NV_DefineSpace (store, 0, 0);
  return ward_tspi_check (result, "The NV index was not defined", error) ? nothing () : NULL;
}

GVariant *
ward_tspi_undefine_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  TSS_HNVSTORE store = 0;
  TSS_RESULT result = ward_tspi_authorize (tspi->tpm, request->secrets[0]);

  if (!result)
    result = new_store (tspi, g_variant_get_uint32 (request->body), &store);
  if (!result)
    result = Tspi_NV_ReleaseSpace (store);
  return ward_tspi_check (result, "The NV index was not undefined", error) ? nothing () : NULL;
}

/* A secret of the store's stands for the owner's, too, where the index takes that one. */
static TSS_RESULT
open_store (WardTspi *tspi, const WardTpm12Message *request, UINT32 index, gboolean authorizes, TSS_HNVSTORE *store)
{
  TSS_RESULT result = new_store (tspi, index, store);

  if (!result && authorizes)
    result = ward_tspi_authorize (tspi->tpm, request->secrets[0]);
  if (!result && authorizes)
    result = ward_tspi_assign_secret (tspi, *store, request->secrets[0]);
  return result;
}

static TSS_RESULT
read_part (TSS_HNVSTORE store, UINT32 offset, BYTE *data, UINT32 size)
{
  UINT32 answered = size;
  BYTE *bytes = NULL;
  TSS_RESULT result = Tspi_NV_ReadValue (store, offset, &answered, &bytes);

  if (result)
    return result;
  if (answered == size)
    memcpy (data, bytes, size);
  explicit_bzero (bytes, answered);
  return answered == size ? TSS_SUCCESS : (TSS_RESULT)(TSS_LAYER_TSP | TSS_E_INTERNAL_ERROR);
}

GVariant *
ward_tspi_read_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_autoptr (WardSecret) data = NULL;
  UINT32 index = 0, offset = 0, size = 0, part;
  gboolean authorizes;
  TSS_HNVSTORE store = 0;
  TSS_RESULT result;

  g_variant_get (request->body, "(uuub)", &index, &offset, &size, &authorizes);
  data = ward_secret_new (size);
  result = open_store (tspi, request, index, authorizes, &store);
  for (UINT32 done = 0; !result && done < size; done += part)
    {
      part = MIN (size - done, WARD_TPM12_NV_PART);
      result = read_part (store, offset + done, ward_secret_get_data (data) + done, part);
    }
  if (!ward_tspi_check (result, "The NV index was not read", error))
    return NULL;
  *secret = g_steal_pointer (&data);
  return nothing ();
}

GVariant *
ward_tspi_write_nv (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  WardSecret *data = request->secrets[1];
  UINT32 index = 0, offset = 0, size = ward_secret_get_size (data), part;
  gboolean authorizes;
  TSS_HNVSTORE store = 0;
  TSS_RESULT result;

  g_variant_get (request->body, "(uub)", &index, &offset, &authorizes);
  result = open_store (tspi, request, index, authorizes, &store);
  for (UINT32 done = 0; !result && done < size; done += part)
    {
      part = MIN (size - done, WARD_TPM12_NV_PART);
      result = Tspi_NV_WriteValue (store, offset + done, part, ward_secret_get_data (data) + done);
    }
  return ward_tspi_check (result, "The NV index was not written", error) ? nothing () : NULL;
}
