/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tcsd-config.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "ward-access.h"
#include "ward-dependent.h"
#include "ward-entry.h"

#define FOLDER "/etc"
#define NAME "tcsd.conf"

/* tcsd wants exactly this, whoever starts it. */
#define MODE 0640

/* How much of a line is told. */
#define MAX_TOLD 100

typedef struct
{
  const WardAccount *owner;
  WardTcsdConfigPart part;
  gboolean dry_run;
  GStrvBuilder *lines;
} Repair;

static void G_GNUC_PRINTF (2, 3) say (Repair *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  if (!self->dry_run)
    g_message ("tcsd.conf: %s", line);
  g_strv_builder_add (self->lines, line);
}

/* The error names the path. */
static void
say_failed (Repair *self, const GError *error)
{
  say (self, WARD_ACCESS_LEFT_ALONE "%s", error->message);
}

static void
repair_owner (Repair *self, WardEntry *file)
{
  g_autofree char *from = ward_account_describe (file->is.stx_uid, file->is.stx_gid);
  g_autofree char *to = ward_account_describe (self->owner->uid, self->owner->gid);
  guint was = file->is.stx_mode & ALLPERMS;
  g_autoptr (GError) error = NULL;

  if (file->is.stx_uid != self->owner->uid || file->is.stx_gid != self->owner->gid)
    {
      if (!self->dry_run && !ward_entry_chown (file, self->owner->uid, self->owner->gid, &error))
        {
          say_failed (self, error);
          return;
        }
      say (self, "chown %s %s (was %s %04o)", to, file->path, from, was);
    }
  if (was == MODE)
    return;
  if (!self->dry_run && !ward_entry_chmod (file, MODE, &error))
    say_failed (self, error);
  else
    say (self, "chmod %04o %s (was %04o)", MODE, file->path, was);
}

/* A number as tcsd reads one: by atoi(). */
static gboolean
is_number_of_16_bits (const char *value)
{
  gint64 number = g_ascii_strtoll (value, NULL, 10);

  return number > 0 && number <= G_MAXUINT16;
}

/* Whether the line, "KEY = VALUE", is what this repair takes out. */
static gboolean
is_wrong (const Repair *self, const char *line)
{
  const char *sign = strchr (line, '=');
  g_autofree char *key = sign ? g_strstrip (g_strndup (line, sign - line)) : NULL;

  if (!key)
    return FALSE;
  if (self->part == WARD_TCSD_CONFIG_REMOTE)
    return g_str_equal (key, "remote_ops");
  return (g_str_equal (key, "port") || g_str_equal (key, "num_threads")) && !is_number_of_16_bits (sign + 1);
}

/* The text with such lines commented out; NULL if there are none. */
static char *
comment_out (Repair *self, const char *path, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean changed = FALSE;

  for (guint i = 0; lines[i]; i++)
    {
      g_autofree char *line = NULL;
      g_autofree char *start = NULL;
      g_autofree char *told = NULL;

      if (!is_wrong (self, lines[i]))
        continue;
      line = lines[i];
      lines[i] = g_strconcat ("# ", line, NULL);
      start = g_strndup (line, MAX_TOLD);
      told = ward_text_printable (g_strstrip (start));
      say (self, "comment out line %u of %s: %s", i + 1, path, told);
      changed = TRUE;
    }
  return changed ? g_strjoinv ("\n", lines) : NULL;
}

static gboolean
fail (const WardEntry *file, const char *why, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s: %s", file->path, why);
  return FALSE;
}

/* The descriptor of an entry leads to the very file, whatever has its name now. */
static int
open_entry (const WardEntry *file, int flags)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", file->fd);

  return open (path, flags | O_CLOEXEC);
}

static char *
read_text (const WardEntry *file, GError **error)
{
  g_autofree char *text = g_malloc0 (WARD_TCSD_CONFIG_MAX_SIZE + 1);
  int fd = open_entry (file, O_RDONLY);
  gssize size;

  if (fd < 0)
    {
      fail (file, g_strerror (errno), error);
      return NULL;
    }
  size = pread (fd, text, WARD_TCSD_CONFIG_MAX_SIZE, 0);
  close (fd);
  if (size >= 0 && size < WARD_TCSD_CONFIG_MAX_SIZE && strlen (text) == (gsize)size)
    return g_steal_pointer (&text);
  fail (file, size < 0 ? g_strerror (errno) : "it is too large, or no text", error);
  return NULL;
}

/* In place, as the unit makes the file a mount point, which nothing can be renamed to. It only grows: so one write is
 * all of it. */
static gboolean
write_text (const WardEntry *file, const char *text, GError **error)
{
  gsize size = strlen (text);
  int fd = open_entry (file, O_WRONLY);
  gboolean ok = fd >= 0 && pwrite (fd, text, size, 0) == (gssize)size && fsync (fd) == 0;
  int number = errno;

  if (fd >= 0)
    close (fd);
  return ok || fail (file, g_strerror (number), error);
}

static void
repair_lines (Repair *self, const WardEntry *file)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = read_text (file, &error);
  g_autofree char *right = text ? comment_out (self, file->path, text) : NULL;

  if (error || (right && !self->dry_run && !write_text (file, right, &error)))
    say_failed (self, error);
}

static void
repair_file (Repair *self, WardEntry *file)
{
  const char *special = ward_entry_special_kind (file);

  if (special || S_ISDIR (file->is.stx_mode))
    say (self, WARD_ACCESS_LEFT_ALONE "%s is %s", file->path, special ? special : "a folder");
  else if (file->is.stx_nlink > 1)
    say (self, WARD_ACCESS_LEFT_ALONE "%s has more than one name (hard links), and may be a file from elsewhere",
         file->path);
  else
    {
      if (self->part == WARD_TCSD_CONFIG_START)
        repair_owner (self, file);
      repair_lines (self, file);
    }
}

GStrv
ward_tcsd_config_repair_for (const char *root, const WardAccount *owner, WardTcsdConfigPart part, gboolean dry_run)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_autofree char *path = g_strconcat (root, FOLDER, NULL);
  g_auto (WardEntry) folder = { .fd = -1 };
  g_auto (WardEntry) file = { .fd = -1 };
  g_autoptr (GError) error = NULL;
  Repair self = { .owner = owner, .part = part, .dry_run = dry_run, .lines = lines };

  /* the unit's ReadWritePaths= alone makes it a mount point */
  if (ward_entry_open_path (&folder, path, FOLDER, &error) && ward_entry_open_mount (&file, &folder, NAME, &error))
    repair_file (&self, &file);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    say_failed (&self, error);
  return g_strv_builder_end (lines);
}

GStrv
ward_tcsd_config_repair (const char *root, WardTcsdConfigPart part, gboolean dry_run, GError **error)
{
  WardAccount owner;

  if (!ward_account_find ("tss", &owner, error))
    return NULL;
  owner.uid = 0;
  return ward_tcsd_config_repair_for (root, &owner, part, dry_run);
}
