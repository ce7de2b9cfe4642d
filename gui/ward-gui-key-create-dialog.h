/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-keys.h"

#define WARD_GUI_TYPE_KEY_CREATE_DIALOG (ward_gui_key_create_dialog_get_type ())

/* Has the TPM make a key: first what it is for, in plain words, from which the rest follows. */
G_DECLARE_FINAL_TYPE (WardGuiKeyCreateDialog, ward_gui_key_create_dialog, WARD_GUI, KEY_CREATE_DIALOG, WardGuiDialog)

/* Opens it over widget's window, where it also tells of the new key. */
void ward_gui_key_create_dialog_present (GtkWidget *widget, WardGuiKeys *keys);
