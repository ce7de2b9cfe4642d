/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "ward-secret.h"

/* Auth values that are made here, and the sheet of paper that they are kept on. */

/* Letters and digits that are not taken for each other, also in handwriting, and are where they are on most keyboards.
 */
#define WARD_CLI_GENERATE_ALPHABET "23456789abcdefghjkmnpqrtvwx"

/* Groups of letters, with dashes between them, which are part of the value: 133 bits of the system's randomness. */
#define WARD_CLI_GENERATE_N_GROUPS 4
#define WARD_CLI_GENERATE_GROUP_SIZE 7
#define WARD_CLI_GENERATE_SIZE (WARD_CLI_GENERATE_N_GROUPS * (WARD_CLI_GENERATE_GROUP_SIZE + 1) - 1)

/* A new auth value of WARD_CLI_GENERATE_SIZE bytes. NULL with WARD_CLIENT_ERROR_FAILED. */
WardSecret *ward_cli_generate (GError **error);

/* One auth value on the sheet; nothing is owned. */
typedef struct
{
  const char *name;     /* "lockout" */
  const char *protects; /* sentences */
  WardSecret *secret;
} WardCliSheetEntry;

/* Whose they are; nothing is owned. */
typedef struct
{
  const char *tpm_name;
  const char *tpm_model; /* maker, model and firmware */
  const char *machine;
  gint64 made; /* microseconds since the epoch */
} WardCliSheet;

/* Print the sheet on standard output, for people or as one JSON object. The secrets pass through no buffer that is not
 * wiped, and what was printed to a file is on disk afterwards. FALSE with WARD_CLIENT_ERROR_FAILED if not all could be
 * written. */
gboolean ward_cli_sheet_print (const WardCliSheet *sheet, const WardCliSheetEntry *entries, guint n_entries,
                               GError **error);
gboolean ward_cli_sheet_print_json (const WardCliSheet *sheet, const WardCliSheetEntry *entries, guint n_entries,
                                    GError **error);
