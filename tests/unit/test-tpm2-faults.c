/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-fixture.h"

#include <signal.h>
#include <string.h>

#define IBM 0x49424d00
#define IFX 0x49465800

/* How long a test's TPM is waited for, in microseconds. */
#define SHORT_PATIENCE (50 * 1000)

static Reply *
refuse (TPM2_RC rc)
{
  return reply_new (rc);
}

static Reply *
tell_test_result (TPM2_RC result, const void *data, gsize size)
{
  Reply *reply = reply_new (TPM2_RC_SUCCESS);

  reply_u16 (reply, size);
  reply_bytes (reply, data, size);
  reply_u32 (reply, result);
  return reply;
}

/* As the reference code does in failure mode: one property at a time, from the manufacturer to the firmware. */
static Reply *
tell_failed_property (const guint8 *bytes, guint32 manufacturer)
{
  guint32 property = MAX (read_u32 (bytes + 14), TPM2_PT_MANUFACTURER);
  Reply *reply = reply_new (TPM2_RC_SUCCESS);
  guint32 value = 0x00070055;

  if (property == TPM2_PT_MANUFACTURER)
    value = manufacturer;
  else if (property >= TPM2_PT_VENDOR_STRING_1 && property <= TPM2_PT_VENDOR_STRING_4)
    value = property == TPM2_PT_VENDOR_STRING_1 ? 0x534c4239 : 0;
  else if (property >= TPM2_PT_FIRMWARE_VERSION_2)
    value = 0x0011cb00;
  reply_u8 (reply, property < TPM2_PT_FIRMWARE_VERSION_2);
  reply_u32 (reply, TPM2_CAP_TPM_PROPERTIES);
  reply_u32 (reply, 1);
  reply_u32 (reply, property);
  reply_u32 (reply, value);
  return reply;
}

static Reply *
be_failed (guint32 command, const guint8 *bytes, guint32 manufacturer, const void *data, gsize size)
{
  if (command == TPM2_CC_GetTestResult)
    return tell_test_result (TPM2_RC_FAILURE, data, size);
  if (command == TPM2_CC_GetCapability && read_u32 (bytes + 10) == TPM2_CAP_TPM_PROPERTIES)
    return tell_failed_property (bytes, manufacturer);
  return refuse (TPM2_RC_FAILURE);
}

static Reply *
be_failed_infineon (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  static const guint8 data[] = { 0xde, 0xad, 0xbe, 0xef };

  return be_failed (command, bytes, IFX, data, sizeof (data));
}

static Reply *
be_failed_reference (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  static const guint8 data[] = { 0x43, 0x72, 0x79, 0x70, 0, 0, 0x01, 0x2c, 0, 0, 0, 6 };

  return be_failed (command, bytes, IBM, data, sizeof (data));
}

static void
test_failure_mode_is_identified (void)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;

  middleman->answer = be_failed_infineon;
  connection = middleman_connect (middleman);
  g_assert_true (ward_tpm2_backend.probe (connection, &error));
  identity = ward_tpm2_backend.identify (connection, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (identity->manufacturer, ==, "IFX");
  g_assert_cmpstr (identity->manufacturer_name, ==, "Infineon");
  g_assert_cmpstr (identity->vendor_string, ==, "SLB9");
  g_assert_cmpstr (identity->firmware_version, ==, "7.85.4555.0");
  g_assert_cmpstr (identity->spec_revision, ==, "");
  g_assert_cmpstr (identity->spec_date, ==, "");
  g_assert_false (identity->emulated);
  g_assert_cmpuint (g_strv_length (identity->banks), ==, 0);
  g_assert_nonnull (strstr (identity->failure, "0x101"));
  g_assert_nonnull (strstr (identity->failure, "deadbeef"));
  g_assert_nonnull (strstr (identity->failure, "manufacturer only"));
}

static void
check_failed_test (WardTestResult *result)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (result->data, &size);

  g_assert_false (result->passed);
  g_assert_cmphex (result->code, ==, TPM2_RC_FAILURE);
  g_assert_cmpuint (size, ==, 12);
  g_assert_cmpmem (data, 4, "Cryp", 4);
  g_assert_nonnull (strstr (result->text, "6 (a self-test failed)"));
  g_assert_nonnull (strstr (result->text, "line 300"));
}

static void
test_failure_mode_is_a_test_result (void)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) full = NULL, incremental = NULL, last = NULL;
  g_autoptr (GError) error = NULL;

  middleman->answer = be_failed_reference;
  connection = middleman_connect (middleman);
  full = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_FULL, &error);
  g_assert_no_error (error);
  check_failed_test (full);
  incremental = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_INCREMENTAL, &error);
  g_assert_no_error (error);
  check_failed_test (incremental);
  last = ward_tpm2_backend.get_test_result (connection, &error);
  g_assert_no_error (error);
  check_failed_test (last);
}

static void
test_failure_mode_has_few_properties (void)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GError) error = NULL;
  guint32 value;

  middleman->answer = be_failed_reference;
  connection = middleman_connect (middleman);
  properties = ward_tpm2_backend.get_properties (connection, &error);
  g_assert_no_error (error);
  g_variant_ref_sink (properties);
  g_assert_cmpuint (g_variant_n_children (properties), ==, 8);
  g_assert_true (g_variant_lookup (properties, "TPM_PT_FIRMWARE_VERSION_2", "u", &value));
  g_assert_false (g_variant_lookup (properties, "TPM_PT_PERMANENT", "u", &value));
}

static void
test_failure_mode_refuses_the_rest (void)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);
  g_autoptr (GError) random_error = NULL, pcr_error = NULL;
  guint8 byte;

  middleman->answer = be_failed_reference;
  connection = middleman_connect (middleman);
  g_assert_false (ward_tpm2_backend.get_random (connection, &byte, 1, &random_error));
  g_assert_error (random_error, WARD_ERROR, WARD_ERROR_FAILED);
  assert_message_contains (random_error, "0x101");
  g_assert_false (ward_tpm2_backend.read_pcrs (connection, "sha256", 1, values, &pcr_error));
  g_assert_error (pcr_error, WARD_ERROR, WARD_ERROR_FAILED);
}

static Reply *
fail_random (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  return command == TPM2_CC_GetRandom ? refuse (TPM2_RC_FAILURE) : NULL;
}

/* As after the decryption of a tampered ciphertext: one command fails, and the TPM works on. */
static void
test_single_failure_is_not_failure_mode (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardIdentity) identity = NULL;
  g_autoptr (GError) random_error = NULL, error = NULL;
  guint8 byte;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = fail_random;
  connection = middleman_connect (middleman);
  g_assert_false (ward_tpm2_backend.get_random (connection, &byte, 1, &random_error));
  g_assert_error (random_error, WARD_ERROR, WARD_ERROR_FAILED);
  identity = ward_tpm2_backend.identify (connection, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (identity->failure, ==, "");
  g_assert_cmpuint (g_strv_length (identity->banks), >, 0);
}

static Reply *
fail_self_test (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  return command == TPM2_CC_SelfTest ? refuse (TPM2_RC_FAILURE) : NULL;
}

static void
test_self_test_that_fails_without_a_result (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = fail_self_test;
  connection = middleman_connect (middleman);
  result = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_FULL, &error);
  g_assert_no_error (error);
  g_assert_false (result->passed);
  g_assert_cmphex (result->code, ==, TPM2_RC_FAILURE);
  g_assert_nonnull (strstr (result->text, "names none"));
}

/* Busy with itself for the first limit commands. */
static Reply *
be_testing (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (command == TPM2_CC_SelfTest && middleman->seen++ < middleman->limit)
    return refuse (TPM2_RC_TESTING);
  return NULL;
}

static void
test_waits_for_a_tpm_that_is_testing (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = be_testing;
  middleman->limit = 20;
  connection = middleman_connect (middleman);
  result = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_FULL, &error);
  g_assert_no_error (error);
  g_assert_true (result->passed);
  g_assert_cmpuint (middleman->seen, >, 20);
}

static void
test_gives_up_on_a_tpm_that_tests_for_ever (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = be_testing;
  middleman->limit = G_MAXUINT;
  connection = middleman_connect (middleman);
  connection->patience = SHORT_PATIENCE;
  result = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_FULL, &error);
  g_assert_no_error (error);
  g_assert_false (result->passed);
  g_assert_cmphex (result->code, ==, TPM2_RC_TESTING);
}

/* Has always one algorithm left to do; seen counts the commands. */
static Reply *
leave_one_to_do (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  Reply *reply;

  if (command != TPM2_CC_IncrementalSelfTest)
    return NULL;
  middleman->seen++;
  reply = reply_new (TPM2_RC_SUCCESS);
  if (middleman->limit > 0 && middleman->seen > middleman->limit)
    {
      reply_u32 (reply, 0);
      return reply;
    }
  reply_u32 (reply, 1);
  reply_u16 (reply, TPM2_ALG_RSA);
  return reply;
}

static void
test_incremental_test_in_the_background (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = leave_one_to_do;
  middleman->limit = 4;
  connection = middleman_connect (middleman);
  result = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_INCREMENTAL, &error);
  g_assert_no_error (error);
  g_assert_true (result->passed);
  g_assert_cmpuint (middleman->seen, ==, 5);
}

static void
test_incremental_test_without_progress (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = leave_one_to_do;
  connection = middleman_connect (middleman);
  connection->patience = SHORT_PATIENCE;
  result = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_INCREMENTAL, &error);
  g_assert_no_error (error);
  g_assert_false (result->passed);
  g_assert_cmphex (result->code, ==, TPM2_RC_NEEDS_TEST);
  g_assert_nonnull (strstr (result->text, ": rsa."));
}

static Reply *
need_test (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  return command == TPM2_CC_GetTestResult ? tell_test_result (TPM2_RC_NEEDS_TEST, "", 0) : NULL;
}

static void
test_untested_is_neither_passed_nor_failed (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardTestResult) last = NULL, incremental = NULL;
  g_autoptr (WardIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;

  if (swtpm == NULL)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = need_test;
  connection = middleman_connect (middleman);
  identity = ward_tpm2_backend.identify (connection, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (identity->failure, ==, "");
  last = ward_tpm2_backend.get_test_result (connection, &error);
  g_assert_no_error (error);
  g_assert_false (last->passed);
  g_assert_cmphex (last->code, ==, TPM2_RC_NEEDS_TEST);
  g_assert_nonnull (strstr (last->text, "None has failed"));
  incremental = ward_tpm2_backend.self_test (connection, WARD_SELF_TEST_INCREMENTAL, &error);
  g_assert_no_error (error);
  g_assert_true (incremental->passed);
  g_assert_cmphex (incremental->code, ==, 0);
  g_assert_nonnull (strstr (incremental->text, "yet to be tested"));
}

static Reply *
be_reset (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  return refuse (TPM2_RC_INITIALIZE);
}

static void
test_tpm_that_was_reset_must_be_reconnected (void)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) probe_error = NULL, random_error = NULL;
  guint8 byte;

  middleman->answer = be_failed_reference;
  connection = middleman_connect (middleman);
  middleman->answer = be_reset;
  g_assert_false (ward_tpm2_backend.probe (connection, &probe_error));
  g_assert_error (probe_error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  g_assert_false (ward_tpm2_backend.get_random (connection, &byte, 1, &random_error));
  g_assert_error (random_error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
}

/* Lists the same property for ever, or goes on without an end. limit: how far each page leads. */
static Reply *
list_for_ever (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  Reply *reply;

  if (command != TPM2_CC_GetCapability)
    return refuse (TPM2_RC_COMMAND_CODE);
  middleman->seen++;
  reply = reply_new (TPM2_RC_SUCCESS);
  reply_u8 (reply, TPM2_YES);
  reply_u32 (reply, read_u32 (bytes + 10));
  reply_u32 (reply, 1);
  reply_u32 (reply, middleman->limit > 0 ? read_u32 (bytes + 14) : TPM2_PT_MANUFACTURER);
  reply_u32 (reply, IFX);
  return reply;
}

static void
test_list_without_an_end (gconstpointer data)
{
  g_autoptr (Middleman) middleman = middleman_new (NULL);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GError) error = NULL;

  middleman->answer = list_for_ever;
  middleman->limit = GPOINTER_TO_UINT (data);
  connection = middleman_connect (middleman);
  properties = ward_tpm2_backend.get_properties (connection, &error);
  g_assert_no_error (error);
  g_variant_ref_sink (properties);
  g_assert_cmpuint (middleman->seen, <, 600);
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/failure-mode/is-identified", test_failure_mode_is_identified);
  g_test_add_func ("/tpm2/failure-mode/is-a-test-result", test_failure_mode_is_a_test_result);
  g_test_add_func ("/tpm2/failure-mode/has-few-properties", test_failure_mode_has_few_properties);
  g_test_add_func ("/tpm2/failure-mode/refuses-the-rest", test_failure_mode_refuses_the_rest);
  g_test_add_func ("/tpm2/failure-mode/single-failure-is-not", test_single_failure_is_not_failure_mode);
  g_test_add_func ("/tpm2/self-test/fails-without-a-result", test_self_test_that_fails_without_a_result);
  g_test_add_func ("/tpm2/self-test/waits-while-testing", test_waits_for_a_tpm_that_is_testing);
  g_test_add_func ("/tpm2/self-test/gives-up-at-last", test_gives_up_on_a_tpm_that_tests_for_ever);
  g_test_add_func ("/tpm2/self-test/incremental-in-the-background", test_incremental_test_in_the_background);
  g_test_add_func ("/tpm2/self-test/incremental-without-progress", test_incremental_test_without_progress);
  g_test_add_func ("/tpm2/self-test/untested", test_untested_is_neither_passed_nor_failed);
  g_test_add_func ("/tpm2/reset", test_tpm_that_was_reset_must_be_reconnected);
  g_test_add_data_func ("/tpm2/list-without-an-end/same", GUINT_TO_POINTER (0), test_list_without_an_end);
  g_test_add_data_func ("/tpm2/list-without-an-end/onward", GUINT_TO_POINTER (1), test_list_without_an_end);
  return g_test_run ();
}
