/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The service's side of the helper, on a bus of the test's own with a helper that is none. */
#include "ward-error.h"
#include "ward-helper-client.h"

#define INTERFACE                                                                                                      \
  "<node><interface name='org.tpmward1.Helper'><method name='RepairAccess'><arg type='b' direction='in'/>"             \
  "<arg type='as' direction='out'/></method></interface></node>"

typedef struct
{
  GTestDBus *bus;
  GDBusConnection *connection; /* of both sides */
  GDBusNodeInfo *node;
  const char *error_name; /* what the helper answers with; NULL: two lines */
  gboolean dry_run;       /* what it was called with last */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  fixture->connection = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (fixture->bus),
                                                                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                                    | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                                NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  g_clear_pointer (&fixture->node, g_dbus_node_info_unref);
  g_clear_object (&fixture->connection);
  g_test_dbus_down (fixture->bus);
  g_object_unref (fixture->bus);
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *method,
         GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  static const char *const lines[] = { "chown a", "left alone: b", NULL };
  Fixture *fixture = user_data;

  g_variant_get (parameters, "(b)", &fixture->dry_run);
  if (fixture->error_name)
    g_dbus_method_invocation_return_dbus_error (invocation, fixture->error_name, "What it says.");
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(^as)", lines));
}

static void
start_helper (Fixture *fixture)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  fixture->node = g_dbus_node_info_new_for_xml (INTERFACE, &error);
  g_assert_no_error (error);
  g_dbus_connection_register_object (fixture->connection, "/org/tpmward1/Helper", fixture->node->interfaces[0], &vtable,
                                     fixture, NULL, &error);
  g_assert_no_error (error);
  reply = g_dbus_connection_call_sync (
      fixture->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
      g_variant_new ("(su)", "org.tpmward1.Helper", 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static char **
repair (Fixture *fixture, gboolean dry_run, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_helper_client_repair_access_async (fixture->connection, dry_run, cancellable, on_done, &result);
  while (!result)
    g_main_context_iteration (NULL, TRUE);
  return ward_helper_client_repair_access_finish (fixture->connection, result, error);
}

static void
test_lines (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  for (guint dry_run = 0; dry_run < 2; dry_run++)
    {
      g_auto (GStrv) actions = repair (fixture, dry_run, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (g_strv_length (actions), ==, 2);
      g_assert_cmpstr (actions[1], ==, "left alone: b");
      g_assert_cmpint (fixture->dry_run, ==, dry_run);
    }
}

static void
test_no_helper (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (repair (fixture, TRUE, NULL, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "install it"));
  g_assert_null (strstr (error->message, "GDBus.Error"));
}

static void
test_own_errors_keep_their_code_and_text (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  fixture->error_name = "org.tpmward1.Error.NotFound";
  g_assert_null (repair (fixture, TRUE, NULL, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, "What it says.");
}

static void
test_other_errors (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  fixture->error_name = "org.freedesktop.DBus.Error.Spawn.ChildExited";
  g_assert_null (repair (fixture, TRUE, NULL, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (error->message, "What it says."));
}

static void
test_withdrawn (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (repair (fixture, TRUE, cancellable, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/helper-client/lines", Fixture, NULL, set_up, test_lines, tear_down);
  g_test_add ("/helper-client/no-helper", Fixture, NULL, set_up, test_no_helper, tear_down);
  g_test_add ("/helper-client/own-errors", Fixture, NULL, set_up, test_own_errors_keep_their_code_and_text, tear_down);
  g_test_add ("/helper-client/other-errors", Fixture, NULL, set_up, test_other_errors, tear_down);
  g_test_add ("/helper-client/withdrawn", Fixture, NULL, set_up, test_withdrawn, tear_down);
  return g_test_run ();
}
