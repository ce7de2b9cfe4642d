/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-helper-client.h"

#include <string.h>

#include "ward-bus-error.h"
#include "ward-error.h"

#define HELPER_NAME "org.tpmward1.Helper"
#define HELPER_PATH "/org/tpmward1/Helper"
#define HELPER_INTERFACE "org.tpmward1.Helper"

/* Its start, and a walk through all that it would look at, take a fraction of this. */
#define TIMEOUT_MS 30000

/* Nor does it wait longer than a minute for systemd. */
#define SYSTEMD_TIMEOUT_MS 90000

gboolean
ward_helper_client_has_devices (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/dev", 0, NULL);
  const char *name;

  while (folder && (name = g_dir_read_name (folder)))
    if (g_str_has_prefix (name, "tpm") && g_ascii_isdigit (name[strlen (name) - 1]))
      return TRUE;
  return FALSE;
}

static void
call (GDBusConnection *connection, const char *method, GVariant *parameters, const char *reply_type, int timeout_ms,
      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_dbus_connection_call (connection, HELPER_NAME, HELPER_PATH, HELPER_INTERFACE, method, parameters,
                          G_VARIANT_TYPE (reply_type), G_DBUS_CALL_FLAGS_NONE, timeout_ms, cancellable, callback,
                          user_data);
}

void
ward_helper_client_repair_access_async (GDBusConnection *connection, gboolean dry_run, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "RepairAccess", g_variant_new ("(b)", dry_run), "(as)", TIMEOUT_MS, cancellable, callback,
        user_data);
}

/* The error, which is freed, in our domain. */
static GError *
translate (GError *error)
{
  g_autoptr (GError) owned = error;
  g_autofree char *remote = g_dbus_error_get_remote_error (error);
  int code;
  gboolean is_missing = g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
                        || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);

  g_dbus_error_strip_remote_error (error);
  if (ward_bus_error_from_name (remote, &code))
    return g_error_new_literal (WARD_ERROR, code, error->message);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_new_literal (WARD_ERROR, WARD_ERROR_CANCELLED, "The call was withdrawn.");
  if (is_missing)
    return g_error_new (WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                        "The bus knows no tpmward-helper, which does what needs root: install it. (%s)",
                        error->message);
  return g_error_new (WARD_ERROR, WARD_ERROR_UNREACHABLE,
                      "tpmward-helper, which does what needs root, does not answer: %s. The journal of "
                      "tpmward-helper.service may say more.",
                      error->message);
}

/* The reply, or its error in our domain. */
static GVariant *
finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  GError *local_error = NULL;
  GVariant *reply = g_dbus_connection_call_finish (connection, result, &local_error);

  if (!reply)
    g_propagate_error (error, translate (local_error));
  return reply;
}

/* Of a method that returns lines. */
static char **
finish_lines (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = finish (connection, result, error);
  char **lines = NULL;

  if (reply)
    g_variant_get (reply, "(^as)", &lines);
  return lines;
}

char **
ward_helper_client_repair_access_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  return finish_lines (connection, result, error);
}

void
ward_helper_client_scan_dependents_async (GDBusConnection *connection, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "ScanDependents", NULL, "(aa{sv})", TIMEOUT_MS, cancellable, callback, user_data);
}

GVariant *
ward_helper_client_scan_dependents_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = finish (connection, result, error);

  return reply ? g_variant_get_child_value (reply, 0) : NULL;
}

void
ward_helper_client_request_clear_async (GDBusConnection *connection, const char *tpm, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "RequestClear", g_variant_new ("(s)", tpm), "(u)", TIMEOUT_MS, cancellable, callback, user_data);
}

guint32
ward_helper_client_request_clear_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = finish (connection, result, error);
  guint32 operation = 0;

  if (reply)
    g_variant_get (reply, "(u)", &operation);
  return operation;
}

void
ward_helper_client_withdraw_clear_async (GDBusConnection *connection, const char *tpm, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "WithdrawClear", g_variant_new ("(s)", tpm), "()", TIMEOUT_MS, cancellable, callback, user_data);
}

gboolean
ward_helper_client_withdraw_clear_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = finish (connection, result, error);

  return reply != NULL;
}

void
ward_helper_client_inspect_async (GDBusConnection *connection, GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  call (connection, "Inspect", NULL, "(aa{sv}as)", TIMEOUT_MS, cancellable, callback, user_data);
}

GVariant *
ward_helper_client_inspect_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  return finish (connection, result, error);
}

void
ward_helper_client_load_driver_async (GDBusConnection *connection, gboolean dry_run, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "LoadDriver", g_variant_new ("(b)", dry_run), "(as)", SYSTEMD_TIMEOUT_MS, cancellable, callback,
        user_data);
}

char **
ward_helper_client_load_driver_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  return finish_lines (connection, result, error);
}

void
ward_helper_client_disable_service_async (GDBusConnection *connection, const char *service, gboolean dry_run,
                                          GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "DisableService", g_variant_new ("(sb)", service, dry_run), "(as)", SYSTEMD_TIMEOUT_MS, cancellable,
        callback, user_data);
}

char **
ward_helper_client_disable_service_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  return finish_lines (connection, result, error);
}

void
ward_helper_client_repair_tcsd_config_async (GDBusConnection *connection, gboolean dry_run,
                                             GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "RepairTcsdConfig", g_variant_new ("(b)", dry_run), "(as)", TIMEOUT_MS, NULL, callback, user_data);
}

void
ward_helper_client_close_tcsd_async (GDBusConnection *connection, gboolean dry_run, GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  call (connection, "CloseTcsd", g_variant_new ("(b)", dry_run), "(as)", SYSTEMD_TIMEOUT_MS, NULL, callback, user_data);
}

char **
ward_helper_client_tcsd_config_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  return finish_lines (connection, result, error);
}

void
ward_helper_client_start_tcsd_async (GDBusConnection *connection, GAsyncReadyCallback callback, gpointer user_data)
{
  call (connection, "StartTcsd", NULL, "(s)", SYSTEMD_TIMEOUT_MS, NULL, callback, user_data);
}

char *
ward_helper_client_start_tcsd_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = finish (connection, result, error);
  char *invocation = NULL;

  if (reply)
    g_variant_get (reply, "(s)", &invocation);
  return invocation;
}

void
ward_helper_client_stop_tcsd_async (GDBusConnection *connection, const char *invocation, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  call (connection, "StopTcsd", g_variant_new ("(s)", invocation), "()", SYSTEMD_TIMEOUT_MS, NULL, callback, user_data);
}

gboolean
ward_helper_client_stop_tcsd_finish (GDBusConnection *connection, GAsyncResult *result, GError **error)
{
  g_autoptr (GVariant) reply = finish (connection, result, error);

  return reply != NULL;
}
