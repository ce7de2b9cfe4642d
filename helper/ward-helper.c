/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-helper.h"

#include "ward-account.h"
#include "ward-bus-error.h"
#include "ward-error.h"
#include "ward-helper-dbus.h"
#include "ward-turns.h"

struct _WardHelper
{
  GObject parent_instance;

  GDBusConnection *connection;
  WardTurns *turns;
  guint object;       /* registration */
  guint name_owner;   /* 0 once the name is given back */
  guint idle_exit;    /* seconds */
  guint idle_timeout; /* source */
  guint n_calls;      /* not answered yet */
  gboolean leaves;
  char *trouble;
};

G_DEFINE_FINAL_TYPE (WardHelper, ward_helper, G_TYPE_OBJECT)

enum
{
  ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
ward_helper_dispose (GObject *object)
{
  WardHelper *self = WARD_HELPER (object);

  g_clear_handle_id (&self->idle_timeout, g_source_remove);
  g_clear_handle_id (&self->name_owner, g_bus_unown_name);
  if (self->object)
    g_dbus_connection_unregister_object (self->connection, self->object);
  self->object = 0;
  g_clear_pointer (&self->turns, ward_turns_free); /* each call holds the helper: none is under way */
  g_clear_object (&self->connection);
  g_clear_pointer (&self->trouble, g_free);
  G_OBJECT_CLASS (ward_helper_parent_class)->dispose (object);
}

static void
ward_helper_class_init (WardHelperClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_helper_dispose;

  signals[ENDED] = g_signal_new ("ended", WARD_TYPE_HELPER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
ward_helper_init (WardHelper *self)
{
}

/* Runs when everything that the bus delivered before the name was given back has been taken in. */
static gboolean
on_drained (gpointer user_data)
{
  WardHelper *self = user_data;

  self->idle_timeout = 0;
  if (self->n_calls == 0)
    g_signal_emit (self, signals[ENDED], 0);
  return G_SOURCE_REMOVE;
}

void
ward_helper_leave (WardHelper *helper)
{
  if (helper->leaves)
    return;

  helper->leaves = TRUE;
  g_clear_handle_id (&helper->idle_timeout, g_source_remove);
  /* returns once the bus has let go of the name, by when all calls to it have been delivered */
  g_clear_handle_id (&helper->name_owner, g_bus_unown_name);
  helper->idle_timeout = g_idle_add_full (G_PRIORITY_LOW, on_drained, helper, NULL);
}

static gboolean
on_idle_timeout (gpointer user_data)
{
  WardHelper *self = user_data;

  self->idle_timeout = 0;
  ward_helper_leave (self);
  return G_SOURCE_REMOVE;
}

static void
call_begins (WardHelper *self)
{
  self->n_calls++;
  if (!self->leaves)
    g_clear_handle_id (&self->idle_timeout, g_source_remove);
}

static void
await_idleness (WardHelper *self)
{
  if (self->n_calls > 0)
    return;
  if (self->leaves && !self->idle_timeout)
    self->idle_timeout = g_idle_add_full (G_PRIORITY_LOW, on_drained, self, NULL);
  else if (!self->leaves)
    self->idle_timeout = g_timeout_add_seconds (self->idle_exit, on_idle_timeout, self);
}

/* One call, from its arrival to its reply. */
typedef struct
{
  WardHelper *helper;
  GDBusMethodInvocation *invocation;
} Call;

static void
call_end (Call *call)
{
  call->helper->n_calls--;
  await_idleness (call->helper);
  g_object_unref (call->helper);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_end)

/* The bus policy says the same. This holds also where another file of its widens it. */
static gboolean
admit (GVariant *reply, GError **error)
{
  WardAccount service;
  guint32 uid;

  if (!ward_account_find (WARD_HELPER_CALLER, &service, error))
    return FALSE;
  g_variant_get (reply, "(u)", &uid);
  if (uid == service.uid)
    return TRUE;
  g_message ("Refused a call of uid %u", uid);
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                       "The helper works for TPM Ward's service only. Call org.tpmward1 instead.");
  return FALSE;
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  g_autoptr (GVariant) returned = NULL;
  GError *error = NULL;

  returned = ward_turns_take_finish (result, &error);
  if (returned)
    g_dbus_method_invocation_return_value (call->invocation, returned);
  else
    ward_bus_error_return (call->invocation, error);
}

static void
on_identified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  GDBusMethodInvocation *invocation = call->invocation;
  WardTurns *turns = call->helper->turns;
  const WardAct *act = ward_act_find (g_dbus_method_invocation_get_method_name (invocation));
  GError *error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (!reply || !admit (reply, &error))
    ward_bus_error_return (invocation, error);
  else
    ward_turns_take_async (turns, act, g_dbus_method_invocation_get_parameters (invocation), on_done,
                           g_steal_pointer (&call));
}

/* GDBus has seen to it that the method is one of the interface's, and has its parameters' types. */
static void
on_method_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  WardHelper *self = user_data;
  Call *call = g_new0 (Call, 1);

  call->helper = g_object_ref (self);
  call->invocation = invocation;
  call_begins (self);
  g_dbus_connection_call (connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                          "GetConnectionUnixUser", g_variant_new ("(s)", sender), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_identified, call);
}

static void
on_name_lost (GDBusConnection *connection, const char *name, gpointer user_data)
{
  WardHelper *self = user_data;

  g_free (self->trouble);
  self->trouble = g_strdup (connection ? "The bus does not let this program own the name " WARD_HELPER_BUS_NAME
                                         ": another instance runs, or the bus policy is not installed."
                                       : "The connection to the system bus is lost.");
  g_signal_emit (self, signals[ENDED], 0);
}

WardHelper *
ward_helper_new (GDBusConnection *connection, guint idle_exit)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_method_call };
  WardHelper *self = g_object_new (WARD_TYPE_HELPER, NULL);
  g_autoptr (GError) error = NULL;

  self->connection = g_object_ref (connection);
  self->idle_exit = idle_exit;
  self->turns = ward_turns_new ();
  self->object = g_dbus_connection_register_object (connection, WARD_HELPER_PATH, ward_dbus_helper_interface_info (),
                                                    &vtable, self, NULL, &error);
  if (!self->object)
    g_error ("%s", error->message); /* only a second export at the path can fail */
  self->name_owner = g_bus_own_name_on_connection (connection, WARD_HELPER_BUS_NAME,
                                                   G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, NULL, on_name_lost, self, NULL);
  await_idleness (self);
  return self;
}

const char *
ward_helper_get_trouble (WardHelper *helper)
{
  return helper->trouble;
}
