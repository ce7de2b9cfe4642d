/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a TPM 1.2 tells without any secret. */
#include "ward-tpm12-private.h"

#include <string.h>

#include <tss/platform.h>
#include <tss/tpm_error.h>

#include "ward-error.h"
#include "ward-hex.h"
#include "ward-manufacturer.h"

#define PCR_BANK "sha1"
#define PCR_SIZE 20

static WardTpm12Message *
ask (WardConnection *connection, WardTpm12Act act, GVariant *arguments, const char *type, GError **error)
{
  return ward_tpm12_call (connection, act, arguments, NULL, 0, type, WARD_TPM12_READ_PATIENCE, error);
}

static GVariant *
nothing (void)
{
  return g_variant_new_tuple (NULL, 0);
}

static const char *
explain_disablement (guint32 disablement)
{
  switch (disablement)
    {
    case TPM_E_DISABLED:
      return "The TPM is disabled (TPM_DISABLED). Its owner can enable it; without an owner, that is done in the setup "
             "of the machine's firmware.";
    case TPM_E_DEACTIVATED:
      return "The TPM is deactivated (TPM_DEACTIVATED). That is changed in the setup of the machine's firmware, and "
             "needs a restart.";
    default:
      return "";
    }
}

/* Whether it is libtpms, which calls itself IBM's, as IBM has made no chips of family 1.2 for machines of others. */
static gboolean
is_emulated (const char *manufacturer)
{
  return g_str_equal (manufacturer, "IBM") || g_str_equal (manufacturer, "ETHZ");
}

static void
take_string (char **member, const char *value)
{
  g_free (*member);
  *member = g_strdup (value);
}

WardIdentity *
ward_tpm12_identify (WardConnection *connection, GError **error)
{
  g_autoptr (WardTpm12Message) answer = ask (connection, WARD_TPM12_IDENTIFY, nothing (), "(sssstsu)", error);
  g_autoptr (WardTestResult) test = NULL;
  g_autoptr (WardIdentity) identity = NULL;
  const char *manufacturer, *vendor, *firmware, *spec, *endorsement;
  guint32 disablement;
  guint64 raw;

  if (!answer)
    return NULL;
  test = ward_tpm12_get_test_result (connection, error);
  if (!test)
    return NULL;

  g_variant_get (answer->body, "(&s&s&s&st&su)", &manufacturer, &vendor, &firmware, &spec, &raw, &endorsement,
                 &disablement);
  identity = ward_identity_new ();
  take_string (&identity->manufacturer, manufacturer);
  take_string (&identity->manufacturer_name, ward_manufacturer_get_name (manufacturer));
  take_string (&identity->vendor_string, vendor);
  take_string (&identity->firmware_version, firmware);
  take_string (&identity->spec_revision, spec);
  take_string (&identity->endorsement, endorsement);
  take_string (&identity->failure, test->passed ? "" : test->text);
  take_string (&identity->disablement, explain_disablement (disablement));
  identity->firmware_raw = raw;
  identity->emulated = is_emulated (manufacturer);
  g_strfreev (identity->key_algorithms);
  identity->key_algorithms = g_strsplit ("rsa2048", " ", 0);
  g_strfreev (identity->banks);
  identity->banks = g_strsplit (PCR_BANK, " ", 0);
  return g_steal_pointer (&identity);
}

gboolean
ward_tpm12_probe (WardConnection *connection, GError **error)
{
  g_autoptr (WardTpm12Message) answer = ask (connection, WARD_TPM12_PROBE, nothing (), "()", error);

  return answer != NULL;
}

GVariant *
ward_tpm12_get_properties (WardConnection *connection, GError **error)
{
  g_autoptr (WardTpm12Message) answer = ask (connection, WARD_TPM12_GET_PROPERTIES, nothing (), "a{sv}", error);

  return answer ? g_variant_ref (answer->body) : NULL;
}

gboolean
ward_tpm12_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error)
{
  g_autoptr (WardTpm12Message) answer = ask (connection, WARD_TPM12_GET_RANDOM, g_variant_new_uint32 (count), "()",
                                             error);

  if (!answer)
    return FALSE;
  if (!answer->secrets[0] || ward_secret_get_size (answer->secrets[0]) != count)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED,
                           "The TPM has given less random numbers than it was asked for. Try again.");
      return FALSE;
    }
  memcpy (bytes, ward_secret_get_data (answer->secrets[0]), count);
  return TRUE;
}

/* The bytes are the vendor's own (TPM Main, Part 3, 4.3): in hexadecimal digits as tpm_selftest shows them, and as text
 * where they are one. */
static char *
describe_data (GVariant *data)
{
  gsize size;
  const guint8 *bytes = g_variant_get_fixed_array (data, &size, 1);
  g_autofree char *text = g_strstrip (g_strndup (size ? (const char *)bytes : "", size));
  g_autofree char *words = size ? ward_hex (bytes, size, 4) : g_strdup ("none");

  return *text && g_str_is_ascii (text) ? g_strdup_printf ("%s (“%s”)", words, text) : g_steal_pointer (&words);
}

static char *
describe_test (guint32 code, GVariant *data)
{
  g_autofree char *words = describe_data (data);

  if (!code)
    return g_strdup_printf ("The TPM's tests of itself have passed. Its own test results: %s.", words);
  return g_strdup_printf ("The TPM has failed its test of itself and refuses to work (0x%x, TPM_FAILEDSELFTEST). What "
                          "it tells of that is known to its manufacturer only: %s. Switch the machine off and on "
                          "again; if the TPM then fails once more, it is defective.",
                          code, words);
}

static WardTestResult *
read_test (WardConnection *connection, WardTpm12Act act, gint64 patience, GError **error)
{
  g_autoptr (WardTpm12Message) answer = ward_tpm12_call (connection, act, nothing (), NULL, 0, "(uay)", patience,
                                                         error);
  g_autoptr (GVariant) data = NULL;
  WardTestResult *result;

  if (!answer)
    return NULL;
  result = g_new0 (WardTestResult, 1);
  g_variant_get (answer->body, "(u@ay)", &result->code, &data);
  result->passed = result->code == 0;
  result->text = describe_test (result->code, data);
  result->data = g_variant_get_data_as_bytes (data);
  return result;
}

/* mode: full, the only one that is asked of it. */
WardTestResult *
ward_tpm12_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error)
{
  return read_test (connection, WARD_TPM12_SELF_TEST, WARD_TPM12_LONG_PATIENCE, error);
}

WardTestResult *
ward_tpm12_get_test_result (WardConnection *connection, GError **error)
{
  return read_test (connection, WARD_TPM12_GET_TEST_RESULT, WARD_TPM12_READ_PATIENCE, error);
}

static gboolean
take_values (GVariant *answer, guint32 mask, WardPcrValues *values)
{
  gsize n = 0;

  for (guint i = 0; i < WARD_N_PCRS; i++)
    {
      g_autoptr (GVariant) value = NULL;
      gconstpointer bytes;
      gsize size;

      if (!(mask & 1u << i))
        continue;
      if (n == g_variant_n_children (answer))
        return FALSE;
      value = g_variant_get_child_value (answer, n++);
      bytes = g_variant_get_fixed_array (value, &size, 1);
      if (size != PCR_SIZE)
        return FALSE;
      memcpy (values->values[i], bytes, PCR_SIZE);
    }
  values->mask = mask;
  values->digest_size = PCR_SIZE;
  return TRUE;
}

gboolean
ward_tpm12_read_pcrs (WardConnection *connection, const char *bank, guint32 mask, WardPcrValues *values, GError **error)
{
  g_autoptr (WardTpm12Message) answer = NULL;

  if (!g_str_equal (bank, PCR_BANK))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                   "A TPM 1.2 has PCRs of the bank “" PCR_BANK "” alone, and none of “%s”.", bank);
      return FALSE;
    }
  answer = ask (connection, WARD_TPM12_READ_PCRS, g_variant_new_uint32 (mask), "aay", error);
  if (!answer)
    return FALSE;
  if (take_values (answer->body, mask, values))
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED,
                       "The TPM's PCRs do not have the size that they must have.");
  return FALSE;
}
