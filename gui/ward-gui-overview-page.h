/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-page.h"

#define WARD_GUI_TYPE_OVERVIEW_PAGE (ward_gui_overview_page_get_type ())

G_DECLARE_FINAL_TYPE (WardGuiOverviewPage, ward_gui_overview_page, WARD_GUI, OVERVIEW_PAGE, WardGuiPage)
