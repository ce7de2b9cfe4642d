/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-absence.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* One machine of each kind: its files, as PATH (a folder if it ends in "/"), PATH=TEXT or PATH>LINK, and words that the
 * explanation must and must not hold. */
typedef struct
{
  const char *name;
  const char *files[8];
  const char *words[4];
  const char *unwanted;
} Machine;

#define ACPI_TPM "/sys/bus/acpi/devices/MSFT0101:00/"
#define ACPI_EMPTY "/sys/bus/acpi/devices/PNP0A08:00/", "/sys/firmware/acpi/tables/FACP"
#define CLASSES "/sys/class/net/"
#define CPU_VIRTUAL "/proc/cpuinfo=processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n"
#define CPU_REAL "/proc/cpuinfo=processor\t: 0\nflags\t\t: fpu vme\nbugs\t\t: hypervisor\n"

static const Machine machines[] = {
  { "no-sysfs", { "/dev/null" }, { "does not show /sys" }, NULL },
  { "container-without-node",
    { "/sys/class/tpm/tpm0/tpm_version_major=2\n", "/dev/null" },
    { "tpm0", "no device node", "container", "/dev/tpmrm0" },
    NULL },
  { "without-resource-manager",
    { "/sys/class/tpm/tpm1/", "/dev/tpm1" },
    { "/dev/tpmrm1", "firmware update", "container" },
    NULL },
  { "usable-2.0",
    { "/sys/class/tpm/tpm0/tpm_version_major=2\n", "/dev/tpm0", "/dev/tpmrm0" },
    { "tpm0", "Discover" },
    NULL },
  { "usable-1.2", { "/sys/class/tpm/tpm0/tpm_version_major=1\n", "/dev/tpm0" }, { "tpm0", "Discover" }, "tpmrm" },
  { "bare-nodes",
    { CLASSES, "/dev/tpm0", "/dev/tpmrm0" },
    { "/dev/tpm0", "container", "Transport=device:/dev/tpmrm0", "[TPM tpm0]" },
    NULL },
  { "bare-node", { CLASSES, "/dev/tpm0" }, { "/dev/tpm0", "Transport=device:/dev/tpm0" }, NULL },
  { "only-resource-manager", { CLASSES, "/dev/tpmrm0", ACPI_EMPTY }, { "firmware announces no TPM" }, NULL },
  { "no-driver",
    { CLASSES, ACPI_TPM, "/sys/firmware/acpi/tables/TPM2" },
    { "TPM 2.0 (ACPI device MSFT0101:00)", "modprobe tpm_crb", "modprobe tpm_tis", "standard kernel" },
    "loaded" },
  { "one-driver-refused",
    { CLASSES, ACPI_TPM, "/sys/bus/acpi/drivers/tpm_crb/" },
    { "loaded, without effect: tpm_crb.", "Load its driver with “modprobe tpm_tis”" },
    "modprobe tpm_crb" },
  { "all-drivers-refused",
    { CLASSES, ACPI_TPM, "/sys/bus/acpi/drivers/tpm_crb/", "/sys/module/tpm_tis/" },
    { "effect: tpm_crb and tpm_tis.", "journalctl" },
    "modprobe" },
  { "driver-bound",
    { CLASSES, ACPI_TPM, "/sys/bus/platform/drivers/tpm_tis/",
      "/sys/bus/platform/devices/MSFT0101:00/driver>../../drivers/tpm_tis" },
    { "the driver tpm_tis has taken it", "journalctl" },
    "modprobe" },
  { "driver-bound-to-acpi",
    { CLASSES, ACPI_TPM, "/sys/bus/acpi/devices/MSFT0101:00/driver>../../drivers/tpm_crb" },
    { "the driver tpm_crb has taken it" },
    NULL },
  { "driver-bound-to-pnp",
    { CLASSES, "/sys/bus/acpi/devices/PNP0C31:00/physical_node/driver>../../../bus/pnp/drivers/tpm_tis" },
    { "the driver tpm_tis has taken it" },
    "2.0" },
  { "vendor-id",
    { CLASSES, "/sys/bus/acpi/devices/STM0125:00/modalias=acpi:STM0125:MSFT0101:\n" },
    { "STM0125:00", "modprobe tpm_crb" },
    NULL },
  { "acpi-1.2", { CLASSES, "/sys/bus/acpi/devices/IFX0102:00/" }, { "IFX0102:00", "modprobe tpm_tis" }, "2.0" },
  { "off-by-status",
    { CLASSES, "/sys/bus/acpi/devices/MSFT0101:00/status=0\n", "/sys/firmware/acpi/tables/TPM2" },
    { "MSFT0101:00", "not present", "switched off", "PTT" },
    "modprobe" },
  { "second-one-present",
    { CLASSES, "/sys/bus/acpi/devices/MSFT0101:00/status=0\n", "/sys/bus/acpi/devices/MSFT0101:01/status=15\n" },
    { "MSFT0101:01", "modprobe" },
    "MSFT0101:00" },
  { "table-2.0-alone",
    { CLASSES, "/sys/bus/acpi/devices/PNP0A08:00/", "/sys/firmware/acpi/tables/TPM2" },
    { "TPM2", "no device", "firmware's setup" },
    "modprobe" },
  { "table-1.2-alone", { CLASSES, "/sys/firmware/acpi/tables/TCPA" }, { "TCPA", "no device" }, NULL },
  { "device-tree",
    { CLASSES, "/sys/firmware/devicetree/base/soc/spi@1/tpm@0/compatible=infineon,slb9670\1tcg,tpm_tis-spi\1" },
    { "/soc/spi@1/tpm@0", "modprobe tpm_tis_spi" },
    NULL },
  { "device-tree-second-string",
    { CLASSES, "/sys/firmware/devicetree/base/i2c@1/tpm@2e/compatible=acme,chip\1tcg,tpm-tis-i2c\1",
      "/sys/firmware/devicetree/base/i2c@1/tpm@2e/status=okay\1" },
    { "/i2c@1/tpm@2e", "modprobe tpm_tis_i2c" },
    NULL },
  { "device-tree-disabled",
    { CLASSES, "/sys/firmware/devicetree/base/tpm/compatible=tcg,tpm-tis-mmio\1",
      "/sys/firmware/devicetree/base/tpm/status=disabled\1" },
    { "/tpm", "“disabled”" },
    "modprobe" },
  { "device-tree-without",
    { CLASSES, "/sys/firmware/devicetree/base/cpus/compatible=arm,cortex\1" },
    { "device tree describes no TPM", "overlay" },
    NULL },
  { "qemu",
    { CLASSES, ACPI_EMPTY, CPU_VIRTUAL, "/sys/class/dmi/id/sys_vendor=QEMU\n" },
    { "virtual machine", "libvirt", "tpm-crb" },
    "firmware's setup" },
  { "qemu-without-cpuinfo",
    { CLASSES, ACPI_EMPTY, "/sys/class/dmi/id/sys_vendor=QEMU\n" },
    { "virtual machine", "libvirt" },
    NULL },
  { "hyper-v",
    { CLASSES, ACPI_EMPTY, CPU_VIRTUAL, "/sys/class/dmi/id/sys_vendor=Microsoft Corporation\n",
      "/sys/class/dmi/id/product_name=Virtual Machine\n" },
    { "virtual machine", "Hyper-V" },
    NULL },
  { "surface",
    { CLASSES, ACPI_EMPTY, CPU_REAL, "/sys/class/dmi/id/sys_vendor=Microsoft Corporation\n",
      "/sys/class/dmi/id/product_name=Surface Pro\n" },
    { "firmware announces no TPM" },
    "virtual" },
  { "virtualbox",
    { CLASSES, ACPI_EMPTY, "/sys/class/dmi/id/sys_vendor=innotek GmbH\n",
      "/sys/class/dmi/id/product_name=VirtualBox\n" },
    { "virtual machine", "VirtualBox" },
    NULL },
  { "ec2-metal",
    { CLASSES, ACPI_EMPTY, CPU_REAL, "/sys/class/dmi/id/sys_vendor=Amazon EC2\n",
      "/sys/class/dmi/id/product_name=m5.metal\n" },
    { "firmware announces no TPM" },
    "virtual" },
  { "unknown-hypervisor",
    { CLASSES, ACPI_EMPTY, CPU_VIRTUAL, "/sys/class/dmi/id/sys_vendor=Acme\n" },
    { "virtual machine", "configuration" },
    NULL },
  { "xen", { CLASSES, "/sys/hypervisor/type=xen\n" }, { "virtual machine" }, NULL },
  { "nothing",
    { CLASSES, ACPI_EMPTY, CPU_REAL },
    { "firmware announces no TPM", "no table and no device", "PTT", "fTPM" },
    "virtual" },
  { "nothing-without-tables",
    { CLASSES, "/sys/bus/acpi/devices/PNP0A08:00/" },
    { "firmware announces no TPM", "no device" },
    "no table" },
  { "nothing-to-see", { CLASSES, "/sys/bus/acpi/devices/" }, { "cannot be told", "container" }, "firmware's setup" },
};

/* Makes one file of a machine. In its text \1 stands for NUL, which a device tree's strings end with. */
static void
make_file (const char *root, const char *file)
{
  gsize path_length = strcspn (file, "=>");
  g_autofree char *relative = g_strndup (file, path_length);
  g_autofree char *path = g_strconcat (root, relative, NULL);
  g_autofree char *folder = g_str_has_suffix (path, "/") ? g_strdup (path) : g_path_get_dirname (path);
  g_autofree char *text = g_strdup (file[path_length] == '=' ? file + path_length + 1 : "");
  gsize length = strlen (text);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  if (file[path_length] == '>')
    {
      g_assert_cmpint (symlink (file + path_length + 1, path), ==, 0);
      return;
    }
  if (g_str_has_suffix (path, "/"))
    return;
  g_strdelimit (text, "\1", '\0');
  g_assert_true (g_file_set_contents (path, text, length, NULL));
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
test_machine (gconstpointer data)
{
  const Machine *machine = data;
  g_autofree char *root = g_dir_make_tmp ("ward-absence-XXXXXX", NULL);
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (machine->files) && machine->files[i] != NULL; i++)
    make_file (root, machine->files[i]);
  text = ward_absence_explain (root);
  remove_tree (root);

  g_test_message ("%s", text);
  for (guint i = 0; i < G_N_ELEMENTS (machine->words) && machine->words[i] != NULL; i++)
    if (strstr (text, machine->words[i]) == NULL)
      g_error ("“%s” does not say “%s”", text, machine->words[i]);
  if (machine->unwanted != NULL && strstr (text, machine->unwanted) != NULL)
    g_error ("“%s” says “%s”", text, machine->unwanted);
  g_assert_true (g_str_has_suffix (text, "."));
  g_assert_null (strstr (text, root));
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
