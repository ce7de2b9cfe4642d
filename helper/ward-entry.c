/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <unistd.h>

static gboolean
fail (const char *path, int number, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (number), "%s: %s", path, g_strerror (number));
  return FALSE;
}

/* A name may hold whatever its owner likes; a line of ours is one line, in UTF-8. */
static char *
printable (const char *name)
{
  gboolean plain = g_utf8_validate (name, -1, NULL);

  for (const char *at = name; plain && *at; at = g_utf8_next_char (at))
    plain = g_unichar_isprint (g_utf8_get_char (at));
  return plain ? g_strdup (name) : g_strescape (name, NULL);
}

static gboolean
look (WardEntry *entry, GError **error)
{
  if (statx (entry->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &entry->is) < 0)
    return fail (entry->path, errno, error);
  return TRUE;
}

/* What the kernel knows without asking a file system, which may be in the hands of a user. */
static gboolean
is_on_mount_of (const WardEntry *entry, const WardEntry *folder, GError **error)
{
  struct statx is;
  gboolean same;

  if (statx (entry->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MNT_ID, &is) < 0)
    return fail (entry->path, errno, error);

  same = is.stx_dev_major == folder->is.stx_dev_major && is.stx_dev_minor == folder->is.stx_dev_minor;
  if (is.stx_mask & folder->is.stx_mask & STATX_MNT_ID) /* Linux 5.8 */
    same = same && is.stx_mnt_id == folder->is.stx_mnt_id;
  if (!same)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_MOUNTED, "%s lies on another file system", entry->path);
  return same;
}

/* Takes fd and path. mount: the folder on whose mount the entry must be, or NULL. */
static gboolean
take (WardEntry *entry, int fd, char *path, const WardEntry *mount, GError **error)
{
  int number = errno;
  g_auto (WardEntry) taken = { .fd = fd, .path = path };

  if (fd < 0)
    return fail (path, number, error);
  if ((mount && !is_on_mount_of (&taken, mount, error)) || !look (&taken, error))
    return FALSE;

  *entry = taken;
  taken = (WardEntry){ .fd = -1 };
  return TRUE;
}

gboolean
ward_entry_open_path (WardEntry *entry, const char *path, const char *shown, GError **error)
{
  return take (entry, open (path, O_PATH | O_CLOEXEC), g_strdup (shown), NULL, error);
}

static gboolean
open_name (WardEntry *entry, const WardEntry *folder, const char *name, const WardEntry *mount, GError **error)
{
  g_autofree char *shown = printable (name);
  char *path = g_build_filename (folder->path, shown, NULL);
  int fd = openat (folder->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

  return take (entry, fd, path, mount, error);
}

gboolean
ward_entry_open (WardEntry *entry, const WardEntry *folder, const char *name, GError **error)
{
  return open_name (entry, folder, name, folder, error);
}

gboolean
ward_entry_open_mount (WardEntry *entry, const WardEntry *folder, const char *name, GError **error)
{
  return open_name (entry, folder, name, NULL, error);
}

void
ward_entry_clear (WardEntry *entry)
{
  if (entry->fd >= 0)
    close (entry->fd);
  entry->fd = -1;
  g_clear_pointer (&entry->path, g_free);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
ward_entry_list (const WardEntry *folder, guint max, gboolean *more, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int fd = openat (folder->fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const struct dirent *found;
  DIR *stream;
  int number;

  if (fd < 0)
    {
      fail (folder->path, errno, error);
      return NULL;
    }
  stream = fdopendir (fd);
  if (!stream)
    {
      fail (folder->path, errno, error);
      close (fd);
      return NULL;
    }

  *more = FALSE;
  while (errno = 0, !*more && (found = readdir (stream)))
    if (strcmp (found->d_name, ".") != 0 && strcmp (found->d_name, "..") != 0)
      {
        *more = names->len == max;
        if (!*more)
          g_ptr_array_add (names, g_strdup (found->d_name));
      }
  number = errno;
  closedir (stream);
  if (number)
    {
      fail (folder->path, number, error);
      return NULL;
    }
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

gboolean
ward_entry_is_roots (const WardEntry *folder)
{
  return S_ISDIR (folder->is.stx_mode) && folder->is.stx_uid == 0 && (folder->is.stx_mode & (S_IWGRP | S_IWOTH)) == 0;
}

const char *
ward_entry_special_kind (const WardEntry *entry)
{
  switch (entry->is.stx_mode & S_IFMT)
    {
    case S_IFREG:
    case S_IFDIR:
      return NULL;
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a pipe";
    case S_IFSOCK:
      return "a socket";
    case S_IFCHR:
    case S_IFBLK:
      return "a device";
    default:
      return "of an unknown kind";
    }
}

gboolean
ward_entry_chown (WardEntry *entry, uid_t uid, gid_t gid, GError **error)
{
  if (fchownat (entry->fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
    return fail (entry->path, errno, error);
  return look (entry, error);
}

gboolean
ward_entry_chmod (WardEntry *entry, mode_t mode, GError **error)
{
  /* fchmod() takes no O_PATH descriptor. This one is no link of the file system's: it leads to the very file. */
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", entry->fd);

  if (S_ISLNK (entry->is.stx_mode))
    return fail (entry->path, ELOOP, error);
  if (chmod (path, mode) < 0)
    return fail (entry->path, errno, error);
  return look (entry, error);
}
