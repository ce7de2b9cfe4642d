/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-group.h"

#define WARD_GUI_TYPE_SELF_TEST (ward_gui_self_test_get_type ())

/* The self-test: its last result, always up to date whoever has run it, and a new one. */
G_DECLARE_FINAL_TYPE (WardGuiSelfTest, ward_gui_self_test, WARD_GUI, SELF_TEST, WardGuiGroup)
