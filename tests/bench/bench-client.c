/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#define POLKIT_AGENT_I_KNOW_API_IS_SUBJECT_TO_CHANGE
#include <polkit/polkit.h>

GVariant *
bench_call (GDBusConnection *bus, const char *name, const char *path, const char *interface, const char *method,
            GVariant *parameters, GError **error)
{
  return g_dbus_connection_call_sync (bus, name, path, interface, method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE,
                                      G_MAXINT, NULL, error);
}

GVariant *
bench_new_bytes (void)
{
  static const guint8 bytes[BENCH_SIZE] = { 0 };

  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, sizeof bytes, 1);
}

gboolean
bench_client_connect (BenchClient *client, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) paths = NULL;

  *client = (BenchClient){ .bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error) };
  if (client->bus == NULL)
    return FALSE;
  reply = bench_call (client->bus, BENCH_SERVICE, "/org/tpmward1/Manager", "org.freedesktop.DBus.Properties", "Get",
                      g_variant_new ("(ss)", BENCH_SERVICE ".Manager", "Tpms"), error);
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

void
bench_client_clear (BenchClient *client)
{
  g_clear_object (&client->bus);
  g_clear_pointer (&client->tpm_path, g_free);
}

gboolean
bench_client_connect_another (const BenchClient *client, BenchClient *another, GError **error)
{
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, error);

  *another = (BenchClient){ NULL };
  if (address == NULL)
    return FALSE;
  another->bus = g_dbus_connection_new_for_address_sync (
      address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
      NULL, error);
  another->tpm_path = g_strdup (client->tpm_path);
  return another->bus != NULL;
}

static gboolean
call_bus (gpointer context, GError **error)
{
  const BenchClient *client = context;
  g_autoptr (GVariant) reply = bench_call (client->bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId",
                                           NULL, error);

  return reply != NULL;
}

static gboolean
call_echo (gpointer context, GError **error)
{
  const BenchClient *client = context;
  g_autoptr (GVariant) reply = bench_call (client->bus, BENCH_ECHO_NAME, BENCH_PATH, BENCH_ECHO_NAME, "Echo",
                                           g_variant_new ("(@ay)", bench_new_bytes ()), error);

  return reply != NULL;
}

static gboolean
call_signer (gpointer context, GError **error)
{
  g_autoptr (GVariant) reply = bench_call (context, BENCH_SIGNER_NAME, BENCH_PATH, BENCH_SIGNER_NAME, "Sign",
                                           g_variant_new ("(@ay)", bench_new_bytes ()), error);

  return reply != NULL;
}

static gboolean
call_property (gpointer context, GError **error)
{
  const BenchClient *client = context;
  g_autoptr (GVariant) reply = bench_call (client->bus, BENCH_SERVICE, client->tpm_path,
                                           "org.freedesktop.DBus.Properties", "Get",
                                           g_variant_new ("(ss)", BENCH_TPM_INTERFACE, "State"), error);

  return reply != NULL;
}

static gboolean
call_random (gpointer context, GError **error)
{
  const BenchClient *client = context;
  g_autoptr (GVariant) reply = bench_call (client->bus, BENCH_SERVICE, client->tpm_path, BENCH_TPM_INTERFACE,
                                           "GetRandom", g_variant_new ("(u)", BENCH_SIZE), error);

  return reply != NULL;
}

static gboolean
read_pcrs_of (const BenchClient *client, GVariantBuilder *indices, GError **error)
{
  g_autoptr (GVariant) reply = bench_call (client->bus, BENCH_SERVICE, client->tpm_path, BENCH_SERVICE ".Pcrs", "Read",
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

typedef struct
{
  PolkitAuthority *authority;
  PolkitSubject *subject;
} PolkitQuestion;

static gboolean
ask_polkit (gpointer context, GError **error)
{
  const PolkitQuestion *question = context;
  g_autoptr (PolkitAuthorizationResult) result = polkit_authority_check_authorization_sync (
      question->authority, question->subject, "org.tpmward.use", NULL, POLKIT_CHECK_AUTHORIZATION_FLAGS_NONE, NULL,
      error);

  return result != NULL;
}

static gboolean
measure_polkit (const BenchClient *client, guint count, GError **error)
{
  g_autoptr (PolkitAuthority) authority = polkit_authority_get_sync (NULL, error);
  g_autoptr (PolkitSubject) subject = polkit_system_bus_name_new (g_dbus_connection_get_unique_name (client->bus));
  PolkitQuestion question = { authority, subject };

  return authority != NULL && bench_measure ("polkit", count, ask_polkit, &question, error);
}

/* A connection of its own is a caller of whom nothing is remembered: the service asks polkit. The connecting is not
 * timed. */
static gboolean
measure_first_calls (const BenchClient *client, guint count, GError **error)
{
  g_autofree double *times = g_new (double, count);

  for (guint i = 0; i < count; i++)
    {
      BenchClient newcomer;
      gboolean ok = bench_client_connect_another (client, &newcomer, error);
      double start = bench_now ();

      ok = ok && call_random (&newcomer, error);
      times[i] = bench_now () - start;
      ok = ok && g_dbus_connection_close_sync (newcomer.bus, NULL, error);
      bench_client_clear (&newcomer);
      if (!ok)
        return FALSE;
    }
  bench_print ("first-random", times, count);
  return TRUE;
}

gboolean
bench_run_bus (guint count, GError **error)
{
  BenchClient client;
  gboolean ok;

  ok = bench_client_connect (&client, error) && bench_measure ("bus-driver", count, call_bus, &client, error)
       && bench_measure ("echo", count, call_echo, &client, error) && measure_polkit (&client, count / 4 + 1, error)
       && bench_measure ("property", count, call_property, &client, error)
       && bench_measure ("random", count, call_random, &client, error)
       && bench_measure ("pcr", count, call_pcr, &client, error)
       && bench_measure ("all-pcrs", count, call_all_pcrs, &client, error)
       && measure_first_calls (&client, count / 10 + 1, error);
  bench_client_clear (&client);
  return ok;
}

gboolean
bench_run_signer_client (guint count, GError **error)
{
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);

  return bus != NULL && bench_measure ("signer", count, call_signer, bus, error);
}

/* One call to a service that does not run: the bus starts it first. */
gboolean
bench_run_activation (GError **error)
{
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autoptr (GVariant) reply = NULL;
  double start = bench_now ();

  if (bus == NULL)
    return FALSE;
  reply = bench_call (bus, BENCH_SERVICE, "/org/tpmward1/Manager", "org.freedesktop.DBus.Properties", "Get",
                      g_variant_new ("(ss)", BENCH_SERVICE ".Manager", "Version"), error);
  if (reply == NULL)
    return FALSE;
  bench_print_one ("activation", bench_now () - start);
  return TRUE;
}
