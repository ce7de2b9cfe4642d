/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-keys.h"

#define WARD_GUI_TYPE_KEY_PASSWORD_DIALOG (ward_gui_key_password_dialog_get_type ())

/* Sets, changes or takes away a key's password. */
G_DECLARE_FINAL_TYPE (WardGuiKeyPasswordDialog, ward_gui_key_password_dialog, WARD_GUI, KEY_PASSWORD_DIALOG,
                      WardGuiDialog)

void ward_gui_key_password_dialog_present (GtkWidget *widget, WardGuiKeys *keys, WardGuiKey *key);
