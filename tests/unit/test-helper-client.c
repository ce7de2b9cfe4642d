/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The service's side of the helper, on a bus of the test's own with a helper that is none. */
#include "ward-error.h"
#include "ward-helper-client.h"

#define METHOD(name, in, out) "<method name='" name "'>" in out "</method>"
#define IN(type) "<arg type='" type "' direction='in'/>"
#define OUT(type) "<arg type='" type "' direction='out'/>"
#define INTERFACE                                                                                                      \
  "<node><interface name='org.tpmward1.Helper'>" METHOD ("RepairAccess", IN ("b"), OUT ("as"))                         \
      METHOD ("ScanDependents", "", OUT ("aa{sv}")) METHOD ("RequestClear", IN ("s"), OUT ("u"))                       \
          METHOD ("WithdrawClear", IN ("s"), "") METHOD ("Inspect", "", OUT ("aa{sv}") OUT ("as"))                     \
              METHOD ("LoadDriver", IN ("b"), OUT ("as")) METHOD ("DisableService", IN ("s") IN ("b"), OUT ("as"))     \
                  METHOD ("RepairTcsdConfig", IN ("b"), OUT ("as")) METHOD ("CloseTcsd", IN ("b"), OUT ("as"))         \
                      METHOD ("StartTcsd", "", OUT ("s")) METHOD ("StopTcsd", IN ("s"), "") "</interface></node>"

typedef struct
{
  GTestDBus *bus;
  GDBusConnection *connection; /* of both sides */
  GDBusNodeInfo *node;
  const char *error_name; /* what the helper answers with; NULL: what is of the method's type */
  char *called;           /* the method and its parameters, as they were last */
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
  g_free (fixture->called);
  g_test_dbus_down (fixture->bus);
  g_object_unref (fixture->bus);
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *method,
         GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  static const struct
  {
    const char *method, *reply;
  } replies[] = {
    { "RepairAccess", "(['chown a', 'left alone: b'],)" },
    { "ScanDependents", "([{'kind': <'luks-volume'>}],)" },
    { "RequestClear", "(uint32 22,)" },
    { "WithdrawClear", "()" },
    { "Inspect", "([{'pid': <uint32 7>}], ['a line'])" },
    { "LoadDriver", "(['load a'],)" },
    { "DisableService", "(['stop a', 'disable a'],)" },
    { "RepairTcsdConfig", "(['chmod a'],)" },
    { "CloseTcsd", "(['comment out b'],)" },
    { "StartTcsd", "('0123',)" },
    { "StopTcsd", "()" },
  };
  Fixture *fixture = user_data;
  g_autofree char *text = g_variant_print (parameters, FALSE);
  guint i = 0;

  g_free (fixture->called);
  fixture->called = g_strconcat (method, " ", text, NULL);
  while (!g_str_equal (replies[i].method, method))
    i++;
  if (fixture->error_name)
    g_dbus_method_invocation_return_dbus_error (invocation, fixture->error_name, "What it says.");
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new_parsed (replies[i].reply));
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
  g_assert_nonnull (reply);
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
      g_assert_cmpstr (fixture->called, ==, dry_run ? "RepairAccess (true,)" : "RepairAccess (false,)");
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

/* What the helper returned to a call that was just begun. */
static GAsyncResult *
await (GAsyncResult **result)
{
  while (!*result)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static void
test_dependents (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) dependents = NULL;
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  ward_helper_client_scan_dependents_async (fixture->connection, NULL, on_done, &result);
  dependents = ward_helper_client_scan_dependents_finish (fixture->connection, await (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (dependents), ==, 1);
  g_assert_cmpstr (fixture->called, ==, "ScanDependents ()");
}

static void
test_clear (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) withdrawal = NULL;
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  ward_helper_client_request_clear_async (fixture->connection, "tpm3", NULL, on_done, &result);
  g_assert_cmpuint (ward_helper_client_request_clear_finish (fixture->connection, await (&result), &error), ==, 22);
  g_assert_no_error (error);
  g_assert_cmpstr (fixture->called, ==, "RequestClear ('tpm3',)");

  ward_helper_client_withdraw_clear_async (fixture->connection, "tpm3", NULL, on_done, &withdrawal);
  g_assert_true (ward_helper_client_withdraw_clear_finish (fixture->connection, await (&withdrawal), &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fixture->called, ==, "WithdrawClear ('tpm3',)");
}

static void
test_clear_refused (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) withdrawal = NULL;
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  fixture->error_name = "org.tpmward1.Error.NotSupported";
  ward_helper_client_request_clear_async (fixture->connection, "tpm0", NULL, on_done, &result);
  g_assert_cmpuint (ward_helper_client_request_clear_finish (fixture->connection, await (&result), &error), ==, 0);
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  ward_helper_client_withdraw_clear_async (fixture->connection, "tpm0", NULL, on_done, &withdrawal);
  g_assert_false (ward_helper_client_withdraw_clear_finish (fixture->connection, await (&withdrawal), &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
}

static void
test_inspect (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) seen = NULL;
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  ward_helper_client_inspect_async (fixture->connection, NULL, on_done, &result);
  seen = ward_helper_client_inspect_finish (fixture->connection, await (&result), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_variant_get_type_string (seen), ==, "(aa{sv}as)");
  g_assert_cmpstr (fixture->called, ==, "Inspect ()");
}

static void
test_driver_and_services (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GAsyncResult) driver = NULL;
  g_autoptr (GAsyncResult) service = NULL;
  g_auto (GStrv) loaded = NULL;
  g_auto (GStrv) disabled = NULL;
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  ward_helper_client_load_driver_async (fixture->connection, TRUE, NULL, on_done, &driver);
  loaded = ward_helper_client_load_driver_finish (fixture->connection, await (&driver), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (loaded[0], ==, "load a");
  g_assert_cmpstr (fixture->called, ==, "LoadDriver (true,)");

  ward_helper_client_disable_service_async (fixture->connection, "tcsd", FALSE, NULL, on_done, &service);
  disabled = ward_helper_client_disable_service_finish (fixture->connection, await (&service), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (disabled), ==, 2);
  g_assert_cmpstr (fixture->called, ==, "DisableService ('tcsd', false)");
}

static void
test_tcsd (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GAsyncResult) config = NULL;
  g_autoptr (GAsyncResult) remote = NULL;
  g_autoptr (GAsyncResult) start = NULL;
  g_autoptr (GAsyncResult) stop = NULL;
  g_auto (GStrv) repaired = NULL;
  g_auto (GStrv) closed = NULL;
  g_autofree char *started = NULL;
  g_autoptr (GError) error = NULL;

  start_helper (fixture);
  ward_helper_client_repair_tcsd_config_async (fixture->connection, TRUE, on_done, &config);
  repaired = ward_helper_client_tcsd_config_finish (fixture->connection, await (&config), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (repaired[0], ==, "chmod a");
  g_assert_cmpstr (fixture->called, ==, "RepairTcsdConfig (true,)");
  ward_helper_client_close_tcsd_async (fixture->connection, FALSE, on_done, &remote);
  closed = ward_helper_client_tcsd_config_finish (fixture->connection, await (&remote), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (closed[0], ==, "comment out b");
  g_assert_cmpstr (fixture->called, ==, "CloseTcsd (false,)");

  ward_helper_client_start_tcsd_async (fixture->connection, on_done, &start);
  started = ward_helper_client_start_tcsd_finish (fixture->connection, await (&start), &error);
  g_assert_no_error (error);
  g_assert_cmpstr (started, ==, "0123");
  ward_helper_client_stop_tcsd_async (fixture->connection, started, on_done, &stop);
  g_assert_true (ward_helper_client_stop_tcsd_finish (fixture->connection, await (&stop), &error));
  g_assert_cmpstr (fixture->called, ==, "StopTcsd ('0123',)");
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
  g_test_add ("/helper-client/dependents", Fixture, NULL, set_up, test_dependents, tear_down);
  g_test_add ("/helper-client/clear", Fixture, NULL, set_up, test_clear, tear_down);
  g_test_add ("/helper-client/clear-refused", Fixture, NULL, set_up, test_clear_refused, tear_down);
  g_test_add ("/helper-client/inspect", Fixture, NULL, set_up, test_inspect, tear_down);
  g_test_add ("/helper-client/driver-and-services", Fixture, NULL, set_up, test_driver_and_services, tear_down);
  g_test_add ("/helper-client/tcsd", Fixture, NULL, set_up, test_tcsd, tear_down);
  return g_test_run ();
}
