/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tspi.h"

#include <string.h>

WardTspi *
ward_tspi_open (GError **error)
{
  WardTspi *tspi = g_new0 (WardTspi, 1);
  TSS_RESULT result = Tspi_Context_Create (&tspi->context);

  if (!result)
    result = Tspi_Context_Connect (tspi->context, NULL);
  if (!result)
    result = Tspi_Context_GetTpmObject (tspi->context, &tspi->tpm);
  if (ward_tspi_check (result, "The TPM cannot be reached", error))
    return tspi;
  ward_tspi_close (tspi);
  return NULL;
}

void
ward_tspi_close (WardTspi *tspi)
{
  if (tspi->context)
    Tspi_Context_Close (tspi->context);
  g_free (tspi);
}

TSS_RESULT
ward_tspi_set_secret (TSS_HPOLICY policy, WardSecret *secret)
{
  BYTE well_known[] = TSS_WELL_KNOWN_SECRET;

  if (!secret || ward_secret_get_size (secret) == 0)
    return Tspi_Policy_SetSecret (policy, TSS_SECRET_MODE_SHA1, sizeof (well_known), well_known);
  return Tspi_Policy_SetSecret (policy, TSS_SECRET_MODE_PLAIN, ward_secret_get_size (secret),
                                ward_secret_get_data (secret));
}

TSS_RESULT
ward_tspi_authorize (TSS_HOBJECT object, WardSecret *secret)
{
  TSS_HPOLICY policy;
  TSS_RESULT result = Tspi_GetPolicyObject (object, TSS_POLICY_USAGE, &policy);

  return result ? result : ward_tspi_set_secret (policy, secret);
}

TSS_RESULT
ward_tspi_new_policy (WardTspi *tspi, TSS_FLAG kind, WardSecret *secret, TSS_HPOLICY *policy)
{
  TSS_RESULT result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_POLICY, kind, policy);

  return result ? result : ward_tspi_set_secret (*policy, secret);
}

TSS_RESULT
ward_tspi_load_srk (WardTspi *tspi, WardSecret *secret, TSS_HKEY *srk)
{
  TSS_UUID uuid = TSS_UUID_SRK;
  TSS_RESULT result = Tspi_Context_LoadKeyByUUID (tspi->context, TSS_PS_TYPE_SYSTEM, uuid, srk);
  UINT32 is_owned = TRUE;

  /* tcsd has no record of it either when there is none, of which it says less */
  if (result && !ward_tspi_get_number (tspi, TSS_TPMCAP_PROP_OWNER, &is_owned) && !is_owned)
    return TPM_E_NOSRK;
  return result ? result : ward_tspi_authorize (*srk, secret);
}

TSS_RESULT
ward_tspi_assign_secret (WardTspi *tspi, TSS_HOBJECT object, WardSecret *secret)
{
  TSS_HPOLICY policy;
  TSS_RESULT result = ward_tspi_new_policy (tspi, TSS_POLICY_USAGE, secret, &policy);

  return result ? result : Tspi_Policy_AssignToObject (policy, object);
}

BYTE *
ward_tspi_get_bytes (GVariant *variant, UINT32 *size)
{
  gsize n;
  const BYTE *bytes = g_variant_get_fixed_array (variant, &n, 1);

  *size = n;
  return (BYTE *)bytes;
}

GVariant *
ward_tspi_new_bytes (const BYTE *bytes, UINT32 size)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1);
}

WardSecret *
ward_tspi_take_secret (BYTE *bytes, UINT32 size)
{
  WardSecret *secret = ward_secret_new_from (bytes, size);

  if (size > 0)
    explicit_bzero (bytes, size);
  return secret;
}
