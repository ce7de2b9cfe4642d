/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-finding.h"

#include <string.h>

static void
test_ids (void)
{
  static const struct
  {
    const char *id;
    const char *base;
    const char *tpm;
  } good[] = {
    { "wrong-access", "wrong-access", NULL },
    { "srk-missing@tpm0", "srk-missing", "tpm0" },
    { "advisory-CVE-2017-15361@my_tpm", "advisory-CVE-2017-15361", "my_tpm" },
    { "whatever", "whatever", NULL },
  };
  static const char *const bad[] = { "",          "@",    "@tpm0", "a@",           "a@b@c", "a b",    "a\nb",
                                     "../../etc", "a@/b", "a;b",   "wröng-access", "a%s",   "a@tpm0 " };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *base = NULL;
      g_autofree char *tpm = NULL;

      g_assert_true (ward_finding_parse_id (good[i].id, &base, &tpm));
      g_assert_cmpstr (base, ==, good[i].base);
      g_assert_cmpstr (tpm, ==, good[i].tpm);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      char *base, *tpm;

      g_assert_false (ward_finding_parse_id (bad[i], &base, &tpm));
    }
}

static void
test_length (void)
{
  g_autofree char *longest = g_strnfill (WARD_FINDING_ID_MAX, 'a');
  g_autofree char *longer = g_strnfill (WARD_FINDING_ID_MAX + 1, 'a');
  g_autofree char *base = NULL;
  g_autofree char *tpm = NULL;

  g_assert_false (ward_finding_parse_id (longer, &base, &tpm));
  g_assert_true (ward_finding_parse_id (longest, &base, &tpm));
}

static void
test_known (void)
{
  g_assert_true (ward_finding_is_known ("wrong-access", FALSE));
  g_assert_false (ward_finding_is_known ("wrong-access", TRUE));
  g_assert_true (ward_finding_is_known ("srk-missing", TRUE));
  g_assert_false (ward_finding_is_known ("srk-missing", FALSE));
  g_assert_true (ward_finding_is_known ("advisory-CVE-2017-15361", TRUE));
  g_assert_false (ward_finding_is_known ("advisory-CVE-2017-15361", FALSE));
  g_assert_false (ward_finding_is_known ("advisory-CVE-0000-0000", TRUE));
  g_assert_false (ward_finding_is_known ("advisory-", TRUE));
  g_assert_false (ward_finding_is_known ("wrong-acces", FALSE));
}

static void
test_order (void)
{
  static const struct
  {
    const char *base;
    const char *tpm;
    WardSeverity severity;
  } given[] = {
    { "all-well", NULL, WARD_SEVERITY_OK },           { "srk-missing", "tpm1", WARD_SEVERITY_WARNING },
    { "srk-missing", "tpm0", WARD_SEVERITY_WARNING }, { "device-held", NULL, WARD_SEVERITY_WARNING },
    { "not-owned", "tpm0", WARD_SEVERITY_INFO },      { "lockout-reached", "tpm0", WARD_SEVERITY_ERROR },
  };
  static const char *const expected[] = { "lockout-reached@tpm0", "device-held",    "srk-missing@tpm0",
                                          "srk-missing@tpm1",     "not-owned@tpm0", "all-well" };
  g_autoptr (GPtrArray) findings = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_finding_free);

  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    g_ptr_array_add (findings, ward_finding_new (given[i].base, given[i].tpm, given[i].severity, "Title"));
  g_ptr_array_sort (findings, ward_finding_compare);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpstr (((const WardFinding *)g_ptr_array_index (findings, i))->id, ==, expected[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/finding/ids", test_ids);
  g_test_add_func ("/finding/length", test_length);
  g_test_add_func ("/finding/known", test_known);
  g_test_add_func ("/finding/order", test_order);
  return g_test_run ();
}
