/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Access repair: the nodes of TPMs in /dev, and the accounts. */
#include "test-access-fixture.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ward-error.h"

/* A node with the numbers 10:minor, which the kernel shows below the class. FALSE, and skipped, where even root may
 * make none. */
static gboolean
make_node (Machine *machine, const char *name, const char *class_name, uid_t uid, gid_t gid, mode_t mode)
{
  const guint minor_number = 224;
  g_autofree char *node = g_strconcat (machine->root, "/dev/", name, NULL);
  g_autofree char *shown = g_strdup_printf ("/sys/class/%s/%s/dev", class_name, name);

  if (mknod (node, S_IFCHR | 0600, makedev (10, minor_number)) < 0)
    {
      g_assert_cmpint (errno, ==, EPERM);
      g_test_skip ("no device nodes can be made here");
      return FALSE;
    }
  g_assert_cmpint (chown (node, uid, gid), ==, 0);
  g_assert_cmpint (chmod (node, mode), ==, 0);
  machine_write (machine, shown, "10:224\n");
  return TRUE;
}

static void
test_wrong_nodes_are_repaired (Machine *machine)
{
  if (!make_node (machine, "tpm0", "tpm", 0, 0, 0600) || !make_node (machine, "tpmrm0", "tpmrm", 0, 0, 0600)
      || !make_node (machine, "tpmrm11", "tpmrm", TSS_UID, 0, 0666))
    return;

  machine_assert_repair (machine, FALSE,
                         "chown " TSS " /dev/tpm0 (was root:root 0600)\n"
                         "chmod 0660 /dev/tpm0 (was 0600)\n"
                         "chown " TSS " /dev/tpmrm0 (was root:root 0600)\n"
                         "chmod 0660 /dev/tpmrm0 (was 0600)\n"
                         "chown " TSS " /dev/tpmrm11 (was 64321:root 0666)\n"
                         "chmod 0660 /dev/tpmrm11 (was 0666)");
  machine_assert_is (machine, "/dev/tpm0", "64321:64321 0660");
  machine_assert_is (machine, "/dev/tpmrm0", "64321:64321 0660");
  machine_assert_is (machine, "/dev/tpmrm11", "64321:64321 0660");
  machine_assert_repair (machine, FALSE, "");
}

static void
test_right_nodes_are_untouched (Machine *machine)
{
  if (!make_node (machine, "tpm0", "tpm", TSS_UID, 0, 0660)
      || !make_node (machine, "tpm1", "tpm", TSS_UID, TSS_UID, 0660)
      || !make_node (machine, "tpmrm0", "tpmrm", TSS_UID, TSS_UID, 0660))
    return;

  machine_assert_repair (machine, FALSE, "");
  machine_assert_is (machine, "/dev/tpm0", "64321:0 0660");
}

static void
test_dry_run_changes_no_node (Machine *machine)
{
  if (!make_node (machine, "tpm0", "tpm", 0, 0, 0600))
    return;

  machine_assert_repair (machine, TRUE,
                         "chown " TSS " /dev/tpm0 (was root:root 0600)\n"
                         "chmod 0660 /dev/tpm0 (was 0600)");
  machine_assert_is (machine, "/dev/tpm0", "0:0 0600");
}

static void
test_only_what_the_kernel_shows (Machine *machine)
{
  if (!make_node (machine, "tpm0", "tpm", 0, 0, 0600) || !make_node (machine, "tpm1", "other", 0, 0, 0600)
      || !make_node (machine, "tpmrm0", "tpm", 0, 0, 0600))
    return;

  machine_write (machine, "/sys/class/tpm/tpm0/dev", "8:0\n");
  machine_assert_repair (machine, FALSE,
                         "left alone: /dev/tpm0 is not the device that the kernel shows at /sys/class/tpm/tpm0\n"
                         "left alone: /dev/tpm1 is not the device that the kernel shows at /sys/class/tpm/tpm1\n"
                         "left alone: /dev/tpmrm0 is not the device that the kernel shows at /sys/class/tpmrm/tpmrm0");
  machine_assert_is (machine, "/dev/tpm0", "0:0 0600");
}

static void
test_other_names_are_nobodys_business (Machine *machine)
{
  static const char *const names[] = { "tpm", "tpmrm", "tpm0x", "xtpm0", "tpmx", "vtpmx", "tpm-1", "tpmrm0 " };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (!make_node (machine, names[i], "tpm", 0, 0, 0600))
      return;
  machine_assert_repair (machine, FALSE, "");
}

static void
test_what_is_no_device (Machine *machine)
{
  machine_make_file (machine, "/victim", 0, 0, 0600);
  machine_make_symlink (machine, "/dev/tpm0", "../victim");
  machine_make_file (machine, "/dev/tpm1", 0, 0, 0600);
  machine_make_folder (machine, "/dev/tpmrm0", 0, 0, 0755);
  machine_assert_repair (machine, FALSE,
                         "left alone: /dev/tpm0 is no character device\n"
                         "left alone: /dev/tpm1 is no character device\n"
                         "left alone: /dev/tpmrm0 is no character device");
  machine_assert_is (machine, "/victim", "0:0 0600");
  machine_assert_is (machine, "/dev/tpm1", "0:0 0600");
}

static void
test_others_can_write_to_dev (Machine *machine)
{
  g_autofree char *dev = machine_path (machine, "/dev");

  if (!make_node (machine, "tpm0", "tpm", 0, 0, 0600))
    return;
  g_assert_cmpint (chmod (dev, 0777), ==, 0);
  machine_assert_repair (machine, FALSE, "left alone: what is in /dev, as others than root can change it");
  machine_assert_is (machine, "/dev/tpm0", "0:0 0600");
}

static void
test_missing_folders_are_no_trouble (Machine *machine)
{
  g_autofree char *dev = machine_path (machine, "/dev");
  g_autofree char *tpm = machine_path (machine, "/var/lib/tpm");
  g_autofree char *lib = machine_path (machine, "/var/lib");

  g_assert_cmpint (rmdir (dev), ==, 0);
  g_assert_cmpint (rmdir (tpm), ==, 0);
  machine_assert_repair (machine, FALSE, "");
  g_assert_cmpint (rmdir (lib), ==, 0);
  machine_assert_repair (machine, FALSE, "");
}

static void
test_accounts (void)
{
  g_autoptr (GError) error = NULL;
  WardAccount account = { .uid = 1, .gid = 1 };
  g_autofree char *known = ward_account_describe (0, 0);
  g_autofree char *unknown = ward_account_describe (TSS_UID, TSS_UID);

  g_assert_true (ward_account_find ("root", &account, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (account.uid, ==, 0);
  g_assert_cmpuint (account.gid, ==, 0);
  g_assert_cmpstr (known, ==, "root:root");
  g_assert_cmpstr (unknown, ==, TSS);
}

static void
test_missing_account (void)
{
  g_autoptr (GError) error = NULL;
  WardAccount account = { .uid = 1, .gid = 1 };

  g_assert_false (ward_account_find ("ward-nobody-at-all", &account, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "no user “ward-nobody-at-all”"));
  g_assert_cmpuint (account.uid, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  machine_add_test ("/access/nodes/wrong-ones-are-repaired", test_wrong_nodes_are_repaired);
  machine_add_test ("/access/nodes/right-ones-are-untouched", test_right_nodes_are_untouched);
  machine_add_test ("/access/nodes/dry-run-changes-none", test_dry_run_changes_no_node);
  machine_add_test ("/access/nodes/only-what-the-kernel-shows", test_only_what_the_kernel_shows);
  machine_add_test ("/access/nodes/other-names", test_other_names_are_nobodys_business);
  machine_add_test ("/access/nodes/no-device", test_what_is_no_device);
  machine_add_test ("/access/nodes/others-can-write-to-dev", test_others_can_write_to_dev);
  machine_add_test ("/access/nodes/missing-folders", test_missing_folders_are_no_trouble);
  g_test_add_func ("/access/accounts", test_accounts);
  g_test_add_func ("/access/missing-account", test_missing_account);
  return g_test_run ();
}
