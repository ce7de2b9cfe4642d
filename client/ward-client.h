/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "ward-client-error.h"
#include "ward-dbus.h"

#define WARD_CLIENT_BUS_NAME "org.tpmward1"
#define WARD_CLIENT_OBJECT_PATH "/org/tpmward1"
#define WARD_CLIENT_MANAGER_PATH "/org/tpmward1/Manager"

#define WARD_TYPE_CLIENT (ward_client_get_type ())

/* A connection to the TPM Ward service: its manager and its TPMs, kept up to date by signals for as long as the client
 * lives, also while the service is away. Belongs to the thread, and to the thread-default main context, that made it.
 * All errors are of WARD_CLIENT_ERROR. */
G_DECLARE_FINAL_TYPE (WardClient, ward_client, WARD, CLIENT, GObject)

/* Connects to the system bus and starts the service if it does not run. Fails with WARD_CLIENT_ERROR_NO_BUS,
 * _NO_SERVICE, _SERVICE_FAILED or _BUS_DENIED. The _sync form blocks: it is not for programs with a user interface. The
 * other has a connection of its own, so that a new client can replace one whose connection was lost. */
void ward_client_new_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WardClient *ward_client_new_finish (GAsyncResult *result, GError **error);
WardClient *ward_client_new_sync (GCancellable *cancellable, GError **error);

/* Starts the service again after it has ended; fails as the above. The client then follows it by itself. */
void ward_client_start_async (WardClient *client, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
gboolean ward_client_start_finish (WardClient *client, GAsyncResult *result, GError **error);

/* All three are owned by the client. The object manager's objects are WardDbusObject; those of TPMs have a WardDbusTpm.
 */
GDBusConnection *ward_client_get_connection (WardClient *client);
GDBusObjectManager *ward_client_get_objects (WardClient *client);
WardDbusManager *ward_client_get_manager (WardClient *client);

/* Whether the service is on the bus now. */
gboolean ward_client_is_running (WardClient *client);

/* The TPMs, sorted by name: a new array of referenced WardDbusObject. */
GPtrArray *ward_client_dup_tpms (WardClient *client);

/* The TPM of that name; with NULL the first one, which is mostly the only one. A new reference, or NULL with
 * WARD_CLIENT_ERROR_NO_TPM, whose message names the TPMs that there are or says why there is none. */
WardDbusObject *ward_client_find_tpm (WardClient *client, const char *name, GError **error);

typedef enum
{
  WARD_CLIENT_CALL_NONE = 0,
  /* The service may have polkit ask for a password. */
  WARD_CLIENT_CALL_INTERACTIVE = 1 << 0,
} WardClientCallFlags;

/* Calls a method of a proxy's and waits for as long as it takes: a chip may need a minute, and a person longer.
 * parameters is consumed if floating; NULL for none. fds are the descriptors that its values of type h count, or NULL.
 * Returns the reply's tuple, of the type that the interface says. */
void ward_client_call_async (gpointer proxy, const char *method, GVariant *parameters, GUnixFDList *fds,
                             WardClientCallFlags flags, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
GVariant *ward_client_call_finish (gpointer proxy, GAsyncResult *result, GError **error);
GVariant *ward_client_call_sync (gpointer proxy, const char *method, GVariant *parameters, GUnixFDList *fds,
                                 WardClientCallFlags flags, GCancellable *cancellable, GError **error);
