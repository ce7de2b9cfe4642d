/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Ends the invocation with the error, which is taken, under its D-Bus name. One that is not of WARD_ERROR becomes
 * WARD_ERROR_FAILED. */
void ward_bus_error_return (GDBusMethodInvocation *invocation, GError *error);

/* The code of WARD_ERROR that a D-Bus error name stands for. FALSE, and code as it was, for any other name and for
 * NULL. */
gboolean ward_bus_error_from_name (const char *name, int *code);
