/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-inventory.h"
#include "ward-keyring.h"

#define WARD_BUS_NAME "org.tpmward1"

/* The service on the bus: exports the inventory, owns the name, and ends when nobody needs it. Lives on the main
 * thread. Signal: "ended" when the process shall end: the service has left, or lost the bus or its name. */
#define WARD_TYPE_SERVICE (ward_service_get_type ())
G_DECLARE_FINAL_TYPE (WardService, ward_service, WARD, SERVICE, GObject)

/* idle_exit: seconds without a client after which the service ends; 0: never. The name is taken once the TPMs of the
 * inventory, which is started by then, have been looked at, or after a second at the latest. */
WardService *ward_service_new (GDBusConnection *connection, WardInventory *inventory, WardKeyring *keyring,
                               guint idle_exit);

/* Gives the name back, so that from now on a call starts a new service; answers the calls that have arrived here, for
 * some seconds at most; then "ended". */
void ward_service_leave (WardService *service);

/* Why the service ended, in a sentence; NULL when it was to. */
const char *ward_service_get_trouble (WardService *service);
