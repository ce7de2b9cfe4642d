/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ward-gui-key.h"

/* Asks for a file, and writes the wrapped private key there, as PEM, for this user alone. */
void ward_gui_key_export (GtkWidget *widget, WardGuiChip *chip, WardGuiKey *key);
