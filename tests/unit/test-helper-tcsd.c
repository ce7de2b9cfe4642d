/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The repair of tcsd's configuration, in trees that stand for "/"; whom it is to belong to is who runs the test. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "test-tree.h"
#include "ward-families.h"
#include "ward-tcsd-config.h"

#define WRONG "port = 0\n# port = 70000\nnum_threads=many\n port = 70000\nport = 30003\nremote_ops = seal,unseal\n"
#define STARTABLE                                                                                                      \
  "# port = 0\n# port = 70000\n# num_threads=many\n#  port = 70000\nport = 30003\nremote_ops = seal,unseal\n"
#define CLOSED                                                                                                         \
  "# port = 0\n# port = 70000\n# num_threads=many\n#  port = 70000\nport = 30003\n# remote_ops = seal,unseal\n"
#define LINE(number, text) "comment out line " number " of /etc/tcsd.conf: " text

typedef struct
{
  char *root;
  char *file;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->root = g_dir_make_tmp ("ward-tcsd-XXXXXX", NULL);
  fixture->file = g_strconcat (fixture->root, "/etc/tcsd.conf", NULL);
  test_tree_add (fixture->root, "/etc/tcsd.conf=" WRONG);
  g_assert_cmpint (g_chmod (fixture->file, 0640), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  test_tree_remove (fixture->root);
  g_free (fixture->root);
  g_free (fixture->file);
}

/* lines: each followed by a "|". */
static void
assert_repair (Fixture *fixture, WardTcsdConfigPart part, gboolean dry_run, const char *lines)
{
  const WardAccount own = { .uid = geteuid (), .gid = getegid () };
  g_auto (GStrv) done = ward_tcsd_config_repair_for (fixture->root, &own, part, dry_run);
  g_autofree char *joined = g_strjoinv ("|", done);

  g_assert_cmpstr (joined, ==, lines);
}

static void
assert_text (Fixture *fixture, const char *text)
{
  g_autofree char *is = NULL;

  g_assert_true (g_file_get_contents (fixture->file, &is, NULL, NULL));
  g_assert_cmpstr (is, ==, text);
}

static void
test_what_tcsd_refuses (Fixture *fixture, gconstpointer data)
{
  static const char lines[] = LINE ("1", "port = 0") "|" LINE ("3", "num_threads=many") "|" LINE ("4", "port = 70000");

  assert_repair (fixture, WARD_TCSD_CONFIG_START, TRUE, lines);
  assert_text (fixture, WRONG);
  assert_repair (fixture, WARD_TCSD_CONFIG_START, FALSE, lines);
  assert_text (fixture, STARTABLE);
  assert_repair (fixture, WARD_TCSD_CONFIG_START, FALSE, "");

  assert_repair (fixture, WARD_TCSD_CONFIG_REMOTE, FALSE, LINE ("6", "remote_ops = seal,unseal"));
  assert_text (fixture, CLOSED);
  assert_repair (fixture, WARD_TCSD_CONFIG_REMOTE, FALSE, "");
}

static void
test_mode (Fixture *fixture, gconstpointer data)
{
  GStatBuf is;

  assert_repair (fixture, WARD_TCSD_CONFIG_START, FALSE,
                 LINE ("1", "port = 0") "|" LINE ("3", "num_threads=many") "|" LINE ("4", "port = 70000"));
  g_assert_cmpint (g_chmod (fixture->file, 0644), ==, 0);
  assert_repair (fixture, WARD_TCSD_CONFIG_REMOTE, TRUE, LINE ("6", "remote_ops = seal,unseal"));
  assert_repair (fixture, WARD_TCSD_CONFIG_START, TRUE, "chmod 0640 /etc/tcsd.conf (was 0644)");
  assert_repair (fixture, WARD_TCSD_CONFIG_START, FALSE, "chmod 0640 /etc/tcsd.conf (was 0644)");
  g_assert_cmpint (g_stat (fixture->file, &is), ==, 0);
  g_assert_cmpint (is.st_mode & 07777, ==, 0640);
}

static void
test_no_file (Fixture *fixture, gconstpointer data)
{
  test_tree_remove (fixture->file);
  assert_repair (fixture, WARD_TCSD_CONFIG_START, FALSE, "");
}

/* What could be a file of somebody else's. */
static void
test_left_alone (Fixture *fixture, gconstpointer data)
{
  g_autofree char *other = g_strconcat (fixture->root, "/etc/other", NULL);

  g_assert_cmpint (link (fixture->file, other), ==, 0);
  assert_repair (fixture, WARD_TCSD_CONFIG_START, FALSE,
                 "left alone: /etc/tcsd.conf has more than one name (hard links), and may be a file from elsewhere");
  g_assert_cmpint (g_unlink (fixture->file), ==, 0);
  g_assert_cmpint (symlink ("other", fixture->file), ==, 0);
  assert_repair (fixture, WARD_TCSD_CONFIG_START, FALSE, "left alone: /etc/tcsd.conf is a symbolic link");
  g_assert_cmpint (g_unlink (fixture->file), ==, 0);
  g_assert_cmpint (g_mkdir (fixture->file, 0700), ==, 0);
  assert_repair (fixture, WARD_TCSD_CONFIG_REMOTE, FALSE, "left alone: /etc/tcsd.conf is a folder");
}

static void
test_no_text (Fixture *fixture, gconstpointer data)
{
  g_autofree char *large = g_strnfill (WARD_TCSD_CONFIG_MAX_SIZE, '\n');
  static const char left[] = "left alone: /etc/tcsd.conf: it is too large, or no text";

  g_assert_true (g_file_set_contents_full (fixture->file, large, -1, G_FILE_SET_CONTENTS_NONE, 0640, NULL));
  assert_repair (fixture, WARD_TCSD_CONFIG_REMOTE, FALSE, left);
  g_assert_true (g_file_set_contents_full (fixture->file, "a\0b", 3, G_FILE_SET_CONTENTS_NONE, 0640, NULL));
  assert_repair (fixture, WARD_TCSD_CONFIG_REMOTE, FALSE, left);
}

static void
test_families (Fixture *fixture, gconstpointer data)
{
  g_autofree char *tpm12 = NULL;

  g_assert_false (ward_families_are_only_tpm2 (fixture->root));
  test_tree_add (fixture->root, "/sys/class/tpm/tpm0/tpm_version_major=2\n");
  g_assert_true (ward_families_are_only_tpm2 (fixture->root));
  g_assert_null (ward_families_find_tpm12 (fixture->root));
  test_tree_add (fixture->root, "/sys/class/tpm/tpm1/tpm_version_major=1\n");
  g_assert_false (ward_families_are_only_tpm2 (fixture->root));
  tpm12 = ward_families_find_tpm12 (fixture->root);
  g_assert_cmpstr (tpm12, ==, "tpm1");
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/helper-tcsd/what-tcsd-refuses", test_what_tcsd_refuses);
  ADD ("/helper-tcsd/mode", test_mode);
  ADD ("/helper-tcsd/no-file", test_no_file);
  ADD ("/helper-tcsd/left-alone", test_left_alone);
  ADD ("/helper-tcsd/no-text", test_no_text);
  ADD ("/helper-tcsd/families", test_families);
  return g_test_run ();
}
