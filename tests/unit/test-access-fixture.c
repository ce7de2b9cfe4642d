/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-access-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

char *
machine_path (Machine *machine, const char *path)
{
  return g_strconcat (machine->root, path, NULL);
}

static void
give (const char *path, uid_t uid, gid_t gid, mode_t mode)
{
  g_assert_cmpint (chown (path, uid, gid), ==, 0);
  g_assert_cmpint (chmod (path, mode), ==, 0);
}

void
machine_make_file (Machine *machine, const char *path, uid_t uid, gid_t gid, mode_t mode)
{
  g_autofree char *full = machine_path (machine, path);
  int fd = g_creat (full, 0600);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  give (full, uid, gid, mode);
}

void
machine_make_folder (Machine *machine, const char *path, uid_t uid, gid_t gid, mode_t mode)
{
  g_autofree char *full = machine_path (machine, path);

  g_assert_cmpint (g_mkdir_with_parents (full, 0755), ==, 0);
  give (full, uid, gid, mode);
}

void
machine_make_symlink (Machine *machine, const char *path, const char *target)
{
  g_autofree char *full = machine_path (machine, path);

  g_assert_cmpint (symlink (target, full), ==, 0);
}

void
machine_write (Machine *machine, const char *path, const char *text)
{
  g_autofree char *full = machine_path (machine, path);
  g_autofree char *folder = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (full, text, -1, NULL));
}

void
machine_assert_is (Machine *machine, const char *path, const char *state)
{
  g_autofree char *full = machine_path (machine, path);
  g_autofree char *is = NULL;
  struct stat buffer;

  g_assert_cmpint (lstat (full, &buffer), ==, 0);
  is = g_strdup_printf ("%u:%u %04o", buffer.st_uid, buffer.st_gid, buffer.st_mode & 07777);
  if (strcmp (is, state) != 0)
    g_error ("%s is %s, not %s", path, is, state);
}

void
machine_repair (Machine *machine, gboolean dry_run)
{
  const WardAccount tss = { .uid = TSS_UID, .gid = TSS_UID };
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&machine->actions, g_ptr_array_unref);
  ward_access_repair_for (machine->root, &tss, dry_run, &machine->actions, &error);
  g_assert_no_error (error);
  g_assert_nonnull (machine->actions);
}

gboolean
machine_said (Machine *machine, const char *line)
{
  return g_ptr_array_find_with_equal_func (machine->actions, line, g_str_equal, NULL);
}

void
machine_assert_repair (Machine *machine, gboolean dry_run, const char *lines)
{
  g_autofree char *said = NULL;

  machine_repair (machine, dry_run);
  g_ptr_array_add (machine->actions, NULL);
  said = g_strjoinv ("\n", (char **)machine->actions->pdata);
  g_ptr_array_set_size (machine->actions, (int)machine->actions->len - 1);
  g_assert_cmpstr (said, ==, lines);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
run_test (gconstpointer data)
{
  void (*const *run) (Machine * machine) = data;
  Machine machine = { 0 };

  if (geteuid () != 0)
    {
      g_test_skip ("only root can give files away");
      return;
    }

  machine.root = g_dir_make_tmp ("ward-access-XXXXXX", NULL);
  g_assert_cmpint (chmod (machine.root, 0755), ==, 0);
  machine_make_folder (&machine, "/dev", 0, 0, 0755);
  machine_write (&machine, "/proc/sys/fs/protected_hardlinks", "1\n");
  machine_make_folder (&machine, "/var/lib/tpm", TSS_UID, TSS_UID, 0700);
  (*run) (&machine);
  remove_tree (machine.root);
  g_free (machine.root);
  g_clear_pointer (&machine.actions, g_ptr_array_unref);
}

void
machine_add_test (const char *path, void (*run) (Machine *machine))
{
  void (**data) (Machine * machine) = g_malloc (sizeof run);

  *data = run;
  umask (0022);
  g_test_add_data_func_full (path, data, run_test, g_free);
}
