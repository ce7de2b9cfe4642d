/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-key.h"

#define WARD_GUI_TYPE_KEYS (ward_gui_keys_get_type ())

/* A TPM's keys, the user's own and then the machine's: a list model of WardGuiKey that follows their changes by itself
 * once it was loaded. Keys that did not change stay the same objects.
 *
 * Signal "loaded": they have been read, or could not be; then there is an error. */
G_DECLARE_FINAL_TYPE (WardGuiKeys, ward_gui_keys, WARD_GUI, KEYS, GObject)

WardGuiKeys *ward_gui_keys_new (WardGuiChip *chip);

/* Reads them, also again; what is asked for while they are being read is done once, afterwards. */
void ward_gui_keys_load (WardGuiKeys *keys);

gboolean ward_gui_keys_is_loaded (WardGuiKeys *keys);

/* Of the last reading; NULL if it went well. Owned by the keys. */
const GError *ward_gui_keys_get_error (WardGuiKeys *keys);

/* The key with that id, hidden or not; a new reference, or NULL. */
WardGuiKey *ward_gui_keys_find (WardGuiKeys *keys, const char *id, gboolean is_system);

/* Whether there is a key of that label, hidden or not. */
gboolean ward_gui_keys_has_label (WardGuiKeys *keys, const char *label, gboolean is_system);

/* Leaves a key out of the list, while its deletion can be undone. */
void ward_gui_keys_set_hidden (WardGuiKeys *keys, WardGuiKey *key, gboolean hidden);

/* Owned by the keys. */
WardGuiChip *ward_gui_keys_get_chip (WardGuiKeys *keys);
