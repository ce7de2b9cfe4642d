/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "test-doctor-fixture.h"
#include "ward-error.h"

/* The ladder from the firmware to the services in the way: each rung broken alone. */

static void
test_healthy (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding = test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);

  test_doctor_says (finding, "tpm0");
}

static void
test_no_acpi (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_without_tpm (doctor);
  test_doctor_remove (doctor, "/sys/bus/acpi/devices/MSFT0101:00");
  test_doctor_remove (doctor, "/sys/firmware/acpi/tables/TPM2");
  test_doctor_add (doctor, "/sys/bus/acpi/devices/PNP0A08:00/", 0);
  finding = test_doctor_finds (doctor, "no-acpi", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "Intel PTT or AMD fTPM");
}

static void
test_switched_off (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_without_tpm (doctor);
  test_doctor_remove (doctor, "/sys/bus/acpi/devices/MSFT0101:00/status");
  test_doctor_add (doctor, "/sys/bus/acpi/devices/MSFT0101:00/status=0\n", 0);
  finding = test_doctor_finds (doctor, "no-acpi", WARD_SEVERITY_ERROR, FALSE);
  g_assert_cmpstr (finding->subject, ==, "MSFT0101:00");
}

static void
remove_driver (TestDoctor *doctor)
{
  test_doctor_remove (doctor, "/sys/bus/acpi/devices/MSFT0101:00/physical_node");
  test_doctor_remove (doctor, "/sys/module/tpm_crb");
}

static void
test_no_driver (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_without_tpm (doctor);
  remove_driver (doctor);
  finding = test_doctor_finds (doctor, "no-driver", WARD_SEVERITY_ERROR, TRUE);
  g_assert_cmpstr (finding->subject, ==, "tpm_crb");
  g_assert_nonnull (strstr (finding->repair, "tpm_crb or, if that changes nothing, tpm_tis"));
}

static void
test_driver_without_effect (TestDoctor *doctor, gconstpointer data)
{
  static const char *const journal[] = { "kernel: tpm_crb MSFT0101:00: [Firmware Bug]: no resource",
                                         "tcsd[7]: something else", NULL };
  const WardFinding *finding;

  test_doctor_without_tpm (doctor);
  doctor->facts->journal = g_strdupv ((char **)journal);
  finding = test_doctor_finds (doctor, "no-driver", WARD_SEVERITY_ERROR, FALSE);
  g_assert_cmpstr (finding->subject, ==, "MSFT0101:00");
  test_doctor_hides (finding, "Firmware Bug");

  doctor->viewer.sees_all = TRUE;
  finding = test_doctor_finds (doctor, "no-driver", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "no resource");
  test_doctor_hides (finding, "something else");
}

/* Another TPM is used, and still the machine's own waits for its driver. */
static void
test_no_driver_beside_another_tpm (TestDoctor *doctor, gconstpointer data)
{
  test_doctor_remove (doctor, "/sys/class/tpm/tpm0");
  remove_driver (doctor);
  test_doctor_finds (doctor, "no-driver", WARD_SEVERITY_WARNING, TRUE);

  doctor->facts->discovers = FALSE;
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

static void
test_no_node (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_remove (doctor, "/dev/tpmrm0");
  finding = test_doctor_finds (doctor, "no-node", WARD_SEVERITY_ERROR, FALSE);
  g_assert_cmpstr (finding->subject, ==, "/dev/tpmrm0");

  g_ptr_array_set_size (doctor->tpms, 0);
  test_doctor_remove (doctor, "/dev/tpm0");
  finding = test_doctor_finds (doctor, "no-node", WARD_SEVERITY_ERROR, FALSE);
  g_assert_cmpstr (finding->subject, ==, "/dev/tpm0");
  test_doctor_says (finding, "/dev/tpm0, /dev/tpmrm0");
}

/* Kernels before 4.12, and TPM 1.2, have no resource manager to miss. */
static void
test_no_manager_to_miss (TestDoctor *doctor, gconstpointer data)
{
  test_doctor_remove (doctor, "/dev/tpmrm0");
  test_doctor_remove (doctor, "/sys/class/tpmrm");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);

  test_doctor_add (doctor, "/sys/class/tpmrm/", 0);
  test_doctor_remove (doctor, "/sys/class/tpm/tpm0/tpm_version_major");
  test_doctor_add (doctor, "/sys/class/tpm/tpm0/caps=Manufacturer\n", 0);
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

static void
test_unused (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  g_ptr_array_set_size (doctor->tpms, 0);
  finding = test_doctor_finds (doctor, "tpm-unused", WARD_SEVERITY_WARNING, FALSE);
  g_assert_cmpstr (finding->subject, ==, "/dev/tpm0");
  doctor->facts->discovers = FALSE;
  finding = test_doctor_finds (doctor, "tpm-unused", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "tpmward.conf");
}

static void
set_access (TestDoctor *doctor, const char *lines)
{
  g_strfreev (doctor->facts->access);
  doctor->facts->access = g_strsplit (lines, "|", -1);
}

static void
test_wrong_node (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  set_access (doctor, "chown tss:tss /dev/tpmrm0 (was root:root 0600)|chmod 0660 /dev/tpmrm0 (was 0600)");
  finding = test_doctor_finds (doctor, "wrong-access", WARD_SEVERITY_ERROR, TRUE);
  g_assert_cmpstr (finding->subject, ==, "/dev");
  test_doctor_says (finding, "chown tss:tss /dev/tpmrm0 (was root:root 0600); chmod 0660 /dev/tpmrm0 (was 0600)");
}

/* The names in a folder that nobody else may list stay within. */
static void
test_wrong_state_folder (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  set_access (doctor, "chown tss:tss /var/lib/tpm/diary (was root:root 0600)|chown tss:tss /var/lib/tpm (was root:root "
                      "0700)");
  finding = test_doctor_finds (doctor, "wrong-access", WARD_SEVERITY_WARNING, TRUE);
  g_assert_cmpstr (finding->subject, ==, "/var/lib/tpm");
  test_doctor_hides (finding, "diary");
  test_doctor_says (finding, "chown tss:tss /var/lib/tpm (was root:root 0700); and 1 more in /var/lib/tpm");

  doctor->viewer.sees_all = TRUE;
  finding = test_doctor_finds (doctor, "wrong-access", WARD_SEVERITY_WARNING, TRUE);
  test_doctor_says (finding, "diary");
}

static void
test_access_that_stays_wrong (TestDoctor *doctor, gconstpointer data)
{
  set_access (doctor, "left alone: /var/lib/tpm/link is a symbolic link");
  test_doctor_finds (doctor, "wrong-access", WARD_SEVERITY_WARNING, FALSE);
}

/* Where the helper cannot be asked, what an unprivileged look shows counts; where it can, only its word does. */
static void
test_access_without_helper (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  test_doctor_remove (doctor, "/dev/tpmrm0");
  test_doctor_add (doctor, "/dev/tpmrm0", 0600);
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);

  g_clear_pointer (&doctor->facts->access, g_strfreev);
  finding = test_doctor_finds (doctor, "wrong-access", WARD_SEVERITY_ERROR, FALSE);
  g_assert_cmpstr (finding->subject, ==, "/dev/tpmrm0");
  test_doctor_says (finding, "/dev/tpmrm0 (tss:tss 0600)");
  test_doctor_hides (finding, "/dev/tpm0 (");
}

static void
test_owner_without_helper (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  g_clear_pointer (&doctor->facts->access, g_strfreev);
  doctor->tss.uid += 12345;
  finding = test_doctor_finds (doctor, "wrong-access", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "/dev/tpm0 (");
  test_doctor_says (finding, "/dev/tpmrm0 (");
  test_doctor_says (finding, "/var/lib/tpm (");
}

static void
test_no_tss_user (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->tss = (WardTss){ .exists = FALSE };
  g_clear_pointer (&doctor->facts->access, g_strfreev);
  doctor->facts->access_error = g_error_new_literal (WARD_ERROR, WARD_ERROR_NOT_FOUND, "There is no user “tss”.");
  finding = test_doctor_finds (doctor, "no-tss-user", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "systemd-sysusers");
}

static void
test_no_helper (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  g_clear_pointer (&doctor->facts->access, g_strfreev);
  g_clear_pointer (&doctor->facts->dependents, g_variant_unref);
  doctor->facts->access_error = g_error_new_literal (WARD_ERROR, WARD_ERROR_NOT_SUPPORTED, "Install it.");
  doctor->facts->dependents_error = g_error_copy (doctor->facts->access_error);
  finding = test_doctor_finds (doctor, "helper-missing", WARD_SEVERITY_WARNING, FALSE);
  g_assert_cmpstr (finding->title, ==, "tpmward-helper is not installed");
  test_doctor_says (finding, "Install it.");
}

/* It does the one and not the other. */
static void
test_helper_that_fails (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  g_clear_pointer (&doctor->facts->dependents, g_variant_unref);
  doctor->facts->dependents_error = g_error_new_literal (WARD_ERROR, WARD_ERROR_FAILED, "It broke.");
  finding = test_doctor_finds (doctor, "helper-missing", WARD_SEVERITY_WARNING, FALSE);
  g_assert_cmpstr (finding->title, !=, "tpmward-helper is not installed");
  test_doctor_says (finding, "It broke.");

  g_clear_error (&doctor->facts->dependents_error);
  doctor->facts->holders_error = g_error_new_literal (WARD_ERROR, WARD_ERROR_FAILED, "It saw nobody.");
  finding = test_doctor_finds (doctor, "helper-missing", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "It saw nobody.");
}

static void
add_damage (TestDoctor *doctor, const char *path, guint32 uid)
{
  g_ptr_array_add (doctor->facts->damages, ward_damage_new (path, "it is odd", uid, NULL));
}

/* Of other users' keys nothing is told but that there are some. */
static void
test_store_damaged (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  add_damage (doctor, "/store/bobs", 1001);
  finding = test_doctor_finds (doctor, "store-damaged", WARD_SEVERITY_WARNING, FALSE);
  g_assert_cmpstr (finding->subject, ==, "");
  test_doctor_says (finding, "1 belongs to other users' keys");
  test_doctor_hides (finding, "/store/bobs");

  add_damage (doctor, "/store/mine", doctor->viewer.uid);
  add_damage (doctor, "/store/systems", WARD_UID_SYSTEM);
  finding = test_doctor_finds (doctor, "store-damaged", WARD_SEVERITY_WARNING, FALSE);
  g_assert_cmpstr (finding->subject, ==, "/store/mine");
  test_doctor_says (finding, "/store/mine: it is odd.\n/store/systems: it is odd.");
  test_doctor_hides (finding, "/store/bobs");

  doctor->viewer.sees_all = TRUE;
  finding = test_doctor_finds (doctor, "store-damaged", WARD_SEVERITY_WARNING, FALSE);
  g_assert_cmpstr (finding->subject, ==, "/store/bobs");
  test_doctor_says (finding, "/store/bobs: it is odd.\n/store/mine");
  test_doctor_hides (finding, "other users");
  for (guint i = 0; i < 20; i++)
    add_damage (doctor, "/store/another", 1002);
  finding = test_doctor_finds (doctor, "store-damaged", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "\nAnd 13 more.");
}

static void
test_no_store (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  doctor->facts->store_error = g_error_new_literal (WARD_ERROR, WARD_ERROR_FAILED, "It is gone.");
  finding = test_doctor_finds (doctor, "store-damaged", WARD_SEVERITY_ERROR, FALSE);
  test_doctor_says (finding, "It is gone.");
}

static void
add_holder (TestDoctor *doctor, const char *device, guint32 pid, const char *command)
{
  GVariantBuilder builder;

  g_clear_pointer (&doctor->facts->holders, g_variant_unref);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "device", g_variant_new_string (device));
  g_variant_builder_add (&builder, "{sv}", "pid", g_variant_new_uint32 (pid));
  g_variant_builder_add (&builder, "{sv}", "uid", g_variant_new_uint32 (1001));
  g_variant_builder_add (&builder, "{sv}", "command", g_variant_new_string (command));
  g_variant_builder_close (&builder);
  doctor->facts->holders = g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
test_holder (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  add_holder (doctor, "/dev/tpm0", 4711, "hoarder");
  finding = test_doctor_finds (doctor, "device-held", WARD_SEVERITY_WARNING, FALSE);
  g_assert_cmpstr (finding->subject, ==, "/dev/tpm0");
  test_doctor_hides (finding, "hoarder");
  test_doctor_hides (finding, "4711");
  test_doctor_hides (finding, "1001");

  doctor->viewer.sees_all = TRUE;
  finding = test_doctor_finds (doctor, "device-held", WARD_SEVERITY_WARNING, FALSE);
  test_doctor_says (finding, "hoarder (process 4711 of user 1001) has /dev/tpm0 open");
}

static void
test_rightful_holders (TestDoctor *doctor, gconstpointer data)
{
  add_holder (doctor, "/dev/tpmrm0", 4711, "tpm2_getrandom");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
  add_holder (doctor, "/dev/tpm0", doctor->facts->own_pid, "tpmward-daemon");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);

  test_doctor_remove (doctor, "/sys/class/tpm/tpm0/tpm_version_major");
  test_doctor_add (doctor, "/sys/class/tpm/tpm0/tpm_version_major=1\n", 0);
  add_holder (doctor, "/dev/tpm0", 4711, "tcsd");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

static void
set_unit (WardUnit *unit, const char *active, const char *enabled)
{
  test_doctor_set (&unit->active, active);
  test_doctor_set (&unit->enabled, enabled);
}

static void
test_tcsd (TestDoctor *doctor, gconstpointer data)
{
  static const char *const journal[] = { "TCSD TDDL: TrouSerS ioctl: (25) Inappropriate ioctl for device", NULL };
  const WardFinding *finding;

  set_unit (&doctor->facts->tcsd, "inactive", "enabled");
  finding = test_doctor_finds (doctor, "tcsd-on-tpm2", WARD_SEVERITY_WARNING, TRUE);
  g_assert_cmpstr (finding->subject, ==, "tcsd.service");

  doctor->facts->journal = g_strdupv ((char **)journal);
  set_unit (&doctor->facts->tcsd, "failed", "disabled");
  test_doctor_set (&doctor->facts->tcsd.result, "exit-code");
  finding = test_doctor_finds (doctor, "tcsd-on-tpm2", WARD_SEVERITY_ERROR, TRUE);
  test_doctor_says (finding, "Inappropriate ioctl for device");
  test_doctor_hides (finding, "TDDL");
  doctor->viewer.sees_all = TRUE;
  finding = test_doctor_finds (doctor, "tcsd-on-tpm2", WARD_SEVERITY_ERROR, TRUE);
  test_doctor_says (finding, "TDDL");

  /* that it holds the device is said by the one finding */
  add_holder (doctor, "/dev/tpm0", 4711, "tcsd");
  set_unit (&doctor->facts->tcsd, "active", "disabled");
  test_doctor_finds (doctor, "tcsd-on-tpm2", WARD_SEVERITY_ERROR, TRUE);
}

static void
test_tcsd_where_it_belongs (TestDoctor *doctor, gconstpointer data)
{
  set_unit (&doctor->facts->tcsd, "inactive", "disabled");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);

  set_unit (&doctor->facts->tcsd, "active", "enabled");
  test_doctor_add (doctor, "/sys/class/tpm/tpm1/tpm_version_major=1\n", 0);
  test_doctor_add (doctor, "/dev/tpm1", 0660);
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

static void
test_abrmd (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  set_unit (&doctor->facts->abrmd, "active", "enabled");
  add_holder (doctor, "/dev/tpm0", 4711, "tpm2-abrmd");
  finding = test_doctor_finds (doctor, "abrmd-in-the-way", WARD_SEVERITY_WARNING, TRUE);
  g_assert_cmpstr (finding->subject, ==, "tpm2-abrmd.service");

  test_doctor_set (&doctor->tpm->transport, "tabrmd:bus_type=system");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

#define ADD(path, func) g_test_add (path, TestDoctor, NULL, test_doctor_set_up, func, test_doctor_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/doctor/healthy", test_healthy);
  ADD ("/doctor/no-acpi", test_no_acpi);
  ADD ("/doctor/switched-off", test_switched_off);
  ADD ("/doctor/no-driver", test_no_driver);
  ADD ("/doctor/driver-without-effect", test_driver_without_effect);
  ADD ("/doctor/no-driver-beside-another-tpm", test_no_driver_beside_another_tpm);
  ADD ("/doctor/no-node", test_no_node);
  ADD ("/doctor/no-manager-to-miss", test_no_manager_to_miss);
  ADD ("/doctor/unused", test_unused);
  ADD ("/doctor/wrong-node", test_wrong_node);
  ADD ("/doctor/wrong-state-folder", test_wrong_state_folder);
  ADD ("/doctor/access-that-stays-wrong", test_access_that_stays_wrong);
  ADD ("/doctor/access-without-helper", test_access_without_helper);
  ADD ("/doctor/owner-without-helper", test_owner_without_helper);
  ADD ("/doctor/no-tss-user", test_no_tss_user);
  ADD ("/doctor/no-helper", test_no_helper);
  ADD ("/doctor/helper-that-fails", test_helper_that_fails);
  ADD ("/doctor/store-damaged", test_store_damaged);
  ADD ("/doctor/no-store", test_no_store);
  ADD ("/doctor/holder", test_holder);
  ADD ("/doctor/rightful-holders", test_rightful_holders);
  ADD ("/doctor/tcsd", test_tcsd);
  ADD ("/doctor/tcsd-where-it-belongs", test_tcsd_where_it_belongs);
  ADD ("/doctor/abrmd", test_abrmd);
  return g_test_run ();
}
