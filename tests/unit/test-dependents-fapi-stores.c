/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-dependents-fixture.h"

#define SYSTEM "var/lib/tpm2-tss/system/keystore"
#define USER "home/alice/.local/share/tpm2-tss/user/keystore"
#define PROFILE "P_ECCP256SHA256"

/* FAPI under a configuration of the test's own. */
static void
provision (Tree *tree, Swtpm *swtpm)
{
  g_autofree char *system = tree_path (tree, SYSTEM);
  g_autofree char *user = tree_path (tree, USER);
  g_autofree char *config = g_strdup_printf (
      "{\"profile_name\": \"" PROFILE "\", \"profile_dir\": \"/etc/tpm2-tss/fapi-profiles/\", "
      "\"user_dir\": \"%s\", \"system_dir\": \"%s\", \"tcti\": \"%s\", \"ek_cert_less\": \"yes\", "
      "\"system_pcrs\": [], \"log_dir\": \"%s/log\"}",
      user, system, swtpm->transport, tree->path);

  tree_make_folder (tree, SYSTEM);
  tree_make_folder (tree, USER);
  tree_make_folder (tree, "log");
  tree_write_text (tree, "fapi.json", config);
  run (swtpm, tree->path,
       "export TSS2_FAPICONF=$PWD/fapi.json; tss2_provision; tss2_createkey -p HS/SRK/mine -t sign -a ''");
}

static void
test_real_stores (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *store;

  if (!have_programs ("tss2_provision tss2_createkey") || !(swtpm = swtpm_new (TRUE)))
    return;
  tree_add_user (tree, "alice", 1000);
  provision (tree, swtpm);
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 2);
  store = find_dependent (found, "/" SYSTEM);
  g_assert_nonnull (store);
  g_assert_cmpstr (store->kind, ==, "key-store");
  assert_contains (store->detail, "2 objects");
  g_assert_false (store->uses_owner_empty_auth);
  store = find_dependent (found, "/" USER);
  g_assert_nonnull (store);
  assert_contains (store->detail, "1 object.");
  g_assert_false (store->uses_owner_empty_auth);
  g_assert_false (store->uses_endorsement_empty_auth);
}

/* As with a profile that makes its primary keys anew. */
static void
test_transient_parents (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *store;

  tree_add_user (tree, "alice", 1000);
  tree_write_text (tree, SYSTEM "/" PROFILE "/HS/SRK/object.json", "{\"objectType\":1,\"persistent_handle\":0}");
  tree_write_text (tree, SYSTEM "/" PROFILE "/HE/EK/object.json", "{\"objectType\":1,\"persistent_handle\":0}");
  tree_write_text (tree, USER "/" PROFILE "/HE/EK/mine/object.json", "{}");
  found = tree_scan (tree);
  store = find_dependent (found, "/" SYSTEM);
  g_assert_true (store->uses_owner_empty_auth);
  g_assert_false (store->uses_endorsement_empty_auth);
  store = find_dependent (found, "/" USER);
  g_assert_true (store->uses_owner_empty_auth);
  g_assert_true (store->uses_endorsement_empty_auth);
}

static void
test_empty_stores_are_not_listed (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write_text (tree, SYSTEM "/policy/mine/object.json", "{}");
  tree_write_text (tree, SYSTEM "/" PROFILE "/HS/object.json", "{}");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 0);
}

/* A thousand folders within each other, and an object whose brackets would fill a parser's stack. */
static void
test_deep_stores (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GString) path = g_string_new (SYSTEM);
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *brackets = g_strnfill (200 * 1024, '[');

  for (guint i = 0; i < 1000; i++)
    g_string_append (path, "/a");
  tree_make_folder (tree, path->str);
  tree_write_text (tree, SYSTEM "/" PROFILE "/HS/SRK/object.json", brackets);
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_false (((WardDependent *)found->pdata[0])->uses_owner_empty_auth);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/fapi-stores/real-stores", test_real_stores);
  g_test_add_func ("/dependents/fapi-stores/transient-parents", test_transient_parents);
  g_test_add_func ("/dependents/fapi-stores/empty-stores-are-not-listed", test_empty_stores_are_not_listed);
  g_test_add_func ("/dependents/fapi-stores/deep-stores", test_deep_stores);
  return g_test_run ();
}
