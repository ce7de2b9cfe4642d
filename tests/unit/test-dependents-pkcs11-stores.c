/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-dependents-fixture.h"

#define STORE "etc/tpm2_pkcs11"
#define DATABASE "/" STORE "/tpm2_pkcs11.sqlite3"

/* tpm2_ptool init makes a persistent parent unless told otherwise. */
static void
test_store (const char *arguments, gboolean uses_owner)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autofree char *folder = tree_path (tree, STORE);
  g_autofree char *command_line = g_strconcat ("tpm2_ptool init --path . ", arguments, NULL);
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *store;

  if (!have_programs ("tpm2_ptool") || !(swtpm = swtpm_new (TRUE)))
    return;
  tree_make_folder (tree, STORE);
  run (swtpm, folder, command_line);
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  store = find_dependent (found, DATABASE);
  g_assert_nonnull (store);
  g_assert_cmpstr (store->kind, ==, "key-store");
  g_assert_cmpstr (store->recoverable, ==, "no");
  g_assert_cmpint (store->uses_owner_empty_auth, ==, uses_owner);
}

static void
test_persistent_parent (void)
{
  test_store ("", FALSE);
}

static void
test_transient_parent (void)
{
  test_store ("--transient-parent tpm2-tools-ecc-default", TRUE);
}

static void
test_a_users_store (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  guint32 uid = tree_add_user (tree, "bob", 1001);

  tree_write_text (tree, "home/bob/.tpm2_pkcs11/tpm2_pkcs11.sqlite3", "SQLite format 3");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpuint (((WardDependent *)found->pdata[0])->uid, ==, uid);
  assert_contains (((WardDependent *)found->pdata[0])->detail, "15 bytes");
}

static void
test_what_is_no_store (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  tree_add_user (tree, "bob", 1001);
  tree_write_text (tree, "home/bob/.tpm2_pkcs11/tpm2_pkcs11.sqlite3", "");
  tree_make_folder (tree, "etc/tpm2_pkcs11/tpm2_pkcs11.sqlite3");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/pkcs11-stores/persistent-parent", test_persistent_parent);
  g_test_add_func ("/dependents/pkcs11-stores/transient-parent", test_transient_parent);
  g_test_add_func ("/dependents/pkcs11-stores/a-users-store", test_a_users_store);
  g_test_add_func ("/dependents/pkcs11-stores/what-is-no-store", test_what_is_no_store);
  return g_test_run ();
}
