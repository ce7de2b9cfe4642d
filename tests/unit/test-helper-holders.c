/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has a TPM open, on a tree that stands for /sys and /proc. /dev/null stands for a TPM. */
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "test-tree.h"
#include "ward-holders.h"

typedef struct
{
  char *root;
  char *node; /* a path in whose name a TPM shows, and which leads to the device */
} Fixture;

static void put (Fixture *fixture, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* What test_tree_add () takes. */
static void
put (Fixture *fixture, const char *format, ...)
{
  g_autofree char *file = NULL;
  va_list args;

  va_start (args, format);
  file = g_strdup_vprintf (format, args);
  va_end (args);
  test_tree_add (fixture->root, file);
}

static void
put_process (Fixture *fixture, guint pid, guint uid, const char *command)
{
  put (fixture, "/proc/%u/status=Name:\tx\nUmask:\t0022\nUid:\t%u\t0\t0\t0\nGid:\t0\t0\t0\t0\n", pid, uid);
  put (fixture, "/proc/%u/comm=%s", pid, command);
}

static void
put_descriptor (Fixture *fixture, guint pid, guint number, const char *target)
{
  put (fixture, "/proc/%u/fd/%u>%s", pid, number, target);
}

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  struct stat is;

  fixture->root = g_dir_make_tmp ("ward-holders-XXXXXX", &error);
  g_assert_no_error (error);
  g_assert_cmpint (stat ("/dev/null", &is), ==, 0);
  put (fixture, "/sys/class/tpm/tpm0/dev=%u:%u\n", major (is.st_rdev), minor (is.st_rdev));
  put (fixture, "/sys/class/tpmrm/tpmrm0/dev=4000000:0\n");
  put (fixture, "/sys/class/tpm/tpm7/dev=no numbers\n");
  fixture->node = g_build_filename (fixture->root, "tpm0", NULL);
  g_assert_cmpint (symlink ("/dev/null", fixture->node), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  test_tree_remove (fixture->root);
  g_free (fixture->root);
  g_free (fixture->node);
}

static void
assert_holder (GVariant *holders, guint index, guint pid, guint uid, const char *command)
{
  g_autoptr (GVariant) holder = g_variant_get_child_value (holders, index);
  const char *found_device, *found_command;
  guint32 found_pid, found_uid;

  g_assert_true (g_variant_lookup (holder, "device", "&s", &found_device));
  g_assert_true (g_variant_lookup (holder, "pid", "u", &found_pid));
  g_assert_true (g_variant_lookup (holder, "uid", "u", &found_uid));
  g_assert_true (g_variant_lookup (holder, "command", "&s", &found_command));
  g_assert_cmpstr (found_device, ==, "/dev/tpm0");
  g_assert_cmpuint (found_pid, ==, pid);
  g_assert_cmpuint (found_uid, ==, uid);
  g_assert_cmpstr (found_command, ==, command);
}

static GVariant *
find (Fixture *fixture)
{
  return g_variant_ref_sink (ward_holders_find (fixture->root));
}

static void
test_a_holder_is_named_once (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GVariant) holders = NULL;

  put_process (fixture, 123, 1500, "tcsd\n");
  put_descriptor (fixture, 123, 3, fixture->node);
  put_descriptor (fixture, 123, 4, fixture->node);
  holders = find (fixture);
  g_assert_cmpuint (g_variant_n_children (holders), ==, 1);
  assert_holder (holders, 0, 123, 1500, "tcsd");
}

static void
test_what_is_no_tpm_is_not_held (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *file = g_build_filename (fixture->root, "tpm0.txt", NULL);
  g_autofree char *other = g_build_filename (fixture->root, "tpm1", NULL);
  g_autoptr (GVariant) holders = NULL;

  put (fixture, "/tpm0.txt=x");
  g_assert_cmpint (symlink ("/dev/zero", other), ==, 0);
  put_process (fixture, 123, 0, "other\n");
  put_descriptor (fixture, 123, 0, "/dev/zero");
  put_descriptor (fixture, 123, 1, "socket:[123]");
  put_descriptor (fixture, 123, 2, "/dev/tpm-that-is-gone (deleted)");
  put_descriptor (fixture, 123, 3, file);
  put_descriptor (fixture, 123, 4, other);
  holders = find (fixture);
  g_assert_cmpuint (g_variant_n_children (holders), ==, 0);
}

static void
test_what_is_no_process_is_passed_over (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GVariant) holders = NULL;

  put (fixture, "/proc/sys/fd/3=x");
  put (fixture, "/proc/200=x");                    /* a file */
  put (fixture, "/proc/201/status=x");             /* without descriptors */
  put_descriptor (fixture, 202, 3, fixture->node); /* without a status: it has ended */
  put_process (fixture, 203, 0, "a\n");
  put_descriptor (fixture, 203, 3, fixture->node);
  holders = find (fixture);
  g_assert_cmpuint (g_variant_n_children (holders), ==, 1);
  assert_holder (holders, 0, 203, 0, "a");
}

static void
test_a_name_is_made_printable (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GVariant) holders = NULL;

  put_process (fixture, 123, 0, "a\033[2J\377b\n");
  put_descriptor (fixture, 123, 3, fixture->node);
  holders = find (fixture);
  assert_holder (holders, 0, 123, 0, "a\357\277\275[2J\357\277\275b");
}

static void
test_no_more_than_so_many (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GVariant) holders = NULL;

  for (guint i = 1; i <= WARD_HOLDERS_MAX + 5; i++)
    {
      put_process (fixture, i, 0, "a\n");
      put_descriptor (fixture, i, 3, fixture->node);
    }
  holders = find (fixture);
  g_assert_cmpuint (g_variant_n_children (holders), ==, WARD_HOLDERS_MAX);
}

static void
test_nothing_to_hold (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GVariant) holders = g_variant_ref_sink (ward_holders_find ("/nonexistent"));

  g_assert_true (g_variant_is_of_type (holders, G_VARIANT_TYPE ("aa{sv}")));
  g_assert_cmpuint (g_variant_n_children (holders), ==, 0);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer user_data);
  } tests[] = {
    { "/helper-holders/named", test_a_holder_is_named_once },
    { "/helper-holders/others", test_what_is_no_tpm_is_not_held },
    { "/helper-holders/no-process", test_what_is_no_process_is_passed_over },
    { "/helper-holders/printable", test_a_name_is_made_printable },
    { "/helper-holders/bound", test_no_more_than_so_many },
    { "/helper-holders/nothing", test_nothing_to_hold },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
