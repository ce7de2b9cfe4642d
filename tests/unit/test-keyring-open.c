/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys as a TPM loads them: from the disk once, and then from memory. */
#include <glib/gstdio.h>
#include <string.h>

#include "test-keyring-fixture.h"
#include "ward-error.h"
#include "ward-key-pem.h"

/* How many the keyring has in memory. */
#define N_OPEN 256

static GBytes *
wrapped_text (const char *private_area)
{
  g_autoptr (WardWrappedKey) wrapped = ward_sealed_new ();
  char *text;

  wrapped->parent = WARD_SRK_HANDLE;
  wrapped->public_area = g_bytes_new_static ("public", 6);
  wrapped->private_area = g_bytes_new (private_area, strlen (private_area));
  text = ward_key_pem_print (wrapped);
  return g_bytes_new_take (text, strlen (text));
}

/* A key whose private half has its label inside. pcr: to which it is bound, or G_MAXUINT. */
static WardKey *
add (TestKeyring *fixture, guint32 uid, const char *label, WardKey *key, guint pcr)
{
  g_autoptr (GBytes) private_half = wrapped_text (label);
  g_autoptr (GAsyncResult) result = NULL;
  WardKey *added;

  if (pcr != G_MAXUINT)
    {
      WardPcrBank *bank = ward_pcr_bank_new ("sha256");

      bank->values.mask = 1u << pcr;
      bank->values.digest_size = 32;
      g_ptr_array_unref (key->pcrs);
      key->pcrs = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);
      g_ptr_array_add (key->pcrs, bank);
    }
  ward_keyring_add_async (fixture->keyring, ward_keyring_reserve (fixture->keyring, TPM, uid, label, NULL), key,
                          private_half, test_keyring_keep, &result);
  added = test_keyring_finish (fixture, &result, NULL);
  g_assert_nonnull (added);
  return added;
}

static WardWrappedKey *
open_key (TestKeyring *fixture, WardKey *key, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_keyring_open_async (fixture->keyring, key, test_keyring_keep, &result);
  test_keyring_wait (&result);
  return ward_keyring_open_finish (fixture->keyring, result, error);
}

static void
assert_private (const WardWrappedKey *wrapped, const char *expected)
{
  g_assert_nonnull (wrapped);
  g_assert_cmpmem (g_bytes_get_data (wrapped->private_area, NULL), g_bytes_get_size (wrapped->private_area), expected,
                   strlen (expected));
}

static void
assert_peek (TestKeyring *fixture, const WardKey *key, const char *expected)
{
  g_autoptr (WardWrappedKey) wrapped = ward_keyring_peek (fixture->keyring, key);

  if (expected)
    assert_private (wrapped, expected);
  else
    g_assert_null (wrapped);
}

/* Where the private half is. Freed by the caller. */
static char *
get_path (TestKeyring *fixture, const WardKey *key)
{
  return g_strdup_printf ("%s/%s/%u/%s.pem", fixture->state_dir, key->parent_name, key->uid, key->id);
}

static void
test_from_memory (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) new_key = test_key_new ();
  g_autoptr (WardKey) key = add (fixture, ALICE, "mail", new_key, 7);
  g_autoptr (WardWrappedKey) wrapped = NULL;
  g_autofree char *path = get_path (fixture, key);

  assert_peek (fixture, key, NULL);
  wrapped = open_key (fixture, key, NULL);
  assert_private (wrapped, "mail");
  g_assert_cmpuint (wrapped->pcrs->len, ==, 1);
  g_assert_cmpuint (((WardPcrBank *)wrapped->pcrs->pdata[0])->values.mask, ==, 1u << 7);
  g_assert_cmpstr (wrapped->parent_name, ==, key->parent_name);
  g_assert_cmpint (g_unlink (path), ==, 0);
  assert_peek (fixture, key, "mail");
}

/* Two users' keys may have the same private half, and be bound to other PCRs. */
static void
test_apart (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) first = test_key_new ();
  g_autoptr (WardKey) second = ward_key_copy (first);
  g_autoptr (WardKey) alices = add (fixture, ALICE, "mail", first, 7);
  g_autoptr (WardKey) bobs = add (fixture, BOB, "mail", second, 8);
  g_autoptr (WardWrappedKey) wrapped = open_key (fixture, alices, NULL);
  g_autoptr (WardWrappedKey) other = NULL;

  g_assert_cmpstr (alices->digest, ==, bobs->digest);
  assert_peek (fixture, bobs, NULL);
  other = open_key (fixture, bobs, NULL);
  g_assert_cmpuint (((WardPcrBank *)other->pcrs->pdata[0])->values.mask, ==, 1u << 8);
}

static void
test_changed (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) new_key = test_key_new ();
  g_autoptr (WardKey) key = add (fixture, ALICE, "mail", new_key, G_MAXUINT);
  g_autoptr (WardWrappedKey) wrapped = open_key (fixture, key, NULL);
  g_autoptr (WardWrappedKey) again = NULL;
  g_autoptr (GBytes) private_half = wrapped_text ("another");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardKey) changed = NULL;

  ward_keyring_set_private_async (fixture->keyring, key, private_half, TRUE, test_keyring_keep, &result);
  changed = test_keyring_finish (fixture, &result, NULL);
  assert_peek (fixture, changed, NULL);
  again = open_key (fixture, changed, NULL);
  assert_private (again, "another");
  assert_peek (fixture, changed, "another");
}

static void
test_those_used_last (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_key_unref);

  for (guint i = 0; i <= N_OPEN; i++)
    {
      g_autofree char *label = g_strdup_printf ("key %u", i);
      g_autoptr (WardKey) key = test_key_new ();

      g_ptr_array_add (keys, add (fixture, ALICE, label, key, G_MAXUINT));
    }
  for (guint i = 0; i < N_OPEN; i++)
    ward_sealed_free (open_key (fixture, keys->pdata[i], NULL));
  assert_peek (fixture, keys->pdata[0], "key 0");
  ward_sealed_free (open_key (fixture, keys->pdata[N_OPEN], NULL));
  assert_peek (fixture, keys->pdata[0], "key 0");
  assert_peek (fixture, keys->pdata[1], NULL);
  assert_peek (fixture, keys->pdata[2], "key 2");
}

static void
test_failures (TestKeyring *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = test_keyring_add (fixture, ALICE, "no PEM");
  g_autoptr (WardKey) new_key = test_key_new ();
  g_autoptr (WardKey) removed = add (fixture, ALICE, "mail", new_key, G_MAXUINT);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardKey) gone = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (open_key (fixture, key, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
  g_clear_error (&error);
  ward_keyring_remove_async (fixture->keyring, removed, test_keyring_keep, &result);
  gone = test_keyring_finish (fixture, &result, NULL);
  g_assert_nonnull (gone);
  g_assert_null (open_key (fixture, removed, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND);
}

#define ADD(path, func) g_test_add (path, TestKeyring, NULL, test_keyring_set_up, func, test_keyring_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/keyring/open/from-memory", test_from_memory);
  ADD ("/keyring/open/apart", test_apart);
  ADD ("/keyring/open/changed", test_changed);
  ADD ("/keyring/open/those-used-last", test_those_used_last);
  ADD ("/keyring/open/failures", test_failures);
  return g_test_run ();
}
