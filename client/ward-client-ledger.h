/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The ledger of what depends on a TPM, as PreviewClear and PreviewOwnership give it: aa{sv}. */

/* What a clear does to an entry, in the order in which they are shown. */
typedef enum
{
  WARD_CLIENT_LEDGER_LOST,
  WARD_CLIENT_LEDGER_PERHAPS, /* also what is not understood */
  WARD_CLIENT_LEDGER_KEPT,
  WARD_CLIENT_LEDGER_N_FATES,
} WardClientLedgerFate;

/* A headline for all entries of that fate. */
const char *ward_client_ledger_title (WardClientLedgerFate fate);

WardClientLedgerFate ward_client_ledger_fate (GVariant *dependent);

/* What stands behind an entry's subject: what it is, whose, and whether that is sure. New words. */
char *ward_client_ledger_describe (GVariant *dependent);

/* How many things an entry stands for: one may count other users' things. */
guint ward_client_ledger_weight (GVariant *dependent);

/* How many the entries stand for: of one fate, or with WARD_CLIENT_LEDGER_N_FATES of all. */
guint ward_client_ledger_count (GVariant *dependents, WardClientLedgerFate fate);

/* New words: "luks-volume" is "encrypted disk". */
char *ward_client_ledger_kind (const char *kind);

/* New words without a full stop on what a clear means, such as "2 lost for good, 1 perhaps lost, 0 not lost". */
char *ward_client_ledger_summary (GVariant *dependents);

/* The first few subjects, for a sentence; a new string. */
char *ward_client_ledger_names (GVariant *dependents);

/* Of what PreviewOwnership lists, what an auth of these hierarchies stops, or may stop; a new aa{sv}. */
GVariant *ward_client_ledger_select_breaking (GVariant *dependents, gboolean owner, gboolean endorsement);
