/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the helper has systemd do, on a bus of the test's own with a systemd that is none and writes down what it is
 * asked for, and trees that stand for /sys. */
#include "ward-disable.h"
#include "ward-driver.h"
#include "ward-error.h"

#define METHOD(name, in, out) "<method name='" name "'>" in out "</method>"
#define IN(type) "<arg type='" type "' direction='in'/>"
#define OUT(type) "<arg type='" type "' direction='out'/>"
#define CHANGES OUT ("a(sss)")
#define MANAGER                                                                                                        \
  "<node><interface name='org.freedesktop.systemd1.Manager'>" METHOD ("Subscribe", "", "")                             \
      METHOD ("Unsubscribe", "", "") METHOD ("LoadUnit", IN ("s"), OUT ("o"))                                          \
          METHOD ("StartUnit", IN ("s") IN ("s"), OUT ("o")) METHOD ("StopUnit", IN ("s") IN ("s"), OUT ("o"))         \
              METHOD ("DisableUnitFiles", IN ("as") IN ("b"), CHANGES)                                                 \
                  METHOD ("MaskUnitFiles", IN ("as") IN ("b") IN ("b"), CHANGES) METHOD ("Reload", "", "")             \
                      METHOD ("ResetFailedUnit", IN ("s"), "") "</interface></node>"
#define UNIT                                                                                                           \
  "<node><interface name='org.freedesktop.systemd1.Unit'>"                                                             \
  "<property name='LoadState' type='s' access='read'/><property name='ActiveState' type='s' access='read'/>"           \
  "<property name='UnitFileState' type='s' access='read'/></interface></node>"
#define UNIT_PATH "/org/freedesktop/systemd1/unit/x"

typedef struct
{
  GTestDBus *bus;
  GDBusConnection *helper, *systemd;
  GDBusNodeInfo *manager, *unit;
  char *root;
  GString *asked; /* what systemd was asked for, apart from looks, each in brackets */
  const char *load_state, *active_state, *file_state;
  const char *result;       /* of jobs */
  const char *refused;      /* a method that is answered with an error */
  const char *already;      /* an error name that Subscribe is answered with */
  const char *makes_module; /* a folder that a job makes below root, or NULL */
  const char *makes_tpm;
  gboolean signals_late; /* a job ends some time after the call */
} Fixture;

static GDBusConnection *
connect_to (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_sync (
      g_test_dbus_get_bus_address (fixture->bus),
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL, NULL,
      &error);

  g_assert_no_error (error);
  return connection;
}

static void
make_folder (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->root, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
}

static void
put (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *folder = g_path_get_dirname (name);
  g_autofree char *path = g_build_filename (fixture->root, name, NULL);

  make_folder (fixture, folder);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  fixture->root = g_dir_make_tmp ("ward-systemd-XXXXXX", &error);
  g_assert_no_error (error);
  make_folder (fixture, "sys/class/tpm");
  fixture->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (fixture->bus);
  fixture->helper = connect_to (fixture);
  fixture->systemd = connect_to (fixture);
  fixture->asked = g_string_new (NULL);
  fixture->load_state = "loaded";
  fixture->active_state = "active";
  fixture->file_state = "enabled";
  fixture->result = "done";
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  const char *command[] = { "rm", "-rf", fixture->root, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  g_free (fixture->root);
  g_string_free (fixture->asked, TRUE);
  g_clear_pointer (&fixture->manager, g_dbus_node_info_unref);
  g_clear_pointer (&fixture->unit, g_dbus_node_info_unref);
  g_clear_object (&fixture->helper);
  g_clear_object (&fixture->systemd);
  g_test_dbus_down (fixture->bus);
  g_object_unref (fixture->bus);
}

static gboolean
end_job (gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GError) error = NULL;

  if (fixture->makes_module)
    make_folder (fixture, fixture->makes_module);
  if (fixture->makes_tpm)
    make_folder (fixture, fixture->makes_tpm);
  g_dbus_connection_emit_signal (
      fixture->systemd, NULL, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved",
      g_variant_new ("(uoss)", 6, "/org/freedesktop/systemd1/job/6", "other", "failed"), &error);
  g_assert_no_error (error);
  g_dbus_connection_emit_signal (
      fixture->systemd, NULL, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved",
      g_variant_new ("(uoss)", 7, "/org/freedesktop/systemd1/job/7", "x", fixture->result), &error);
  g_assert_no_error (error);
  return G_SOURCE_REMOVE;
}

static void
on_call (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *method,
         GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autofree char *text = g_variant_print (parameters, FALSE);
  gboolean is_job = g_str_equal (method, "StartUnit") || g_str_equal (method, "StopUnit");

  if (fixture->already && g_str_equal (method, "Subscribe"))
    {
      g_dbus_method_invocation_return_dbus_error (invocation, fixture->already, "Once is enough.");
      return;
    }
  if (!g_str_has_suffix (method, "ubscribe") && !g_str_equal (method, "LoadUnit"))
    g_string_append_printf (fixture->asked, "[%s %s]", method, text);
  if (g_strcmp0 (method, fixture->refused) == 0)
    g_dbus_method_invocation_return_dbus_error (invocation, "org.freedesktop.DBus.Error.FileNotFound", "Not today.");
  else if (g_str_equal (method, "LoadUnit"))
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(o)", UNIT_PATH));
  else if (is_job && fixture->signals_late)
    {
      g_dbus_method_invocation_return_value (invocation, g_variant_new ("(o)", "/org/freedesktop/systemd1/job/7"));
      g_timeout_add (50, end_job, fixture);
    }
  else if (is_job)
    {
      end_job (fixture);
      g_dbus_method_invocation_return_value (invocation, g_variant_new ("(o)", "/org/freedesktop/systemd1/job/7"));
    }
  else if (g_str_equal (method, "DisableUnitFiles") || g_str_equal (method, "MaskUnitFiles"))
    g_dbus_method_invocation_return_value (invocation, g_variant_new_parsed ("(@a(sss) [],)"));
  else
    g_dbus_method_invocation_return_value (invocation, NULL);
}

static GVariant *
on_get (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *property,
        GError **error, gpointer user_data)
{
  const Fixture *fixture = user_data;

  if (g_str_equal (property, "LoadState"))
    return g_variant_new_string (fixture->load_state);
  if (g_str_equal (property, "ActiveState"))
    return g_variant_new_string (fixture->active_state);
  return g_variant_new_string (fixture->file_state);
}

static GDBusNodeInfo *export(Fixture *fixture, const char *path, const char *xml)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call, .get_property = on_get };
  g_autoptr (GError) error = NULL;
  GDBusNodeInfo *node = g_dbus_node_info_new_for_xml (xml, &error);

  g_assert_no_error (error);
  g_dbus_connection_register_object (fixture->systemd, path, node->interfaces[0], &vtable, fixture, NULL, &error);
  g_assert_no_error (error);
  return node;
}

static void
start_systemd (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;

  fixture->manager = export(fixture, "/org/freedesktop/systemd1", MANAGER);
  fixture->unit = export(fixture, UNIT_PATH, UNIT);
  reply = g_dbus_connection_call_sync (
      fixture->systemd, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
      g_variant_new ("(su)", "org.freedesktop.systemd1", 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (reply);
}

/* What is run on a thread, as the helper does: service is NULL to load a driver. */
typedef struct
{
  Fixture *fixture;
  const char *service;
  gboolean dry_run;
  gboolean is_done;
  GStrv lines;
  GError *error;
} Run;

static gboolean
on_run (gpointer user_data)
{
  Run *run = user_data;

  run->is_done = TRUE;
  return G_SOURCE_REMOVE;
}

static gpointer
run_thread (gpointer user_data)
{
  Run *run = user_data;
  Fixture *fixture = run->fixture;

  if (run->service)
    run->lines = ward_disable (fixture->root, fixture->helper, run->service, run->dry_run, &run->error);
  else
    run->lines = ward_driver_load (fixture->root, fixture->helper, run->dry_run, &run->error);
  g_idle_add (on_run, run);
  return NULL;
}

/* The lines, each in brackets; or NULL with error set. */
static char *
act (Fixture *fixture, const char *service, gboolean dry_run, GError **error)
{
  Run run = { .fixture = fixture, .service = service, .dry_run = dry_run };
  GThread *thread = g_thread_new ("helper", run_thread, &run);
  g_auto (GStrv) lines = NULL;
  g_autofree char *joined = NULL;

  while (!run.is_done)
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
  if (run.error)
    {
      g_assert_null (run.lines);
      g_propagate_error (error, run.error);
      return NULL;
    }
  lines = run.lines;
  joined = g_strjoinv ("][", lines);
  return lines[0] ? g_strdup_printf ("[%s]", joined) : g_strdup ("");
}

static void
assert_done (Fixture *fixture, const char *service, gboolean dry_run, const char *lines, const char *asked)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *done = NULL;

  g_string_truncate (fixture->asked, 0);
  done = act (fixture, service, dry_run, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (done, ==, lines);
  g_assert_cmpstr (fixture->asked->str, ==, asked);
}

static void
assert_fails (Fixture *fixture, const char *service, int code, const char *part, const char *asked)
{
  g_autoptr (GError) error = NULL;

  g_string_truncate (fixture->asked, 0);
  g_assert_null (act (fixture, service, FALSE, &error));
  g_assert_error (error, WARD_ERROR, code);
  g_assert_nonnull (strstr (error->message, part));
  g_assert_cmpstr (fixture->asked->str, ==, asked);
}

#define STOP_TCSD "[StopUnit ('tcsd.service', 'replace')]"
#define DISABLE_TCSD "[DisableUnitFiles (['tcsd.service'], false)][Reload ()]"

static void
test_tcsd_is_stopped_and_disabled (Fixture *fixture, gconstpointer user_data)
{
  static const char lines[] = "[stop tcsd.service (was active)][disable tcsd.service (was enabled)]";

  start_systemd (fixture);
  put (fixture, "sys/class/tpm/tpm0/tpm_version_major", "2\n");
  assert_done (fixture, "tcsd", TRUE, lines, "");
  assert_done (fixture, "tcsd", FALSE, lines, STOP_TCSD DISABLE_TCSD);
  fixture->signals_late = TRUE;
  fixture->already = "org.freedesktop.systemd1.AlreadySubscribed";
  assert_done (fixture, "tcsd", FALSE, lines, STOP_TCSD DISABLE_TCSD);
}

static void
test_only_what_is_needed (Fixture *fixture, gconstpointer user_data)
{
  static const struct
  {
    const char *load, *active, *file, *lines, *asked;
  } cases[] = {
    { "loaded", "inactive", "enabled", "[disable tcsd.service (was enabled)]", DISABLE_TCSD },
    { "loaded", "failed", "enabled", "[disable tcsd.service (was enabled)][reset-failed tcsd.service (was failed)]",
      DISABLE_TCSD "[ResetFailedUnit ('tcsd.service',)]" },
    { "loaded", "activating", "disabled", "[stop tcsd.service (was activating)]", STOP_TCSD },
    { "loaded", "inactive", "enabled-runtime", "[disable tcsd.service (was enabled-runtime)]",
      "[DisableUnitFiles (['tcsd.service'], true)][Reload ()]" },
    { "loaded", "inactive", "generated", "[mask tcsd.service (it comes from a script in /etc/init.d)]",
      "[MaskUnitFiles (['tcsd.service'], false, false)][Reload ()]" },
    { "loaded", "inactive", "disabled", "", "" },
    { "masked", "inactive", "masked", "", "" },
    { "not-found", "inactive", "", "", "" },
  };

  start_systemd (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      fixture->load_state = cases[i].load;
      fixture->active_state = cases[i].active;
      fixture->file_state = cases[i].file;
      assert_done (fixture, "tcsd", TRUE, cases[i].lines, "");
      assert_done (fixture, "tcsd", FALSE, cases[i].lines, cases[i].asked);
    }
}

static void
test_what_dbus_starts_is_masked (Fixture *fixture, gconstpointer user_data)
{
  start_systemd (fixture);
  assert_done (fixture, "tpm2-abrmd", FALSE,
               "[stop tpm2-abrmd.service (was active)][disable tpm2-abrmd.service (was enabled)]"
               "[mask tpm2-abrmd.service (D-Bus would start it when a program asks for it)]",
               "[StopUnit ('tpm2-abrmd.service', 'replace')][DisableUnitFiles (['tpm2-abrmd.service'], false)]"
               "[Reload ()][MaskUnitFiles (['tpm2-abrmd.service'], false, false)][Reload ()]");
  fixture->load_state = fixture->file_state = "masked";
  fixture->active_state = "inactive";
  assert_done (fixture, "tpm2-abrmd", FALSE, "", "");
}

static void
test_a_tpm_12_keeps_tcsd (Fixture *fixture, gconstpointer user_data)
{
  start_systemd (fixture);
  put (fixture, "sys/class/tpm/tpm0/tpm_version_major", "2\n");
  put (fixture, "sys/class/tpm/tpm1/tpm_version_major", "1\n");
  assert_fails (fixture, "tcsd", WARD_ERROR_WOULD_BREAK, "tpm1", "");
  fixture->active_state = fixture->file_state = "inactive";
  fixture->load_state = "masked";
  assert_done (fixture, "tpm2-abrmd", FALSE, "", "");
}

static void
test_other_services_are_not_touched (Fixture *fixture, gconstpointer user_data)
{
  static const char *const names[] = { "", "ssh", "tcsd.service", "../tcsd", "tcsd tpm2-abrmd" };

  start_systemd (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    assert_fails (fixture, names[i], WARD_ERROR_INVALID_ARGUMENT, "“tcsd”", "");
}

static void
test_failures_are_told (Fixture *fixture, gconstpointer user_data)
{
  start_systemd (fixture);
  fixture->result = "timeout";
  assert_fails (fixture, "tcsd", WARD_ERROR_FAILED, "“timeout”", STOP_TCSD);
  fixture->refused = "StopUnit";
  assert_fails (fixture, "tcsd", WARD_ERROR_FAILED, "Not today.", STOP_TCSD);
  fixture->result = "done";
  fixture->refused = "DisableUnitFiles";
  assert_fails (fixture, "tcsd", WARD_ERROR_FAILED, "Done before it failed: stop tcsd.service",
                STOP_TCSD "[DisableUnitFiles (['tcsd.service'], false)]");
}

static void
test_no_systemd (Fixture *fixture, gconstpointer user_data)
{
  assert_fails (fixture, "tcsd", WARD_ERROR_NOT_SUPPORTED, "not run by systemd", "");
  put (fixture, "sys/bus/acpi/devices/MSFT0101:00/status", "15\n");
  assert_fails (fixture, NULL, WARD_ERROR_NOT_SUPPORTED, "not run by systemd", "");
}

/* A machine whose firmware announces a TPM 2.0 that nothing drives. */
static void
announce_tpm (Fixture *fixture)
{
  put (fixture, "sys/bus/acpi/devices/MSFT0101:00/hid", "MSFT0101\n");
  put (fixture, "sys/bus/acpi/devices/MSFT0101:00/status", "15\n");
}

#define START(module) "[StartUnit ('modprobe@" module ".service', 'replace')]"

static void
test_a_driver_is_loaded (Fixture *fixture, gconstpointer user_data)
{
  start_systemd (fixture);
  announce_tpm (fixture);
  assert_done (fixture, NULL, TRUE, "[load the module tpm_crb][load the module tpm_tis, if no TPM comes of that]", "");
  fixture->makes_module = "sys/module/tpm_crb";
  fixture->makes_tpm = "sys/class/tpm/tpm0";
  fixture->signals_late = TRUE;
  assert_done (fixture, NULL, FALSE, "[load the module tpm_crb]", START ("tpm_crb"));
  assert_done (fixture, NULL, FALSE, "", "");
}

static void
test_the_next_driver_is_tried (Fixture *fixture, gconstpointer user_data)
{
  start_systemd (fixture);
  announce_tpm (fixture);
  fixture->makes_module = "sys/module/tpm_tis";
  assert_fails (fixture, NULL, WARD_ERROR_FAILED, "(tpm_tis)", START ("tpm_crb") START ("tpm_tis"));
}

static void
test_a_kernel_without_drivers (Fixture *fixture, gconstpointer user_data)
{
  start_systemd (fixture);
  announce_tpm (fixture);
  assert_fails (fixture, NULL, WARD_ERROR_FAILED, "tpm_crb, tpm_tis", START ("tpm_crb") START ("tpm_tis"));
  fixture->refused = "StartUnit";
  assert_fails (fixture, NULL, WARD_ERROR_FAILED, "Not today.", START ("tpm_crb"));
}

static void
test_no_driver_is_missing (Fixture *fixture, gconstpointer user_data)
{
  start_systemd (fixture);
  assert_done (fixture, NULL, FALSE, "", "");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer user_data);
  } tests[] = {
    { "/helper-systemd/tcsd", test_tcsd_is_stopped_and_disabled },
    { "/helper-systemd/needed", test_only_what_is_needed },
    { "/helper-systemd/abrmd", test_what_dbus_starts_is_masked },
    { "/helper-systemd/tpm12", test_a_tpm_12_keeps_tcsd },
    { "/helper-systemd/other-services", test_other_services_are_not_touched },
    { "/helper-systemd/failures", test_failures_are_told },
    { "/helper-systemd/no-systemd", test_no_systemd },
    { "/helper-systemd/driver", test_a_driver_is_loaded },
    { "/helper-systemd/next-driver", test_the_next_driver_is_tried },
    { "/helper-systemd/no-modules", test_a_kernel_without_drivers },
    { "/helper-systemd/no-driver-missing", test_no_driver_is_missing },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
