/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-call.h"
#include "ward-gui-keys.h"

#define WARD_GUI_TYPE_KEY_FORM (ward_gui_key_form_get_type ())

/* What a person says of a key that is to be made or imported: its name, whose it is, its password, what it is bound to,
 * a comment.
 *
 * Signal "changed": something else was entered. */
G_DECLARE_FINAL_TYPE (WardGuiKeyForm, ward_gui_key_form, WARD_GUI, KEY_FORM, AdwBin)

/* For a new key among these. */
void ward_gui_key_form_set_keys (WardGuiKeyForm *form, WardGuiKeys *keys);

void ward_gui_key_form_set_label (WardGuiKeyForm *form, const char *label);

/* Owned by the form. */
const char *ward_gui_key_form_get_label (WardGuiKeyForm *form);
gboolean ward_gui_key_form_is_system (WardGuiKeyForm *form);

/* What keeps the key from being made, as a sentence; NULL for nothing. A new string. */
char *ward_gui_key_form_dup_problem (WardGuiKeyForm *form);

/* Adds the call's options. */
void ward_gui_key_form_pack (WardGuiKeyForm *form, WardGuiCall *call);

/* Forgets what is secret. */
void ward_gui_key_form_wipe (WardGuiKeyForm *form);
