/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#define WARD_GUI_APPLICATION_ID "org.tpmward.Manager"
#define WARD_GUI_ICON_NAME WARD_GUI_APPLICATION_ID

#define WARD_GUI_TYPE_APPLICATION (ward_gui_application_get_type ())

/* TPM Manager, the desktop application. A second start shows what it was asked for in the first one. */
G_DECLARE_FINAL_TYPE (WardGuiApplication, ward_gui_application, WARD_GUI, APPLICATION, AdwApplication)

WardGuiApplication *ward_gui_application_new (void);
