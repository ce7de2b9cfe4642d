/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-machine.h"

#include <glib.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "ward-device.h"

#define TPM_CLASS "/sys/class/tpm"
#define MANAGER_CLASS "/sys/class/tpmrm"
#define TSS_FOLDER "/var/lib/tpm"
#define NODE_MODE 0660
#define FOLDER_MODE 0700

/* More TPMs than any machine has. */
#define MAX_DEVICES 64

/* The entry of a user in the files and databases of this system: names and shells of a few hundred bytes. */
#define PASSWD_BUFFER 16384

WardTss
ward_tss_find (void)
{
  g_autofree char *buffer = g_malloc (PASSWD_BUFFER);
  struct passwd entry, *found = NULL;
  WardTss tss = { .exists = FALSE };

  if (getpwnam_r ("tss", &entry, buffer, PASSWD_BUFFER, &found) == 0 && found)
    tss = (WardTss){ .exists = TRUE, .uid = entry.pw_uid, .gid = entry.pw_gid };
  return tss;
}

static gboolean
exists (const char *root, const char *folder, const char *name)
{
  g_autofree char *path = g_strconcat (root, folder, "/", name, NULL);

  return ward_device_node_exists (path);
}

/* Kernels before 5.6 have no tpm_version_major, but always had "caps" for TPM 1.2 alone. */
static gboolean
is_tpm12 (const char *root, const char *name)
{
  g_autofree char *folder = g_strconcat (TPM_CLASS "/", name, NULL);
  g_autofree char *major_path = g_strconcat (root, folder, "/tpm_version_major", NULL);
  g_autofree char *major = NULL;

  if (g_file_get_contents (major_path, &major, NULL, NULL))
    return g_str_equal (g_strchomp (major), "1");
  return exists (root, folder, "caps") || exists (root, folder, "device/caps");
}

static void
device_free (gpointer data)
{
  WardMachineDevice *device = data;

  g_free (device->name);
  g_free (device->manager);
  g_free (device);
}

static WardMachineDevice *
device_read (const char *root, const char *name)
{
  WardMachineDevice *device = g_new0 (WardMachineDevice, 1);

  device->name = g_strdup (name);
  device->manager = g_strconcat ("tpmrm", name + strlen ("tpm"), NULL);
  device->is_tpm12 = is_tpm12 (root, name);
  device->has_node = exists (root, "/dev", name);
  device->has_manager = device->is_tpm12 || !exists (root, MANAGER_CLASS, "") || exists (root, "/dev", device->manager);
  return device;
}

static int
compare_devices (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const WardMachineDevice *const *)a)->name, (*(const WardMachineDevice *const *)b)->name);
}

static gboolean
is_numbered (const char *name, const char *prefix)
{
  return g_str_has_prefix (name, prefix) && g_ascii_isdigit (name[strlen (prefix)]);
}

static GPtrArray *
read_devices (const char *root)
{
  GPtrArray *devices = g_ptr_array_new_with_free_func (device_free);
  g_autofree char *path = g_strconcat (root, TPM_CLASS, NULL);
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder && devices->len < MAX_DEVICES && (name = g_dir_read_name (folder)))
    if (is_numbered (name, "tpm"))
      g_ptr_array_add (devices, device_read (root, name));
  g_ptr_array_sort (devices, compare_devices);
  return devices;
}

static char *
describe_account (guint32 uid, guint32 gid, const WardTss *tss)
{
  g_autofree char *user = uid == tss->uid ? g_strdup ("tss")
                          : uid == 0      ? g_strdup ("root")
                                          : g_strdup_printf ("%u", uid);
  g_autofree char *group = gid == tss->gid ? g_strdup ("tss")
                           : gid == 0      ? g_strdup ("root")
                                           : g_strdup_printf ("%u", gid);

  return g_strdup_printf ("%s:%s", user, group);
}

/* path: in the machine. roots_group: it may be root's group as well. */
static void
check (const char *root, const char *path, mode_t mode, gboolean roots_group, const WardTss *tss, GPtrArray *misfits)
{
  g_autofree char *full = g_strconcat (root, path, NULL);
  g_autofree char *account = NULL;
  struct stat is;

  if (lstat (full, &is) != 0)
    return;
  if (is.st_uid == tss->uid && (is.st_gid == tss->gid || (roots_group && is.st_gid == 0))
      && (is.st_mode & ALLPERMS) == mode)
    return;
  account = describe_account (is.st_uid, is.st_gid, tss);
  g_ptr_array_add (misfits, g_strdup_printf ("%s (%s %04o)", path, account, is.st_mode & ALLPERMS));
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *
read_misfits (const char *root, const WardTss *tss)
{
  GPtrArray *misfits = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *folder_path = g_strconcat (root, "/dev", NULL);
  g_autoptr (GDir) folder = tss->exists ? g_dir_open (folder_path, 0, NULL) : NULL;
  const char *name;

  while (folder && misfits->len < MAX_DEVICES && (name = g_dir_read_name (folder)))
    {
      g_autofree char *path = g_strconcat ("/dev/", name, NULL);

      if (is_numbered (name, "tpm") || is_numbered (name, "tpmrm"))
        check (root, path, NODE_MODE, is_numbered (name, "tpm"), tss, misfits);
    }
  if (tss->exists)
    check (root, TSS_FOLDER, FOLDER_MODE, FALSE, tss, misfits);
  g_ptr_array_sort (misfits, compare_texts);
  return misfits;
}

/* tcsd takes the last one that it is given. */
static guint16
read_tcsd_port (const char *root)
{
  g_autofree char *path = g_strconcat (root, "/etc/tcsd.conf", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  guint16 port = ward_device_get_tcsd_port ("tcsd");

  if (!g_file_get_contents (path, &text, NULL, &error))
    return g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT) ? port : 0;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      const char *value = strchr (lines[i], '=');
      g_autofree char *key = value ? g_strstrip (g_strndup (lines[i], value - lines[i])) : NULL;

      if (g_strcmp0 (key, "port") == 0)
        port = (guint16)g_ascii_strtoull (value + 1, NULL, 10);
    }
  return port;
}

WardMachine *
ward_machine_read (const char *root, const WardTss *tss)
{
  WardMachine *machine = g_new0 (WardMachine, 1);

  machine->devices = read_devices (root);
  machine->absence = ward_absence_find (root);
  machine->missing_modules = ward_absence_missing_modules (root);
  machine->misfits = read_misfits (root, tss);
  machine->tcsd_port = read_tcsd_port (root);
  return machine;
}

void
ward_machine_free (WardMachine *machine)
{
  g_ptr_array_unref (machine->devices);
  ward_absence_free (machine->absence);
  g_strfreev (machine->missing_modules);
  g_ptr_array_unref (machine->misfits);
  g_free (machine);
}
