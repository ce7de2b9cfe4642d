/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-nv-list.h"

#define WARD_GUI_TYPE_NV_UNDEFINE_DIALOG (ward_gui_nv_undefine_dialog_get_type ())

/* Tells what is lost with an NV index, and undefines it; one whose number is reserved only after that was typed in. */
G_DECLARE_FINAL_TYPE (WardGuiNvUndefineDialog, ward_gui_nv_undefine_dialog, WARD_GUI, NV_UNDEFINE_DIALOG, WardGuiDialog)

/* Shows it over the window that widget is in; the list is loaded again afterwards. */
void ward_gui_nv_undefine_dialog_present (GtkWidget *widget, WardGuiNvList *list, WardGuiNvItem *item);
