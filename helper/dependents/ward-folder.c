/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

/* glibc has no wrapper for it yet. */
static int
open_how (int folder, const char *path, int flags, guint64 resolve)
{
  struct open_how how = { .flags = (guint64)(flags | O_CLOEXEC), .resolve = resolve };

  return (int)syscall (SYS_openat2, folder, path, &how, sizeof (how));
}

int
ward_folder_open_beneath (int folder, const char *path, int flags)
{
  return open_how (folder, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

int
ward_folder_open_in_root (int root, const char *path, int flags)
{
  return open_how (root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

GBytes *
ward_fd_read (int fd, gsize max)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 part[16384];
  gssize size = 1;

  while (size > 0 && bytes->len < max)
    {
      size = TEMP_FAILURE_RETRY (read (fd, part, MIN (sizeof (part), max - bytes->len)));
      if (size < 0)
        return NULL;
      g_byte_array_append (bytes, part, (guint)size);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

/* Only what has been seen to be a regular file is opened for reading: to open a device or a pipe can itself do
 * something. */
static int
reopen_regular (int path_fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", path_fd);
  int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  int fd = open (link, flags | O_NOATIME);

  return fd < 0 && errno == EPERM ? open (link, flags) : fd;
}

GBytes *
ward_folder_read_file (int folder, const char *path, gsize max, struct stat *status)
{
  g_auto (WardFd) path_fd = ward_folder_open_beneath (folder, path, O_PATH);
  g_auto (WardFd) fd = -1;

  if (path_fd < 0 || fstat (path_fd, status) != 0 || !S_ISREG (status->st_mode))
    return NULL;
  fd = reopen_regular (path_fd);
  return fd >= 0 ? ward_fd_read (fd, max) : NULL;
}

char *
ward_bytes_to_text (GBytes *bytes)
{
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);

  return size > 0 ? g_strndup (text, size) : g_strdup ("");
}
