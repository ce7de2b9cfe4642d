/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-text.h"
#include "ward-client-text.h"
#include "ward-hex.h"

static void
assert_and_free (char *actual, const char *expected)
{
  g_assert_cmpstr (actual, ==, expected);
  g_free (actual);
}

static void
test_clean (void)
{
  assert_and_free (ward_cli_text_clean ("SLB9670"), "SLB9670");
  assert_and_free (ward_cli_text_clean ("a\033[31mb\rc"), "a?[31mb?c");
  assert_and_free (ward_cli_text_clean ("one\ntwo\tthree"), "one two three");
  assert_and_free (ward_cli_text_clean ("caf\xc3\xa9 \xff"), "caf\xc3\xa9 ?");
  /* C1 controls, and what turns the direction of text round. */
  assert_and_free (ward_cli_text_clean ("\xc2\x9b\xe2\x80\xae"), "??");
}

static void
test_ascii (void)
{
  assert_and_free (ward_cli_text_to_ascii ("“tpm0” · 32 × 00 → ✓…"), "\"tpm0\" - 32 x 00 -> +...");
  assert_and_free (ward_cli_text_to_ascii ("é"), "?");
}

static void
assert_wrapped (const char *text, int width, const char *expected)
{
  g_auto (GStrv) lines = ward_cli_text_wrap (text, width);

  assert_and_free (g_strjoinv ("|", lines), expected);
}

static void
test_wrap (void)
{
  assert_wrapped ("one two three", 0, "one two three");
  assert_wrapped ("one two three", 13, "one two three");
  assert_wrapped ("one two three", 12, "one two|three");
  assert_wrapped ("one two three", 3, "one|two|three");
  assert_wrapped ("https://example.org/a b", 5, "https://example.org/a|b");
  assert_wrapped ("SW   TPM", 20, "SW   TPM");
  assert_wrapped ("", 10, "");
  /* Columns, not bytes: the first is 2 columns wide and 3 bytes long. */
  assert_wrapped ("\xe6\xbc\xa2 ab", 5, "\xe6\xbc\xa2 ab");
  assert_wrapped ("\xe6\xbc\xa2 ab", 4, "\xe6\xbc\xa2|ab");
}

static void
test_suggest (void)
{
  const char *const verbs[] = { "status", "list", "selftest", "pcrs", "random", NULL };
  const char *const banks[] = { "sha1", "sha256", "sha384", NULL };

  g_assert_cmpstr (ward_cli_text_suggest ("statu", verbs), ==, "status");
  g_assert_cmpstr (ward_cli_text_suggest ("slef-test", verbs), ==, "selftest");
  g_assert_cmpstr (ward_cli_text_suggest ("sefltest", verbs), ==, "selftest");
  g_assert_cmpstr (ward_cli_text_suggest ("pcr", verbs), ==, "pcrs");
  g_assert_cmpstr (ward_cli_text_suggest ("x", verbs), ==, NULL);
  g_assert_cmpstr (ward_cli_text_suggest ("", verbs), ==, NULL);
  g_assert_cmpstr (ward_cli_text_suggest ("sha2", banks), ==, "sha256");
  g_assert_cmpstr (ward_cli_text_suggest ("sha265", banks), ==, "sha256");
  g_assert_cmpstr (ward_cli_text_suggest ("md5", banks), ==, NULL);
}

static void
test_suggest_takes_any_length (void)
{
  const char *const verbs[] = { "status", NULL };
  g_autofree char *word = g_strnfill (100000, 's');

  g_assert_null (ward_cli_text_suggest (word, verbs));
}

static void
test_hex (void)
{
  const guint8 bytes[] = { 0x00, 0x9f, 0xa0, 0xff };

  assert_and_free (ward_hex (bytes, 4, 0), "009fa0ff");
  assert_and_free (ward_hex (bytes, 4, 1), "00 9f a0 ff");
  assert_and_free (ward_hex (bytes, 3, 2), "009f a0");
  assert_and_free (ward_hex (NULL, 0, 0), "");
}

static void
test_times (void)
{
  const gint64 second = G_USEC_PER_SEC;

  assert_and_free (ward_client_text_duration (999), "999 µs");
  assert_and_free (ward_client_text_duration (24999), "24 ms");
  assert_and_free (ward_client_text_duration (1500 * 1000), "1.5 s");
  assert_and_free (ward_client_text_duration (61 * 1000 * 1000), "1 min 1 s");
  assert_and_free (ward_client_text_ago (10 * second, 10 * second), "just now");
  assert_and_free (ward_client_text_ago (0, second), "1 second ago");
  assert_and_free (ward_client_text_ago (0, 59 * second), "59 seconds ago");
  assert_and_free (ward_client_text_ago (0, 7200 * second), "2 hours ago");
  assert_and_free (ward_client_text_ago (0, 86400 * 400 * second), "400 days ago");
  assert_and_free (ward_client_text_ago (second, 0), "in the future, by this clock");
}

static void
test_span (void)
{
  assert_and_free (ward_client_text_span (0), "0 seconds");
  assert_and_free (ward_client_text_span (1), "1 second");
  assert_and_free (ward_client_text_span (600), "10 minutes");
  assert_and_free (ward_client_text_span (1000), "16 minutes 40 seconds");
  assert_and_free (ward_client_text_span (3600 + 59), "1 hour 59 seconds");
  assert_and_free (ward_client_text_span (2 * 86400 + 3600 + 60 + 1), "2 days 1 hour");
  assert_and_free (ward_client_text_span (G_MAXUINT32), "49710 days 6 hours");
}

static void
test_instant (void)
{
  assert_and_free (ward_client_text_instant (0), "1970-01-01 00:00:00");
  assert_and_free (ward_client_text_instant (G_MAXUINT64), "beyond all dates");
}

static void
test_camel (void)
{
  assert_and_free (ward_cli_text_from_camel ("KeyAlgorithms", '_'), "key_algorithms");
  assert_and_free (ward_cli_text_from_camel ("State", ' '), "state");
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli-text/clean", test_clean);
  g_test_add_func ("/cli-text/ascii", test_ascii);
  g_test_add_func ("/cli-text/wrap", test_wrap);
  g_test_add_func ("/cli-text/suggest", test_suggest);
  g_test_add_func ("/cli-text/suggest-takes-any-length", test_suggest_takes_any_length);
  g_test_add_func ("/cli-text/hex", test_hex);
  g_test_add_func ("/cli-text/times", test_times);
  g_test_add_func ("/cli-text/span", test_span);
  g_test_add_func ("/cli-text/instant", test_instant);
  g_test_add_func ("/cli-text/camel", test_camel);
  return g_test_run ();
}
