/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-machine.h"

/* How long a service that could not be started, or ended soon, is left alone before the next try: from the second one
 * on, and at most. */
#define RETRY_MS_MIN 1000
#define RETRY_MS_MAX 30000

/* One that has run for so long did not end because it cannot run. */
#define SOUND_US (10 * G_USEC_PER_SEC)

struct _WardGuiMachine
{
  GObject parent;

  WardClient *client;
  GListStore *chips;
  WardGuiMachineState state;
  GError *error;

  gboolean is_connecting;
  guint retry_id;
  guint retry_ms;       /* until the next try; 0: at once */
  gboolean is_running;  /* and its TPMs are known: the client's word for it comes before them */
  gint64 running_since; /* monotonic; 0 while it does not run */
};

G_DEFINE_FINAL_TYPE (WardGuiMachine, ward_gui_machine, G_TYPE_OBJECT)

enum
{
  PROP_STATE = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void connect_to_service (WardGuiMachine *self);

/* Takes error. */
static void
set_state (WardGuiMachine *self, WardGuiMachineState state, GError *error)
{
  g_clear_error (&self->error);
  self->error = error;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

static WardGuiChip *
find_chip (WardGuiMachine *self, WardDbusObject *object, guint *position)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->chips));

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (G_LIST_MODEL (self->chips), i);

      if (ward_gui_chip_get_object (chip) == object)
        {
          *position = i;
          return chip; /* the list has a reference */
        }
    }
  return NULL;
}

static int
compare_chips (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return g_strcmp0 (ward_gui_chip_get_name ((WardGuiChip *)a), ward_gui_chip_get_name ((WardGuiChip *)b));
}

/* The chips that the service has, and no others; those that were there stay the same objects. */
static void
follow_chips (WardGuiMachine *self)
{
  g_autoptr (GPtrArray) tpms = ward_client_dup_tpms (self->client);

  for (guint i = g_list_model_get_n_items (G_LIST_MODEL (self->chips)); i > 0; i--)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (G_LIST_MODEL (self->chips), i - 1);

      if (!g_ptr_array_find (tpms, ward_gui_chip_get_object (chip), NULL))
        g_list_store_remove (self->chips, i - 1);
    }
  for (guint i = 0; i < tpms->len; i++)
    {
      guint position;

      if (find_chip (self, tpms->pdata[i], &position) == NULL)
        {
          g_autoptr (WardGuiChip) chip = ward_gui_chip_new (self->client, tpms->pdata[i]);

          g_list_store_insert_sorted (self->chips, chip, compare_chips, NULL);
        }
    }
}

static void
follow (WardGuiMachine *self)
{
  GError *error = NULL;
  g_autoptr (WardDbusObject) first = NULL;

  follow_chips (self);
  if (!self->is_running)
    return;
  first = ward_client_find_tpm (self->client, NULL, &error);
  set_state (self, first != NULL ? WARD_GUI_MACHINE_READY : WARD_GUI_MACHINE_NO_TPM, error);
}

static gboolean
on_retry (gpointer user_data)
{
  WardGuiMachine *self = user_data;

  self->retry_id = 0;
  connect_to_service (self);
  return G_SOURCE_REMOVE;
}

static void
connect_after (WardGuiMachine *self, guint delay_ms)
{
  g_clear_handle_id (&self->retry_id, g_source_remove);
  self->retry_id = g_timeout_add (delay_ms, on_retry, self);
}

/* At once the first time, and then less and less often. */
static void
connect_later (WardGuiMachine *self)
{
  guint delay_ms;

  if (self->running_since != 0 && g_get_monotonic_time () - self->running_since > SOUND_US)
    self->retry_ms = 0;
  self->running_since = 0;
  delay_ms = self->retry_ms;
  self->retry_ms = CLAMP (delay_ms * 2, RETRY_MS_MIN, RETRY_MS_MAX);
  connect_after (self, delay_ms);
}

static void
on_name_owner_changed (WardGuiMachine *self)
{
  gboolean is_running = ward_client_is_running (self->client);

  if (is_running == self->is_running)
    return;
  self->is_running = is_running;
  if (is_running)
    {
      self->running_since = g_get_monotonic_time ();
      g_clear_handle_id (&self->retry_id, g_source_remove);
    }
  follow (self);
  if (is_running)
    return;
  /* it ended while it was needed: whatever the reason, another one is started */
  set_state (self, WARD_GUI_MACHINE_CONNECTING, NULL);
  connect_later (self);
}

static void
drop_client (WardGuiMachine *self)
{
  if (self->client == NULL)
    return;
  g_signal_handlers_disconnect_by_data (ward_client_get_objects (self->client), self);
  g_signal_handlers_disconnect_by_data (ward_client_get_manager (self->client), self);
  g_signal_handlers_disconnect_by_data (ward_client_get_connection (self->client), self);
  g_clear_object (&self->client);
}

/* Its connection does not come back: the next try is made with a new client. */
static void
on_bus_lost (WardGuiMachine *self)
{
  drop_client (self);
  self->is_running = FALSE;
  g_list_store_remove_all (self->chips);
  set_state (self, WARD_GUI_MACHINE_CONNECTING, NULL);
  connect_later (self);
}

static void
set_client (WardGuiMachine *self, WardClient *client)
{
  GDBusObjectManager *objects = ward_client_get_objects (client);

  g_set_object (&self->client, client);
  g_signal_connect_object (objects, "object-added", G_CALLBACK (follow), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (objects, "object-removed", G_CALLBACK (follow), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (objects, "notify::name-owner", G_CALLBACK (on_name_owner_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_client_get_manager (client), "notify::no-tpm-reason", G_CALLBACK (follow), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_client_get_connection (client), "closed", G_CALLBACK (on_bus_lost), self,
                           G_CONNECT_SWAPPED);
  on_name_owner_changed (self);
  if (!self->is_running)
    connect_later (self); /* it has ended already */
  else
    self->retry_ms = 0;
}

/* What the two ways to the service have in common at their end; takes error. FALSE if it was not reached. */
static gboolean
end_connecting (WardGuiMachine *self, GError *error)
{
  self->is_connecting = FALSE;
  if (error == NULL)
    return TRUE;
  set_state (self, WARD_GUI_MACHINE_FAILED, error);
  connect_later (self);
  return FALSE;
}

static void
on_client_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiMachine) self = user_data;
  GError *error = NULL;
  g_autoptr (WardClient) client = ward_client_new_finish (result, &error);

  if (end_connecting (self, error))
    set_client (self, client);
}

/* What there is now is told by the client's signals; if they tell of nothing, it ended before anybody saw it. */
static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiMachine) self = user_data;
  GError *error = NULL;

  ward_client_start_finish (WARD_CLIENT (source), result, &error);
  if (WARD_CLIENT (source) != self->client)
    {
      /* the bus was lost meanwhile, which has been told */
      self->is_connecting = FALSE;
      g_clear_error (&error);
    }
  else if (!end_connecting (self, error))
    return;
  if (self->retry_id == 0 && !self->is_running)
    connect_after (self, RETRY_MS_MIN);
}

static void
connect_to_service (WardGuiMachine *self)
{
  if (self->is_connecting)
    return;
  self->is_connecting = TRUE;
  g_clear_handle_id (&self->retry_id, g_source_remove);
  if (self->client != NULL)
    ward_client_start_async (self->client, NULL, on_started, g_object_ref (self));
  else
    ward_client_new_async (NULL, on_client_ready, g_object_ref (self));
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WardGuiMachine *self = WARD_GUI_MACHINE (object);

  if (id == PROP_STATE)
    g_value_set_int (value, self->state);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ward_gui_machine_dispose (GObject *object)
{
  WardGuiMachine *self = WARD_GUI_MACHINE (object);

  g_clear_handle_id (&self->retry_id, g_source_remove);
  g_clear_object (&self->chips);
  g_clear_object (&self->client);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (ward_gui_machine_parent_class)->dispose (object);
}

static void
ward_gui_machine_class_init (WardGuiMachineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = get_property;
  object_class->dispose = ward_gui_machine_dispose;

  properties[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, WARD_GUI_MACHINE_CONNECTING, WARD_GUI_MACHINE_FAILED,
                                             WARD_GUI_MACHINE_CONNECTING, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ward_gui_machine_init (WardGuiMachine *self)
{
  self->chips = g_list_store_new (WARD_GUI_TYPE_CHIP);
}

WardGuiMachine *
ward_gui_machine_new (void)
{
  WardGuiMachine *self = g_object_new (WARD_GUI_TYPE_MACHINE, NULL);

  self->retry_ms = RETRY_MS_MIN; /* this is the first try */
  connect_to_service (self);
  return self;
}

WardGuiMachineState
ward_gui_machine_get_state (WardGuiMachine *machine)
{
  return machine->state;
}

const GError *
ward_gui_machine_get_error (WardGuiMachine *machine)
{
  return machine->error;
}

WardClient *
ward_gui_machine_get_client (WardGuiMachine *machine)
{
  return machine->client;
}

GListModel *
ward_gui_machine_get_chips (WardGuiMachine *machine)
{
  return G_LIST_MODEL (machine->chips);
}

void
ward_gui_machine_retry (WardGuiMachine *machine)
{
  machine->retry_ms = RETRY_MS_MIN;
  if (machine->state == WARD_GUI_MACHINE_FAILED)
    set_state (machine, WARD_GUI_MACHINE_CONNECTING, NULL);
  connect_to_service (machine);
}
