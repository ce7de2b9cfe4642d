/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-mounts.h"

#include <string.h>

/* Of a line of mountinfo (proc(5)): before the separator "-", and after it. */
#define FIELD_MOUNT_POINT 4
#define MIN_FIELDS 6

typedef struct
{
  char *point;
  gsize length; /* 0 for the root */
  gboolean remote;
} Mount;

struct _WardMounts
{
  GArray *mounts;
};

static const char *const remote_types[] = { "9p",   "afs",       "autofs",   "ceph",   "cifs",  "coda",
                                            "fuse", "glusterfs", "gfs2",     "lustre", "ncpfs", "nfs",
                                            "nfs4", "ocfs2",     "orangefs", "smb3",   "smbfs", NULL };

static gboolean
is_remote_type (const char *type)
{
  return g_strv_contains (remote_types, type) || g_str_has_prefix (type, "fuse.");
}

static void
clear_mount (gpointer data)
{
  g_free (((Mount *)data)->point);
}

static void
add_line (WardMounts *self, const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, " ", -1);
  guint n = g_strv_length (fields);
  guint separator = MIN_FIELDS;
  Mount mount;

  while (separator < n && strcmp (fields[separator], "-") != 0)
    separator++;
  if (separator + 1 >= n)
    return;
  /* Spaces and their kin are written as in octal escapes. */
  mount.point = g_strcompress (fields[FIELD_MOUNT_POINT]);
  mount.length = strcmp (mount.point, "/") == 0 ? 0 : strlen (mount.point);
  mount.remote = is_remote_type (fields[separator + 1]);
  g_array_append_val (self->mounts, mount);
}

WardMounts *
ward_mounts_new (const char *mountinfo)
{
  WardMounts *self = g_new0 (WardMounts, 1);
  g_auto (GStrv) lines = g_strsplit (mountinfo != NULL ? mountinfo : "", "\n", -1);

  self->mounts = g_array_new (FALSE, FALSE, sizeof (Mount));
  g_array_set_clear_func (self->mounts, clear_mount);
  for (guint i = 0; lines[i] != NULL; i++)
    add_line (self, lines[i]);
  return self;
}

void
ward_mounts_free (WardMounts *self)
{
  g_array_unref (self->mounts);
  g_free (self);
}

static gboolean
lies_on (const Mount *mount, const char *path)
{
  return mount->length == 0
         || (strncmp (path, mount->point, mount->length) == 0
             && (path[mount->length] == '/' || path[mount->length] == '\0'));
}

gboolean
ward_mounts_is_remote (const WardMounts *self, const char *path)
{
  gboolean remote = FALSE;
  gsize longest = 0;

  /* Of two at the same place the later one lies on top. */
  for (guint i = 0; i < self->mounts->len; i++)
    {
      const Mount *mount = &g_array_index (self->mounts, Mount, i);

      if (mount->length < longest || !lies_on (mount, path))
        continue;
      longest = mount->length;
      remote = mount->remote;
    }
  return remote;
}
