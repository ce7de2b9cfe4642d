/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-keys.h"

#define WARD_GUI_TYPE_KEY_IMPORT_DIALOG (ward_gui_key_import_dialog_get_type ())

/* Takes a private key from a file into the TPM. */
G_DECLARE_FINAL_TYPE (WardGuiKeyImportDialog, ward_gui_key_import_dialog, WARD_GUI, KEY_IMPORT_DIALOG, WardGuiDialog)

/* Opens it over widget's window, for that file. */
void ward_gui_key_import_dialog_present (GtkWidget *widget, WardGuiKeys *keys, GFile *file);

/* Asks for the file first. */
void ward_gui_key_import_dialog_choose (GtkWidget *widget, WardGuiKeys *keys);
