/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-secret-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-file.h"
#include "ward-gui-key-public.h"
#include "ward-gui-notice.h"
#include "ward-gui-verify.h"

/* More bytes has neither what is encrypted to a key itself nor a public key. */
#define FILE_MAX (16 * 1024)

struct _WardGuiKeySecretDialog
{
  WardGuiDialog parent;

  AdwPreferencesGroup *file_group;
  AdwActionRow *file_row, *result_row;
  AdwComboRow *scheme_row;
  GtkWidget *result_group, *copy_button;

  WardGuiChip *chip;
  WardGuiKey *key;
  GFile *file;        /* NULL until it was chosen */
  WardSecret *secret; /* NULL until the TPM has given it */
};

G_DEFINE_FINAL_TYPE (WardGuiKeySecretDialog, ward_gui_key_secret_dialog, WARD_GUI_TYPE_DIALOG)

typedef struct
{
  const char *scheme;
  const char *hash; /* or NULL */
} Scheme;

/* In the order of the row's; a TPM 1.2 knows the last one alone. */
static const Scheme schemes[] = {
  { "oaep", "sha256" },
  { "oaep", "sha1" },
  { "rsaes", NULL },
};

#define PKCS1 (G_N_ELEMENTS (schemes) - 1)

static gboolean
agrees (WardGuiKeySecretDialog *self)
{
  return ward_gui_key_has_usage (self->key, "agree");
}

static void
finish (WardGuiKeySecretDialog *self, const GError *error)
{
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
}

/* Text can go to the clipboard, other bytes only to a file. */
static gboolean
is_text (WardSecret *secret)
{
  const char *data = (const char *)ward_secret_get_data (secret);
  gsize size = ward_secret_get_size (secret);

  if (size == 0 || !g_utf8_validate_len (data, size, NULL))
    return FALSE;
  for (gsize i = 0; i < size; i++)
    if (g_ascii_iscntrl (data[i]) && !g_ascii_isspace (data[i]))
      return FALSE;
  return TRUE;
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardGuiCall *call = WARD_GUI_CALL (source);
  g_autoptr (WardGuiKeySecretDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (call, result, &error);
  WardSecret *secret = ward_gui_call_get_output (call);
  g_autofree char *size = NULL;

  finish (self, error);
  if (reply == NULL || secret == NULL)
    return;
  self->secret = ward_secret_ref (secret);
  size = g_strdup_printf (ngettext ("%lu byte", "%lu bytes", (gulong)ward_secret_get_size (secret)),
                          (gulong)ward_secret_get_size (secret));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->result_row),
                                 agrees (self) ? _ ("The Shared Secret") : _ ("Decrypted"));
  adw_action_row_set_subtitle (self->result_row, size);
  gtk_widget_set_visible (self->copy_button, is_text (secret));
  gtk_widget_show (self->result_group);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), FALSE);
  ward_gui_dialog_fit (WARD_GUI_DIALOG (self));
}

static void
call (WardGuiKeySecretDialog *self, GBytes *input)
{
  g_autofree char *title = g_strdup_printf (_ ("Password of “%s”"), ward_gui_key_get_label (self->key));
  const WardGuiAuth auth = {
    .option = "auth",
    .title = title,
    .ask_first = ward_gui_key_has_auth (self->key),
    .by_srk = TRUE,
  };
  const Scheme *scheme = &schemes[MIN (adw_combo_row_get_selected (self->scheme_row), PKCS1)];
  g_autoptr (WardGuiCall) gui_call = ward_gui_call_new (
      GTK_WIDGET (self), ward_gui_key_get_proxy (self->key, self->chip), agrees (self) ? "Agree" : "Decrypt",
      g_variant_new ("(s@ay)", ward_gui_key_get_id (self->key),
                     g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, input, TRUE)),
      agrees (self) ? _ ("Agreeing on a secret…") : _ ("Decrypting…"));

  if (!agrees (self))
    ward_gui_call_set_option (gui_call, "scheme", g_variant_new_string (scheme->scheme));
  if (!agrees (self) && scheme->hash != NULL)
    ward_gui_call_set_option (gui_call, "hash", g_variant_new_string (scheme->hash));
  ward_gui_call_set_takes_output (gui_call);
  ward_gui_auth_call_async (gui_call, self->chip, &auth, on_done, g_object_ref (self));
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeySecretDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = ward_gui_file_read_finish (result, &error);
  g_autoptr (GBytes) input = NULL;

  if (data == NULL)
    {
      finish (self, error);
      return;
    }
  input = g_bytes_new (ward_secret_get_data (data), ward_secret_get_size (data));
  if (agrees (self))
    {
      g_autoptr (GBytes) pem = g_steal_pointer (&input);

      input = ward_gui_public_key_read (pem);
    }
  if (input != NULL)
    {
      call (self, input);
      return;
    }
  g_set_error_literal (&error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT,
                       _ ("The file has no public key. Ask the other side for it in the format PEM."));
  finish (self, error);
}

static void
on_apply (WardGuiDialog *dialog)
{
  WardGuiKeySecretDialog *self = WARD_GUI_KEY_SECRET_DIALOG (dialog);

  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_file_read_async (self->file, FILE_MAX, NULL, on_read, g_object_ref (self));
}

/* With another input what was got before is out of date. */
static void
reset (WardGuiKeySecretDialog *self)
{
  g_clear_pointer (&self->secret, ward_secret_unref);
  gtk_widget_hide (self->result_group);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), NULL);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), self->file != NULL);
}

static void
on_file_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardGuiKeySecretDialog *self = WARD_GUI_KEY_SECRET_DIALOG (source);
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, NULL);
  g_autofree char *name = NULL;
  g_autofree char *escaped = NULL;

  if (file == NULL)
    return;
  g_set_object (&self->file, file);
  name = g_file_get_parse_name (file);
  escaped = g_markup_escape_text (name, -1);
  adw_action_row_set_subtitle (self->file_row, escaped);
  reset (self);
}

static void
on_choose_clicked (WardGuiKeySecretDialog *self)
{
  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("Choose a File"), NULL,
                              on_file_chosen, NULL);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeySecretDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_file_get_basename (G_FILE (source));
  g_autofree char *text = g_strdup_printf (_ ("Saved to “%s”, for you alone"), name);

  if (ward_gui_file_write_finish (result, &error))
    ward_gui_notice_toast (GTK_WIDGET (self), text);
  else
    finish (self, error);
}

static void
on_place_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardGuiKeySecretDialog *self = WARD_GUI_KEY_SECRET_DIALOG (source);
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, NULL);
  g_autoptr (GBytes) bytes = NULL;

  if (file == NULL || self->secret == NULL)
    return;
  /* no copy, which would not be wiped */
  bytes = g_bytes_new_with_free_func (ward_secret_get_data (self->secret), ward_secret_get_size (self->secret),
                                      (GDestroyNotify)ward_secret_unref, ward_secret_ref (self->secret));
  ward_gui_file_write_async (file, bytes, TRUE, NULL, on_written, g_object_ref (self));
}

static void
on_save_clicked (WardGuiKeySecretDialog *self)
{
  g_autofree char *name = g_file_get_basename (self->file);
  g_autofree char *suggested = g_strconcat (name, agrees (self) ? ".secret" : ".decrypted", NULL);

  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("Save the Secret"), suggested,
                              on_place_chosen, NULL);
}

static void
on_copy_clicked (WardGuiKeySecretDialog *self)
{
  g_autofree char *text = g_strndup ((const char *)ward_secret_get_data (self->secret),
                                     ward_secret_get_size (self->secret));

  ward_gui_notice_copy (GTK_WIDGET (self), text, _ ("The text was copied"));
  explicit_bzero (text, strlen (text));
}

static void
ward_gui_key_secret_dialog_dispose (GObject *object)
{
  WardGuiKeySecretDialog *self = WARD_GUI_KEY_SECRET_DIALOG (object);

  g_clear_object (&self->chip);
  g_clear_object (&self->key);
  g_clear_object (&self->file);
  g_clear_pointer (&self->secret, ward_secret_unref);
  G_OBJECT_CLASS (ward_gui_key_secret_dialog_parent_class)->dispose (object);
}

static void
ward_gui_key_secret_dialog_class_init (WardGuiKeySecretDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_secret_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = on_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-secret-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeySecretDialog, file_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeySecretDialog, file_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeySecretDialog, scheme_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeySecretDialog, result_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeySecretDialog, result_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeySecretDialog, copy_button);
  gtk_widget_class_bind_template_callback (widget_class, reset);
  gtk_widget_class_bind_template_callback (widget_class, on_choose_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_save_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_clicked);
}

static void
ward_gui_key_secret_dialog_init (WardGuiKeySecretDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_key_secret_dialog_present (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key)
{
  WardGuiKeySecretDialog *self = g_object_new (WARD_GUI_TYPE_KEY_SECRET_DIALOG, NULL);

  self->chip = g_object_ref (chip);
  self->key = g_object_ref (key);
  if (agrees (self))
    {
      g_object_set (self, "title", _ ("Agree on a Secret"), "apply-label", _ ("_Agree"), NULL);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->file_row), _ ("The Other Side’s Public Key"));
      adw_preferences_group_set_description (
          self->file_group, _ ("With the other side’s public key the TPM makes a secret that only you and the other "
                               "side can make (ECDH). It is no key yet: programs derive one from it."));
    }
  if (ward_gui_chip_is_tpm12 (chip))
    adw_combo_row_set_selected (self->scheme_row, PKCS1);
  gtk_widget_set_visible (GTK_WIDGET (self->scheme_row), !agrees (self) && !ward_gui_chip_is_tpm12 (chip));
  reset (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
