/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-sheet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-client-error.h"
#include "ward-client-text.h"

#define ENTRY_INDENT 4

static gboolean
fail_writing (int number, GError **error)
{
  g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED,
               "The recovery sheet cannot be written: %s. So nothing was changed.", g_strerror (number));
  return FALSE;
}

/* Past the buffer of standard output, which nobody wipes. */
static gboolean
write_secret (WardSecret *secret, GError **error)
{
  const guint8 *data = ward_secret_get_data (secret);
  gsize size = ward_secret_get_size (secret);

  if (fflush (stdout) != 0)
    return fail_writing (errno, error);
  while (size > 0)
    {
      gssize n = write (STDOUT_FILENO, data, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return fail_writing (errno, error);
      data += n;
      size -= (gsize)n;
    }
  return TRUE;
}

/* Terminals and pipes have no disk. */
static gboolean
finish (GError **error)
{
  if (fflush (stdout) != 0 || ferror (stdout))
    return fail_writing (errno, error);
  if (fsync (STDOUT_FILENO) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
    return fail_writing (errno, error);
  return TRUE;
}

static gboolean
print_entry (const WardClientSheetEntry *entry, GError **error)
{
  g_autofree char *styled = ward_cli_styled (WARD_CLI_STYLE_BOLD, entry->title);

  ward_cli_print ("\n  %s\n%*s", styled, ENTRY_INDENT, "");
  if (!write_secret (entry->secret, error))
    return FALSE;
  ward_cli_print ("\n");
  ward_cli_print_paragraph (ENTRY_INDENT, WARD_CLI_STYLE_PLAIN, entry->protects);
  return TRUE;
}

gboolean
ward_cli_sheet_print (const WardClientSheet *sheet, const WardClientSheetEntry *entries, guint n_entries,
                      GError **error)
{
  g_autofree char *title = ward_cli_styled (WARD_CLI_STYLE_BOLD, ward_client_sheet_title ());
  g_autofree char *made = ward_client_text_instant ((guint64)sheet->made);

  ward_cli_print ("%s\n\n", title);
  ward_cli_print_field ("Machine", WARD_CLI_STYLE_PLAIN, sheet->machine);
  ward_cli_print_field ("TPM", WARD_CLI_STYLE_PLAIN, sheet->tpm_name);
  ward_cli_print_field ("Model", WARD_CLI_STYLE_PLAIN, sheet->tpm_model);
  ward_cli_print_field ("Made", WARD_CLI_STYLE_PLAIN, made);
  for (guint i = 0; i < n_entries; i++)
    if (!print_entry (&entries[i], error))
      return FALSE;

  ward_cli_print ("\n");
  ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN, ward_client_sheet_how_to_type ());
  ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN, ward_client_sheet_how_to_keep ());
  ward_cli_print ("\n");
  return finish (error);
}

/* Stands for a secret in the text, which the library that makes it does not wipe. */
static char *
placeholder (guint index)
{
  return g_strdup_printf ("@secret-%u@", index);
}

/* The secrets come first: no text that a TPM gives of itself can be taken for one. */
static char *
build_json (const WardClientSheet *sheet, const WardClientSheetEntry *entries, guint n_entries)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "auths");
  json_builder_begin_object (builder);
  for (guint i = 0; i < n_entries; i++)
    {
      g_autofree char *stand_in = placeholder (i);

      ward_cli_json_add_string (builder, entries[i].name, stand_in);
    }
  json_builder_end_object (builder);
  ward_cli_json_add_string (builder, "tpm", sheet->tpm_name);
  ward_cli_json_add_string (builder, "model", sheet->tpm_model);
  ward_cli_json_add_string (builder, "machine", sheet->machine);
  json_builder_set_member_name (builder, "made");
  json_builder_add_int_value (builder, sheet->made);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, TRUE);
}

gboolean
ward_cli_sheet_print_json (const WardClientSheet *sheet, const WardClientSheetEntry *entries, guint n_entries,
                           GError **error)
{
  g_autofree char *text = build_json (sheet, entries, n_entries);
  const char *rest = text;

  for (guint i = 0; i < n_entries; i++)
    {
      g_autofree char *stand_in = placeholder (i);
      const char *at = strstr (rest, stand_in);

      g_assert (at != NULL);
      fwrite (rest, 1, (gsize)(at - rest), stdout);
      if (!write_secret (entries[i].secret, error))
        return FALSE;
      rest = at + strlen (stand_in);
    }
  puts (rest);
  return finish (error);
}
