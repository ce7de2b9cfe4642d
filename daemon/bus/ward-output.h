/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-secret.h"

/* How long a pipe may take nothing before it is given up, in milliseconds. */
#define WARD_OUTPUT_PATIENCE 30000

/* Writes the secret to a caller's descriptor, a memfd, a pipe or a file as ward_options_new () lets through, and closes
 * it. On a thread of its own: a pipe that nobody reads blocks, and whoever has a memfd can make writing to it take as
 * long as they like. Such a caller hangs their own call, which counts among those that one user may have. fd: taken
 * over. source: whose operation it is, or NULL. patience: WARD_OUTPUT_PATIENCE. */
void ward_output_write_async (GObject *source, int fd, WardSecret *secret, int patience, GAsyncReadyCallback callback,
                              gpointer user_data);

/* Fails with WARD_ERROR_FAILED when the descriptor did not take all. */
gboolean ward_output_write_finish (GAsyncResult *result, GError **error);
