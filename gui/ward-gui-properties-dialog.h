/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-chip.h"
#include "ward-gui-dialog.h"

#define WARD_GUI_TYPE_PROPERTIES_DIALOG (ward_gui_properties_dialog_get_type ())

/* All that a TPM tells of itself, by the specification's names, to copy. */
G_DECLARE_FINAL_TYPE (WardGuiPropertiesDialog, ward_gui_properties_dialog, WARD_GUI, PROPERTIES_DIALOG, WardGuiDialog)

/* Shows it over widget's window. */
void ward_gui_properties_dialog_present (GtkWidget *widget, WardGuiChip *chip);
