/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-key-import.h"
#include "ward-worker.h"

/* Reads private keys on another thread, one at a time: to undo their encryption may take a second, for which neither
 * the main thread nor a TPM's shall be held up. Callers take turns, as at the TPM. Lives on the main thread. */
#define WARD_TYPE_KEY_PARSER (ward_key_parser_get_type ())
G_DECLARE_FINAL_TYPE (WardKeyParser, ward_key_parser, WARD, KEY_PARSER, GObject)

WardKeyParser *ward_key_parser_new (void);

/* data, passphrase: as ward_key_import_parse () takes them. ticket: lives until the callback. */
void ward_key_parser_run_async (WardKeyParser *parser, const WardTicket *ticket, WardSecret *data,
                                WardSecret *passphrase, GAsyncReadyCallback callback, gpointer user_data);
/* Fails as ward_key_import_parse (), and with WARD_ERROR_CANCELLED. */
WardKeyImport *ward_key_parser_run_finish (WardKeyParser *parser, GAsyncResult *result, GError **error);

/* Drops what was begun by that ticket: it fails with WARD_ERROR_CANCELLED. FALSE when there is no such. */
gboolean ward_key_parser_withdraw (WardKeyParser *parser, const WardTicket *ticket);
