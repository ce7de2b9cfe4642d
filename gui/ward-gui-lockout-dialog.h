/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-chip.h"
#include "ward-gui-dialog.h"

#define WARD_GUI_TYPE_LOCKOUT_DIALOG (ward_gui_lockout_dialog_get_type ())

/* The rules of the protection against guessing. */
G_DECLARE_FINAL_TYPE (WardGuiLockoutDialog, ward_gui_lockout_dialog, WARD_GUI, LOCKOUT_DIALOG, WardGuiDialog)

WardGuiDialog *ward_gui_lockout_dialog_new (WardGuiChip *chip);
