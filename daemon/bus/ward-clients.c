/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-clients.h"

#include "ward-traffic.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define BUS_INTERFACE "org.freedesktop.DBus"

/* One rule for all departures: a rule for each client would meet the bus's limit of rules, and be told no sooner. */
#define DEPARTURES "type='signal',sender='" BUS_NAME "',interface='" BUS_INTERFACE "',member='NameOwnerChanged',arg2=''"

struct _WardClients
{
  GObject parent_instance;

  GDBusConnection *connection;
  guint watch;
  WardTraffic *traffic;
  GHashTable *clients; /* sender → WardClient */
  GHashTable *users;   /* uid → WardUser: kept for as long as the process lives, a few words each */
};

G_DEFINE_FINAL_TYPE (WardClients, ward_clients, G_TYPE_OBJECT)

enum
{
  IDENTIFIED,
  LEFT,
  POPULATION_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
client_clear (gpointer data)
{
  WardClient *client = data;

  g_free (client->sender);
}

WardClient *
ward_client_ref (WardClient *client)
{
  return g_rc_box_acquire (client);
}

void
ward_client_unref (WardClient *client)
{
  g_rc_box_release_full (client, client_clear);
}

static void
ward_clients_dispose (GObject *object)
{
  WardClients *self = WARD_CLIENTS (object);

  if (self->traffic)
    g_dbus_connection_signal_unsubscribe (self->connection, self->watch);
  g_clear_pointer (&self->traffic, ward_traffic_free);
  g_hash_table_remove_all (self->clients);
  G_OBJECT_CLASS (ward_clients_parent_class)->dispose (object);
}

static void
ward_clients_finalize (GObject *object)
{
  WardClients *self = WARD_CLIENTS (object);

  g_hash_table_unref (self->clients);
  g_hash_table_unref (self->users);
  g_object_unref (self->connection);
  G_OBJECT_CLASS (ward_clients_parent_class)->finalize (object);
}

static void
ward_clients_class_init (WardClientsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = ward_clients_dispose;
  object_class->finalize = ward_clients_finalize;

  signals[IDENTIFIED] = g_signal_new ("identified", WARD_TYPE_CLIENTS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                      G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[LEFT] = g_signal_new ("left", WARD_TYPE_CLIENTS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                G_TYPE_POINTER);
  signals[POPULATION_CHANGED] = g_signal_new ("population-changed", WARD_TYPE_CLIENTS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                              NULL, G_TYPE_NONE, 0);
}

static void
ward_clients_init (WardClients *self)
{
  self->clients = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)ward_client_unref);
  self->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

static void
client_left (WardClients *self, WardClient *client)
{
  if (client->left)
    return;

  client->left = TRUE;
  ward_client_ref (client);
  g_hash_table_remove (self->clients, client->sender);
  ward_traffic_forget (self->traffic, client->sender);

  g_signal_emit (self, signals[LEFT], 0, client);
  ward_client_unref (client);
  g_signal_emit (self, signals[POPULATION_CHANGED], 0);
}

static void
on_name_owner_changed (GDBusConnection *connection, const char *sender_name, const char *object_path,
                       const char *interface_name, const char *signal_name, GVariant *parameters, gpointer user_data)
{
  WardClients *self = user_data;
  const char *name, *new_owner;
  WardClient *client;

  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &new_owner);
  client = g_hash_table_lookup (self->clients, name);
  if (client && !*new_owner)
    client_left (self, client);
}

static void
on_sender (const char *sender, gpointer user_data)
{
  ward_clients_get (user_data, sender);
}

WardClients *
ward_clients_new (GDBusConnection *connection)
{
  WardClients *self = g_object_new (WARD_TYPE_CLIENTS, NULL);

  self->connection = g_object_ref (connection);
  self->watch = g_dbus_connection_signal_subscribe (connection, BUS_NAME, BUS_INTERFACE, "NameOwnerChanged", BUS_PATH,
                                                    NULL, G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE, on_name_owner_changed,
                                                    self, NULL);
  g_dbus_connection_call (connection, BUS_NAME, BUS_PATH, BUS_INTERFACE, "AddMatch", g_variant_new ("(s)", DEPARTURES),
                          NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  self->traffic = ward_traffic_new (connection, on_sender, self);
  return self;
}

static WardUser *
get_user (WardClients *self, guint uid)
{
  WardUser *user = g_hash_table_lookup (self->users, GUINT_TO_POINTER (uid));

  if (!user)
    {
      user = g_new0 (WardUser, 1);
      user->uid = uid;
      g_hash_table_insert (self->users, GUINT_TO_POINTER (uid), user);
    }
  return user;
}

typedef struct
{
  WardClients *clients;
  WardClient *client;
} Identification;

static void
on_identified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Identification *identification = user_data;
  g_autoptr (WardClients) self = identification->clients;
  WardClient *client = identification->client;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  guint uid;

  if (!reply)
    client_left (self, client); /* the bus does not know it: it left before it was watched */
  else if (!client->left)
    {
      g_variant_get (reply, "(u)", &uid);
      client->user = get_user (self, uid);
      ward_traffic_identify (self->traffic, client->sender, uid);
      g_signal_emit (self, signals[IDENTIFIED], 0, client);
    }
  ward_client_unref (client);
}

WardClient *
ward_clients_get (WardClients *clients, const char *sender)
{
  WardClient *client = g_hash_table_lookup (clients->clients, sender);
  Identification *identification;

  if (client)
    return client;

  client = g_rc_box_new0 (WardClient);
  client->sender = g_strdup (sender);
  g_hash_table_insert (clients->clients, client->sender, client);

  identification = g_new0 (Identification, 1);
  identification->clients = g_object_ref (clients);
  identification->client = ward_client_ref (client);
  g_dbus_connection_call (clients->connection, BUS_NAME, BUS_PATH, BUS_INTERFACE, "GetConnectionUnixUser",
                          g_variant_new ("(s)", sender), G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
                          on_identified, identification);
  g_signal_emit (clients, signals[POPULATION_CHANGED], 0);
  return client;
}

GList *
ward_clients_list_of_user (WardClients *clients, guint uid)
{
  GHashTableIter iter;
  gpointer client;
  GList *list = NULL;

  g_hash_table_iter_init (&iter, clients->clients);
  while (g_hash_table_iter_next (&iter, NULL, &client))
    if (((WardClient *)client)->user && ((WardClient *)client)->user->uid == uid)
      list = g_list_prepend (list, client);
  return list;
}

gboolean
ward_clients_is_idle (WardClients *clients)
{
  return g_hash_table_size (clients->clients) == 0;
}

gboolean
ward_clients_has_calls (WardClients *clients)
{
  GHashTableIter iter;
  gpointer client;

  g_hash_table_iter_init (&iter, clients->clients);
  while (g_hash_table_iter_next (&iter, NULL, &client))
    if (!g_queue_is_empty (&((WardClient *)client)->calls))
      return TRUE;
  return FALSE;
}

GList *
ward_clients_list_calls (WardClients *clients)
{
  GHashTableIter iter;
  gpointer client;
  GList *calls = NULL;

  g_hash_table_iter_init (&iter, clients->clients);
  while (g_hash_table_iter_next (&iter, NULL, &client))
    calls = g_list_concat (g_list_copy (((WardClient *)client)->calls.head), calls);
  return calls;
}
