/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "ward-homes.h"

#define MAX_MOUNTINFO (1024 * 1024)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DIR, closedir)

static WardMounts *
read_mounts (int root)
{
  g_auto (WardFd) fd = ward_folder_open_in_root (root, "/proc/self/mountinfo", O_RDONLY);
  g_autoptr (GBytes) bytes = fd >= 0 ? ward_fd_read (fd, MAX_MOUNTINFO) : NULL;
  g_autofree char *text = NULL;

  if (bytes != NULL)
    text = ward_bytes_to_text (bytes);
  return ward_mounts_new (text);
}

WardScan *
ward_scan_new (const char *root, GError **error)
{
  g_auto (WardFd) fd = open (root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  WardScan *scan;

  if (fd < 0)
    {
      int saved = errno;

      g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (saved),
                   "What depends on the TPM cannot be searched for in %s: %s.", root, g_strerror (saved));
      return NULL;
    }
  scan = g_new0 (WardScan, 1);
  scan->root = g_steal_fd (&fd);
  scan->is_real = strcmp (root, "/") == 0;
  scan->deadline = g_get_monotonic_time () + WARD_SCAN_TIME;
  scan->found = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_dependent_free);
  scan->per_uid = g_hash_table_new (NULL, NULL);
  scan->names = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  scan->entries_left = WARD_SCAN_MAX_SYSTEM_ENTRIES;
  scan->mounts = read_mounts (scan->root);
  scan->homes = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_home_free);
  ward_homes_find (scan);
  return scan;
}

void
ward_scan_free (WardScan *scan)
{
  close (scan->root);
  g_ptr_array_unref (scan->found);
  g_ptr_array_unref (scan->homes);
  g_hash_table_unref (scan->per_uid);
  g_hash_table_unref (scan->names);
  ward_mounts_free (scan->mounts);
  g_free (scan);
}

void
ward_scan_run (WardScan *scan, const WardScanner *scanner)
{
  scan->entries_left = WARD_SCAN_MAX_SYSTEM_ENTRIES;
  if (scanner->scan_system != NULL && ward_scan_is_in_time (scan))
    scanner->scan_system (scan);
  for (guint i = 0; scanner->scan_home != NULL && i < scan->homes->len && ward_scan_is_in_time (scan); i++)
    {
      WardHome *home = g_ptr_array_index (scan->homes, i);

      scan->entries_left = WARD_SCAN_MAX_ENTRIES;
      if (ward_home_open (scan, home))
        scanner->scan_home (scan, home);
      ward_home_close (home);
    }
}

static char *
name_owner (WardScan *scan, guint32 uid)
{
  const char *name = g_hash_table_lookup (scan->names, GUINT_TO_POINTER (uid));

  if (uid == 0)
    return g_strdup ("root");
  return name != NULL ? ward_text_printable (name) : g_strdup_printf ("%u", uid);
}

static void
append (WardScan *scan, WardDependent *dependent)
{
  g_free (dependent->owner);
  dependent->owner = name_owner (scan, dependent->uid);
  g_ptr_array_add (scan->found, dependent);
}

static void
append_unscanned (WardScan *scan, const char *path, guint32 uid, const char *why)
{
  WardDependent *dependent = ward_dependent_new (WARD_DEPENDENT_UNSCANNED, path, uid);

  dependent->detail = g_strdup (why);
  dependent->reason = g_strdup ("What has not been looked at may depend on the TPM.");
  dependent->confidence = "likely";
  append (scan, dependent);
}

/* One user cannot make the ledger so long that nobody reads of the others'. */
static gboolean
has_room (WardScan *scan, const char *path, guint32 uid)
{
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (scan->per_uid, GUINT_TO_POINTER (uid)));

  g_hash_table_insert (scan->per_uid, GUINT_TO_POINTER (uid), GUINT_TO_POINTER (n + 1));
  if (n == WARD_SCAN_MAX_PER_UID)
    append_unscanned (scan, path, uid,
                      "This user has more than can be listed here; this is the first that is left out.");
  return n < WARD_SCAN_MAX_PER_UID;
}

void
ward_scan_add (WardScan *scan, WardDependent *dependent)
{
  if (has_room (scan, dependent->subject, dependent->uid))
    append (scan, dependent);
  else
    ward_dependent_free (dependent);
}

void
ward_scan_add_unscanned (WardScan *scan, const char *path, guint32 uid, const char *why)
{
  if (has_room (scan, path, uid))
    append_unscanned (scan, path, uid, why);
}

gboolean
ward_scan_is_in_time (WardScan *scan)
{
  gboolean in_time = g_get_monotonic_time () < scan->deadline;

  if (!in_time && !scan->late)
    append_unscanned (scan, "/", 0, "The search took too long and was ended before everything was looked at.");
  scan->late = !in_time;
  return in_time;
}

void
ward_scan_note_failure (WardScan *scan, const char *path, guint32 uid, int number)
{
  g_autofree char *why = NULL;

  if (number == ENOENT || number == ENOTDIR)
    return;
  if (number == ELOOP || number == EXDEV)
    why = g_strdup ("A symbolic link or another file system is on the way to it, which were not followed.");
  else
    why = g_strdup_printf ("It cannot be opened: %s.", g_strerror (number));
  ward_scan_add_unscanned (scan, path, uid, why);
}

int
ward_scan_open_folder (WardScan *scan, const char *path)
{
  int folder;

  if (ward_mounts_is_remote (scan->mounts, path))
    {
      ward_scan_add_unscanned (scan, path, 0, "It lies on a file system that another machine or program answers for.");
      return -1;
    }
  folder = ward_folder_open_in_root (scan->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (folder < 0)
    ward_scan_note_failure (scan, path, 0, errno);
  return folder;
}

int
ward_scan_open_in_home (WardScan *scan, const WardHome *home, const char *name, char **path)
{
  int folder = ward_folder_open_beneath (home->folder, name, O_RDONLY | O_DIRECTORY);
  int number = errno;

  *path = g_build_filename (home->path, name, NULL);
  if (folder < 0)
    ward_scan_note_failure (scan, *path, home->uid, number);
  return folder;
}

void
ward_scan_each_entry (WardScan *scan, int folder, const char *path, guint32 uid, WardEntryFunc func, gpointer user_data)
{
  WardFd copy = openat (folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autoptr (DIR) entries = copy >= 0 ? fdopendir (copy) : NULL;
  const struct dirent *entry = NULL;

  if (entries == NULL)
    {
      if (copy >= 0)
        close (copy);
      ward_scan_add_unscanned (scan, path, uid, "Its entries cannot be read.");
      return;
    }
  while (ward_scan_is_in_time (scan) && (entry = readdir (entries)) != NULL)
    {
      if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
        continue;
      if (scan->entries_left == 0)
        {
          ward_scan_add_unscanned (scan, path, uid, "There is too much in it; not all of it was looked at.");
          return;
        }
      scan->entries_left--;
      func (scan, folder, path, entry->d_name, uid, user_data);
    }
}

void
ward_scan_each_in_folder (WardScan *scan, const char *path, WardEntryFunc func)
{
  g_auto (WardFd) folder = ward_scan_open_folder (scan, path);

  if (folder >= 0)
    ward_scan_each_entry (scan, folder, path, 0, func, NULL);
}

void
ward_scan_each_in_home (WardScan *scan, const WardHome *home, const char *name, WardEntryFunc func)
{
  g_autofree char *path = NULL;
  g_auto (WardFd) folder = ward_scan_open_in_home (scan, home, name, &path);

  if (folder >= 0)
    ward_scan_each_entry (scan, folder, path, home->uid, func, NULL);
}
