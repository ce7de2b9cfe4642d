/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-ledger.h"

/* One entry for each of texts, GVariant text of a{sv}. */
static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *ledger = g_variant_parse (G_VARIANT_TYPE ("aa{sv}"), text, NULL, NULL, &error);

  g_assert_no_error (error);
  return ledger;
}

#define ENTRY(kind, subject, recoverable)                                                                              \
  "{'kind': <'" kind "'>, 'subject': <'" subject "'>, 'recoverable': <'" recoverable "'>}"

static void
assert_and_free (char *actual, const char *expected)
{
  g_assert_cmpstr (actual, ==, expected);
  g_free (actual);
}

static void
test_nothing (void)
{
  g_autoptr (GVariant) ledger = parse ("[]");

  g_assert_cmpuint (ward_client_ledger_count (ledger, WARD_CLIENT_LEDGER_N_FATES), ==, 0);
  assert_and_free (ward_client_ledger_summary (ledger), "nothing was found that depends on it");
  assert_and_free (ward_client_ledger_names (ledger), "");
}

static void
test_counts (void)
{
  g_autoptr (GVariant) ledger = parse (
      "[" ENTRY ("luks-volume", "/dev/sda3", "no") ", " ENTRY ("key", "/etc/ssh/a.pem", "no") ", " ENTRY (
          "key", "/srv/b.pem", "yes") ", {'kind': <'other-users'>, 'subject': <''>, 'recoverable': <'unknown'>, "
                                      "'count': <uint32 7>}]");

  g_assert_cmpuint (ward_client_ledger_count (ledger, WARD_CLIENT_LEDGER_LOST), ==, 2);
  g_assert_cmpuint (ward_client_ledger_count (ledger, WARD_CLIENT_LEDGER_KEPT), ==, 1);
  g_assert_cmpuint (ward_client_ledger_count (ledger, WARD_CLIENT_LEDGER_PERHAPS), ==, 7);
  g_assert_cmpuint (ward_client_ledger_count (ledger, WARD_CLIENT_LEDGER_N_FATES), ==, 10);
  assert_and_free (ward_client_ledger_summary (ledger), "2 lost for good, 7 perhaps lost, 1 not lost");
  assert_and_free (ward_client_ledger_names (ledger), "/dev/sda3, /etc/ssh/a.pem, /srv/b.pem and 1 more");
}

/* A service of another version: what is not understood is not taken for safe. */
static void
test_what_is_not_understood (void)
{
  g_autoptr (GVariant) ledger = parse ("[" ENTRY ("key", "a", "maybe") ", {'kind': <'key'>}, {'recoverable': <5>}]");

  g_assert_cmpuint (ward_client_ledger_count (ledger, WARD_CLIENT_LEDGER_PERHAPS), ==, 3);
  g_assert_cmpuint (ward_client_ledger_count (ledger, WARD_CLIENT_LEDGER_KEPT), ==, 0);
  assert_and_free (ward_client_ledger_names (ledger), "a, what is other users', what is other users'");
}

static void
test_kinds (void)
{
  assert_and_free (ward_client_ledger_kind ("luks-volume"), "encrypted disk");
  assert_and_free (ward_client_ledger_kind ("nv-index"), "NV index");
  assert_and_free (ward_client_ledger_kind ("persistent-handle"), "persistent handle");
  assert_and_free (ward_client_ledger_kind ("unscanned"), "not searched to its end");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-ledger/nothing", test_nothing);
  g_test_add_func ("/client-ledger/counts", test_counts);
  g_test_add_func ("/client-ledger/what-is-not-understood", test_what_is_not_understood);
  g_test_add_func ("/client-ledger/kinds", test_kinds);
  return g_test_run ();
}
