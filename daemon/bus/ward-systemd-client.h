/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-doctor.h"

/* Asks systemd about a unit, "tcsd.service". Where there is no systemd, it does not answer within some seconds, or it
 * has no such unit, that is no error. */
void ward_systemd_client_get_unit_async (GDBusConnection *connection, const char *name, GAsyncReadyCallback callback,
                                         gpointer user_data);

/* unit: cleared by the caller; all NULL when nothing is known. */
void ward_systemd_client_get_unit_finish (GDBusConnection *connection, GAsyncResult *result, WardUnit *unit);
