/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of users and of the machine: found by label and id, changed in order, apart from each other. */
#include <string.h>

#include "test-keyring-fixture.h"
#include "ward-error.h"

static void
test_found (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) mail = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardKey) system = test_keyring_add (fixture, WARD_UID_SYSTEM, "mail");
  g_autofree char *upper = g_ascii_strup (mail->id, -1);

  g_assert_cmpstr (mail->user_name, ==, "alice");
  g_assert_cmpstr (mail->tpm, ==, TPM);
  g_assert_cmpuint (mail->created, >, 0);
  for (guint i = 0; i < 2; i++)
    {
      test_keyring_assert_found (fixture, ALICE, "mail", mail);
      test_keyring_assert_found (fixture, ALICE, mail->id, mail);
      test_keyring_assert_found (fixture, ALICE, upper, mail);
      test_keyring_assert_found (fixture, WARD_UID_SYSTEM, "mail", system);
      test_keyring_assert_not_found (fixture, TPM, ALICE, "mai");
      test_keyring_assert_not_found (fixture, TPM, ALICE, "mail ");
      test_keyring_assert_not_found (fixture, TPM, ALICE, "");
      test_keyring_assert_not_found (fixture, TPM, ALICE, "\xff");
      test_keyring_assert_not_found (fixture, "tpm1", ALICE, "mail");
      test_keyring_assert_not_found (fixture, TPM, BOB, "mail");
      test_keyring_assert_not_found (fixture, TPM, BOB, mail->id);
      test_keyring_assert_not_found (fixture, TPM, ALICE, system->id);
      test_keyring_restart (fixture);
    }
}

/* What is said of another's key is what is said of none. */
static void
test_no_difference (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (GError) others = NULL, none = NULL;

  g_assert_null (ward_keyring_find (fixture->keyring, TPM, BOB, key->id, &others));
  g_assert_null (ward_keyring_find (fixture->keyring, TPM, BOB, "00000000000000000000000000000000", &none));
  g_assert_cmpstr (others->message, ==, none->message);
}

static void
test_sorted (TestKeyring *fixture, gconstpointer data)
{
  static const char *const labels[] = { "b", "é", "a", "B", "鍵", "a b", "ab" };
  g_autoptr (GPtrArray) all = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (labels); i++)
    ward_key_unref (test_keyring_add (fixture, ALICE, labels[i]));
  ward_key_unref (test_keyring_add (fixture, WARD_UID_SYSTEM, "0"));
  ward_key_unref (test_keyring_add (fixture, BOB, "0"));
  for (guint i = 0; i < 2; i++)
    {
      test_keyring_assert_labels (fixture, ALICE, "B,a,a b,ab,b,é,鍵");
      test_keyring_restart (fixture);
    }
  all = ward_keyring_list_all (fixture->keyring, TPM, NULL);
  g_assert_cmpuint (all->len, ==, 9);
  g_assert_cmpuint (((WardKey *)all->pdata[6])->uid, ==, ALICE);
  g_assert_cmpuint (((WardKey *)all->pdata[7])->uid, ==, BOB);
  g_assert_cmpuint (((WardKey *)all->pdata[8])->uid, ==, WARD_UID_SYSTEM);
}

static void
test_labels_once (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) mail = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardReservation) reservation = ward_keyring_reserve (fixture->keyring, TPM, ALICE, "post", NULL);
  g_autoptr (WardReservation) bobs = ward_keyring_reserve (fixture->keyring, TPM, BOB, "post", NULL);
  g_autoptr (WardReservation) other_tpm = ward_keyring_reserve (fixture->keyring, "tpm1", ALICE, "mail", NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (reservation && bobs && other_tpm);
  test_keyring_assert_refused (fixture, ALICE, "mail", WARD_ERROR_EXISTS);
  test_keyring_assert_refused (fixture, ALICE, "post", WARD_ERROR_EXISTS);
  test_keyring_assert_refused (fixture, ALICE, "", WARD_ERROR_INVALID_ARGUMENT);
  ward_keyring_set_label_async (fixture->keyring, mail, "post", test_keyring_keep, &result);
  g_assert_null (test_keyring_finish (fixture, &result, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_EXISTS);
  g_clear_pointer (&reservation, ward_reservation_free);
  reservation = ward_keyring_reserve (fixture->keyring, TPM, ALICE, "post", NULL);
  g_assert_nonnull (reservation);
}

static void
test_same_key (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_key_new ();
  g_autoptr (WardKey) first = test_keyring_add_key (fixture, TPM, ALICE, "first", key, NULL);
  g_autoptr (WardKey) bobs = test_keyring_add_key (fixture, TPM, BOB, "first", key, NULL);
  g_autoptr (WardReservation) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (first && bobs);
  g_assert_null (test_keyring_add_key (fixture, TPM, ALICE, "second", key, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_EXISTS);
  g_assert_nonnull (strstr (error->message, "first"));
  /* its label is not taken by that */
  again = ward_keyring_reserve (fixture->keyring, TPM, ALICE, "second", NULL);
  g_assert_nonnull (again);
}

/* Two imports of the same key at once: one comes first. */
static void
test_same_key_at_once (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_key_new ();
  g_autoptr (GBytes) private_half = test_private_half ("x");
  g_autoptr (GAsyncResult) first = NULL, second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKey) added = NULL;

  ward_keyring_add_async (fixture->keyring, ward_keyring_reserve (fixture->keyring, TPM, ALICE, "first", NULL), key,
                          private_half, test_keyring_keep, &first);
  ward_keyring_add_async (fixture->keyring, ward_keyring_reserve (fixture->keyring, TPM, ALICE, "second", NULL), key,
                          private_half, test_keyring_keep, &second);
  added = test_keyring_finish (fixture, &first, NULL);
  g_assert_nonnull (added);
  g_assert_null (test_keyring_finish (fixture, &second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_EXISTS);
  test_keyring_assert_labels (fixture, ALICE, "first");
}

/* Each change is made to what the one before has made of the key. */
static void
test_changes (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (GBytes) private_half = test_private_half ("another");
  g_autoptr (GAsyncResult) label = NULL, comment = NULL, private_result = NULL;
  g_autoptr (WardKey) renamed = NULL, commented = NULL, changed = NULL, found = NULL;

  ward_keyring_set_label_async (fixture->keyring, key, "post", test_keyring_keep, &label);
  ward_keyring_set_comment_async (fixture->keyring, key, "for letters", test_keyring_keep, &comment);
  ward_keyring_set_private_async (fixture->keyring, key, private_half, TRUE, test_keyring_keep, &private_result);
  test_keyring_assert_labels (fixture, ALICE, "mail");
  fixture->changes = 0;
  renamed = test_keyring_finish (fixture, &label, NULL);
  commented = test_keyring_finish (fixture, &comment, NULL);
  changed = test_keyring_finish (fixture, &private_result, NULL);
  g_assert_cmpuint (fixture->changes, ==, 3);
  g_assert_cmpstr (renamed->label, ==, "post");
  g_assert_cmpstr (renamed->comment, ==, "");
  for (guint i = 0; i < 2; i++)
    {
      test_keyring_assert_labels (fixture, ALICE, "post");
      test_keyring_assert_not_found (fixture, TPM, ALICE, "mail");
      g_clear_pointer (&found, ward_key_unref);
      found = ward_keyring_find (fixture->keyring, TPM, ALICE, "post", NULL);
      g_assert_cmpstr (found->comment, ==, "for letters");
      g_assert_true (found->has_auth);
      g_assert_cmpstr (found->digest, ==, changed->digest);
      test_keyring_restart (fixture);
    }
}

static void
test_bad_changes (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (GAsyncResult) label = NULL, comment = NULL;
  g_autoptr (GError) label_error = NULL, comment_error = NULL;

  ward_keyring_set_label_async (fixture->keyring, key, "", test_keyring_keep, &label);
  ward_keyring_set_comment_async (fixture->keyring, key, "two\nlines", test_keyring_keep, &comment);
  g_assert_null (test_keyring_finish (fixture, &label, &label_error));
  g_assert_error (label_error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_assert_null (test_keyring_finish (fixture, &comment, &comment_error));
  g_assert_error (comment_error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  test_keyring_assert_labels (fixture, ALICE, "mail");
}

static void
test_removed (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardKey) removed = NULL;
  g_autoptr (GAsyncResult) first = NULL, second = NULL, read = NULL;
  g_autoptr (GError) error = NULL, read_error = NULL;
  g_autofree char *names = NULL;

  ward_keyring_remove_async (fixture->keyring, key, test_keyring_keep, &first);
  ward_keyring_set_label_async (fixture->keyring, key, "post", test_keyring_keep, &second);
  removed = test_keyring_finish (fixture, &first, NULL);
  g_assert_cmpstr (removed->id, ==, key->id);
  g_assert_null (test_keyring_finish (fixture, &second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND);
  ward_keyring_read_async (fixture->keyring, key, test_keyring_keep, &read);
  test_keyring_wait (&read);
  g_assert_null (ward_keyring_read_finish (fixture->keyring, read, &read_error));
  g_assert_error (read_error, WARD_ERROR, WARD_ERROR_NOT_FOUND);
  test_keyring_assert_labels (fixture, ALICE, "");
  names = test_state_list (fixture->state_dir);
  g_assert_cmpstr (names, ==, "");
}

static void
assert_reads (TestKeyring *fixture, WardKey *key, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = test_keyring_read (fixture, key, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), text, strlen (text));
}

/* Also by who still has the key as it was before its private half was replaced. */
static void
test_read (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (GBytes) private_half = test_private_half ("another");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardKey) changed = NULL;

  assert_reads (fixture, key, "mail");
  ward_keyring_set_private_async (fixture->keyring, key, private_half, TRUE, test_keyring_keep, &result);
  changed = test_keyring_finish (fixture, &result, NULL);
  assert_reads (fixture, changed, "another");
  assert_reads (fixture, key, "another");
}

/* Of two changes of the same private half one is refused, so that nobody is told of an auth value that the key has not.
 */
static void
test_private_half_is_replaced_once (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (GBytes) one = test_private_half ("one");
  g_autoptr (GBytes) other = test_private_half ("other");
  g_autoptr (GAsyncResult) first = NULL, second = NULL;
  g_autoptr (WardKey) changed = NULL;
  g_autoptr (GError) error = NULL;

  ward_keyring_set_private_async (fixture->keyring, key, one, TRUE, test_keyring_keep, &first);
  ward_keyring_set_private_async (fixture->keyring, key, other, TRUE, test_keyring_keep, &second);
  changed = test_keyring_finish (fixture, &first, NULL);
  g_assert_nonnull (changed);
  g_assert_null (test_keyring_finish (fixture, &second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  assert_reads (fixture, changed, "one");
}

static void
test_no_keys (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (test_keyring_prepare (fixture, 61184, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  test_keyring_assert_refused (fixture, 65534, "x", WARD_ERROR_NOT_SUPPORTED);
  g_assert_null (ward_keyring_list (fixture->keyring, TPM, 65519, NULL));
  g_assert_null (ward_keyring_find (fixture->keyring, TPM, 65519, "x", NULL));
}

static void
test_no_room (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) reservations = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_reservation_free);
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardReservation) bobs = NULL;

  for (guint i = 1; i < WARD_MAX_KEYS; i++)
    {
      g_autofree char *label = g_strdup_printf ("%u", i);

      g_ptr_array_add (reservations, ward_keyring_reserve (fixture->keyring, TPM, ALICE, label, NULL));
      g_assert_nonnull (reservations->pdata[i - 1]);
    }
  test_keyring_assert_refused (fixture, ALICE, "one more", WARD_ERROR_NO_SPACE);
  bobs = ward_keyring_reserve (fixture->keyring, TPM, BOB, "one more", NULL);
  g_assert_nonnull (bobs);
}

static void
test_uses (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "mail");
  g_autoptr (WardKey) renamed = NULL, found = NULL;
  g_autoptr (GAsyncResult) result = NULL;

  ward_keyring_note_use (fixture->keyring, key);
  ward_keyring_set_label_async (fixture->keyring, key, "post", test_keyring_keep, &result);
  ward_keyring_note_use (fixture->keyring, key);
  renamed = test_keyring_finish (fixture, &result, NULL);
  ward_keyring_note_use (fixture->keyring, key);
  g_assert_cmpuint (renamed->uses, ==, 3);
  ward_keyring_save_uses (fixture->keyring);
  test_keyring_restart (fixture);
  found = ward_keyring_find (fixture->keyring, TPM, ALICE, "post", NULL);
  g_assert_cmpuint (found->uses, ==, 3);
  g_assert_cmpuint (found->last_used, >=, found->created);
}

static void
test_no_store (void)
{
  TestKeyring fixture = { g_strdup ("/nonexistent/tpmward"), NULL, 0 };
  g_autoptr (GError) error = NULL;

  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*cannot be opened*");
  fixture.keyring = ward_keyring_new (fixture.state_dir, test_get_user_name);
  g_assert_false (test_keyring_prepare (&fixture, ALICE, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_test_assert_expected_messages ();
  test_keyring_assert_refused (&fixture, ALICE, "x", WARD_ERROR_FAILED);
  g_object_unref (fixture.keyring);
  g_free (fixture.state_dir);
}

#define ADD(path, func) g_test_add (path, TestKeyring, NULL, test_keyring_set_up, func, test_keyring_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/keyring/found", test_found);
  ADD ("/keyring/no-difference", test_no_difference);
  ADD ("/keyring/sorted", test_sorted);
  ADD ("/keyring/labels-once", test_labels_once);
  ADD ("/keyring/same-key", test_same_key);
  ADD ("/keyring/same-key-at-once", test_same_key_at_once);
  ADD ("/keyring/changes", test_changes);
  ADD ("/keyring/bad-changes", test_bad_changes);
  ADD ("/keyring/removed", test_removed);
  ADD ("/keyring/read", test_read);
  ADD ("/keyring/private-half-is-replaced-once", test_private_half_is_replaced_once);
  ADD ("/keyring/no-keys", test_no_keys);
  ADD ("/keyring/no-room", test_no_room);
  ADD ("/keyring/uses", test_uses);
  g_test_add_func ("/keyring/no-store", test_no_store);
  return g_test_run ();
}
