/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finding TPMs, on a machine that umockdev makes up: its own /sys, /dev and udev events. */
#include "ward-finder.h"

#ifdef WARD_HAVE_UMOCKDEV

#include <umockdev.h>

#define WAIT_SECONDS 10

typedef struct
{
  UMockdevTestbed *testbed;
  WardFinder *finder;
  GString *log; /* what the finder said: "+tpm0 -tpm0 ~tpm0 " */
  WardDevice *last_added;
} Fixture;

static void
on_added (Fixture *fixture, const WardDevice *device)
{
  g_string_append_printf (fixture->log, "+%s ", device->name);
  g_clear_pointer (&fixture->last_added, ward_device_free);
  fixture->last_added = ward_device_copy (device);
}

static void
on_removed (Fixture *fixture, const char *name)
{
  g_string_append_printf (fixture->log, "-%s ", name);
}

static void
on_changed (Fixture *fixture, const char *name)
{
  g_string_append_printf (fixture->log, "~%s ", name);
}

static void
set_up (Fixture *fixture)
{
  fixture->testbed = umockdev_testbed_new ();
  fixture->log = g_string_new (NULL);
  fixture->finder = ward_finder_new ();
  g_signal_connect_swapped (fixture->finder, "device-added", G_CALLBACK (on_added), fixture);
  g_signal_connect_swapped (fixture->finder, "device-removed", G_CALLBACK (on_removed), fixture);
  g_signal_connect_swapped (fixture->finder, "device-changed", G_CALLBACK (on_changed), fixture);
}

static void
tear_down (Fixture *fixture)
{
  g_clear_object (&fixture->finder);
  g_clear_object (&fixture->testbed);
  g_clear_pointer (&fixture->last_added, ward_device_free);
  g_string_free (fixture->log, TRUE);
}

static void
describe_machine (Fixture *fixture, const char *description)
{
  g_autoptr (GError) error = NULL;

  umockdev_testbed_add_from_string (fixture->testbed, description, &error);
  g_assert_no_error (error);
}

/* umockdev announces devices by itself while a client listens, as udev does. */
static void
add_tpm (Fixture *fixture, const char *number, const char *attributes)
{
  g_autofree char *text = g_strdup_printf ("P: /devices/pci0000:00/chip%s\nE: SUBSYSTEM=acpi\n"
                                           "L: driver=../../../bus/acpi/drivers/tpm_crb\n\n"
                                           "P: /devices/pci0000:00/chip%s/tpm/tpm%s\nN: tpm%s\n"
                                           "E: SUBSYSTEM=tpm\nE: DEVNAME=/dev/tpm%s\n%s\n",
                                           number, number, number, number, number, attributes);

  describe_machine (fixture, text);
}

static void
add_manager (Fixture *fixture, const char *number)
{
  g_autofree char *text = g_strdup_printf ("P: /devices/pci0000:00/chip%s/tpmrm/tpmrm%s\nN: tpmrm%s\n"
                                           "E: SUBSYSTEM=tpmrm\nE: DEVNAME=/dev/tpmrm%s\n",
                                           number, number, number, number);

  describe_machine (fixture, text);
}

#define TPM_2_0 "A: tpm_version_major=2\\n\n"
#define TPM_1_2 "A: tpm_version_major=1\\n\nA: caps=Manufacturer: 0x49465800\\n\n"
#define OLD_KERNEL_2_0 ""
#define OLD_KERNEL_1_2 "A: caps=Manufacturer: 0x49465800\\n\n"

/* Any kernel from 4.12 on has this class, whether or not anything is in it. */
static void
add_manager_class (Fixture *fixture)
{
  describe_machine (fixture, "P: /devices/virtual/tpmrm/other\nE: SUBSYSTEM=tpmrm\n");
}

static gboolean
on_timeout (gpointer timed_out)
{
  *(gboolean *)timed_out = TRUE;
  return G_SOURCE_REMOVE;
}

/* Waits until the finder has said this since the last call, and nothing else. */
static void
expect (Fixture *fixture, const char *log)
{
  gboolean timed_out = FALSE;
  guint timeout = g_timeout_add_seconds (WAIT_SECONDS, on_timeout, &timed_out);

  while (!timed_out && fixture->log->len < strlen (log))
    g_main_context_iteration (NULL, TRUE);
  if (!timed_out)
    g_source_remove (timeout);
  g_assert_cmpstr (fixture->log->str, ==, log);
  g_string_truncate (fixture->log, 0);
}

/* Makes sure that the finder has seen all events up to now: it has once it has announced one more TPM. */
static void
expect_nothing (Fixture *fixture)
{
  add_tpm (fixture, "99", TPM_1_2);
  expect (fixture, "+tpm99 ");
}

static void
test_there_at_start (Fixture *fixture)
{
  add_tpm (fixture, "0", TPM_2_0);
  add_manager (fixture, "0");
  ward_finder_start (fixture->finder);

  g_assert_cmpstr (fixture->log->str, ==, "+tpm0 ");
  g_assert_cmpstr (fixture->last_added->name, ==, "tpm0");
  g_assert_cmpstr (fixture->last_added->family, ==, "2.0");
  g_assert_cmpstr (fixture->last_added->device_path, ==, "/dev/tpm0");
  g_assert_cmpstr (fixture->last_added->driver, ==, "tpm_crb");
  g_assert_cmpstr (fixture->last_added->transport, ==, "device:/dev/tpmrm0");
  g_assert_cmpstr (fixture->last_added->sysfs_path, ==, "/sys/devices/pci0000:00/chip0/tpm/tpm0");
}

static void
test_several_in_order (Fixture *fixture)
{
  add_tpm (fixture, "10", TPM_1_2);
  add_tpm (fixture, "2", TPM_1_2);
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->log->str, ==, "+tpm2 +tpm10 ");
}

static void
test_nothing_there (Fixture *fixture)
{
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->log->str, ==, "");
  expect_nothing (fixture);
}

static void
test_silent_until_started (Fixture *fixture)
{
  add_tpm (fixture, "0", TPM_1_2);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpstr (fixture->log->str, ==, "");
}

static void
test_1_2 (Fixture *fixture)
{
  add_manager_class (fixture);
  add_tpm (fixture, "0", TPM_1_2);
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->log->str, ==, "+tpm0 ");
  g_assert_cmpstr (fixture->last_added->family, ==, "1.2");
  g_assert_cmpstr (fixture->last_added->transport, ==, "tcsd");
}

static void
test_waits_for_resource_manager (Fixture *fixture)
{
  add_manager_class (fixture);
  add_tpm (fixture, "0", TPM_2_0);
  ward_finder_start (fixture->finder);
  expect_nothing (fixture);

  add_manager (fixture, "0");
  expect (fixture, "+tpm0 ");
  g_assert_cmpstr (fixture->last_added->transport, ==, "device:/dev/tpmrm0");
}

static void
test_kernel_without_resource_manager (Fixture *fixture)
{
  add_tpm (fixture, "0", TPM_2_0);
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->last_added->transport, ==, "device:/dev/tpm0");
}

static void
test_old_kernel_2_0 (Fixture *fixture)
{
  add_manager_class (fixture);
  add_tpm (fixture, "0", OLD_KERNEL_2_0);
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->log->str, ==, "");

  add_manager (fixture, "0");
  expect (fixture, "+tpm0 ");
  g_assert_cmpstr (fixture->last_added->family, ==, "2.0");
}

static void
test_old_kernel_1_2 (Fixture *fixture)
{
  add_manager_class (fixture);
  add_tpm (fixture, "0", OLD_KERNEL_1_2);
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->last_added->family, ==, "1.2");
}

static void
test_no_node (Fixture *fixture)
{
  describe_machine (fixture, "P: /devices/virtual/tpm/tpm0\nE: SUBSYSTEM=tpm\nE: DEVNAME=/dev/tpm0\n"
                             "A: tpm_version_major=1\\n\n");
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->log->str, ==, "");
}

static void
test_without_parent (Fixture *fixture)
{
  describe_machine (fixture, "P: /devices/virtual/tpm/tpm0\nN: tpm0\nE: SUBSYSTEM=tpm\nE: DEVNAME=/dev/tpm0\n"
                             "A: tpm_version_major=1\\n\n");
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->last_added->name, ==, "tpm0");
  g_assert_cmpstr (fixture->last_added->driver, ==, "");
}

static void
test_other_names (Fixture *fixture)
{
  add_tpm (fixture, "", TPM_1_2);
  add_tpm (fixture, "1x", TPM_1_2);
  ward_finder_start (fixture->finder);
  g_assert_cmpstr (fixture->log->str, ==, "");
  expect_nothing (fixture);
}

/* As the kernel does when its driver is unbound and bound again: the chip comes back under another number. */
static void
test_rebound (Fixture *fixture)
{
  add_manager_class (fixture);
  add_tpm (fixture, "0", TPM_2_0);
  add_manager (fixture, "0");
  ward_finder_start (fixture->finder);
  expect (fixture, "+tpm0 ");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_string_truncate (fixture->log, 0);

  umockdev_testbed_uevent (fixture->testbed, "/sys/devices/pci0000:00/chip0/tpmrm/tpmrm0", "remove");
  umockdev_testbed_uevent (fixture->testbed, "/sys/devices/pci0000:00/chip0/tpm/tpm0", "remove");
  umockdev_testbed_remove_device (fixture->testbed, "/sys/devices/pci0000:00/chip0");
  expect (fixture, "-tpm0 ");

  add_tpm (fixture, "1", TPM_2_0);
  add_manager (fixture, "1");
  expect (fixture, "+tpm1 ");
  g_assert_cmpstr (fixture->last_added->transport, ==, "device:/dev/tpmrm1");
}

/* The kernel tells of it while the device is still in sysfs. */
static void
test_removed_while_visible (Fixture *fixture)
{
  ward_finder_start (fixture->finder);
  add_tpm (fixture, "0", TPM_1_2);
  expect (fixture, "+tpm0 ");
  umockdev_testbed_uevent (fixture->testbed, "/sys/devices/pci0000:00/chip0/tpm/tpm0", "remove");
  expect (fixture, "-tpm0 ");
  umockdev_testbed_uevent (fixture->testbed, "/sys/devices/pci0000:00/chip0/tpm/tpm0", "add");
  expect (fixture, "+tpm0 ");
}

static void
test_changed (Fixture *fixture)
{
  ward_finder_start (fixture->finder);
  add_tpm (fixture, "0", TPM_1_2);
  expect (fixture, "+tpm0 ");
  umockdev_testbed_uevent (fixture->testbed, "/sys/devices/pci0000:00/chip0/tpm/tpm0", "change");
  expect (fixture, "~tpm0 ");
}

static void
test_replaced (Fixture *fixture)
{
  ward_finder_start (fixture->finder);
  add_tpm (fixture, "0", TPM_1_2);
  expect (fixture, "+tpm0 ");
  umockdev_testbed_set_attribute (fixture->testbed, "/sys/devices/pci0000:00/chip0/tpm/tpm0", "tpm_version_major", "2");
  umockdev_testbed_uevent (fixture->testbed, "/sys/devices/pci0000:00/chip0/tpm/tpm0", "change");
  expect (fixture, "-tpm0 +tpm0 ");
  g_assert_cmpstr (fixture->last_added->family, ==, "2.0");
}

static const struct
{
  const char *path;
  void (*run) (Fixture *fixture);
} tests[] = {
  { "/finder/there-at-start", test_there_at_start },
  { "/finder/several-in-order", test_several_in_order },
  { "/finder/nothing-there", test_nothing_there },
  { "/finder/silent-until-started", test_silent_until_started },
  { "/finder/1.2", test_1_2 },
  { "/finder/waits-for-resource-manager", test_waits_for_resource_manager },
  { "/finder/kernel-without-resource-manager", test_kernel_without_resource_manager },
  { "/finder/old-kernel/2.0", test_old_kernel_2_0 },
  { "/finder/old-kernel/1.2", test_old_kernel_1_2 },
  { "/finder/no-node", test_no_node },
  { "/finder/without-parent", test_without_parent },
  { "/finder/other-names", test_other_names },
  { "/finder/rebound", test_rebound },
  { "/finder/removed-while-visible", test_removed_while_visible },
  { "/finder/changed", test_changed },
  { "/finder/replaced", test_replaced },
};

static void
run_test (gconstpointer data)
{
  guint index = GPOINTER_TO_UINT (data);
  Fixture fixture = { 0 };

  set_up (&fixture);
  tests[index].run (&fixture);
  tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add_data_func (tests[i].path, GUINT_TO_POINTER (i), run_test);
  return g_test_run ();
}

#else

static void
test_not_built (void)
{
  g_test_skip ("umockdev was not there when the tests were built");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/finder", test_not_built);
  return g_test_run ();
}

#endif
