/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-chip.h"

typedef enum
{
  WARD_GUI_MACHINE_CONNECTING, /* also while a service that was there is started again */
  WARD_GUI_MACHINE_READY,      /* there is a TPM at least */
  WARD_GUI_MACHINE_NO_TPM,     /* the service runs, and has found none; ward_gui_machine_get_error () says why */
  WARD_GUI_MACHINE_FAILED,     /* no service; ward_gui_machine_get_error () says why */
} WardGuiMachineState;

#define WARD_GUI_TYPE_MACHINE (ward_gui_machine_get_type ())

/* The service and its TPMs, for the widgets: it connects by itself, and again when the service has ended or
 * the bus was lost: at once the first time, and then less and less often.
 *
 * Property "state" (int, WardGuiMachineState). The list of chips has changed when it is notified. */
G_DECLARE_FINAL_TYPE (WardGuiMachine, ward_gui_machine, WARD_GUI, MACHINE, GObject)

WardGuiMachine *ward_gui_machine_new (void);

WardGuiMachineState ward_gui_machine_get_state (WardGuiMachine *machine);

/* Of WARD_CLIENT_ERROR; NULL unless the state says that there is one. Owned by the machine. */
const GError *ward_gui_machine_get_error (WardGuiMachine *machine);

/* NULL while the service was never there, or the bus is lost; after that it is another one. Owned by the machine. */
WardClient *ward_gui_machine_get_client (WardGuiMachine *machine);

/* A list model of WardGuiChip, sorted by name; owned by the machine. */
GListModel *ward_gui_machine_get_chips (WardGuiMachine *machine);

/* Tries at once to reach the service. */
void ward_gui_machine_retry (WardGuiMachine *machine);
