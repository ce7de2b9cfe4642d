/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-client-auth.h"
#include "ward-gui-chip.h"
#include "ward-secret.h"

#define WARD_GUI_TYPE_SHEET (ward_gui_sheet_get_type ())

/* The recovery sheet: auth values that were made here, and what keeps them, which is to happen before they are set.
 *
 * Property "kept" (boolean): it was saved or printed, or the person says that it is written down. */
G_DECLARE_FINAL_TYPE (WardGuiSheet, ward_gui_sheet, WARD_GUI, SHEET, AdwBin)

/* secrets: by WardClientAuth, NULL for those that are not on it. */
void ward_gui_sheet_fill (WardGuiSheet *sheet, WardGuiChip *chip, WardSecret *const *secrets);

/* Takes the values off it, and forgets them. */
void ward_gui_sheet_clear (WardGuiSheet *sheet);

gboolean ward_gui_sheet_is_kept (WardGuiSheet *sheet);

/* What prints it, on one page; a new reference. */
GtkPrintOperation *ward_gui_sheet_new_print (WardGuiSheet *sheet);
