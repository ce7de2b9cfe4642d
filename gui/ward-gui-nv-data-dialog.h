/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-nv-item.h"

#define WARD_GUI_TYPE_NV_DATA_DIALOG (ward_gui_nv_data_dialog_get_type ())

/* What an NV index holds, in hexadecimal digits and as text, to look at and to save. */
G_DECLARE_FINAL_TYPE (WardGuiNvDataDialog, ward_gui_nv_data_dialog, WARD_GUI, NV_DATA_DIALOG, WardGuiDialog)

/* Shows it over the window that widget is in. */
void ward_gui_nv_data_dialog_present (GtkWidget *widget, WardGuiNvItem *item, WardSecret *data);

/* Writes the data to the file, which only its owner may read. */
void ward_gui_nv_data_dialog_save (WardGuiNvDataDialog *dialog, GFile *file);
