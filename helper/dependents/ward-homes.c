/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-homes.h"

#include <fcntl.h>
#include <string.h>

#define MAX_PASSWD (4 * 1024 * 1024)
#define MAX_HOMES 4096

/* The fields of a line of passwd(5). */
enum
{
  NAME,
  PASSWORD,
  UID,
  GID,
  GECOS,
  HOME,
  SHELL,
  N_FIELDS
};

static gboolean
is_known (WardScan *scan, const char *path)
{
  for (guint i = 0; i < scan->homes->len; i++)
    if (strcmp (((WardHome *)g_ptr_array_index (scan->homes, i))->path, path) == 0)
      return TRUE;
  return FALSE;
}

static void
add (WardScan *scan, const char *path, guint32 uid)
{
  WardHome *home;

  /* Homes of services that need none. */
  if (path[0] != '/' || path[1] == '\0' || is_known (scan, path))
    return;
  if (scan->homes->len >= MAX_HOMES)
    return;
  home = g_new0 (WardHome, 1);
  home->path = g_strdup (path);
  home->uid = uid;
  home->folder = -1;
  g_ptr_array_add (scan->homes, home);
}

static void
add_user (WardScan *scan, const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, ":", -1);
  guint64 uid;

  if (g_strv_length (fields) != N_FIELDS || !g_ascii_string_to_unsigned (fields[UID], 10, 0, G_MAXUINT32, &uid, NULL))
    return;
  /* Of two names for one uid the first is the one that all programs show. */
  if (!g_hash_table_contains (scan->names, GUINT_TO_POINTER ((guint)uid)))
    g_hash_table_insert (scan->names, GUINT_TO_POINTER ((guint)uid), g_strdup (fields[NAME]));
  add (scan, fields[HOME], (guint32)uid);
}

static void
add_folder (WardScan *scan, int folder, const char *path, const char *name, guint32 uid, gpointer user_data)
{
  g_autofree char *home = g_build_filename (path, name, NULL);
  struct stat status;

  /* What lies on a server is not even asked whose it is. */
  if (ward_mounts_is_remote (scan->mounts, home))
    add (scan, home, uid);
  else if (fstatat (folder, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0 && S_ISDIR (status.st_mode))
    add (scan, home, status.st_uid);
}

static void
drop_remote_homes (WardScan *scan)
{
  for (guint i = scan->homes->len; i-- > 0;)
    {
      const WardHome *home = g_ptr_array_index (scan->homes, i);

      if (!ward_mounts_is_remote (scan->mounts, home->path))
        continue;
      ward_scan_add_unscanned (scan, home->path, home->uid,
                               "This home lies on a file system that another machine or program answers for.");
      g_ptr_array_remove_index (scan->homes, i);
    }
}

void
ward_homes_find (WardScan *scan)
{
  g_auto (WardFd) etc = ward_scan_open_folder (scan, "/etc");
  g_auto (WardFd) homes = -1;
  struct stat status;
  g_autoptr (GBytes) passwd = etc >= 0 ? ward_folder_read_file (etc, "passwd", MAX_PASSWD, &status) : NULL;

  if (passwd != NULL)
    {
      g_autofree char *text = ward_bytes_to_text (passwd);
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

      for (guint i = 0; lines[i] != NULL && scan->homes->len < MAX_HOMES; i++)
        add_user (scan, lines[i]);
    }
  homes = ward_folder_open_in_root (scan->root, "/home", O_RDONLY | O_DIRECTORY);
  if (homes >= 0)
    ward_scan_each_entry (scan, homes, "/home", 0, add_folder, NULL);
  if (scan->homes->len >= MAX_HOMES)
    ward_scan_add_unscanned (scan, "/home", 0, "There are too many homes; only the first of them were looked at.");
  drop_remote_homes (scan);
}

gboolean
ward_home_open (WardScan *scan, WardHome *home)
{
  struct stat status;

  home->folder = ward_folder_open_in_root (scan->root, home->path, O_PATH | O_DIRECTORY);
  /* A service's home may be a folder of another user. A user's may be root's, for the sake of chroot(2). */
  return home->folder >= 0 && fstat (home->folder, &status) == 0 && (status.st_uid == home->uid || status.st_uid == 0);
}

void
ward_home_close (WardHome *home)
{
  if (home->folder >= 0)
    close (home->folder);
  home->folder = -1;
}

void
ward_home_free (WardHome *home)
{
  ward_home_close (home);
  g_free (home->path);
  g_free (home);
}
