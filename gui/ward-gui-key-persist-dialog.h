/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-key.h"

#define WARD_GUI_TYPE_KEY_PERSIST_DIALOG (ward_gui_key_persist_dialog_get_type ())

/* Has the TPM keep one of the machine's keys at a persistent handle. */
G_DECLARE_FINAL_TYPE (WardGuiKeyPersistDialog, ward_gui_key_persist_dialog, WARD_GUI, KEY_PERSIST_DIALOG, WardGuiDialog)

void ward_gui_key_persist_dialog_present (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key);
