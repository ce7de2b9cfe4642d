/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-nv-item.h"

#define WARD_GUI_TYPE_NV_LIST (ward_gui_nv_list_get_type ())

/* The NV indices of a chip, by their numbers: a GListModel of WardGuiNvItem. The TPM tells of no change by itself:
 * whoever makes one loads it again.
 *
 * Signal "loaded": a reading has ended; ward_gui_nv_list_get_error () says how. */
G_DECLARE_FINAL_TYPE (WardGuiNvList, ward_gui_nv_list, WARD_GUI, NV_LIST, GObject)

/* Empty until it is loaded. */
WardGuiNvList *ward_gui_nv_list_new (WardGuiChip *chip);

void ward_gui_nv_list_load (WardGuiNvList *list);

gboolean ward_gui_nv_list_is_loaded (WardGuiNvList *list);

/* Of the last reading, or NULL; owned by the list. */
const GError *ward_gui_nv_list_get_error (WardGuiNvList *list);

/* Owned by the list. */
WardGuiChip *ward_gui_nv_list_get_chip (WardGuiNvList *list);

/* Owned by the list; NULL if there is none of that number. */
WardGuiNvItem *ward_gui_nv_list_find (WardGuiNvList *list, guint32 index);
