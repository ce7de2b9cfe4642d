/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-machine.h"

#define WARD_GUI_TYPE_NOTIFIER (ward_gui_notifier_get_type ())

/* Tells the desktop when a TPM fails its self-test or becomes locked while the program is open, and takes that back
 * when it is over. What was so already when a TPM was first seen is not told. */
G_DECLARE_FINAL_TYPE (WardGuiNotifier, ward_gui_notifier, WARD_GUI, NOTIFIER, GObject)

/* application is not referenced, and outlives the notifier. */
WardGuiNotifier *ward_gui_notifier_new (GApplication *application, WardGuiMachine *machine);
