/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-device.h"

#include <string.h>
#include <sys/stat.h>

#define TCSD "tcsd"
#define TCSD_PORT_PREFIX "tcsd:port="
#define TCSD_DEFAULT_PORT 30003

/* G_DEFINE_BOXED_TYPE is not ISO C. */
GType
ward_device_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_boxed_type_register_static (g_intern_static_string ("WardDevice"),
                                                            (GBoxedCopyFunc)ward_device_copy,
                                                            (GBoxedFreeFunc)ward_device_free));
  return type;
}

static char *
choose_transport (const char *family, const char *device_path, const char *resource_manager_path)
{
  if (g_str_equal (family, "1.2"))
    return g_strdup (TCSD);
  if (resource_manager_path != NULL)
    return g_strconcat ("device:", resource_manager_path, NULL);
  if (g_str_equal (family, "2.0") && device_path != NULL)
    return g_strconcat ("device:", device_path, NULL);
  return g_strdup ("");
}

/* A new device, freed by ward_device_free(). All but the name and the family may be NULL. A TPM 2.0 is reached through
 * the kernel's resource manager (resource_manager_path, "/dev/tpmrm0") where there is one, since the device itself has
 * one user at a time. */
WardDevice *
ward_device_new (const char *name, const char *family, const char *device_path, const char *resource_manager_path,
                 const char *driver, const char *sysfs_path)
{
  WardDevice *device = g_new0 (WardDevice, 1);

  device->name = g_strdup (name);
  device->family = g_strdup (family);
  device->device_path = g_strdup (device_path != NULL ? device_path : "");
  device->driver = g_strdup (driver != NULL ? driver : "");
  device->transport = choose_transport (family, device_path, resource_manager_path);
  device->sysfs_path = g_strdup (sysfs_path != NULL ? sysfs_path : "");
  return device;
}

WardDevice *
ward_device_copy (const WardDevice *device)
{
  WardDevice *copy = g_new0 (WardDevice, 1);

  copy->name = g_strdup (device->name);
  copy->family = g_strdup (device->family);
  copy->device_path = g_strdup (device->device_path);
  copy->driver = g_strdup (device->driver);
  copy->transport = g_strdup (device->transport);
  copy->sysfs_path = g_strdup (device->sysfs_path);
  return copy;
}

void
ward_device_free (WardDevice *device)
{
  g_free (device->name);
  g_free (device->family);
  g_free (device->device_path);
  g_free (device->driver);
  g_free (device->transport);
  g_free (device->sysfs_path);
  g_free (device);
}

gboolean
ward_device_equal (const WardDevice *a, const WardDevice *b)
{
  return g_str_equal (a->name, b->name) && g_str_equal (a->family, b->family)
         && g_str_equal (a->device_path, b->device_path) && g_str_equal (a->driver, b->driver)
         && g_str_equal (a->transport, b->transport) && g_str_equal (a->sysfs_path, b->sysfs_path);
}

/* Whether there is something at path. Not by access(): a device policy, as the service has, forbids even that, so that
 * a node that may not be opened would look like none. */
gboolean
ward_device_node_exists (const char *path)
{
  struct stat status;

  return lstat (path, &status) == 0;
}

guint16
ward_device_get_tcsd_port (const char *transport)
{
  if (g_str_equal (transport, TCSD))
    return TCSD_DEFAULT_PORT;
  if (!g_str_has_prefix (transport, TCSD_PORT_PREFIX))
    return 0;
  return (guint16)g_ascii_strtoull (transport + strlen (TCSD_PORT_PREFIX), NULL, 10);
}
