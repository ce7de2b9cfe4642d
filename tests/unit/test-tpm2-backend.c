/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-fixture.h"

#include <signal.h>
#include <string.h>

static WardConnection *
connect_to (Swtpm *swtpm)
{
  g_autoptr (GError) error = NULL;
  WardConnection *connection = ward_tpm2_backend.open (swtpm->transport, &error);

  g_assert_no_error (error);
  return connection;
}

static void
test_identify (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  identity = ward_tpm2_backend.identify (connection, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (identity->manufacturer, ==, "IBM");
  g_assert_cmpstr (identity->manufacturer_name, ==, "IBM");
  g_assert_cmpstr (identity->vendor_string, ==, "SW   TPM");
  g_assert_true (g_regex_match_simple ("^20[0-9]{6}\\.[0-9]{6}$", identity->firmware_version, 0, 0));
  g_assert_cmphex (identity->firmware_raw >> 56, ==, 0x20);
  g_assert_true (g_regex_match_simple ("^1\\.[0-9]{2}$", identity->spec_revision, 0, 0));
  g_assert_true (g_regex_match_simple ("^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", identity->spec_date, 0, 0));
  g_assert_true (identity->emulated);
  g_assert_true (g_strv_contains ((const char *const *)identity->key_algorithms, "rsa2048"));
  g_assert_true (g_strv_contains ((const char *const *)identity->key_algorithms, "ecc-p256"));
  g_assert_true (g_strv_contains ((const char *const *)identity->key_algorithms, "ecc-p384"));
  g_assert_true (g_strv_contains ((const char *const *)identity->banks, "sha256"));
  g_assert_cmpstr (identity->failure, ==, "");
}

static void
test_starts_up_a_tpm_that_nobody_started (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (FALSE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  guint8 byte;

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  g_assert_true (ward_tpm2_backend.get_random (connection, &byte, 1, &error));
  g_assert_no_error (error);
}

static void
leave_a_key (WardConnection *connection)
{
  TPM2B_SENSITIVE_CREATE sensitive = { 0 };
  TPM2B_PUBLIC public = {
    .publicArea = {
        .type = TPM2_ALG_ECC,
        .nameAlg = TPM2_ALG_SHA256,
        .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN
                            | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT,
        .parameters.eccDetail = {
            .symmetric.algorithm = TPM2_ALG_NULL,
            .scheme.scheme = TPM2_ALG_NULL,
            .curveID = TPM2_ECC_NIST_P256,
            .kdf.scheme = TPM2_ALG_NULL,
        },
    },
  };
  TPML_PCR_SELECTION pcrs = { 0 };
  ESYS_TR key;

  g_assert_cmphex (Esys_CreatePrimary (connection->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                       &sensitive, &public, NULL, &pcrs, &key, NULL, NULL, NULL, NULL),
                   ==, TSS2_RC_SUCCESS);
}

static void
leave_a_session (WardConnection *connection, TPM2_SE type)
{
  TPMT_SYM_DEF symmetric = { .algorithm = TPM2_ALG_NULL };
  ESYS_TR session;

  g_assert_cmphex (Esys_StartAuthSession (connection->esys, ESYS_TR_NONE, ESYS_TR_NONE, WARD_TPM2_NO_SESSIONS, NULL,
                                          type, &symmetric, TPM2_ALG_SHA256, &session),
                   ==, TSS2_RC_SUCCESS);
}

static guint
count_handles (WardConnection *connection, guint32 first)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) handles = ward_tpm2_read_handles (connection, first, &error);

  g_assert_no_error (error);
  return handles->len;
}

static void
test_flushes_what_a_killed_service_left (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  WardConnection *connection;

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  leave_a_key (connection);
  leave_a_key (connection);
  leave_a_session (connection, TPM2_SE_HMAC);
  leave_a_session (connection, TPM2_SE_POLICY);
  leave_a_session (connection, TPM2_SE_HMAC);
  g_assert_cmpuint (count_handles (connection, WARD_TPM2_TRANSIENT_FIRST), ==, 2);
  g_assert_cmpuint (count_handles (connection, TPM2_LOADED_SESSION_FIRST), ==, 3);
  ward_tpm2_backend.close (connection);

  connection = connect_to (swtpm);
  g_assert_cmpuint (count_handles (connection, WARD_TPM2_TRANSIENT_FIRST), ==, 0);
  g_assert_cmpuint (count_handles (connection, TPM2_LOADED_SESSION_FIRST), ==, 0);
  ward_tpm2_backend.close (connection);
}

/* As over the kernel's resource manager, where they may be another program's. */
static void
test_keeps_what_is_in_a_shared_tpm (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  WardConnection *connection;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  connection = middleman_connect (middleman);
  leave_a_key (connection);
  leave_a_session (connection, TPM2_SE_HMAC);
  ward_tpm2_backend.close (connection);

  connection = middleman_connect (middleman);
  g_assert_cmpuint (count_handles (connection, WARD_TPM2_TRANSIENT_FIRST), ==, 1);
  g_assert_cmpuint (count_handles (connection, TPM2_LOADED_SESSION_FIRST), ==, 1);
  ward_tpm2_backend.close (connection);
}

static void
test_properties (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GError) error = NULL;
  GVariantIter iter;
  const char *name;
  GVariant *value;
  guint32 number;

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  properties = ward_tpm2_backend.get_properties (connection, &error);
  g_assert_no_error (error);
  g_assert_true (g_variant_is_floating (properties));
  g_variant_ref_sink (properties);
  g_assert_true (g_variant_lookup (properties, "TPM_PT_MANUFACTURER", "u", &number));
  g_assert_cmphex (number, ==, 0x49424d00);
  g_assert_true (g_variant_lookup (properties, "TPM_PT_FAMILY_INDICATOR", "u", &number));
  g_assert_true (g_variant_lookup (properties, "TPM_PT_LOCKOUT_COUNTER", "u", &number));
  g_assert_cmpuint (number, ==, 0);
  g_variant_iter_init (&iter, properties);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    {
      g_assert_true (g_str_has_prefix (name, "TPM_PT_"));
      g_assert_true (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32));
    }
}

static void
test_random (void)
{
  static const gsize sizes[] = { 1, 32, 64, 65, 1000, WARD_MAX_RANDOM };
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      guint8 bytes[WARD_MAX_RANDOM + 1] = { 0 };

      bytes[sizes[i]] = 0x5a;
      g_assert_true (ward_tpm2_backend.get_random (connection, bytes, sizes[i], &error));
      g_assert_no_error (error);
      g_assert_cmphex (bytes[sizes[i]], ==, 0x5a);
      if (sizes[i] >= 64)
        g_assert_cmpint (memcmp (bytes, bytes + sizes[i] - 32, 32), !=, 0);
    }
}

static void
extend (WardConnection *connection, ESYS_TR pcr)
{
  TPML_DIGEST_VALUES digests = { .count = 1 };

  digests.digests[0].hashAlg = TPM2_ALG_SHA256;
  g_assert_cmphex (Esys_PCR_Extend (connection->esys, pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digests), ==,
                   TSS2_RC_SUCCESS);
}

static void
test_pcrs (void)
{
  guint8 zero[32] = { 0 }, ones[32];
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);

  if (swtpm == NULL)
    return;
  memset (ones, 0xff, sizeof (ones));
  connection = connect_to (swtpm);
  extend (connection, ESYS_TR_PCR9);
  g_assert_true (ward_tpm2_backend.read_pcrs (connection, "sha256", 0xffffff, values, &error));
  g_assert_no_error (error);
  g_assert_cmphex (values->mask, ==, 0xffffff);
  g_assert_cmpuint (values->digest_size, ==, 32);
  g_assert_cmpmem (values->values[0], 32, zero, 32);
  g_assert_cmpmem (values->values[17], 32, ones, 32);
  g_assert_cmpint (memcmp (values->values[9], zero, 32), !=, 0);

  g_assert_true (ward_tpm2_backend.read_pcrs (connection, "sha1", 1u << 23 | 1u << 17, values, &error));
  g_assert_no_error (error);
  g_assert_cmphex (values->mask, ==, 1u << 23 | 1u << 17);
  g_assert_cmpuint (values->digest_size, ==, 20);
  g_assert_cmpmem (values->values[17], 20, ones, 20);
}

static void
test_bank_that_is_not_allocated (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  static const char *const banks[] = { "sm3_256", "sha3_256" };
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  for (guint i = 0; i < G_N_ELEMENTS (banks); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (ward_tpm2_backend.read_pcrs (connection, banks[i], 1, values, &error));
      g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
      assert_message_contains (error, banks[i]);
      assert_message_contains (error, "sha256");
      g_assert_cmphex (values->mask, ==, 0);
    }
}

static void
run_self_test (WardConnection *connection, WardSelfTestMode mode, const char *part)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardTestResult) result = ward_tpm2_backend.self_test (connection, mode, &error);

  g_assert_no_error (error);
  g_assert_true (result->passed);
  g_assert_cmphex (result->code, ==, 0);
  g_assert_nonnull (result->data);
  g_assert_nonnull (strstr (result->text, part));
}

static void
test_self_test (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  run_self_test (connection, WARD_SELF_TEST_INCREMENTAL, "passed an incremental");
  run_self_test (connection, WARD_SELF_TEST_FULL, "passed a full");
  result = ward_tpm2_backend.get_test_result (connection, &error);
  g_assert_no_error (error);
  g_assert_true (result->passed);
  g_assert_cmphex (result->code, ==, 0);
}

static void
test_killed_tpm_is_unreachable (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) probe_error = NULL, random_error = NULL, open_error = NULL;
  guint8 byte;

  if (swtpm == NULL)
    return;
  connection = connect_to (swtpm);
  g_assert_true (ward_tpm2_backend.probe (connection, NULL));
  swtpm_kill (swtpm);
  g_assert_false (ward_tpm2_backend.probe (connection, &probe_error));
  g_assert_error (probe_error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  assert_message_contains (probe_error, swtpm->transport);
  g_assert_false (ward_tpm2_backend.get_random (connection, &byte, 1, &random_error));
  g_assert_error (random_error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  g_assert_null (ward_tpm2_backend.open (swtpm->transport, &open_error));
  g_assert_error (open_error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  assert_message_contains (open_error, swtpm->transport);
}

static void
test_transport_that_leads_nowhere (void)
{
  static const char *const transports[] = { "device:/dev/no-such-tpm", "no-such-tcti:x=y",
                                            "swtpm:path=/no/such/socket" };

  for (guint i = 0; i < G_N_ELEMENTS (transports); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (ward_tpm2_backend.open (transports[i], &error));
      g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
      assert_message_contains (error, strchr (transports[i], ':') + 1);
    }
}

int
main (int argc, char **argv)
{
  /* As in the service: what the software TPM does not read any more must not end the program. */
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/identify", test_identify);
  g_test_add_func ("/tpm2/open/starts-up-a-tpm-that-nobody-started", test_starts_up_a_tpm_that_nobody_started);
  g_test_add_func ("/tpm2/open/flushes-what-a-killed-service-left", test_flushes_what_a_killed_service_left);
  g_test_add_func ("/tpm2/open/keeps-what-is-in-a-shared-tpm", test_keeps_what_is_in_a_shared_tpm);
  g_test_add_func ("/tpm2/open/transport-that-leads-nowhere", test_transport_that_leads_nowhere);
  g_test_add_func ("/tpm2/properties", test_properties);
  g_test_add_func ("/tpm2/random", test_random);
  g_test_add_func ("/tpm2/pcrs", test_pcrs);
  g_test_add_func ("/tpm2/pcrs/bank-that-is-not-allocated", test_bank_that_is_not_allocated);
  g_test_add_func ("/tpm2/self-test", test_self_test);
  g_test_add_func ("/tpm2/killed-tpm-is-unreachable", test_killed_tpm_is_unreachable);
  return g_test_run ();
}
