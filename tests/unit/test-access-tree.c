/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Access repair: /var/lib/tpm and what may be in it. */
#include "test-access-fixture.h"

#include <errno.h>
#include <gio/gio.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static void
test_all_right (Machine *machine)
{
  machine_make_folder (machine, "/var/lib/tpm/folder", TSS_UID, TSS_UID, 0700);
  machine_make_file (machine, "/var/lib/tpm/folder/file", TSS_UID, TSS_UID, 0600);
  machine_make_file (machine, "/var/lib/tpm/system.data", TSS_UID, TSS_UID, 0600);
  machine_assert_repair (machine, FALSE, "");
}

static void
test_wrong_ones_are_repaired (Machine *machine)
{
  machine_make_folder (machine, "/var/lib/tpm", 0, 0, 0755);
  machine_make_file (machine, "/var/lib/tpm/mode", TSS_UID, TSS_UID, 0644);
  machine_make_folder (machine, "/var/lib/tpm/sub/deep", 0, TSS_UID, 02755);
  machine_make_file (machine, "/var/lib/tpm/sub/deep/suid", 0, 0, 04755);
  machine_make_folder (machine, "/var/lib/tpm/sub", TSS_UID, 0, 0700);
  machine_make_file (machine, "/var/lib/tpm/system.data", 0, 0, 0600);

  machine_assert_repair (machine, FALSE,
                         "chmod 0600 /var/lib/tpm/mode (was 0644)\n"
                         "chown " TSS " /var/lib/tpm/sub/deep/suid (was root:root 4755)\n"
                         "chmod 0600 /var/lib/tpm/sub/deep/suid (was 4755)\n"
                         "chown " TSS " /var/lib/tpm/sub/deep (was root:64321 2755)\n"
                         "chmod 0700 /var/lib/tpm/sub/deep (was 2755)\n"
                         "chown " TSS " /var/lib/tpm/sub (was 64321:root 0700)\n"
                         "chown " TSS " /var/lib/tpm/system.data (was root:root 0600)\n"
                         "chown " TSS " /var/lib/tpm (was root:root 0755)\n"
                         "chmod 0700 /var/lib/tpm (was 0755)");
  machine_assert_is (machine, "/var/lib/tpm", "64321:64321 0700");
  machine_assert_is (machine, "/var/lib/tpm/mode", "64321:64321 0600");
  machine_assert_is (machine, "/var/lib/tpm/sub", "64321:64321 0700");
  machine_assert_is (machine, "/var/lib/tpm/sub/deep", "64321:64321 0700");
  machine_assert_is (machine, "/var/lib/tpm/sub/deep/suid", "64321:64321 0600");
  machine_assert_is (machine, "/var/lib/tpm/system.data", "64321:64321 0600");
  machine_assert_repair (machine, FALSE, "");
}

/* A folder that is tss's is tss's again afterwards, though it was not in between. */
static void
test_the_folder_is_given_back (Machine *machine)
{
  machine_make_file (machine, "/var/lib/tpm/system.data", 0, 0, 0600);
  machine_assert_repair (machine, FALSE, "chown " TSS " /var/lib/tpm/system.data (was root:root 0600)");
  machine_assert_is (machine, "/var/lib/tpm", "64321:64321 0700");
}

static void
test_dry_run_changes_nothing (Machine *machine)
{
  machine_make_file (machine, "/var/lib/tpm/system.data", 0, 0, 0640);
  machine_make_folder (machine, "/var/lib/tpm", 0, 0, 0755);
  for (guint i = 0; i < 2; i++)
    machine_assert_repair (machine, TRUE,
                           "chown " TSS " /var/lib/tpm/system.data (was root:root 0640)\n"
                           "chmod 0600 /var/lib/tpm/system.data (was 0640)\n"
                           "chown " TSS " /var/lib/tpm (was root:root 0755)\n"
                           "chmod 0700 /var/lib/tpm (was 0755)");
  machine_assert_is (machine, "/var/lib/tpm/system.data", "0:0 0640");
  machine_assert_is (machine, "/var/lib/tpm", "0:0 0755");
}

static void
test_symbolic_links (Machine *machine)
{
  machine_make_file (machine, "/victim", 0, 0, 0644);
  machine_make_folder (machine, "/victims", 0, 0, 0755);
  machine_make_file (machine, "/victims/file", 0, 0, 0644);
  machine_make_symlink (machine, "/var/lib/tpm/dangling", "nowhere");
  machine_make_symlink (machine, "/var/lib/tpm/file", "../../../victim");
  machine_make_symlink (machine, "/var/lib/tpm/folder", "../../../victims");
  machine_make_symlink (machine, "/var/lib/tpm/loop", "loop");
  machine_make_file (machine, "/var/lib/tpm/system.data", 0, 0, 0600);

  machine_assert_repair (machine, FALSE,
                         "left alone: /var/lib/tpm/dangling is a symbolic link\n"
                         "left alone: /var/lib/tpm/file is a symbolic link\n"
                         "left alone: /var/lib/tpm/folder is a symbolic link\n"
                         "left alone: /var/lib/tpm/loop is a symbolic link\n"
                         "chown " TSS " /var/lib/tpm/system.data (was root:root 0600)");
  machine_assert_is (machine, "/victim", "0:0 0644");
  machine_assert_is (machine, "/victims", "0:0 0755");
  machine_assert_is (machine, "/victims/file", "0:0 0644");
  machine_assert_is (machine, "/var/lib/tpm/file", "0:0 0777");
}

static void
test_the_folder_is_a_link (Machine *machine)
{
  g_autofree char *folder = machine_path (machine, "/var/lib/tpm");

  machine_make_folder (machine, "/victims", 0, 0, 0755);
  g_assert_cmpint (rmdir (folder), ==, 0);
  machine_make_symlink (machine, "/var/lib/tpm", "../../victims");
  machine_assert_repair (machine, FALSE, "left alone: /var/lib/tpm is a symbolic link");
  machine_assert_is (machine, "/victims", "0:0 0755");
}

static void
test_the_folder_is_a_file (Machine *machine)
{
  g_autofree char *folder = machine_path (machine, "/var/lib/tpm");

  g_assert_cmpint (rmdir (folder), ==, 0);
  machine_make_file (machine, "/var/lib/tpm", 0, 0, 0644);
  machine_assert_repair (machine, FALSE, "left alone: /var/lib/tpm is a file");
  machine_assert_is (machine, "/var/lib/tpm", "0:0 0644");
}

static void
test_hard_links (Machine *machine)
{
  g_autofree char *victim = machine_path (machine, "/victim");
  g_autofree char *name = machine_path (machine, "/var/lib/tpm/name");
  g_autofree char *own = machine_path (machine, "/var/lib/tpm/own");
  g_autofree char *own_too = machine_path (machine, "/var/lib/tpm/own-too");

  machine_make_file (machine, "/victim", 0, 0, 0600);
  g_assert_cmpint (link (victim, name), ==, 0);
  machine_make_file (machine, "/var/lib/tpm/own", TSS_UID, TSS_UID, 0640);
  g_assert_cmpint (link (own, own_too), ==, 0);

#define SEVERAL " has more than one name (hard links), and may be a file from elsewhere"
  machine_assert_repair (machine, FALSE,
                         "left alone: /var/lib/tpm/name" SEVERAL "\n"
                         "left alone: /var/lib/tpm/own" SEVERAL "\n"
                         "left alone: /var/lib/tpm/own-too" SEVERAL);
#undef SEVERAL
  machine_assert_is (machine, "/victim", "0:0 0600");
  machine_assert_is (machine, "/var/lib/tpm/own", "64321:64321 0640");
}

/* While anyone may make hard links, a file of root's in the folder may be an old /etc/shadow. */
static void
test_unprotected_hard_links (Machine *machine)
{
  machine_write (machine, "/proc/sys/fs/protected_hardlinks", "0\n");
  machine_make_file (machine, "/var/lib/tpm/mode", TSS_UID, TSS_UID, 0640);
  machine_make_file (machine, "/var/lib/tpm/owner", 0, 0, 0600);
  machine_assert_repair (machine, FALSE,
                         "chmod 0600 /var/lib/tpm/mode (was 0640)\n"
                         "left alone: /var/lib/tpm/owner belongs to another user and may be a file from elsewhere, as "
                         "fs.protected_hardlinks is not 1");
  machine_assert_is (machine, "/var/lib/tpm/owner", "0:0 0600");
}

static void
test_special_files (Machine *machine)
{
  g_autofree char *pipe_path = machine_path (machine, "/var/lib/tpm/pipe");
  g_autofree char *device = machine_path (machine, "/var/lib/tpm/tpm0");
  g_autofree char *socket_path = machine_path (machine, "/var/lib/tpm/socket");
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_assert_cmpint (mkfifo (pipe_path, 0644), ==, 0);
  g_strlcpy (address.sun_path, socket_path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  close (fd);
  machine_assert_repair (machine, FALSE,
                         "left alone: /var/lib/tpm/pipe is a pipe\n"
                         "left alone: /var/lib/tpm/socket is a socket");
  if (mknod (device, S_IFCHR | 0600, makedev (1, 3)) == 0)
    {
      machine_repair (machine, FALSE);
      g_assert_true (machine_said (machine, "left alone: /var/lib/tpm/tpm0 is a device"));
      machine_assert_is (machine, "/var/lib/tpm/tpm0", "0:0 0600");
    }
}

static void
test_names_are_shown_in_one_line (Machine *machine)
{
  machine_make_file (machine, "/var/lib/tpm/a\nb", TSS_UID, TSS_UID, 0640);
  machine_make_file (machine, "/var/lib/tpm/\xff", TSS_UID, TSS_UID, 0640);
  machine_make_file (machine, "/var/lib/tpm/é", TSS_UID, TSS_UID, 0640);
  machine_assert_repair (machine, FALSE,
                         "chmod 0600 /var/lib/tpm/a\\nb (was 0640)\n"
                         "chmod 0600 /var/lib/tpm/é (was 0640)\n"
                         "chmod 0600 /var/lib/tpm/\\377 (was 0640)");
}

static void
test_too_deep (Machine *machine)
{
  g_autoptr (GString) path = g_string_new ("/var/lib/tpm");
  g_autofree char *line = NULL;

  for (guint i = 0; i <= WARD_ACCESS_MAX_DEPTH; i++)
    {
      g_string_append (path, "/d");
      machine_make_folder (machine, path->str, TSS_UID, TSS_UID, 0700);
    }
  line = g_strdup_printf ("left alone: what is in %s, which is more than %d folders deep", path->str,
                          WARD_ACCESS_MAX_DEPTH);
  g_string_append (path, "/file");
  machine_make_file (machine, path->str, 0, 0, 0644);

  machine_assert_repair (machine, FALSE, line);
  machine_assert_is (machine, path->str, "0:0 0644");
}

static void
test_too_many (Machine *machine)
{
  g_autofree char *last = g_strdup_printf ("… and %d more, which are in the journal",
                                           WARD_ACCESS_MAX_ENTRIES + 1 - WARD_ACCESS_MAX_LINES);
  guint repaired = 0;

  for (guint i = 0; i < WARD_ACCESS_MAX_ENTRIES + 5; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/var/lib/tpm/%05u", machine->root, i);
      int fd = g_creat (path, 0644);

      g_assert_cmpint (fd, >=, 0);
      g_assert_cmpint (fchown (fd, TSS_UID, TSS_UID), ==, 0);
      close (fd);
    }
  machine_repair (machine, TRUE);
  g_assert_cmpuint (machine->actions->len, ==, WARD_ACCESS_MAX_LINES + 1);
  machine_repair (machine, FALSE);
  g_assert_cmpuint (machine->actions->len, ==, WARD_ACCESS_MAX_LINES + 1);
  g_assert_cmpstr (machine->actions->pdata[WARD_ACCESS_MAX_LINES], ==, last);

  for (guint i = 0; i < WARD_ACCESS_MAX_ENTRIES + 5; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/var/lib/tpm/%05u", machine->root, i);
      GStatBuf is;

      g_assert_cmpint (g_stat (path, &is), ==, 0);
      repaired += (is.st_mode & 07777) == 0600;
    }
  g_assert_cmpuint (repaired, ==, WARD_ACCESS_MAX_ENTRIES);
  /* the five are left, and are found while what comes before them is right */
  machine_assert_repair (machine, FALSE, "left alone: the rest of /var/lib/tpm, as there are more than 10000 entries");
}

static void
test_other_file_systems (Machine *machine)
{
  g_autofree char *other = machine_path (machine, "/var/lib/tpm/other");
  g_autofree char *bound = machine_path (machine, "/var/lib/tpm/bound");
  g_autofree char *victims = machine_path (machine, "/victims");

  machine_make_folder (machine, "/victims", 0, 0, 0755);
  machine_make_folder (machine, "/var/lib/tpm/bound", TSS_UID, TSS_UID, 0700);
  machine_make_folder (machine, "/var/lib/tpm/other", TSS_UID, TSS_UID, 0700);
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_test_skip ("no mount namespace can be made here");
      return;
    }
  g_assert_cmpint (mount ("none", other, "tmpfs", 0, "mode=755"), ==, 0);
  g_assert_cmpint (mount (victims, bound, NULL, MS_BIND, NULL), ==, 0);

  machine_assert_repair (machine, FALSE,
                         "left alone: /var/lib/tpm/bound lies on another file system\n"
                         "left alone: /var/lib/tpm/other lies on another file system");
  machine_assert_is (machine, "/victims", "0:0 0755");
  machine_assert_is (machine, "/var/lib/tpm/other", "0:0 0755");
  g_assert_cmpint (umount (other), ==, 0);
  g_assert_cmpint (umount (bound), ==, 0);
}

/* As the unit's ReadWritePaths= makes it. */
static void
test_the_folder_is_a_mount_point (Machine *machine)
{
  g_autofree char *folder = machine_path (machine, "/var/lib/tpm");

  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_test_skip ("no mount namespace can be made here");
      return;
    }
  g_assert_cmpint (mount (folder, folder, NULL, MS_BIND, NULL), ==, 0);
  machine_make_file (machine, "/var/lib/tpm/system.data", 0, 0, 0600);
  machine_assert_repair (machine, FALSE, "chown " TSS " /var/lib/tpm/system.data (was root:root 0600)");
  g_assert_cmpint (umount (folder), ==, 0);
}

static void
test_others_can_write_beside_the_folder (Machine *machine)
{
  machine_make_folder (machine, "/var/lib", TSS_UID, 0, 0755);
  machine_make_file (machine, "/var/lib/tpm/system.data", 0, 0, 0600);
  machine_assert_repair (machine, FALSE, "left alone: what is in /var/lib, as others than root can change it");
  machine_assert_is (machine, "/var/lib/tpm/system.data", "0:0 0600");
}

static void
test_what_cannot_be_changed_is_told (Machine *machine)
{
  g_autofree char *folder = machine_path (machine, "/var/lib/tpm");

  machine_make_file (machine, "/var/lib/tpm/system.data", 0, 0, 0600);
  if (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    {
      g_test_skip ("no mount namespace can be made here");
      return;
    }
  g_assert_cmpint (mount (folder, folder, NULL, MS_BIND, NULL), ==, 0);
  g_assert_cmpint (mount (NULL, folder, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
  machine_repair (machine, FALSE);
  g_assert_true (machine_said (machine, "left alone: /var/lib/tpm: Read-only file system"));
  machine_assert_is (machine, "/var/lib/tpm/system.data", "0:0 0600");
  g_assert_cmpint (umount (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  machine_add_test ("/access/tree/all-right", test_all_right);
  machine_add_test ("/access/tree/wrong-ones-are-repaired", test_wrong_ones_are_repaired);
  machine_add_test ("/access/tree/the-folder-is-given-back", test_the_folder_is_given_back);
  machine_add_test ("/access/tree/dry-run-changes-nothing", test_dry_run_changes_nothing);
  machine_add_test ("/access/tree/symbolic-links", test_symbolic_links);
  machine_add_test ("/access/tree/the-folder-is-a-link", test_the_folder_is_a_link);
  machine_add_test ("/access/tree/the-folder-is-a-file", test_the_folder_is_a_file);
  machine_add_test ("/access/tree/hard-links", test_hard_links);
  machine_add_test ("/access/tree/unprotected-hard-links", test_unprotected_hard_links);
  machine_add_test ("/access/tree/special-files", test_special_files);
  machine_add_test ("/access/tree/names-are-shown-in-one-line", test_names_are_shown_in_one_line);
  machine_add_test ("/access/tree/too-deep", test_too_deep);
  machine_add_test ("/access/tree/too-many", test_too_many);
  machine_add_test ("/access/tree/other-file-systems", test_other_file_systems);
  machine_add_test ("/access/tree/the-folder-is-a-mount-point", test_the_folder_is_a_mount_point);
  machine_add_test ("/access/tree/others-can-write-beside-the-folder", test_others_can_write_beside_the_folder);
  machine_add_test ("/access/tree/what-cannot-be-changed", test_what_cannot_be_changed_is_told);
  return g_test_run ();
}
