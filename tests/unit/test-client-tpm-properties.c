/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-tpm-properties.h"

static void
assert_described (const char *name, guint32 value, const char *expected)
{
  g_autofree char *text = ward_client_tpm_property_describe (name, value);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_values (void)
{
  assert_described ("TPM_PT_FAMILY_INDICATOR", 0x322e3000, "\"2.0\"");
  assert_described ("TPM_PT_MANUFACTURER", 0x49465800, "\"IFX\"");
  assert_described ("TPM_PT_VENDOR_STRING_1", 0x1b5b3331, "\"?[31\"");
  assert_described ("TPM_PT_REVISION", 138, "1.38");
  assert_described ("TPM_PT_REVISION", 200, "2.00");
  assert_described ("TPM_PT_CONTEXT_HASH", 0x000b, "sha256");
  assert_described ("TPM_PT_CONTEXT_HASH", 0xffff, "");
  assert_described ("TPM_PT_PS_FAMILY_INDICATOR", 1, "PC client");
  assert_described ("TPM_PT_MAX_COMMAND_SIZE", 4096, "4096 bytes");
  assert_described ("TPM_PT_LOCKOUT_INTERVAL", G_MAXUINT32, "4294967295 s");
}

static void
test_values_of_1_2 (void)
{
  assert_described ("TPM_CAP_PROP_MANUFACTURER", 0x49424d00, "\"IBM\"");
  assert_described ("TPM_CAP_PROP_KEYS", 20, "20");
  assert_described ("TPM_CAP_PROP_MAX_NV_AVAILABLE", 2048, "2048 bytes");
  assert_described ("TPM_CAP_PROP_ACTIVE_COUNTER", G_MAXUINT32, "none set");
  assert_described ("TPM_CAP_PROP_ACTIVE_COUNTER", 1, "0x00000001");
  assert_described ("TPM_PT_PCR", 24, "24");
}

static void
test_flags (void)
{
  assert_described ("TPM_PT_PERMANENT", 0, "none set");
  assert_described ("TPM_PT_PERMANENT", 1u << 2 | 1u << 9, "lockoutAuthSet, inLockout");
  assert_described ("TPM_PT_STARTUP_CLEAR", 0x8000000f, "phEnable, shEnable, ehEnable, phEnableNV, orderly");
  assert_described ("TPM_PT_PERMANENT", 1u << 20, "unknown bits 0x100000");
  assert_described ("TPM_PT_PERMANENT", 1u << 20 | 1, "ownerAuthSet, unknown bits 0x100000");
}

static void
test_unknown_names (void)
{
  assert_described ("TPM_PT_0x00000131", 77, "77");
  assert_described ("", 0, "0");
  assert_described ("MANUFACTURER", 1, "1");
}

static void
test_order (void)
{
  g_assert_cmpuint (ward_client_tpm_property_order ("TPM_PT_FAMILY_INDICATOR"), ==, 0);
  g_assert_cmpuint (ward_client_tpm_property_order ("TPM_PT_MANUFACTURER"), <,
                    ward_client_tpm_property_order ("TPM_PT_PERMANENT"));
  g_assert_cmpuint (ward_client_tpm_property_order ("TPM_PT_AUDIT_COUNTER_1"), <,
                    ward_client_tpm_property_order ("TPM_PT_0x00000131"));
  g_assert_cmpuint (ward_client_tpm_property_order ("TPM_CAP_PROP_PCR"), ==, 0);
  g_assert_cmpuint (ward_client_tpm_property_order ("TPM_CAP_PROP_INPUT_BUFFER"), <,
                    ward_client_tpm_property_order ("TPM_CAP_PROP_0x00000999"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-tpm-properties/values", test_values);
  g_test_add_func ("/client-tpm-properties/values-of-1.2", test_values_of_1_2);
  g_test_add_func ("/client-tpm-properties/flags", test_flags);
  g_test_add_func ("/client-tpm-properties/unknown-names", test_unknown_names);
  g_test_add_func ("/client-tpm-properties/order", test_order);
  return g_test_run ();
}
