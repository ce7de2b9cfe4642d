/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The ledger of what depends on a TPM, as PreviewClear and PreviewOwnership give it: aa{sv}. */

/* Prints all entries on standard output, as they come. */
void ward_cli_ledger_print (GVariant *dependents);

/* Prints them in groups by what a clear does to them: lost for good, perhaps lost, not lost. */
void ward_cli_ledger_print_groups (GVariant *dependents);

/* How many things the entries stand for, of those that a clear destroys ("no"), may destroy ("unknown") or does not
 * ("yes"); of all for NULL. One entry may count other users' things. */
guint ward_cli_ledger_count (GVariant *dependents, const char *recoverable);

/* New words: "luks-volume" is "encrypted disk". */
char *ward_cli_ledger_kind (const char *kind);

/* New words without a full stop on what a clear means, such as "2 things are lost for good, 1 may be". */
char *ward_cli_ledger_summary (GVariant *dependents);

/* The first few subjects, for a sentence; a new string. */
char *ward_cli_ledger_names (GVariant *dependents);
