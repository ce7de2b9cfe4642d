/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-key.h"

#define WARD_GUI_TYPE_KEY_ROW (ward_gui_key_row_get_type ())

/* A key in a long list: what it is called, what it is, and whether it can be used. It shows one after the other.
 *
 * Property "key" (WardGuiKey): NULL for none. */
G_DECLARE_FINAL_TYPE (WardGuiKeyRow, ward_gui_key_row, WARD_GUI, KEY_ROW, AdwBin)
