/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Watches the connection where messages come in and go out, before and behind the gate: what GDBus answers by itself,
 * as reads of properties, never reaches the gate, and would pile up in the main context without bound. It refuses what
 * is beyond the limits with Busy, and drops calls that want no reply, since the bus does not limit those and nobody
 * would learn what came of them. */
typedef struct _WardTraffic WardTraffic;

/* What one connection may have unanswered: the bus's own limit. And what all connections of a user may have. */
#define WARD_TRAFFIC_MAX_OF_SENDER 128
#define WARD_TRAFFIC_MAX_OF_USER 1024

/* What a connection may have unanswered, however much others have, while it is not known whose it is: the flood of one
 * user's new connections is not to keep another's first calls out. */
#define WARD_TRAFFIC_MAX_OF_STRANGER 16

/* on_sender: called in the main context for each connection that calls for the first time. */
WardTraffic *ward_traffic_new (GDBusConnection *connection, void (*on_sender) (const char *sender, gpointer user_data),
                               gpointer user_data);
void ward_traffic_free (WardTraffic *traffic);

/* From now on what the connection has unanswered counts as that user's, no longer as that of strangers. */
void ward_traffic_identify (WardTraffic *traffic, const char *sender, guint uid);

/* The connection has left the bus. */
void ward_traffic_forget (WardTraffic *traffic, const char *sender);
