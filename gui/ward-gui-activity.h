/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <adwaita.h>

#include "ward-gui-call.h"

#define WARD_GUI_TYPE_ACTIVITY (ward_gui_activity_get_type ())

/* A bar at the foot of a window that tells what the service is doing for the person, from when it has taken longer than
 * a moment, with a button that withdraws it. A window has one at most; it serves the dialogs over it that have none. */
G_DECLARE_FINAL_TYPE (WardGuiActivity, ward_gui_activity, WARD_GUI, ACTIVITY, AdwBin)

/* Shows the call in the activity bar nearest to widget, if there is any, until task has ended. */
void ward_gui_activity_watch (GtkWidget *widget, WardGuiCall *call, GTask *task);
