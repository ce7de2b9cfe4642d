/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-machine.h"

#define WARD_GUI_TYPE_SWITCHER (ward_gui_switcher_get_type ())

/* Chooses between the TPMs of a machine; not seen while there is one at most.
 *
 * Signal "chosen" (WardGuiChip): by the person. */
G_DECLARE_FINAL_TYPE (WardGuiSwitcher, ward_gui_switcher, WARD_GUI, SWITCHER, AdwBin)

void ward_gui_switcher_set_machine (WardGuiSwitcher *switcher, WardGuiMachine *machine);

/* The one that is shown now; NULL for none. */
void ward_gui_switcher_set_chip (WardGuiSwitcher *switcher, WardGuiChip *chip);
