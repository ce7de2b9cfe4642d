/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-dialog.h"
#include "ward-gui-keys.h"

#define WARD_GUI_TYPE_KEY_DIALOG (ward_gui_key_dialog_get_type ())

/* All that is known of a key, and all that can be done with it. It follows the key's changes, and closes when it goes.
 */
G_DECLARE_FINAL_TYPE (WardGuiKeyDialog, ward_gui_key_dialog, WARD_GUI, KEY_DIALOG, WardGuiDialog)

void ward_gui_key_dialog_present (GtkWidget *widget, WardGuiKeys *keys, WardGuiKey *key);
