/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include <string.h>

/* Keys by their labels. */
#define ECDSA "bench-ecdsa"
#define ECDSA_AUTH "bench-ecdsa-auth"
#define RSA "bench-rsa"

typedef struct
{
  const BenchClient *client;
  const char *label;
  gboolean has_auth;
} Signing;

static GVariant *
new_options (gboolean has_auth)
{
  GVariantBuilder options = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sv}"));

  if (has_auth)
    g_variant_builder_add (&options, "{sv}", "auth",
                           g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, BENCH_AUTH, strlen (BENCH_AUTH), 1));
  return g_variant_builder_end (&options);
}

static gboolean
call_keys (const BenchClient *client, const char *method, GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) reply = bench_call (client->bus, BENCH_SERVICE, client->tpm_path, BENCH_KEYS_INTERFACE, method,
                                           parameters, error);

  return reply != NULL;
}

static gboolean
make_key (const BenchClient *client, const char *label, const char *algorithm, gboolean has_auth, GError **error)
{
  return call_keys (client, "Create", g_variant_new ("(ss@a{sv})", label, algorithm, new_options (has_auth)), error);
}

gboolean
bench_make_keys (GError **error)
{
  BenchClient client;
  gboolean ok;

  ok = bench_client_connect (&client, error) && make_key (&client, ECDSA, "ecc-p256", FALSE, error)
       && make_key (&client, ECDSA_AUTH, "ecc-p256", TRUE, error) && make_key (&client, RSA, "rsa2048", FALSE, error);
  bench_client_clear (&client);
  return ok;
}

static gboolean
sign (gpointer context, GError **error)
{
  const Signing *signing = context;

  return call_keys (
      signing->client, "Sign",
      g_variant_new ("(ss@ay@a{sv})", signing->label, "sha256", bench_new_bytes (), new_options (signing->has_auth)),
      error);
}

static gboolean
list (gpointer context, GError **error)
{
  return call_keys (context, "List", NULL, error);
}

gboolean
bench_run_sign (guint count, GError **error)
{
  BenchClient client;
  Signing ecdsa = { &client, ECDSA, FALSE };
  Signing with_auth = { &client, ECDSA_AUTH, TRUE };
  Signing rsa = { &client, RSA, FALSE };
  gboolean ok;

  ok = bench_client_connect (&client, error) && bench_measure ("sign", count, sign, &ecdsa, error)
       && bench_measure ("sign-auth", count, sign, &with_auth, error)
       && bench_measure ("sign-rsa", count / 3 + 1, sign, &rsa, error);
  bench_client_clear (&client);
  return ok;
}

static gboolean
decode (gpointer context, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (context, &size);
  g_autoptr (GDBusMessage) message = g_dbus_message_new_from_blob ((guchar *)data, size, G_DBUS_CAPABILITY_FLAGS_NONE,
                                                                   error);

  return message != NULL;
}

/* How much of the time is the caller's own GDBus, which reads the whole reply before anybody sees it. */
static gboolean
measure_decoding (const BenchClient *client, guint count, GError **error)
{
  g_autoptr (GVariant) reply = bench_call (client->bus, BENCH_SERVICE, client->tpm_path, BENCH_KEYS_INTERFACE, "List",
                                           NULL, error);
  g_autoptr (GDBusMessage) message = g_dbus_message_new_signal ("/", BENCH_KEYS_INTERFACE, "Listed");
  g_autoptr (GBytes) bytes = NULL;
  gsize size;
  guchar *blob;

  if (reply == NULL)
    return FALSE;
  g_dbus_message_set_serial (message, 1);
  g_dbus_message_set_body (message, reply);
  blob = g_dbus_message_to_blob (message, &size, G_DBUS_CAPABILITY_FLAGS_NONE, error);
  if (blob == NULL)
    return FALSE;
  bytes = g_bytes_new_take (blob, size);
  return bench_measure ("list-decoding", count, decode, bytes, error);
}

gboolean
bench_run_list (guint count, GError **error)
{
  BenchClient client;
  Signing ecdsa = { &client, ECDSA, FALSE };
  gboolean ok;

  ok = bench_client_connect (&client, error) && bench_measure ("scale-sign", 2 * count, sign, &ecdsa, error)
       && bench_measure ("list", count / 40 + 1, list, &client, error)
       && measure_decoding (&client, count / 40 + 1, error);
  bench_client_clear (&client);
  return ok;
}

gboolean
bench_run_callers (guint count, GError **error)
{
  BenchClient client, callers[BENCH_CALLERS] = { { NULL } };
  Signing signings[BENCH_CALLERS];
  gpointer contexts[BENCH_CALLERS];
  gboolean ok = bench_client_connect (&client, error);

  for (guint i = 0; ok && i < BENCH_CALLERS; i++)
    {
      ok = bench_client_connect_another (&client, &callers[i], error);
      signings[i] = (Signing){ &callers[i], ECDSA, FALSE };
      contexts[i] = &signings[i];
    }
  ok = ok && bench_measure_callers ("callers", count, sign, contexts, error);
  for (guint i = 0; i < BENCH_CALLERS; i++)
    bench_client_clear (&callers[i]);
  bench_client_clear (&client);
  return ok;
}
