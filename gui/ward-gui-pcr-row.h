/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#define WARD_GUI_TYPE_PCR_ROW (ward_gui_pcr_row_get_type ())

/* One register: what it is for and its value, all of which and what it means are shown when it is unfolded. */
G_DECLARE_FINAL_TYPE (WardGuiPcrRow, ward_gui_pcr_row, WARD_GUI, PCR_ROW, AdwExpanderRow)

WardGuiPcrRow *ward_gui_pcr_row_new (guint32 index);

/* NULL while it is not known. */
void ward_gui_pcr_row_set_value (WardGuiPcrRow *row, GBytes *value);
