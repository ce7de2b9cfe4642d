/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client.h"

/* A bus of the test's own, in the place of the system bus, with a service on it if a test starts one. */
typedef struct
{
  GTestDBus *bus;
  GDBusConnection *connection; /* the service's */
  GDBusObjectManagerServer *objects;
  WardDbusManager *manager;
  guint name;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address (fixture->bus), TRUE);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  if (fixture->name != 0)
    g_bus_unown_name (fixture->name);
  g_clear_object (&fixture->objects);
  g_clear_object (&fixture->manager);
  g_clear_object (&fixture->connection);
  g_test_dbus_stop (fixture->bus);
  g_object_unref (fixture->bus);
}

static void
add_tpm (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_strconcat (WARD_CLIENT_OBJECT_PATH "/tpm/", name, NULL);
  g_autoptr (WardDbusObjectSkeleton) object = ward_dbus_object_skeleton_new (path);
  g_autoptr (WardDbusTpm) tpm = ward_dbus_tpm_skeleton_new ();

  ward_dbus_tpm_set_name (tpm, name);
  ward_dbus_object_skeleton_set_tpm (object, tpm);
  g_dbus_object_manager_server_export (fixture->objects, G_DBUS_OBJECT_SKELETON (object));
}

static void
on_name_acquired (GDBusConnection *connection, const char *name, gpointer user_data)
{
  *(gboolean *)user_data = TRUE;
}

static void
start_service (Fixture *fixture, const char *no_tpm_reason)
{
  g_autoptr (GError) error = NULL;
  gboolean acquired = FALSE;

  fixture->connection = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (fixture->bus),
                                                                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                                    | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                                NULL, NULL, &error);
  g_assert_no_error (error);

  fixture->manager = ward_dbus_manager_skeleton_new ();
  ward_dbus_manager_set_version (fixture->manager, "1");
  ward_dbus_manager_set_no_tpm_reason (fixture->manager, no_tpm_reason);
  g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (fixture->manager), fixture->connection,
                                    WARD_CLIENT_MANAGER_PATH, &error);
  g_assert_no_error (error);

  fixture->objects = g_dbus_object_manager_server_new (WARD_CLIENT_OBJECT_PATH);
  g_dbus_object_manager_server_set_connection (fixture->objects, fixture->connection);
  fixture->name = g_bus_own_name_on_connection (fixture->connection, WARD_CLIENT_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                                on_name_acquired, NULL, &acquired, NULL);
  while (!acquired)
    g_main_context_iteration (NULL, TRUE);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static WardClient *
connect_client (GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_client_new_async (NULL, on_done, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return ward_client_new_finish (result, error);
}

static void
test_no_service (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardClient) client = connect_client (&error);

  g_assert_null (client);
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_SERVICE);
}

static void
test_no_service_sync (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardClient) client = ward_client_new_sync (NULL, &error);

  g_assert_null (client);
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_SERVICE);
}

static void
test_no_tpm (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardClient) client = NULL;
  g_autoptr (WardDbusObject) tpm = NULL;

  start_service (fixture, "Somebody has taken it out.");
  client = connect_client (&error);
  g_assert_no_error (error);
  g_assert_true (ward_client_is_running (client));

  tpm = ward_client_find_tpm (client, NULL, &error);
  g_assert_null (tpm);
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_TPM);
  g_assert_cmpstr (error->message, ==, "Somebody has taken it out.");
}

static void
assert_found (WardClient *client, const char *wanted, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardDbusObject) tpm = ward_client_find_tpm (client, wanted, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (ward_dbus_tpm_get_name (ward_dbus_object_peek_tpm (tpm)), ==, expected);
}

static void
test_tpms_by_name (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardClient) client = NULL;
  g_autoptr (WardDbusObject) tpm = NULL;

  start_service (fixture, "");
  add_tpm (fixture, "tpm1");
  add_tpm (fixture, "tpm0");
  client = connect_client (&error);
  g_assert_no_error (error);

  assert_found (client, NULL, "tpm0");
  assert_found (client, "tpm1", "tpm1");
  tpm = ward_client_find_tpm (client, "tpm2", &error);
  g_assert_null (tpm);
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_TPM);
  g_assert_cmpstr (error->message, ==, "There is no TPM named “tpm2”; this machine has tpm0, tpm1.");
}

static void
test_the_service_comes_and_goes (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardClient) client = NULL;

  start_service (fixture, "");
  add_tpm (fixture, "tpm0");
  client = connect_client (&error);
  g_assert_no_error (error);

  g_bus_unown_name (fixture->name);
  fixture->name = 0;
  while (ward_client_is_running (client))
    g_main_context_iteration (NULL, TRUE);

  fixture->name = g_bus_own_name_on_connection (fixture->connection, WARD_CLIENT_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                                NULL, NULL, NULL, NULL);
  while (!ward_client_is_running (client))
    g_main_context_iteration (NULL, TRUE);
  assert_found (client, NULL, "tpm0");
}

#define ADD(name, function) g_test_add ("/client/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("no-service", test_no_service);
  ADD ("no-service-sync", test_no_service_sync);
  ADD ("no-tpm", test_no_tpm);
  ADD ("tpms-by-name", test_tpms_by_name);
  ADD ("the-service-comes-and-goes", test_the_service_comes_and_goes);
  return g_test_run ();
}
