/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#define WARD_GUI_TYPE_HANDLE_ITEM (ward_gui_handle_item_get_type ())

/* An object that the TPM keeps at a persistent handle, as by SystemKeys.ListPersistent. Does not change. */
G_DECLARE_FINAL_TYPE (WardGuiHandleItem, ward_gui_handle_item, WARD_GUI, HANDLE_ITEM, GObject)

/* description: a{sv}. Looks a user up, which may take a moment: it is for a thread of its own. */
WardGuiHandleItem *ward_gui_handle_item_new (GVariant *description);

guint32 ward_gui_handle_item_get_handle (WardGuiHandleItem *item);

/* Its Name in hexadecimal digits; owned by the item. */
const char *ward_gui_handle_item_get_name (WardGuiHandleItem *item);

/* The following are new strings. */

/* What it is, and for the line beneath: “0x81000001, ecc-p256”. */
char *ward_gui_handle_item_dup_title (WardGuiHandleItem *item);
char *ward_gui_handle_item_dup_summary (WardGuiHandleItem *item);

/* Whose it is, as far as that is known, in a sentence. */
char *ward_gui_handle_item_dup_maker (WardGuiHandleItem *item);

/* What it does, in a sentence. */
const char *ward_gui_handle_item_get_use (WardGuiHandleItem *item);

/* Its attributes by the TCG's names. */
char *ward_gui_handle_item_dup_attributes (WardGuiHandleItem *item);

/* What evicting it costs, in sentences. */
char *ward_gui_handle_item_dup_loss (WardGuiHandleItem *item);

/* Why it cannot be evicted, in a sentence; NULL where it can. */
const char *ward_gui_handle_item_why_kept (WardGuiHandleItem *item);
