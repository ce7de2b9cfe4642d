/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked of polkit, on a bus of the test's own with a polkit that is none. */
#include "ward-authority.h"

#include <unistd.h>

/* Seconds after which a test that hangs is ended. */
#define PATIENCE 30
/* How often GDBus's thread is given way to, to go on with a message that it has shown. */
#define YIELDS 100000

#define INTERFACE                                                                                                      \
  "<node><interface name='org.freedesktop.PolicyKit1.Authority'>"                                                      \
  "<method name='CheckAuthorization'><arg type='(sa{sv})' direction='in'/><arg type='s' direction='in'/>"              \
  "<arg type='a{ss}' direction='in'/><arg type='u' direction='in'/><arg type='s' direction='in'/>"                     \
  "<arg type='(bba{ss})' direction='out'/></method>"                                                                   \
  "<method name='CancelCheckAuthorization'><arg type='s' direction='in'/></method></interface></node>"

typedef struct
{
  GTestDBus *bus;
  GDBusConnection *service;
  GDBusConnection *polkit;
  GDBusNodeInfo *node;
  WardAuthority *authority;
  GDBusMethodInvocation *question; /* which polkit has not answered */
  char *id;                        /* by which that can be cancelled */
  char *cancelled;                 /* the id of what was */
  gint n_replies;                  /* that have come to the service */
  GAsyncResult *result;            /* of the check */
} Fixture;

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *method,
         GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  Fixture *fixture = user_data;

  if (g_str_equal (method, "CheckAuthorization"))
    {
      g_variant_get_child (parameters, 4, "s", &fixture->id);
      fixture->question = invocation;
      return;
    }
  g_variant_get_child (parameters, 0, "s", &fixture->cancelled);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static GDBusConnection *
connect_to (Fixture *fixture)
{
  GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                               | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (fixture->bus),
                                                                        flags, NULL, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  alarm (PATIENCE);
  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  fixture->service = connect_to (fixture);
  fixture->polkit = connect_to (fixture);
  fixture->node = g_dbus_node_info_new_for_xml (INTERFACE, &error);
  g_assert_no_error (error);
  g_dbus_connection_register_object (fixture->polkit, "/org/freedesktop/PolicyKit1/Authority",
                                     fixture->node->interfaces[0], &vtable, fixture, NULL, &error);
  g_assert_no_error (error);
  reply = g_dbus_connection_call_sync (
      fixture->polkit, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
      g_variant_new ("(su)", "org.freedesktop.PolicyKit1", 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
  fixture->authority = ward_authority_new (fixture->service);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  g_clear_object (&fixture->result);
  g_clear_object (&fixture->authority);
  g_clear_object (&fixture->service);
  g_clear_object (&fixture->polkit);
  g_clear_pointer (&fixture->node, g_dbus_node_info_unref);
  g_free (fixture->id);
  g_free (fixture->cancelled);
  g_test_dbus_down (fixture->bus);
  g_object_unref (fixture->bus);
  alarm (0);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ((Fixture *)user_data)->result = g_object_ref (result);
}

/* Until polkit has the question. */
static void
ask (Fixture *fixture, gboolean interactive, GCancellable *cancellable)
{
  ward_authority_check_async (fixture->authority, 1000, ":1.1", "org.tpmward.use",
                              g_variant_new_array (G_VARIANT_TYPE ("{ss}"), NULL, 0), interactive, cancellable,
                              on_checked, fixture);
  while (!fixture->question)
    g_main_context_iteration (NULL, TRUE);
}

static void
say_yes (Fixture *fixture)
{
  g_dbus_method_invocation_return_value (fixture->question, g_variant_new_parsed ("((true, false, @a{ss} {}),)"));
}

static gboolean
finish (Fixture *fixture, WardVerdict *verdict, GError **error)
{
  while (!fixture->result)
    g_main_context_iteration (NULL, TRUE);
  return ward_authority_check_finish (fixture->authority, fixture->result, verdict, error);
}

static void
test_yes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  WardVerdict verdict = WARD_VERDICT_NO;

  ask (fixture, FALSE, cancellable);
  say_yes (fixture);
  g_assert_true (finish (fixture, &verdict, &error));
  g_assert_cmpint (verdict, ==, WARD_VERDICT_YES);
}

static void
test_withdrawn (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  WardVerdict verdict;

  ask (fixture, TRUE, cancellable);
  g_cancellable_cancel (cancellable);
  g_assert_false (finish (fixture, &verdict, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  while (!fixture->cancelled)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (fixture->id, !=, "");
  g_assert_cmpstr (fixture->cancelled, ==, fixture->id);
  say_yes (fixture);
}

static GDBusMessage *
count_replies (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  if (incoming && g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_METHOD_RETURN)
    g_atomic_int_inc (&((Fixture *)user_data)->n_replies);
  return message;
}

/* By now GDBus's thread has the answer, and waits for this to end. */
static void
answer (GCancellable *cancellable, gpointer user_data)
{
  Fixture *fixture = user_data;

  say_yes (fixture);
  while (g_atomic_int_get (&fixture->n_replies) == 0)
    g_thread_yield ();
  for (guint i = 0; i < YIELDS; i++)
    g_thread_yield ();
}

/* It ended in nobody's going on any more. */
static void
test_answered_while_it_is_withdrawn (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  WardVerdict verdict = WARD_VERDICT_NO;
  guint filter;

  g_signal_connect (cancellable, "cancelled", G_CALLBACK (answer), fixture);
  ask (fixture, TRUE, cancellable);
  filter = g_dbus_connection_add_filter (fixture->service, count_replies, fixture, NULL);
  g_cancellable_cancel (cancellable);
  if (finish (fixture, &verdict, &error))
    g_assert_cmpint (verdict, ==, WARD_VERDICT_YES);
  else
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_dbus_connection_remove_filter (fixture->service, filter);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/authority/yes", test_yes);
  ADD ("/authority/withdrawn", test_withdrawn);
  ADD ("/authority/answered-while-it-is-withdrawn", test_answered_while_it_is_withdrawn);
  return g_test_run ();
}
