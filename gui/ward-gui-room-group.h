/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

/* How much the TPM keeps in itself, and how much more it has room for, as far as it tells. */
#define WARD_GUI_TYPE_ROOM_GROUP (ward_gui_room_group_get_type ())
G_DECLARE_FINAL_TYPE (WardGuiRoomGroup, ward_gui_room_group, WARD_GUI, ROOM_GROUP, AdwPreferencesGroup)

/* properties: as by Tpm.GetProperties; NULL while they are not known. */
void ward_gui_room_group_set_properties (WardGuiRoomGroup *group, GVariant *properties);
