/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-nv-list.h"

#define WARD_GUI_TYPE_NV_DIALOG (ward_gui_nv_dialog_get_type ())

/* All that is known of an NV index, and what can be done with it: reading, writing, undefining. Closes when the index
 * is no more. */
G_DECLARE_FINAL_TYPE (WardGuiNvDialog, ward_gui_nv_dialog, WARD_GUI, NV_DIALOG, WardGuiDialog)

/* Shows it over the window that widget is in. */
WardGuiNvDialog *ward_gui_nv_dialog_present (GtkWidget *widget, WardGuiNvList *list, WardGuiNvItem *item);

/* Writes the file's bytes to the index, as far as it takes them, after asking where something is overwritten. */
void ward_gui_nv_dialog_write (WardGuiNvDialog *dialog, GFile *file);
