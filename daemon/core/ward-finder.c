/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-finder.h"

#include <gudev/gudev.h>
#include <string.h>

struct _WardFinder
{
  GObject parent_instance;
  GUdevClient *client;
  GHashTable *devices; /* name → WardDevice: those announced */
  gboolean started;
};

G_DEFINE_FINAL_TYPE (WardFinder, ward_finder, G_TYPE_OBJECT)

enum
{
  SIGNAL_DEVICE_ADDED,
  SIGNAL_DEVICE_REMOVED,
  SIGNAL_DEVICE_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const char *const subsystems[] = { "tpm", "tpmrm", NULL };

/* The number of a TPM in the name of either of its devices, "tpm1" or "tpmrm1"; NULL for any other name. */
static const char *
number_of (const char *name)
{
  const char *digits;

  if (g_str_has_prefix (name, "tpmrm"))
    digits = name + strlen ("tpmrm");
  else if (g_str_has_prefix (name, "tpm"))
    digits = name + strlen ("tpm");
  else
    return NULL;
  return digits[0] != '\0' && digits[strspn (digits, "0123456789")] == '\0' ? digits : NULL;
}

/* Kernels before 5.6 have no tpm_version_major. What they always had is a set of files for TPM 1.2 alone, beside the
 * device or, before 4.2, in its parent; so a chip without them is a 2.0. */
static const char *
family_of (GUdevDevice *device)
{
  const char *major = g_udev_device_get_sysfs_attr (device, "tpm_version_major");

  if (major != NULL)
    return g_str_equal (major, "1") ? "1.2" : "2.0";
  if (g_udev_device_has_sysfs_attr (device, "caps") || g_udev_device_has_sysfs_attr (device, "device/caps"))
    return "1.2";
  return "2.0";
}

/* The node's path if it is there: a container may show the machine's sysfs without having got the node. */
static const char *
node_of (GUdevDevice *device)
{
  const char *path = device != NULL ? g_udev_device_get_device_file (device) : NULL;

  return path != NULL && ward_device_node_exists (path) ? path : NULL;
}

/* The TPM with that number as it is now, or NULL if it is not there or cannot be reached yet. The kernel adds tpmN a
 * moment before tpmrmN, and without tpmrmN one program would keep all others from a TPM 2.0: so we wait for it. Only a
 * kernel that knows no such class, before 4.12, will never add it. */
static WardDevice *
look_at (WardFinder *self, const char *number)
{
  g_autofree char *name = g_strconcat ("tpm", number, NULL);
  g_autofree char *manager_name = g_strconcat ("tpmrm", number, NULL);
  g_autoptr (GUdevDevice) device = g_udev_client_query_by_subsystem_and_name (self->client, "tpm", name);
  g_autoptr (GUdevDevice) manager = NULL;
  g_autoptr (GUdevDevice) parent = NULL;
  const char *family, *path, *manager_path;

  if (device == NULL)
    return NULL;
  path = node_of (device);
  if (path == NULL)
    return NULL;

  family = family_of (device);
  manager = g_udev_client_query_by_subsystem_and_name (self->client, "tpmrm", manager_name);
  manager_path = node_of (manager);
  if (g_str_equal (family, "2.0") && manager_path == NULL && g_file_test ("/sys/class/tpmrm", G_FILE_TEST_IS_DIR))
    return NULL;

  parent = g_udev_device_get_parent (device);
  return ward_device_new (name, family, path, manager_path, parent != NULL ? g_udev_device_get_driver (parent) : NULL,
                          g_udev_device_get_sysfs_path (device));
}

static void
withdraw (WardFinder *self, const char *number)
{
  g_autofree char *name = g_strconcat ("tpm", number, NULL);

  if (g_hash_table_remove (self->devices, name))
    g_signal_emit (self, signals[SIGNAL_DEVICE_REMOVED], 0, name);
}

/* Brings what was announced in line with what is there. */
static void
examine (WardFinder *self, const char *number)
{
  g_autofree char *name = g_strconcat ("tpm", number, NULL);
  g_autoptr (WardDevice) device = look_at (self, number);
  const WardDevice *known = g_hash_table_lookup (self->devices, name);

  if (device != NULL && known != NULL && ward_device_equal (device, known))
    {
      g_signal_emit (self, signals[SIGNAL_DEVICE_CHANGED], 0, name);
      return;
    }
  withdraw (self, number);
  if (device == NULL)
    return;
  g_hash_table_insert (self->devices, g_strdup (name), ward_device_copy (device));
  g_signal_emit (self, signals[SIGNAL_DEVICE_ADDED], 0, device);
}

static void
on_uevent (WardFinder *self, const char *action, GUdevDevice *device)
{
  const char *number = number_of (g_udev_device_get_name (device));

  if (number == NULL || !self->started)
    return;
  /* The kernel tells of a removal before it takes the device out of sysfs: looking would still find it. */
  if (g_str_equal (action, "remove"))
    withdraw (self, number);
  else
    examine (self, number);
}

static int
compare_devices (gconstpointer a, gconstpointer b)
{
  const char *number_a = number_of (g_udev_device_get_name ((GUdevDevice *)a));
  const char *number_b = number_of (g_udev_device_get_name ((GUdevDevice *)b));
  guint64 value_a = number_a != NULL ? g_ascii_strtoull (number_a, NULL, 10) : 0;
  guint64 value_b = number_b != NULL ? g_ascii_strtoull (number_b, NULL, 10) : 0;

  return value_a < value_b ? -1 : value_a > value_b;
}

/* Announces the TPMs that are there, in the order of their numbers, before it returns, and from then on those that come
 * and go. */
void
ward_finder_start (WardFinder *self)
{
  GList *found;

  g_return_if_fail (WARD_IS_FINDER (self));
  g_return_if_fail (!self->started);

  self->started = TRUE;
  found = g_list_sort (g_udev_client_query_by_subsystem (self->client, "tpm"), compare_devices);
  for (GList *link = found; link != NULL; link = link->next)
    {
      const char *number = number_of (g_udev_device_get_name (link->data));

      if (number != NULL)
        examine (self, number);
    }
  g_list_free_full (found, g_object_unref);
}

static void
ward_finder_finalize (GObject *object)
{
  WardFinder *self = WARD_FINDER (object);

  g_signal_handlers_disconnect_by_data (self->client, self);
  g_clear_object (&self->client);
  g_clear_pointer (&self->devices, g_hash_table_unref);
  G_OBJECT_CLASS (ward_finder_parent_class)->finalize (object);
}

static void
ward_finder_class_init (WardFinderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_finder_finalize;

  signals[SIGNAL_DEVICE_ADDED] = g_signal_new ("device-added", WARD_TYPE_FINDER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                               G_TYPE_NONE, 1, WARD_TYPE_DEVICE | G_SIGNAL_TYPE_STATIC_SCOPE);
  signals[SIGNAL_DEVICE_REMOVED] = g_signal_new ("device-removed", WARD_TYPE_FINDER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                                 NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_DEVICE_CHANGED] = g_signal_new ("device-changed", WARD_TYPE_FINDER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                                 NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
ward_finder_init (WardFinder *self)
{
  self->devices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)ward_device_free);
  /* It listens from now on, so that nothing is lost between this and the first look round. */
  self->client = g_udev_client_new (subsystems);
  g_signal_connect_swapped (self->client, "uevent", G_CALLBACK (on_uevent), self);
}

/* A finder that is silent until ward_finder_start(). It needs no privilege and works, finding nothing new, where no
 * udev runs. */
WardFinder *
ward_finder_new (void)
{
  return g_object_new (WARD_TYPE_FINDER, NULL);
}
