/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "ward-advisories.h"

#define VERSION(a, b, c, d) ((guint64)(a) << 48 | (guint64)(b) << 32 | (guint64)(c) << 16 | (guint64)(d))

typedef struct
{
  const char *manufacturer;
  guint64 firmware;
  const char *ids; /* of all that are found, separated by spaces */
} Case;

static const Case cases[] = {
  { "IFX", VERSION (4, 0, 0, 0), "CVE-2017-15361" },
  { "IFX", VERSION (4, 33, 1, 2), "CVE-2017-15361" },
  { "IFX", VERSION (4, 34, 0, 0), "" },
  { "IFX", VERSION (4, 40, 0, 0), "CVE-2017-15361" },
  { "IFX", VERSION (4, 42, 0xffff, 0xffff), "CVE-2017-15361" },
  { "IFX", VERSION (4, 43, 0, 0), "" },
  { "IFX", VERSION (5, 61, 9, 9), "CVE-2017-15361" },
  { "IFX", VERSION (5, 62, 0, 0), "" },
  { "IFX", VERSION (6, 42, 0, 0), "CVE-2017-15361" },
  { "IFX", VERSION (6, 43, 0, 0), "" },
  { "IFX", VERSION (7, 61, 0, 0), "CVE-2017-15361" },
  { "IFX", VERSION (7, 62, 0, 0), "" },
  { "IFX", VERSION (7, 85, 0x11, 0xcb00), "" },
  { "IFX", VERSION (133, 32, 0, 0), "CVE-2017-15361" },
  { "IFX", VERSION (133, 33, 0, 0), "" },
  { "IFX", VERSION (15, 22, 0, 0), "" },
  { "STM", VERSION (71, 12, 17568, 4100), "CVE-2019-16863" },
  { "STM", VERSION (71, 16, 0, 0), "" },
  { "STM", VERSION (73, 4, 17568, 4452), "CVE-2019-16863" },
  { "STM", VERSION (73, 20, 0, 0), "" },
  { "STM", VERSION (74, 16, 0, 0), "CVE-2019-16863" },
  { "STM", VERSION (74, 64, 0, 0), "" },
  { "INTC", VERSION (11, 8, 50, 3399), "CVE-2019-11090" },
  { "INTC", VERSION (11, 8, 70, 0), "" },
  { "INTC", VERSION (11, 11, 65, 0), "CVE-2019-11090" },
  { "INTC", VERSION (403, 1, 0, 0), "" },
  { "NTC", VERSION (7, 2, 0, 2), "CVE-2020-25082 CVE-2025-2884 CVE-2026-6923" },
  { "NTC", VERSION (7, 2, 2, 0), "CVE-2025-2884 CVE-2026-6923" },
  { "NTC", VERSION (7, 2, 4, 0), "CVE-2025-2884" },
  { "NTC", VERSION (7, 2, 4, 1), "" },
  { "NTC", VERSION (1, 3, 2, 8), "CVE-2023-1017" },
  { "NTC", VERSION (1, 3, 2, 20), "" },
  { "AMD", VERSION (3, 0x57, 0, 4), "AMD-FTPM-ATTESTATION AMD-PA-410 faulTPM" },
  { "AMD", VERSION (3, 0x57, 0, 5), "AMD-FTPM-ATTESTATION faulTPM" },
  { "AMD", VERSION (3, 0x5a, 2, 5), "faulTPM" },
  { "AMD", VERSION (6, 0, 0x18, 5), "AMD-PA-410" },
  { "AMD", VERSION (6, 0, 0x18, 6), "" },
  { "IBM", VERSION (0x2019, 0x1023, 0x16, 0x3636), "" },
  { "", 0, "" },
};

static char *
find_ids (const char *manufacturer, guint64 firmware, gboolean emulated)
{
  WardIdentity identity = { .manufacturer = (char *)manufacturer, .firmware_raw = firmware, .emulated = emulated };
  g_autoptr (GPtrArray) found = ward_advisories_find (&identity);
  g_autoptr (GString) ids = g_string_new (NULL);

  for (guint i = 0; i < found->len; i++)
    {
      const WardAdvisory *advisory = g_ptr_array_index (found, i);

      if (i > 0)
        g_string_append_c (ids, ' ');
      g_string_append (ids, advisory->id);
      g_assert_true (g_regex_match_simple ("^(info|warning|error)$", advisory->severity, 0, 0));
      g_assert_true (g_str_has_prefix (advisory->source, "https://"));
      g_assert_cmpuint (strlen (advisory->title), >, 0);
      g_assert_true (g_str_has_suffix (advisory->detail, "."));
    }
  return g_string_free (g_steal_pointer (&ids), FALSE);
}

static void
test_versions (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *ids = find_ids (cases[i].manufacturer, cases[i].firmware, FALSE);

      g_assert_cmpstr (ids, ==, cases[i].ids);
    }
}

static void
test_emulated_tpm_is_not_that_chip (void)
{
  g_autofree char *ids = find_ids ("IFX", VERSION (4, 0, 0, 0), TRUE);

  g_assert_cmpstr (ids, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/advisories/versions", test_versions);
  g_test_add_func ("/advisories/emulated-tpm-is-not-that-chip", test_emulated_tpm_is_not_that_chip);
  return g_test_run ();
}
