/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-findings.h"

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *findings = g_variant_parse (G_VARIANT_TYPE ("aa{sv}"), text, NULL, NULL, &error);

  g_assert_no_error (error);
  return findings;
}

#define FINDING(id, severity, repair) "{'id': <'" id "'>, 'severity': <'" severity "'>, 'repair': <'" repair "'>}"

static void
assert_summary (const char *text, const char *expected)
{
  g_autoptr (GVariant) findings = parse (text);
  g_autofree char *summary = ward_client_findings_summary (findings);

  g_assert_cmpstr (summary, ==, expected);
}

static void
test_summary (void)
{
  assert_summary ("[]", NULL);
  assert_summary ("[" FINDING ("all-well", "ok", "") ", " FINDING ("not-owned@tpm0", "info", "") "]", NULL);
  assert_summary ("[" FINDING ("no-driver", "error", "") "]", "1 error");
  assert_summary ("[" FINDING ("srk-missing@tpm0", "warning", "") ", " FINDING ("lockout-near@tpm0", "warning", "") "]",
                  "2 warnings");
  assert_summary ("[" FINDING ("a", "error", "") ", " FINDING ("b", "error", "") ", " FINDING ("c", "warning", "") "]",
                  "2 errors, 1 warning");
}

/* The ids of those that are chosen, joined by spaces. */
static void
assert_selected (GVariant *findings, const char *tpm_name, gboolean repairable, const char *expected)
{
  g_autoptr (GVariant) chosen = ward_client_findings_select (findings, tpm_name, repairable);
  g_autoptr (GString) ids = g_string_new (NULL);

  for (gsize i = 0; i < g_variant_n_children (chosen); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (chosen, i);

      g_string_append_printf (ids, "%s%s", i > 0 ? " " : "", ward_client_finding_get (finding, "id"));
    }
  g_assert_cmpstr (ids->str, ==, expected);
}

static void
test_selection (void)
{
  g_autoptr (GVariant) findings = parse ("[" FINDING ("wrong-access", "error", "chown") ", " FINDING (
      "srk-missing@tpm0", "warning", "make it") ", " FINDING ("lockout-near@tpm1", "warning", "") "]");

  assert_selected (findings, NULL, FALSE, "wrong-access srk-missing@tpm0 lockout-near@tpm1");
  assert_selected (findings, NULL, TRUE, "wrong-access srk-missing@tpm0");
  assert_selected (findings, "tpm0", FALSE, "wrong-access srk-missing@tpm0");
  assert_selected (findings, "tpm1", FALSE, "wrong-access lockout-near@tpm1");
  assert_selected (findings, "tpm1", TRUE, "wrong-access");
  assert_selected (findings, "tpm", FALSE, "wrong-access");
}

/* A service of another version. */
static void
test_what_is_not_there (void)
{
  g_autoptr (GVariant) findings = parse ("[{'id': <5>}]");
  g_autoptr (GVariant) finding = g_variant_get_child_value (findings, 0);

  g_assert_cmpstr (ward_client_finding_get (finding, "id"), ==, "");
  g_assert_cmpstr (ward_client_finding_get (finding, "title"), ==, "");
  g_assert_true (ward_client_finding_concerns (finding, "tpm0"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-findings/summary", test_summary);
  g_test_add_func ("/client-findings/selection", test_selection);
  g_test_add_func ("/client-findings/what-is-not-there", test_what_is_not_there);
  return g_test_run ();
}
