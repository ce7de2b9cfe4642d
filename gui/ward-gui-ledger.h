/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#define WARD_GUI_TYPE_LEDGER (ward_gui_ledger_get_type ())

/* What depends on a TPM, as PreviewClear and PreviewOwnership give it (aa{sv}): each with what it is, and why. */
G_DECLARE_FINAL_TYPE (WardGuiLedger, ward_gui_ledger, WARD_GUI, LEDGER, AdwBin)

/* In groups by what a clear does to them: lost for good, perhaps lost, not lost. */
void ward_gui_ledger_show_fates (WardGuiLedger *ledger, GVariant *dependents);

/* In one group of that title, in the order in which they come. */
void ward_gui_ledger_show_list (WardGuiLedger *ledger, GVariant *dependents, const char *title);

void ward_gui_ledger_clear (WardGuiLedger *ledger);
