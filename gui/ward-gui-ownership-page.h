/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-page.h"

#define WARD_GUI_TYPE_OWNERSHIP_PAGE (ward_gui_ownership_page_get_type ())

G_DECLARE_FINAL_TYPE (WardGuiOwnershipPage, ward_gui_ownership_page, WARD_GUI, OWNERSHIP_PAGE, WardGuiPage)
