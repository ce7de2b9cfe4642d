/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#define POLKIT_AGENT_I_KNOW_API_IS_SUBJECT_TO_CHANGE
#include <polkit/polkit.h>

/* From the D-Bus specification, "org.freedesktop.DBus.RequestName". */
#define DBUS_NAME_FLAG_DO_NOT_QUEUE 4
#define DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER 1

static gboolean
own_name (GDBusConnection *bus, const char *name, GError **error)
{
  g_autoptr (GVariant) reply = bench_call (bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "RequestName",
                                           g_variant_new ("(su)", name, DBUS_NAME_FLAG_DO_NOT_QUEUE), error);
  guint result;

  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(u)", &result);
  if (result == DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "another process owns %s", name);
  return FALSE;
}

/* Serves an interface that is called as its name, with one method that takes and returns bytes, until the process is
 * ended. */
static gboolean
serve (GDBusConnection *bus, const char *name, const char *method, const GDBusInterfaceVTable *vtable, gpointer data,
       GError **error)
{
  g_autofree char *xml = g_strdup_printf ("<node><interface name='%s'><method name='%s'>"
                                          "<arg type='ay' direction='in'/><arg type='ay' direction='out'/>"
                                          "</method></interface></node>",
                                          name, method);
  g_autoptr (GDBusNodeInfo) info = g_dbus_node_info_new_for_xml (xml, error);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  if (info == NULL
      || g_dbus_connection_register_object (bus, BENCH_PATH, info->interfaces[0], vtable, data, NULL, error) == 0
      || !own_name (bus, name, error))
    return FALSE;
  g_print ("ready\n");
  g_main_loop_run (loop);
  return TRUE;
}

static void
on_echo (GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
         const char *interface G_GNUC_UNUSED, const char *method G_GNUC_UNUSED, GVariant *parameters,
         GDBusMethodInvocation *invocation, gpointer data G_GNUC_UNUSED)
{
  g_dbus_method_invocation_return_value (invocation, parameters);
}

gboolean
bench_run_echo (GError **error)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_echo };
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);

  return bus != NULL && serve (bus, BENCH_ECHO_NAME, "Echo", &vtable, NULL, error);
}

typedef struct
{
  BenchKey key;
  PolkitAuthority *authority;
} Signer;

/* On the main thread, and with polkit asked of nobody: what a real service must not do is what makes this the least. */
static void
on_sign (GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
         const char *interface G_GNUC_UNUSED, const char *method G_GNUC_UNUSED, GVariant *parameters,
         GDBusMethodInvocation *invocation, gpointer data)
{
  Signer *signer = data;
  GError *error = NULL;

  if (bench_key_sign (&signer->key, &error))
    g_dbus_method_invocation_return_value (invocation, parameters);
  else
    g_dbus_method_invocation_take_error (invocation, error);
}

gboolean
bench_run_signer (const char *tcti_conf, GError **error)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_sign };
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autoptr (PolkitAuthority) authority = bus != NULL ? polkit_authority_get_sync (NULL, error) : NULL;
  Signer signer = { .authority = authority };
  BenchTpm tpm;

  return authority != NULL && bench_tpm_open (&tpm, tcti_conf, error)
         && bench_key_make (&signer.key, &tpm, FALSE, FALSE, error)
         && serve (bus, BENCH_SIGNER_NAME, "Sign", &vtable, &signer, error);
}

static void
on_owner_changed (GDBusConnection *bus G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED, const char *path G_GNUC_UNUSED,
                  const char *interface G_GNUC_UNUSED, const char *signal G_GNUC_UNUSED, GVariant *parameters,
                  gpointer data G_GNUC_UNUSED)
{
  const char *owner;

  g_variant_get (parameters, "(&s&s&s)", NULL, NULL, &owner);
  if (owner[0] != '\0')
    g_print ("%.1f\n", bench_now ());
}

gboolean
bench_run_watch (const char *name, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autoptr (GVariant) reply = NULL;

  if (bus == NULL)
    return FALSE;
  g_dbus_connection_signal_subscribe (bus, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", NULL,
                                      name, G_DBUS_SIGNAL_FLAGS_NONE, on_owner_changed, NULL, NULL);
  /* The bus has the subscription once it has answered what was sent after it. */
  reply = bench_call (bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId", NULL, error);
  if (reply == NULL)
    return FALSE;
  g_print ("ready\n");
  g_main_loop_run (loop);
  return TRUE;
}
