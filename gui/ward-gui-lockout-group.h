/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-group.h"

#define WARD_GUI_TYPE_LOCKOUT_GROUP (ward_gui_lockout_group_get_type ())

/* How the protection against guessing stands, always up to date while it is seen, with its reset and its rules.
 *
 * Property "compact" (boolean): without the rules, and in few words: for an overview. */
G_DECLARE_FINAL_TYPE (WardGuiLockoutGroup, ward_gui_lockout_group, WARD_GUI, LOCKOUT_GROUP, WardGuiGroup)
