/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-client-sheet.h"

/* Print the sheet on standard output, for people or as one JSON object. The secrets pass through no buffer that is not
 * wiped, and what was printed to a file is on disk afterwards. FALSE with WARD_CLIENT_ERROR_FAILED if not all could be
 * written. */
gboolean ward_cli_sheet_print (const WardClientSheet *sheet, const WardClientSheetEntry *entries, guint n_entries,
                               GError **error);
gboolean ward_cli_sheet_print_json (const WardClientSheet *sheet, const WardClientSheetEntry *entries, guint n_entries,
                                    GError **error);
