/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-persist-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-notice.h"

/* Where handles of persistent objects lie (TPM 2.0 Library, Part 2, 7.2). */
#define HANDLE_FIRST 0x81000000
#define HANDLE_LAST 0x81ffffff

struct _WardGuiKeyPersistDialog
{
  WardGuiDialog parent;

  GtkEditable *handle_row;

  WardGuiChip *chip;
  WardGuiKey *key;
};

G_DEFINE_FINAL_TYPE (WardGuiKeyPersistDialog, ward_gui_key_persist_dialog, WARD_GUI_TYPE_DIALOG)

/* 0 for what is none. */
static guint32
get_handle (WardGuiKeyPersistDialog *self)
{
  const char *text = gtk_editable_get_text (self->handle_row);
  guint64 handle = 0;

  if (g_str_has_prefix (text, "0x"))
    text += 2;
  if (!g_ascii_string_to_unsigned (text, 16, HANDLE_FIRST, HANDLE_LAST, &handle, NULL))
    return 0;
  return (guint32)handle;
}

static void
on_changed (WardGuiKeyPersistDialog *self)
{
  gboolean is_handle = get_handle (self) != 0;

  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), is_handle);
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self),
                            is_handle ? NULL : _ ("A persistent handle is between 0x81000000 and 0x81ffffff."));
}

static void
on_kept (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyPersistDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  GtkWindow *window = gtk_window_get_transient_for (GTK_WINDOW (self));
  g_autofree char *text = NULL;

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  text = g_strdup_printf (_ ("The TPM keeps the key at 0x%08x"), get_handle (self));
  if (window != NULL)
    ward_gui_notice_toast (GTK_WIDGET (window), text);
  gtk_window_close (GTK_WINDOW (self));
}

static void
ward_gui_key_persist_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiKeyPersistDialog *self = WARD_GUI_KEY_PERSIST_DIALOG (dialog);
  const WardGuiAuth auth = { .option = "owner-auth", .title = _ ("Owner Auth"), .by_owner = TRUE };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (
      GTK_WIDGET (self), ward_gui_key_get_proxy (self->key, self->chip), "Persist",
      g_variant_new ("(su)", ward_gui_key_get_id (self->key), get_handle (self)), _ ("Keeping the key in the TPM…"));

  ward_gui_call_set_has_options (call);
  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_auth_call_async (call, self->chip, &auth, on_kept, g_object_ref (self));
}

static void
ward_gui_key_persist_dialog_dispose (GObject *object)
{
  WardGuiKeyPersistDialog *self = WARD_GUI_KEY_PERSIST_DIALOG (object);

  g_clear_object (&self->chip);
  g_clear_object (&self->key);
  G_OBJECT_CLASS (ward_gui_key_persist_dialog_parent_class)->dispose (object);
}

static void
ward_gui_key_persist_dialog_class_init (WardGuiKeyPersistDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_persist_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_key_persist_dialog_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-persist-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyPersistDialog, handle_row);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
}

static void
ward_gui_key_persist_dialog_init (WardGuiKeyPersistDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_key_persist_dialog_present (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key)
{
  WardGuiKeyPersistDialog *self = g_object_new (WARD_GUI_TYPE_KEY_PERSIST_DIALOG, NULL);

  self->chip = g_object_ref (chip);
  self->key = g_object_ref (key);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
