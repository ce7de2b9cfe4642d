/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-block.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#define SYS_BLOCK "/sys/class/block"
#define SECTOR 512
#define MAX_ATTRIBUTE 64

typedef struct
{
  WardBlockFunc func;
  gpointer user_data;
} Closure;

/* Memory, and what must first find out whether there is a medium, which can take long. */
static const char *const passed_over[] = { "fd", "ram", "sr", "zram" };

static gboolean
is_passed_over (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (passed_over); i++)
    {
      gsize length = strlen (passed_over[i]);

      if (strncmp (name, passed_over[i], length) == 0 && g_ascii_isdigit (name[length]))
        return TRUE;
    }
  return FALSE;
}

/* The folders of devices in /sys are links. */
static char *
read_attribute (WardScan *scan, const char *name, const char *attribute)
{
  g_autofree char *path = g_build_filename (SYS_BLOCK, name, attribute, NULL);
  g_auto (WardFd) fd = ward_folder_open_in_root (scan->root, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  g_autoptr (GBytes) bytes = fd >= 0 ? ward_fd_read (fd, MAX_ATTRIBUTE) : NULL;

  return bytes != NULL ? g_strchomp (ward_bytes_to_text (bytes)) : NULL;
}

/* A device node that does not stand for the device of its name is none that the kernel has put there. */
static gboolean
is_the_device (WardScan *scan, const char *name, const struct stat *status)
{
  g_autofree char *expected = NULL, *number = NULL;

  if (S_ISREG (status->st_mode))
    return !scan->is_real;
  if (!S_ISBLK (status->st_mode))
    return FALSE;
  number = read_attribute (scan, name, "dev");
  expected = g_strdup_printf ("%u:%u", major (status->st_rdev), minor (status->st_rdev));
  return g_strcmp0 (number, expected) == 0;
}

static void
visit (WardScan *scan, int folder, const char *path, const char *name, guint32 uid, gpointer user_data)
{
  const Closure *closure = user_data;
  g_autofree char *sectors = is_passed_over (name) ? NULL : read_attribute (scan, name, "size");
  g_autofree char *node = g_build_filename ("/dev", name, NULL);
  g_auto (WardFd) path_fd = -1;
  g_auto (WardFd) device = -1;
  g_autofree char *link = NULL;
  struct stat status;
  guint64 size;

  if (sectors == NULL || !g_ascii_string_to_unsigned (sectors, 10, 1, G_MAXINT64 / SECTOR, &size, NULL))
    return;
  g_strdelimit (node, "!", '/'); /* as the kernel writes slashes there */
  path_fd = ward_folder_open_in_root (scan->root, node, O_PATH | O_NOFOLLOW);
  if (path_fd < 0)
    ward_scan_note_failure (scan, node, 0, errno);
  if (path_fd < 0 || fstat (path_fd, &status) != 0 || !is_the_device (scan, name, &status))
    return;
  link = g_strdup_printf ("/proc/self/fd/%d", path_fd);
  device = open (link, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (device >= 0)
    closure->func (scan, device, node, size * SECTOR, closure->user_data);
  else
    ward_scan_add_unscanned (scan, node, 0, "The device cannot be opened for reading.");
}

void
ward_block_each (WardScan *scan, WardBlockFunc func, gpointer user_data)
{
  Closure closure = { func, user_data };
  g_auto (WardFd) folder = ward_scan_open_folder (scan, SYS_BLOCK);

  if (folder >= 0)
    ward_scan_each_entry (scan, folder, SYS_BLOCK, 0, visit, &closure);
}
