/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_PCR_CHOOSER (ward_gui_pcr_chooser_get_type ())

/* Asks in plain words what of the boot state something is to be bound to, such as a key that is to be made: a group of
 * preferences.
 *
 * Properties:
 * "selection" (GVariant a{sau}, read-only): the PCRs by bank, as the service takes them; NULL for none.
 * "chip" (WardGuiChip): the TPM, whose banks count; without one there is the bank sha256. */
G_DECLARE_FINAL_TYPE (WardGuiPcrChooser, ward_gui_pcr_chooser, WARD_GUI, PCR_CHOOSER, AdwPreferencesGroup)

GtkWidget *ward_gui_pcr_chooser_new (void);

/* A new reference, or NULL for none. */
GVariant *ward_gui_pcr_chooser_dup_selection (WardGuiPcrChooser *chooser);
