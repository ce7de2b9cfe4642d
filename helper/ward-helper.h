/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#define WARD_HELPER_BUS_NAME "org.tpmward1.Helper"
#define WARD_HELPER_PATH "/org/tpmward1/Helper"

/* The one user whose calls are answered. */
#define WARD_HELPER_CALLER "tpmward"

/* The helper on the bus: has its name, does what it is called for on other threads, and ends when there is no more to
 * do. Signal: "ended" when the process shall end. */
#define WARD_TYPE_HELPER (ward_helper_get_type ())
G_DECLARE_FINAL_TYPE (WardHelper, ward_helper, WARD, HELPER, GObject)

/* idle_exit: seconds without a call after which it ends. */
WardHelper *ward_helper_new (GDBusConnection *connection, guint idle_exit);

/* Gives the name back, answers what has arrived until then, then emits "ended". */
void ward_helper_leave (WardHelper *helper);

/* Why the helper ended, in a sentence; NULL when it was to. */
const char *ward_helper_get_trouble (WardHelper *helper);
