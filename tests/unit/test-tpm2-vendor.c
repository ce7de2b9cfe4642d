/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-manufacturer.h"

typedef struct
{
  const char *manufacturer;
  guint32 first;
  guint32 second;
  const char *version;
} Firmware;

static const Firmware firmwares[] = {
  { "IFX", 0x00070055, 0x0011cb00, "7.85.4555.0" },
  { "IFX", 0x0005003e, 0x000c3602, "5.62.3126.2" },
  { "IFX", 0x00070028, 0x00000832, "7.40.2098" },
  { "STM", 0x00490004, 0x44a01164, "73.4.17568.4452" },
  { "NTC", 0x00070002, 0x00000002, "7.2.0.2" },
  { "INTC", 0x000b0008, 0x00320d47, "11.8.50.3399" },
  { "AMD", 0x00030057, 0x00000005, "3.87.0.5" },
  { "VMW", 0x00020065, 0x00000001, "2.101.0.1" },
  { "IBM", 0x20191023, 0x00163636, "20191023.163636" },
  { "MSFT", 0x20170619, 0x00163636, "20170619.163636" },
  { "GOOG", 0x20160511, 0x00162800, "20160511.162800" },
  { "IBM", 0x20191323, 0x00163636, "8217.4899.22.13878" }, /* no such month */
  { "IBM", 0x20190a23, 0x00163636, "8217.2595.22.13878" }, /* not decimal */
  { "IBM", 0x20191023, 0x00246060, "8217.4131.36.24672" }, /* no such time */
  { "", 0, 0, "0.0.0.0" },
};

static void
test_firmware (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (firmwares); i++)
    {
      g_autofree char *version = ward_tpm2_firmware_to_string (firmwares[i].manufacturer, firmwares[i].first,
                                                               firmwares[i].second);

      g_assert_cmpstr (version, ==, firmwares[i].version);
    }
}

static void
test_names (void)
{
  g_assert_cmpstr (ward_manufacturer_get_name ("IFX"), ==, "Infineon");
  g_assert_cmpstr (ward_manufacturer_get_name ("STM"), ==, "STMicroelectronics");
  g_assert_cmpstr (ward_manufacturer_get_name ("NTC"), ==, "Nuvoton Technology");
  g_assert_cmpstr (ward_manufacturer_get_name ("WEC"), ==, "Winbond");
  g_assert_cmpstr (ward_manufacturer_get_name ("XYZ"), ==, "");
  g_assert_cmpstr (ward_manufacturer_get_name (""), ==, "");
}

static void
test_emulated (void)
{
  g_assert_true (ward_tpm2_vendor_is_emulated ("IBM", "SW   TPM"));
  g_assert_true (ward_tpm2_vendor_is_emulated ("MSFT", "xCG fTPM"));
  g_assert_true (ward_tpm2_vendor_is_emulated ("VMW", "VMware TPM"));
  g_assert_true (ward_tpm2_vendor_is_emulated ("GOOG", "vTPM"));
  g_assert_false (ward_tpm2_vendor_is_emulated ("GOOG", "xCG fTPM"));
  g_assert_false (ward_tpm2_vendor_is_emulated ("INTC", "Intel"));
  g_assert_false (ward_tpm2_vendor_is_emulated ("IFX", "SLB9670"));
  g_assert_false (ward_tpm2_vendor_is_emulated ("", ""));
}

static void
test_transports (void)
{
  static const char *const unshared[] = { "swtpm",
                                          "swtpm:path=/run/s",
                                          "mssim:host=localhost",
                                          "libtss2-tcti-swtpm.so.0:path=/run/s",
                                          "device:/dev/tpm0",
                                          "libtss2-tcti-device.so:/dev/tpm12" };
  static const char *const shared[] = { "",
                                        "device",
                                        "device:/dev/tpmrm0",
                                        "device:/dev/tpm",
                                        "device:/dev/tpm0x",
                                        "tabrmd",
                                        "tabrmd:bus_type=system",
                                        "cmd:ssh host tpm2_send",
                                        "device:/tmp/tpm0" };

  for (guint i = 0; i < G_N_ELEMENTS (unshared); i++)
    g_assert_true (ward_tpm2_transport_is_unshared (unshared[i]));
  for (guint i = 0; i < G_N_ELEMENTS (shared); i++)
    g_assert_false (ward_tpm2_transport_is_unshared (shared[i]));
  g_assert_true (ward_tpm2_transport_is_simulator ("mssim"));
  g_assert_false (ward_tpm2_transport_is_simulator ("device:/dev/tpm0"));
}

static void
test_property_names (void)
{
  g_assert_cmpstr (ward_tpm2_property_get_name (0x100), ==, "TPM_PT_FAMILY_INDICATOR");
  g_assert_cmpstr (ward_tpm2_property_get_name (0x12e), ==, "TPM_PT_MAX_CAP_BUFFER");
  g_assert_cmpstr (ward_tpm2_property_get_name (0x200), ==, "TPM_PT_PERMANENT");
  g_assert_cmpstr (ward_tpm2_property_get_name (0x214), ==, "TPM_PT_AUDIT_COUNTER_1");
  g_assert_null (ward_tpm2_property_get_name (0x131));
}

static void
test_algorithm_names (void)
{
  static const char *const banks[] = { "sha1",    "sha256",   "sha384",   "sha512",
                                       "sm3_256", "sha3_256", "sha3_384", "sha3_512" };
  g_autofree char *aes = ward_tpm2_algorithm_to_string (TPM2_ALG_AES);
  g_autofree char *unknown = ward_tpm2_algorithm_to_string (0x7777);

  for (guint i = 0; i < G_N_ELEMENTS (banks); i++)
    {
      g_assert_true (ward_bank_is_known (banks[i]));
      g_assert_cmpstr (ward_tpm2_bank_to_string (ward_tpm2_bank_from_string (banks[i])), ==, banks[i]);
    }
  g_assert_cmphex (ward_tpm2_bank_from_string ("md5"), ==, TPM2_ALG_ERROR);
  g_assert_cmpstr (aes, ==, "aes");
  g_assert_cmpstr (unknown, ==, "0x7777");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/vendor/firmware", test_firmware);
  g_test_add_func ("/tpm2/vendor/names", test_names);
  g_test_add_func ("/tpm2/vendor/emulated", test_emulated);
  g_test_add_func ("/tpm2/transports", test_transports);
  g_test_add_func ("/tpm2/names/properties", test_property_names);
  g_test_add_func ("/tpm2/names/algorithms", test_algorithm_names);
  return g_test_run ();
}
