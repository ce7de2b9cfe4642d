/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-client-auth.h"
#include "ward-gui-chip.h"
#include "ward-gui-dialog.h"

#define WARD_GUI_TYPE_OWN_DIALOG (ward_gui_own_dialog_get_type ())

/* Guides through setting auth values: what each protects, what would stop working by it, and then either values of the
 * person's own or such that are made here, which are kept on a sheet before they are set. */
G_DECLARE_FINAL_TYPE (WardGuiOwnDialog, ward_gui_own_dialog, WARD_GUI, OWN_DIALOG, WardGuiDialog)

/* To take the TPM into ownership: of those auth values that are not set the person says which. */
WardGuiDialog *ward_gui_own_dialog_new (WardGuiChip *chip);

/* To set this one, in the place of the present one if there is any. */
WardGuiDialog *ward_gui_own_dialog_new_change (WardGuiChip *chip, WardClientAuth auth);
