/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client.h"

struct _WardClient
{
  GObject parent;

  GDBusConnection *connection;
  GDBusObjectManager *objects;
  WardDbusManager *manager;
};

G_DEFINE_FINAL_TYPE (WardClient, ward_client, G_TYPE_OBJECT)

static void
ward_client_dispose (GObject *object)
{
  WardClient *self = WARD_CLIENT (object);

  g_clear_object (&self->manager);
  g_clear_object (&self->objects);
  g_clear_object (&self->connection);
  G_OBJECT_CLASS (ward_client_parent_class)->dispose (object);
}

static void
ward_client_class_init (WardClientClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_client_dispose;
}

static void
ward_client_init (WardClient *self)
{
}

/* Passes error on as a person should read it. Returns FALSE for the caller to return. */
static gboolean
propagate (GError **target, GError *error)
{
  g_propagate_error (target, ward_client_error_take (error));
  return FALSE;
}

static GError *
no_bus (const GError *error)
{
  return g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_BUS,
                      "The system bus, over which programs reach the TPM Ward service, does not answer: %s. Check that "
                      "D-Bus runs on this machine (“systemctl status dbus”).",
                      error->message);
}

/* The first call starts the service if it does not run, and says why if that fails, which GDBusProxy would swallow.
 * From then on the service knows this client and does not end for being idle. */
static GVariant *
first_call_parameters (void)
{
  return g_variant_new ("(ss)", "org.tpmward1.Manager", "Version");
}

static gboolean
make_first_call_sync (GDBusConnection *connection, GCancellable *cancellable, GError **error)
{
  g_autoptr (GVariant) reply = NULL;

  reply = g_dbus_connection_call_sync (connection, WARD_CLIENT_BUS_NAME, WARD_CLIENT_MANAGER_PATH,
                                       "org.freedesktop.DBus.Properties", "Get", first_call_parameters (),
                                       G_VARIANT_TYPE ("(v)"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, cancellable, error);
  return reply != NULL;
}

static gboolean
set_up_sync (WardClient *self, GCancellable *cancellable, GError **error)
{
  if (!make_first_call_sync (self->connection, cancellable, error))
    return FALSE;

  self->objects = ward_dbus_object_manager_client_new_sync (
      self->connection, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START, WARD_CLIENT_BUS_NAME,
      WARD_CLIENT_OBJECT_PATH, cancellable, error);
  if (self->objects == NULL)
    return FALSE;

  self->manager = ward_dbus_manager_proxy_new_sync (self->connection, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
                                                    WARD_CLIENT_BUS_NAME, WARD_CLIENT_MANAGER_PATH, cancellable, error);
  return self->manager != NULL;
}

WardClient *
ward_client_new_sync (GCancellable *cancellable, GError **error)
{
  g_autoptr (WardClient) self = g_object_new (WARD_TYPE_CLIENT, NULL);
  g_autoptr (GError) local_error = NULL;

  (void)WARD_CLIENT_ERROR; /* registers the names before the first error arrives */
  self->connection = g_bus_get_sync (G_BUS_TYPE_SYSTEM, cancellable, &local_error);
  if (self->connection == NULL)
    {
      g_propagate_error (error, no_bus (local_error));
      return NULL;
    }
  /* A lost bus is for the program to tell its user; GDBus would kill the process. */
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);

  if (!set_up_sync (self, cancellable, &local_error))
    {
      propagate (error, g_steal_pointer (&local_error));
      return NULL;
    }
  return g_steal_pointer (&self);
}

static void
on_manager_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  WardClient *self = g_task_get_task_data (task);

  self->manager = ward_dbus_manager_proxy_new_finish (result, &error);
  if (self->manager == NULL)
    g_task_return_error (task, ward_client_error_take (g_steal_pointer (&error)));
  else
    g_task_return_pointer (task, g_object_ref (self), g_object_unref);
}

static void
on_objects_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  WardClient *self = g_task_get_task_data (task);

  self->objects = ward_dbus_object_manager_client_new_finish (result, &error);
  if (self->objects == NULL)
    {
      g_task_return_error (task, ward_client_error_take (g_steal_pointer (&error)));
      return;
    }
  ward_dbus_manager_proxy_new (self->connection, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, WARD_CLIENT_BUS_NAME,
                               WARD_CLIENT_MANAGER_PATH, g_task_get_cancellable (task), on_manager_ready,
                               g_object_ref (task));
}

static void
on_service_runs (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (reply == NULL)
    {
      g_task_return_error (task, ward_client_error_take (g_steal_pointer (&error)));
      return;
    }
  ward_dbus_object_manager_client_new (G_DBUS_CONNECTION (source), G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START,
                                       WARD_CLIENT_BUS_NAME, WARD_CLIENT_OBJECT_PATH, g_task_get_cancellable (task),
                                       on_objects_ready, g_object_ref (task));
}

static void
make_first_call_async (GDBusConnection *connection, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_dbus_connection_call (connection, WARD_CLIENT_BUS_NAME, WARD_CLIENT_MANAGER_PATH, "org.freedesktop.DBus.Properties",
                          "Get", first_call_parameters (), G_VARIANT_TYPE ("(v)"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
                          cancellable, callback, user_data);
}

static void
on_bus_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  WardClient *self = g_task_get_task_data (task);

  self->connection = g_dbus_connection_new_for_address_finish (result, &error);
  if (self->connection == NULL)
    {
      g_task_return_error (task, no_bus (error));
      return;
    }
  make_first_call_async (self->connection, g_task_get_cancellable (task), on_service_runs, g_object_ref (task));
}

/* A connection of its own: the one that a process shares stays the lost one for as long as anybody has it. */
static void
open_bus_async (GTask *task)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, &error);

  if (address == NULL)
    {
      g_task_return_error (task, no_bus (error));
      return;
    }
  g_dbus_connection_new_for_address (
      address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
      g_task_get_cancellable (task), on_bus_ready, g_object_ref (task));
}

void
ward_client_new_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);

  (void)WARD_CLIENT_ERROR;
  g_task_set_task_data (task, g_object_new (WARD_TYPE_CLIENT, NULL), g_object_unref);
  open_bus_async (task);
}

WardClient *
ward_client_new_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (reply == NULL)
    g_task_return_error (task, ward_client_error_take (g_steal_pointer (&error)));
  else
    g_task_return_boolean (task, TRUE);
}

void
ward_client_start_async (WardClient *client, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (client, cancellable, callback, user_data);

  make_first_call_async (client->connection, cancellable, on_started, g_object_ref (task));
}

gboolean
ward_client_start_finish (WardClient *client, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, client), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

GDBusConnection *
ward_client_get_connection (WardClient *client)
{
  return client->connection;
}

GDBusObjectManager *
ward_client_get_objects (WardClient *client)
{
  return client->objects;
}

WardDbusManager *
ward_client_get_manager (WardClient *client)
{
  return client->manager;
}

gboolean
ward_client_is_running (WardClient *client)
{
  g_autofree char *owner = g_dbus_object_manager_client_get_name_owner (G_DBUS_OBJECT_MANAGER_CLIENT (client->objects));

  return owner != NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  WardDbusTpm *tpm_a = ward_dbus_object_peek_tpm (*(WardDbusObject **)a);
  WardDbusTpm *tpm_b = ward_dbus_object_peek_tpm (*(WardDbusObject **)b);

  return g_strcmp0 (ward_dbus_tpm_get_name (tpm_a), ward_dbus_tpm_get_name (tpm_b));
}

GPtrArray *
ward_client_dup_tpms (WardClient *client)
{
  g_autoptr (GPtrArray) tpms = g_ptr_array_new_with_free_func (g_object_unref);
  g_autolist (GDBusObject) objects = g_dbus_object_manager_get_objects (client->objects);

  for (GList *l = objects; l != NULL; l = l->next)
    if (ward_dbus_object_peek_tpm (WARD_DBUS_OBJECT (l->data)) != NULL)
      g_ptr_array_add (tpms, g_object_ref (l->data));

  g_ptr_array_sort (tpms, compare_names);
  return g_steal_pointer (&tpms);
}

static void
set_no_tpm (WardClient *client, GError **error)
{
  const char *reason = ward_dbus_manager_get_no_tpm_reason (client->manager);

  if (reason == NULL || *reason == '\0')
    reason = "The TPM Ward service has not found a TPM.";
  g_set_error_literal (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_TPM, reason);
}

static void
set_no_such_tpm (GPtrArray *tpms, const char *name, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < tpms->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            ward_dbus_tpm_get_name (ward_dbus_object_peek_tpm (tpms->pdata[i])));
  g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_TPM, "There is no TPM named “%s”; this machine has %s.",
               name, names->str);
}

WardDbusObject *
ward_client_find_tpm (WardClient *client, const char *name, GError **error)
{
  g_autoptr (GPtrArray) tpms = ward_client_dup_tpms (client);

  if (tpms->len == 0)
    {
      set_no_tpm (client, error);
      return NULL;
    }

  for (guint i = 0; i < tpms->len; i++)
    {
      WardDbusTpm *tpm = ward_dbus_object_peek_tpm (tpms->pdata[i]);

      if (name == NULL || g_strcmp0 (name, ward_dbus_tpm_get_name (tpm)) == 0)
        return g_object_ref (tpms->pdata[i]);
    }

  set_no_such_tpm (tpms, name, error);
  return NULL;
}

static GDBusCallFlags
dbus_flags (WardClientCallFlags flags)
{
  return flags & WARD_CLIENT_CALL_INTERACTIVE ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
                                              : G_DBUS_CALL_FLAGS_NONE;
}

/* Of a proxy's call. One of an object manager's calls the process that the service was when it was made: where that has
 * ended, the bus knows nobody of that name, which does not mean that the service is not installed. */
static gboolean
propagate_of (gpointer proxy, GError **target, GError *error)
{
  const char *name = g_dbus_proxy_get_name (proxy);
  g_autofree char *remote_name = g_dbus_error_get_remote_error (error);

  if (name != NULL && g_dbus_is_unique_name (name)
      && (g_strcmp0 (remote_name, "org.freedesktop.DBus.Error.ServiceUnknown") == 0
          || g_strcmp0 (remote_name, "org.freedesktop.DBus.Error.NameHasNoOwner") == 0))
    {
      g_error_free (error);
      error = g_dbus_error_new_for_dbus_error ("org.freedesktop.DBus.Error.NoReply",
                                               "Its process is not there any more");
    }
  return propagate (target, error);
}

void
ward_client_call_async (gpointer proxy, const char *method, GVariant *parameters, GUnixFDList *fds,
                        WardClientCallFlags flags, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_dbus_proxy_call_with_unix_fd_list (G_DBUS_PROXY (proxy), method, parameters, dbus_flags (flags), G_MAXINT, fds,
                                       cancellable, callback, user_data);
}

GVariant *
ward_client_call_finish (gpointer proxy, GAsyncResult *result, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GVariant) reply = g_dbus_proxy_call_with_unix_fd_list_finish (G_DBUS_PROXY (proxy), NULL, result,
                                                                           &local_error);

  if (reply == NULL)
    propagate_of (proxy, error, g_steal_pointer (&local_error));
  return g_steal_pointer (&reply);
}

GVariant *
ward_client_call_sync (gpointer proxy, const char *method, GVariant *parameters, GUnixFDList *fds,
                       WardClientCallFlags flags, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (GVariant) reply = g_dbus_proxy_call_with_unix_fd_list_sync (
      G_DBUS_PROXY (proxy), method, parameters, dbus_flags (flags), G_MAXINT, fds, NULL, cancellable, &local_error);

  if (reply == NULL)
    propagate_of (proxy, error, g_steal_pointer (&local_error));
  return g_steal_pointer (&reply);
}
