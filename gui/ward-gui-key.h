/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_KEY (ward_gui_key_get_type ())

/* A key as it was described; it does not change. */
G_DECLARE_FINAL_TYPE (WardGuiKey, ward_gui_key, WARD_GUI, KEY, GObject)

/* description: a{sv}, as by Describe. */
WardGuiKey *ward_gui_key_new (GVariant *description);

/* All that is known, for the functions of ward-client-key.h; owned by the key. */
GVariant *ward_gui_key_get_description (WardGuiKey *key);

/* Owned by the key. */
const char *ward_gui_key_get_id (WardGuiKey *key);
const char *ward_gui_key_get_label (WardGuiKey *key);
const char *ward_gui_key_get_algorithm (WardGuiKey *key);

/* Whether it is the machine's, not the user's own. */
gboolean ward_gui_key_is_system (WardGuiKey *key);
gboolean ward_gui_key_is_usable (WardGuiKey *key);
gboolean ward_gui_key_has_auth (WardGuiKey *key);
gboolean ward_gui_key_is_rsa (WardGuiKey *key);

/* usage: "sign", "decrypt" or "agree". */
gboolean ward_gui_key_has_usage (WardGuiKey *key, const char *usage);

/* Whether all that was described is the same. */
gboolean ward_gui_key_equal (WardGuiKey *a, WardGuiKey *b);

/* Whether one of the texts that a person knows it by contains words, whatever their case. */
gboolean ward_gui_key_matches (WardGuiKey *key, const char *words);

/* The proxy of the set of keys that it belongs to; owned by the chip. */
gpointer ward_gui_key_get_proxy (WardGuiKey *key, WardGuiChip *chip);
