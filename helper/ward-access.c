/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Walks as root through a folder whose owner, tss, is to gain nothing by it. What tss could try, and why it is in vain:
 *
 * - A link, or a folder on the way that becomes one: nothing is reached by more than one name at a time, and none is
 * followed (ward_entry_open()). What was looked at is what is changed, as both go by one descriptor.
 * - A second name (hard link) for a file that is not tss's: a file with two names is left alone. But between the
 * opening and the look tss could remove the name again, and the file would have one: the other, outside. So before
 * anything is given away, the folder is taken from tss (freeze()): while nobody but root can change its names, a file
 * that was reached by one of them and has only one has only this.
 * - A second name whose first is gone, such as that of a /etc/shadow that was replaced: cannot be told from a file of
 * root's in the folder. Linux lets nobody make such names while fs.protected_hardlinks is on; while it is off, nothing
 * is given away.
 * - What is tss's already may change at any time, and be anywhere: nothing is done to it that tss could not do. */
#include "ward-access.h"

#include <gio/gio.h>
#include <sys/sysmacros.h>

#include "ward-entry.h"

#define ROOT_UID 0
#define ROOT_GID 0

typedef struct
{
  const char *root;
  WardAccount tss;
  gboolean dry_run;
  gboolean links_are_protected;
  guint n_entries; /* looked at below /var/lib/tpm */
  GPtrArray *lines;
  guint n_unsaid; /* lines beyond WARD_ACCESS_MAX_LINES */
} Repair;

/* What something is to be. */
typedef struct
{
  mode_t mode;
  gboolean may_be_roots_group;
} Aim;

static const Aim tpm_aim = { .mode = 0660, .may_be_roots_group = TRUE };
static const Aim manager_aim = { .mode = 0660 };
static const Aim folder_aim = { .mode = 0700 };
static const Aim file_aim = { .mode = 0600 };

static void G_GNUC_PRINTF (2, 3) say (Repair *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);

  if (!self->dry_run)
    g_message ("Access: %s", line);
  if (self->lines->len < WARD_ACCESS_MAX_LINES)
    g_ptr_array_add (self->lines, g_steal_pointer (&line));
  else
    self->n_unsaid++;
}

static gboolean
owner_is_right (const Repair *self, const struct statx *is, const Aim *aim)
{
  return is->stx_uid == self->tss.uid
         && (is->stx_gid == self->tss.gid || (aim->may_be_roots_group && is->stx_gid == ROOT_GID));
}

static gboolean
mode_is_right (const struct statx *is, const Aim *aim)
{
  return (is->stx_mode & ALLPERMS) == aim->mode;
}

static void
say_chown (Repair *self, const char *path, const struct statx *was)
{
  g_autofree char *to = ward_account_describe (self->tss.uid, self->tss.gid);
  g_autofree char *from = ward_account_describe (was->stx_uid, was->stx_gid);

  say (self, "chown %s %s (was %s %04o)", to, path, from, was->stx_mode & ALLPERMS);
}

static void
say_chmod (Repair *self, const char *path, const struct statx *was, const Aim *aim)
{
  say (self, "chmod %04o %s (was %04o)", (guint)aim->mode, path, was->stx_mode & ALLPERMS);
}

/* The error names the path. What is gone is no trouble. */
static void
say_failed (Repair *self, const GError *error)
{
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    say (self, WARD_ACCESS_LEFT_ALONE "%s", error->message);
}

/* Gives the entry the owner and mode of the aim. was: as it is told of, which differs from what it is if we have
 * changed it. */
static void
put_right (Repair *self, WardEntry *entry, struct statx was, const Aim *aim)
{
  g_autoptr (GError) error = NULL;

  if (!self->dry_run && !owner_is_right (self, &entry->is, aim)
      && !ward_entry_chown (entry, self->tss.uid, self->tss.gid, &error))
    {
      say_failed (self, error);
      return;
    }
  if (!owner_is_right (self, &was, aim))
    say_chown (self, entry->path, &was);

  if (!self->dry_run && !mode_is_right (&entry->is, aim) && !ward_entry_chmod (entry, aim->mode, &error))
    {
      say_failed (self, error);
      return;
    }
  if (!mode_is_right (&was, aim))
    say_chmod (self, entry->path, &was, aim);
}

/* Why a file, which needs it, is not repaired; NULL if it may be. frozen: nobody but root can change the names in its
 * folder. */
static const char *
objection (const Repair *self, const WardEntry *entry, gboolean frozen)
{
  gboolean is_folder = S_ISDIR (entry->is.stx_mode);

  if (!is_folder && entry->is.stx_nlink > 1)
    return "has more than one name (hard links), and may be a file from elsewhere";
  if (entry->is.stx_uid == self->tss.uid)
    return NULL;
  if (!is_folder && !self->links_are_protected)
    return "belongs to another user and may be a file from elsewhere, as fs.protected_hardlinks is not 1";
  if (!frozen && !self->dry_run)
    return "was not there a moment ago: repair again";
  return NULL;
}

static void repair_folder (Repair *self, WardEntry *folder, guint depth);

static void
repair_entry (Repair *self, const WardEntry *folder, const char *name, guint depth, gboolean frozen)
{
  g_auto (WardEntry) entry = { .fd = -1 };
  g_autoptr (GError) error = NULL;
  const char *special, *why_not;

  if (!ward_entry_open (&entry, folder, name, &error))
    {
      say_failed (self, error);
      return;
    }
  special = ward_entry_special_kind (&entry);
  if (special)
    {
      say (self, WARD_ACCESS_LEFT_ALONE "%s is %s", entry.path, special);
      return;
    }

  why_not = objection (self, &entry, frozen);
  if (S_ISDIR (entry.is.stx_mode) && !why_not)
    repair_folder (self, &entry, depth + 1);
  else if (owner_is_right (self, &entry.is, &file_aim) && mode_is_right (&entry.is, &file_aim))
    return;
  else if (why_not)
    say (self, WARD_ACCESS_LEFT_ALONE "%s %s", entry.path, why_not);
  else
    put_right (self, &entry, entry.is, &file_aim);
}

/* Whether something in the folder would be given to tss that is not tss's. */
static gboolean
needs_freezing (const Repair *self, const WardEntry *folder, const GPtrArray *names)
{
  for (guint i = 0; i < names->len; i++)
    {
      g_auto (WardEntry) entry = { .fd = -1 };

      if (ward_entry_open (&entry, folder, names->pdata[i], NULL) && entry.is.stx_uid != self->tss.uid
          && !ward_entry_special_kind (&entry) && !objection (self, &entry, TRUE))
        return TRUE;
    }
  return FALSE;
}

/* Takes the folder from tss: the owner first, who else could undo the mode, and then the mode, which also puts access
 * lists out of force. What tss has begun in it has ended by then, or fails. */
static gboolean
freeze (Repair *self, WardEntry *folder)
{
  g_autoptr (GError) error = NULL;

  if (!ward_entry_chown (folder, ROOT_UID, ROOT_GID, &error) || !ward_entry_chmod (folder, folder_aim.mode, &error))
    {
      say_failed (self, error);
      return FALSE;
    }
  return ward_entry_is_roots (folder); /* a file system may have its own idea of owners */
}

static GPtrArray *
list (Repair *self, const WardEntry *folder, gboolean *more)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *names = ward_entry_list (folder, WARD_ACCESS_MAX_ENTRIES - self->n_entries, more, &error);

  if (!names)
    say_failed (self, error);
  return names;
}

/* What is in the folder. Returns with the folder frozen if that had to be. */
static void
repair_content (Repair *self, WardEntry *folder, guint depth)
{
  gboolean more, frozen = FALSE;
  g_autoptr (GPtrArray) names = list (self, folder, &more);

  if (names && !self->dry_run && needs_freezing (self, folder, names))
    {
      frozen = freeze (self, folder);
      g_ptr_array_unref (names);
      names = list (self, folder, &more);
    }
  if (!names)
    return;

  self->n_entries += names->len;
  for (guint i = 0; i < names->len; i++)
    repair_entry (self, folder, names->pdata[i], depth, frozen);
  if (more)
    say (self, WARD_ACCESS_LEFT_ALONE "the rest of %s, as there are more than %d entries", folder->path,
         WARD_ACCESS_MAX_ENTRIES);
}

/* The folder, which may be given to tss. Last comes the folder itself: from then on tss does in it what it likes. */
static void
repair_folder (Repair *self, WardEntry *folder, guint depth)
{
  struct statx was = folder->is;

  if (depth > WARD_ACCESS_MAX_DEPTH)
    say (self, WARD_ACCESS_LEFT_ALONE "what is in %s, which is more than %d folders deep", folder->path,
         WARD_ACCESS_MAX_DEPTH);
  else
    repair_content (self, folder, depth);
  put_right (self, folder, was, &folder_aim);
}

/* A folder of root's, below which nobody else can have put anything; FALSE, and told of, if it is none. */
static gboolean
open_roots_folder (Repair *self, const char *path, WardEntry *folder)
{
  g_autofree char *real = g_strconcat (self->root, path, NULL);
  g_autoptr (GError) error = NULL;

  if (!ward_entry_open_path (folder, real, path, &error))
    {
      say_failed (self, error);
      return FALSE;
    }
  if (ward_entry_is_roots (folder))
    return TRUE;
  say (self, WARD_ACCESS_LEFT_ALONE "what is in %s, as others than root can change it", path);
  return FALSE;
}

static void
repair_state (Repair *self)
{
  g_auto (WardEntry) parent = { .fd = -1 };
  g_auto (WardEntry) folder = { .fd = -1 };
  g_autoptr (GError) error = NULL;

  if (!open_roots_folder (self, "/var/lib", &parent))
    return;
  /* the unit's ReadWritePaths= alone makes it a mount point */
  if (!ward_entry_open_mount (&folder, &parent, "tpm", &error))
    say_failed (self, error);
  else if (!S_ISDIR (folder.is.stx_mode))
    say (self, WARD_ACCESS_LEFT_ALONE "%s is %s", folder.path,
         ward_entry_special_kind (&folder) ? ward_entry_special_kind (&folder) : "a file");
  else
    repair_folder (self, &folder, 0);
}

/* "tpm" or "tpmrm" if the name is one with a number behind it; NULL for others. */
static const char *
class_of (const char *name)
{
  const char *class_name = g_str_has_prefix (name, "tpmrm") ? "tpmrm" : "tpm";
  const char *number = g_str_has_prefix (name, class_name) ? name + strlen (class_name) : "";

  return *number && strspn (number, "0123456789") == strlen (number) ? class_name : NULL;
}

static gboolean
is_what_the_kernel_shows (const Repair *self, const WardEntry *node, const char *class_name, const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/sys/class/%s/%s/dev", self->root, class_name, name);
  g_autofree char *numbers = g_strdup_printf ("%u:%u\n", node->is.stx_rdev_major, node->is.stx_rdev_minor);
  g_autofree char *shown = NULL;

  return g_file_get_contents (path, &shown, NULL, NULL) && strcmp (shown, numbers) == 0;
}

static void
repair_node (Repair *self, const WardEntry *folder, const char *name)
{
  const char *class_name = class_of (name);
  g_auto (WardEntry) node = { .fd = -1 };
  g_autoptr (GError) error = NULL;

  if (!class_name)
    return;
  if (!ward_entry_open (&node, folder, name, &error))
    say_failed (self, error);
  else if (!S_ISCHR (node.is.stx_mode))
    say (self, WARD_ACCESS_LEFT_ALONE "%s is no character device", node.path);
  else if (!is_what_the_kernel_shows (self, &node, class_name, name))
    say (self, WARD_ACCESS_LEFT_ALONE "%s is not the device that the kernel shows at /sys/class/%s/%s", node.path,
         class_name, name);
  else
    put_right (self, &node, node.is, strcmp (class_name, "tpm") == 0 ? &tpm_aim : &manager_aim);
}

static void
repair_nodes (Repair *self)
{
  g_auto (WardEntry) folder = { .fd = -1 };
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GError) error = NULL;
  gboolean more;

  if (!open_roots_folder (self, "/dev", &folder))
    return;
  names = ward_entry_list (&folder, G_MAXUINT, &more, &error);
  if (!names)
    {
      say_failed (self, error);
      return;
    }
  for (guint i = 0; i < names->len; i++)
    repair_node (self, &folder, names->pdata[i]);
}

static gboolean
links_are_protected (const char *root)
{
  g_autofree char *path = g_strconcat (root, "/proc/sys/fs/protected_hardlinks", NULL);
  g_autofree char *value = NULL;

  return g_file_get_contents (path, &value, NULL, NULL) && strcmp (value, "1\n") == 0;
}

gboolean
ward_access_repair_for (const char *root, const WardAccount *tss, gboolean dry_run, GPtrArray **actions, GError **error)
{
  Repair self = {
    .root = root,
    .tss = *tss,
    .dry_run = dry_run,
    .links_are_protected = links_are_protected (root),
    .lines = g_ptr_array_new_with_free_func (g_free),
  };

  repair_nodes (&self);
  repair_state (&self);
  if (self.n_unsaid)
    g_ptr_array_add (self.lines,
                     g_strdup_printf ("… and %u more%s", self.n_unsaid, dry_run ? "" : ", which are in the journal"));
  *actions = self.lines;
  return TRUE;
}

gboolean
ward_access_repair (const char *root, gboolean dry_run, GPtrArray **actions, GError **error)
{
  WardAccount tss;

  return ward_account_find ("tss", &tss, error) && ward_access_repair_for (root, &tss, dry_run, actions, error);
}
