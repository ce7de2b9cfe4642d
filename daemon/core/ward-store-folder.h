/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <unistd.h>

/* Durable work on the files of one folder, which is held by its descriptor. Names have no slash in them, and no link is
 * followed. Whatever is here blocks; errors are of WARD_ERROR: WARD_ERROR_NO_SPACE when the disk or the quota is full,
 * else WARD_ERROR_FAILED. */

/* A descriptor that closes itself. */
typedef int WardFd;

static inline void
ward_fd_close (WardFd fd)
{
  close (fd);
}

G_DEFINE_AUTO_CLEANUP_FREE_FUNC (WardFd, ward_fd_close, -1)

/* The descriptor, which is not closed then. */
static inline int
ward_fd_take (WardFd *fd)
{
  int taken = *fd;

  *fd = -1;
  return taken;
}

/* The folder of that name in another; -1 on error. is_missing: may be NULL. */
int ward_store_folder_open (int parent, const char *name, gboolean *is_missing, GError **error);
/* The same; made, durably, where it is missing. */
int ward_store_folder_make (int parent, const char *name, GError **error);

/* Writes a new file, in place of what has that name, and waits until its contents are on the disk. */
gboolean ward_store_folder_write (int folder, const char *name, const char *data, gsize size, GError **error);
/* A regular file of ours of at most max bytes. Fails with WARD_ERROR_CORRUPT for all others, with the reason alone for
 * a message: “it is a symbolic link”. */
GBytes *ward_store_folder_read (int folder, const char *name, gsize max, GError **error);
gboolean ward_store_folder_rename (int folder, const char *from, const char *to, GError **error);
/* Also when there is none. Fails with WARD_ERROR_CORRUPT, likewise, for a folder. */
gboolean ward_store_folder_remove (int folder, const char *name, GError **error);
/* Waits until it is on the disk which names are in the folder. */
gboolean ward_store_folder_sync (int folder, GError **error);

/* The names in it without those that begin with a dot, at most max; *more: whether there are others. */
GPtrArray *ward_store_folder_list (int folder, guint max, gboolean *more, GError **error);
