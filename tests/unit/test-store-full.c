/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A disk that is full: a small file system in memory, in a mount namespace of the test's own. */
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-store-fixture.h"
#include "ward-error.h"

#define DONE "all of it was tried"

static gboolean
mount_small (const char *path)
{
  return unshare (geteuid () == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) == 0
         && mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount ("tmpfs", path, "tmpfs", 0, "size=128k,mode=700") == 0;
}

static GPtrArray *
load (WardStore **store, const char *state_dir)
{
  g_autoptr (WardStoreContents) contents = NULL;

  g_clear_pointer (store, ward_store_free);
  *store = ward_store_new (state_dir);
  contents = ward_store_load (*store, NULL);
  g_assert_cmpuint (contents->damages->len, ==, 0);
  return g_ptr_array_ref (contents->keys);
}

/* Until there is no more room; how many there are. */
static guint
fill (WardStore *store, GBytes *private_half, WardKey **last)
{
  for (guint n = 0;; n++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WardKey) key = test_key_new_full ("x", private_half);

      if (!ward_store_put (store, key, private_half, &error))
        {
          g_assert_error (error, WARD_ERROR, WARD_ERROR_NO_SPACE);
          g_assert_nonnull (strstr (error->message, "Make room"));
          return n;
        }
      g_clear_pointer (last, ward_key_unref);
      *last = g_steal_pointer (&key);
    }
}

static void
test_in_namespace (const char *state_dir)
{
  g_autoptr (GBytes) private_half = test_private_half ("x");
  g_autoptr (WardStore) store = NULL;
  g_autoptr (WardKey) last = NULL;
  g_autoptr (GPtrArray) before = load (&store, state_dir);
  g_autoptr (GPtrArray) full = NULL, after = NULL;
  g_autoptr (GError) error = NULL;
  guint n = fill (store, private_half, &last);

  g_assert_cmpuint (before->len, ==, 0);
  g_assert_cmpuint (n, >, 3);
  /* nothing is lost, and nothing half */
  full = load (&store, state_dir);
  g_assert_cmpuint (full->len, ==, n);
  /* what is there can be deleted, and makes room */
  ward_store_remove (store, last, &error);
  g_assert_no_error (error);
  ward_store_put (store, last, private_half, &error);
  g_assert_no_error (error);
  after = load (&store, state_dir);
  g_assert_cmpuint (after->len, ==, n);
}

static void
test_full (void)
{
  g_autofree char *path = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
      g_test_trap_assert_passed ();
      g_test_trap_assert_stdout ("*" DONE "*");
      return;
    }
  path = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  g_assert_true (mount_small (path));
  test_in_namespace (path);
  g_assert_cmpint (umount2 (path, MNT_DETACH), ==, 0);
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_print (DONE "\n");
}

/* Whether a process may do as the test does. */
static gboolean
can_mount (void)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    _exit (mount_small ("/tmp") ? 0 : 1);
  return pid > 0 && waitpid (pid, &status, 0) == pid && status == 0;
}

static void
test_full_or_skip (void)
{
  if (g_test_subprocess () || can_mount ())
    test_full ();
  else
    g_test_skip ("no file system can be mounted here");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/full", test_full_or_skip);
  return g_test_run ();
}
