/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_GROUP (ward_gui_group_get_type ())

/* Rows about a TPM, which follow it.
 *
 * Property "chip" (WardGuiChip): the TPM; NULL for none. */
G_DECLARE_DERIVABLE_TYPE (WardGuiGroup, ward_gui_group, WARD_GUI, GROUP, AdwPreferencesGroup)

struct _WardGuiGroupClass
{
  AdwPreferencesGroupClass parent_class;

  /* Properties of the chip have changed, or it is another one, or NULL: shows what the properties say. */
  void (*update) (WardGuiGroup *group);

  /* The chip is another one, before update(). NULL for nothing. */
  void (*reset) (WardGuiGroup *group);
};

WardGuiChip *ward_gui_group_get_chip (WardGuiGroup *group);
