/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-public.h"

#include <glib/gi18n.h>

#include "ward-gui-file.h"
#include "ward-gui-notice.h"

/* What is to be done with a public key once it is there. */
typedef struct
{
  GtkWidget *widget;
  gboolean is_ssh;
  GFile *file; /* NULL: it goes into the clipboard */
} Errand;

static void
errand_free (gpointer data)
{
  Errand *errand = data;

  g_object_unref (errand->widget);
  g_clear_object (&errand->file);
  g_free (errand);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Errand, errand_free)

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Errand) errand = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_file_get_basename (G_FILE (source));
  g_autofree char *text = g_strdup_printf (_ ("Public key saved as “%s”"), name);

  if (ward_gui_file_write_finish (result, &error))
    ward_gui_notice_toast (errand->widget, text);
  else
    ward_gui_notice_error (errand->widget, _ ("The Public Key Was Not Saved"), error);
}

static void
on_public (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Errand) errand = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);
  g_autoptr (GVariant) child = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;
  GFile *file;
  gsize size;
  const char *data;

  if (reply == NULL)
    {
      ward_gui_notice_error (errand->widget, _ ("The Public Key Cannot Be Had"), error);
      return;
    }
  child = g_variant_get_child_value (reply, 0);
  data = g_variant_get_fixed_array (child, &size, 1);
  if (errand->file == NULL)
    {
      text = g_strndup (data, size);
      ward_gui_notice_copy (errand->widget, text,
                            errand->is_ssh ? _ ("Public key copied, as a line for “authorized_keys”")
                                           : _ ("Public key copied, as PEM"));
      return;
    }
  bytes = g_bytes_new (data, size);
  file = errand->file;
  ward_gui_file_write_async (file, bytes, FALSE, NULL, on_written, g_steal_pointer (&errand));
}

static void
fetch (WardGuiChip *chip, WardGuiKey *key, const char *format, Errand *errand)
{
  ward_client_call_async (ward_gui_key_get_proxy (key, chip), "GetPublicKey",
                          g_variant_new ("(ss)", ward_gui_key_get_id (key), format), NULL, WARD_CLIENT_CALL_NONE, NULL,
                          on_public, errand);
}

void
ward_gui_key_public_copy (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key, const char *format)
{
  Errand *errand = g_new0 (Errand, 1);

  errand->widget = g_object_ref (widget);
  errand->is_ssh = g_str_equal (format, "ssh");
  fetch (chip, key, format, errand);
}

/* What a chooser is open for. */
typedef struct
{
  WardGuiChip *chip;
  WardGuiKey *key;
} Choice;

static void
choice_free (gpointer data)
{
  Choice *choice = data;

  g_object_unref (choice->chip);
  g_object_unref (choice->key);
  g_free (choice);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Choice, choice_free)

static void
on_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Choice) choice = user_data;
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, NULL);
  Errand *errand;

  if (file == NULL)
    return;
  errand = g_new0 (Errand, 1);
  errand->widget = GTK_WIDGET (g_object_ref (source));
  errand->file = g_steal_pointer (&file);
  fetch (choice->chip, choice->key, "pem", errand);
}

char *
ward_gui_key_public_make_name (WardGuiKey *key, const char *ending)
{
  g_autofree char *name = g_strdup (ward_gui_key_get_label (key));

  return g_strconcat (g_strdelimit (name, "/\\", '-'), ending, NULL);
}

void
ward_gui_key_public_save (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key)
{
  Choice *choice = g_new0 (Choice, 1);
  g_autofree char *name = ward_gui_key_public_make_name (key, ".pem");

  choice->chip = g_object_ref (chip);
  choice->key = g_object_ref (key);
  ward_gui_file_choose_async (widget, GTK_FILE_CHOOSER_ACTION_SAVE, _ ("Save the Public Key"), name, on_chosen, choice);
}
