/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-file-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-file-hash.h"
#include "ward-gui-file.h"
#include "ward-gui-key-public.h"
#include "ward-gui-notice.h"
#include "ward-gui-verify.h"

/* More bytes no signature has, also in base64. */
#define SIGNATURE_MAX 4096

struct _WardGuiKeyFileDialog
{
  WardGuiDialog parent;

  AdwActionRow *file_row, *result_row, *command_row;
  AdwComboRow *hash_row, *scheme_row;
  GtkWidget *buttons, *result_group, *base64_button;
  GtkProgressBar *progress_bar;
  GtkImage *result_icon;

  WardGuiChip *chip;
  WardGuiKey *key;
  GFile *file;      /* NULL until it was chosen */
  GBytes *digest;   /* of the file, for what goes on */
  GBytes *made;     /* the signature that was made, or NULL */
  GFile *signature; /* to be written, or to be verified */
  gboolean verifies;
  char *command;             /* that verifies what was signed */
  GCancellable *cancellable; /* ends with the dialog */
};

G_DEFINE_FINAL_TYPE (WardGuiKeyFileDialog, ward_gui_key_file_dialog, WARD_GUI_TYPE_DIALOG)

typedef struct
{
  const char *name; /* the service's and OpenSSL's */
  GChecksumType type;
} Hash;

static const Hash hashes[] = {
  { "sha256", G_CHECKSUM_SHA256 },
  { "sha384", G_CHECKSUM_SHA384 },
  { "sha512", G_CHECKSUM_SHA512 },
};

static const Hash *
get_hash (WardGuiKeyFileDialog *self)
{
  return &hashes[MIN (adw_combo_row_get_selected (self->hash_row), G_N_ELEMENTS (hashes) - 1)];
}

static const char *
get_scheme (WardGuiKeyFileDialog *self)
{
  if (!ward_gui_key_is_rsa (self->key))
    return "ecdsa";
  return adw_combo_row_get_selected (self->scheme_row) == 1 ? "rsapss" : "rsassa";
}

static void
finish (WardGuiKeyFileDialog *self, const GError *error)
{
  gtk_widget_hide (GTK_WIDGET (self->progress_bar));
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
}

static void
show_result (WardGuiKeyFileDialog *self, gboolean is_good, const char *title, const char *subtitle)
{
  g_autofree char *escaped = g_markup_escape_text (subtitle, -1);

  finish (self, NULL);
  gtk_image_set_from_icon_name (self->result_icon, is_good ? "emblem-ok-symbolic" : "dialog-error-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (self->result_icon), is_good ? "error" : "success");
  gtk_widget_add_css_class (GTK_WIDGET (self->result_icon), is_good ? "success" : "error");
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->result_row), title);
  adw_action_row_set_subtitle (self->result_row, escaped);
  gtk_widget_set_visible (GTK_WIDGET (self->command_row), self->command != NULL);
  gtk_widget_set_visible (self->base64_button, self->made != NULL);
  gtk_widget_show (self->result_group);
  ward_gui_dialog_fit (WARD_GUI_DIALOG (self));
}

/* For whoever has the public key. */
static char *
make_command (WardGuiKeyFileDialog *self, GFile *signature)
{
  g_autofree char *pem = ward_gui_key_public_make_name (self->key, ".pem");
  g_autofree char *quoted_pem = g_shell_quote (pem);
  g_autofree char *name = g_file_get_basename (self->file);
  g_autofree char *quoted_name = g_shell_quote (name);
  g_autofree char *signature_name = g_file_get_basename (signature);
  g_autofree char *quoted_signature = g_shell_quote (signature_name);
  gboolean is_pss = g_str_equal (get_scheme (self), "rsapss");

  return g_strdup_printf ("openssl dgst -%s -verify %s %s-signature %s %s", get_hash (self)->name, quoted_pem,
                          is_pss ? "-sigopt rsa_padding_mode:pss " : "", quoted_signature, quoted_name);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyFileDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_file_get_parse_name (G_FILE (source));
  g_autofree char *escaped = NULL;

  if (!ward_gui_file_write_finish (result, &error))
    {
      finish (self, error);
      return;
    }
  self->command = make_command (self, G_FILE (source));
  escaped = g_markup_escape_text (self->command, -1);
  adw_action_row_set_subtitle (self->command_row, escaped);
  show_result (self, TRUE, _ ("Signed"), name);
}

static void
on_signed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyFileDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  g_autoptr (GVariant) bytes_of_reply = NULL;
  g_autoptr (GBytes) signature = NULL;

  if (reply == NULL)
    {
      finish (self, error);
      return;
    }
  bytes_of_reply = g_variant_get_child_value (reply, 0);
  signature = g_variant_get_data_as_bytes (bytes_of_reply);
  self->made = g_bytes_ref (signature);
  ward_gui_file_write_async (self->signature, signature, FALSE, NULL, on_written, g_object_ref (self));
}

static void
sign (WardGuiKeyFileDialog *self)
{
  g_autofree char *title = g_strdup_printf (_ ("Password of “%s”"), ward_gui_key_get_label (self->key));
  const WardGuiAuth auth = {
    .option = "auth",
    .title = title,
    .ask_first = ward_gui_key_has_auth (self->key),
    .by_srk = TRUE,
  };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (
      GTK_WIDGET (self), ward_gui_key_get_proxy (self->key, self->chip), "Sign",
      g_variant_new ("(ss@ay)", ward_gui_key_get_id (self->key), get_hash (self)->name,
                     g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, self->digest, TRUE)),
      _ ("Signing…"));

  ward_gui_call_set_option (call, "scheme", g_variant_new_string (get_scheme (self)));
  ward_gui_auth_call_async (call, self->chip, &auth, on_signed, g_object_ref (self));
}

/* Bytes as they are, or in base64. */
static gboolean
is_signature (WardGuiKeyFileDialog *self, GBytes *public, WardSecret *data)
{
  g_autoptr (GBytes) raw = g_bytes_new (ward_secret_get_data (data), ward_secret_get_size (data));
  g_autofree char *text = g_strndup ((const char *)ward_secret_get_data (data), ward_secret_get_size (data));
  gsize size = 0;
  guchar *decoded = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (ward_gui_verify (public, get_scheme (self), get_hash (self)->name, self->digest, raw))
    return TRUE;
  decoded = g_base64_decode (text, &size);
  bytes = g_bytes_new_take (decoded, size);
  return ward_gui_verify (public, get_scheme (self), get_hash (self)->name, self->digest, bytes);
}

static void
on_signature_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyFileDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = ward_gui_file_read_finish (result, &error);
  g_autoptr (GVariant) public_key = g_variant_lookup_value (ward_gui_key_get_description (self->key), "public-key",
                                                            G_VARIANT_TYPE_BYTESTRING);
  g_autoptr (GBytes) public = NULL;

  if (data == NULL || public_key == NULL)
    {
      finish (self, error);
      return;
    }
  public = g_variant_get_data_as_bytes (public_key);
  if (is_signature (self, public, data))
    show_result (self, TRUE, _ ("The Signature Is Good"),
                 _ ("It was made with this key, for this very file, which nobody has changed since."));
  else
    show_result (
        self, FALSE, _ ("The Signature Is Not Good"),
        _ ("It was made for another file, with another key, or in another way (see “How It Is Signed”), or the "
           "file was changed. Do not trust it."));
}

static void
on_hashed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeyFileDialog) self = user_data;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->digest, g_bytes_unref);
  self->digest = ward_gui_file_hash_finish (result, &error);
  gtk_widget_hide (GTK_WIDGET (self->progress_bar));
  if (self->digest == NULL)
    finish (self, error);
  else if (self->verifies)
    ward_gui_file_read_async (self->signature, SIGNATURE_MAX, NULL, on_signature_read, g_object_ref (self));
  else
    sign (self);
}

static void
on_progress (double fraction, gpointer user_data)
{
  gtk_progress_bar_set_fraction (WARD_GUI_KEY_FILE_DIALOG (user_data)->progress_bar, fraction);
}

/* Both begin with the file's digest. */
static void
begin (WardGuiKeyFileDialog *self, GFile *signature, gboolean verifies)
{
  g_set_object (&self->signature, signature);
  self->verifies = verifies;
  g_clear_pointer (&self->command, g_free);
  g_clear_pointer (&self->made, g_bytes_unref);
  gtk_widget_hide (self->result_group);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), NULL);
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), TRUE);
  gtk_progress_bar_set_fraction (self->progress_bar, 0);
  gtk_widget_show (GTK_WIDGET (self->progress_bar));
  ward_gui_file_hash_async (self->file, get_hash (self)->type, self->cancellable, on_progress, on_hashed,
                            g_object_ref (self));
}

static void
on_place_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, NULL);

  if (file != NULL)
    begin (WARD_GUI_KEY_FILE_DIALOG (source), file, FALSE);
}

static void
on_signature_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, NULL);

  if (file != NULL)
    begin (WARD_GUI_KEY_FILE_DIALOG (source), file, TRUE);
}

static void
on_sign_clicked (WardGuiKeyFileDialog *self)
{
  g_autofree char *name = g_file_get_basename (self->file);
  g_autofree char *suggested = g_strconcat (name, ".sig", NULL);

  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("Save the Signature"), suggested,
                              on_place_chosen, NULL);
}

static void
on_verify_clicked (WardGuiKeyFileDialog *self)
{
  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("Choose the Signature"), NULL,
                              on_signature_chosen, NULL);
}

static void
on_file_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardGuiKeyFileDialog *self = WARD_GUI_KEY_FILE_DIALOG (source);
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, NULL);
  g_autofree char *name = NULL;
  g_autofree char *escaped = NULL;

  if (file == NULL)
    return;
  g_set_object (&self->file, file);
  name = g_file_get_parse_name (file);
  escaped = g_markup_escape_text (name, -1);
  adw_action_row_set_subtitle (self->file_row, escaped);
  gtk_widget_set_sensitive (self->buttons, TRUE);
  gtk_widget_hide (self->result_group);
}

static void
on_choose_clicked (WardGuiKeyFileDialog *self)
{
  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("Choose a File"), NULL,
                              on_file_chosen, NULL);
}

static void
on_copy_clicked (WardGuiKeyFileDialog *self)
{
  ward_gui_notice_copy (GTK_WIDGET (self), self->command, _ ("Command copied"));
}

static void
on_base64_clicked (WardGuiKeyFileDialog *self)
{
  g_autofree char *text = g_base64_encode (g_bytes_get_data (self->made, NULL), g_bytes_get_size (self->made));

  ward_gui_notice_copy (GTK_WIDGET (self), text, _ ("Signature copied"));
}

static void
ward_gui_key_file_dialog_dispose (GObject *object)
{
  WardGuiKeyFileDialog *self = WARD_GUI_KEY_FILE_DIALOG (object);

  g_clear_object (&self->chip);
  g_clear_object (&self->key);
  g_clear_object (&self->file);
  g_clear_object (&self->signature);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->digest, g_bytes_unref);
  g_clear_pointer (&self->made, g_bytes_unref);
  g_clear_pointer (&self->command, g_free);
  G_OBJECT_CLASS (ward_gui_key_file_dialog_parent_class)->dispose (object);
}

/* Nobody waits for the file any more. */
static gboolean
ward_gui_key_file_dialog_close_request (GtkWindow *window)
{
  g_cancellable_cancel (WARD_GUI_KEY_FILE_DIALOG (window)->cancellable);
  return GTK_WINDOW_CLASS (ward_gui_key_file_dialog_parent_class)->close_request (window);
}

static void
bind_handlers (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_callback (widget_class, on_choose_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_sign_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_verify_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_base64_clicked);
}

static void
ward_gui_key_file_dialog_class_init (WardGuiKeyFileDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_key_file_dialog_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = ward_gui_key_file_dialog_close_request;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-file-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, file_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, hash_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, scheme_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, buttons);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, progress_bar);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, result_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, result_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, result_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, command_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyFileDialog, base64_button);
  bind_handlers (widget_class);
}

static void
ward_gui_key_file_dialog_init (WardGuiKeyFileDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
}

void
ward_gui_key_file_dialog_present (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key)
{
  WardGuiKeyFileDialog *self = g_object_new (WARD_GUI_TYPE_KEY_FILE_DIALOG, NULL);

  self->chip = g_object_ref (chip);
  self->key = g_object_ref (key);
  gtk_widget_set_visible (GTK_WIDGET (self->scheme_row), ward_gui_key_is_rsa (key) && !ward_gui_chip_is_tpm12 (chip));
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
