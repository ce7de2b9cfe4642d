/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_NV_ITEM (ward_gui_nv_item_get_type ())

/* One NV index, as by Nv.List. Does not change. */
G_DECLARE_FINAL_TYPE (WardGuiNvItem, ward_gui_nv_item, WARD_GUI, NV_ITEM, GObject)

/* description: a{sv}. */
WardGuiNvItem *ward_gui_nv_item_new (GVariant *description);

gboolean ward_gui_nv_item_equal (WardGuiNvItem *a, WardGuiNvItem *b);

guint32 ward_gui_nv_item_get_index (WardGuiNvItem *item);
guint32 ward_gui_nv_item_get_size (WardGuiNvItem *item);
gboolean ward_gui_nv_item_is_written (WardGuiNvItem *item);

/* What is kept at such a number by convention; empty where any program may keep what it likes. Owned by the item. */
const char *ward_gui_nv_item_get_purpose (WardGuiNvItem *item);

/* By tpm2-tools' names; owned by the item. */
const char *const *ward_gui_nv_item_get_attributes (WardGuiNvItem *item);
gboolean ward_gui_nv_item_has (WardGuiNvItem *item, const char *attribute);

/* For a title and the line beneath it, and by its number, “0x01800001”; new strings. */
char *ward_gui_nv_item_dup_title (WardGuiNvItem *item);
char *ward_gui_nv_item_dup_summary (WardGuiNvItem *item);
char *ward_gui_nv_item_dup_number (WardGuiNvItem *item);

typedef enum
{
  WARD_GUI_NV_READ,
  WARD_GUI_NV_WRITE,
} WardGuiNvUse;

/* Who may, in words; a new string. */
char *ward_gui_nv_item_dup_rights (WardGuiNvItem *item, WardGuiNvUse use);

/* Why nobody can now, in a sentence; NULL where somebody can. */
const char *ward_gui_nv_item_why_not (WardGuiNvItem *item, WardGuiNvUse use);

/* Why it cannot be undefined, in a sentence; NULL where it can. */
const char *ward_gui_nv_item_why_kept (WardGuiNvItem *item);
