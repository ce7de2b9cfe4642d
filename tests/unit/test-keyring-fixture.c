/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-keyring-fixture.h"

#include <string.h>

#include "ward-error.h"

const char *test_name_of_alice;

char *
test_get_user_name (guint32 uid, GError **error)
{
  const char *name = uid == ALICE ? test_name_of_alice : "bob";

  if (!name)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED, "no answer");
  return g_strdup (name);
}

static void
on_changed (WardKeyring *keyring, guint uid, gpointer user_data)
{
  ((TestKeyring *)user_data)->changes++;
}

void
test_keyring_keep (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

void
test_keyring_wait (GAsyncResult **result)
{
  while (!*result)
    g_main_context_iteration (NULL, TRUE);
}

gboolean
test_keyring_prepare (TestKeyring *fixture, guint32 uid, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_keyring_prepare_async (fixture->keyring, uid, test_keyring_keep, &result);
  test_keyring_wait (&result);
  return ward_keyring_prepare_finish (fixture->keyring, result, error);
}

void
test_keyring_let_go (WardKeyring **keyring)
{
  WardKeyring *rest = *keyring;

  if (!rest)
    return;
  /* a thread that has done its task for it may hold it a little longer */
  g_object_add_weak_pointer (G_OBJECT (rest), (gpointer *)&rest);
  g_clear_object (keyring);
  while (g_atomic_pointer_get (&rest))
    g_main_context_iteration (NULL, FALSE);
}

void
test_keyring_restart (TestKeyring *fixture)
{
  test_keyring_let_go (&fixture->keyring);
  fixture->keyring = ward_keyring_new (fixture->state_dir, test_get_user_name);
  g_signal_connect (fixture->keyring, "changed", G_CALLBACK (on_changed), fixture);
  g_assert_false (ward_keyring_is_ready (fixture->keyring, ALICE));
  g_assert_true (test_keyring_prepare (fixture, ALICE, NULL) && test_keyring_prepare (fixture, BOB, NULL)
                 && test_keyring_prepare (fixture, WARD_UID_SYSTEM, NULL));
}

void
test_keyring_set_up (TestKeyring *fixture, gconstpointer data)
{
  test_name_of_alice = "alice";
  fixture->state_dir = test_state_new ();
  test_keyring_restart (fixture);
}

void
test_keyring_tear_down (TestKeyring *fixture, gconstpointer data)
{
  test_keyring_let_go (&fixture->keyring);
  test_state_free (fixture->state_dir);
}

WardKey *
test_keyring_finish (TestKeyring *fixture, GAsyncResult **result, GError **error)
{
  WardKey *key;

  test_keyring_wait (result);
  key = ward_keyring_change_finish (fixture->keyring, *result, error);
  g_clear_object (result);
  return key;
}

WardKey *
test_keyring_add_key (TestKeyring *fixture, const char *tpm, guint32 uid, const char *label, WardKey *key,
                      GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) private_half = test_private_half (label);
  WardReservation *reservation = ward_keyring_reserve (fixture->keyring, tpm, uid, label, error);

  if (!reservation)
    return NULL;
  ward_keyring_add_async (fixture->keyring, reservation, key, private_half, test_keyring_keep, &result);
  return test_keyring_finish (fixture, &result, error);
}

WardKey *
test_keyring_add (TestKeyring *fixture, guint32 uid, const char *label)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKey) key = test_key_new ();
  WardKey *added = test_keyring_add_key (fixture, TPM, uid, label, key, &error);

  g_assert_no_error (error);
  return added;
}

GBytes *
test_keyring_read (TestKeyring *fixture, WardKey *key, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_keyring_read_async (fixture->keyring, key, test_keyring_keep, &result);
  test_keyring_wait (&result);
  return ward_keyring_read_finish (fixture->keyring, result, error);
}

void
test_keyring_assert_labels (TestKeyring *fixture, guint32 uid, const char *expected)
{
  g_autoptr (GPtrArray) keys = ward_keyring_list (fixture->keyring, TPM, uid, NULL);
  g_autoptr (GString) labels = g_string_new (NULL);

  for (guint i = 0; i < keys->len; i++)
    g_string_append_printf (labels, "%s%s", i ? "," : "", ((WardKey *)keys->pdata[i])->label);
  g_assert_cmpstr (labels->str, ==, expected);
}

void
test_keyring_assert_not_found (TestKeyring *fixture, const char *tpm, guint32 uid, const char *id_or_label)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_keyring_find (fixture->keyring, tpm, uid, id_or_label, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND);
}

void
test_keyring_assert_found (TestKeyring *fixture, guint32 uid, const char *id_or_label, const WardKey *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKey) key = ward_keyring_find (fixture->keyring, TPM, uid, id_or_label, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (key->id, ==, expected->id);
}

void
test_keyring_assert_refused (TestKeyring *fixture, guint32 uid, const char *label, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_keyring_reserve (fixture->keyring, TPM, uid, label, &error));
  g_assert_error (error, WARD_ERROR, code);
}

void
test_keyring_assert_usable (TestKeyring *fixture, const WardKey *key, int code, const char *part)
{
  g_autoptr (GError) error = NULL;

  if (code < 0)
    {
      g_assert_true (ward_keyring_check_usable (fixture->keyring, key, &error));
      return;
    }
  g_assert_false (ward_keyring_check_usable (fixture->keyring, key, &error));
  g_assert_error (error, WARD_ERROR, code);
  g_assert_nonnull (strstr (error->message, part));
}
