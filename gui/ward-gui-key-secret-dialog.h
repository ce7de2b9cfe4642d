/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-key.h"

#define WARD_GUI_TYPE_KEY_SECRET_DIALOG (ward_gui_key_secret_dialog_get_type ())

/* Gets a secret by a key: what somebody has encrypted to it, in a file, or, of a key that is to agree, what it has in
 * common with somebody else's public key. */
G_DECLARE_FINAL_TYPE (WardGuiKeySecretDialog, ward_gui_key_secret_dialog, WARD_GUI, KEY_SECRET_DIALOG, WardGuiDialog)

void ward_gui_key_secret_dialog_present (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key);
