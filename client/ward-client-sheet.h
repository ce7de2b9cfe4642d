/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "ward-secret.h"

/* The sheet of paper that auth values are kept on. */

/* One auth value on it; nothing is owned. */
typedef struct
{
  const char *name;     /* "lockout" */
  const char *title;    /* "The lockout auth" */
  const char *protects; /* sentences */
  WardSecret *secret;
} WardClientSheetEntry;

/* Whose they are; nothing is owned. */
typedef struct
{
  const char *tpm_name;
  const char *tpm_model; /* maker, model and firmware */
  const char *machine;
  gint64 made; /* microseconds since the epoch */
} WardClientSheet;

/* What stands over all, what tells how the values are typed, and how the sheet is kept: sentences. */
const char *ward_client_sheet_title (void);
const char *ward_client_sheet_how_to_type (void);
const char *ward_client_sheet_how_to_keep (void);

/* Whose it is and when it was made, line by line; a new string. */
char *ward_client_sheet_make_head (const WardClientSheet *sheet);

/* The whole sheet as plain text, each paragraph on a line. A new reference. */
WardSecret *ward_client_sheet_to_text (const WardClientSheet *sheet, const WardClientSheetEntry *entries,
                                       guint n_entries);
