/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-page.h"

#define WARD_GUI_TYPE_KEYS_PAGE (ward_gui_keys_page_get_type ())

G_DECLARE_FINAL_TYPE (WardGuiKeysPage, ward_gui_keys_page, WARD_GUI, KEYS_PAGE, WardGuiPage)
