/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-import-dialog.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-gui-auth.h"
#include "ward-gui-file.h"
#include "ward-gui-key-form.h"
#include "ward-gui-notice.h"

/* No private key has so many bytes. */
#define SIZE_MAX_OF_FILE (64 * 1024)

struct _WardGuiKeyImportDialog
{
  WardGuiDialog parent;

  AdwActionRow *file_row;
  GtkWidget *passphrase_row;
  AdwComboRow *usage_row;
  WardGuiKeyForm *form;

  WardGuiKeys *keys;
  WardSecret *data; /* what is in the file; NULL until it was read */
};

G_DEFINE_FINAL_TYPE (WardGuiKeyImportDialog, ward_gui_key_import_dialog, WARD_GUI_TYPE_DIALOG)

static void
on_changed (WardGuiKeyImportDialog *self)
{
  g_autofree char *problem = NULL;

  /* the new key's own name is no problem */
  if (self->keys == NULL || ward_gui_dialog_is_busy (WARD_GUI_DIALOG (self)))
    return;
  problem = ward_gui_key_form_dup_problem (self->form);
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), problem);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), problem == NULL && self->data != NULL);
}

static gboolean
contains (WardSecret *data, const char *text)
{
  return g_strstr_len ((const char *)ward_secret_get_data (data), (gssize)ward_secret_get_size (data), text) != NULL;
}

/* As far as it shows; what is encrypted and not of PEM the service tells. */
static gboolean
is_encrypted (WardSecret *data)
{
  return contains (data, "-----BEGIN ENCRYPTED PRIVATE KEY-----") || contains (data, "Proc-Type: 4,ENCRYPTED");
}

/* A key that a TPM has wrapped brings its own use, password and binding. */
static gboolean
is_wrapped (WardSecret *data)
{
  return contains (data, "-----BEGIN TSS2 PRIVATE KEY-----") || contains (data, "-----BEGIN TSS KEY BLOB-----");
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyImportDialog) self = user_data;
  g_autoptr (GError) error = NULL;

  self->data = ward_gui_file_read_finish (result, &error);
  if (self->data == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  gtk_widget_set_visible (self->passphrase_row, is_encrypted (self->data));
  gtk_widget_set_visible (GTK_WIDGET (self->usage_row), !is_wrapped (self->data));
  on_changed (self);
}

static void
on_imported (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyImportDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  g_autofree char *text = NULL;

  if (reply == NULL)
    {
      ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
      if (g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED))
        gtk_widget_show (self->passphrase_row);
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  ward_gui_keys_load (self->keys);
  text = g_strdup_printf (_ ("“%s” imported"), ward_gui_key_form_get_label (self->form));
  ward_gui_notice_toast (GTK_WIDGET (gtk_window_get_transient_for (GTK_WINDOW (self))), text);
  gtk_window_close (GTK_WINDOW (self));
}

/* By its position, of what only elliptic curves do. */
#define AGREEING 2

static void
add_usage (WardGuiKeyImportDialog *self, WardGuiCall *call)
{
  static const char *const usages[] = { "sign", "decrypt", "agree" };
  guint selected = adw_combo_row_get_selected (self->usage_row);
  const char *usage[] = { usages[MIN (selected, G_N_ELEMENTS (usages) - 1)], NULL };

  if (!is_wrapped (self->data))
    ward_gui_call_set_option (call, "usage", g_variant_new_strv (usage, -1));
}

static void
ward_gui_key_import_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiKeyImportDialog *self = WARD_GUI_KEY_IMPORT_DIALOG (dialog);
  WardGuiChip *chip = ward_gui_keys_get_chip (self->keys);
  gpointer proxy = ward_gui_key_form_is_system (self->form) ? (gpointer)ward_gui_chip_get_system_keys (chip)
                                                            : (gpointer)ward_gui_chip_get_keys (chip);
  g_autoptr (WardSecret) passphrase = ward_gui_auth_dup_secret (GTK_EDITABLE (self->passphrase_row));
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (self), proxy, "Import",
                                                    g_variant_new ("(s@ay)", ward_gui_key_form_get_label (self->form),
                                                                   g_variant_new_array (G_VARIANT_TYPE_BYTE, NULL, 0)),
                                                    _ ("The TPM takes the key in…"));
  /* with a passphrase it is that which may be wrong */
  const WardGuiAuth auth = {
    .title = _ ("Import a Key"),
    .by_srk = !gtk_widget_get_visible (self->passphrase_row),
  };

  ward_gui_call_set_secret (call, "data", self->data);
  if (gtk_widget_get_visible (self->passphrase_row))
    ward_gui_call_set_secret (call, "passphrase", passphrase);
  add_usage (self, call);
  ward_gui_key_form_pack (self->form, call);
  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_auth_call_async (call, chip, &auth, on_imported, g_object_ref (self));
}

static void
ward_gui_key_import_dialog_dispose (GObject *object)
{
  WardGuiKeyImportDialog *self = WARD_GUI_KEY_IMPORT_DIALOG (object);

  g_clear_object (&self->keys);
  g_clear_pointer (&self->data, ward_secret_unref);
  G_OBJECT_CLASS (ward_gui_key_import_dialog_parent_class)->dispose (object);
}

static void
ward_gui_key_import_dialog_class_init (WardGuiKeyImportDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_import_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_key_import_dialog_apply;

  g_type_ensure (WARD_GUI_TYPE_KEY_FORM);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-import-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyImportDialog, file_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyImportDialog, passphrase_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyImportDialog, usage_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyImportDialog, form);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
}

static void
ward_gui_key_import_dialog_init (WardGuiKeyImportDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* The file's name without its ending. */
static char *
make_label (GFile *file)
{
  g_autofree char *name = g_file_get_basename (file);
  char *dot = strrchr (name, '.');

  if (dot != NULL && dot > name)
    *dot = '\0';
  return g_utf8_make_valid (name, -1);
}

void
ward_gui_key_import_dialog_present (GtkWidget *widget, WardGuiKeys *keys, GFile *file)
{
  WardGuiKeyImportDialog *self = g_object_new (WARD_GUI_TYPE_KEY_IMPORT_DIALOG, NULL);
  g_autofree char *name = g_file_get_parse_name (file);
  g_autofree char *escaped = g_markup_escape_text (name, -1);
  g_autofree char *label = make_label (file);

  self->keys = g_object_ref (keys);
  ward_gui_key_form_set_keys (self->form, keys);
  ward_gui_key_form_set_label (self->form, label);
  adw_action_row_set_subtitle (self->file_row, escaped);
  if (ward_gui_chip_is_tpm12 (ward_gui_keys_get_chip (keys)))
    gtk_string_list_remove (GTK_STRING_LIST (adw_combo_row_get_model (self->usage_row)), AGREEING);
  /* a name may be taken by then */
  g_signal_connect_object (keys, "loaded", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), FALSE);
  ward_gui_file_read_async (file, SIZE_MAX_OF_FILE, NULL, on_read, g_object_ref (self));
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}

static void
on_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeys) keys = user_data;
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, NULL);

  if (file != NULL)
    ward_gui_key_import_dialog_present (GTK_WIDGET (source), keys, file);
}

void
ward_gui_key_import_dialog_choose (GtkWidget *widget, WardGuiKeys *keys)
{
  ward_gui_file_choose_async (widget, GTK_FILE_CHOOSER_ACTION_OPEN, _ ("Choose a Private Key"), NULL, on_chosen,
                              g_object_ref (keys));
}
