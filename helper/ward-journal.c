/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-journal.h"

#include <string.h>
#include <systemd/sd-journal.h>

#include "ward-dependent.h"

#define KERNEL "_TRANSPORT=kernel"

/* Of systemd itself; another's word about a unit would be anybody's. */
#define SYSTEMD "_PID=1"

static const char *const units[] = { "tcsd.service", "trousers.service", "tpm2-abrmd.service" };

static void
close_journal (sd_journal *journal)
{
  sd_journal_close (journal);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sd_journal, close_journal)

static sd_journal *
open_journal (const char *root)
{
  g_autofree char *folder = g_strconcat (root, "/var/log/journal", NULL);
  sd_journal *journal = NULL;
  int result = *root ? sd_journal_open_directory (&journal, folder, 0)
                     : sd_journal_open (&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

  return result < 0 ? NULL : journal;
}

static gboolean
match (sd_journal *journal, const char *field, const char *value)
{
  g_autofree char *text = g_strconcat (field, value, NULL);

  return sd_journal_add_match (journal, text, 0) >= 0;
}

/* This start of the machine, and one of: the kernel; a unit's; systemd's about a unit. */
static gboolean
select_entries (sd_journal *journal, gboolean kernel_only)
{
  char text[SD_ID128_STRING_MAX];
  sd_id128_t boot;

  if (sd_id128_get_boot (&boot) < 0 || !match (journal, "_BOOT_ID=", sd_id128_to_string (boot, text))
      || sd_journal_add_conjunction (journal) < 0 || !match (journal, KERNEL, ""))
    return FALSE;
  for (guint i = 0; !kernel_only && i < G_N_ELEMENTS (units); i++)
    if (sd_journal_add_disjunction (journal) < 0 || !match (journal, "_SYSTEMD_UNIT=", units[i])
        || sd_journal_add_disjunction (journal) < 0 || !match (journal, "UNIT=", units[i])
        || !match (journal, SYSTEMD, ""))
      return FALSE;
  return TRUE;
}

/* A field's value; NULL if the entry has none. */
static char *
get (sd_journal *journal, const char *field)
{
  gsize length = strlen (field) + 1; /* "FIELD=" */
  const void *data;
  gsize size;

  if (sd_journal_get_data (journal, field, &data, &size) < 0 || size < length)
    return NULL;
  size = MIN (size - length, WARD_JOURNAL_MAX_LINE + 1);
  return g_strndup ((const char *)data + length, size);
}

/* Of the kernel, to whose log others write, too (systemd, at the start). The drivers' lines begin with their names, or
 * with "tpm tpm0:"; others tell of "TPM": IMA, and ACPI of its table. */
static gboolean
is_about_tpms (const char *identifier, const char *message)
{
  return g_strcmp0 (identifier, "kernel") == 0 && (g_str_has_prefix (message, "tpm") || strstr (message, "TPM"));
}

static char *
shorten (const char *line)
{
  gsize length = WARD_JOURNAL_MAX_LINE - strlen ("…");

  if (strlen (line) <= WARD_JOURNAL_MAX_LINE)
    return g_strdup (line);
  while ((line[length] & 0xc0) == 0x80) /* within a character */
    length--;
  return g_strdup_printf ("%.*s…", (int)length, line);
}

/* The entry in a line; NULL if it is none of ours. */
static char *
describe (sd_journal *journal)
{
  g_autofree char *transport = get (journal, "_TRANSPORT");
  g_autofree char *message = get (journal, "MESSAGE");
  g_autofree char *identifier = get (journal, "SYSLOG_IDENTIFIER");
  g_autofree char *when = NULL;
  g_autofree char *raw = NULL;
  g_autofree char *line = NULL;
  g_autoptr (GDateTime) date = NULL;
  gboolean is_kernels = g_strcmp0 (transport, "kernel") == 0;
  guint64 usec;

  if (!message || (is_kernels && !is_about_tpms (identifier, message)))
    return NULL;
  if (sd_journal_get_realtime_usec (journal, &usec) >= 0)
    date = g_date_time_new_from_unix_utc ((gint64)(usec / G_USEC_PER_SEC));
  when = date ? g_date_time_format_iso8601 (date) : g_strdup ("?");
  raw = g_strdup_printf ("%s %s: %s", when, identifier ? identifier : "?", g_strchomp (message));
  line = ward_text_printable (raw);
  return shorten (line);
}

/* From the last backwards, as there may be many. */
static GStrv
read_lines (const char *root, gboolean kernel_only, guint max)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (sd_journal) journal = open_journal (root);
  gint64 deadline = g_get_monotonic_time () + WARD_JOURNAL_MAX_SECONDS * G_USEC_PER_SEC;
  guint n_entries = 0;

  if (journal && select_entries (journal, kernel_only) && sd_journal_seek_tail (journal) >= 0)
    while (lines->len < max && n_entries++ < WARD_JOURNAL_MAX_ENTRIES && g_get_monotonic_time () < deadline
           && sd_journal_previous (journal) > 0)
      {
        char *line = describe (journal);

        if (line)
          g_ptr_array_insert (lines, 0, line);
      }
  g_ptr_array_add (lines, NULL);
  return (GStrv)g_ptr_array_free (g_steal_pointer (&lines), FALSE);
}

GStrv
ward_journal_read (const char *root)
{
  return read_lines (root, FALSE, WARD_JOURNAL_MAX_LINES);
}

GStrv
ward_journal_read_kernel (const char *root, guint max)
{
  return read_lines (root, TRUE, max);
}
