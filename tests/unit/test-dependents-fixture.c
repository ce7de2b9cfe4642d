/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-dependents-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "ward-dependents-config.h"

#define TIME_LIMIT (15 * G_USEC_PER_SEC)

Tree *
tree_new (void)
{
  g_autoptr (GError) error = NULL;
  Tree *tree = g_new0 (Tree, 1);

  tree->path = g_dir_make_tmp ("ward-tree-XXXXXX", &error);
  g_assert_no_error (error);
  return tree;
}

void
tree_free (Tree *tree)
{
  g_autofree char *command_line = g_strdup_printf ("rm -rf '%s'", tree->path);

  run (NULL, NULL, command_line);
  g_free (tree->path);
  g_free (tree);
}

char *
tree_path (Tree *tree, const char *path)
{
  char *real = g_build_filename (tree->path, path, NULL);
  g_autofree char *folder = g_path_get_dirname (real);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  return real;
}

void
tree_write (Tree *tree, const char *path, const void *bytes, gssize size)
{
  g_autofree char *real = tree_path (tree, path);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (real, bytes, size, &error);
  g_assert_no_error (error);
}

void
tree_write_text (Tree *tree, const char *path, const char *text)
{
  tree_write (tree, path, text, -1);
}

void
tree_make_folder (Tree *tree, const char *path)
{
  g_autofree char *real = tree_path (tree, path);

  g_assert_cmpint (g_mkdir_with_parents (real, 0755), ==, 0);
}

void
tree_link (Tree *tree, const char *target, const char *path)
{
  g_autofree char *real = tree_path (tree, path);

  g_assert_cmpint (symlink (target, real), ==, 0);
}

guint32
tree_add_user (Tree *tree, const char *name, guint32 uid)
{
  g_autofree char *passwd = tree_path (tree, "etc/passwd");
  g_autofree char *home = g_build_filename ("home", name, NULL);
  g_autofree char *real = tree_path (tree, home);
  g_autofree char *before = NULL, *after = NULL;

  if (geteuid () != 0)
    uid = geteuid ();
  g_file_get_contents (passwd, &before, NULL, NULL);
  after = g_strdup_printf ("%s%s:x:%u:100::/%s:/bin/sh\n", before != NULL ? before : "", name, uid, home);
  tree_write_text (tree, "etc/passwd", after);
  tree_make_folder (tree, home);
  g_assert_cmpint (chown (real, uid, (gid_t)-1), ==, 0);
  return uid;
}

void
tree_add_disk (Tree *tree, const char *name)
{
  g_autofree char *node = g_build_filename ("dev", name, NULL);
  g_autofree char *real = tree_path (tree, node);
  g_autofree char *attribute = g_build_filename ("sys/class/block", name, "size", NULL);
  g_autofree char *sectors = NULL;
  GStatBuf status;

  g_assert_cmpint (g_stat (real, &status), ==, 0);
  sectors = g_strdup_printf ("%" G_GINT64_FORMAT "\n", (gint64)status.st_size / 512);
  tree_write_text (tree, attribute, sectors);
}

GPtrArray *
tree_scan (Tree *tree)
{
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  GPtrArray *found = ward_dependents_scan (tree->path, &error);

  g_assert_no_error (error);
  g_assert_cmpint (g_get_monotonic_time () - start, <, TIME_LIMIT);
#if !WARD_HAVE_CRYPTSETUP
  g_assert_cmpstr (find_dependent (found, "/dev")->kind, ==, WARD_DEPENDENT_UNSCANNED);
  g_ptr_array_remove (found, (gpointer)find_dependent (found, "/dev"));
#endif
  return found;
}

GPtrArray *
tree_scan_dependents (Tree *tree)
{
  GPtrArray *found = tree_scan (tree);

  for (guint i = found->len; i-- > 0;)
    if (strcmp (((WardDependent *)g_ptr_array_index (found, i))->kind, WARD_DEPENDENT_UNSCANNED) == 0)
      g_ptr_array_remove_index (found, i);
  return found;
}

const WardDependent *
find_dependent (GPtrArray *found, const char *subject)
{
  for (guint i = 0; i < found->len; i++)
    {
      const WardDependent *dependent = g_ptr_array_index (found, i);

      if (strcmp (dependent->subject, subject) == 0)
        return dependent;
    }
  return NULL;
}

guint
count_kind (GPtrArray *found, const char *kind)
{
  guint n = 0;

  for (guint i = 0; i < found->len; i++)
    n += strcmp (((WardDependent *)g_ptr_array_index (found, i))->kind, kind) == 0;
  return n;
}

gboolean
have_programs (const char *names)
{
  g_auto (GStrv) each = g_strsplit (names, " ", -1);

  for (guint i = 0; each[i] != NULL; i++)
    {
      g_autofree char *program = g_find_program_in_path (each[i]);
      g_autofree char *reason = g_strdup_printf ("%s is not installed", each[i]);

      if (program != NULL)
        continue;
      g_test_skip (reason);
      return FALSE;
    }
  return TRUE;
}

void
run (Swtpm *swtpm, const char *folder, const char *command_line)
{
  /* The names by which tpm2-tools, tss2_*, tpm2_ptool and these tests know of it. */
  static const char *const variables[] = { "TPM2TOOLS_TCTI", "TSS2_TCTI", "TPM2_PKCS11_TCTI", "TCTI" };
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                                                        | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *output = NULL;

  if (folder != NULL)
    {
      g_subprocess_launcher_set_cwd (launcher, folder);
      g_subprocess_launcher_setenv (launcher, "HOME", folder, TRUE); /* where tpm2_ptool leaves a folder */
    }
  for (guint i = 0; swtpm != NULL && i < G_N_ELEMENTS (variables); i++)
    g_subprocess_launcher_setenv (launcher, variables[i], swtpm->transport, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, "/bin/sh", "-euc", command_line, NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, &error);
  if (!g_subprocess_get_successful (process))
    g_test_message ("%s: %s", command_line, output);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_successful (process));
}
