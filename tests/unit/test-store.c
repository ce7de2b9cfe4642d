/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store keeps, and what it finds when it is opened. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "test-store-fixture.h"
#include "ward-error.h"
#include "ward-key-public.h"

#define MANY 10000

static void
assert_mode (const char *path, guint mode)
{
  struct stat status;

  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, mode);
}

static void
test_put (TestStore *fixture, gconstpointer data)
{
  g_autofree char *meta = test_store_get_path (fixture, ".meta");
  g_autofree char *pem = test_store_get_path (fixture, ".pem");
  g_autofree char *owner = g_path_get_dirname (pem);
  g_autofree char *parent = g_path_get_dirname (owner);

  test_store_assert_only_key (fixture, "mail", "the private half\n");
  assert_mode (meta, 0600);
  assert_mode (pem, 0600);
  assert_mode (owner, 0700);
  assert_mode (parent, 0700);
}

static WardKey *
relabel (const WardKey *key, const char *label)
{
  WardKey *copy = ward_key_copy (key);

  g_free (copy->label);
  copy->label = g_strdup (label);
  return copy;
}

static void
test_put_again (TestStore *fixture, gconstpointer data)
{
  g_autoptr (WardKey) renamed = relabel (fixture->key, "post");
  g_autoptr (GBytes) other = test_private_half ("another");

  test_store_put (fixture, renamed, NULL);
  test_store_assert_only_key (fixture, "post", "the private half\n");
  g_free (renamed->digest);
  renamed->digest = ward_store_get_digest (other);
  test_store_put (fixture, renamed, other);
  test_store_assert_only_key (fixture, "post", "another");
}

static void
test_remove (TestStore *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *names = NULL;

  ward_store_remove (fixture->store, fixture->key, &error);
  g_assert_no_error (error);
  names = test_state_list (fixture->state_dir);
  g_assert_cmpstr (names, ==, "");
  g_assert_false (ward_store_remove (fixture->store, fixture->key, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  test_store_restart (fixture);
  g_assert_cmpuint (fixture->contents->keys->len, ==, 0);
}

/* The same key of two users, the system's, and beneath another parent, are four keys. */
static void
test_places (TestStore *fixture, gconstpointer data)
{
  g_autoptr (WardKey) bobs = ward_key_copy (fixture->key), systems = ward_key_copy (fixture->key),
                      elsewhere = ward_key_copy (fixture->key);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  bobs->uid = 1001;
  systems->uid = WARD_UID_SYSTEM;
  g_free (elsewhere->parent_name);
  elsewhere->parent_name = g_strdup (OTHER_PARENT);
  test_store_put (fixture, bobs, fixture->private_half);
  test_store_put (fixture, systems, fixture->private_half);
  test_store_put (fixture, elsewhere, fixture->private_half);
  ward_store_remove (fixture->store, fixture->key, NULL);
  test_store_restart (fixture);
  g_assert_cmpuint (fixture->contents->damages->len, ==, 0);
  for (guint i = 0; i < fixture->contents->keys->len; i++)
    {
      const WardKey *key = fixture->contents->keys->pdata[i];

      g_hash_table_add (seen, g_strdup_printf ("%u %s", key->uid, key->parent_name));
    }
  g_assert_cmpuint (g_hash_table_size (seen), ==, 3);
  g_assert_true (g_hash_table_contains (seen, "1001 " PARENT));
  g_assert_true (g_hash_table_contains (seen, "4294967295 " PARENT));
  g_assert_true (g_hash_table_contains (seen, "1000 " OTHER_PARENT));
}

static void
test_uses (TestStore *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autofree char *path = test_state_get_path (fixture->state_dir, "uses");
  const WardKey *key;

  fixture->key->uses = 7;
  fixture->key->last_used = 100;
  test_store_restart (fixture);
  g_ptr_array_set_size (fixture->contents->keys, 0);
  g_ptr_array_add (fixture->contents->keys, ward_key_ref (fixture->key));
  text = ward_store_print_uses (fixture->contents->keys, PARENT);
  g_assert_true (ward_store_put_uses (fixture->store, PARENT, ALICE, text, NULL));
  test_store_restart (fixture);
  key = fixture->contents->keys->pdata[0];
  g_assert_cmpuint (key->uses, ==, 7);
  g_assert_cmpuint (key->last_used, ==, 100);

  /* what makes no sense, or was before the key, is nothing */
  g_assert_true (g_file_set_contents (path, "x\n\n1 2 3\nz z z\n", -1, NULL));
  test_store_restart (fixture);
  g_assert_cmpuint (((WardKey *)fixture->contents->keys->pdata[0])->uses, ==, 0);
  g_free (text);
  text = g_strdup_printf ("%s 7 4\n", fixture->key->id);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  test_store_restart (fixture);
  g_assert_cmpuint (((WardKey *)fixture->contents->keys->pdata[0])->uses, ==, 0);
  g_assert_cmpuint (fixture->contents->damages->len, ==, 0);
}

static void
test_too_large (TestStore *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (WARD_MAX_PRIVATE_SIZE + 1, 'x');
  g_autoptr (GBytes) large = test_private_half (text);
  g_autoptr (GError) error = NULL;

  g_assert_false (ward_store_put (fixture->store, fixture->key, large, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  test_store_assert_only_key (fixture, "mail", "the private half\n");
}

/* What a crash leaves, by the names of files and what the next start makes of them. */

static void
copy (TestStore *fixture, const char *from, const char *to)
{
  g_autofree char *source = test_store_get_path (fixture, from);
  g_autofree char *target = test_store_get_path (fixture, to);
  g_autofree char *text = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (source, &text, &size, NULL));
  g_assert_true (g_file_set_contents (target, text, size, NULL));
}

static void
move (TestStore *fixture, const char *from, const char *to)
{
  g_autofree char *source = test_store_get_path (fixture, from);
  g_autofree char *target = test_store_get_path (fixture, to);

  g_assert_cmpint (g_rename (source, target), ==, 0);
}

static void
write_file (TestStore *fixture, const char *suffix, const char *text)
{
  g_autofree char *path = test_store_get_path (fixture, suffix);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
assert_nothing (TestStore *fixture)
{
  g_autofree char *names = NULL;

  test_store_restart (fixture);
  g_assert_cmpuint (fixture->contents->keys->len, ==, 0);
  g_assert_cmpuint (fixture->contents->damages->len, ==, 0);
  names = test_state_list (fixture->state_dir);
  g_assert_cmpstr (names, ==, "");
}

static void
test_half_put (TestStore *fixture, gconstpointer data)
{
  move (fixture, ".pem", ".pem.new");
  copy (fixture, ".meta", ".meta.new");
  write_file (fixture, ".meta.new", "half a fi");
  test_store_assert_only_key (fixture, "mail", "the private half\n");
  copy (fixture, ".meta", ".meta.new");
  write_file (fixture, ".pem.new", "of the change that did not come to be");
  test_store_assert_only_key (fixture, "mail", "the private half\n");
  /* of a key that was to be */
  move (fixture, ".pem", ".pem.new");
  move (fixture, ".meta", ".meta.new");
  assert_nothing (fixture);
}

static void
test_half_removed (TestStore *fixture, gconstpointer data)
{
  move (fixture, ".meta", ".meta.gone");
  assert_nothing (fixture);
  test_store_put (fixture, fixture->key, fixture->private_half);
  /* made again, after a deletion that could not be ended */
  copy (fixture, ".meta", ".meta.gone");
  test_store_assert_only_key (fixture, "mail", "the private half\n");
}

/* The start of the service that finds this comes before the end of the former. */
static gpointer
load_in_thread (gpointer data)
{
  g_autoptr (WardStore) store = ward_store_new (data);
  g_autoptr (WardStoreContents) contents = ward_store_load (store, NULL);

  return GUINT_TO_POINTER (contents->keys->len);
}

static void
test_one_at_a_time (TestStore *fixture, gconstpointer data)
{
  g_autoptr (WardKey) second = test_key_new_full ("second", fixture->private_half);
  GThread *thread = g_thread_new ("next", load_in_thread, fixture->state_dir);

  test_store_put (fixture, second, fixture->private_half);
  g_clear_pointer (&fixture->store, ward_store_free); /* ends */
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 2);
}

/* Another key without the time that it takes to make one: the store does not look at what a public key says. */
static void
number (WardKey *key, guint n)
{
  gsize size;
  guint8 *data = g_bytes_unref_to_data (g_steal_pointer (&key->public_key), &size);

  memcpy (data + size - sizeof n, &n, sizeof n);
  key->public_key = g_bytes_new_take (data, size);
  g_free (key->id);
  key->id = ward_key_public_get_id (key->public_key);
}

static void
write_text (const char *path, const char *text)
{
  int fd = g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
  g_assert_true (g_close (fd, NULL));
}

/* Written here as they are on disk, since making each durable takes its time. */
static void
fill (const char *state_dir, guint n_users, guint n_keys)
{
  g_autoptr (GBytes) private_half = test_private_half ("private");
  g_autoptr (WardKey) key = test_key_new_full ("label", private_half);

  for (guint user = 0; user < n_users; user++)
    {
      g_autofree char *folder = g_strdup_printf ("%s/" PARENT "/%u", state_dir, ALICE + user);

      g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
      for (guint i = 0; i < n_keys; i++)
        {
          g_autofree char *meta = NULL;
          g_autofree char *pem = NULL;
          g_autofree char *text = NULL;

          number (key, user * n_keys + i);
          key->uid = ALICE + user;
          meta = g_strconcat (folder, "/", key->id, ".meta", NULL);
          pem = g_strconcat (folder, "/", key->id, ".pem", NULL);
          text = ward_key_print (key, NULL);
          write_text (meta, text);
          write_text (pem, "private");
        }
    }
}

static void
test_many (TestStore *fixture, gconstpointer data)
{
  guint n_users = GPOINTER_TO_UINT (data);
  gint64 began;
  clock_t cpu;

  ward_store_remove (fixture->store, fixture->key, NULL);
  fill (fixture->state_dir, n_users, MANY / n_users);
  began = g_get_monotonic_time ();
  cpu = clock ();
  test_store_restart (fixture);
  g_test_message ("%u users with %u keys each: loaded in %.1f ms, for which the processor worked %.1f ms", n_users,
                  MANY / n_users, (double)(g_get_monotonic_time () - began) / 1000,
                  (double)(clock () - cpu) * 1000 / CLOCKS_PER_SEC);
  g_assert_cmpuint (fixture->contents->keys->len, ==, MANY);
  g_assert_cmpuint (fixture->contents->damages->len, ==, 0);
}

#define ADD(path, func) g_test_add (path, TestStore, NULL, test_store_set_up, func, test_store_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/store/put", test_put);
  ADD ("/store/put-again", test_put_again);
  ADD ("/store/remove", test_remove);
  ADD ("/store/places", test_places);
  ADD ("/store/uses", test_uses);
  ADD ("/store/too-large", test_too_large);
  ADD ("/store/half-put", test_half_put);
  ADD ("/store/half-removed", test_half_removed);
  ADD ("/store/one-at-a-time", test_one_at_a_time);
  g_test_add ("/store/many/of-one-user", TestStore, GUINT_TO_POINTER (1), test_store_set_up, test_many,
              test_store_tear_down);
  g_test_add ("/store/many/of-many-users", TestStore, GUINT_TO_POINTER (1000), test_store_set_up, test_many,
              test_store_tear_down);
  return g_test_run ();
}
