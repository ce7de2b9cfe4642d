/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-act.h"

#include "ward-access.h"
#include "ward-clear-request.h"
#include "ward-dependents.h"
#include "ward-disable.h"
#include "ward-driver.h"
#include "ward-error.h"
#include "ward-holders.h"
#include "ward-journal.h"
#include "ward-tcsd-config.h"
#include "ward-tcsd-unit.h"

/* A preview is followed by what it was made for. */
#define SCAN_MEMORY_USEC (30 * G_USEC_PER_SEC)

/* Of lines, which are taken; NULL if there are none because of an error. */
static GVariant *
pack_lines (GStrv taken)
{
  g_auto (GStrv) lines = taken;

  return lines ? g_variant_new ("(^as)", lines) : NULL;
}

static GVariant *
repair_access (GVariant *parameters, GError **error)
{
  GPtrArray *actions;
  gboolean dry_run;

  g_variant_get (parameters, "(b)", &dry_run);
  if (!ward_access_repair ("", dry_run, &actions, error))
    return NULL;
  g_ptr_array_add (actions, NULL);
  return pack_lines ((GStrv)g_ptr_array_free (actions, FALSE));
}

static GVariant *
scan_dependents (GVariant *parameters, GError **error)
{
  g_autoptr (GPtrArray) dependents = ward_dependents_scan ("/", error);

  return dependents ? g_variant_new ("(@aa{sv})", ward_dependents_to_variant (dependents)) : NULL;
}

static GVariant *
request_clear (GVariant *parameters, GError **error)
{
  const char *tpm;
  guint32 operation;

  g_variant_get (parameters, "(&s)", &tpm);
  operation = ward_clear_request_make ("", tpm, error);
  return operation ? g_variant_new ("(u)", operation) : NULL;
}

static GVariant *
withdraw_clear (GVariant *parameters, GError **error)
{
  const char *tpm;

  g_variant_get (parameters, "(&s)", &tpm);
  return ward_clear_request_withdraw ("", tpm, error) ? g_variant_new ("()") : NULL;
}

static GVariant *
inspect (GVariant *parameters, GError **error)
{
  g_auto (GStrv) journal = ward_journal_read ("");

  return g_variant_new ("(@aa{sv}^as)", ward_holders_find (""), journal);
}

/* Another connection to the bus than that which has the helper's name: as the bus' policy lets only the service send
 * anything to that, nor would it get what systemd tells everybody. */
static GDBusConnection *
connect_unnamed (GError **error)
{
  g_autoptr (GError) said = NULL;
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, &said);
  GDBusConnection *connection = NULL;

  if (address)
    connection = g_dbus_connection_new_for_address_sync (
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
        NULL, &said);
  if (!connection)
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED, "The helper cannot talk to systemd: %s. Try again.",
                 said->message);
  return connection;
}

static GVariant *
load_driver (GVariant *parameters, GError **error)
{
  g_autoptr (GDBusConnection) connection = connect_unnamed (error);
  gboolean dry_run;

  g_variant_get (parameters, "(b)", &dry_run);
  return connection ? pack_lines (ward_driver_load ("", connection, dry_run, error)) : NULL;
}

static GVariant *
disable_service (GVariant *parameters, GError **error)
{
  g_autoptr (GDBusConnection) connection = connect_unnamed (error);
  const char *service;
  gboolean dry_run;

  g_variant_get (parameters, "(&sb)", &service, &dry_run);
  return connection ? pack_lines (ward_disable ("", connection, service, dry_run, error)) : NULL;
}

static GVariant *
repair_tcsd_config (GVariant *parameters, GError **error)
{
  gboolean dry_run;

  g_variant_get (parameters, "(b)", &dry_run);
  return pack_lines (ward_tcsd_config_repair ("", WARD_TCSD_CONFIG_START, dry_run, error));
}

/* A tcsd that runs listens to others until it is started anew. */
static GVariant *
close_tcsd (GVariant *parameters, GError **error)
{
  g_autoptr (GDBusConnection) connection = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean dry_run;

  g_variant_get (parameters, "(b)", &dry_run);
  lines = ward_tcsd_config_repair ("", WARD_TCSD_CONFIG_REMOTE, dry_run, error);
  if (!lines)
    return NULL;
  if (lines[0] && !dry_run)
    {
      connection = connect_unnamed (error);
      if (!connection || !ward_tcsd_unit_restart (connection, error))
        {
          g_prefix_error (error, "The configuration is repaired, but a tcsd that runs has not read it: restart it. ");
          return NULL;
        }
    }
  return pack_lines (g_steal_pointer (&lines));
}

static GVariant *
start_tcsd (GVariant *parameters, GError **error)
{
  g_autoptr (GDBusConnection) connection = connect_unnamed (error);
  g_autofree char *invocation = connection ? ward_tcsd_unit_start ("", connection, error) : NULL;

  return invocation ? g_variant_new ("(s)", invocation) : NULL;
}

static GVariant *
stop_tcsd (GVariant *parameters, GError **error)
{
  g_autoptr (GDBusConnection) connection = connect_unnamed (error);
  const char *invocation;

  g_variant_get (parameters, "(&s)", &invocation);
  return connection && ward_tcsd_unit_stop (connection, invocation, error) ? g_variant_new ("()") : NULL;
}

const WardAct *
ward_act_find (const char *method)
{
  static const WardAct acts[] = {
    { "RepairAccess", WARD_TURN_ACCESS, 0, repair_access },
    { "ScanDependents", WARD_TURN_SCAN, SCAN_MEMORY_USEC, scan_dependents },
    { "RequestClear", WARD_TURN_CLEAR, 0, request_clear },
    { "WithdrawClear", WARD_TURN_CLEAR, 0, withdraw_clear },
    { "Inspect", WARD_TURN_INSPECT, 0, inspect },
    { "LoadDriver", WARD_TURN_SYSTEMD, 0, load_driver },
    { "DisableService", WARD_TURN_SYSTEMD, 0, disable_service },
    { "RepairTcsdConfig", WARD_TURN_TCSD_CONFIG, 0, repair_tcsd_config },
    { "CloseTcsd", WARD_TURN_TCSD_CONFIG, 0, close_tcsd },
    { "StartTcsd", WARD_TURN_SYSTEMD, 0, start_tcsd },
    { "StopTcsd", WARD_TURN_SYSTEMD, 0, stop_tcsd },
  };

  for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
    if (g_str_equal (method, acts[i].method))
      return &acts[i];
  return NULL;
}
