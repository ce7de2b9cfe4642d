/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-findings.h"

#define WARD_GUI_TYPE_REPAIR_DIALOG (ward_gui_repair_dialog_get_type ())

/* Tells what a repair does, shows each of its steps before it is done if the person wants that, and does it. */
G_DECLARE_FINAL_TYPE (WardGuiRepairDialog, ward_gui_repair_dialog, WARD_GUI, REPAIR_DIALOG, WardGuiDialog)

/* Opens it over widget's window. The findings are loaded again after a repair. */
void ward_gui_repair_dialog_present (GtkWidget *widget, WardGuiFindings *findings, WardGuiFinding *finding);
