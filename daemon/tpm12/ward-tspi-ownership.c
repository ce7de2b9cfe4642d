/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The owner of a TPM 1.2, and what needs its secret. */
#include "ward-tspi.h"

#include "ward-error.h"

static GVariant *
nothing (void)
{
  return g_variant_new_tuple (NULL, 0);
}

GVariant *
ward_tspi_take_ownership (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  TSS_HKEY srk = 0;
  UINT32 size = 0;
  BYTE *modulus = NULL;
  TSS_RESULT result = ward_tspi_authorize (tspi->tpm, request->secrets[0]);

  if (!result)
    result = Tspi_Context_CreateObject (tspi->context, TSS_OBJECT_TYPE_RSAKEY, TSS_KEY_TSP_SRK | TSS_KEY_AUTHORIZATION,
                                        &srk);
  if (!result)
    result = ward_tspi_authorize (srk, request->secrets[1]);
  /* the endorsement key is asked of the TPM, to encrypt the secrets for it */
  if (!result)
    result = Tspi_TPM_TakeOwnership (tspi->tpm, srk, 0);
  if (!ward_tspi_check (result, "Ownership could not be taken", error))
    return NULL;
  /* it is taken: whatever becomes of this */
  if (Tspi_GetAttribData (srk, TSS_TSPATTRIB_RSAKEY_INFO, TSS_TSPATTRIB_KEYINFO_RSA_MODULUS, &size, &modulus))
    size = 0;
  return ward_tspi_new_bytes (modulus, size);
}

GVariant *
ward_tspi_change_auth (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  gboolean of_srk = g_variant_get_boolean (request->body);
  TSS_HPOLICY policy = 0;
  TSS_HKEY srk = 0;
  TSS_RESULT result = ward_tspi_authorize (tspi->tpm, request->secrets[0]);

  if (!result)
    result = ward_tspi_new_policy (tspi, TSS_POLICY_USAGE, request->secrets[1], &policy);
  if (!result && of_srk)
    result = ward_tspi_load_srk (tspi, NULL, &srk);
  if (!result)
    result = of_srk ? Tspi_ChangeAuth (srk, tspi->tpm, policy) : Tspi_ChangeAuth (tspi->tpm, 0, policy);
  return ward_tspi_check (result,
                          of_srk ? "The secret of the storage root key could not be changed"
                                 : "The owner's secret could not be changed",
                          error)
             ? nothing ()
             : NULL;
}

static gboolean
set_status (WardTspi *tspi, const WardTpm12Message *request, TSS_FLAG status, gboolean value, const char *what,
            GError **error)
{
  TSS_RESULT result = ward_tspi_authorize (tspi->tpm, request->secrets[0]);

  if (!result)
    result = Tspi_TPM_SetStatus (tspi->tpm, status, value);
  return ward_tspi_check (result, what, error);
}

GVariant *
ward_tspi_reset_lockout (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  return set_status (tspi, request, TSS_TPMSTATUS_RESETLOCK, TRUE, "The lockout could not be reset", error) ? nothing ()
                                                                                                            : NULL;
}

GVariant *
ward_tspi_set_flag (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  guint32 status;
  gboolean value;

  g_variant_get (request->body, "(ub)", &status, &value);
  return set_status (tspi, request, status, value, "The TPM's flag could not be changed", error) ? nothing () : NULL;
}

GVariant *
ward_tspi_clear (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  TSS_RESULT result = ward_tspi_authorize (tspi->tpm, request->secrets[0]);

  if (!result)
    result = Tspi_TPM_ClearOwner (tspi->tpm, FALSE);
  return ward_tspi_check (result, "The TPM could not be cleared", error) ? nothing () : NULL;
}
