/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* Something in the file system, held by a descriptor that refers to it whatever becomes of its name. It was reached
 * without following a link, and is not opened itself: no device, pipe or file system of a user's is asked anything.
 *
 * (Name by name, and not by openat2(): RestrictSUIDSGID= of the unit has that refused, as its filter cannot see the
 * mode.) */
typedef struct
{
  int fd;          /* O_PATH */
  char *path;      /* as it is shown to people, in one line */
  struct statx is; /* as it was when it was looked at last */
} WardEntry;

/* The functions that fail do so with an error of G_IO_ERROR whose message begins with the path. */

/* What is at the path, whose parts may be links: they are root's. shown: the path for people. */
gboolean ward_entry_open_path (WardEntry *entry, const char *path, const char *shown, GError **error);

/* What bears the name in the folder; G_IO_ERROR_NOT_FOUND if nothing does. If it lies on another file system or mount
 * than the folder, that is G_IO_ERROR_NOT_MOUNTED, and it is not asked about any more. */
gboolean ward_entry_open (WardEntry *entry, const WardEntry *folder, const char *name, GError **error);

/* The same, but it may be a mount point. */
gboolean ward_entry_open_mount (WardEntry *entry, const WardEntry *folder, const char *name, GError **error);

void ward_entry_clear (WardEntry *entry);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardEntry, ward_entry_clear)

/* The names in a folder, sorted, at most max of them; *more says whether there are others. Owned by the caller. */
GPtrArray *ward_entry_list (const WardEntry *folder, guint max, gboolean *more, GError **error);

/* Whether nobody but root can change which names are in the folder. */
gboolean ward_entry_is_roots (const WardEntry *folder);

/* The kind of what is neither a folder nor a regular file: "a symbolic link". NULL for those. */
const char *ward_entry_special_kind (const WardEntry *entry);

/* Both look again afterwards. */
gboolean ward_entry_chown (WardEntry *entry, uid_t uid, gid_t gid, GError **error);
gboolean ward_entry_chmod (WardEntry *entry, mode_t mode, GError **error);
