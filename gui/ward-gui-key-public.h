/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ward-gui-chip.h"
#include "ward-gui-key.h"

/* Puts a key's public half into the clipboard, and says so. format: "ssh", one line as in authorized_keys, or "pem". */
void ward_gui_key_public_copy (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key, const char *format);

/* Asks for a file, and writes it there. */
void ward_gui_key_public_save (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key);

/* A name for a file that is about the key, with that ending; a new string. */
char *ward_gui_key_public_make_name (WardGuiKey *key, const char *ending);
