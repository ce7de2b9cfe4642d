/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

/* Where one TPM of this machine is and how to reach it. Strings are never NULL. A value: not changed once made. */
typedef struct
{
  char *name;        /* the kernel's: "tpm0" */
  char *family;      /* "2.0", "1.2", or "" when it does not show */
  char *device_path; /* "/dev/tpm0", or "" */
  char *driver;      /* "tpm_crb", or "" when it does not show */
  char *transport;   /* for 2.0 a TCTI configuration; for 1.2 "tcsd", the daemon that owns the device; else "" */
  char *sysfs_path;  /* "/sys/devices/...", or "" */
} WardDevice;

#define WARD_TYPE_DEVICE (ward_device_get_type ())

GType ward_device_get_type (void);
WardDevice *ward_device_new (const char *name, const char *family, const char *device_path,
                             const char *resource_manager_path, const char *driver, const char *sysfs_path);
WardDevice *ward_device_copy (const WardDevice *device);
void ward_device_free (WardDevice *device);
gboolean ward_device_node_exists (const char *path);

/* The port at which tcsd is to be found; 0 of a transport that is none of tcsd's. */
guint16 ward_device_get_tcsd_port (const char *transport);

gboolean ward_device_equal (const WardDevice *a, const WardDevice *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardDevice, ward_device_free)
