/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test-dependents-fixture.h"
#include "ward-scan.h"

#define KEY "-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n"
#define BOB "home/bob"
#define BOBS_KEY BOB "/.ssh/id_ecdsa.tpm"
#define SSH "home/alice/.ssh"
#define STORE "home/alice/.tpm2_pkcs11/tpm2_pkcs11.sqlite3"

/* Alice, who means no good, beside bob, who has one key. */
static Tree *
tree_of_two (void)
{
  Tree *tree = tree_new ();

  tree_add_user (tree, "alice", 1000);
  tree_add_user (tree, "bob", 1001);
  tree_write_text (tree, BOBS_KEY, KEY);
  return tree;
}

static void
assert_only_bobs (GPtrArray *found)
{
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_nonnull (find_dependent (found, "/" BOBS_KEY));
}

/* Bob's key, and so many places that were left aside. */
static void
assert_bobs_and_unscanned (GPtrArray *found, guint n)
{
  g_assert_cmpuint (count_kind (found, "unscanned"), ==, n);
  g_assert_cmpuint (found->len, ==, n + 1);
  g_assert_nonnull (find_dependent (found, "/" BOBS_KEY));
}

static void
test_empty_root (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = tree_scan (tree);

  g_assert_cmpuint (found->len, ==, 0);
}

/* A ledger must not pass over what could not be opened, whatever the reason. */
static void
test_folder_that_cannot_be_opened (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autofree char *name = g_strnfill (NAME_MAX + 1, 'x');
  g_autofree char *path = g_strconcat ("/etc/", name, NULL);
  g_autoptr (WardScan) scan = ward_scan_new (tree->path, NULL);

  tree_write_text (tree, "etc/passwd", "");
  g_assert_cmpint (ward_scan_open_folder (scan, "/etc/missing"), ==, -1);
  g_assert_cmpint (ward_scan_open_folder (scan, "/etc/passwd/folder"), ==, -1);
  g_assert_cmpuint (scan->found->len, ==, 0);
  g_assert_cmpint (ward_scan_open_folder (scan, path), ==, -1);
  g_assert_cmpuint (count_kind (scan->found, "unscanned"), ==, 1);
}

static void
test_no_root (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_dependents_scan ("/nonexistent", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (ward_dependents_scan ("/dev/null", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY);
}

/* Whatever this machine has: it ends, and finds what can be sent. */
static void
test_this_machine (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = ward_dependents_scan ("/", &error);
  g_autoptr (GVariant) variant = NULL;

  g_assert_no_error (error);
  variant = g_variant_ref_sink (ward_dependents_to_variant (found));
  g_assert_cmpuint (g_variant_n_children (variant), ==, found->len);
}

static void
test_variant (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = tree_scan (tree);
  g_autoptr (GVariant) variant = g_variant_ref_sink (ward_dependents_to_variant (found));
  g_autoptr (GVariant) first = NULL;
  const char *kind, *subject, *owner, *detail, *recoverable, *reason, *confidence;
  gboolean uses_owner, uses_endorsement, uses_pin;
  guint32 uid;

  g_assert_cmpstr (g_variant_get_type_string (variant), ==, "aa{sv}");
  first = g_variant_get_child_value (variant, 0);
  g_assert_cmpuint (g_variant_n_children (first), ==, 11);
  g_assert_true (g_variant_lookup (first, "kind", "&s", &kind));
  g_assert_true (g_variant_lookup (first, "subject", "&s", &subject));
  g_assert_true (g_variant_lookup (first, "owner", "&s", &owner));
  g_assert_true (g_variant_lookup (first, "uid", "u", &uid));
  g_assert_true (g_variant_lookup (first, "detail", "&s", &detail));
  g_assert_true (g_variant_lookup (first, "recoverable", "&s", &recoverable));
  g_assert_true (g_variant_lookup (first, "reason", "&s", &reason));
  g_assert_true (g_variant_lookup (first, "uses-owner-empty-auth", "b", &uses_owner));
  g_assert_true (g_variant_lookup (first, "uses-endorsement-empty-auth", "b", &uses_endorsement));
  g_assert_true (g_variant_lookup (first, "uses-pin", "b", &uses_pin));
  g_assert_true (g_variant_lookup (first, "confidence", "&s", &confidence));
  g_assert_cmpstr (kind, ==, "key");
  g_assert_cmpstr (owner, ==, geteuid () == 0 ? "bob" : "alice");
  g_assert_true (g_str_has_suffix (detail, ".") && g_str_has_suffix (reason, "."));
}

static void
test_links_are_not_followed (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write_text (tree, "secret/key", KEY);
  tree_link (tree, "../../../secret/key", SSH "/relative");
  tree_link (tree, "/secret/key", SSH "/absolute");
  tree_link (tree, "loop", SSH "/loop");
  tree_link (tree, "id_ecdsa.tpm", BOB "/.ssh/alias");
  tree_link (tree, ".", SSH "/folder");
  tree_link (tree, "/proc/self/fd/0", SSH "/magic");
  tree_link (tree, "../../secret/key", STORE);
  tree_link (tree, "../../secret", "home/alice/.config");
  tree_write_text (tree, "secret/credstore.encrypted/x",
                   "DHzAexF2RZGcSwvqCLwg/iAAAAABAAAADAAAABAAAAA+QYtKvUFrVSUKn68AAAA");
  found = tree_scan (tree);
  assert_bobs_and_unscanned (found, 1);
}

static void
test_linked_folders_are_not_followed (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write_text (tree, "secret/key", KEY);
  tree_link (tree, "/secret", SSH);
  tree_link (tree, "a", "home/alice/.local");
  tree_link (tree, ".local", "home/alice/a");
  tree_link (tree, "/secret", "etc/ssh");
  found = tree_scan (tree);
  assert_bobs_and_unscanned (found, 2);
}

/* As /home is where it is a link to /var/home; but it leads nowhere out of the root. */
static void
test_home_may_be_linked_by_root (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  run (NULL, tree->path,
       "mkdir var; mv home var/home; ln -s /var/home home; ln -s /etc/passwd passwd; mv passwd var/home");
  found = tree_scan (tree);
  assert_only_bobs (found);
}

/* Whoever reads from the pipe finds a key in it; nobody else would notice. */
static int
fill_pipe (Tree *tree, const char *path)
{
  g_autofree char *real = tree_path (tree, path);
  int fd;

  g_assert_cmpint (mkfifo (real, 0600), ==, 0);
  fd = open (real, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (write (fd, KEY, strlen (KEY)), ==, strlen (KEY));
  return fd;
}

static void
test_pipes_and_devices_are_not_opened (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *empty = tree_path (tree, "var/lib/tpm/system.data");
  g_autofree char *device = tree_path (tree, SSH "/device");
  int pipe = fill_pipe (tree, SSH "/pipe");
  int store = fill_pipe (tree, STORE);
  char text[128];

  g_assert_cmpint (mkfifo (empty, 0600), ==, 0);
  /* /dev/zero never ends. */
  if (geteuid () != 0 || mknod (device, S_IFCHR | 0600, 0x0105) != 0)
    g_test_message ("not tried with a device, which needs root");
  tree_make_folder (tree, SSH "/folder");
  found = tree_scan (tree);
  assert_only_bobs (found);
  g_assert_cmpint (read (pipe, text, sizeof (text)), ==, strlen (KEY));
  g_assert_cmpint (read (store, text, sizeof (text)), ==, strlen (KEY));
  close (pipe);
  close (store);
}

/* Who holds a lease can keep others from opening the file, for 45 s as a rule. */
static void
test_leased_files_are_left (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *path = tree_path (tree, SSH "/leased");
  int fd;

  tree_write_text (tree, SSH "/leased", KEY);
  fd = open (path, O_RDWR | O_CLOEXEC);
  signal (SIGIO, SIG_IGN);
  if (fcntl (fd, F_SETLEASE, F_WRLCK) == 0)
    {
      found = tree_scan (tree);
      assert_only_bobs (found);
    }
  else
    g_test_skip ("the file system knows no leases");
  close (fd);
}

static void
test_huge_files (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  run (NULL, tree->path,
       "mkdir -p " SSH " var/lib/systemd home/alice/.tpm2_pkcs11 etc/credstore.encrypted; truncate -s 1T " SSH
       "/huge " STORE " var/lib/systemd/pcrlock.json etc/credstore.encrypted/huge");
  found = tree_scan (tree);
  g_assert_nonnull (find_dependent (found, "/" BOBS_KEY));
  g_assert_null (find_dependent (found, "/" SSH "/huge"));
}

/* WARD_TEST_ENTRIES of them: a million are the same but take longer to make. */
static void
test_a_folder_without_end (void)
{
  const char *wanted = g_getenv ("WARD_TEST_ENTRIES");
  guint64 n = wanted != NULL ? g_ascii_strtoull (wanted, NULL, 10) : 20000;
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;
  gint64 start;

  tree_make_folder (tree, SSH);
  for (guint64 i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/" SSH "/%" G_GUINT64_FORMAT, tree->path, i);
      int fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

      g_assert_cmpint (fd, >=, 0);
      close (fd);
    }
  start = g_get_monotonic_time ();
  found = tree_scan (tree);
  g_test_message ("%" G_GUINT64_FORMAT " entries: %" G_GINT64_FORMAT " us", n, g_get_monotonic_time () - start);
  g_assert_cmpuint (found->len, ==, 2);
  g_assert_nonnull (find_dependent (found, "/" BOBS_KEY));
  g_assert_cmpstr (find_dependent (found, "/" SSH)->kind, ==, "unscanned");
}

/* Nobody can crowd the others out. */
static void
test_a_user_with_too_many_keys (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  if (geteuid () != 0)
    {
      g_test_skip ("two users need root");
      return;
    }
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *path = g_strdup_printf (SSH "/%u", i);

      tree_write_text (tree, path, KEY);
    }
  found = tree_scan (tree);
  g_assert_cmpuint (count_kind (found, "key"), ==, WARD_SCAN_MAX_PER_UID + 1);
  g_assert_cmpuint (count_kind (found, "unscanned"), ==, 1);
  g_assert_nonnull (find_dependent (found, "/" BOBS_KEY));
}

static void
test_names_that_deceive (void)
{
  g_autoptr (Tree) tree = tree_new ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write_text (tree,
                   "etc/ssh/a\n\x1b[2Jb\xff\xe2\x80\xae"
                   "c",
                   KEY);
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpstr (((WardDependent *)found->pdata[0])->subject, ==, "/etc/ssh/a��[2Jb��c");
}

static void
test_strange_passwd (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write_text (tree, "etc/passwd",
                   "\n::\nx:x:-1:1::/" BOB ":\nx:x:99999999999:1::/" BOB ":\ny:x:7:7:::\nz:x:8:8::relative:/\n"
                   "w:x:9:9::/../../..:/\nv:x:0:0::/:/\nu:x:10:10::/etc/passwd:/\n");
  found = tree_scan (tree);
  assert_only_bobs (found);
}

static void
test_empty_passwd (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write_text (tree, "etc/passwd", "");
  found = tree_scan (tree);
  assert_only_bobs (found);
}

/* A service whose home is said to be another's does not get that one's keys. */
static void
test_anothers_home (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  if (geteuid () != 0)
    {
      g_test_skip ("two users need root");
      return;
    }
  tree_write_text (tree, "etc/passwd", "thief:x:2000:1::/" BOB ":/bin/sh\n");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 0);
}

static void
test_remote_homes_are_noted (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;

  tree_write_text (tree, "proc/self/mountinfo", "36 35 0:50 / /" BOB " rw - nfs4 server:/bob rw\n");
  found = tree_scan (tree);
  g_assert_cmpuint (found->len, ==, 1);
  g_assert_cmpstr (find_dependent (found, "/" BOB)->kind, ==, "unscanned");
}

/* A user can mount what they like where they like, with a program that never answers. */
static void
test_other_file_systems_are_not_entered (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *ssh = tree_path (tree, SSH);

  tree_make_folder (tree, SSH);
  /* Mounts of this test's own. */
  if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || mount ("none", ssh, "tmpfs", 0, NULL) != 0)
    {
      g_test_skip ("only root mounts, and not everywhere");
      return;
    }
  tree_write_text (tree, SSH "/key", KEY);
  found = tree_scan (tree);
  g_assert_cmpint (umount2 (ssh, MNT_DETACH), ==, 0);
  assert_bobs_and_unscanned (found, 1);
}

static void
test_nothing_is_written (void)
{
  g_autoptr (Tree) tree = tree_of_two ();
  g_autoptr (GPtrArray) found = NULL;
  g_autofree char *path = tree_path (tree, BOBS_KEY);
  struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
  GStatBuf status;

  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  found = tree_scan (tree);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_atime, ==, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dependents/scan/empty-root", test_empty_root);
  g_test_add_func ("/dependents/scan/no-root", test_no_root);
  g_test_add_func ("/dependents/scan/folder-that-cannot-be-opened", test_folder_that_cannot_be_opened);
  g_test_add_func ("/dependents/scan/this-machine", test_this_machine);
  g_test_add_func ("/dependents/scan/variant", test_variant);
  g_test_add_func ("/dependents/scan/links-are-not-followed", test_links_are_not_followed);
  g_test_add_func ("/dependents/scan/linked-folders-are-not-followed", test_linked_folders_are_not_followed);
  g_test_add_func ("/dependents/scan/home-may-be-linked-by-root", test_home_may_be_linked_by_root);
  g_test_add_func ("/dependents/scan/pipes-and-devices-are-not-opened", test_pipes_and_devices_are_not_opened);
  g_test_add_func ("/dependents/scan/leased-files-are-left", test_leased_files_are_left);
  g_test_add_func ("/dependents/scan/huge-files", test_huge_files);
  g_test_add_func ("/dependents/scan/a-folder-without-end", test_a_folder_without_end);
  g_test_add_func ("/dependents/scan/a-user-with-too-many-keys", test_a_user_with_too_many_keys);
  g_test_add_func ("/dependents/scan/names-that-deceive", test_names_that_deceive);
  g_test_add_func ("/dependents/scan/strange-passwd", test_strange_passwd);
  g_test_add_func ("/dependents/scan/empty-passwd", test_empty_passwd);
  g_test_add_func ("/dependents/scan/anothers-home", test_anothers_home);
  g_test_add_func ("/dependents/scan/remote-homes-are-noted", test_remote_homes_are_noted);
  g_test_add_func ("/dependents/scan/other-file-systems-are-not-entered", test_other_file_systems_are_not_entered);
  g_test_add_func ("/dependents/scan/nothing-is-written", test_nothing_is_written);
  return g_test_run ();
}
