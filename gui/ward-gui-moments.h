/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-machine.h"

#define WARD_GUI_TYPE_MOMENTS (ward_gui_moments_get_type ())

/* Shows what there is to show of a TPM, and else why there is nothing, and what can be done. Which of several TPMs is
 * chosen here.
 *
 * When the service goes, what is shown stays for a moment, with the chip that is gone: mostly another one is there
 * soon.
 *
 * Properties:
 * "content" (GtkWidget): what is shown while there is a chip, with header bars of its own.
 * "menu-model" (GMenuModel): of the menu while there is none.
 * "chip" (WardGuiChip, read-only): the one to be shown; NULL while there is none. */
G_DECLARE_FINAL_TYPE (WardGuiMoments, ward_gui_moments, WARD_GUI, MOMENTS, AdwBin)

void ward_gui_moments_set_machine (WardGuiMoments *moments, WardGuiMachine *machine);

/* Owned by the moments. */
WardGuiChip *ward_gui_moments_get_chip (WardGuiMoments *moments);

/* Shows the TPM of that name as soon as and as long as there is one; NULL for any. */
void ward_gui_moments_prefer (WardGuiMoments *moments, const char *name);
