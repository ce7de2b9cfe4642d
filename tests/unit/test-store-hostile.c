/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store makes of files that are not as it has left them. */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test-store-fixture.h"
#include "test-tree.h"
#include "ward-error.h"

static void
write_file (TestStore *fixture, const char *suffix, const char *text)
{
  g_autofree char *path = test_store_get_path (fixture, suffix);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* Each is made beside a sound key, which it does not hurt. */
typedef struct
{
  const char *name;
  void (*make) (TestStore *fixture, const char *folder);
  const char *path; /* the end of what is told of */
  const char *reason;
  gboolean hits_key; /* it is the key itself that cannot be used any more */
} Hostile;

static void
make_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

#define OTHER_ID "00000000000000000000000000000000"

static void
make_foreign (TestStore *fixture, const char *folder)
{
  make_file (folder, "README", "x");
}

static void
make_garbage (TestStore *fixture, const char *folder)
{
  make_file (folder, OTHER_ID ".meta", "\x01\xff garbage");
  make_file (folder, OTHER_ID ".pem", "garbage");
}

static void
make_orphan (TestStore *fixture, const char *folder)
{
  make_file (folder, OTHER_ID ".pem", "of an unknown key");
}

static void
make_copied (TestStore *fixture, const char *folder)
{
  g_autofree char *source = test_store_get_path (fixture, ".meta");
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (source, &text, NULL, NULL));
  make_file (folder, OTHER_ID ".meta", text);
  make_file (folder, OTHER_ID ".pem", "x");
}

static void
make_copied_to_bob (TestStore *fixture, const char *folder)
{
  g_autofree char *bobs = g_build_filename (fixture->state_dir, PARENT, "1001", NULL);
  g_autofree char *name = g_strconcat (fixture->key->id, ".meta", NULL);
  g_autofree char *source = test_store_get_path (fixture, ".meta");
  g_autofree char *text = NULL;

  g_assert_cmpint (g_mkdir (bobs, 0700), ==, 0);
  g_assert_true (g_file_get_contents (source, &text, NULL, NULL));
  make_file (bobs, name, text);
}

static void
make_oversized (TestStore *fixture, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, OTHER_ID ".meta", NULL);

  make_file (folder, OTHER_ID ".meta", "");
  g_assert_cmpint (truncate (path, (off_t)1 << 40), ==, 0);
}

static void
make_symlink (TestStore *fixture, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, OTHER_ID ".meta", NULL);

  g_assert_cmpint (symlink ("/etc/passwd", path), ==, 0);
}

/* Opening one would wait for somebody to write. */
static void
make_pipe (TestStore *fixture, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, OTHER_ID ".meta", NULL);

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
}

static void
make_writable (TestStore *fixture, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, OTHER_ID ".meta", NULL);

  make_file (folder, OTHER_ID ".meta", "");
  g_assert_cmpint (chmod (path, 0666), ==, 0);
}

static void
make_symlinked_private (TestStore *fixture, const char *folder)
{
  g_autofree char *path = test_store_get_path (fixture, ".pem");

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (symlink ("/etc/passwd", path), ==, 0);
}

static void
make_missing_private (TestStore *fixture, const char *folder)
{
  g_autofree char *path = test_store_get_path (fixture, ".pem");

  g_assert_cmpint (g_unlink (path), ==, 0);
}

static void
make_oversized_private (TestStore *fixture, const char *folder)
{
  g_autofree char *path = test_store_get_path (fixture, ".pem");

  g_assert_cmpint (truncate (path, (off_t)1 << 40), ==, 0);
}

static void
make_changed_private (TestStore *fixture, const char *folder)
{
  write_file (fixture, ".pem", "the private half of another");
}

static void
make_folder_private (TestStore *fixture, const char *folder)
{
  g_autofree char *path = test_store_get_path (fixture, ".pem");

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
}

static void
make_folder_new (TestStore *fixture, const char *folder)
{
  g_autofree char *path = test_store_get_path (fixture, ".pem.new");

  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
}

static void
make_odd_owner (TestStore *fixture, const char *folder)
{
  test_tree_add (fixture->state_dir, "/" PARENT "/01000/x=x");
}

static void
make_linked_owner (TestStore *fixture, const char *folder)
{
  g_autofree char *path = g_build_filename (fixture->state_dir, PARENT, "1001", NULL);

  g_assert_cmpint (symlink (folder, path), ==, 0);
}

static void
make_linked_parent (TestStore *fixture, const char *folder)
{
  g_autofree char *path = g_build_filename (fixture->state_dir, OTHER_PARENT, NULL);

  g_assert_cmpint (symlink (PARENT, path), ==, 0);
}

static const Hostile hostiles[] = {
  { "foreign", make_foreign, "/README", "bears no name", FALSE },
  { "garbage", make_garbage, "/" OTHER_ID ".meta", "cannot be understood", FALSE },
  { "orphan", make_orphan, "/" OTHER_ID ".pem", ".meta, is missing", FALSE },
  { "copied", make_copied, "/" OTHER_ID ".meta", "another place", FALSE },
  { "copied-to-bob", make_copied_to_bob, ".meta", "another place", FALSE },
  { "oversized", make_oversized, "/" OTHER_ID ".meta", "too large", FALSE },
  { "symlink", make_symlink, "/" OTHER_ID ".meta", "symbolic link", FALSE },
  { "pipe", make_pipe, "/" OTHER_ID ".meta", "no regular file", FALSE },
  { "writable", make_writable, "/" OTHER_ID ".meta", "others may write", FALSE },
  { "symlinked-private", make_symlinked_private, ".pem", "symbolic link", TRUE },
  { "missing-private", make_missing_private, ".pem", "missing", TRUE },
  { "oversized-private", make_oversized_private, ".pem", "too large", TRUE },
  { "changed-private", make_changed_private, ".pem", "not what the service has written", TRUE },
  { "folder-private", make_folder_private, ".pem", "no regular file", TRUE },
  { "folder-new", make_folder_new, ".pem.new", "it is a folder", FALSE },
  { "odd-owner", make_odd_owner, "/01000", "bears no name", FALSE },
  { "linked-owner", make_linked_owner, "/1001", "no folder", FALSE },
  { "linked-parent", make_linked_parent, "/" OTHER_PARENT, "no folder", FALSE },
};

static void
test_hostile (TestStore *fixture, gconstpointer data)
{
  const Hostile *hostile = data;
  g_autofree char *folder = test_state_get_path (fixture->state_dir, NULL);
  g_autofree char *names = NULL;
  g_autofree char *names_after = NULL;
  const WardDamage *damage;

  hostile->make (fixture, folder);
  names = test_state_list (fixture->state_dir);
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*is not used: *");
  test_store_restart (fixture);
  g_test_assert_expected_messages ();

  g_assert_cmpuint (fixture->contents->keys->len, ==, 1);
  g_assert_cmpuint (fixture->contents->damages->len, ==, 1);
  damage = fixture->contents->damages->pdata[0];
  g_assert_true (g_str_has_prefix (damage->path, fixture->state_dir));
  g_assert_true (g_str_has_suffix (damage->path, hostile->path));
  g_assert_nonnull (strstr (damage->reason, hostile->reason));
  g_assert_true (damage->key == (hostile->hits_key ? fixture->contents->keys->pdata[0] : NULL));
  names_after = test_state_list (fixture->state_dir);
  g_assert_cmpstr (names_after, ==, names);
}

static void
test_others_file (TestStore *fixture, gconstpointer data)
{
  g_autofree char *meta = test_store_get_path (fixture, ".meta");

  if (geteuid () != 0)
    {
      g_test_skip ("only root can give files away");
      return;
    }
  g_assert_cmpint (chown (meta, 12345, -1), ==, 0);
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*belongs to another user*");
  test_store_restart (fixture);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (fixture->contents->keys->len, ==, 0);
  g_assert_cmpuint (((WardDamage *)fixture->contents->damages->pdata[0])->uid, ==, ALICE);
}

/* After the start. */
static void
test_changed_private (TestStore *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  write_file (fixture, ".pem", "another private half");
  bytes = ward_store_read (fixture->store, fixture->key, &error);
  g_assert_null (bytes);
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "not what the service has written"));
}

/* What cannot be used can be deleted; what the service has not made is left, and told of. */
static void
test_remove_folder (TestStore *fixture, gconstpointer data)
{
  g_autofree char *expected = g_strconcat (fixture->key->id, ".pem", NULL);
  g_autofree char *folder = test_state_get_path (fixture->state_dir, NULL);
  g_autofree char *names = NULL;
  g_autoptr (GError) error = NULL;

  make_folder_private (fixture, folder);
  g_assert_true (ward_store_remove (fixture->store, fixture->key, &error));
  g_assert_no_error (error);
  names = test_state_list (fixture->state_dir);
  g_assert_cmpstr (names, ==, expected);
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*.meta, is missing*");
  test_store_restart (fixture);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (fixture->contents->keys->len, ==, 0);
  g_assert_cmpuint (fixture->contents->damages->len, ==, 1);
}

/* The state directory has other things in it, which are none of the store's business. */
static void
test_other_records (TestStore *fixture, gconstpointer data)
{
  make_file (fixture->state_dir, "tpm0.chip", "x");
  test_tree_add (fixture->state_dir, "/folder/1000/x=x");
  test_store_assert_only_key (fixture, "mail", "the private half\n");
}

static void
test_no_state_dir (void)
{
  g_autoptr (WardStore) store = ward_store_new ("/nonexistent/tpmward");
  g_autoptr (WardStoreContents) contents = NULL;
  g_autoptr (GBytes) private_half = test_private_half ("x");
  g_autoptr (WardKey) key = test_key_new_full ("x", private_half);
  g_autoptr (GError) error = NULL;

  contents = ward_store_load (store, &error);
  g_assert_null (contents);
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_false (ward_store_put (store, key, private_half, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
}

#define ADD(path, func) g_test_add (path, TestStore, NULL, test_store_set_up, func, test_store_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (hostiles); i++)
    {
      g_autofree char *path = g_strconcat ("/store/hostile/", hostiles[i].name, NULL);

      g_test_add (path, TestStore, &hostiles[i], test_store_set_up, test_hostile, test_store_tear_down);
    }
  ADD ("/store/hostile/others-file", test_others_file);
  ADD ("/store/hostile/changed-later", test_changed_private);
  ADD ("/store/hostile/remove-folder", test_remove_folder);
  ADD ("/store/hostile/other-records", test_other_records);
  g_test_add_func ("/store/hostile/no-state-dir", test_no_state_dir);
  return g_test_run ();
}
