/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gtk/gtk.h>

#include "ward-client.h"
#include "ward-secret.h"

#define WARD_GUI_TYPE_CALL (ward_gui_call_get_type ())

/* One call of the service that a person has started: with a password dialog of polkit's where it needs one, with
 * secrets as descriptors, and shown in the window's activity bar while it takes longer than a moment. It can be made
 * again after it has failed, with other secrets. */
G_DECLARE_FINAL_TYPE (WardGuiCall, ward_gui_call, WARD_GUI, CALL, GObject)

/* widget is where it was started, which need not outlive it; text what happens, such as “Making the key…”, or NULL for
 * what never takes long. arguments is a tuple of the method's arguments before its options, consumed if floating; NULL
 * for none. */
WardGuiCall *ward_gui_call_new (GtkWidget *widget, gpointer proxy, const char *method, GVariant *arguments,
                                const char *text);

/* The method's last argument is a{sv}; without this only if an option was added. */
void ward_gui_call_set_has_options (WardGuiCall *call);

/* Takes the place of an option of that name. value is consumed if floating. */
void ward_gui_call_set_option (WardGuiCall *call, const char *name, GVariant *value);

/* The same for one that is secret; NULL takes it away. */
void ward_gui_call_set_secret (WardGuiCall *call, const char *name, WardSecret *secret);

/* The result is secret, and comes through the method's option “output”. */
void ward_gui_call_set_takes_output (WardGuiCall *call);

/* Then, after the call; owned by the call. */
WardSecret *ward_gui_call_get_output (WardGuiCall *call);

/* Owned by the call; the widget is NULL once it is gone. */
GtkWidget *ward_gui_call_get_widget (WardGuiCall *call);
gpointer ward_gui_call_get_proxy (WardGuiCall *call);
const char *ward_gui_call_get_text (WardGuiCall *call);

/* The callback is always called, later, with the call as the source. */
void ward_gui_call_start_async (WardGuiCall *call, GAsyncReadyCallback callback, gpointer user_data);

/* The reply's tuple, or NULL with an error of WARD_CLIENT_ERROR; _CANCELLED if the person did not go on. */
GVariant *ward_gui_call_start_finish (WardGuiCall *call, GAsyncResult *result, GError **error);

/* Asks the service to drop the call if the chip has not started on it; then it fails with WARD_CLIENT_ERROR_CANCELLED.
 * Does nothing when it is not under way. */
void ward_gui_call_withdraw (WardGuiCall *call);
