/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-dbus.h"
#include "ward-gate.h"
#include "ward-inventory.h"

/* org.tpmward1.Manager, guarded by the gate, with properties that follow the inventory. */
WardDbusManager *ward_manager_interface_new (WardGate *gate, WardInventory *inventory, WardKeyring *keyring);
