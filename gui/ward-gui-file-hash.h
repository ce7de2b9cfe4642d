/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* How far a file has been read, from 0 to 1; called in the main context, now and then. */
typedef void (*WardGuiFileProgress) (double fraction, gpointer user_data);

/* Hashes a file of any size, on a thread. Fails with G_IO_ERROR. progress is called with user_data, too. */
void ward_gui_file_hash_async (GFile *file, GChecksumType type, GCancellable *cancellable, WardGuiFileProgress progress,
                               GAsyncReadyCallback callback, gpointer user_data);

/* The digest; a new reference. */
GBytes *ward_gui_file_hash_finish (GAsyncResult *result, GError **error);
