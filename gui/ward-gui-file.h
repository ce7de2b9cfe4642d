/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-secret.h"

/* Files that a person chooses. Nothing here blocks. */

/* Asks for a file to open or to save, in the desktop's own dialog over widget's window. suggested_name is NULL for
 * files to open. Fails with G_IO_ERROR_CANCELLED if the dialog is closed. */
void ward_gui_file_choose_async (GtkWidget *widget, GtkFileChooserAction action, const char *title,
                                 const char *suggested_name, GAsyncReadyCallback callback, gpointer user_data);
GFile *ward_gui_file_choose_finish (GAsyncResult *result, GError **error);

/* The source of the callback is the file. Fails with WARD_CLIENT_ERROR_INVALID_ARGUMENT for a file of more than
 * max_size bytes, and with G_IO_ERROR. */
void ward_gui_file_read_async (GFile *file, gsize max_size, GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
WardSecret *ward_gui_file_read_finish (GAsyncResult *result, GError **error);

/* Takes the place of what was there, at once and whole, or fails with G_IO_ERROR. is_private: nobody but the user may
 * read the file. bytes are not copied. */
void ward_gui_file_write_async (GFile *file, GBytes *bytes, gboolean is_private, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_gui_file_write_finish (GAsyncResult *result, GError **error);
