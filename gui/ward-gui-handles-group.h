/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_HANDLES_GROUP (ward_gui_handles_group_get_type ())

/* What the TPM keeps at persistent handles, which only an administrator may see: it is asked for when the person wants
 * it, and not before.
 *
 * Signal "changed": something was evicted. */
G_DECLARE_FINAL_TYPE (WardGuiHandlesGroup, ward_gui_handles_group, WARD_GUI, HANDLES_GROUP, AdwPreferencesGroup)

/* What was shown is stale with another chip. */
void ward_gui_handles_group_set_chip (WardGuiHandlesGroup *group, WardGuiChip *chip);
