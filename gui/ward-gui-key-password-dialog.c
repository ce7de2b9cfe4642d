/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-password-dialog.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-gui-auth.h"
#include "ward-gui-notice.h"

/* The most bytes that the service takes as a key's auth value. */
#define PASSWORD_MAX 64

struct _WardGuiKeyPasswordDialog
{
  WardGuiDialog parent;

  GtkEditable *password_entry, *again_entry;

  WardGuiKeys *keys;
  WardGuiKey *key;
};

G_DEFINE_FINAL_TYPE (WardGuiKeyPasswordDialog, ward_gui_key_password_dialog, WARD_GUI_TYPE_DIALOG)

/* A key of a TPM 1.2 that has a password has one for life. */
static gboolean
can_remove (WardGuiKeyPasswordDialog *self)
{
  return ward_gui_key_has_auth (self->key) && !ward_gui_chip_is_tpm12 (ward_gui_keys_get_chip (self->keys));
}

/* An empty one takes the password away, where that can be done. */
static char *
find_problem (WardGuiKeyPasswordDialog *self)
{
  const char *password = gtk_editable_get_text (self->password_entry);

  if (strlen (password) > PASSWORD_MAX)
    return g_strdup_printf (_ ("The password is too long: a TPM takes %d bytes."), PASSWORD_MAX);
  if (strcmp (password, gtk_editable_get_text (self->again_entry)) != 0)
    return g_strdup (_ ("The two passwords are not the same yet."));
  if (*password == '\0' && !can_remove (self))
    return g_strdup (_ ("Type the password twice."));
  return NULL;
}

static void
on_changed (WardGuiKeyPasswordDialog *self)
{
  g_autofree char *problem = find_problem (self);
  gboolean removes = *gtk_editable_get_text (self->password_entry) == '\0';

  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), problem == NULL);
  g_object_set (self, "apply-label", removes && can_remove (self) ? _ ("_Remove") : _ ("_Set"), NULL);
  if (problem == NULL && removes)
    problem = g_strdup (_ ("Without a new password the key has none: then whoever uses your account uses the key."));
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), problem);
}

static void
on_changed_auth (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyPasswordDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  GtkWindow *window = gtk_window_get_transient_for (GTK_WINDOW (self));

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  ward_gui_keys_load (self->keys);
  if (window != NULL)
    ward_gui_notice_toast (GTK_WIDGET (window), _ ("The key’s password was changed"));
  gtk_window_close (GTK_WINDOW (self));
}

static void
ward_gui_key_password_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiKeyPasswordDialog *self = WARD_GUI_KEY_PASSWORD_DIALOG (dialog);
  WardGuiChip *chip = ward_gui_keys_get_chip (self->keys);
  g_autoptr (WardSecret) secret = ward_gui_auth_dup_secret (self->password_entry);
  g_autofree char *title = g_strdup_printf (_ ("Present Password of “%s”"), ward_gui_key_get_label (self->key));
  const WardGuiAuth auth = {
    .option = "old",
    .title = title,
    .ask_first = ward_gui_key_has_auth (self->key),
    .by_srk = TRUE,
  };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (
      GTK_WIDGET (self), ward_gui_key_get_proxy (self->key, chip), "ChangeAuth",
      g_variant_new ("(s)", ward_gui_key_get_id (self->key)), _ ("Changing the password…"));

  ward_gui_call_set_secret (call, "new", secret);
  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_auth_call_async (call, chip, &auth, on_changed_auth, g_object_ref (self));
}

static void
ward_gui_key_password_dialog_dispose (GObject *object)
{
  WardGuiKeyPasswordDialog *self = WARD_GUI_KEY_PASSWORD_DIALOG (object);

  g_clear_object (&self->keys);
  g_clear_object (&self->key);
  G_OBJECT_CLASS (ward_gui_key_password_dialog_parent_class)->dispose (object);
}

static void
ward_gui_key_password_dialog_class_init (WardGuiKeyPasswordDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_password_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_key_password_dialog_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-password-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyPasswordDialog, password_entry);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyPasswordDialog, again_entry);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
}

static void
ward_gui_key_password_dialog_init (WardGuiKeyPasswordDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_key_password_dialog_present (GtkWidget *widget, WardGuiKeys *keys, WardGuiKey *key)
{
  WardGuiKeyPasswordDialog *self = g_object_new (WARD_GUI_TYPE_KEY_PASSWORD_DIALOG, NULL);

  self->keys = g_object_ref (keys);
  self->key = g_object_ref (key);
  on_changed (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
