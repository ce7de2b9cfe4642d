/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-export.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-gui-call.h"
#include "ward-gui-file.h"
#include "ward-gui-key-public.h"
#include "ward-gui-notice.h"

typedef struct
{
  GtkWidget *widget;
  WardGuiChip *chip;
  WardGuiKey *key;
  GFile *file; /* NULL until it was chosen */
} Export;

static void
export_free (gpointer data)
{
  Export *export = data;

  g_object_unref (export->widget);
  g_object_unref (export->chip);
  g_object_unref (export->key);
  g_clear_object (&export->file);
  g_free (export);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Export, export_free)

static void
fail (Export *export, const GError *error)
{
  ward_gui_notice_error (export->widget, _ ("The Key Was Not Exported"), error);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Export) export = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_file_get_basename (G_FILE (source));
  g_autofree char *text = g_strdup_printf (_ ("Key exported to “%s”"), name);

  if (ward_gui_file_write_finish (result, &error))
    ward_gui_notice_toast (export->widget, text);
  else
    fail (export, error);
}

static void
on_exported (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Export) export = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);
  g_autoptr (GBytes) bytes = NULL;
  GFile *file = export->file;
  const char *pem;

  if (reply == NULL)
    {
      fail (export, error);
      return;
    }
  g_variant_get (reply, "(&s)", &pem);
  bytes = g_bytes_new (pem, strlen (pem));
  ward_gui_file_write_async (file, bytes, TRUE, NULL, on_written, g_steal_pointer (&export));
}

static void
on_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Export) export = user_data;
  g_autoptr (WardGuiCall) call = NULL;

  export->file = ward_gui_file_choose_finish (result, NULL);
  if (export->file == NULL)
    return;
  call = ward_gui_call_new (export->widget, ward_gui_key_get_proxy (export->key, export->chip), "Export",
                            g_variant_new ("(s)", ward_gui_key_get_id (export->key)), _ ("Exporting the key…"));
  ward_gui_call_start_async (call, on_exported, g_steal_pointer (&export));
}

void
ward_gui_key_export (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key)
{
  Export *export = g_new0 (Export, 1);
  g_autofree char *name = ward_gui_key_public_make_name (key, ".tss.pem");

  export->widget = g_object_ref (widget);
  export->chip = g_object_ref (chip);
  export->key = g_object_ref (key);
  ward_gui_file_choose_async (widget, GTK_FILE_CHOOSER_ACTION_SAVE, _ ("Export the Key"), name, on_chosen, export);
}
