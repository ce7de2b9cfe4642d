/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-absence.h"

#include <glib.h>
#include <string.h>

#include "ward-device.h"

#define ACPI_TABLES "/sys/firmware/acpi/tables"
#define ACPI_DEVICES "/sys/bus/acpi/devices"
#define DEVICE_TREE "/sys/firmware/devicetree/base"

/* A board has a few hundred nodes, a server a few thousand, none deeper than about ten. The limits are there for a fake
 * tree. */
#define DEVICE_TREE_MAX_DEPTH 12
#define DEVICE_TREE_MAX_NODES 50000

/* The ids by which ACPI announces TPMs, from the tables of the kernel's drivers, and the modules that drive them, the
 * likelier first. MSFT0101 is every TPM 2.0; which driver it needs is in the table TPM2, which only root can read. */
static const struct
{
  const char *id;
  const char *modules[3];
} acpi_ids[] = {
  { "MSFT0101", { "tpm_crb", "tpm_tis" } },
  { "PNP0C31", { "tpm_tis" } },
  { "ATM1200", { "tpm_tis" } },
  { "BCM0101", { "tpm_tis" } },
  { "BCM0102", { "tpm_tis" } },
  { "ICO0102", { "tpm_tis" } },
  { "IFX0101", { "tpm_infineon" } },
  { "IFX0102", { "tpm_tis", "tpm_infineon" } },
  { "NSC1200", { "tpm_tis" } },
  { "GOOG0005", { "tpm_tis_spi", "tpm_tis_i2c_cr50" } },
  { "SMO0768", { "tpm_st33zp24_spi", "tpm_st33zp24_i2c" } },
};

/* The same for device trees, by the beginning of a "compatible" string; the first that fits. */
static const struct
{
  const char *prefix;
  const char *module;
} device_tree_ids[] = {
  { "tcg,tpm_tis-spi", "tpm_tis_spi" },      { "tcg,tpm-tis-i2c", "tpm_tis_i2c" },
  { "tcg,tpm-tis-mmio", "tpm_tis" },         { "tcg,tpm", "tpm_tis" },
  { "infineon,slb9670", "tpm_tis_spi" },     { "infineon,slb9673", "tpm_tis_i2c" },
  { "st,st33htpm-spi", "tpm_tis_spi" },      { "google,cr50", "tpm_tis_spi" },
  { "st,st33zp24-spi", "tpm_st33zp24_spi" }, { "st,st33zp24-i2c", "tpm_st33zp24_i2c" },
  { "microsoft,ftpm", "tpm_ftpm_tee" },      { "IBM,vtpm", "tpm_ibmvtpm" },
};

/* Where a driver that is loaded or built in shows by the name of its module. */
static const char *const driver_folders[] = {
  "/sys/module/",          "/sys/bus/acpi/drivers/", "/sys/bus/platform/drivers/",
  "/sys/bus/pnp/drivers/", "/sys/bus/spi/drivers/",  "/sys/bus/i2c/drivers/",
};

/* How to give a virtual machine a TPM, by what its DMI says. A part that is NULL fits all. */
static const struct
{
  const char *vendor;
  const char *product;
  const char *advice;
} hypervisors[] = {
  { NULL, "VirtualBox",
    "In VirtualBox (7.0 or later) choose “TPM: v2.0” under System in the settings of the virtual machine." },
  { "VMware", NULL,
    "In VMware add a Trusted Platform Module to the virtual machine (it must be encrypted and use UEFI)." },
  { "Microsoft", "Virtual Machine",
    "In Hyper-V tick “Enable Trusted Platform Module” under Security in the settings (generation 2 only); on Azure "
    "choose Trusted Launch." },
  { "Amazon EC2", NULL, "On Amazon EC2 start the instance from an image registered with NitroTPM support." },
  { "Google", "Google Compute Engine", "On Google Cloud stop the instance and turn on vTPM under Shielded VM." },
  { "QEMU", NULL,
    "With libvirt add <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm> to its devices "
    "(virt-manager: "
    "Add Hardware, TPM); with QEMU alone use swtpm and the options -chardev, -tpmdev and -device tpm-crb." },
};

/* What is found out about an absence beside its text. */
static void
note (WardAbsence *absence, WardAbsenceKind kind, const char *subject)
{
  absence->kind = kind;
  g_free (absence->subject);
  absence->subject = g_strdup (subject);
}

static char *
read_text (const char *root, const char *path)
{
  g_autofree char *full = g_strconcat (root, path, NULL);
  char *text;

  return g_file_get_contents (full, &text, NULL, NULL) ? g_strchomp (text) : g_strdup ("");
}

static gboolean
exists (const char *root, const char *folder, const char *name)
{
  g_autofree char *full = g_strconcat (root, folder, name, NULL);

  return ward_device_node_exists (full);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *)a, *(const char *const *)b);
}

/* The sorted names in a folder that begin with prefix; NULL if it cannot be listed. */
static GPtrArray *
list (const char *root, const char *folder, const char *prefix)
{
  g_autofree char *full = g_strconcat (root, folder, NULL);
  g_autoptr (GDir) dir = g_dir_open (full, 0, NULL);
  GPtrArray *names;
  const char *name;

  if (dir == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, prefix))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* The first "tpm0", "tpm1", … in a folder, without "tpmrm0"; NULL if there is none. */
static char *
first_tpm_in (const char *root, const char *folder)
{
  g_autoptr (GPtrArray) names = list (root, folder, "tpm");

  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);

      if (g_ascii_isdigit (name[strlen ("tpm")]))
        return g_strdup (name);
    }
  return NULL;
}

static gboolean
driver_is_present (const char *root, const char *module)
{
  for (guint i = 0; i < G_N_ELEMENTS (driver_folders); i++)
    if (exists (root, driver_folders[i], module))
      return TRUE;
  return FALSE;
}

/* What to do about a TPM that firmware announces and no driver has taken: load the first of modules (ended by NULL)
 * that is not loaded. */
static char *
advise_modules (const char *root, const char *const *modules)
{
  g_autoptr (GString) present = g_string_new (NULL);
  g_autoptr (GString) advice = g_string_new (NULL);

  for (; *modules != NULL; modules++)
    {
      if (driver_is_present (root, *modules))
        g_string_append_printf (present, "%s%s", present->len > 0 ? " and " : "", *modules);
      else if (advice->len == 0)
        g_string_append_printf (advice, "Load its driver with “modprobe %s”", *modules);
      else
        g_string_append_printf (advice, " or, if that changes nothing, with “modprobe %s”", *modules);
    }

  if (present->len == 0)
    return g_strdup_printf ("%s. If the module is not found, this kernel was built without it: install your "
                            "distribution's standard kernel.",
                            advice->str);
  if (advice->len > 0)
    return g_strdup_printf ("Already loaded, without effect: %s. %s.", present->str, advice->str);
  return g_strdup_printf ("Already loaded, without effect: %s. The kernel's log says why: run “journalctl -k -g "
                          "tpm” as an administrator.",
                          present->str);
}

static char *
explain_hidden_sysfs (const char *root, WardAbsence *absence)
{
  if (exists (root, "/sys/class", ""))
    return NULL;
  note (absence, WARD_ABSENCE_UNANNOUNCED, "/sys");
  return g_strdup (
      "This system does not show /sys, so it cannot be told whether the machine has a TPM. Mount sysfs, or, in "
      "a container, have it passed in.");
}

/* The kernel drives a TPM, and still it cannot be used. */
static char *
explain_kernel_device (const char *root, WardAbsence *absence)
{
  g_autofree char *name = first_tpm_in (root, "/sys/class/tpm");
  g_autofree char *manager = NULL;
  g_autofree char *major_path = NULL;
  g_autofree char *major = NULL;

  if (name == NULL)
    return NULL;
  manager = g_strconcat ("tpmrm", name + strlen ("tpm"), NULL);
  note (absence, WARD_ABSENCE_NO_NODE, name);
  if (!exists (root, "/dev/", name))
    return g_strdup_printf (
        "The kernel drives a TPM (%s), but there is no device node /dev/%s. In a container, the nodes "
        "/dev/%s and /dev/%s must be passed in; elsewhere, /dev must be a devtmpfs.",
        name, name, name, manager);

  major_path = g_strconcat ("/sys/class/tpm/", name, "/tpm_version_major", NULL);
  major = read_text (root, major_path);
  if (!g_str_equal (major, "1") && !exists (root, "/dev/", manager))
    return g_strdup_printf (
        "The kernel drives a TPM (%s), but offers no /dev/%s for it. If that lasts longer than a moment, "
        "the TPM is waiting for a firmware update to be completed, or, in a container, /dev/%s was not "
        "passed in.",
        name, manager, manager);
  note (absence, WARD_ABSENCE_UNUSED, name);
  return g_strdup_printf (
      "The kernel drives a TPM (%s), but this service does not use it: the search for TPMs is switched "
      "off (Discover in tpmward.conf), or it has appeared just now.",
      name);
}

static char *
explain_bare_node (const char *root, WardAbsence *absence)
{
  g_autofree char *name = first_tpm_in (root, "/dev");
  g_autofree char *manager = NULL;

  if (name == NULL)
    return NULL;
  manager = g_strconcat ("tpmrm", name + strlen ("tpm"), NULL);
  note (absence, WARD_ABSENCE_UNUSED, name);
  if (!exists (root, "/dev/", manager))
    return g_strdup_printf (
        "There is a device node /dev/%s, but the kernel does not show a TPM to go with it (/sys/class/tpm). "
        "It is left over, or was passed into a container without /sys. If a TPM 2.0 is behind it, name "
        "it in tpmward.conf: [TPM %s] and Transport=device:/dev/%s.",
        name, name, name);
  return g_strdup_printf (
      "There is a device node /dev/%s, but the kernel does not show a TPM to go with it (/sys/class/tpm), as "
      "happens where it is passed into a container without /sys. Name it in tpmward.conf: [TPM %s] and "
      "Transport=device:/dev/%s.",
      name, name, manager);
}

/* The index in acpi_ids of an ACPI device, or -1. Many chips have an id of their own and MSFT0101 beside it: modalias
 * has them all, as "acpi:STM0125:MSFT0101:". */
static int
find_acpi_id (const char *root, const char *device)
{
  g_autofree char *path = g_strconcat (ACPI_DEVICES "/", device, "/modalias", NULL);
  g_autofree char *modalias = read_text (root, path);

  for (guint i = 0; i < G_N_ELEMENTS (acpi_ids); i++)
    {
      g_autofree char *needle = g_strconcat (":", acpi_ids[i].id, ":", NULL);
      g_autofree char *prefix = g_strconcat (acpi_ids[i].id, ":", NULL);

      if (strstr (modalias, needle) != NULL || g_str_has_prefix (device, prefix))
        return i;
    }
  return -1;
}

/* The name of the driver that has taken an ACPI device, itself or as the platform or PnP device made from it; NULL if
 * none has. */
static char *
driver_of_acpi_device (const char *root, const char *device)
{
  static const struct
  {
    const char *folder;
    const char *link;
  } places[] = {
    { ACPI_DEVICES "/", "/driver" },
    { ACPI_DEVICES "/", "/physical_node/driver" },
    { "/sys/bus/platform/devices/", "/driver" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_strconcat (root, places[i].folder, device, places[i].link, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);

      if (target != NULL)
        return g_path_get_basename (target);
    }
  return NULL;
}

/* Whether firmware says that a device which it lists is there (ACPI's _STA, bit 0); devices without that file always
 * are. */
static gboolean
acpi_device_is_present (const char *root, const char *device)
{
  g_autofree char *path = g_strconcat (ACPI_DEVICES "/", device, "/status", NULL);
  g_autofree char *status = read_text (root, path);

  return status[0] == '\0' || (g_ascii_strtoull (status, NULL, 10) & 1) != 0;
}

static char *
describe_acpi_device (const char *root, const char *device, int id)
{
  const char *family = g_str_equal (acpi_ids[id].id, "MSFT0101") ? "TPM 2.0" : "TPM";
  g_autofree char *driver = driver_of_acpi_device (root, device);
  g_autofree char *advice = NULL;

  if (driver != NULL)
    return g_strdup_printf (
        "The firmware announces a %s (ACPI device %s) and the driver %s has taken it, but the kernel has "
        "made no TPM of it. The kernel's log says why: run “journalctl -k -g tpm” as an administrator.",
        family, device, driver);
  advice = advise_modules (root, acpi_ids[id].modules);
  return g_strdup_printf ("The firmware announces a %s (ACPI device %s), but no driver has taken it. %s", family,
                          device, advice);
}

/* The ACPI device of a TPM that is present, and the index in acpi_ids of what it is; else NULL, and in *absent the
 * first that firmware lists without its being there, or NULL. Firmware often lists several TPMs, a chip and its own, of
 * which one is present: that one counts. */
static char *
find_acpi_device (const char *root, int *id, char **absent)
{
  g_autoptr (GPtrArray) devices = list (root, ACPI_DEVICES, "");

  *absent = NULL;
  for (guint i = 0; devices != NULL && i < devices->len; i++)
    {
      const char *device = g_ptr_array_index (devices, i);

      *id = find_acpi_id (root, device);
      if (*id >= 0 && acpi_device_is_present (root, device))
        {
          g_clear_pointer (absent, g_free);
          return g_strdup (device);
        }
      if (*id >= 0 && *absent == NULL)
        *absent = g_strdup (device);
    }
  return NULL;
}

static char *
explain_acpi_device (const char *root, WardAbsence *absence)
{
  g_autofree char *absent = NULL;
  int id;
  g_autofree char *device = find_acpi_device (root, &id, &absent);

  if (device != NULL)
    {
      note (absence, WARD_ABSENCE_NO_DRIVER, device);
      return describe_acpi_device (root, device, id);
    }
  if (absent == NULL)
    return NULL;
  note (absence, WARD_ABSENCE_UNANNOUNCED, absent);
  return g_strdup_printf (
      "The firmware lists a TPM (ACPI device %s), but says that it is not present: it is most likely switched "
      "off. Restart, open the firmware's setup and switch it on, usually under Security or Trusted "
      "Computing, where it is called TPM, Security Device, Intel PTT or AMD fTPM.",
      absent);
}

static char *
explain_acpi_table (const char *root, WardAbsence *absence)
{
  const char *table = NULL;

  if (exists (root, ACPI_TABLES "/", "TPM2"))
    table = "TPM2";
  else if (exists (root, ACPI_TABLES "/", "TCPA"))
    table = "TCPA";
  if (table == NULL)
    return NULL;
  note (absence, WARD_ABSENCE_UNANNOUNCED, table);
  return g_strdup_printf (
      "The firmware has an ACPI table for a TPM (%s), but lists no device that a driver could take. The TPM may "
      "be hidden or switched off in the firmware's setup, usually under Security: switch it on there. If "
      "it is on, this is a fault of the firmware: look for an update of it.",
      table);
}

/* The module for a node whose "compatible" file this is: strings, each ended by NUL. NULL if it is no TPM. */
static const char *
module_of_compatible (const char *strings, gsize length)
{
  for (gsize start = 0; start < length; start += strlen (strings + start) + 1)
    for (guint i = 0; i < G_N_ELEMENTS (device_tree_ids); i++)
      if (g_str_has_prefix (strings + start, device_tree_ids[i].prefix))
        return device_tree_ids[i].module;
  return NULL;
}

/* Searches node and those below for a TPM and returns its module and path; *budget nodes are looked at. */
static const char *
search_device_tree (const char *node, guint depth, guint *budget, char **found)
{
  g_autofree char *compatible = g_build_filename (node, "compatible", NULL);
  g_autofree char *strings = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *module = NULL;
  const char *name;
  gsize length = 0;

  if (depth == 0 || *budget == 0)
    return NULL;
  (*budget)--;
  if (g_file_get_contents (compatible, &strings, &length, NULL))
    module = module_of_compatible (strings, length);
  if (module != NULL)
    {
      *found = g_strdup (node);
      return module;
    }

  dir = g_dir_open (node, 0, NULL);
  while (dir != NULL && module == NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (node, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        module = search_device_tree (child, depth - 1, budget, found);
    }
  return module;
}

/* A node of the device tree that describes a TPM: its path in the tree, its module, and in *status what is wrong with
 * it (owned by the caller) or "". NULL if there is none. */
static char *
find_device_tree_node (const char *root, const char **module, char **status)
{
  g_autofree char *base = g_strconcat (root, DEVICE_TREE, NULL);
  g_autofree char *node = NULL;
  g_autofree char *status_path = NULL;
  guint budget = DEVICE_TREE_MAX_NODES;

  *module = search_device_tree (base, DEVICE_TREE_MAX_DEPTH, &budget, &node);
  if (*module == NULL)
    return NULL;
  status_path = g_strconcat (node, "/status", NULL);
  *status = read_text ("", status_path);
  if (g_str_equal (*status, "okay") || g_str_equal (*status, "ok"))
    (*status)[0] = '\0';
  return g_strdup (node + strlen (base));
}

static char *
explain_device_tree (const char *root, WardAbsence *absence)
{
  const char *modules[2] = { NULL, NULL };
  g_autofree char *status = NULL;
  g_autofree char *node = find_device_tree_node (root, &modules[0], &status);
  g_autofree char *advice = NULL;

  if (node == NULL)
    return NULL;
  note (absence, status[0] != '\0' ? WARD_ABSENCE_UNANNOUNCED : WARD_ABSENCE_NO_DRIVER, node);
  if (status[0] != '\0')
    return g_strdup_printf ("The device tree describes a TPM (%s), but marks it as “%s”. Enable it there, by the "
                            "board's setup or an overlay.",
                            node, status);
  advice = advise_modules (root, modules);
  return g_strdup_printf ("The device tree describes a TPM (%s), but no TPM has come of it. %s", node, advice);
}

/* On x86 the processor says so. Its file is hidden from sandboxed services, hence DMI; a hypervisor that is in neither
 * is missed. */
static gboolean
has_hypervisor_flag (const char *root)
{
  g_autofree char *cpuinfo = read_text (root, "/proc/cpuinfo");
  const char *flags = strstr (cpuinfo, "\nflags");
  g_autofree char *line = flags != NULL ? g_strndup (flags + 1, strcspn (flags + 1, "\n")) : NULL;

  return line != NULL && strstr (line, " hypervisor") != NULL;
}

static char *
explain_virtual_machine (const char *root, WardAbsence *absence)
{
  g_autofree char *vendor = read_text (root, "/sys/class/dmi/id/sys_vendor");
  g_autofree char *product = read_text (root, "/sys/class/dmi/id/product_name");
  const char *advice = NULL;

  for (guint i = 0; advice == NULL && i < G_N_ELEMENTS (hypervisors); i++)
    if ((hypervisors[i].vendor == NULL || g_str_has_prefix (vendor, hypervisors[i].vendor))
        && (hypervisors[i].product == NULL || g_str_has_prefix (product, hypervisors[i].product)))
      advice = hypervisors[i].advice;

  /* Clouds rent out real machines, too, under the same vendor. */
  if (g_str_has_suffix (product, ".metal"))
    return NULL;
  if (advice == NULL && !has_hypervisor_flag (root) && !exists (root, "/sys/hypervisor/", "type"))
    return NULL;
  note (absence, WARD_ABSENCE_UNANNOUNCED, "");
  return g_strdup_printf ("This is a virtual machine, and it was given no TPM. %s",
                          advice != NULL ? advice : "Add a TPM 2.0 to its configuration, where its host offers one.");
}

static char *
explain_nothing (const char *root, WardAbsence *absence)
{
  g_autoptr (GPtrArray) tables = list (root, ACPI_TABLES, "");
  g_autoptr (GPtrArray) devices = list (root, ACPI_DEVICES, "");

  note (absence, WARD_ABSENCE_UNANNOUNCED, "");
  if (tables != NULL || (devices != NULL && devices->len > 0))
    return g_strdup_printf (
        "The firmware announces no TPM (ACPI has no %sdevice of one). Either it is switched off or this "
        "machine has none. To find out, restart, open the firmware's setup and look under Security or "
        "Trusted Computing for TPM, Security Device, Intel PTT or AMD fTPM; if it is there, switch it on.",
        tables != NULL ? "table and no " : "");
  if (exists (root, DEVICE_TREE, ""))
    return g_strdup (
        "The device tree describes no TPM. If one is fitted, as an add-on module is, enable the overlay for it (on a "
        "Raspberry Pi, “dtoverlay=tpm-slb9670” in config.txt) and restart.");
  return g_strdup (
      "The kernel drives no TPM, and this system does not show what its firmware announces (neither ACPI nor a "
      "device tree), as in a container: it cannot be told whether the machine has one. Look on the machine "
      "itself.");
}

WardAbsence *
ward_absence_find (const char *root)
{
  /* From what is nearest to working to what is farthest from it. */
  static char *(*const explanations[]) (const char *root, WardAbsence *absence) = {
    explain_hidden_sysfs, explain_kernel_device, explain_bare_node,       explain_acpi_device,
    explain_acpi_table,   explain_device_tree,   explain_virtual_machine, explain_nothing
  };
  WardAbsence *absence = g_new0 (WardAbsence, 1);

  for (guint i = 0; absence->text == NULL && i < G_N_ELEMENTS (explanations); i++)
    absence->text = explanations[i](root, absence);
  return absence;
}

void
ward_absence_free (WardAbsence *absence)
{
  g_free (absence->subject);
  g_free (absence->text);
  g_free (absence);
}

char *
ward_absence_explain (const char *root)
{
  g_autoptr (WardAbsence) absence = ward_absence_find (root);

  return g_steal_pointer (&absence->text);
}

GStrv
ward_absence_missing_modules (const char *root)
{
  g_autoptr (GStrvBuilder) missing = g_strv_builder_new ();
  g_autofree char *kernel_device = first_tpm_in (root, "/sys/class/tpm");
  const char *of_node[2] = { NULL, NULL };
  const char *const *modules = of_node;
  g_autofree char *absent = NULL;
  g_autofree char *device = NULL;
  g_autofree char *driver = NULL;
  int id;

  if (kernel_device != NULL)
    return g_strv_builder_end (missing);

  device = find_acpi_device (root, &id, &absent);
  if (device != NULL)
    {
      driver = driver_of_acpi_device (root, device);
      modules = acpi_ids[id].modules;
    }
  else
    {
      g_autofree char *status = NULL;
      g_autofree char *node = find_device_tree_node (root, &of_node[0], &status);

      if (node != NULL && status[0] != '\0')
        of_node[0] = NULL;
    }
  for (; driver == NULL && *modules != NULL; modules++)
    if (!driver_is_present (root, *modules))
      g_strv_builder_add (missing, *modules);
  return g_strv_builder_end (missing);
}
