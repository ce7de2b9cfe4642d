/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "test-doctor-fixture.h"
#include "test-tree.h"

/* The doctor before trees that trees/record has recorded on machines: QEMU's, with Linux 6.1 of Debian 12. */

typedef struct
{
  const char *tree;
  const char *family;  /* of the TPM that the service uses, or NULL: none */
  const char *finding; /* or NULL: all is well */
  WardSeverity severity;
  const char *words;
} Machine;

static const Machine machines[] = {
  { "tpm2", "2.0", NULL, WARD_SEVERITY_OK, "tpm0" },
  { "tpm2-ovmf", "2.0", NULL, WARD_SEVERITY_OK, "tpm0" },
  { "tpm12", "1.2", NULL, WARD_SEVERITY_OK, "tpm0" },
  { "tpm2", NULL, "tpm-unused", WARD_SEVERITY_WARNING, "tpm0" },
  { "tpm2-unbound", NULL, "no-driver", WARD_SEVERITY_ERROR, "ACPI device MSFT0101:00" },
  { "no-tpm", NULL, "no-acpi", WARD_SEVERITY_ERROR, "virtual machine" },
};

static void
chmod_nodes (const char *root)
{
  g_autofree char *folder = g_build_filename (root, "dev", NULL);
  g_autoptr (GDir) nodes = g_dir_open (folder, 0, NULL);
  const char *name;

  while (nodes && (name = g_dir_read_name (nodes)))
    {
      g_autofree char *node = g_build_filename (folder, name, NULL);

      g_assert_cmpint (g_chmod (node, 0660), ==, 0);
    }
}

/* Takes the place of the fixture's own tree. Owners and modes are not recorded: they are as they are to be. */
static void
load (TestDoctor *doctor, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".tree", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "trees", file, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, &error));
  test_tree_remove (doctor->root);
  g_assert_cmpint (g_mkdir (doctor->root, 0700), ==, 0);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      g_autofree char *line = g_strcompress (lines[i]);

      if (*line == '/')
        test_tree_add (doctor->root, line);
    }
  chmod_nodes (doctor->root);
}

/* One that has an owner. */
static void
set_family (TestDoctor *doctor, const char *family)
{
  test_doctor_set (&doctor->tpm->family, family);
  doctor->tpm->ownership->owner_auth_set = TRUE;
}

static void
test_recorded (TestDoctor *doctor, gconstpointer data)
{
  const Machine *machine = data;
  const WardFinding *finding;

  load (doctor, machine->tree);
  if (machine->family)
    set_family (doctor, machine->family);
  else
    g_ptr_array_set_size (doctor->tpms, 0);
  finding = test_doctor_finds (doctor, machine->finding, machine->severity, FALSE);
  test_doctor_says (finding, machine->words);
}

/* On a machine with a TPM 1.2 tcsd is where it belongs, and is to work. */
static void
test_tcsd (TestDoctor *doctor, gconstpointer data)
{
  doctor->facts->tcsd = (WardUnit){ .active = g_strdup ("failed"), .enabled = g_strdup ("enabled") };
  load (doctor, "tpm2");
  test_doctor_finds (doctor, "tcsd-on-tpm2", WARD_SEVERITY_ERROR, TRUE);

  load (doctor, "tpm12");
  set_family (doctor, "1.2");
  test_doctor_finds (doctor, "tcsd-failed", WARD_SEVERITY_ERROR, TRUE);
  test_doctor_set (&doctor->facts->tcsd.active, "active");
  test_doctor_finds (doctor, NULL, WARD_SEVERITY_OK, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (machines); i++)
    {
      g_autofree char *path = g_strdup_printf ("/doctor-recorded/%s-%s", machines[i].tree,
                                               machines[i].finding ? machines[i].finding : "all-well");

      g_test_add (path, TestDoctor, &machines[i], test_doctor_set_up, test_recorded, test_doctor_tear_down);
    }
  g_test_add ("/doctor-recorded/tcsd", TestDoctor, NULL, test_doctor_set_up, test_tcsd, test_doctor_tear_down);
  return g_test_run ();
}
