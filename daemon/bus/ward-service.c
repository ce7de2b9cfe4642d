/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-service.h"

#include "ward-clients.h"
#include "ward-error.h"
#include "ward-gate.h"
#include "ward-helper-client.h"
#include "ward-manager-interface.h"
#include "ward-tcsd.h"
#include "ward-tpm-object.h"

/* Who calls the name shall find TPMs that are known; but a chip that is slow to answer does not hold up the start. */
#define FIRST_LOOK_MS 1000

/* How long, once the name is given back, calls that have arrived may take to end. */
#define DRAIN_USEC (5 * G_USEC_PER_SEC)

struct _WardService
{
  GObject parent_instance;

  GDBusConnection *connection;
  WardInventory *inventory;
  WardKeyring *keyring;
  WardClients *clients;
  WardTcsd *tcsd;
  WardGate *gate;
  WardDbusManager *manager;
  GDBusObjectManagerServer *objects;

  guint name_owner;     /* 0 until the name is asked for */
  guint first_look;     /* source */
  guint idle_exit;      /* seconds */
  guint idle_timeout;   /* source */
  guint drain_limit;    /* source */
  GCancellable *access; /* the repair of access at the start */
  gboolean leaves;      /* the name has been given back */
  char *trouble;
};

G_DEFINE_FINAL_TYPE (WardService, ward_service, G_TYPE_OBJECT)

enum
{
  ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
ward_service_dispose (GObject *object)
{
  WardService *self = WARD_SERVICE (object);

  g_clear_handle_id (&self->first_look, g_source_remove);
  g_clear_handle_id (&self->idle_timeout, g_source_remove);
  g_clear_handle_id (&self->drain_limit, g_source_remove);
  g_cancellable_cancel (self->access);
  g_clear_object (&self->access);
  g_clear_handle_id (&self->name_owner, g_bus_unown_name);
  if (self->manager)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->manager));
  g_clear_object (&self->manager);
  g_clear_object (&self->objects);
  g_clear_pointer (&self->gate, ward_gate_free);
  g_clear_object (&self->tcsd);
  g_clear_object (&self->clients);
  g_clear_object (&self->inventory);
  g_clear_object (&self->keyring);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->trouble, g_free);
  G_OBJECT_CLASS (ward_service_parent_class)->dispose (object);
}

static void
ward_service_class_init (WardServiceClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_service_dispose;

  signals[ENDED] = g_signal_new ("ended", WARD_TYPE_SERVICE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
ward_service_init (WardService *self)
{
}

static void
end (WardService *self, const char *trouble)
{
  self->trouble = g_strdup (trouble);
  g_signal_emit (self, signals[ENDED], 0);
}

/* Runs when everything that the bus delivered before the name was given back has been taken in. */
static gboolean
on_drained (gpointer user_data)
{
  WardService *self = user_data;

  self->idle_timeout = 0;
  if (!ward_clients_has_calls (self->clients) && !ward_tcsd_is_stopping (self->tcsd))
    end (self, NULL);
  else
    self->idle_timeout = g_timeout_add (10, on_drained, self);
  return G_SOURCE_REMOVE;
}

/* Also when calls keep coming, so that nothing of lower priority ever runs. */
static gboolean
on_drain_limit (gpointer user_data)
{
  WardService *self = user_data;

  self->drain_limit = 0;
  ward_gate_close (self->gate);
  end (self, NULL);
  return G_SOURCE_REMOVE;
}

void
ward_service_leave (WardService *service)
{
  if (service->leaves)
    return;

  service->leaves = TRUE;
  g_clear_handle_id (&service->idle_timeout, g_source_remove);
  g_clear_handle_id (&service->first_look, g_source_remove);
  ward_tcsd_stop_async (service->tcsd, NULL, NULL);
  /* returns once the bus has let go of the name, by when all calls to it have been delivered */
  g_clear_handle_id (&service->name_owner, g_bus_unown_name);
  service->idle_timeout = g_idle_add_full (G_PRIORITY_LOW, on_drained, service, NULL);
  service->drain_limit = g_timeout_add (DRAIN_USEC / 1000, on_drain_limit, service);
}

static gboolean on_idle_timeout (gpointer user_data);

static void
await_idleness (WardService *self)
{
  if (self->leaves || self->idle_exit == 0)
    return;

  g_clear_handle_id (&self->idle_timeout, g_source_remove);
  if (ward_clients_is_idle (self->clients))
    self->idle_timeout = g_timeout_add_seconds (self->idle_exit, on_idle_timeout, self);
}

/* A tcsd that was started here and that other programs use now keeps the service, so that somebody stops it in the end.
 */
static void
on_tcsd_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardService) self = user_data;

  if (!ward_tcsd_stop_finish (WARD_TCSD (source), result))
    await_idleness (self);
  else if (ward_clients_is_idle (self->clients) && !self->leaves)
    {
      g_message ("Idle for %u s: ending", self->idle_exit);
      ward_service_leave (self);
    }
}

static gboolean
on_idle_timeout (gpointer user_data)
{
  WardService *self = user_data;

  self->idle_timeout = 0;
  ward_tcsd_stop_async (self->tcsd, on_tcsd_stopped, g_object_ref (self));
  return G_SOURCE_REMOVE;
}

static void
on_name_lost (GDBusConnection *connection, const char *name, gpointer user_data)
{
  WardService *self = user_data;

  end (self, connection ? "The bus does not let this program own the name " WARD_BUS_NAME
                          ": another instance runs, or the bus policy is not installed or names another user."
                        : "The connection to the system bus is lost.");
}

static void
on_name_acquired (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_message ("On the bus as %s", name);
}

static void
own_name (WardService *self)
{
  g_clear_handle_id (&self->first_look, g_source_remove);
  self->name_owner = g_bus_own_name_on_connection (self->connection, WARD_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                                   on_name_acquired, on_name_lost, self, NULL);
}

static gboolean
all_tpms_seen (WardService *self)
{
  GPtrArray *tpms = ward_inventory_get_tpms (self->inventory);

  for (guint i = 0; i < tpms->len; i++)
    if (!ward_tpm_has_been_seen (g_ptr_array_index (tpms, i)))
      return FALSE;
  return TRUE;
}

static void
on_tpm_changed (WardTpm *tpm, WardService *self)
{
  if (!self->name_owner && !self->leaves && all_tpms_seen (self))
    own_name (self);
}

static gboolean
on_first_look_timeout (gpointer user_data)
{
  WardService *self = user_data;

  self->first_look = 0;
  own_name (self);
  return G_SOURCE_REMOVE;
}

static void
on_tpm_added (WardInventory *inventory, WardTpm *tpm, WardService *self)
{
  g_autoptr (GDBusObjectSkeleton) object = ward_tpm_object_new (self->gate, self->keyring, tpm);

  g_signal_connect_object (tpm, "changed", G_CALLBACK (on_tpm_changed), self, 0);
  g_dbus_object_manager_server_export (self->objects, object);
}

static void
on_tpm_removed (WardInventory *inventory, WardTpm *tpm, WardService *self)
{
  g_autofree char *path = ward_tpm_object_path (tpm);

  g_dbus_object_manager_server_unexport (self->objects, path);
}

static void
export_objects (WardService *self)
{
  GPtrArray *tpms = ward_inventory_get_tpms (self->inventory);
  g_autoptr (GError) error = NULL;

  self->manager = ward_manager_interface_new (self->gate, self->inventory, self->keyring);
  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->manager), self->connection, WARD_MANAGER_PATH,
                                         &error))
    g_error ("%s", error->message); /* only a second export at the path can fail */

  self->objects = g_dbus_object_manager_server_new (WARD_ROOT_PATH);
  for (guint i = 0; i < tpms->len; i++)
    on_tpm_added (self->inventory, g_ptr_array_index (tpms, i), self);
  g_dbus_object_manager_server_set_connection (self->objects, self->connection);
  g_signal_connect_object (self->inventory, "added", G_CALLBACK (on_tpm_added), self, 0);
  g_signal_connect_object (self->inventory, "removed", G_CALLBACK (on_tpm_removed), self, 0);
}

/* Who starts the service wants its TPMs, and tells from their properties whether they can be used. */
static void
start_tcsd (WardService *self)
{
  GPtrArray *tpms = ward_inventory_get_tpms (self->inventory);

  for (guint i = 0; i < tpms->len; i++)
    if (!self->leaves && ward_tcsd_may_help (self->tcsd, g_ptr_array_index (tpms, i)))
      ward_tcsd_start_async (self->tcsd, g_ptr_array_index (tpms, i), FALSE, NULL, NULL);
}

static void
on_access_repaired (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) actions = ward_helper_client_repair_access_finish (G_DBUS_CONNECTION (source), result, &error);

  if (g_error_matches (error, WARD_ERROR, WARD_ERROR_CANCELLED))
    return; /* the service has gone */
  for (char **action = actions; action && *action; action++)
    g_message ("Access to the TPM: %s", *action);
  if (error)
    g_message ("Access to the TPM was not looked after: %s", error->message);
  else
    start_tcsd (user_data);
}

WardService *
ward_service_new (GDBusConnection *connection, WardInventory *inventory, WardKeyring *keyring, guint idle_exit)
{
  WardService *self = g_object_new (WARD_TYPE_SERVICE, NULL);

  self->connection = g_object_ref (connection);
  self->inventory = g_object_ref (inventory);
  self->keyring = g_object_ref (keyring);
  self->clients = ward_clients_new (connection);
  self->tcsd = ward_tcsd_new (connection, inventory);
  self->gate = ward_gate_new (connection, self->clients, self->tcsd);
  self->idle_exit = idle_exit;
  self->access = g_cancellable_new ();

  g_signal_connect_object (self->clients, "population-changed", G_CALLBACK (await_idleness), self, G_CONNECT_SWAPPED);
  export_objects (self);
  await_idleness (self);

  /* a TPM whose node could not be opened is tried again by its worker every second */
  if (ward_helper_client_has_devices ())
    ward_helper_client_repair_access_async (connection, FALSE, self->access, on_access_repaired, self);

  if (all_tpms_seen (self))
    own_name (self);
  else
    self->first_look = g_timeout_add (FIRST_LOOK_MS, on_first_look_timeout, self);
  return self;
}

const char *
ward_service_get_trouble (WardService *service)
{
  return service->trouble;
}
