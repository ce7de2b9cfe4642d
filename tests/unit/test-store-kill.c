/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that changes keys of two users all the time is killed at random moments, 200 times. After each, what it had
 * acknowledged is there, what it was at is as it was or as it was to be, and there is nothing else. */
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test-store-fixture.h"
#include "ward-error.h"
#include "ward-keyring.h"

#define ROUNDS 200
/* The longest life of a process after its start or the load, in microseconds: at first, and at most. It becomes longer
 * and shorter so that some changes are done in it, however fast this machine is just now. */
#define FIRST_LIFE 12000
#define LONGEST_LIFE 400000
#define FEW_CHANGES 2
#define MANY_CHANGES 10
#define N_USERS 2
/* A user with so many keys deletes one. */
#define MANY 12
#define CHILD "--child"

/* The process that is killed. */

typedef struct
{
  guint32 uid;
  WardKeyring *keyring;
  GRand *random;
  guint life; /* from when the keys are loaded, in microseconds; 0: another decides */
} User;

/* A line for the parent, in one piece. */
G_GNUC_PRINTF (1, 2)
static void
say (const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list arguments;

  va_start (arguments, format);
  line = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (write (STDOUT_FILENO, line, strlen (line)) < 0)
    exit (1);
}

static void begin (User *user);

static void
on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  User *user = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKey) key = ward_keyring_change_finish (user->keyring, result, &error);

  say ("%s %u\n", error ? "refused" : "done", user->uid);
  begin (user);
}

/* “may ID PRIVATE LABEL” is how the key may be after this; without a label it may be gone. */
static void
may_become (const User *user, const char *id, GBytes *private_half, const char *label)
{
  g_autofree char *digest = private_half ? ward_store_get_digest (private_half) : g_strdup ("-");

  say ("may %u %s %s %s\n", user->uid, id, digest, label);
}

static char *
make_text (const User *user, const char *what)
{
  return g_strdup_printf ("%s %08x", what, g_rand_int (user->random));
}

static void
add (User *user)
{
  g_autofree char *label = make_text (user, "label");
  g_autofree char *text = make_text (user, "private half");
  g_autoptr (GBytes) private_half = test_private_half (text);
  g_autoptr (WardKey) key = test_key_new ();
  WardReservation *reservation = ward_keyring_reserve (user->keyring, "tpm0", user->uid, label, NULL);

  key->imported = g_rand_boolean (user->random);
  may_become (user, key->id, private_half, label);
  ward_keyring_add_async (user->keyring, reservation, key, private_half, on_changed, user);
}

static void
change (User *user, WardKey *key)
{
  g_autofree char *text = make_text (user, "changed");
  g_autoptr (GBytes) private_half = test_private_half (text);

  switch (g_rand_int_range (user->random, 0, 3))
    {
    case 0:
      say ("may %u %s %s %s\n", user->uid, key->id, key->digest, text);
      ward_keyring_set_label_async (user->keyring, key, text, on_changed, user);
      return;
    case 1:
      may_become (user, key->id, private_half, key->label);
      ward_keyring_set_private_async (user->keyring, key, private_half, TRUE, on_changed, user);
      return;
    default:
      may_become (user, key->id, NULL, "");
      ward_keyring_remove_async (user->keyring, key, on_changed, user);
    }
}

static void
begin (User *user)
{
  g_autoptr (GPtrArray) keys = ward_keyring_list (user->keyring, "tpm0", user->uid, NULL);

  if (keys->len < 2 || (keys->len < MANY && g_rand_boolean (user->random)))
    add (user);
  else
    change (user, keys->pdata[g_rand_int_range (user->random, 0, (gint32)keys->len)]);
}

/* By the kernel, at that time from now, which is less than a second. */
static void
be_killed (guint microseconds)
{
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
  struct itimerspec when = { .it_value = { .tv_nsec = (long)microseconds * 1000 } };
  timer_t timer;

  if (timer_create (CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime (timer, 0, &when, NULL) != 0)
    exit (1);
}

static void
on_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  User *user = user_data;

  if (!ward_keyring_prepare_finish (WARD_KEYRING (source), result, NULL))
    exit (1);
  if (user->life)
    be_killed (user->life);
  begin (user);
}

static char *
get_user_name (guint32 uid, GError **error)
{
  return g_strdup ("somebody");
}

static int
run_child (const char *state_dir, guint32 seed, guint longest_life)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (WardKeyring) keyring = ward_keyring_new (state_dir, get_user_name);
  User users[N_USERS];
  guint life;

  for (guint i = 0; i < N_USERS; i++)
    {
      users[i] = (User){ ALICE + i, keyring, g_rand_new_with_seed (seed + i), 0 };
      ward_keyring_prepare_async (keyring, ALICE + i, on_ready, &users[i]);
    }
  life = (guint)g_rand_int_range (users[0].random, 1, (gint32)longest_life);
  /* also while it loads what the one before has left */
  if (seed % 8 == 0)
    be_killed (life);
  else
    users[0].life = life;
  g_main_loop_run (loop);
  return 0;
}

/* The parent. */

/* What is known of the keys by what was said: “uid id” → “digest label”. */
typedef struct
{
  GHashTable *keys;
  char *change[N_USERS]; /* what a user's key may become: “uid id digest label”; NULL: nothing is under way */
  guint acknowledged;
  guint interrupted;
  guint longest_life; /* of the next process */
} Model;

#define ID_SIZE (4 + 1 + WARD_KEY_ID_LENGTH)

/* What may be, is. */
static void
settle (Model *model, guint user)
{
  g_autofree char *change = g_steal_pointer (&model->change[user]);
  g_autofree char *key = g_strndup (change, ID_SIZE);
  const char *value = change + ID_SIZE + 1;

  if (*value == '-')
    g_hash_table_remove (model->keys, key);
  else
    g_hash_table_insert (model->keys, g_steal_pointer (&key), g_strdup (value));
}

static void
hear (Model *model, const char *line)
{
  const char *about = strchr (line, ' ') + 1;
  guint user = (guint)strtoul (about, NULL, 10) - ALICE;

  g_assert_cmpuint (user, <, N_USERS);
  if (g_str_has_prefix (line, "may "))
    {
      g_assert_null (model->change[user]);
      model->change[user] = g_strdup (about);
      return;
    }
  g_assert_true (g_str_has_prefix (line, "done "));
  model->acknowledged++;
  settle (model, user);
}

/* Whether the keys are as the change under way would have made them. */
static gboolean
is_made (const Model *model, guint user, GHashTable *found)
{
  const char *change = model->change[user];
  g_autofree char *key = g_strndup (change, ID_SIZE);
  const char *value = change + ID_SIZE + 1;
  const char *now = g_hash_table_lookup (found, key);

  return *value == '-' ? !now : g_strcmp0 (now, value) == 0;
}

static GHashTable *
find_keys (const char *state_dir)
{
  g_autoptr (WardStore) store = ward_store_new (state_dir);
  g_autoptr (WardStoreContents) contents = ward_store_load (store, NULL);
  GHashTable *found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  g_assert_cmpuint (contents->damages->len, ==, 0);
  for (guint i = 0; i < contents->keys->len; i++)
    {
      const WardKey *key = contents->keys->pdata[i];
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = ward_store_read (store, key, &error);

      g_assert_no_error (error);
      g_hash_table_insert (found, g_strdup_printf ("%u %s", key->uid, key->id),
                           g_strdup_printf ("%s %s", key->digest, key->label));
    }
  return found;
}

static void
assert_no_leftovers (const char *state_dir)
{
  for (guint i = 0; i < N_USERS; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/" PARENT "/%u", state_dir, ALICE + i);
      g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
      const char *name;

      while (dir && (name = g_dir_read_name (dir)) != NULL)
        g_assert_true (g_str_has_suffix (name, ".meta") || g_str_has_suffix (name, ".pem"));
    }
}

static void
check (Model *model, const char *state_dir)
{
  g_autoptr (GHashTable) found = find_keys (state_dir);
  GHashTableIter iter;
  gpointer key, value;

  for (guint i = 0; i < N_USERS; i++)
    {
      if (!model->change[i])
        continue;
      model->interrupted++;
      if (is_made (model, i, found))
        settle (model, i);
      g_clear_pointer (&model->change[i], g_free);
    }
  g_hash_table_iter_init (&iter, model->keys);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_assert_cmpstr (g_hash_table_lookup (found, key), ==, value);
  g_assert_cmpuint (g_hash_table_size (found), ==, g_hash_table_size (model->keys));
  assert_no_leftovers (state_dir);
}

static void
run_round (Model *model, const char *state_dir, guint32 seed)
{
  g_autofree char *seed_text = g_strdup_printf ("%u", seed);
  g_autofree char *life_text = g_strdup_printf ("%u", model->longest_life);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) child = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "/proc/self/exe", CHILD,
                                                    state_dir, seed_text, life_text, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  guint before = model->acknowledged;

  g_assert_no_error (error);
  g_assert_true (g_subprocess_communicate_utf8 (child, NULL, NULL, &text, NULL, &error));
  g_assert_true (g_subprocess_get_if_signaled (child));
  g_assert_cmpint (g_subprocess_get_term_sig (child), ==, SIGKILL);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++)
    hear (model, lines[i]);
  if (model->acknowledged - before < FEW_CHANGES)
    model->longest_life = MIN (2 * model->longest_life, LONGEST_LIFE);
  else if (model->acknowledged - before > MANY_CHANGES)
    model->longest_life = MAX (model->longest_life / 2, FIRST_LIFE);
}

static void
test_kill (void)
{
  Model model = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free), { NULL }, 0, 0, FIRST_LIFE };
  char *state_dir = test_state_new ();

  for (guint i = 0; i < ROUNDS; i++)
    {
      run_round (&model, state_dir, (guint32)g_test_rand_int ());
      check (&model, state_dir);
    }
  g_test_message ("%u changes were acknowledged, and %u interrupted", model.acknowledged, model.interrupted);
  g_assert_cmpuint (model.acknowledged, >, ROUNDS / 10);
  g_assert_cmpuint (model.interrupted, >, ROUNDS / 10);
  g_hash_table_unref (model.keys);
  test_state_free (state_dir);
}

int
main (int argc, char **argv)
{
  if (argc == 5 && g_str_equal (argv[1], CHILD))
    return run_child (argv[2], (guint32)strtoul (argv[3], NULL, 10), (guint)strtoul (argv[4], NULL, 10));
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/kill", test_kill);
  return g_test_run ();
}
