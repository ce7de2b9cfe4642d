/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-page.h"

#define WARD_GUI_TYPE_DOCTOR_PAGE (ward_gui_doctor_page_get_type ())

G_DECLARE_FINAL_TYPE (WardGuiDoctorPage, ward_gui_doctor_page, WARD_GUI, DOCTOR_PAGE, WardGuiPage)
