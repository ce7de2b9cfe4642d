/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-machine.h"

#define WARD_GUI_TYPE_WINDOW (ward_gui_window_get_type ())

/* The main window: the pages of one TPM, or why there is none. */
G_DECLARE_FINAL_TYPE (WardGuiWindow, ward_gui_window, WARD_GUI, WINDOW, AdwApplicationWindow)

/* application may be NULL, for tests. */
WardGuiWindow *ward_gui_window_new (GtkApplication *application, WardGuiMachine *machine);

/* Shows the page of that name: "overview", "ownership", "keys", "boot", "storage" or "doctor". */
void ward_gui_window_show_page (WardGuiWindow *window, const char *name);

/* Shows the TPM of that name, while there is one. */
void ward_gui_window_show_tpm (WardGuiWindow *window, const char *name);

/* The TPM that is shown; NULL while there is none. Owned by the window. */
WardGuiChip *ward_gui_window_get_chip (WardGuiWindow *window);
