/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-absence.h"

#include <glib.h>
#include <string.h>

#include "test-tree.h"

/* One machine of each kind: its files, as PATH (a folder if it ends in "/"), PATH=TEXT or PATH>LINK, words that the
 * explanation must and must not hold, how far it has come, what that is about, and the modules to load. */
typedef struct
{
  const char *name;
  const char *files[8];
  const char *words[4];
  const char *unwanted;
  WardAbsenceKind kind;
  const char *subject; /* NULL: "" */
  const char *modules; /* NULL: "" */
} Machine;

#define ACPI_TPM "/sys/bus/acpi/devices/MSFT0101:00/"
#define ACPI_EMPTY "/sys/bus/acpi/devices/PNP0A08:00/", "/sys/firmware/acpi/tables/FACP"
#define CLASSES "/sys/class/net/"
#define CPU_VIRTUAL "/proc/cpuinfo=processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n"
#define CPU_REAL "/proc/cpuinfo=processor\t: 0\nflags\t\t: fpu vme\nbugs\t\t: hypervisor\n"

static const Machine machines[] = {
  { "no-sysfs", { "/dev/null" }, { "does not show /sys" }, NULL, WARD_ABSENCE_UNANNOUNCED, "/sys", NULL },
  { "container-without-node",
    { "/sys/class/tpm/tpm0/tpm_version_major=2\n", "/dev/null" },
    { "tpm0", "no device node", "container", "/dev/tpmrm0" },
    NULL,
    WARD_ABSENCE_NO_NODE,
    "tpm0",
    NULL },
  { "without-resource-manager",
    { "/sys/class/tpm/tpm1/", "/dev/tpm1" },
    { "/dev/tpmrm1", "firmware update", "container" },
    NULL,
    WARD_ABSENCE_NO_NODE,
    "tpm1",
    NULL },
  { "usable-2.0",
    { "/sys/class/tpm/tpm0/tpm_version_major=2\n", "/dev/tpm0", "/dev/tpmrm0" },
    { "tpm0", "Discover" },
    NULL,
    WARD_ABSENCE_UNUSED,
    "tpm0",
    NULL },
  { "usable-1.2",
    { "/sys/class/tpm/tpm0/tpm_version_major=1\n", "/dev/tpm0" },
    { "tpm0", "Discover" },
    "tpmrm",
    WARD_ABSENCE_UNUSED,
    "tpm0",
    NULL },
  { "bare-nodes",
    { CLASSES, "/dev/tpm0", "/dev/tpmrm0" },
    { "/dev/tpm0", "container", "Transport=device:/dev/tpmrm0", "[TPM tpm0]" },
    NULL,
    WARD_ABSENCE_UNUSED,
    "tpm0",
    NULL },
  { "bare-node",
    { CLASSES, "/dev/tpm0" },
    { "/dev/tpm0", "Transport=device:/dev/tpm0" },
    NULL,
    WARD_ABSENCE_UNUSED,
    "tpm0",
    NULL },
  { "only-resource-manager",
    { CLASSES, "/dev/tpmrm0", ACPI_EMPTY },
    { "firmware announces no TPM" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "no-driver",
    { CLASSES, ACPI_TPM, "/sys/firmware/acpi/tables/TPM2" },
    { "TPM 2.0 (ACPI device MSFT0101:00)", "modprobe tpm_crb", "modprobe tpm_tis", "standard kernel" },
    "loaded",
    WARD_ABSENCE_NO_DRIVER,
    "MSFT0101:00",
    "tpm_crb tpm_tis" },
  { "one-driver-refused",
    { CLASSES, ACPI_TPM, "/sys/bus/acpi/drivers/tpm_crb/" },
    { "loaded, without effect: tpm_crb.", "Load its driver with “modprobe tpm_tis”" },
    "modprobe tpm_crb",
    WARD_ABSENCE_NO_DRIVER,
    "MSFT0101:00",
    "tpm_tis" },
  { "all-drivers-refused",
    { CLASSES, ACPI_TPM, "/sys/bus/acpi/drivers/tpm_crb/", "/sys/module/tpm_tis/" },
    { "effect: tpm_crb and tpm_tis.", "journalctl" },
    "modprobe",
    WARD_ABSENCE_NO_DRIVER,
    "MSFT0101:00",
    NULL },
  { "driver-bound",
    { CLASSES, ACPI_TPM, "/sys/bus/platform/drivers/tpm_tis/",
      "/sys/bus/platform/devices/MSFT0101:00/driver>../../drivers/tpm_tis" },
    { "the driver tpm_tis has taken it", "journalctl" },
    "modprobe",
    WARD_ABSENCE_NO_DRIVER,
    "MSFT0101:00",
    NULL },
  { "driver-bound-to-acpi",
    { CLASSES, ACPI_TPM, "/sys/bus/acpi/devices/MSFT0101:00/driver>../../drivers/tpm_crb" },
    { "the driver tpm_crb has taken it" },
    NULL,
    WARD_ABSENCE_NO_DRIVER,
    "MSFT0101:00",
    NULL },
  { "driver-bound-to-pnp",
    { CLASSES, "/sys/bus/acpi/devices/PNP0C31:00/physical_node/driver>../../../bus/pnp/drivers/tpm_tis" },
    { "the driver tpm_tis has taken it" },
    "2.0",
    WARD_ABSENCE_NO_DRIVER,
    "PNP0C31:00",
    NULL },
  { "vendor-id",
    { CLASSES, "/sys/bus/acpi/devices/STM0125:00/modalias=acpi:STM0125:MSFT0101:\n" },
    { "STM0125:00", "modprobe tpm_crb" },
    NULL,
    WARD_ABSENCE_NO_DRIVER,
    "STM0125:00",
    "tpm_crb tpm_tis" },
  { "acpi-1.2",
    { CLASSES, "/sys/bus/acpi/devices/IFX0102:00/" },
    { "IFX0102:00", "modprobe tpm_tis" },
    "2.0",
    WARD_ABSENCE_NO_DRIVER,
    "IFX0102:00",
    "tpm_tis tpm_infineon" },
  { "off-by-status",
    { CLASSES, "/sys/bus/acpi/devices/MSFT0101:00/status=0\n", "/sys/firmware/acpi/tables/TPM2" },
    { "MSFT0101:00", "not present", "switched off", "PTT" },
    "modprobe",
    WARD_ABSENCE_UNANNOUNCED,
    "MSFT0101:00",
    NULL },
  { "second-one-present",
    { CLASSES, "/sys/bus/acpi/devices/MSFT0101:00/status=0\n", "/sys/bus/acpi/devices/MSFT0101:01/status=15\n" },
    { "MSFT0101:01", "modprobe" },
    "MSFT0101:00",
    WARD_ABSENCE_NO_DRIVER,
    "MSFT0101:01",
    "tpm_crb tpm_tis" },
  { "table-2.0-alone",
    { CLASSES, "/sys/bus/acpi/devices/PNP0A08:00/", "/sys/firmware/acpi/tables/TPM2" },
    { "TPM2", "no device", "firmware's setup" },
    "modprobe",
    WARD_ABSENCE_UNANNOUNCED,
    "TPM2",
    NULL },
  { "table-1.2-alone",
    { CLASSES, "/sys/firmware/acpi/tables/TCPA" },
    { "TCPA", "no device" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    "TCPA",
    NULL },
  { "device-tree",
    { CLASSES, "/sys/firmware/devicetree/base/soc/spi@1/tpm@0/compatible=infineon,slb9670\1tcg,tpm_tis-spi\1" },
    { "/soc/spi@1/tpm@0", "modprobe tpm_tis_spi" },
    NULL,
    WARD_ABSENCE_NO_DRIVER,
    "/soc/spi@1/tpm@0",
    "tpm_tis_spi" },
  { "device-tree-second-string",
    { CLASSES, "/sys/firmware/devicetree/base/i2c@1/tpm@2e/compatible=acme,chip\1tcg,tpm-tis-i2c\1",
      "/sys/firmware/devicetree/base/i2c@1/tpm@2e/status=okay\1" },
    { "/i2c@1/tpm@2e", "modprobe tpm_tis_i2c" },
    NULL,
    WARD_ABSENCE_NO_DRIVER,
    "/i2c@1/tpm@2e",
    "tpm_tis_i2c" },
  { "device-tree-disabled",
    { CLASSES, "/sys/firmware/devicetree/base/tpm/compatible=tcg,tpm-tis-mmio\1",
      "/sys/firmware/devicetree/base/tpm/status=disabled\1" },
    { "/tpm", "“disabled”" },
    "modprobe",
    WARD_ABSENCE_UNANNOUNCED,
    "/tpm",
    NULL },
  { "device-tree-without",
    { CLASSES, "/sys/firmware/devicetree/base/cpus/compatible=arm,cortex\1" },
    { "device tree describes no TPM", "overlay" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "qemu",
    { CLASSES, ACPI_EMPTY, CPU_VIRTUAL, "/sys/class/dmi/id/sys_vendor=QEMU\n" },
    { "virtual machine", "libvirt", "tpm-crb" },
    "firmware's setup",
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "qemu-without-cpuinfo",
    { CLASSES, ACPI_EMPTY, "/sys/class/dmi/id/sys_vendor=QEMU\n" },
    { "virtual machine", "libvirt" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "hyper-v",
    { CLASSES, ACPI_EMPTY, CPU_VIRTUAL, "/sys/class/dmi/id/sys_vendor=Microsoft Corporation\n",
      "/sys/class/dmi/id/product_name=Virtual Machine\n" },
    { "virtual machine", "Hyper-V" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "surface",
    { CLASSES, ACPI_EMPTY, CPU_REAL, "/sys/class/dmi/id/sys_vendor=Microsoft Corporation\n",
      "/sys/class/dmi/id/product_name=Surface Pro\n" },
    { "firmware announces no TPM" },
    "virtual",
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "virtualbox",
    { CLASSES, ACPI_EMPTY, "/sys/class/dmi/id/sys_vendor=innotek GmbH\n",
      "/sys/class/dmi/id/product_name=VirtualBox\n" },
    { "virtual machine", "VirtualBox" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "ec2-metal",
    { CLASSES, ACPI_EMPTY, CPU_REAL, "/sys/class/dmi/id/sys_vendor=Amazon EC2\n",
      "/sys/class/dmi/id/product_name=m5.metal\n" },
    { "firmware announces no TPM" },
    "virtual",
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "unknown-hypervisor",
    { CLASSES, ACPI_EMPTY, CPU_VIRTUAL, "/sys/class/dmi/id/sys_vendor=Acme\n" },
    { "virtual machine", "configuration" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "xen",
    { CLASSES, "/sys/hypervisor/type=xen\n" },
    { "virtual machine" },
    NULL,
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "nothing",
    { CLASSES, ACPI_EMPTY, CPU_REAL },
    { "firmware announces no TPM", "no table and no device", "PTT", "fTPM" },
    "virtual",
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "nothing-without-tables",
    { CLASSES, "/sys/bus/acpi/devices/PNP0A08:00/" },
    { "firmware announces no TPM", "no device" },
    "no table",
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
  { "nothing-to-see",
    { CLASSES, "/sys/bus/acpi/devices/" },
    { "cannot be told", "container" },
    "firmware's setup",
    WARD_ABSENCE_UNANNOUNCED,
    NULL,
    NULL },
};

static void
test_machine (gconstpointer data)
{
  const Machine *machine = data;
  g_autofree char *root = g_dir_make_tmp ("ward-absence-XXXXXX", NULL);
  g_autoptr (WardAbsence) absence = NULL;
  g_autofree char *text = NULL;
  g_autofree char *modules = NULL;
  g_auto (GStrv) missing = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (machine->files) && machine->files[i] != NULL; i++)
    test_tree_add (root, machine->files[i]);
  text = ward_absence_explain (root);
  absence = ward_absence_find (root);
  missing = ward_absence_missing_modules (root);
  test_tree_remove (root);

  g_test_message ("%s", text);
  for (guint i = 0; i < G_N_ELEMENTS (machine->words) && machine->words[i] != NULL; i++)
    if (strstr (text, machine->words[i]) == NULL)
      g_error ("“%s” does not say “%s”", text, machine->words[i]);
  if (machine->unwanted != NULL && strstr (text, machine->unwanted) != NULL)
    g_error ("“%s” says “%s”", text, machine->unwanted);
  g_assert_true (g_str_has_suffix (text, "."));
  g_assert_null (strstr (text, root));

  modules = g_strjoinv (" ", missing);
  g_assert_cmpstr (absence->text, ==, text);
  g_assert_cmpint (absence->kind, ==, machine->kind);
  g_assert_cmpstr (absence->subject, ==, machine->subject != NULL ? machine->subject : "");
  g_assert_cmpstr (modules, ==, machine->modules != NULL ? machine->modules : "");
}

static void
test_this_machine (void)
{
  g_autofree char *text = ward_absence_explain ("");

  g_test_message ("%s", text);
  g_assert_cmpstr (text, !=, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (machines); i++)
    {
      g_autofree char *path = g_strconcat ("/absence/", machines[i].name, NULL);

      g_test_add_data_func (path, &machines[i], test_machine);
    }
  g_test_add_func ("/absence/this-machine", test_this_machine);
  return g_test_run ();
}
