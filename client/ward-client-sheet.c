/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-sheet.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "ward-client-text.h"

const char *
ward_client_sheet_title (void)
{
  return _ ("TPM recovery sheet");
}

const char *
ward_client_sheet_how_to_type (void)
{
  return _ (
      "Only small letters and digits, without 0, 1 and letters that look alike. The dashes are part of the value. "
      "Type it where “tpmward lockout reset”, “tpmward change-auth”, “tpmward release”, “tpmward clear” or "
      "another program asks for that auth.");
}

const char *
ward_client_sheet_how_to_keep (void)
{
  return _ ("Keep this on paper, not on this machine. It is stored nowhere and cannot be shown again.");
}

char *
ward_client_sheet_make_head (const WardClientSheet *sheet)
{
  g_autofree char *made = ward_client_text_instant ((guint64)sheet->made);

  return g_strdup_printf (_ ("Machine: %s\nTPM: %s\nModel: %s\nMade: %s\n"), sheet->machine, sheet->tpm_name,
                          sheet->tpm_model, made);
}

/* Text that is put together in memory of a secret's own, so that no copy of one stays behind. */
typedef struct
{
  guint8 *at; /* NULL while the size is counted */
  gsize size;
} Writer;

static void
write_bytes (Writer *writer, gconstpointer data, gsize size)
{
  if (writer->at != NULL && size > 0)
    memcpy (writer->at + writer->size, data, size);
  writer->size += size;
}

static void
write_text (Writer *writer, const char *text)
{
  write_bytes (writer, text, strlen (text));
}

static void
write_sheet (Writer *writer, const char *head, const WardClientSheetEntry *entries, guint n_entries)
{
  write_text (writer, ward_client_sheet_title ());
  write_text (writer, "\n\n");
  write_text (writer, head);
  for (guint i = 0; i < n_entries; i++)
    {
      write_text (writer, "\n");
      write_text (writer, entries[i].title);
      write_text (writer, "\n    ");
      write_bytes (writer, ward_secret_get_data (entries[i].secret), ward_secret_get_size (entries[i].secret));
      write_text (writer, "\n");
      write_text (writer, entries[i].protects);
      write_text (writer, "\n");
    }
  write_text (writer, "\n");
  write_text (writer, ward_client_sheet_how_to_type ());
  write_text (writer, "\n");
  write_text (writer, ward_client_sheet_how_to_keep ());
  write_text (writer, "\n");
}

WardSecret *
ward_client_sheet_to_text (const WardClientSheet *sheet, const WardClientSheetEntry *entries, guint n_entries)
{
  g_autofree char *head = ward_client_sheet_make_head (sheet);
  Writer counter = { 0 };
  Writer writer = { 0 };
  WardSecret *text;

  write_sheet (&counter, head, entries, n_entries);
  text = ward_secret_new (counter.size);
  writer.at = ward_secret_get_data (text);
  write_sheet (&writer, head, entries, n_entries);
  return text;
}
