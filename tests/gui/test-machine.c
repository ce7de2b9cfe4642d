/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TPMs that come and go while the service runs, which a sandbox has no way to play: the service is played. */
#include "ward-gui-machine.h"

typedef struct
{
  GTestDBus *bus;
  GDBusConnection *connection; /* the service's */
  GDBusObjectManagerServer *objects;
  WardDbusManager *manager;
  guint name;

  WardGuiMachine *machine;
} Fixture;

#define WAIT_SECONDS 20

static gboolean
on_timeout (gpointer user_data)
{
  g_error ("What was waited for has not come.");
  return G_SOURCE_REMOVE;
}

#define wait_until(condition)                                                                                          \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    guint timeout_ = g_timeout_add_seconds (WAIT_SECONDS, on_timeout, NULL);                                           \
    while (!(condition))                                                                                               \
      g_main_context_iteration (NULL, TRUE);                                                                           \
    g_source_remove (timeout_);                                                                                        \
  }                                                                                                                    \
  G_STMT_END

static void
start_service (Fixture *fixture)
{
  fixture->name = g_bus_own_name_on_connection (fixture->connection, WARD_CLIENT_BUS_NAME, G_BUS_NAME_OWNER_FLAGS_NONE,
                                                NULL, NULL, NULL, NULL);
}

static void
stop_service (Fixture *fixture)
{
  g_bus_unown_name (fixture->name);
  fixture->name = 0;
}

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                               | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;

  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", g_test_dbus_get_bus_address (fixture->bus), TRUE);
  fixture->connection = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (fixture->bus), flags, NULL,
                                                                NULL, &error);
  g_assert_no_error (error);
  fixture->manager = ward_dbus_manager_skeleton_new ();
  ward_dbus_manager_set_no_tpm_reason (fixture->manager, "Somebody has taken it out.");
  g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (fixture->manager), fixture->connection,
                                    WARD_CLIENT_MANAGER_PATH, &error);
  g_assert_no_error (error);
  fixture->objects = g_dbus_object_manager_server_new (WARD_CLIENT_OBJECT_PATH);
  g_dbus_object_manager_server_set_connection (fixture->objects, fixture->connection);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  g_clear_object (&fixture->machine);
  if (fixture->name != 0)
    stop_service (fixture);
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
remove_tpm (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_strconcat (WARD_CLIENT_OBJECT_PATH "/tpm/", name, NULL);

  g_assert_true (g_dbus_object_manager_server_unexport (fixture->objects, path));
}

static gboolean
is_in_state (Fixture *fixture, WardGuiMachineState state)
{
  return ward_gui_machine_get_state (fixture->machine) == state;
}

/* Whether the machine has these TPMs, by their names with a space between them. */
static gboolean
has (Fixture *fixture, const char *names)
{
  GListModel *chips = ward_gui_machine_get_chips (fixture->machine);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (chips); i++)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (chips, i);

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", ward_gui_chip_get_name (chip));
    }
  return g_str_equal (text->str, names);
}

static WardGuiChip *
dup_first (Fixture *fixture)
{
  return g_list_model_get_item (ward_gui_machine_get_chips (fixture->machine), 0);
}

static void
test_hotplug (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (WardGuiChip) first = NULL;
  g_autoptr (WardGuiChip) still = NULL;

  start_service (fixture);
  fixture->machine = ward_gui_machine_new ();
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_NO_TPM));
  g_assert_cmpstr (ward_gui_machine_get_error (fixture->machine)->message, ==, "Somebody has taken it out.");

  add_tpm (fixture, "tpm1");
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_READY));
  g_assert_null (ward_gui_machine_get_error (fixture->machine));
  first = dup_first (fixture);
  add_tpm (fixture, "tpm0");
  wait_until (has (fixture, "tpm0 tpm1"));
  remove_tpm (fixture, "tpm0");
  wait_until (has (fixture, "tpm1"));
  still = dup_first (fixture);
  g_assert_true (still == first);
  g_assert_false (ward_gui_chip_is_gone (first));

  remove_tpm (fixture, "tpm1");
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_NO_TPM));
  g_assert_true (ward_gui_chip_is_gone (first));
  add_tpm (fixture, "tpm1");
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_READY));
  g_assert_true (has (fixture, "tpm1"));
}

static gboolean
says (Fixture *fixture, const char *reason)
{
  const GError *error = ward_gui_machine_get_error (fixture->machine);

  return error != NULL && g_str_equal (error->message, reason);
}

static void
test_reason_changes (Fixture *fixture, gconstpointer user_data)
{
  start_service (fixture);
  fixture->machine = ward_gui_machine_new ();
  wait_until (says (fixture, "Somebody has taken it out."));
  ward_dbus_manager_set_no_tpm_reason (fixture->manager, "The firmware hides it.");
  wait_until (says (fixture, "The firmware hides it."));
}

/* Nobody starts it there, so the machine waits for it, and follows it when it is back. */
static void
test_service_stops (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (WardGuiChip) old = NULL;
  g_autoptr (WardGuiChip) first = NULL;

  add_tpm (fixture, "tpm0");
  start_service (fixture);
  fixture->machine = ward_gui_machine_new ();
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_READY));
  old = dup_first (fixture);

  stop_service (fixture);
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_CONNECTING));
  g_assert_true (ward_gui_chip_is_gone (old));
  g_assert_true (has (fixture, ""));
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_FAILED));
  g_assert_error (ward_gui_machine_get_error (fixture->machine), WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_SERVICE);

  start_service (fixture);
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_READY));
  first = dup_first (fixture);
  g_assert_true (first != old);
  g_assert_false (ward_gui_chip_is_gone (first));
}

static void
count (int *n)
{
  (*n)++;
}

/* The tries become fewer: one at once, and the second a second later. */
static void
test_backs_off (Fixture *fixture, gconstpointer user_data)
{
  int n_states = 0;
  gint64 begin;

  fixture->machine = ward_gui_machine_new ();
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_FAILED));
  begin = g_get_monotonic_time ();
  g_signal_connect_swapped (fixture->machine, "notify::state", G_CALLBACK (count), &n_states);
  wait_until (n_states == 2);
  g_assert_cmpint (g_get_monotonic_time () - begin, >, 2.5 * G_USEC_PER_SEC);

  /* and where somebody asks for it, there is one at once */
  begin = g_get_monotonic_time ();
  ward_gui_machine_retry (fixture->machine);
  g_assert_true (is_in_state (fixture, WARD_GUI_MACHINE_CONNECTING));
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_FAILED));
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 2.5 * G_USEC_PER_SEC);
  g_signal_handlers_disconnect_by_data (fixture->machine, &n_states);
}

static void
test_bus_lost (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (WardGuiChip) old = NULL;
  WardClient *client;

  add_tpm (fixture, "tpm0");
  start_service (fixture);
  fixture->machine = ward_gui_machine_new ();
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_READY));
  old = dup_first (fixture);
  client = ward_gui_machine_get_client (fixture->machine);
  g_dbus_connection_close (ward_client_get_connection (client), NULL, NULL, NULL);
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_CONNECTING));
  g_assert_true (has (fixture, ""));
  g_assert_null (ward_gui_machine_get_client (fixture->machine));
  wait_until (is_in_state (fixture, WARD_GUI_MACHINE_READY));
  g_assert_true (has (fixture, "tpm0"));
  g_assert_true (ward_gui_chip_is_gone (old));
}

#define ADD(name, function) g_test_add ("/machine/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("hotplug", test_hotplug);
  ADD ("reason-changes", test_reason_changes);
  ADD ("service-stops", test_service_stops);
  ADD ("backs-off", test_backs_off);
  ADD ("bus-lost", test_bus_lost);
  return g_test_run ();
}
