/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-machine.h"

/* Shows who made the program, its licence, and what somebody who helps with a problem would want to know. parent may be
 * NULL. */
void ward_gui_about_present (GtkWindow *parent, WardGuiMachine *machine);
