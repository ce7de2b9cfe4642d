/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"
#include "ward-manufacturer.h"

typedef struct
{
  TPM2_ECC_CURVE curve;
  const char *name;
} CurveName;

typedef struct
{
  TPMI_RSA_KEY_BITS bits;
  const char *name;
} RsaName;

static const RsaName rsa_names[] = { { 2048, "rsa2048" }, { 3072, "rsa3072" } };
static const CurveName curve_names[] = { { TPM2_ECC_NIST_P256, "ecc-p256" }, { TPM2_ECC_NIST_P384, "ecc-p384" } };

static const guint32 vendor_string_tags[] = { TPM2_PT_VENDOR_STRING_1, TPM2_PT_VENDOR_STRING_2, TPM2_PT_VENDOR_STRING_3,
                                              TPM2_PT_VENDOR_STRING_4 };

/* Four characters to a property, the first one highest. What is not printable ASCII, such as the NULs that fill a word,
 * is left out. */
static char *
join_characters (GArray *properties, const guint32 *tags, guint n_tags)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < n_tags; i++)
    {
      guint32 word = 0;

      ward_tpm2_properties_lookup (properties, tags[i], &word);
      for (int shift = 24; shift >= 0; shift -= 8)
        if (g_ascii_isprint ((word >> shift) & 0xff))
          g_string_append_c (text, (word >> shift) & 0xff);
    }
  return g_strstrip (g_string_free (g_steal_pointer (&text), FALSE));
}

static char *
get_spec_revision (GArray *properties)
{
  guint32 revision;

  if (!ward_tpm2_properties_lookup (properties, TPM2_PT_REVISION, &revision))
    return g_strdup ("");
  return g_strdup_printf ("%u.%02u", revision / 100, revision % 100);
}

static char *
get_spec_date (GArray *properties)
{
  guint32 year, day;
  GDate date;

  if (!ward_tpm2_properties_lookup (properties, TPM2_PT_YEAR, &year)
      || !ward_tpm2_properties_lookup (properties, TPM2_PT_DAY_OF_YEAR, &day))
    return g_strdup ("");
  if (year < 2000 || year > 9999 || day < 1 || day > (g_date_is_leap_year (year) ? 366 : 365))
    return g_strdup ("");
  g_date_clear (&date, 1);
  g_date_set_dmy (&date, 1, G_DATE_JANUARY, year);
  g_date_add_days (&date, day - 1);
  return g_strdup_printf ("%04d-%02d-%02d", g_date_get_year (&date), g_date_get_month (&date), g_date_get_day (&date));
}

static void
set_string (char **member, char *value)
{
  g_free (*member);
  *member = value;
}

static void
fill_from_properties (WardIdentity *identity, WardConnection *connection, GArray *properties)
{
  static const guint32 manufacturer_tag = TPM2_PT_MANUFACTURER;
  guint32 first = 0, second = 0;

  set_string (&identity->manufacturer, join_characters (properties, &manufacturer_tag, 1));
  set_string (&identity->manufacturer_name, g_strdup (ward_manufacturer_get_name (identity->manufacturer)));
  set_string (&identity->vendor_string,
              join_characters (properties, vendor_string_tags, G_N_ELEMENTS (vendor_string_tags)));
  if (ward_tpm2_properties_lookup (properties, TPM2_PT_FIRMWARE_VERSION_1, &first))
    {
      ward_tpm2_properties_lookup (properties, TPM2_PT_FIRMWARE_VERSION_2, &second);
      identity->firmware_raw = (guint64)first << 32 | second;
      set_string (&identity->firmware_version, ward_tpm2_firmware_to_string (identity->manufacturer, first, second));
    }
  set_string (&identity->spec_revision, get_spec_revision (properties));
  set_string (&identity->spec_date, get_spec_date (properties));
  identity->emulated = ward_tpm2_transport_is_simulator (connection->transport)
                       || ward_tpm2_vendor_is_emulated (identity->manufacturer, identity->vendor_string);
}

/* Sets failure if the TPM's own test result says that it has failed. The command works whatever state the TPM is in. */
static gboolean
fill_failure (WardIdentity *identity, WardConnection *connection, GError **error)
{
  g_autoptr (GBytes) data = NULL;
  const guint8 *bytes;
  TPM2_RC result = TPM2_RC_SUCCESS;
  gsize size;
  TSS2_RC rc = ward_tpm2_read_test_result (connection, &result, &data);

  if (rc != TSS2_RC_SUCCESS && !ward_tpm2_rc_is_from_tpm (rc))
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM could not be asked for its test result");
      return FALSE;
    }
  /* A refusal proves no failure. */
  if (rc != TSS2_RC_SUCCESS || !ward_tpm2_test_result_is_failure (result))
    return TRUE;
  bytes = g_bytes_get_data (data, &size);
  set_string (&identity->failure, ward_tpm2_explain_failure (connection->manufacturer, result, bytes, size));
  return TRUE;
}

static gboolean
contains (GArray *list, guint16 element)
{
  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, guint16, i) == element)
      return TRUE;
  return FALSE;
}

/* No list names key sizes: the TPM must be asked for each (TPM 2.0 Library, Part 3, 30.3). *rc is success, or why it
 * could not be asked. */
static gboolean
has_rsa_bits (WardConnection *connection, TPMI_RSA_KEY_BITS bits, TSS2_RC *rc)
{
  TPMT_PUBLIC_PARMS parms = { .type = TPM2_ALG_RSA };
  WardTpm2Wait wait = { 0 };

  parms.parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
  parms.parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
  parms.parameters.rsaDetail.keyBits = bits;
  do
    *rc = Esys_TestParms (connection->esys, WARD_TPM2_NO_SESSIONS, &parms);
  while (ward_tpm2_wait_again (connection, &wait, *rc));
  if (*rc == TSS2_RC_SUCCESS)
    return TRUE;
  if (ward_tpm2_rc_is_from_tpm (*rc))
    *rc = TSS2_RC_SUCCESS;
  return FALSE;
}

static gboolean
add_rsa_names (GStrvBuilder *builder, WardConnection *connection, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (rsa_names); i++)
    {
      TSS2_RC rc;

      if (has_rsa_bits (connection, rsa_names[i].bits, &rc))
        g_strv_builder_add (builder, rsa_names[i].name);
      if (rc != TSS2_RC_SUCCESS)
        {
          ward_tpm2_set_error (error, connection, rc, "The TPM could not be asked for its RSA key sizes");
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
add_curve_names (GStrvBuilder *builder, WardConnection *connection, GError **error)
{
  g_autoptr (GArray) curves = ward_tpm2_read_curves (connection, error);

  if (curves == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (curve_names); i++)
    if (contains (curves, curve_names[i].curve))
      g_strv_builder_add (builder, curve_names[i].name);
  return TRUE;
}

static gboolean
fill_algorithms (WardIdentity *identity, WardConnection *connection, GError **error)
{
  g_autoptr (GArray) algorithms = ward_tpm2_read_algorithms (connection, error);
  g_autoptr (GStrvBuilder) builder = NULL;

  if (algorithms == NULL)
    return FALSE;
  builder = g_strv_builder_new ();
  if (contains (algorithms, TPM2_ALG_RSA) && !add_rsa_names (builder, connection, error))
    return FALSE;
  if (contains (algorithms, TPM2_ALG_ECC) && !add_curve_names (builder, connection, error))
    return FALSE;
  g_strfreev (identity->key_algorithms);
  identity->key_algorithms = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
fill_banks (WardIdentity *identity, WardConnection *connection, GError **error)
{
  GStrv banks = ward_tpm2_read_banks (connection, error);

  if (banks == NULL)
    return FALSE;
  g_strfreev (identity->banks);
  identity->banks = banks;
  return TRUE;
}

static gboolean
fill_endorsement (WardIdentity *identity, WardConnection *connection, GError **error)
{
  const char *endorsement = ward_tpm2_get_endorsement (connection, error);

  if (endorsement == NULL)
    return FALSE;
  set_string (&identity->endorsement, g_strdup (endorsement));
  return TRUE;
}

/* See WardBackend. In failure mode a TPM tells its maker and its firmware, and what failed: the rest stays empty. */
WardIdentity *
ward_tpm2_identify (WardConnection *connection, GError **error)
{
  g_autoptr (WardIdentity) identity = ward_identity_new ();
  g_autoptr (GArray) properties = NULL;
  g_autoptr (GError) local_error = NULL;

  if (!fill_failure (identity, connection, error))
    return NULL;
  properties = ward_tpm2_read_properties (connection, TPM2_PT_FIXED, TPM2_PT_VAR - 1, &local_error);
  if (properties != NULL)
    fill_from_properties (identity, connection, properties);
  else if (*identity->failure == '\0' || g_error_matches (local_error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  if (*identity->failure != '\0')
    return g_steal_pointer (&identity);
  if (!fill_algorithms (identity, connection, error) || !fill_banks (identity, connection, error)
      || !fill_endorsement (identity, connection, error))
    return NULL;
  return g_steal_pointer (&identity);
}
