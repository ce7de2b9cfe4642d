/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-doctor-fixture.h"

/* What the doctor says of tcsd on a machine with a TPM 1.2. */

#define MAJOR "/sys/class/tpm/tpm0/tpm_version_major"
#define NO_DEVICE "tcsd: TCSD TDDL ERROR: Could not find a device to open!"

static void
set_lines (char ***lines, const char *line)
{
  g_strfreev (*lines);
  *lines = g_new0 (char *, 2);
  (*lines)[0] = g_strdup (line);
}

static void
set_up (TestDoctor *doctor, gconstpointer data)
{
  test_doctor_set_up (doctor, data);
  test_doctor_remove (doctor, MAJOR);
  test_doctor_add (doctor, MAJOR "=1\n", 0);
  test_doctor_remove (doctor, "/sys/class/tpmrm/tpmrm0");
  test_doctor_remove (doctor, "/dev/tpmrm0");
  test_doctor_set (&doctor->tpm->family, "1.2");
  test_doctor_set (&doctor->tpm->transport, "tcsd");
  doctor->tpm->ownership->owner_auth_set = TRUE;
  doctor->facts->tcsd_config = g_new0 (char *, 1);
  doctor->facts->tcsd_remote = g_new0 (char *, 1);
  test_doctor_set (&doctor->facts->tcsd.load, "loaded");
  test_doctor_set (&doctor->facts->tcsd.active, "active");
}

/* Nothing is used, so that nothing is said of the TPM itself. */
static void
fail (TestDoctor *doctor, const char *result)
{
  test_doctor_set (&doctor->facts->tcsd.active, "failed");
  test_doctor_set (&doctor->facts->tcsd.result, result);
}

static const WardFinding *
finds (TestDoctor *doctor, gboolean is_repaired)
{
  return test_doctor_finds (doctor, "tcsd-failed", WARD_SEVERITY_ERROR, is_repaired);
}

static void
test_all_is_well (TestDoctor *doctor, gconstpointer data)
{
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
  test_doctor_set (&doctor->facts->tcsd.active, "inactive");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
  test_doctor_add (doctor, "/etc/tcsd.conf=port = 4\n", 0640);
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

/* On a machine of TPMs 2.0 what becomes of tcsd is said by another finding. */
static void
test_other_family (TestDoctor *doctor, gconstpointer data)
{
  test_doctor_remove (doctor, MAJOR);
  test_doctor_add (doctor, MAJOR "=2\n", 0);
  test_doctor_add (doctor, "/sys/class/tpmrm/tpmrm0/dev=253:65536\n", 0);
  test_doctor_add (doctor, "/dev/tpmrm0", 0660);
  test_doctor_set (&doctor->tpm->family, "2.0");
  set_lines (&doctor->facts->tcsd_config, "chmod 0640 /etc/tcsd.conf (was 0644)");
  set_lines (&doctor->facts->tcsd_remote, "comment out line 1 of /etc/tcsd.conf: remote_ops = seal");
  fail (doctor, "exit-code");
  test_doctor_finds (doctor, "tcsd-on-tpm2", WARD_SEVERITY_ERROR, TRUE);
}

static void
test_config (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  set_lines (&doctor->facts->tcsd_config, "chown root:tss /etc/tcsd.conf (was tss:tss 0600)");
  finding = test_doctor_finds (doctor, "tcsd-config", WARD_SEVERITY_ERROR, TRUE);
  g_assert_cmpstr (finding->subject, ==, "/etc/tcsd.conf");
  test_doctor_says (finding, "was tss:tss 0600");

  set_lines (&doctor->facts->tcsd_config, "left alone: /etc/tcsd.conf is a symbolic link");
  test_doctor_finds (doctor, "tcsd-config", WARD_SEVERITY_ERROR, FALSE);
}

/* What it says, only those may read who may read the file. */
static void
test_config_that_is_refused (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  set_lines (&doctor->facts->tcsd_config, "comment out line 7 of /etc/tcsd.conf: num_threads = secret");
  finding = test_doctor_finds (doctor, "tcsd-config", WARD_SEVERITY_ERROR, TRUE);
  test_doctor_hides (finding, "secret");
  doctor->viewer.sees_all = TRUE;
  finding = test_doctor_finds (doctor, "tcsd-config", WARD_SEVERITY_ERROR, TRUE);
  test_doctor_says (finding, "line 7 of /etc/tcsd.conf: num_threads = secret");
}

static void
test_exposed (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  set_lines (&doctor->facts->tcsd_remote, "comment out line 1 of /etc/tcsd.conf: remote_ops = seal");
  finding = test_doctor_finds (doctor, "tcsd-exposed", WARD_SEVERITY_WARNING, TRUE);
  test_doctor_says (finding, "127.0.0.1");
}

static void
unreach (TestDoctor *doctor)
{
  doctor->tpm->state = WARD_TPM_UNREACHABLE;
  test_doctor_set (&doctor->tpm->state_detail, "It is not reached.");
}

/* Where more than one thing is found: that of the id, or NULL. */
static const WardFinding *
look (TestDoctor *doctor, const char *id, const char *beside)
{
  g_clear_pointer (&doctor->facts->machine, ward_machine_free);
  doctor->facts->tss = doctor->tss;
  doctor->facts->machine = ward_machine_read (doctor->root, &doctor->tss);
  g_clear_pointer (&doctor->findings, g_ptr_array_unref);
  doctor->findings = ward_doctor_examine (doctor->facts, doctor->tpms, &doctor->viewer);
  g_assert_nonnull (ward_doctor_find (doctor->findings, beside));
  g_assert_cmpuint (doctor->findings->len, ==, id ? 2 : 1);
  return id ? ward_doctor_find (doctor->findings, id) : NULL;
}

static const WardFinding *
finds_too (TestDoctor *doctor, const char *id)
{
  return look (doctor, id, "tpm-unreachable@tpm0");
}

static void
test_missing (TestDoctor *doctor, gconstpointer data)
{
  unreach (doctor);
  g_clear_pointer (&doctor->facts->tcsd.active, g_free);
  test_doctor_set (&doctor->facts->tcsd.load, "not-found");
  test_doctor_says (finds_too (doctor, "tcsd-missing"), "trousers");
  test_doctor_set (&doctor->facts->tcsd.load, "masked");
  test_doctor_says (finds_too (doctor, "tcsd-missing"), "systemctl unmask");
  g_clear_pointer (&doctor->facts->tcsd.load, g_free); /* no systemd */
  finds_too (doctor, NULL);
}

static void
test_port (TestDoctor *doctor, gconstpointer data)
{
  unreach (doctor);
  finds_too (doctor, NULL);
  test_doctor_add (doctor, "/etc/tcsd.conf=# port = 1\n port=40000\n", 0640);
  test_doctor_says (finds_too (doctor, "tcsd-port"), "tcsd:port=40000");
  test_doctor_set (&doctor->tpm->transport, "tcsd:port=40000");
  finds_too (doctor, NULL);
}

static void
test_device_of_another (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  set_lines (&doctor->facts->access, "chown tss:tss /dev/tpm0 (was root:root 0660)");
  test_doctor_finds (doctor, "wrong-access", WARD_SEVERITY_ERROR, TRUE);
  fail (doctor, "exit-code");
  finding = look (doctor, "tcsd-failed", "wrong-access");
  test_doctor_says (finding, "/dev/tpm0 does not belong to tss");
  g_assert_cmpstr (finding->repair, !=, "");
}

/* What tcsd says alike, by what there is. */
static void
test_no_device (TestDoctor *doctor, gconstpointer data)
{
  fail (doctor, "exit-code");
  set_lines (&doctor->facts->journal, NO_DEVICE);
  test_doctor_says (finds (doctor, TRUE), "all right by now");
  test_doctor_add (doctor, "/sys/class/tpm/tpm1/tpm_version_major=1\n", 0);
  test_doctor_add (doctor, "/dev/tpm1", 0660);
  test_doctor_remove (doctor, "/sys/class/tpm/tpm0");
  test_doctor_says (finds (doctor, FALSE), "this machine's TPM 1.2 is /dev/tpm1");
}

static void
test_device_held (TestDoctor *doctor, gconstpointer data)
{
  const WardFinding *finding;

  fail (doctor, "exit-code");
  g_clear_pointer (&doctor->facts->holders, g_variant_unref);
  doctor->facts->holders = g_variant_ref_sink (
      g_variant_new_parsed ("[{'device': <'/dev/tpm0'>, 'pid': <uint32 7>, 'uid': <uint32 0>, 'command': <'tcsd'>}]"));
  finds (doctor, TRUE);
  g_clear_pointer (&doctor->facts->holders, g_variant_unref);
  doctor->facts->holders = g_variant_ref_sink (g_variant_new_parsed (
      "[{'device': <'/dev/tpm0'>, 'pid': <uint32 4711>, 'uid': <uint32 0>, 'command': <'rngd'>}]"));
  test_doctor_hides (look (doctor, "tcsd-failed", "device-held"), "rngd");
  doctor->viewer.sees_all = TRUE;
  finding = look (doctor, "tcsd-failed", "device-held");
  test_doctor_says (finding, "held by rngd (process 4711)");
  g_assert_cmpstr (finding->repair, ==, "");
}

static void
test_state_of_another (TestDoctor *doctor, gconstpointer data)
{
  set_lines (&doctor->facts->access, "chown tss:tss /var/lib/tpm/system.data (was root:root 0600)");
  fail (doctor, "exit-code");
  test_doctor_says (look (doctor, "tcsd-failed", "wrong-access"), "system.data in it");
}

static void
test_other_failures (TestDoctor *doctor, gconstpointer data)
{
  static const struct
  {
    const char *result, *journal, *words;
  } cases[] = {
    { "exit-code", "tcsd: TCSD ERROR: Failed IPv4 bind: Address already in use", "Another program has its port" },
    { "exit-code", "tcsd: TCSD TCS ERROR: system PS: open() of /var/lib/tpm/system.data failed: Permission denied",
      "file of keys" },
    { "timeout", "", "in the time that systemd gives it" },
    { "core-dump", "", "crashed" },
    { "exit-code", "", "journalctl -u tcsd" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      fail (doctor, cases[i].result);
      set_lines (&doctor->facts->journal, cases[i].journal);
      test_doctor_says (finds (doctor, TRUE), cases[i].words);
    }
}

#define ADD(path, func) g_test_add (path, TestDoctor, NULL, set_up, func, test_doctor_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/doctor-tcsd/all-is-well", test_all_is_well);
  ADD ("/doctor-tcsd/other-family", test_other_family);
  ADD ("/doctor-tcsd/config", test_config);
  ADD ("/doctor-tcsd/config-that-is-refused", test_config_that_is_refused);
  ADD ("/doctor-tcsd/exposed", test_exposed);
  ADD ("/doctor-tcsd/missing", test_missing);
  ADD ("/doctor-tcsd/port", test_port);
  ADD ("/doctor-tcsd/device-of-another", test_device_of_another);
  ADD ("/doctor-tcsd/no-device", test_no_device);
  ADD ("/doctor-tcsd/device-held", test_device_held);
  ADD ("/doctor-tcsd/state-of-another", test_state_of_another);
  ADD ("/doctor-tcsd/other-failures", test_other_failures);
  return g_test_run ();
}
