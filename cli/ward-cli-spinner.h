/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A line on standard error that tells how long something takes, while the main loop turns. What ends soon shows none,
 * as it would only flicker, and nor does anything where standard error is no terminal. */
typedef struct _WardCliSpinner WardCliSpinner;

/* Whether what is waited for is under way: until then a password may be asked for on the same line. */
typedef gboolean (*WardCliSpinnerCheck) (gpointer user_data);

/* text is what happens, such as "The TPM tests itself"; check may be NULL. NULL where nothing can be shown. */
WardCliSpinner *ward_cli_spinner_new (const char *text, WardCliSpinnerCheck check, gpointer user_data);

/* Leaves the line empty. spinner may be NULL. */
void ward_cli_spinner_free (WardCliSpinner *spinner);
