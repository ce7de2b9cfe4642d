/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-dialog.h"

#include <glib/gi18n.h>

#include "ward-client-key.h"
#include "ward-client-text.h"
#include "ward-gui-key-delete.h"
#include "ward-gui-key-export.h"
#include "ward-gui-key-file-dialog.h"
#include "ward-gui-key-password-dialog.h"
#include "ward-gui-key-persist-dialog.h"
#include "ward-gui-key-public.h"
#include "ward-gui-key-secret-dialog.h"
#include "ward-gui-key-text.h"
#include "ward-gui-notice.h"

struct _WardGuiKeyDialog
{
  WardGuiDialog parent;

  GtkWidget *problem_group, *sign_row, *persist_row;
  AdwActionRow *problem_row, *kind_row, *protection_row, *boot_state_row, *guessing_row, *origin_row, *use_row,
      *fingerprint_row, *id_row, *password_row, *secret_row;
  GtkEditable *label_row, *comment_row;

  WardGuiKeys *keys;
  WardGuiKey *key;
};

G_DEFINE_FINAL_TYPE (WardGuiKeyDialog, ward_gui_key_dialog, WARD_GUI_TYPE_DIALOG)

static WardGuiChip *
get_chip (WardGuiKeyDialog *self)
{
  return ward_gui_keys_get_chip (self->keys);
}

static void
set_row (AdwActionRow *row, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  adw_action_row_set_subtitle (row, escaped);
  gtk_widget_set_visible (GTK_WIDGET (row), *text != '\0');
}

static void
show_kind (WardGuiKeyDialog *self)
{
  const char *algorithm = ward_gui_key_text_algorithm (ward_gui_key_get_algorithm (self->key));
  g_autofree char *usage = ward_gui_key_text_usage (self->key);
  /* Translators: the kind of key, and what it does */
  g_autofree char *kind = g_strdup_printf (_ ("%s, %s"), algorithm, usage);

  set_row (self->kind_row, kind);
}

static void
show_protection (WardGuiKeyDialog *self)
{
  GVariant *description = ward_gui_key_get_description (self->key);
  g_autofree char *protection = ward_gui_key_text_protection (self->key);
  g_autofree char *boot_state = ward_gui_key_text_boot_state (self->key);

  set_row (self->protection_row, protection);
  set_row (self->boot_state_row, boot_state);
  set_row (self->guessing_row, !ward_gui_key_has_auth (self->key) ? ""
                               : ward_client_key_get_boolean (description, "no-da")
                                   ? _ ("Are not counted: they never lock the TPM")
                                   : _ ("Are counted: after too many the TPM locks for a while"));
}

/* A key that was made without dictionary-attack protection can never be given a password. */
static void
show_password (WardGuiKeyDialog *self, gboolean is_usable)
{
  gboolean has_auth = ward_gui_key_has_auth (self->key);
  gboolean can_have = has_auth || !ward_client_key_get_boolean (ward_gui_key_get_description (self->key), "no-da");

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->password_row),
                                 has_auth ? _ ("Change _Password…") : _ ("Set _Password…"));
  adw_action_row_set_subtitle (self->password_row,
                               can_have ? "" : _ ("It was made without one, which is for good: make another key"));
  gtk_widget_set_sensitive (GTK_WIDGET (self->password_row), can_have && is_usable);
}

static void
show_history (WardGuiKeyDialog *self)
{
  GVariant *description = ward_gui_key_get_description (self->key);
  guint64 uses = ward_client_key_get_number (description, "uses");
  g_autofree char *created = ward_client_text_instant (ward_client_key_get_number (description, "created"));
  g_autofree char *origin = g_strdup_printf (
      ward_client_key_get_boolean (description, "imported") ? _ ("Imported on %s") : _ ("Made in this TPM on %s"),
      created);
  g_autofree char *last_use = ward_gui_key_text_last_use (self->key);
  g_autofree char *times = g_strdup_printf (ngettext ("%s, %lu time", "%s, %lu times", (gulong)uses), last_use,
                                            (gulong)uses);

  set_row (self->origin_row, origin);
  set_row (self->use_row, uses > 0 ? times : last_use);
}

/* What a key for secrets is for. */
static void
show_secret (WardGuiKeyDialog *self, gboolean is_usable)
{
  gboolean agrees = ward_gui_key_has_usage (self->key, "agree");

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->secret_row),
                                 agrees ? _ ("_Agree on a Secret…") : _ ("_Decrypt a File…"));
  gtk_widget_set_visible (GTK_WIDGET (self->secret_row),
                          (agrees || ward_gui_key_has_usage (self->key, "decrypt")) && is_usable);
}

/* A row whose text is set while it has the focus offers to apply it. */
static void
set_entry (GtkEditable *row, const char *text)
{
  if (!g_str_equal (gtk_editable_get_text (row), text))
    gtk_editable_set_text (row, text);
}

static void
show (WardGuiKeyDialog *self)
{
  GVariant *description = ward_gui_key_get_description (self->key);
  const char *problem = ward_client_key_get_string (description, "problem");
  gboolean is_usable = ward_gui_key_is_usable (self->key);

  set_entry (self->label_row, ward_gui_key_get_label (self->key));
  set_entry (self->comment_row, ward_client_key_get_string (description, "comment"));
  gtk_widget_set_visible (self->problem_group, !is_usable);
  set_row (self->problem_row, problem);
  show_kind (self);
  show_protection (self);
  show_history (self);
  set_row (self->fingerprint_row, ward_client_key_get_string (description, "fingerprint"));
  set_row (self->id_row, ward_gui_key_get_id (self->key));
  gtk_widget_set_visible (self->sign_row, ward_gui_key_has_usage (self->key, "sign") && is_usable);
  show_secret (self, is_usable);
  gtk_widget_set_visible (self->persist_row,
                          ward_gui_key_is_system (self->key) && is_usable && !ward_gui_chip_is_tpm12 (get_chip (self)));
  show_password (self, is_usable);
}

static void
on_keys_loaded (WardGuiKeyDialog *self)
{
  g_autoptr (WardGuiKey) key = ward_gui_keys_find (self->keys, ward_gui_key_get_id (self->key),
                                                   ward_gui_key_is_system (self->key));

  if (key == NULL)
    {
      if (ward_gui_keys_get_error (self->keys) == NULL)
        gtk_window_close (GTK_WINDOW (self));
      return;
    }
  if (g_set_object (&self->key, key))
    show (self);
}

/* What it was used for is told by no signal. */
static void
on_described (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyDialog) self = user_data;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, NULL);
  g_autoptr (GVariant) description = NULL;

  if (reply == NULL)
    return;
  description = g_variant_get_child_value (reply, 0);
  g_clear_object (&self->key);
  self->key = ward_gui_key_new (description);
  show (self);
}

static void
describe (WardGuiKeyDialog *self)
{
  ward_client_call_async (ward_gui_key_get_proxy (self->key, get_chip (self)), "Describe",
                          g_variant_new ("(s)", ward_gui_key_get_id (self->key)), NULL, WARD_CLIENT_CALL_NONE, NULL,
                          on_described, g_object_ref (self));
}

static void
on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);

  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
  if (reply != NULL)
    ward_gui_keys_load (self->keys);
  else
    show (self);
}

/* Calls a method that gives the key another text. */
static void
change_text (WardGuiKeyDialog *self, const char *method, const char *text)
{
  g_autoptr (WardGuiCall) call = ward_gui_call_new (
      GTK_WIDGET (self), ward_gui_key_get_proxy (self->key, get_chip (self)), method,
      g_variant_new ("(ss)", ward_gui_key_get_id (self->key), text), _ ("Changing the key…"));

  ward_gui_call_start_async (call, on_changed, g_object_ref (self));
}

static void
on_label_applied (WardGuiKeyDialog *self)
{
  change_text (self, "SetLabel", gtk_editable_get_text (self->label_row));
}

static void
on_comment_applied (WardGuiKeyDialog *self)
{
  change_text (self, "SetComment", gtk_editable_get_text (self->comment_row));
}

static void
on_copy_ssh (WardGuiKeyDialog *self)
{
  ward_gui_key_public_copy (GTK_WIDGET (self), get_chip (self), self->key, "ssh");
}

static void
on_copy_pem (WardGuiKeyDialog *self)
{
  ward_gui_key_public_copy (GTK_WIDGET (self), get_chip (self), self->key, "pem");
}

static void
on_save_public (WardGuiKeyDialog *self)
{
  ward_gui_key_public_save (GTK_WIDGET (self), get_chip (self), self->key);
}

static void
on_copy_fingerprint (WardGuiKeyDialog *self)
{
  ward_gui_notice_copy (GTK_WIDGET (self),
                        ward_client_key_get_string (ward_gui_key_get_description (self->key), "fingerprint"),
                        _ ("Fingerprint copied"));
}

static void
on_sign (WardGuiKeyDialog *self)
{
  ward_gui_key_file_dialog_present (GTK_WIDGET (self), get_chip (self), self->key);
}

static void
on_secret (WardGuiKeyDialog *self)
{
  ward_gui_key_secret_dialog_present (GTK_WIDGET (self), get_chip (self), self->key);
}

static void
on_password (WardGuiKeyDialog *self)
{
  ward_gui_key_password_dialog_present (GTK_WIDGET (self), self->keys, self->key);
}

static void
on_export (WardGuiKeyDialog *self)
{
  ward_gui_key_export (GTK_WIDGET (self), get_chip (self), self->key);
}

static void
on_persist (WardGuiKeyDialog *self)
{
  ward_gui_key_persist_dialog_present (GTK_WIDGET (self), get_chip (self), self->key);
}

static void
on_delete (WardGuiKeyDialog *self)
{
  GtkWindow *window = gtk_window_get_transient_for (GTK_WINDOW (self));

  ward_gui_key_delete (window != NULL ? GTK_WIDGET (window) : GTK_WIDGET (self), self->keys, self->key);
  gtk_window_close (GTK_WINDOW (self));
}

static void
ward_gui_key_dialog_dispose (GObject *object)
{
  WardGuiKeyDialog *self = WARD_GUI_KEY_DIALOG (object);

  g_clear_object (&self->keys);
  g_clear_object (&self->key);
  G_OBJECT_CLASS (ward_gui_key_dialog_parent_class)->dispose (object);
}

static void
bind_handlers (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_callback (widget_class, on_label_applied);
  gtk_widget_class_bind_template_callback (widget_class, on_comment_applied);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_ssh);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_pem);
  gtk_widget_class_bind_template_callback (widget_class, on_save_public);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_fingerprint);
  gtk_widget_class_bind_template_callback (widget_class, on_sign);
  gtk_widget_class_bind_template_callback (widget_class, on_secret);
  gtk_widget_class_bind_template_callback (widget_class, on_password);
  gtk_widget_class_bind_template_callback (widget_class, on_export);
  gtk_widget_class_bind_template_callback (widget_class, on_persist);
  gtk_widget_class_bind_template_callback (widget_class, on_delete);
}

static void
ward_gui_key_dialog_class_init (WardGuiKeyDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_dialog_dispose;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, problem_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, problem_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, label_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, comment_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, sign_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, kind_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, protection_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, boot_state_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, guessing_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, origin_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, use_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, fingerprint_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, id_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, password_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, secret_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyDialog, persist_row);
  bind_handlers (widget_class);
}

static void
ward_gui_key_dialog_init (WardGuiKeyDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_key_dialog_present (GtkWidget *widget, WardGuiKeys *keys, WardGuiKey *key)
{
  WardGuiKeyDialog *self = g_object_new (WARD_GUI_TYPE_KEY_DIALOG, NULL);

  self->keys = g_object_ref (keys);
  self->key = g_object_ref (key);
  g_signal_connect_object (keys, "loaded", G_CALLBACK (on_keys_loaded), self, G_CONNECT_SWAPPED);
  show (self);
  describe (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
