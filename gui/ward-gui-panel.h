/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-machine.h"

#define WARD_GUI_TYPE_PANEL (ward_gui_panel_get_type ())

/* A small window that always tells how the TPM is, for a corner of the screen: its state, its self-test, its lockout.
 */
G_DECLARE_FINAL_TYPE (WardGuiPanel, ward_gui_panel, WARD_GUI, PANEL, AdwApplicationWindow)

WardGuiPanel *ward_gui_panel_new (GtkApplication *application, WardGuiMachine *machine);
