/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-findings.h"

#define WARD_GUI_TYPE_FINDING_ROW (ward_gui_finding_row_get_type ())

/* A finding of the doctor's: what, how bad, and why, with its repair behind a button. After a repair the findings are
 * loaded again. */
G_DECLARE_FINAL_TYPE (WardGuiFindingRow, ward_gui_finding_row, WARD_GUI, FINDING_ROW, AdwActionRow)

GtkWidget *ward_gui_finding_row_new (WardGuiFindings *findings, WardGuiFinding *finding);
