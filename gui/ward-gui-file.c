/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-file.h"

#include <glib/gi18n.h>

#include "ward-client-error.h"

static void
on_response (GtkNativeDialog *dialog, int response, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GFile) file = NULL;

  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (file != NULL)
    g_task_return_pointer (task, g_steal_pointer (&file), g_object_unref);
  else
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "%s", _ ("No file was chosen."));
  gtk_native_dialog_destroy (dialog);
  g_object_unref (dialog);
}

void
ward_gui_file_choose_async (GtkWidget *widget, GtkFileChooserAction action, const char *title,
                            const char *suggested_name, GAsyncReadyCallback callback, gpointer user_data)
{
  GtkRoot *root = gtk_widget_get_root (widget);
  GtkFileChooserNative *dialog = gtk_file_chooser_native_new (title, GTK_IS_WINDOW (root) ? GTK_WINDOW (root) : NULL,
                                                              action, NULL, NULL);

  if (suggested_name != NULL)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), suggested_name);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect (dialog, "response", G_CALLBACK (on_response), g_task_new (widget, NULL, callback, user_data));
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

GFile *
ward_gui_file_choose_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static WardSecret *
read_file (GFile *file, gsize max_size, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, error);
  g_autoptr (WardSecret) buffer = NULL;
  gsize size = 0;

  if (stream == NULL)
    return NULL;
  buffer = ward_secret_new (max_size + 1);
  if (!g_input_stream_read_all (G_INPUT_STREAM (stream), ward_secret_get_data (buffer), max_size + 1, &size,
                                cancellable, error))
    return NULL;
  if (size <= max_size)
    return ward_secret_new_from (ward_secret_get_data (buffer), size);
  g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT,
               _ ("The file is too large: more than %u bytes cannot be meant. Choose another one."), (guint)max_size);
  return NULL;
}

static void
read_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const gsize *max_size = data;
  GError *error = NULL;
  WardSecret *secret = read_file (source, *max_size, cancellable, &error);

  if (secret != NULL)
    g_task_return_pointer (task, secret, (GDestroyNotify)ward_secret_unref);
  else
    g_task_return_error (task, error);
}

void
ward_gui_file_read_async (GFile *file, gsize max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (file, cancellable, callback, user_data);

  g_task_set_task_data (task, g_memdup2 (&max_size, sizeof max_size), g_free);
  g_task_run_in_thread (task, read_in_thread);
}

WardSecret *
ward_gui_file_read_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
on_replaced (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (g_file_replace_contents_finish (G_FILE (source), result, NULL, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
ward_gui_file_write_async (GFile *file, GBytes *bytes, gboolean is_private, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  /* a file that was there keeps nothing of its own, such as permissions by which others could read it */
  GFileCreateFlags flags = is_private ? G_FILE_CREATE_PRIVATE | G_FILE_CREATE_REPLACE_DESTINATION : G_FILE_CREATE_NONE;

  g_file_replace_contents_bytes_async (file, bytes, NULL, FALSE, flags, cancellable, on_replaced,
                                       g_task_new (file, cancellable, callback, user_data));
}

gboolean
ward_gui_file_write_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
