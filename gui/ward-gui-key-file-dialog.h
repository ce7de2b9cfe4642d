/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-key.h"

#define WARD_GUI_TYPE_KEY_FILE_DIALOG (ward_gui_key_file_dialog_get_type ())

/* Signs a file with a key, or tells whether a signature of a file is the key's. */
G_DECLARE_FINAL_TYPE (WardGuiKeyFileDialog, ward_gui_key_file_dialog, WARD_GUI, KEY_FILE_DIALOG, WardGuiDialog)

void ward_gui_key_file_dialog_present (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key);
