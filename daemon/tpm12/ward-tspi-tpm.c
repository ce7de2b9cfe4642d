/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a TPM 1.2 tells without any secret. */
#include "ward-tspi.h"

#include <string.h>

#include <trousers/trousers.h>

#include "ward-error.h"

#define CANNOT_TELL "The TPM does not tell what it is"
#define N_PCRS 24

/* As many as TSS allows at once, 4,096, make tcsd 0.3.15 crash. */
#define MAX_RANDOM 256

typedef enum
{
  NUMBER,
  RAW_NUMBER, /* tcsd passes on the TPM's own bytes, the highest first */
  BOOLEAN,
} Kind;

typedef struct
{
  const char *name; /* of the subcapability, by the TCG (TPM Main, Part 2, 21.2) */
  UINT32 property;  /* the TSS' number for it */
  Kind kind;
} Property;

static const Property properties[] = {
  { "TPM_CAP_PROP_PCR", TSS_TPMCAP_PROP_PCR, NUMBER },
  { "TPM_CAP_PROP_DIR", TSS_TPMCAP_PROP_DIR, NUMBER },
  { "TPM_CAP_PROP_MANUFACTURER", TSS_TPMCAP_PROP_MANUFACTURER, RAW_NUMBER },
  { "TPM_CAP_PROP_KEYS", TSS_TPMCAP_PROP_KEYS, NUMBER },
  { "TPM_CAP_PROP_MAX_KEYS", TSS_TPMCAP_PROP_MAXKEYS, NUMBER },
  { "TPM_CAP_PROP_OWNER", TSS_TPMCAP_PROP_OWNER, BOOLEAN },
  { "TPM_CAP_PROP_AUTHSESS", TSS_TPMCAP_PROP_AUTHSESSIONS, NUMBER },
  { "TPM_CAP_PROP_MAX_AUTHSESS", TSS_TPMCAP_PROP_MAXAUTHSESSIONS, NUMBER },
  { "TPM_CAP_PROP_TRANSESS", TSS_TPMCAP_PROP_TRANSESSIONS, NUMBER },
  { "TPM_CAP_PROP_MAX_TRANSESS", TSS_TPMCAP_PROP_MAXTRANSESSIONS, NUMBER },
  { "TPM_CAP_PROP_SESSIONS", TSS_TPMCAP_PROP_SESSIONS, NUMBER },
  { "TPM_CAP_PROP_MAX_SESSIONS", TSS_TPMCAP_PROP_MAXSESSIONS, NUMBER },
  { "TPM_CAP_PROP_CONTEXT", TSS_TPMCAP_PROP_CONTEXTS, NUMBER },
  { "TPM_CAP_PROP_MAX_CONTEXT", TSS_TPMCAP_PROP_MAXCONTEXTS, NUMBER },
  { "TPM_CAP_PROP_CONTEXT_DIST", TSS_TPMCAP_PROP_MAXCONTEXTCOUNTDIST, NUMBER },
  { "TPM_CAP_PROP_COUNTERS", TSS_TPMCAP_PROP_COUNTERS, NUMBER },
  { "TPM_CAP_PROP_MAX_COUNTERS", TSS_TPMCAP_PROP_MAXCOUNTERS, NUMBER },
  { "TPM_CAP_PROP_ACTIVE_COUNTER", TSS_TPMCAP_PROP_ACTIVECOUNTER, NUMBER },
  { "TPM_CAP_PROP_MIN_COUNTER", TSS_TPMCAP_PROP_MIN_COUNTER, NUMBER },
  { "TPM_CAP_PROP_FAMILYROWS", TSS_TPMCAP_PROP_FAMILYROWS, NUMBER },
  { "TPM_CAP_PROP_DELEGATE_ROW", TSS_TPMCAP_PROP_DELEGATEROWS, NUMBER },
  { "TPM_CAP_PROP_DAASESS", TSS_TPMCAP_PROP_DAASESSIONS, NUMBER },
  { "TPM_CAP_PROP_MAX_DAASESS", TSS_TPMCAP_PROP_MAXDAASESSIONS, NUMBER },
  { "TPM_CAP_PROP_DAA_INTERRUPT", TSS_TPMCAP_PROP_DAA_INTERRUPT, BOOLEAN },
  { "TPM_CAP_PROP_STARTUP_EFFECT", TSS_TPMCAP_PROP_STARTUPEFFECTS, RAW_NUMBER },
  { "TPM_CAP_PROP_CMK_RESTRICTION", TSS_TPMCAP_PROP_CMKRESTRICTION, NUMBER },
  { "TPM_CAP_PROP_MAX_NV_AVAILABLE", TSS_TPMCAP_PROP_MAXNVAVAILABLE, NUMBER },
  { "TPM_CAP_PROP_INPUT_BUFFER", TSS_TPMCAP_PROP_INPUTBUFFERSIZE, NUMBER },
};

/* bytes: freed with the context. */
static TSS_RESULT
get_capability (WardTspi *tspi, TSS_FLAG capability, UINT32 sub, UINT32 *size, BYTE **bytes)
{
  return Tspi_TPM_GetCapability (tspi->tpm, capability, capability == TSS_TPMCAP_PROPERTY ? sizeof (sub) : 0,
                                 (BYTE *)&sub, size, bytes);
}

/* Reads a property that is a number or, of one byte, a truth value. */
TSS_RESULT
ward_tspi_get_number (WardTspi *tspi, UINT32 property, UINT32 *number)
{
  UINT32 size;
  BYTE *bytes;
  TSS_RESULT result = get_capability (tspi, TSS_TPMCAP_PROPERTY, property, &size, &bytes);

  if (result)
    return result;
  *number = 0;
  if (size == sizeof (*number))
    memcpy (number, bytes, size);
  else if (size == 1)
    *number = *bytes;
  else
    return TSS_LAYER_TSP | TSS_E_INTERNAL_ERROR;
  return TSS_SUCCESS;
}

/* Whether the TPM does what it is there for. Without the owner's secret its flags are not told; but a command that a
 * disabled or deactivated TPM refuses says which it is. 0, TPM_E_DISABLED or TPM_E_DEACTIVATED. */
static TSS_RESULT
find_disablement (WardTspi *tspi, UINT32 *disablement)
{
  BYTE *bytes;
  TSS_RESULT result = Tspi_TPM_GetRandom (tspi->tpm, 1, &bytes);

  *disablement = 0;
  if (ward_tspi_is_tpm_code (result, TPM_E_DISABLED) || ward_tspi_is_tpm_code (result, TPM_E_DEACTIVATED))
    {
      *disablement = result;
      return TSS_SUCCESS;
    }
  if (!result)
    Tspi_Context_FreeMemory (tspi->context, bytes);
  /* one that has failed refuses it, and is asked for its test result */
  return ward_tspi_is_tpm_code (result, TPM_E_FAILEDSELFTEST) ? TSS_SUCCESS : result;
}

/* The modulus of its endorsement key, an RSA key; FALSE when it has none or does not tell: once it has an owner, only
 * its owner is told (TPM Main, Part 3, 14.4). modulus: freed with the context. */
static gboolean
read_endorsement (WardTspi *tspi, UINT32 *size, BYTE **modulus)
{
  TSS_HKEY key;

  return !Tspi_TPM_GetPubEndorsementKey (tspi->tpm, FALSE, NULL, &key)
         && !Tspi_GetAttribData (key, TSS_TSPATTRIB_RSAKEY_INFO, TSS_TSPATTRIB_KEYINFO_RSA_MODULUS, size, modulus);
}

/* The digest of it, by which one chip is told from another; or "". */
static char *
identify_endorsement (WardTspi *tspi)
{
  UINT32 size;
  BYTE *modulus;

  return read_endorsement (tspi, &size, &modulus) ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, modulus, size)
                                                  : g_strdup ("");
}

/* Letters of a fixed number of bytes, without what fills them up. bytes: NULL where there are none. */
static char *
dup_letters (const BYTE *bytes, gsize size)
{
  g_autofree char *letters = g_strndup (bytes ? (const char *)bytes : "", size);

  for (char *c = letters; *c; c++)
    if (!g_ascii_isprint (*c))
      *c = ' ';
  return g_strdup (g_strstrip (letters));
}

/* (sssstsu): the vendor's id, its own data as text, the firmware as tpm_version writes it, the specification, the
 * firmware as a number, the endorsement and the disablement. */
GVariant *
ward_tspi_identify (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_autofree char *vendor = NULL;
  g_autofree char *own = NULL;
  g_autofree char *firmware = NULL;
  g_autofree char *spec = NULL;
  g_autofree char *endorsement = NULL;
  TPM_CAP_VERSION_INFO info = { 0 };
  UINT64 offset = 0;
  UINT32 size, disablement = 0;
  BYTE *bytes;
  TSS_RESULT result = get_capability (tspi, TSS_TPMCAP_VERSION_VAL, 0, &size, &bytes);

  if (!result)
    result = Trspi_UnloadBlob_CAP_VERSION_INFO (&offset, bytes, &info);
  if (!result)
    result = find_disablement (tspi, &disablement);
  if (!ward_tspi_check (result, CANNOT_TELL, error))
    {
      free (info.vendorSpecific);
      return NULL;
    }

  vendor = dup_letters (info.tpmVendorID, sizeof (info.tpmVendorID));
  own = dup_letters (info.vendorSpecific, info.vendorSpecificSize);
  free (info.vendorSpecific);
  firmware = g_strdup_printf ("%u.%u.%u.%u", info.version.major, info.version.minor, info.version.revMajor,
                              info.version.revMinor);
  spec = g_strdup_printf ("%u.%u", info.specLevel, info.errataRev);
  endorsement = identify_endorsement (tspi);
  return g_variant_new ("(sssstsu)", vendor, own, firmware, spec,
                        (guint64)info.version.revMajor << 32 | info.version.revMinor, endorsement, disablement);
}

GVariant *
ward_tspi_probe (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  UINT32 number;
  TSS_RESULT result = ward_tspi_get_number (tspi, TSS_TPMCAP_PROP_PCR, &number);

  return ward_tspi_check (result, "The TPM cannot be reached", error) ? g_variant_new_tuple (NULL, 0) : NULL;
}

/* Those that this TPM, or this tcsd, does not tell are left out. */
GVariant *
ward_tspi_get_properties (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  g_auto (GVariantDict) told = G_VARIANT_DICT_INIT (NULL);
  TSS_RESULT result = TSS_SUCCESS;
  UINT32 number, size;
  BYTE *modulus;

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    {
      TSS_RESULT refusal = ward_tspi_get_number (tspi, properties[i].property, &number);

      if (refusal)
        result = refusal;
      else if (properties[i].kind == BOOLEAN)
        g_variant_dict_insert (&told, properties[i].name, "b", number != 0);
      else
        g_variant_dict_insert (&told, properties[i].name, "u",
                               properties[i].kind == RAW_NUMBER ? GUINT32_FROM_BE (number) : number);
    }
  if (!g_variant_dict_contains (&told, properties[0].name) && !ward_tspi_check (result, CANNOT_TELL, error))
    return NULL;
  if (read_endorsement (tspi, &size, &modulus))
    g_variant_dict_insert_value (&told, "pubEndorsementKey",
                                 g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, modulus, size, 1));
  return g_variant_dict_end (&told);
}

GVariant *
ward_tspi_get_random (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  UINT32 count = g_variant_get_uint32 (request->body);
  g_autoptr (WardSecret) numbers = ward_secret_new (count);

  for (UINT32 done = 0; done < count;)
    {
      UINT32 n = MIN (count - done, MAX_RANDOM);
      BYTE *bytes;

      if (!ward_tspi_check (Tspi_TPM_GetRandom (tspi->tpm, n, &bytes), "The TPM has given no random numbers", error))
        return NULL;
      memcpy (ward_secret_get_data (numbers) + done, bytes, n);
      explicit_bzero (bytes, n);
      Tspi_Context_FreeMemory (tspi->context, bytes);
      done += n;
    }
  *secret = g_steal_pointer (&numbers);
  return g_variant_new_tuple (NULL, 0);
}

/* (uay): the code with which the test has ended, and the TPM's own bytes. */
static GVariant *
get_test_result (WardTspi *tspi, TSS_RESULT code, GError **error)
{
  UINT32 size;
  BYTE *bytes;
  TSS_RESULT result = Tspi_TPM_GetTestResult (tspi->tpm, &size, &bytes);

  if (!ward_tspi_check (result, "The TPM does not tell the result of its test", error))
    return NULL;
  return g_variant_new ("(u@ay)", code, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1));
}

GVariant *
ward_tspi_self_test (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  TSS_RESULT result = Tspi_TPM_SelfTestFull (tspi->tpm);

  if (result && !ward_tspi_is_tpm_code (result, TPM_E_FAILEDSELFTEST))
    {
      ward_tspi_set_error (error, result, "The TPM could not be tested");
      return NULL;
    }
  return get_test_result (tspi, result, error);
}

/* A TPM whose test has failed refuses all but to tell the result. */
GVariant *
ward_tspi_get_test_result (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  BYTE *bytes;
  TSS_RESULT result = Tspi_TPM_GetRandom (tspi->tpm, 1, &bytes);

  return get_test_result (tspi, ward_tspi_is_tpm_code (result, TPM_E_FAILEDSELFTEST) ? result : 0, error);
}

/* The values of the PCRs of the mask, in their order. */
GVariant *
ward_tspi_read_pcrs (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  guint32 mask = g_variant_get_uint32 (request->body);
  g_auto (GVariantBuilder) values = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aay"));

  for (guint i = 0; i < N_PCRS; i++)
    {
      UINT32 size;
      BYTE *bytes;

      if (!(mask & 1u << i))
        continue;
      if (!ward_tspi_check (Tspi_TPM_PcrRead (tspi->tpm, i, &size, &bytes), "A PCR could not be read", error))
        return NULL;
      g_variant_builder_add_value (&values, g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, size, 1));
    }
  return g_variant_builder_end (&values);
}

GVariant *
ward_tspi_read_ownership (WardTspi *tspi, const WardTpm12Message *request, WardSecret **secret, GError **error)
{
  UINT32 owned = 0, disablement = 0;
  TSS_RESULT result = ward_tspi_get_number (tspi, TSS_TPMCAP_PROP_OWNER, &owned);

  if (!result)
    result = find_disablement (tspi, &disablement);
  if (!ward_tspi_check (result, "The TPM does not tell whether it has an owner", error))
    return NULL;
  return g_variant_new ("(bu)", owned != 0, disablement);
}
