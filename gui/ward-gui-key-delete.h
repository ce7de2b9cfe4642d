/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ward-gui-keys.h"

/* Deletes a key. One of the user's own that was never used vanishes at once, and is deleted when the note with its Undo
 * has gone, or its window; for all others it is said first what is lost, and asked. widget is where that is told. */
void ward_gui_key_delete (GtkWidget *widget, WardGuiKeys *keys, WardGuiKey *key);
