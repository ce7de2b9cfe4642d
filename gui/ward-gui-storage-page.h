/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-page.h"

#define WARD_GUI_TYPE_STORAGE_PAGE (ward_gui_storage_page_get_type ())

G_DECLARE_FINAL_TYPE (WardGuiStoragePage, ward_gui_storage_page, WARD_GUI, STORAGE_PAGE, WardGuiPage)
