/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "test-dependents-fixture.h"

/* Begins as a credential does whose kind is not known: an id, then the sizes of AES-256-GCM. */
static const guint8 unknown_kind[48] = { 1, 2, 3, [16] = 32, [20] = 1, [24] = 12, [28] = 16 };

/* systemd-creds reads a host's key from where it is told to. */
#define ENCRYPT(kind, name)                                                                                            \
  "printf secret | SYSTEMD_CREDENTIAL_SECRET=$PWD/host.secret systemd-creds --tpm2-device=$TCTI --with-key=" kind      \
  " --name=x encrypt - " name "; tpm2_flushcontext -t; tpm2_flushcontext -l; tpm2_flushcontext -s; "

static void
test_real_ones (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autofree char *folder = tree_path (tree, "etc/credstore.encrypted");
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *credential;

  if (!have_programs ("systemd-creds tpm2_flushcontext") || !(swtpm = swtpm_new (TRUE)))
    return;
  tree_make_folder (tree, "etc/credstore.encrypted");
  run (swtpm, folder,
       ENCRYPT ("tpm2", "sealed") ENCRYPT ("host+tpm2", "both") ENCRYPT ("host", "host")
           ENCRYPT ("tpm2-absent", "none"));
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 2);
  g_assert_nonnull (find_dependent (found, "/etc/credstore.encrypted/both"));
  credential = find_dependent (found, "/etc/credstore.encrypted/sealed");
  g_assert_cmpstr (credential->kind, ==, "sealed-data");
  g_assert_cmpstr (credential->recoverable, ==, "no");
  g_assert_cmpstr (credential->confidence, ==, "sure");
  g_assert_true (credential->uses_owner_empty_auth);
}

static void
write_unknown (Tree *tree, const char *path)
{
  g_autofree char *base64 = g_base64_encode (unknown_kind, sizeof (unknown_kind));

  tree_write_text (tree, path, base64);
}

static void
test_a_later_kind_is_likely (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *credential;

  write_unknown (tree, "boot/efi/loader/credentials/x.cred");
  found = tree_scan (tree);
  credential = find_dependent (found, "/boot/efi/loader/credentials/x.cred");
  g_assert_nonnull (credential);
  g_assert_cmpstr (credential->confidence, ==, "likely");
  g_assert_cmpstr (credential->recoverable, ==, "unknown");
  g_assert_false (credential->uses_owner_empty_auth);
}

static void
test_a_users_are_the_users (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  guint32 uid = tree_add_user (tree, "alice", 1000);

  write_unknown (tree, "home/alice/.config/credstore.encrypted/x");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpuint (((WardDependent *)found->pdata[0])->uid, ==, uid);
}

static void
test_other_files_are_not_listed (void)
{
  static const char *const texts[] = {
    "",  "\n\n\n",           "short",
    "=", "{\"json\": true}", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
  };
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *path = g_strdup_printf ("etc/credstore.encrypted/%u", i);

      tree_write_text (tree, path, texts[i]);
    }
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/credentials/real-ones", test_real_ones);
  g_test_add_func ("/dependents/credentials/a-later-kind-is-likely", test_a_later_kind_is_likely);
  g_test_add_func ("/dependents/credentials/a-users-are-the-users", test_a_users_are_the_users);
  g_test_add_func ("/dependents/credentials/other-files-are-not-listed", test_other_files_are_not_listed);
  return g_test_run ();
}
