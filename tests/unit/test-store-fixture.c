/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-store-fixture.h"

#include <string.h>

#include "test-key-fixture.h"
#include "test-tree.h"

static void
set (char **member, const char *value)
{
  g_free (*member);
  *member = g_strdup (value);
}

WardKey *
test_key_new (void)
{
  WardKey *key = ward_key_new ();
  g_autoptr (Pkey) pkey = pkey_new_ecc ("prime256v1");
  g_autoptr (GBytes) public_key = pkey_to_public (pkey);

  g_assert_true (ward_key_set_public (key, public_key));
  key->algorithm = "ecc-p256";
  key->usage = WARD_KEY_SIGN;
  key->parent = WARD_SRK_HANDLE;
  set (&key->parent_name, PARENT);
  return key;
}

WardKey *
test_key_new_full (const char *label, GBytes *private_half)
{
  WardKey *key = test_key_new ();

  set (&key->label, label);
  set (&key->tpm, "tpm0");
  set (&key->user_name, "alice");
  key->uid = ALICE;
  key->created = 5;
  g_free (key->digest);
  key->digest = ward_store_get_digest (private_half);
  return key;
}

GBytes *
test_private_half (const char *text)
{
  return g_bytes_new (text, strlen (text));
}

char *
test_state_new (void)
{
  g_autoptr (GError) error = NULL;
  char *state_dir = g_dir_make_tmp ("tpmward-test-XXXXXX", &error);

  g_assert_no_error (error);
  return state_dir;
}

void
test_state_free (char *state_dir)
{
  test_tree_remove (state_dir);
  g_free (state_dir);
}

char *
test_state_get_path (const char *state_dir, const char *name)
{
  return g_build_filename (state_dir, PARENT, G_STRINGIFY (ALICE), name, NULL);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

char *
test_state_list (const char *state_dir)
{
  g_autofree char *path = test_state_get_path (state_dir, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **)names->pdata);
}

void
test_store_restart (TestStore *fixture)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&fixture->contents, ward_store_contents_free);
  g_clear_pointer (&fixture->store, ward_store_free);
  fixture->store = ward_store_new (fixture->state_dir);
  fixture->contents = ward_store_load (fixture->store, &error);
  g_assert_no_error (error);
}

void
test_store_put (TestStore *fixture, const WardKey *key, GBytes *private_half)
{
  g_autoptr (GError) error = NULL;

  ward_store_put (fixture->store, key, private_half, &error);
  g_assert_no_error (error);
}

void
test_store_set_up (TestStore *fixture, gconstpointer data)
{
  fixture->state_dir = test_state_new ();
  test_store_restart (fixture);
  fixture->private_half = test_private_half ("the private half\n");
  fixture->key = test_key_new_full ("mail", fixture->private_half);
  test_store_put (fixture, fixture->key, fixture->private_half);
}

void
test_store_tear_down (TestStore *fixture, gconstpointer data)
{
  ward_store_contents_free (fixture->contents);
  g_clear_pointer (&fixture->store, ward_store_free);
  ward_key_unref (fixture->key);
  g_bytes_unref (fixture->private_half);
  test_state_free (fixture->state_dir);
}

char *
test_store_get_path (TestStore *fixture, const char *suffix)
{
  g_autofree char *name = g_strconcat (fixture->key->id, suffix, NULL);

  return test_state_get_path (fixture->state_dir, name);
}

void
test_store_assert_only_key (TestStore *fixture, const char *label, const char *private_half)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *names = NULL;
  g_autofree char *expected = g_strdup_printf ("%s.meta %s.pem", fixture->key->id, fixture->key->id);
  WardKey *key;

  test_store_restart (fixture);
  g_assert_cmpuint (fixture->contents->damages->len, ==, 0);
  g_assert_cmpuint (fixture->contents->keys->len, ==, 1);
  key = fixture->contents->keys->pdata[0];
  g_assert_cmpstr (key->id, ==, fixture->key->id);
  g_assert_cmpstr (key->label, ==, label);
  bytes = ward_store_read (fixture->store, key, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), private_half, strlen (private_half));
  names = test_state_list (fixture->state_dir);
  g_assert_cmpstr (names, ==, expected);
}
