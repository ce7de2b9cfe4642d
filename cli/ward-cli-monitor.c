/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-text.h"

typedef struct
{
  WardCli *cli;
  GMainLoop *loop;
  gboolean is_running; /* the service, as far as has been told */
  /* "NAME/INTERFACE/PROPERTY" → GVariant: what each property was, since signals only carry what it is. */
  GHashTable *values;
} Monitor;

static gboolean
is_wanted (Monitor *monitor, const char *tpm_name)
{
  return monitor->cli->tpm_name == NULL || g_strcmp0 (monitor->cli->tpm_name, tpm_name) == 0;
}

/* Objects are known by the last element of their path, which is the TPM's name, also when its properties are gone. */
static char *
name_of (GDBusObject *object)
{
  return g_path_get_basename (g_dbus_object_get_object_path (object));
}

static void
print_line (const char *subject, WardCliStyle style, const char *text)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%H:%M:%S");
  g_autofree char *dim = ward_cli_styled (WARD_CLI_STYLE_DIM, time);
  g_autofree char *clean = ward_cli_text_clean (text);
  g_autofree char *clean_subject = ward_cli_text_clean (subject);
  g_autofree char *styled = ward_cli_styled (style, clean);

  ward_cli_print ("%s  %-8s  %s\n", dim, clean_subject, styled);
}

/* A new object with what every event has; to be ended with end_event(). */
static JsonBuilder *
begin_event (const char *event, const char *tpm_name)
{
  JsonBuilder *builder = json_builder_new ();
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S.%fZ");

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "time", time);
  ward_cli_json_add_string (builder, "event", event);
  if (tpm_name != NULL)
    ward_cli_json_add_string (builder, "tpm", tpm_name);
  return builder;
}

static void
end_event (JsonBuilder *builder)
{
  json_builder_end_object (builder);
  ward_cli_json_print (builder, FALSE);
  g_object_unref (builder);
}

static void
tell (Monitor *monitor, const char *event, const char *tpm_name, WardCliStyle style, const char *text)
{
  if (monitor->cli->json)
    end_event (begin_event (event, tpm_name));
  else
    print_line (tpm_name != NULL ? tpm_name : "service", style, text);
}

/* The service's coming is told before that of its TPMs, whose signals may be heard first. */
static void
note_running (Monitor *monitor, gboolean is_running)
{
  if (monitor->is_running == is_running)
    return;
  monitor->is_running = is_running;
  if (is_running)
    tell (monitor, "service-started", NULL, WARD_CLI_STYLE_GOOD, "started");
  else
    tell (monitor, "service-ended", NULL, WARD_CLI_STYLE_WARNING, "ended; it starts again when it is needed");
}

/* Puts value in the place of the property's old one, which it returns, or NULL. */
static GVariant *
swap_value (Monitor *monitor, const char *subject, const char *interface, const char *property, GVariant *value)
{
  g_autofree char *key = g_strjoin ("/", subject, interface, property, NULL);
  GVariant *old = g_hash_table_lookup (monitor->values, key);

  if (old != NULL)
    g_variant_ref (old);
  g_hash_table_insert (monitor->values, g_steal_pointer (&key), g_variant_ref (value));
  return old;
}

static void
add_change_json (const char *tpm_name, const char *interface, const char *property, GVariant *old, GVariant *value)
{
  JsonBuilder *builder = begin_event ("property-changed", tpm_name);

  ward_cli_json_add_string (builder, "interface", interface);
  ward_cli_json_add_string (builder, "property", property);
  json_builder_set_member_name (builder, "old");
  if (old != NULL)
    ward_cli_json_add_variant (builder, old);
  else
    json_builder_add_null_value (builder);
  json_builder_set_member_name (builder, "value");
  ward_cli_json_add_variant (builder, value);
  end_event (builder);
}

static char *
format_instant (guint64 microseconds)
{
  if (microseconds == 0)
    return g_strdup ("none");
  if (microseconds == G_MAXUINT64)
    return g_strdup ("the next reset of the TPM");
  return ward_client_text_instant (microseconds);
}

/* A string without its quotes, a list of them with commas, an instant as date and time, the rest as GVariant prints it.
 */
static char *
format_value (GVariant *value)
{
  if (value == NULL)
    return g_strdup ("?");
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return *g_variant_get_string (value, NULL) != '\0' ? g_variant_dup_string (value, NULL) : g_strdup ("nothing");
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return format_instant (g_variant_get_uint64 (value));
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING_ARRAY))
    {
      g_autofree const char **strings = g_variant_get_strv (value, NULL);

      return strings[0] != NULL ? g_strjoinv (", ", (GStrv)strings) : g_strdup ("nothing");
    }
  return g_variant_print (value, FALSE);
}

static WardCliStyle
style_for (const char *value)
{
  static const char *const good[] = { "ready", "passed", NULL };
  static const char *const bad[] = { "failed", "unreachable", "disabled", NULL };

  if (g_strv_contains (good, value))
    return WARD_CLI_STYLE_GOOD;
  return g_strv_contains (bad, value) ? WARD_CLI_STYLE_BAD : WARD_CLI_STYLE_PLAIN;
}

static WardCliStyle
style_for_change (const char *property, GVariant *value, const char *text)
{
  if (g_str_equal (property, "LockedOut") && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return g_variant_get_boolean (value) ? WARD_CLI_STYLE_BAD : WARD_CLI_STYLE_GOOD;
  return style_for (text);
}

/* What explains a state is told after it; the dictionary has no order. */
static gboolean
is_explanation (const char *property)
{
  return g_str_equal (property, "StateDetail") || g_str_equal (property, "NoTpmReason");
}

static void
print_change (const char *subject, const char *property, GVariant *old, GVariant *value)
{
  g_autofree char *words = ward_cli_text_from_camel (property, ' ');
  g_autofree char *before = format_value (old);
  g_autofree char *after = format_value (value);
  g_autofree char *text = NULL;

  /* Sentences need no comparison with the sentences before. */
  if (is_explanation (property))
    text = g_strdup (g_variant_get_string (value, NULL));
  else
    text = g_strdup_printf ("%s: %s → %s", words, before, after);
  if (*text != '\0')
    print_line (subject, style_for_change (property, value, after), text);
}

/* A test is told in one line, when its state changes, rather than property by property. */
static void
print_self_test (const char *subject, WardDbusSelfTest *test)
{
  const char *state = ward_dbus_self_test_get_state (test);
  const char *mode = ward_dbus_self_test_get_mode (test);
  g_autofree char *took = ward_client_text_duration (ward_dbus_self_test_get_duration (test));
  g_autofree char *text = NULL;

  if (g_strcmp0 (state, "running") == 0)
    text = g_strdup_printf ("%s self-test started", mode);
  else if (g_strcmp0 (state, "never-run") == 0)
    text = g_strdup ("self-test ended without a result");
  else
    text = g_strdup_printf ("%s self-test %s in %s", mode, state, took);
  print_line (subject, style_for (state), text);
  if (g_strcmp0 (state, "failed") == 0)
    print_line (subject, WARD_CLI_STYLE_PLAIN, ward_dbus_self_test_get_text (test));
}

static void
on_change (Monitor *monitor, const char *subject, GDBusProxy *proxy, const char *property, GVariant *value)
{
  const char *interface = g_dbus_proxy_get_interface_name (proxy);
  g_autoptr (GVariant) old = swap_value (monitor, subject, interface, property, value);
  gboolean is_manager = WARD_DBUS_IS_MANAGER (proxy);

  if (old != NULL && g_variant_equal (old, value))
    return;
  if (monitor->cli->json)
    add_change_json (is_manager ? NULL : subject, interface, property, old, value);
  else if (WARD_DBUS_IS_SELF_TEST (proxy) && g_str_equal (property, "State"))
    print_self_test (subject, WARD_DBUS_SELF_TEST (proxy));
  /* That TPMs come and go is told by themselves. */
  else if (!WARD_DBUS_IS_SELF_TEST (proxy) && !(is_manager && g_str_equal (property, "Tpms")))
    print_change (subject, property, old, value);
}

static void
on_changes_of (Monitor *monitor, const char *subject, GDBusProxy *proxy, GVariant *changed, gboolean explanations)
{
  GVariantIter iter;
  const char *property;
  GVariant *value;

  g_variant_iter_init (&iter, changed);
  while (g_variant_iter_next (&iter, "{&sv}", &property, &value))
    {
      g_autoptr (GVariant) owned = value;

      if (is_explanation (property) == explanations)
        on_change (monitor, subject, proxy, property, value);
    }
}

static void
on_changes (Monitor *monitor, const char *subject, GDBusProxy *proxy, GVariant *changed)
{
  on_changes_of (monitor, subject, proxy, changed, FALSE);
  on_changes_of (monitor, subject, proxy, changed, TRUE);
  /* A full disk: the status is main()'s to tell. */
  if (ferror (stdout))
    g_main_loop_quit (monitor->loop);
}

static void
on_tpm_changed (GDBusObjectManagerClient *objects, GDBusObjectProxy *object, GDBusProxy *proxy, GVariant *changed,
                const char *const *invalidated, gpointer user_data)
{
  Monitor *monitor = user_data;
  g_autofree char *name = name_of (G_DBUS_OBJECT (object));

  if (is_wanted (monitor, name))
    on_changes (monitor, name, proxy, changed);
}

static void
on_manager_changed (GDBusProxy *manager, GVariant *changed, const char *const *invalidated, gpointer user_data)
{
  /* When the service leaves, all values are invalidated and none is changed. */
  if (g_variant_n_children (changed) > 0)
    note_running (user_data, TRUE);
  on_changes (user_data, "service", manager, changed);
}

static void
remember (Monitor *monitor, const char *subject, GDBusProxy *proxy)
{
  g_auto (GStrv) properties = g_dbus_proxy_get_cached_property_names (proxy);

  for (guint i = 0; properties != NULL && properties[i] != NULL; i++)
    {
      g_autoptr (GVariant) value = g_dbus_proxy_get_cached_property (proxy, properties[i]);
      g_autoptr (GVariant) old = swap_value (monitor, subject, g_dbus_proxy_get_interface_name (proxy), properties[i],
                                             value);
    }
}

static void
on_tpm_added (GDBusObjectManager *objects, GDBusObject *object, gpointer user_data)
{
  Monitor *monitor = user_data;
  WardDbusTpm *tpm = ward_dbus_object_peek_tpm (WARD_DBUS_OBJECT (object));
  g_autolist (GDBusInterface) interfaces = g_dbus_object_get_interfaces (object);
  g_autofree char *name = name_of (object);
  g_autofree char *text = NULL;

  note_running (monitor, TRUE);
  if (tpm == NULL || !is_wanted (monitor, name))
    return;
  for (GList *l = interfaces; l != NULL; l = l->next)
    remember (monitor, name, G_DBUS_PROXY (l->data));

  text = g_strdup_printf ("there: TPM %s, %s %s, %s", ward_dbus_tpm_get_family (tpm),
                          ward_dbus_tpm_get_manufacturer (tpm), ward_dbus_tpm_get_vendor_string (tpm),
                          ward_dbus_tpm_get_state (tpm));
  tell (monitor, "tpm-added", name, style_for (ward_dbus_tpm_get_state (tpm)), text);
}

static void
on_tpm_removed (GDBusObjectManager *objects, GDBusObject *object, gpointer user_data)
{
  Monitor *monitor = user_data;
  g_autofree char *name = name_of (object);

  if (is_wanted (monitor, name))
    tell (monitor, "tpm-removed", name, WARD_CLI_STYLE_WARNING, "gone");
}

static void
on_owner_changed (GObject *objects, GParamSpec *pspec, gpointer user_data)
{
  Monitor *monitor = user_data;

  note_running (monitor, ward_client_is_running (monitor->cli->client));
}

static void
on_bus_closed (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer user_data)
{
  Monitor *monitor = user_data;
  g_autoptr (GError) lost = g_error_new_literal (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_BUS,
                                                 "The connection to the system bus was lost.");

  monitor->cli->status = ward_cli_fail (lost);
  g_main_loop_quit (monitor->loop);
}

static gboolean
on_stop (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

/* A reader that has left is noticed at once and not at the next event, which may be days away. */
static gboolean
on_reader_gone (int fd, GIOCondition condition, gpointer user_data)
{
  raise (SIGPIPE);
  return G_SOURCE_REMOVE;
}

static void
tell_what_is_there (Monitor *monitor)
{
  WardDbusManager *manager = ward_client_get_manager (monitor->cli->client);
  g_autoptr (GPtrArray) tpms = ward_client_dup_tpms (monitor->cli->client);
  g_autofree char *text = g_strdup_printf ("TPM Ward %s runs", ward_dbus_manager_get_version (manager));

  monitor->is_running = TRUE;
  remember (monitor, "service", G_DBUS_PROXY (manager));
  tell (monitor, "service-running", NULL, WARD_CLI_STYLE_PLAIN, text);
  for (guint i = 0; i < tpms->len; i++)
    on_tpm_added (NULL, tpms->pdata[i], monitor);
  if (tpms->len == 0 && !monitor->cli->json)
    print_line ("service", WARD_CLI_STYLE_PLAIN, ward_dbus_manager_get_no_tpm_reason (manager));
}

static void
watch (Monitor *monitor)
{
  GDBusObjectManager *objects = ward_client_get_objects (monitor->cli->client);
  GDBusConnection *connection = ward_client_get_connection (monitor->cli->client);

  g_signal_connect (objects, "notify::name-owner", G_CALLBACK (on_owner_changed), monitor);
  g_signal_connect (objects, "object-added", G_CALLBACK (on_tpm_added), monitor);
  g_signal_connect (objects, "object-removed", G_CALLBACK (on_tpm_removed), monitor);
  g_signal_connect (objects, "interface-proxy-properties-changed", G_CALLBACK (on_tpm_changed), monitor);
  g_signal_connect (ward_client_get_manager (monitor->cli->client), "g-properties-changed",
                    G_CALLBACK (on_manager_changed), monitor);
  g_signal_connect (connection, "closed", G_CALLBACK (on_bus_closed), monitor);
}

WardCliStatus
ward_cli_monitor (WardCli *cli, GStrv *args)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GHashTable) values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                                         (GDestroyNotify)g_variant_unref);
  Monitor monitor = { .cli = cli, .loop = loop, .values = values };

  if (!ward_cli_parse (cli, args, NULL, 0, 0) || !ward_cli_connect (cli))
    return cli->status;

  /* Whoever reads this through a pipe wants each line when it happens. */
  setvbuf (stdout, NULL, _IOLBF, 0);
  g_unix_signal_add (SIGINT, on_stop, loop);
  g_unix_signal_add (SIGTERM, on_stop, loop);
  g_unix_fd_add (STDOUT_FILENO, G_IO_ERR, on_reader_gone, NULL);
  tell_what_is_there (&monitor);
  watch (&monitor);

  if (!ferror (stdout))
    g_main_loop_run (loop);
  g_signal_handlers_disconnect_by_data (ward_client_get_connection (cli->client), &monitor);
  g_signal_handlers_disconnect_by_data (ward_client_get_objects (cli->client), &monitor);
  g_signal_handlers_disconnect_by_data (ward_client_get_manager (cli->client), &monitor);
  return cli->status;
}
