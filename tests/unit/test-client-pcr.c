/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-pcr.h"

#include <string.h>

#include "ward-client-error.h"

static void
test_parse (void)
{
  static const struct
  {
    const char *text;
    const char *expected;
  } cases[] = {
    { "7", "{'sha256': [7]}" },
    { "11,7,7", "{'sha256': [7, 11]}" },
    { "sha384:0", "{'sha384': [0]}" },
    { "sha1:23+5", "{'sha1': [23], 'sha256': [5]}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) expected = g_variant_parse (G_VARIANT_TYPE ("a{sau}"), cases[i].expected, NULL, NULL,
                                                       &error);
      g_autoptr (GVariant) pcrs = NULL;

      g_assert_no_error (error);
      pcrs = g_variant_ref_sink (ward_client_pcrs_parse (cases[i].text, &error));
      g_assert_no_error (error);
      g_assert_true (g_variant_equal (pcrs, expected));
    }
}

static void
test_parse_nonsense (void)
{
  static const char *const cases[] = { "", ":", "sha256:", ":7", "seven", "32", "-1", "7,", "7+", "sha256:1+sha256:2" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (ward_client_pcrs_parse (cases[i], &error));
      g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, cases[i]));
    }
}

static void
test_format (void)
{
  static const char *const cases[] = { "sha256:7", "sha1:0,23+sha256:7,11" };
  g_autoptr (GVariant) none = g_variant_ref_sink (g_variant_new ("a{sau}", NULL));
  g_autofree char *empty = ward_client_pcrs_format (none);

  g_assert_cmpstr (empty, ==, "");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GVariant) pcrs = g_variant_ref_sink (ward_client_pcrs_parse (cases[i], NULL));
      g_autofree char *text = ward_client_pcrs_format (pcrs);

      g_assert_cmpstr (text, ==, cases[i]);
    }
}

static void
test_state (void)
{
  guint8 value[32] = { 0 };

  g_assert_cmpint (ward_client_pcr_get_state (value, sizeof value), ==, WARD_CLIENT_PCR_ZEROS);
  value[31] = 1;
  g_assert_cmpint (ward_client_pcr_get_state (value, sizeof value), ==, WARD_CLIENT_PCR_MEASURED);
  memset (value, 0xff, sizeof value);
  g_assert_cmpint (ward_client_pcr_get_state (value, sizeof value), ==, WARD_CLIENT_PCR_ONES);
  value[0] = 0;
  g_assert_cmpint (ward_client_pcr_get_state (value, sizeof value), ==, WARD_CLIENT_PCR_MEASURED);
  memset (value, 0x77, sizeof value);
  g_assert_cmpint (ward_client_pcr_get_state (value, sizeof value), ==, WARD_CLIENT_PCR_MEASURED);
}

/* Each register of a PC is explained, and none beyond them. */
static void
test_meanings (void)
{
  for (guint32 i = 0; i < WARD_CLIENT_N_PCRS; i++)
    {
      g_assert_cmpuint (strlen (ward_client_pcr_get_name (i)), >, 0);
      g_assert_cmpuint (strlen (ward_client_pcr_get_name (i)), <=, 21);
      g_assert_cmpuint (strlen (ward_client_pcr_get_title (i)), >, 0);
      g_assert_true (g_str_has_suffix (ward_client_pcr_get_content (i), "."));
      g_assert_true (g_str_has_suffix (ward_client_pcr_get_cause (i), "."));
    }
  g_assert_cmpstr (ward_client_pcr_get_title (7), ==, "Secure Boot");
  g_assert_cmpstr (ward_client_pcr_get_name (WARD_CLIENT_N_PCRS), ==, "");
  g_assert_cmpstr (ward_client_pcr_get_title (G_MAXUINT32), ==, "");
  g_assert_cmpstr (ward_client_pcr_get_content (WARD_CLIENT_N_PCRS), ==, "");
  g_assert_cmpstr (ward_client_pcr_get_cause (WARD_CLIENT_N_PCRS), ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-pcr/parse", test_parse);
  g_test_add_func ("/client-pcr/parse-nonsense", test_parse_nonsense);
  g_test_add_func ("/client-pcr/format", test_format);
  g_test_add_func ("/client-pcr/state", test_state);
  g_test_add_func ("/client-pcr/meanings", test_meanings);
  return g_test_run ();
}
