/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever ends a change of the store, and at whatever step, a key is afterwards as it was before or as it is after.
 * The calls by which the store changes names and waits for the disk are intercepted here: from one of them on, nothing
 * reaches the disk any more, as if the machine had lost its power. The real disk is not waited for. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test-store-fixture.h"
#include "test-tree.h"
#include "ward-error.h"

typedef enum
{
  NEVER,
  ENDS,  /* the calls from that step on are not made any more, and fail */
  FAILS, /* that one call fails */
} Fault;

static struct
{
  Fault fault;
  guint step; /* at which that is */
  guint now;  /* the steps until now */
  int code;   /* errno of what fails */
  char *disk; /* where what is surely on the disk is kept; NULL: nowhere */
  const char *folder;
} machine;

/* Whether the call is made. */
static gboolean
take_step (void)
{
  guint step = machine.now++;

  if ((machine.fault == ENDS && step >= machine.step) || (machine.fault == FAILS && step == machine.step))
    {
      errno = machine.code;
      return FALSE;
    }
  return TRUE;
}

/* Keeps a copy of the folder, in place of the one before. */
static void
keep_copy (void)
{
  g_autoptr (GDir) dir = g_dir_open (machine.folder, 0, NULL);
  const char *name;

  test_tree_remove (machine.disk);
  g_assert_cmpint (g_mkdir (machine.disk, 0700), ==, 0);
  while (dir && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *from = g_build_filename (machine.folder, name, NULL);
      g_autofree char *to = g_build_filename (machine.disk, name, NULL);
      g_autofree char *text = NULL;
      gsize size;

      g_assert_true (g_file_get_contents (from, &text, &size, NULL));
      g_assert_true (g_file_set_contents_full (to, text, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
}

int
fsync (int fd)
{
  struct stat status, folder;

  if (!take_step () || fstat (fd, &status) != 0)
    return -1;
  if (machine.disk && stat (machine.folder, &folder) == 0 && status.st_ino == folder.st_ino
      && status.st_dev == folder.st_dev)
    keep_copy ();
  return 0;
}

int
renameat (int from_fd, const char *from, int to_fd, const char *to)
{
  return take_step () ? (int)syscall (SYS_renameat2, from_fd, from, to_fd, to, 0) : -1;
}

int
unlinkat (int fd, const char *name, int flags)
{
  return take_step () ? (int)syscall (SYS_unlinkat, fd, name, flags) : -1;
}

/* How a key is: NULL for one that is not there. */
typedef struct
{
  const char *label;
  const char *private_half;
} State;

typedef struct
{
  const char *name;
  State before;
  State after;
} Operation;

static const Operation operations[] = {
  { "add", { NULL, NULL }, { "mail", "first" } },
  { "relabel", { "mail", "first" }, { "post", "first" } },
  { "replace", { "mail", "first" }, { "mail", "second" } },
  { "remove", { "mail", "first" }, { NULL, NULL } },
};

typedef struct
{
  char *state_dir;
  char *folder;
  WardKey *key; /* as it was put last */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->state_dir = test_state_new ();
  fixture->folder = test_state_get_path (fixture->state_dir, NULL);
  fixture->key = test_key_new ();
  fixture->key->uid = ALICE;
  machine.folder = fixture->folder;
  machine.disk = test_state_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  test_state_free (g_steal_pointer (&machine.disk));
  test_state_free (fixture->state_dir);
  ward_key_unref (fixture->key);
  g_free (fixture->folder);
}

/* From one state to another. */
static gboolean
change (Fixture *fixture, WardStore *store, const State *from, const State *to, GError **error)
{
  g_autoptr (GBytes) private_half = NULL;

  if (!to->label)
    return ward_store_remove (store, fixture->key, error);
  private_half = test_private_half (to->private_half);
  g_free (fixture->key->label);
  fixture->key->label = g_strdup (to->label);
  g_free (fixture->key->digest);
  fixture->key->digest = ward_store_get_digest (private_half);
  return ward_store_put (store, fixture->key, g_strcmp0 (from->private_half, to->private_half) ? private_half : NULL,
                         error);
}

static WardStore *
open_store (Fixture *fixture, GPtrArray **keys)
{
  g_autoptr (WardStore) store = ward_store_new (fixture->state_dir);
  g_autoptr (WardStoreContents) contents = ward_store_load (store, NULL);

  g_assert_nonnull (contents);
  g_assert_cmpuint (contents->damages->len, ==, 0);
  if (keys)
    *keys = g_ptr_array_ref (contents->keys);
  return g_steal_pointer (&store);
}

static gboolean
is_in_state (Fixture *fixture, const State *state)
{
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (WardStore) store = open_store (fixture, &keys);
  g_autofree char *names = test_state_list (fixture->state_dir);
  g_autofree char *expected = g_strdup_printf ("%s.meta %s.pem", fixture->key->id, fixture->key->id);
  g_autoptr (GBytes) bytes = NULL;

  g_assert_cmpstr (names, ==, keys->len ? expected : "");
  if (!keys->len || !state->label)
    return !keys->len && !state->label;
  bytes = ward_store_read (store, keys->pdata[0], NULL);
  g_assert_nonnull (bytes);
  return g_str_equal (((WardKey *)keys->pdata[0])->label, state->label)
         && g_bytes_get_size (bytes) == strlen (state->private_half)
         && memcmp (g_bytes_get_data (bytes, NULL), state->private_half, g_bytes_get_size (bytes)) == 0;
}

/* Does the operation on a sound store, with the fault at that step. FALSE when it has fewer steps. */
static gboolean
run (Fixture *fixture, const Operation *operation, Fault fault, guint step, gboolean *done, GError **error)
{
  static const State nothing;
  g_autoptr (WardStore) store = NULL;

  if (g_file_test (fixture->folder, G_FILE_TEST_EXISTS))
    test_tree_remove (fixture->folder);
  g_assert_true (g_mkdir_with_parents (fixture->folder, 0700) == 0);
  store = open_store (fixture, NULL);
  if (operation->before.label)
    {
      gboolean is_there = change (fixture, store, &nothing, &operation->before, NULL);

      g_assert_true (is_there);
    }
  keep_copy ();
  machine.fault = fault;
  machine.step = step;
  machine.now = 0;
  *done = change (fixture, store, &operation->before, &operation->after, error);
  machine.fault = NEVER;
  return machine.now > step;
}

/* What is on the disk for sure takes the place of what was only in memory. */
static void
lose_power (Fixture *fixture)
{
  test_tree_remove (fixture->folder);
  g_assert_cmpint (g_rename (machine.disk, fixture->folder), ==, 0);
  g_assert_cmpint (g_mkdir (machine.disk, 0700), ==, 0);
}

static void
test_ends (Fixture *fixture, gconstpointer data)
{
  const Operation *operation = data;
  gboolean done;

  machine.code = EIO;
  for (guint step = 0; run (fixture, operation, ENDS, step, &done, NULL); step++)
    {
      gboolean is_after = is_in_state (fixture, &operation->after);

      g_test_message ("ended at step %u: %s, %s", step, done ? "acknowledged" : "not acknowledged",
                      is_after ? "done" : "not done");
      g_assert_true (is_after || (!done && is_in_state (fixture, &operation->before)));
    }
  g_assert_true (done);
}

static void
test_power (Fixture *fixture, gconstpointer data)
{
  const Operation *operation = data;
  gboolean done = FALSE;
  guint step = 0;

  machine.code = EIO;
  while (run (fixture, operation, ENDS, step++, &done, NULL))
    {
      lose_power (fixture);
      g_assert_true (is_in_state (fixture, &operation->after) || (!done && is_in_state (fixture, &operation->before)));
    }
  /* right after the acknowledgement */
  g_assert_true (done && step > 2);
  lose_power (fixture);
  g_assert_true (is_in_state (fixture, &operation->after));
}

/* One call that fails is an error, and has changed nothing; or it is done all the same. */
static void
test_fails (Fixture *fixture, gconstpointer data)
{
  const Operation *operation = data;
  static const struct
  {
    int code;
    int error;
  } codes[] = { { ENOSPC, WARD_ERROR_NO_SPACE }, { EDQUOT, WARD_ERROR_NO_SPACE }, { EIO, WARD_ERROR_FAILED } };
  gboolean done;

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    for (guint step = 0;; step++)
      {
        g_autoptr (GError) error = NULL;

        machine.code = codes[i].code;
        if (!run (fixture, operation, FAILS, step, &done, &error))
          break;
        g_assert_true (is_in_state (fixture, done ? &operation->after : &operation->before));
        if (!done)
          g_assert_error (error, WARD_ERROR, codes[i].error);
      }
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*func) (Fixture *fixture, gconstpointer data);
  } faults[] = { { "ends", test_ends }, { "power", test_power }, { "fails", test_fails } };

  g_test_init (&argc, &argv, NULL);
  /* it is told of that something is left for the next start */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    for (guint n = 0; n < G_N_ELEMENTS (operations); n++)
      {
        g_autofree char *path = g_strdup_printf ("/store/%s/%s", faults[i].name, operations[n].name);

        g_test_add (path, Fixture, &operations[n], set_up, faults[i].func, tear_down);
      }
  return g_test_run ();
}
