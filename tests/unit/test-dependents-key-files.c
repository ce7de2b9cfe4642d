/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "test-dependents-fixture.h"
#include "ward-tss2-pem.h"

/* Of tpm2-openssl 1.1.1: its parent is the owner hierarchy. */
#define OWNERS_KEY                                                                                                     \
  "-----BEGIN TSS2 PRIVATE KEY-----\n"                                                                                 \
  "MIHwBgZngQUKAQOgAwEBAQIEQAAAAQRYAFYAIwALAAYAcgAAABAAEAADABAAIIxj\n"                                                 \
  "BWT+4HRv8tC58dpqmomMz7koQwRECPPcwGc/h+loACCKD8B5j6CV7Swbea19NZ53\n"                                                 \
  "6R7LUpuwIoPqA0hXhjMUcgSBgAB+ACBIE+ArrXilxsXljY+nnobF48qoCCJybOJX\n"                                                 \
  "Xug49LmJmQAQoJwS1Zjb2FTRVarRlZyGuvLjoxGHGvPNjM9EPunPuF4/gv/cBNDW\n"                                                 \
  "DIiM29psT+iAhS/tI1swqxAMZg1FD82b0oIXCl6b0P07Pgc+OkAicH3ZUMBPl806\n"                                                 \
  "cdpA\n"                                                                                                             \
  "-----END TSS2 PRIVATE KEY-----\n"

#define SSH "home/alice/.ssh"

/* SEQUENCE { OID of a loadable key, INTEGER parent } */
#define KEY_UNDER(parent) "\x30\x0e\x06\x06\x67\x81\x05\x0a\x01\x03\x02\x04" parent

static void
test_owners_key (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *key;

  tree_write_text (tree, "etc/ssh/ssh_tpm_host_ecdsa_key.tpm", OWNERS_KEY);
  found = tree_scan (tree);
  key = find_dependent (found, "/etc/ssh/ssh_tpm_host_ecdsa_key.tpm");
  g_assert_nonnull (key);
  g_assert_cmpstr (key->kind, ==, "key");
  g_assert_cmpstr (key->owner, ==, "root");
  g_assert_cmpstr (key->recoverable, ==, "no");
  g_assert_true (key->uses_owner_empty_auth);
  g_assert_false (key->uses_endorsement_empty_auth);
}

/* By tpm2-tools, under a persistent parent. */
static void
test_users_key (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autofree char *folder = tree_path (tree, SSH);
  g_autoptr (Swtpm) swtpm = NULL;
  g_autoptr (GPtrArray) found = NULL;
  const WardDependent *key;
  guint32 uid = tree_add_user (tree, "alice", 1000);

  if (!have_programs ("tpm2_encodeobject") || !(swtpm = swtpm_new (TRUE)))
    return;
  tree_make_folder (tree, SSH);
  run (swtpm, folder,
       "tpm2_createprimary -Q -c primary; tpm2_evictcontrol -Q -c primary 0x81000001; tpm2_flushcontext -t; "
       "tpm2_create -Q -C 0x81000001 -G ecc -u public -r private; tpm2_flushcontext -t; "
       "tpm2_encodeobject -C 0x81000001 -u public -r private -o id_ecdsa.tpm");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  key = find_dependent (found, "/" SSH "/id_ecdsa.tpm");
  g_assert_nonnull (key);
  g_assert_cmpuint (key->uid, ==, uid);
  g_assert_cmpstr (key->owner, ==, uid == 0 ? "root" : "alice");
  assert_contains (key->detail, "0x81000001");
  g_assert_false (key->uses_owner_empty_auth);
}

static WardPem
read_der (const char *der, gsize size, guint32 *parent)
{
  g_autofree char *base64 = g_base64_encode ((const guchar *)der, size);
  g_autofree char *text = g_strdup_printf ("# a comment\n-----BEGIN TSS2 PRIVATE KEY-----\n%s\n-----END", base64);

  return ward_tss2_pem_read (text, strlen (text), parent);
}

static void
test_parents (void)
{
  guint32 parent;

  g_assert_cmpint (read_der (KEY_UNDER ("\x40\0\0\x0b"), 16, &parent), ==, WARD_PEM_TSS2);
  g_assert_cmphex (parent, ==, WARD_PARENT_ENDORSEMENT);
  /* Some write it with the zero byte that a positive number ought to have. */
  g_assert_cmpint (read_der ("\x30\x0f\x06\x06\x67\x81\x05\x0a\x01\x05\x02\x05\0\x81\0\0\x01", 17, &parent), ==,
                   WARD_PEM_TSS2_DATA);
  g_assert_cmphex (parent, ==, 0x81000001);
}

static void
test_endorsement_key (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *base64 = g_base64_encode ((const guchar *)KEY_UNDER ("\x40\0\0\x0b"), 16);
  g_autofree char *text = g_strdup_printf ("-----BEGIN TSS2 PRIVATE KEY-----\n%s\n-----END TSS2 PRIVATE KEY-----\n",
                                           base64);

  tree_write_text (tree, "etc/ssl/private/key.pem", text);
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_true (((WardDependent *)found->pdata[0])->uses_endorsement_empty_auth);
}

static void
test_damaged_keys (void)
{
  static const char *const texts[] = { "-----BEGIN TSS2 PRIVATE KEY-----", "-----BEGIN TSS2 PRIVATE KEY-----\n-----END",
                                       "-----BEGIN TSS2 PRIVATE KEY-----\n!!!!\n-----END",
                                       "-----BEGIN TSS KEY BLOB-----\nAAAA" };
  guint32 parent;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_assert_cmpint (ward_tss2_pem_read (texts[i], strlen (texts[i]), &parent), !=, WARD_PEM_OTHER);
      g_assert_cmphex (parent, ==, 0);
    }
  for (gsize size = 0; size < 16; size++)
    {
      g_assert_cmpint (read_der (KEY_UNDER ("\x40\0\0\x01"), size, &parent), !=, WARD_PEM_OTHER);
      g_assert_cmphex (parent, ==, 0);
    }
  g_assert_cmpint (read_der ("\x30\x84\xff\xff\xff\xff\x02\x84\xff\xff\xff\xff", 12, &parent), ==, WARD_PEM_TSS2);
  g_assert_cmphex (parent, ==, 0);
}

static void
test_other_files_are_not_listed (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *deep = tree_path (tree, "etc/ssh/sshd_config.d/key");
  GString *huge = g_string_new (OWNERS_KEY);

  g_string_set_size (huge, 10 * 1024 * 1024);
  tree_write (tree, "etc/ssh/huge", huge->str, (gssize)huge->len);
  g_string_free (huge, TRUE);
  tree_write_text (tree, "etc/ssh/empty", "");
  tree_write_text (tree, "etc/ssh/host_key",
                   "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
  tree_write_text (tree, "etc/ssh/notes", "A key starts with -----BEGIN TSS2 PRIVATE KEY-----.\n");
  tree_write_text (tree, "etc/ssh/begin", "-----BEGIN ");
  tree_write_text (tree, "etc/ssh/sshd_config.d/key", OWNERS_KEY);
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/key-files/owners-key", test_owners_key);
  g_test_add_func ("/dependents/key-files/users-key", test_users_key);
  g_test_add_func ("/dependents/key-files/parents", test_parents);
  g_test_add_func ("/dependents/key-files/endorsement-key", test_endorsement_key);
  g_test_add_func ("/dependents/key-files/damaged-keys", test_damaged_keys);
  g_test_add_func ("/dependents/key-files/other-files-are-not-listed", test_other_files_are_not_listed);
  return g_test_run ();
}
