/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-systemd.h"

#include "ward-error.h"

#define NAME "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "org.freedesktop.systemd1.Unit"

#define ANYTHING "load drivers, or start and stop services"

#define CALL_TIMEOUT_MS 25000
#define JOB_TIMEOUT_MS 60000

struct _WardSystemd
{
  GDBusConnection *connection;
  GMainContext *context; /* in which this thread hears of jobs */
  guint subscription;
  GHashTable *results; /* of jobs that have ended, by their paths */
};

/* The error, which is freed, in our domain. what: what systemd was to do. */
static void
fail (GError *said, const char *what, GError **error)
{
  g_autoptr (GError) owned = said;

  if (g_error_matches (said, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
      || g_error_matches (said, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                   "This machine is not run by systemd, which alone the helper can ask to %s. Do it by hand, as root.",
                   what);
      return;
    }
  g_dbus_error_strip_remote_error (said);
  g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
               "systemd was asked to %s, and answered: %s. Its journal (“journalctl -b”) may say more.", what,
               said->message);
}

/* The parameters are taken if they are floating. A systemd that does not run is not started. */
static GVariant *
call (WardSystemd *self, const char *path, const char *interface, const char *method, GVariant *parameters,
      const char *reply_type, const char *what, GError **error)
{
  GError *said = NULL;
  GVariant *reply = g_dbus_connection_call_sync (self->connection, NAME, path, interface, method, parameters,
                                                 reply_type ? G_VARIANT_TYPE (reply_type) : NULL,
                                                 G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_TIMEOUT_MS, NULL, &said);

  if (!reply)
    fail (said, what, error);
  return reply;
}

static gboolean
call_manager (WardSystemd *self, const char *method, GVariant *parameters, const char *what, GError **error)
{
  g_autoptr (GVariant) reply = call (self, PATH, MANAGER, method, parameters, NULL, what, error);

  return reply != NULL;
}

static void
on_job_removed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                const char *signal, GVariant *parameters, gpointer user_data)
{
  WardSystemd *self = user_data;
  const char *job, *result;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(uoss)")))
    return;
  g_variant_get (parameters, "(u&o&s&s)", NULL, &job, NULL, &result);
  g_hash_table_insert (self->results, g_strdup (job), g_strdup (result));
}

/* The name on the bus that cannot be another's: signals could come from anybody. */
static char *
find_owner (GDBusConnection *connection, GError **error)
{
  GError *said = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
      g_variant_new ("(s)", NAME), G_VARIANT_TYPE ("(s)"), G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT_MS, NULL, &said);
  char *owner = NULL;

  if (reply)
    g_variant_get (reply, "(s)", &owner);
  else
    fail (said, ANYTHING, error);
  return owner;
}

/* systemd sends its signals only to those who ask for them. Who has done so already is told so, and it is all right. */
static gboolean
subscribe (WardSystemd *self, GError **error)
{
  GError *said = NULL;
  g_autofree char *remote = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (self->connection, NAME, PATH, MANAGER, "Subscribe", NULL,
                                                            NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_TIMEOUT_MS,
                                                            NULL, &said);

  if (reply)
    return TRUE;
  remote = g_dbus_error_get_remote_error (said);
  if (g_strcmp0 (remote, "org.freedesktop.systemd1.AlreadySubscribed") == 0)
    {
      g_error_free (said);
      return TRUE;
    }
  fail (said, ANYTHING, error);
  return FALSE;
}

WardSystemd *
ward_systemd_new (GDBusConnection *connection, GError **error)
{
  g_autofree char *owner = find_owner (connection, error);
  g_autoptr (WardSystemd) self = NULL;

  if (!owner)
    return NULL;
  self = g_new0 (WardSystemd, 1);
  self->connection = g_object_ref (connection);
  self->context = g_main_context_new ();
  self->results = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_main_context_push_thread_default (self->context);
  self->subscription = g_dbus_connection_signal_subscribe (connection, owner, MANAGER, "JobRemoved", PATH, NULL,
                                                           G_DBUS_SIGNAL_FLAGS_NONE, on_job_removed, self, NULL);
  g_main_context_pop_thread_default (self->context);
  return subscribe (self, error) ? g_steal_pointer (&self) : NULL;
}

void
ward_systemd_free (WardSystemd *systemd)
{
  GVariant *reply;

  g_dbus_connection_signal_unsubscribe (systemd->connection, systemd->subscription);
  reply = g_dbus_connection_call_sync (systemd->connection, NAME, PATH, MANAGER, "Unsubscribe", NULL, NULL,
                                       G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_TIMEOUT_MS, NULL, NULL);
  if (reply)
    g_variant_unref (reply);
  while (g_main_context_iteration (systemd->context, FALSE)) /* signals under way hold it */
    ;
  g_main_context_unref (systemd->context);
  g_hash_table_unref (systemd->results);
  g_object_unref (systemd->connection);
  g_free (systemd);
}

static char *
dup_property (GVariantDict *properties, const char *name)
{
  const char *value;

  return g_strdup (g_variant_dict_lookup (properties, name, "&s", &value) ? value : "");
}

/* Of bytes, in hex. */
static char *
dup_id (GVariantDict *properties, const char *name)
{
  g_autoptr (GVariant) value = g_variant_dict_lookup_value (properties, name, G_VARIANT_TYPE_BYTESTRING);
  GString *text = g_string_new (NULL);
  gsize size = 0;
  const guint8 *bytes = value ? g_variant_get_fixed_array (value, &size, 1) : NULL;

  for (gsize i = 0; i < size; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

WardUnitState *
ward_systemd_look (WardSystemd *systemd, const char *unit, GError **error)
{
  g_autofree char *what = g_strdup_printf ("tell of %s", unit);
  g_autoptr (GVariant) loaded = call (systemd, PATH, MANAGER, "LoadUnit", g_variant_new ("(s)", unit), "(o)", what,
                                      error);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) all = NULL;
  g_auto (GVariantDict) properties = { 0 };
  WardUnitState *state;
  const char *path;

  if (!loaded)
    return NULL;
  g_variant_get (loaded, "(&o)", &path);
  reply = call (systemd, path, "org.freedesktop.DBus.Properties", "GetAll", g_variant_new ("(s)", UNIT), "(a{sv})",
                what, error);
  if (!reply)
    return NULL;

  all = g_variant_get_child_value (reply, 0);
  g_variant_dict_init (&properties, all);
  state = g_new0 (WardUnitState, 1);
  state->load_state = dup_property (&properties, "LoadState");
  state->active_state = dup_property (&properties, "ActiveState");
  state->file_state = dup_property (&properties, "UnitFileState");
  state->invocation = dup_id (&properties, "InvocationID");
  return state;
}

void
ward_unit_state_free (WardUnitState *state)
{
  g_free (state->load_state);
  g_free (state->active_state);
  g_free (state->file_state);
  g_free (state->invocation);
  g_free (state);
}

static gboolean
on_timeout (gpointer user_data)
{
  *(gboolean *)user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* How the job ended; NULL if it has not in time. */
static const char *
await_job (WardSystemd *self, const char *job)
{
  gboolean timed_out = FALSE;
  g_autoptr (GSource) timeout = g_timeout_source_new (JOB_TIMEOUT_MS);
  const char *result;

  g_source_set_callback (timeout, on_timeout, &timed_out, NULL);
  g_source_attach (timeout, self->context);
  while (!(result = g_hash_table_lookup (self->results, job)) && !timed_out)
    g_main_context_iteration (self->context, TRUE);
  g_source_destroy (timeout);
  return result;
}

static gboolean
run_job (WardSystemd *self, const char *method, const char *unit, const char *what, GError **error)
{
  g_autoptr (GVariant) reply = call (self, PATH, MANAGER, method, g_variant_new ("(ss)", unit, "replace"), "(o)", what,
                                     error);
  const char *job, *result;

  if (!reply)
    return FALSE;
  g_variant_get (reply, "(&o)", &job);
  result = await_job (self, job);
  if (!result)
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                 "systemd was asked to %s, and is still at it after %d seconds. “systemctl status %s” tells how far it "
                 "is.",
                 what, JOB_TIMEOUT_MS / 1000, unit);
  else if (g_str_equal (result, "done"))
    return TRUE;
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                 "systemd was asked to %s, and that ended as “%s”. “systemctl status %s” says more.", what, result,
                 unit);
  return FALSE;
}

gboolean
ward_systemd_start (WardSystemd *systemd, const char *unit, GError **error)
{
  g_autofree char *what = g_strdup_printf ("start %s", unit);

  return run_job (systemd, "StartUnit", unit, what, error);
}

gboolean
ward_systemd_stop (WardSystemd *systemd, const char *unit, GError **error)
{
  g_autofree char *what = g_strdup_printf ("stop %s", unit);

  return run_job (systemd, "StopUnit", unit, what, error);
}

gboolean
ward_systemd_restart (WardSystemd *systemd, const char *unit, GError **error)
{
  g_autofree char *what = g_strdup_printf ("restart %s", unit);

  return run_job (systemd, "RestartUnit", unit, what, error);
}

/* systemd knows of what was changed in its folders once it has looked again. */
static gboolean
change_files (WardSystemd *self, const char *method, GVariant *parameters, const char *what, GError **error)
{
  return call_manager (self, method, parameters, what, error) && call_manager (self, "Reload", NULL, what, error);
}

gboolean
ward_systemd_disable (WardSystemd *systemd, const char *unit, gboolean runtime, GError **error)
{
  const char *const units[] = { unit, NULL };
  g_autofree char *what = g_strdup_printf ("disable %s", unit);

  return change_files (systemd, "DisableUnitFiles", g_variant_new ("(^asb)", units, runtime), what, error);
}

gboolean
ward_systemd_mask (WardSystemd *systemd, const char *unit, GError **error)
{
  const char *const units[] = { unit, NULL };
  g_autofree char *what = g_strdup_printf ("mask %s", unit);
  const gboolean runtime = FALSE, force = FALSE;

  return change_files (systemd, "MaskUnitFiles", g_variant_new ("(^asbb)", units, runtime, force), what, error);
}

gboolean
ward_systemd_reset_failed (WardSystemd *systemd, const char *unit, GError **error)
{
  g_autofree char *what = g_strdup_printf ("forget that %s has failed", unit);

  return call_manager (systemd, "ResetFailedUnit", g_variant_new ("(s)", unit), what, error);
}
