/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tcsd-unit.h"

#include "ward-error.h"
#include "ward-families.h"
#include "ward-systemd.h"

#define UNIT "tcsd.service"

static gboolean
runs (const WardUnitState *state)
{
  return !g_str_equal (state->active_state, "inactive") && !g_str_equal (state->active_state, "failed");
}

static gboolean
may_start (const WardUnitState *state, GError **error)
{
  if (g_str_equal (state->load_state, "not-found"))
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
                         "There is no " UNIT ": install TrouSerS (the package “trousers” of most distributions), "
                         "through which a TPM 1.2 is used.");
  else if (g_str_equal (state->load_state, "masked"))
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                         "An administrator has masked " UNIT ". “systemctl unmask " UNIT "” allows it again.");
  else
    return TRUE;
  return FALSE;
}

char *
ward_tcsd_unit_start (const char *root, GDBusConnection *connection, GError **error)
{
  g_autoptr (WardSystemd) systemd = NULL;
  g_autoptr (WardUnitState) was = NULL;
  g_autoptr (WardUnitState) is = NULL;

  if (ward_families_are_only_tpm2 (root))
    {
      g_set_error_literal (
          error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
          "All TPMs of this machine are of family 2.0, whose device tcsd would only keep from others.");
      return NULL;
    }
  systemd = ward_systemd_new (connection, error);
  was = systemd ? ward_systemd_look (systemd, UNIT, error) : NULL;
  if (!was || !may_start (was, error))
    return NULL;
  if (runs (was))
    return g_strdup ("");

  /* what has failed too often is not started again until that is forgotten */
  if (g_str_equal (was->active_state, "failed") && !ward_systemd_reset_failed (systemd, UNIT, error))
    return NULL;
  if (!ward_systemd_start (systemd, UNIT, error))
    return NULL;
  g_message ("Services: start " UNIT);
  is = ward_systemd_look (systemd, UNIT, error);
  return is ? g_strdup (is->invocation) : NULL;
}

gboolean
ward_tcsd_unit_stop (GDBusConnection *connection, const char *invocation, GError **error)
{
  g_autoptr (WardSystemd) systemd = ward_systemd_new (connection, error);
  g_autoptr (WardUnitState) is = systemd ? ward_systemd_look (systemd, UNIT, error) : NULL;

  if (!is)
    return FALSE;
  if (!runs (is) || !*invocation || !g_str_equal (is->invocation, invocation))
    return TRUE;
  if (!ward_systemd_stop (systemd, UNIT, error))
    return FALSE;
  g_message ("Services: stop " UNIT ", which was started for the service");
  return TRUE;
}

gboolean
ward_tcsd_unit_restart (GDBusConnection *connection, GError **error)
{
  g_autoptr (WardSystemd) systemd = ward_systemd_new (connection, error);
  g_autoptr (WardUnitState) is = systemd ? ward_systemd_look (systemd, UNIT, error) : NULL;

  if (!is || (runs (is) && !ward_systemd_restart (systemd, UNIT, error)))
    return FALSE;
  return TRUE;
}
