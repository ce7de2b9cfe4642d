/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

/* Shows what the words mean that the program cannot do without, searchable. parent may be NULL. */
void ward_gui_help_present (GtkWindow *parent);
