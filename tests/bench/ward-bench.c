/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The measuring loops of ./dev bench. Each result is a line on stdout: NAME, then the median, the 95th percentile and
 * the minimum in microseconds, and the number of calls, separated by tabs. tests/bench/bench runs them and says what
 * they mean. */
#include <gio/gio.h>
#define POLKIT_AGENT_I_KNOW_API_IS_SUBJECT_TO_CHANGE
#include <polkit/polkit.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#define SERVICE "org.tpmward1"
#define TPM_INTERFACE SERVICE ".Tpm"
#define ECHO_NAME "org.tpmward.Bench"
#define ECHO_PATH "/org/tpmward/Bench"
#define RANDOM_SIZE 32
#define MAX_COUNT 1000000

/* From the D-Bus specification, "org.freedesktop.DBus.RequestName". */
#define DBUS_NAME_FLAG_DO_NOT_QUEUE 4
#define DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER 1

/* One call that is timed. */
typedef gboolean (*Step) (gpointer context, GError **error);

static double
now_in_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a;
  double y = *(const double *)b;

  return (x > y) - (x < y);
}

static gboolean
measure (const char *name, guint count, Step step, gpointer context, GError **error)
{
  g_autofree double *times = g_new (double, count);

  for (guint i = 0; i < count / 10 + 2; i++)
    if (!step (context, error))
      return FALSE;
  for (guint i = 0; i < count; i++)
    {
      double start = now_in_us ();

      if (!step (context, error))
        return FALSE;
      times[i] = now_in_us () - start;
    }

  qsort (times, count, sizeof times[0], compare_doubles);
  g_print ("%s\t%.1f\t%.1f\t%.1f\t%u\n", name, times[count / 2], times[count * 95 / 100], times[0], count);
  return TRUE;
}

/* The TPM without the service. */

static gboolean
check (TSS2_RC code, GError **error)
{
  if (code == TSS2_RC_SUCCESS)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the TPM answered 0x%x: %s", code, Tss2_RC_Decode (code));
  return FALSE;
}

static gboolean
raw_random (gpointer context, GError **error)
{
  TPM2B_DIGEST *bytes = NULL;
  TSS2_RC code = Esys_GetRandom (context, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, RANDOM_SIZE, &bytes);

  Esys_Free (bytes);
  return check (code, error);
}

static gboolean
read_pcrs (ESYS_CONTEXT *esys, guint byte, guint8 mask, GError **error)
{
  TPML_PCR_SELECTION wanted = { .count = 1, .pcrSelections[0] = { .hash = TPM2_ALG_SHA256, .sizeofSelect = 3 } };
  TPML_PCR_SELECTION *read = NULL;
  TPML_DIGEST *values = NULL;
  UINT32 counter;
  TSS2_RC code;

  wanted.pcrSelections[0].pcrSelect[byte] = mask;
  code = Esys_PCR_Read (esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted, &counter, &read, &values);
  Esys_Free (read);
  Esys_Free (values);
  return check (code, error);
}

static gboolean
raw_pcr (gpointer context, GError **error)
{
  return read_pcrs (context, 0, 1, error);
}

/* A command returns eight values at most. */
static gboolean
raw_all_pcrs (gpointer context, GError **error)
{
  for (guint byte = 0; byte < 3; byte++)
    if (!read_pcrs (context, byte, 0xff, error))
      return FALSE;
  return TRUE;
}

static gboolean
run_raw (const char *tcti_conf, guint count, GError **error)
{
  TSS2_TCTI_CONTEXT *tcti = NULL;
  ESYS_CONTEXT *esys = NULL;
  TSS2_RC code;
  gboolean ok;

  if (!check (Tss2_TctiLdr_Initialize (tcti_conf, &tcti), error))
    return FALSE;
  ok = check (Esys_Initialize (&esys, tcti, NULL), error);
  if (ok)
    {
      code = Esys_Startup (esys, TPM2_SU_CLEAR);
      ok = check (code == TPM2_RC_INITIALIZE ? TSS2_RC_SUCCESS : code, error)
           && measure ("raw-random", count, raw_random, esys, error) && measure ("raw-pcr", count, raw_pcr, esys, error)
           && measure ("raw-all-pcrs", count, raw_all_pcrs, esys, error);
    }
  Esys_Finalize (&esys);
  Tss2_TctiLdr_Finalize (&tcti);
  return ok;
}

/* The bus and polkit without the TPM, and the service. */

typedef struct
{
  GDBusConnection *bus;
  PolkitAuthority *authority;
  PolkitSubject *subject;
  char *tpm_path;
} Client;

/* Anything else than a reply is an error: what is refused is fast. */
static GVariant *
call (GDBusConnection *bus, const char *name, const char *path, const char *interface, const char *method,
      GVariant *parameters, GError **error)
{
  return g_dbus_connection_call_sync (bus, name, path, interface, method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE, -1,
                                      NULL, error);
}

static gboolean
call_bus (gpointer context, GError **error)
{
  const Client *client = context;
  g_autoptr (GVariant) reply = call (client->bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", NULL,
                                     error);

  return reply != NULL;
}

static GVariant *
new_bytes (void)
{
  static const guint8 bytes[RANDOM_SIZE] = { 0 };

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, sizeof bytes, 1);
}

static gboolean
call_echo (gpointer context, GError **error)
{
  const Client *client = context;
  g_autoptr (GVariant) reply = call (client->bus, ECHO_NAME, ECHO_PATH, ECHO_NAME, "Echo",
                                     g_variant_new ("(@ay)", new_bytes ()), error);

  return reply != NULL;
}

static gboolean
call_property (gpointer context, GError **error)
{
  const Client *client = context;
  g_autoptr (GVariant) reply = call (client->bus, SERVICE, client->tpm_path, "org.freedesktop.DBus.Properties", "Get",
                                     g_variant_new ("(ss)", TPM_INTERFACE, "State"), error);

  return reply != NULL;
}

static gboolean
call_random (gpointer context, GError **error)
{
  const Client *client = context;
  g_autoptr (GVariant) reply = call (client->bus, SERVICE, client->tpm_path, TPM_INTERFACE, "GetRandom",
                                     g_variant_new ("(u)", RANDOM_SIZE), error);

  return reply != NULL;
}

static gboolean
read_pcrs_of (const Client *client, GVariantBuilder *indices, GError **error)
{
  g_autoptr (GVariant) reply = call (client->bus, SERVICE, client->tpm_path, SERVICE ".Pcrs", "Read",
                                     g_variant_new ("(sau)", "sha256", indices), error);

  return reply != NULL;
}

static gboolean
call_pcr (gpointer context, GError **error)
{
  g_auto (GVariantBuilder) indices = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("au"));

  g_variant_builder_add (&indices, "u", 0);
  return read_pcrs_of (context, &indices, error);
}

static gboolean
call_all_pcrs (gpointer context, GError **error)
{
  g_auto (GVariantBuilder) indices = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("au"));

  return read_pcrs_of (context, &indices, error);
}

static gboolean
call_polkit (gpointer context, GError **error)
{
  const Client *client = context;
  g_autoptr (PolkitAuthorizationResult) result = polkit_authority_check_authorization_sync (
      client->authority, client->subject, "org.tpmward.use", NULL, POLKIT_CHECK_AUTHORIZATION_FLAGS_NONE, NULL, error);

  return result != NULL;
}

/* A connection of its own is a caller of whom nothing is remembered: the service asks polkit. The connecting is not
 * timed. */
static gboolean
measure_first_calls (const Client *client, guint count, GError **error)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autofree double *times = g_new (double, count);

  if (address == NULL)
    return FALSE;
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GDBusConnection) bus = g_dbus_connection_new_for_address_sync (
          address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
          NULL, error);
      Client newcomer = { .bus = bus, .tpm_path = client->tpm_path };
      double start;

      if (bus == NULL)
        return FALSE;
      start = now_in_us ();
      if (!call_random (&newcomer, error))
        return FALSE;
      times[i] = now_in_us () - start;
      if (!g_dbus_connection_close_sync (bus, NULL, error))
        return FALSE;
    }
  qsort (times, count, sizeof times[0], compare_doubles);
  g_print ("first-random\t%.1f\t%.1f\t%.1f\t%u\n", times[count / 2], times[count * 95 / 100], times[0], count);
  return TRUE;
}

static gboolean
connect_client (Client *client, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) paths = NULL;

  client->bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  if (client->bus == NULL)
    return FALSE;
  client->authority = polkit_authority_get_sync (NULL, error);
  if (client->authority == NULL)
    return FALSE;
  client->subject = polkit_system_bus_name_new (g_dbus_connection_get_unique_name (client->bus));

  reply = call (client->bus, SERVICE, "/org/tpmward1/Manager", "org.freedesktop.DBus.Properties", "Get",
                g_variant_new ("(ss)", SERVICE ".Manager", "Tpms"), error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(v)", &paths);
  if (g_variant_n_children (paths) == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the service has no TPM to measure with");
      return FALSE;
    }
  g_variant_get_child (paths, 0, "o", &client->tpm_path);
  return TRUE;
}

static gboolean
run_bus (guint count, GError **error)
{
  Client client = { NULL };
  gboolean ok;

  ok = connect_client (&client, error) && measure ("bus-driver", count, call_bus, &client, error)
       && measure ("echo", count, call_echo, &client, error)
       && measure ("polkit", count / 4 + 1, call_polkit, &client, error)
       && measure ("property", count, call_property, &client, error)
       && measure ("random", count, call_random, &client, error) && measure ("pcr", count, call_pcr, &client, error)
       && measure ("all-pcrs", count, call_all_pcrs, &client, error)
       && measure_first_calls (&client, count / 10 + 1, error);

  g_clear_object (&client.subject);
  g_clear_object (&client.authority);
  g_clear_object (&client.bus);
  g_free (client.tpm_path);
  return ok;
}

/* One call to a service that does not run: the bus starts it first. */
static gboolean
run_activation (GError **error)
{
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autoptr (GVariant) reply = NULL;
  double start = now_in_us ();
  double time;

  if (bus == NULL)
    return FALSE;
  reply = call (bus, SERVICE, "/org/tpmward1/Manager", "org.freedesktop.DBus.Properties", "Get",
                g_variant_new ("(ss)", SERVICE ".Manager", "Version"), error);
  if (reply == NULL)
    return FALSE;
  time = now_in_us () - start;
  g_print ("activation\t%.1f\t%.1f\t%.1f\t1\n", time, time, time);
  return TRUE;
}

/* The least that a service on GDBus can be. */

static void
on_echo (GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
         const char *interface G_GNUC_UNUSED, const char *method G_GNUC_UNUSED, GVariant *parameters,
         GDBusMethodInvocation *invocation, gpointer data G_GNUC_UNUSED)
{
  g_dbus_method_invocation_return_value (invocation, parameters);
}

static gboolean
run_echo (GError **error)
{
  static const char xml[] = "<node><interface name='" ECHO_NAME "'><method name='Echo'>"
                            "<arg type='ay' direction='in'/><arg type='ay' direction='out'/>"
                            "</method></interface></node>";
  static const GDBusInterfaceVTable vtable = { .method_call = on_echo };
  g_autoptr (GDBusNodeInfo) info = g_dbus_node_info_new_for_xml (xml, error);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autoptr (GVariant) reply = NULL;
  guint result;

  if (info == NULL || bus == NULL)
    return FALSE;
  if (g_dbus_connection_register_object (bus, ECHO_PATH, info->interfaces[0], &vtable, NULL, NULL, error) == 0)
    return FALSE;
  reply = call (bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName",
                g_variant_new ("(su)", ECHO_NAME, DBUS_NAME_FLAG_DO_NOT_QUEUE), error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(u)", &result);
  if (result != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "another process owns %s", ECHO_NAME);
      return FALSE;
    }
  g_print ("ready\n");
  g_main_loop_run (loop);
  return TRUE;
}

/* Prints the time on the monotonic clock, in microseconds, whenever the service's name gets an owner. */

static void
on_owner_changed (GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
                  const char *interface G_GNUC_UNUSED, const char *signal G_GNUC_UNUSED, GVariant *parameters,
                  gpointer data G_GNUC_UNUSED)
{
  const char *owner;

  g_variant_get (parameters, "(&s&s&s)", NULL, NULL, &owner);
  if (owner[0] != '\0')
    g_print ("%.1f\n", now_in_us ());
}

static gboolean
run_watch (GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  Client client = { .bus = bus };

  if (bus == NULL)
    return FALSE;
  g_dbus_connection_signal_subscribe (bus, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", NULL,
                                      SERVICE, G_DBUS_SIGNAL_FLAGS_NONE, on_owner_changed, NULL, NULL);
  /* The bus has the subscription once it has answered what was sent after it. */
  if (!call_bus (&client, error))
    return FALSE;
  g_print ("ready\n");
  g_main_loop_run (loop);
  return TRUE;
}

static gboolean
run (int argc, char **argv, GError **error)
{
  guint64 count = 0;

  if (argc > 2 && !g_ascii_string_to_unsigned (argv[argc - 1], 10, 1, MAX_COUNT, &count, error))
    return FALSE;
  if (argc == 4 && g_str_equal (argv[1], "raw"))
    return run_raw (argv[2], count, error);
  if (argc == 3 && g_str_equal (argv[1], "bus"))
    return run_bus (count, error);
  if (argc == 2 && g_str_equal (argv[1], "activation"))
    return run_activation (error);
  if (argc == 2 && g_str_equal (argv[1], "echo"))
    return run_echo (error);
  if (argc == 2 && g_str_equal (argv[1], "watch"))
    return run_watch (error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "usage: ward-bench raw TCTI COUNT | bus COUNT | activation | echo | watch");
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  setvbuf (stdout, NULL, _IOLBF, 0);
  if (run (argc, argv, &error))
    return EXIT_SUCCESS;
  g_printerr ("ward-bench: %s\n", error->message);
  return EXIT_FAILURE;
}
