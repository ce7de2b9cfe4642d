/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-nv-list.h"

#define WARD_GUI_TYPE_NV_DEFINE_DIALOG (ward_gui_nv_define_dialog_get_type ())

/* Defines a new NV index: its number, size, and who may read and write it, in plain words. */
G_DECLARE_FINAL_TYPE (WardGuiNvDefineDialog, ward_gui_nv_define_dialog, WARD_GUI, NV_DEFINE_DIALOG, WardGuiDialog)

/* Shows it over the window that widget is in; the list, which must be loaded, is loaded again afterwards. max_size is
 * what the TPM takes, in bytes; 0 if that is not known. */
void ward_gui_nv_define_dialog_present (GtkWidget *widget, WardGuiNvList *list, guint32 max_size);
