/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-systemd-client.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"
#define PROPERTIES_INTERFACE "org.freedesktop.DBus.Properties"

/* For each question. It answers within milliseconds, but not while it reloads. */
#define TIMEOUT_MS 3000

typedef struct
{
  char *path;
  WardUnit unit;
} Query;

static void
query_free (gpointer data)
{
  Query *query = data;

  g_free (query->path);
  ward_unit_clear (&query->unit);
  g_free (query);
}

static void
ask (GTask *task, const char *path, const char *interface, const char *member, GVariant *arguments, const char *type,
     GAsyncReadyCallback callback)
{
  g_dbus_connection_call (g_task_get_source_object (task), SYSTEMD_NAME, path, interface, member, arguments,
                          G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NO_AUTO_START, TIMEOUT_MS, NULL, callback, task);
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Query *query = g_task_get_task_data (task);
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) value = NULL;

  if (reply)
    g_variant_get (reply, "(v)", &value);
  if (value && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    query->unit.result = g_variant_dup_string (value, NULL);
  g_task_return_boolean (task, TRUE);
}

static void
on_properties (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Query *query = g_task_get_task_data (task);
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) properties = reply ? g_variant_get_child_value (reply, 0) : NULL;

  if (properties)
    g_variant_lookup (properties, "LoadState", "s", &query->unit.load);
  if (g_strcmp0 (query->unit.load, "loaded") != 0)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_variant_lookup (properties, "ActiveState", "s", &query->unit.active);
  g_variant_lookup (properties, "UnitFileState", "s", &query->unit.enabled);
  ask (g_object_ref (task), query->path, PROPERTIES_INTERFACE, "Get",
       g_variant_new ("(ss)", SERVICE_INTERFACE, "Result"), "(v)", on_result);
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Query *query = g_task_get_task_data (task);
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);

  if (!reply)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_variant_get (reply, "(o)", &query->path);
  ask (g_object_ref (task), query->path, PROPERTIES_INTERFACE, "GetAll", g_variant_new ("(s)", UNIT_INTERFACE),
       "(a{sv})", on_properties);
}

/* A unit that is enabled and does not run need not be in systemd's memory: so it is loaded, which starts nothing. */
void
ward_systemd_client_get_unit_async (GDBusConnection *connection, const char *name, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  GTask *task = g_task_new (connection, NULL, callback, user_data);

  g_task_set_task_data (task, g_new0 (Query, 1), query_free);
  ask (task, SYSTEMD_PATH, MANAGER_INTERFACE, "LoadUnit", g_variant_new ("(s)", name), "(o)", on_loaded);
}

void
ward_systemd_client_get_unit_finish (GDBusConnection *connection, GAsyncResult *result, WardUnit *unit)
{
  Query *query = g_task_get_task_data (G_TASK (result));

  *unit = query->unit;
  query->unit = (WardUnit){ NULL };
}
