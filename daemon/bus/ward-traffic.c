/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-traffic.h"

#include "ward-error.h"

/* What connections of one user, or those whose user is not known yet, have unanswered. */
typedef struct
{
  guint n_unanswered;
} Budget;

typedef struct
{
  guint n_unanswered;
  Budget *budget;
} Sender;

/* Shared by the main thread and GDBus's, on which filters are called: counted by references, and by lock but for what
 * is marked. */
struct _WardTraffic
{
  GDBusConnection *connection; /* main thread only */
  guint filter;                /* main thread only */
  void (*on_sender) (const char *sender, gpointer user_data);
  gpointer user_data;
  gboolean is_free; /* main thread only */

  GMutex lock;
  GHashTable *senders; /* unique name → Sender */
  GHashTable *users;   /* uid → Budget: kept for as long as the process lives */
  Budget strangers;
};

typedef struct
{
  WardTraffic *traffic;
  char *sender;
} Sighting;

static void
traffic_clear (gpointer data)
{
  WardTraffic *traffic = data;

  g_hash_table_unref (traffic->senders);
  g_hash_table_unref (traffic->users);
  g_mutex_clear (&traffic->lock);
}

static void
traffic_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, traffic_clear);
}

static gboolean
sighting_deliver (gpointer data)
{
  Sighting *sighting = data;

  if (!sighting->traffic->is_free)
    sighting->traffic->on_sender (sighting->sender, sighting->traffic->user_data);
  return G_SOURCE_REMOVE;
}

static void
sighting_free (gpointer data)
{
  Sighting *sighting = data;

  traffic_unref (sighting->traffic);
  g_free (sighting->sender);
  g_free (sighting);
}

static Sender *
get_sender (WardTraffic *traffic, const char *name)
{
  Sender *sender = g_hash_table_lookup (traffic->senders, name);
  Sighting *sighting;

  if (sender)
    return sender;

  sender = g_new0 (Sender, 1);
  sender->budget = &traffic->strangers;
  g_hash_table_insert (traffic->senders, g_strdup (name), sender);

  sighting = g_new0 (Sighting, 1);
  sighting->traffic = g_atomic_rc_box_acquire (traffic);
  sighting->sender = g_strdup (name);
  g_idle_add_full (G_PRIORITY_DEFAULT, sighting_deliver, sighting, sighting_free);
  return sender;
}

/* Counts the call, which a reply will follow in any case; says whether it may come in. */
static gboolean
admit (WardTraffic *traffic, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&traffic->lock);
  Sender *sender = get_sender (traffic, name);

  sender->n_unanswered++;
  sender->budget->n_unanswered++;
  if (sender->budget == &traffic->strangers && sender->n_unanswered <= WARD_TRAFFIC_MAX_OF_STRANGER)
    return TRUE;
  return sender->n_unanswered <= WARD_TRAFFIC_MAX_OF_SENDER && sender->budget->n_unanswered <= WARD_TRAFFIC_MAX_OF_USER;
}

static void
note_reply (WardTraffic *traffic, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&traffic->lock);
  Sender *sender = name ? g_hash_table_lookup (traffic->senders, name) : NULL;

  if (!sender || sender->n_unanswered == 0)
    return;
  sender->n_unanswered--;
  sender->budget->n_unanswered--;
}

static void
refuse (GDBusConnection *connection, GDBusMessage *message)
{
  g_autoptr (GDBusMessage) reply = g_dbus_message_new_method_error (
      message, WARD_ERROR_PREFIX "Busy", "%s",
      "You have too many calls and reads of properties waiting in the service. Wait for some of them to end, and try "
      "again.");

  g_dbus_connection_send_message (connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

/* On GDBus's thread. A message that is not passed on is ours to free. */
static GDBusMessage *
on_message (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  WardTraffic *traffic = user_data;
  const char *sender = g_dbus_message_get_sender (message);
  gboolean wants_reply = !(g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);

  if (!incoming)
    {
      if (g_dbus_message_get_reply_serial (message) != 0)
        note_reply (traffic, g_dbus_message_get_destination (message));
      return message;
    }
  if (!sender || g_dbus_message_get_message_type (message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  if (wants_reply && admit (traffic, sender))
    return message;

  if (wants_reply)
    refuse (connection, message);
  g_object_unref (message);
  return NULL;
}

WardTraffic *
ward_traffic_new (GDBusConnection *connection, void (*on_sender) (const char *sender, gpointer user_data),
                  gpointer user_data)
{
  WardTraffic *traffic = g_atomic_rc_box_new0 (WardTraffic);

  traffic->connection = g_object_ref (connection);
  traffic->on_sender = on_sender;
  traffic->user_data = user_data;
  traffic->senders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  traffic->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_mutex_init (&traffic->lock);
  traffic->filter = g_dbus_connection_add_filter (connection, on_message, g_atomic_rc_box_acquire (traffic),
                                                  traffic_unref);
  return traffic;
}

void
ward_traffic_free (WardTraffic *traffic)
{
  traffic->is_free = TRUE;
  g_dbus_connection_remove_filter (traffic->connection, traffic->filter);
  g_clear_object (&traffic->connection);
  traffic_unref (traffic);
}

void
ward_traffic_identify (WardTraffic *traffic, const char *sender_name, guint uid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&traffic->lock);
  Sender *sender = g_hash_table_lookup (traffic->senders, sender_name);
  Budget *budget = g_hash_table_lookup (traffic->users, GUINT_TO_POINTER (uid));

  if (!sender)
    return;
  if (!budget)
    {
      budget = g_new0 (Budget, 1);
      g_hash_table_insert (traffic->users, GUINT_TO_POINTER (uid), budget);
    }
  sender->budget->n_unanswered -= sender->n_unanswered;
  budget->n_unanswered += sender->n_unanswered;
  sender->budget = budget;
}

void
ward_traffic_forget (WardTraffic *traffic, const char *sender_name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&traffic->lock);
  Sender *sender = g_hash_table_lookup (traffic->senders, sender_name);

  if (!sender)
    return;
  sender->budget->n_unanswered -= sender->n_unanswered;
  g_hash_table_remove (traffic->senders, sender_name);
}
