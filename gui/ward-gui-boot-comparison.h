/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-boot-state.h"

#include <adwaita.h>

#define WARD_GUI_TYPE_BOOT_COMPARISON (ward_gui_boot_comparison_get_type ())

/* What is the same and what has changed since a boot state was saved, and what that probably means. Hidden while there
 * is nothing to compare with. */
G_DECLARE_FINAL_TYPE (WardGuiBootComparison, ward_gui_boot_comparison, WARD_GUI, BOOT_COMPARISON, AdwPreferencesGroup)

/* What to compare with, and how it is called; NULL for nothing. */
void ward_gui_boot_comparison_set_saved (WardGuiBootComparison *comparison, WardGuiBootState *saved, const char *name);

/* What is now; NULL while that is not known. */
void ward_gui_boot_comparison_set_current (WardGuiBootComparison *comparison, WardGuiBootState *current);
