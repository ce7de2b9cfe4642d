/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-group.h"

#define WARD_GUI_TYPE_SWITCHES_GROUP (ward_gui_switches_group_get_type ())

/* The flags by which a TPM 1.2 is switched on and off, and who can change them. */
G_DECLARE_FINAL_TYPE (WardGuiSwitchesGroup, ward_gui_switches_group, WARD_GUI, SWITCHES_GROUP, WardGuiGroup)
