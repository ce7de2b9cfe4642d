/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys can be used, and why others cannot. */
#include <glib/gstdio.h>

#include "test-keyring-fixture.h"
#include "ward-error.h"

static WardKey *delete (TestKeyring *fixture, WardKey *key)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_keyring_remove_async (fixture->keyring, key, test_keyring_keep, &result);
  return test_keyring_finish (fixture, &result, NULL);
}

/* Two keys, of which one is damaged; noticed when it is read, or at the start. */
static void
test_damaged (TestKeyring *fixture, gconstpointer data)
{
  gboolean at_start = GPOINTER_TO_INT (data);
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardKey) sound = test_keyring_add (fixture, ALICE, "post");
  g_autofree char *name = g_strconcat (key->id, ".pem", NULL);
  g_autofree char *path = test_state_get_path (fixture->state_dir, name);
  g_autoptr (GBytes) nothing = NULL, bytes = NULL;
  g_autoptr (GError) error = NULL;
  const WardDamage *damage;

  g_assert_true (g_file_set_contents (path, "x", -1, NULL));
  fixture->changes = 0;
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*It is kept");
  if (at_start)
    test_keyring_restart (fixture);
  for (guint i = 0; i < 2; i++)
    {
      nothing = test_keyring_read (fixture, key, &error);
      g_assert_null (nothing);
      g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
      g_clear_error (&error);
    }
  g_test_assert_expected_messages ();
  g_assert_cmpuint (ward_keyring_get_damages (fixture->keyring)->len, ==, 1);
  damage = ward_keyring_get_damages (fixture->keyring)->pdata[0];
  g_assert_cmpstr (damage->path, ==, path);
  g_assert_cmpuint (damage->uid, ==, ALICE);
  if (!at_start)
    g_assert_cmpuint (fixture->changes, ==, 1);

  test_keyring_assert_labels (fixture, ALICE, "mail,post");
  test_keyring_assert_usable (fixture, key, WARD_ERROR_CORRUPT, path);
  test_keyring_assert_usable (fixture, sound, TEST_USABLE, NULL);
  bytes = test_keyring_read (fixture, sound, &error);
  g_assert_no_error (error);
  g_assert_nonnull (bytes);
}

/* Under another label it is no better; and nothing is told of it once it is gone. */
static void
test_damaged_deleted (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autofree char *name = g_strconcat (key->id, ".pem", NULL);
  g_autofree char *path = test_state_get_path (fixture->state_dir, name);
  g_autoptr (WardKey) renamed = NULL, deleted = NULL, again = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*it is missing*");
  test_keyring_restart (fixture);
  g_test_assert_expected_messages ();
  ward_keyring_set_label_async (fixture->keyring, key, "post", test_keyring_keep, &result);
  renamed = test_keyring_finish (fixture, &result, NULL);
  test_keyring_assert_usable (fixture, renamed, WARD_ERROR_CORRUPT, "it is missing");
  deleted = delete (fixture, renamed);
  g_assert_nonnull (deleted);
  g_assert_cmpuint (ward_keyring_get_damages (fixture->keyring)->len, ==, 0);
  again = test_keyring_add_key (fixture, TPM, ALICE, "post", key, NULL);
  test_keyring_assert_usable (fixture, again, TEST_USABLE, NULL);
}

static void
test_cleared (TestKeyring *fixture, gconstpointer data)
{
  static const char *const before[] = { PARENT, NULL }, *const after[] = { OTHER_PARENT, NULL };
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardKey) again = test_key_new (), made = NULL;

  test_keyring_assert_usable (fixture, key, TEST_USABLE, NULL);
  ward_keyring_set_parents (fixture->keyring, TPM, before);
  test_keyring_assert_usable (fixture, key, TEST_USABLE, NULL);
  fixture->changes = 0;
  ward_keyring_set_parents (fixture->keyring, TPM, before);
  g_assert_cmpuint (fixture->changes, ==, 0);
  ward_keyring_set_parents (fixture->keyring, TPM, after);
  g_assert_cmpuint (fixture->changes, >, 0);
  test_keyring_assert_usable (fixture, key, WARD_ERROR_CORRUPT, "before that was cleared");
  /* it is still there, and has its label */
  test_keyring_assert_found (fixture, ALICE, "mail", key);
  test_keyring_assert_refused (fixture, ALICE, "mail", WARD_ERROR_EXISTS);
  g_free (again->parent_name);
  again->parent_name = g_strdup (OTHER_PARENT);
  made = test_keyring_add_key (fixture, TPM, ALICE, "post", again, NULL);
  test_keyring_assert_usable (fixture, made, TEST_USABLE, NULL);
  ward_keyring_set_parents (fixture->keyring, TPM, NULL);
  test_keyring_assert_usable (fixture, key, TEST_USABLE, NULL);
}

/* A TPM that bears another name today is known by what lies in it. */
static void
test_renumbered (TestKeyring *fixture, gconstpointer data)
{
  static const char *const parents[] = { PARENT, NULL }, *const others[] = { OTHER_PARENT, NULL };
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardKey) found = NULL;

  ward_keyring_set_parents (fixture->keyring, "tpm1", parents);
  ward_keyring_set_parents (fixture->keyring, TPM, others);
  test_keyring_assert_not_found (fixture, TPM, ALICE, "mail");
  found = ward_keyring_find (fixture->keyring, "tpm1", ALICE, "mail", NULL);
  g_assert_true (found == key);
  test_keyring_assert_usable (fixture, key, TEST_USABLE, NULL);
  g_assert_cmpstr (ward_keyring_get_tpm (fixture->keyring, key), ==, "tpm1");
}

static void
test_other_user (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");

  test_name_of_alice = "eve";
  test_keyring_assert_usable (fixture, key, TEST_USABLE, NULL);
  test_keyring_restart (fixture);
  test_keyring_assert_labels (fixture, ALICE, "mail");
  test_keyring_assert_usable (fixture, key, WARD_ERROR_NOT_AUTHORIZED, "“alice”, and now it is “eve”");
  test_name_of_alice = "";
  test_keyring_restart (fixture);
  test_keyring_assert_usable (fixture, key, WARD_ERROR_NOT_AUTHORIZED, "now it is nobody's");
  test_name_of_alice = NULL;
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "no answer");
  test_keyring_restart (fixture);
  g_test_assert_expected_messages ();
  test_keyring_assert_usable (fixture, key, WARD_ERROR_FAILED, "cannot be found out");
  test_keyring_assert_refused (fixture, ALICE, "post", WARD_ERROR_FAILED);
  /* once there is an answer, it is asked again */
  test_name_of_alice = "alice";
  g_assert_true (test_keyring_prepare (fixture, ALICE, NULL));
  test_keyring_assert_usable (fixture, key, TEST_USABLE, NULL);
}

#define ADD(path, func) g_test_add (path, TestKeyring, NULL, test_keyring_set_up, func, test_keyring_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/keyring/damaged/later", TestKeyring, GINT_TO_POINTER (FALSE), test_keyring_set_up, test_damaged,
              test_keyring_tear_down);
  g_test_add ("/keyring/damaged/at-start", TestKeyring, GINT_TO_POINTER (TRUE), test_keyring_set_up, test_damaged,
              test_keyring_tear_down);
  ADD ("/keyring/damaged/deleted", test_damaged_deleted);
  ADD ("/keyring/cleared", test_cleared);
  ADD ("/keyring/renumbered", test_renumbered);
  ADD ("/keyring/other-user", test_other_user);
  return g_test_run ();
}
