/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* A user of this machine, as far as their programs use the service. */
typedef struct
{
  guint uid;
  guint n_calls;   /* in the service, waits for polkit included */
  guint n_dialogs; /* of them, those with a password dialog open */
  GQueue lists;    /* of them, those that wait for a long reply to be written, and first the one whose is */
} WardUser;

/* A connection to the bus that has called the service, by method or for a property. Counted by references: the table's
 * while it is on the bus, and one for each call. */
typedef struct
{
  char *sender;   /* the unique name */
  WardUser *user; /* NULL until the bus has said whose it is */
  GQueue calls;   /* of WardCall, in the order of arrival */
  gboolean left;  /* it is not on the bus any more */
} WardClient;

WardClient *ward_client_ref (WardClient *client);
void ward_client_unref (WardClient *client);

/* Everybody who uses the service. Lives on the main thread. Signals: "identified" (gpointer client) once the bus has
 * said whose the client is; "left" (gpointer client) when it has left the bus; "population-changed" when one has come
 * or gone. */
#define WARD_TYPE_CLIENTS (ward_clients_get_type ())
G_DECLARE_FINAL_TYPE (WardClients, ward_clients, WARD, CLIENTS, GObject)

WardClients *ward_clients_new (GDBusConnection *connection);

/* The client of that unique name, made known if it was not; owned by the table. */
WardClient *ward_clients_get (WardClients *clients, const char *sender);

/* The connections of a user that have called the service and are on the bus, as WardClient: a list that the caller
 * frees. */
GList *ward_clients_list_of_user (WardClients *clients, guint uid);

/* Whether no client is on the bus. */
gboolean ward_clients_is_idle (WardClients *clients);

/* Whether a client on the bus waits for a reply. */
gboolean ward_clients_has_calls (WardClients *clients);

/* All calls that wait for a reply, as WardCall: a list that the caller frees. */
GList *ward_clients_list_calls (WardClients *clients);
