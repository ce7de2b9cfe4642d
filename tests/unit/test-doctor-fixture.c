/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-doctor-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "test-tree.h"

#define ALICE 1000

/* As a machine with a TPM 2.0 and Linux 6.1 shows it. */
static const struct
{
  const char *file;
  guint mode;
} files[] = {
  { "/sys/firmware/acpi/tables/TPM2", 0400 },
  { "/sys/bus/acpi/devices/MSFT0101:00/status=15\n", 0444 },
  { "/sys/bus/acpi/devices/MSFT0101:00/physical_node/driver>../../../drivers/tpm_crb", 0 },
  { "/sys/module/tpm_crb/", 0 },
  { "/sys/class/tpm/tpm0/tpm_version_major=2\n", 0444 },
  { "/sys/class/tpmrm/tpmrm0/dev=253:65536\n", 0444 },
  { "/dev/tpm0", 0660 },
  { "/dev/tpmrm0", 0660 },
  { "/dev/null", 0666 },
  { "/var/lib/tpm/", 0700 },
};

void
test_doctor_set (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

static WardDoctorTpm *
healthy_tpm (void)
{
  WardDoctorTpm *tpm = g_new0 (WardDoctorTpm, 1);

  tpm->name = g_strdup ("tpm0");
  tpm->family = g_strdup ("2.0");
  tpm->transport = g_strdup ("device:/dev/tpmrm0");
  tpm->device_path = g_strdup ("/dev/tpm0");
  tpm->kernel_name = g_strdup ("tpm0");
  tpm->state = WARD_TPM_READY;
  tpm->state_detail = g_strdup ("");
  tpm->advisories = g_ptr_array_new ();
  tpm->self_test = WARD_SELF_TEST_PASSED;
  tpm->self_test_text = g_strdup ("It passed.");
  tpm->ownership = g_new0 (WardOwnership, 1);
  tpm->ownership->lockout_auth_set = TRUE;
  tpm->ownership->owner_enabled = TRUE;
  tpm->ownership->endorsement_enabled = TRUE;
  tpm->ownership->srk_handle = WARD_SRK_HANDLE;
  tpm->ownership->max_failures = 32;
  tpm->ownership->recovery_seconds = 600;
  tpm->ownership->lockout_recovery_seconds = 86400;
  tpm->ownership->room = (WardRoom){ .persistent = 1,
                                     .persistent_available = 6,
                                     .transient_available = 3,
                                     .sessions_loaded_available = 3,
                                     .sessions_active = 1,
                                     .sessions_active_available = 63,
                                     .sessions_active_max = 64 };
  return tpm;
}

void
test_doctor_set_up (TestDoctor *doctor, gconstpointer data)
{
  doctor->root = g_dir_make_tmp ("ward-doctor-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    test_doctor_add (doctor, files[i].file, files[i].mode);

  doctor->tss = (WardTss){ .exists = TRUE, .uid = geteuid (), .gid = getegid () };
  doctor->viewer = (WardDoctorViewer){ .uid = ALICE };
  doctor->tpm = healthy_tpm ();
  doctor->tpms = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_doctor_tpm_free);
  g_ptr_array_add (doctor->tpms, doctor->tpm);
  doctor->facts = ward_doctor_facts_new ();
  doctor->facts->discovers = TRUE;
  doctor->facts->own_pid = 1;
  doctor->facts->access = g_new0 (char *, 1);
  doctor->facts->dependents = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE_VARDICT, NULL, 0));
  doctor->facts->holders = g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE_VARDICT, NULL, 0));
}

void
test_doctor_tear_down (TestDoctor *doctor, gconstpointer data)
{
  test_tree_remove (doctor->root);
  g_free (doctor->root);
  g_ptr_array_unref (doctor->tpms);
  ward_doctor_facts_unref (doctor->facts);
  g_clear_pointer (&doctor->findings, g_ptr_array_unref);
}

void
test_doctor_add (TestDoctor *doctor, const char *file, guint mode)
{
  gsize length = strcspn (file, "=>");
  g_autofree char *name = g_strndup (file, length);
  g_autofree char *path = g_strconcat (doctor->root, name, NULL);

  test_tree_add (doctor->root, file);
  if (mode != 0)
    g_assert_cmpint (g_chmod (path, (int)mode), ==, 0);
}

void
test_doctor_remove (TestDoctor *doctor, const char *path)
{
  g_autofree char *full = g_strconcat (doctor->root, path, NULL);

  test_tree_remove (full);
}

void
test_doctor_without_tpm (TestDoctor *doctor)
{
  g_ptr_array_set_size (doctor->tpms, 0);
  doctor->tpm = NULL;
  test_doctor_remove (doctor, "/sys/class/tpm/tpm0");
  test_doctor_remove (doctor, "/sys/class/tpmrm");
  test_doctor_remove (doctor, "/dev/tpm0");
  test_doctor_remove (doctor, "/dev/tpmrm0");
}

void
test_doctor_add_dependent (TestDoctor *doctor, const char *subject, guint32 uid, const char *flag)
{
  g_autoptr (GVariant) before = doctor->facts->dependents;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < g_variant_n_children (before); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (before, i);

      g_variant_builder_add_value (&builder, dependent);
    }
  g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "kind", g_variant_new_string ("luks-volume"));
  g_variant_builder_add (&builder, "{sv}", "subject", g_variant_new_string (subject));
  g_variant_builder_add (&builder, "{sv}", "uid", g_variant_new_uint32 (uid));
  g_variant_builder_add (&builder, "{sv}", flag, g_variant_new_boolean (TRUE));
  g_variant_builder_close (&builder);
  doctor->facts->dependents = g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
examine (TestDoctor *doctor)
{
  g_clear_pointer (&doctor->facts->machine, ward_machine_free);
  doctor->facts->tss = doctor->tss;
  doctor->facts->machine = ward_machine_read (doctor->root, &doctor->tss);
  g_clear_pointer (&doctor->findings, g_ptr_array_unref);
  doctor->findings = ward_doctor_examine (doctor->facts, doctor->tpms, &doctor->viewer);
}

const WardFinding *
test_doctor_finds (TestDoctor *doctor, const char *id, WardSeverity severity, gboolean is_repaired)
{
  gboolean is_well = severity <= WARD_SEVERITY_INFO;
  const WardFinding *finding;

  examine (doctor);
  for (guint i = 0; i < doctor->findings->len; i++)
    {
      finding = g_ptr_array_index (doctor->findings, i);
      g_test_message ("%s %s: %s %s [%s] %s", finding->id, ward_severity_to_string (finding->severity), finding->title,
                      finding->detail, finding->subject, finding->repair);
      g_assert_cmpstr (finding->title, !=, "");
      g_assert_true (g_str_has_suffix (finding->detail, ".") || strstr (finding->detail, "\nThe journal says:\n"));
      g_assert_null (strstr (finding->detail, doctor->root));
    }
  if (!id)
    id = "all-well";
  finding = ward_doctor_find (doctor->findings, id);
  g_assert_nonnull (finding);
  g_assert_cmpint (finding->severity, ==, severity);
  g_assert_cmpint (*finding->repair != '\0', ==, is_repaired);
  g_assert_cmpuint (doctor->findings->len, ==, is_well && severity != WARD_SEVERITY_OK ? 2 : 1);
  g_assert_cmpint (ward_doctor_find (doctor->findings, "all-well") != NULL, ==, is_well);
  return finding;
}

void
test_doctor_says (const WardFinding *finding, const char *words)
{
  if (!strstr (finding->detail, words))
    g_error ("“%s” does not say “%s”", finding->detail, words);
}

void
test_doctor_hides (const WardFinding *finding, const char *words)
{
  if (strstr (finding->detail, words) || strstr (finding->repair, words))
    g_error ("“%s” says “%s”", finding->detail, words);
}
