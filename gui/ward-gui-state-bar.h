/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_STATE_BAR (ward_gui_state_bar_get_type ())

/* A bar above the pages that tells of a TPM which does not work as it should, or to which something was done; nothing
 * while all is well. Its button shows the doctor, by the action win.page.
 *
 * Property "chip" (WardGuiChip): whose state it tells; NULL for nothing. */
G_DECLARE_FINAL_TYPE (WardGuiStateBar, ward_gui_state_bar, WARD_GUI, STATE_BAR, AdwBin)

/* Whether the page below tells itself of a TPM that does not work: then only what was done to it is told here. */
void ward_gui_state_bar_set_is_told_below (WardGuiStateBar *bar, gboolean is_told_below);
