/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-chip.h"

/* Removes all auth values of the TPM's that are set, after the person has said so and given each of them. Tells of its
 * end on widget's window. */
void ward_gui_release (GtkWidget *widget, WardGuiChip *chip);
