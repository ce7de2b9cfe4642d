/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-chip.h"
#include "ward-gui-dialog.h"

#define WARD_GUI_TYPE_CLEAR_DIALOG (ward_gui_clear_dialog_get_type ())

/* Clears the TPM, after it has shown what is lost by that and the person has typed the TPM's name. */
G_DECLARE_FINAL_TYPE (WardGuiClearDialog, ward_gui_clear_dialog, WARD_GUI, CLEAR_DIALOG, WardGuiDialog)

WardGuiDialog *ward_gui_clear_dialog_new (WardGuiChip *chip);
