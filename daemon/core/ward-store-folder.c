/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-store-folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "ward-error.h"

/* From errno. what: “be written”. */
static gboolean
fail (GError **error, const char *name, const char *what)
{
  int code = errno;
  gboolean is_full = code == ENOSPC || code == EDQUOT;

  g_set_error (error, WARD_ERROR, is_full ? WARD_ERROR_NO_SPACE : WARD_ERROR_FAILED,
               "In the service's store of keys, %s could not %s: %s. %s", name, what, g_strerror (code),
               is_full ? "Make room on the disk of the service's state." : "See that the service's state is writable.");
  return FALSE;
}

static gboolean
refuse (GError **error, const char *reason)
{
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_CORRUPT, reason);
  return FALSE;
}

/* What somebody else could have written is not ours. */
static gboolean
check_owner (const struct stat *status, GError **error)
{
  if (status->st_uid != geteuid ())
    return refuse (error, "it belongs to another user");
  if (status->st_mode & (S_IWGRP | S_IWOTH))
    return refuse (error, "others may write to it");
  return TRUE;
}

int
ward_store_folder_open (int parent, const char *name, gboolean *is_missing, GError **error)
{
  g_auto (WardFd) fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int code = errno;
  struct stat status;

  if (is_missing)
    *is_missing = fd < 0 && code == ENOENT;
  if (fd < 0 && (code == ENOTDIR || code == ELOOP))
    refuse (error, "it is no folder");
  else if (fd < 0 || fstat (fd, &status) != 0)
    fail (error, name, "be opened");
  else if (check_owner (&status, error))
    return ward_fd_take (&fd);
  return -1;
}

int
ward_store_folder_make (int parent, const char *name, GError **error)
{
  if (mkdirat (parent, name, 0700) != 0 && errno != EEXIST)
    {
      fail (error, name, "be made");
      return -1;
    }
  /* also when it was there: who made it may have been ended right after */
  if (!ward_store_folder_sync (parent, error))
    return -1;
  return ward_store_folder_open (parent, name, NULL, error);
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0)
    {
      ssize_t written = write (fd, data, size);

      if (written < 0 && errno != EINTR)
        return FALSE;
      if (written > 0)
        {
          data += written;
          size -= written;
        }
    }
  return TRUE;
}

gboolean
ward_store_folder_write (int folder, const char *name, const char *data, gsize size, GError **error)
{
  g_auto (WardFd) fd = -1;

  if (unlinkat (folder, name, 0) != 0 && errno != ENOENT)
    return fail (error, name, "be replaced");
  fd = openat (folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd >= 0 && write_all (fd, data, size) && fsync (fd) == 0)
    return TRUE;
  fail (error, name, "be written");
  if (fd >= 0)
    unlinkat (folder, name, 0);
  return FALSE;
}

static gboolean
read_all (int fd, guint8 *data, gsize size)
{
  while (size > 0)
    {
      ssize_t n = read (fd, data, size);

      if (n == 0 || (n < 0 && errno != EINTR))
        return FALSE;
      if (n > 0)
        {
          data += n;
          size -= n;
        }
    }
  return TRUE;
}

static gboolean
check_file (int fd, gsize max, struct stat *status, GError **error)
{
  if (fstat (fd, status) != 0)
    return refuse (error, g_strerror (errno));
  if (!S_ISREG (status->st_mode))
    return refuse (error, "it is no regular file");
  if (!check_owner (status, error))
    return FALSE;
  if ((guint64)status->st_size > max)
    return refuse (error, "it is too large");
  return TRUE;
}

GBytes *
ward_store_folder_read (int folder, const char *name, gsize max, GError **error)
{
  /* not waiting for the other end of what may be a pipe */
  g_auto (WardFd) fd = openat (folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  g_autofree guint8 *data = NULL;
  struct stat status;

  if (fd < 0)
    {
      refuse (error, errno == ELOOP ? "it is a symbolic link" : g_strerror (errno));
      return NULL;
    }
  if (!check_file (fd, max, &status, error))
    return NULL;
  data = g_malloc (status.st_size + 1);
  if (!read_all (fd, data, status.st_size))
    {
      refuse (error, "it cannot be read to its end");
      return NULL;
    }
  return g_bytes_new_take (g_steal_pointer (&data), status.st_size);
}

gboolean
ward_store_folder_rename (int folder, const char *from, const char *to, GError **error)
{
  return renameat (folder, from, folder, to) == 0 || fail (error, to, "be put in its place");
}

gboolean
ward_store_folder_remove (int folder, const char *name, GError **error)
{
  if (unlinkat (folder, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  return errno == EISDIR ? refuse (error, "it is a folder") : fail (error, name, "be removed");
}

gboolean
ward_store_folder_sync (int folder, GError **error)
{
  return fsync (folder) == 0 || fail (error, "its folder", "be brought to the disk");
}

GPtrArray *
ward_store_folder_list (int folder, guint max, gboolean *more, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int fd = openat (folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;
  const struct dirent *entry;

  *more = FALSE;
  if (!dir)
    {
      fail (error, "a folder", "be read");
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  while (!*more && (entry = readdir (dir)) != NULL)
    {
      if (entry->d_name[0] == '.')
        continue;
      if (names->len == max)
        *more = TRUE;
      else
        g_ptr_array_add (names, g_strdup (entry->d_name));
    }
  closedir (dir);
  return g_steal_pointer (&names);
}
