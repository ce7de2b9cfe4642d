/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* The machine's systemd, as it is on the bus (org.freedesktop.systemd1(5)). Its functions wait for it, so they are for
 * a worker thread; one of them is used by one thread only. Their errors are of WARD_ERROR. */
typedef struct _WardSystemd WardSystemd;

/* What systemd says of a unit; its words ("loaded", "active", "enabled"), never NULL. */
typedef struct
{
  char *load_state;
  char *active_state;
  char *file_state;
  char *invocation; /* InvocationID, in hex: another for each start; "" when it was never started */
} WardUnitState;

/* connection: one that the bus' policy lets signals come to. Fails with NOT_SUPPORTED where there is no systemd. */
WardSystemd *ward_systemd_new (GDBusConnection *connection, GError **error);
void ward_systemd_free (WardSystemd *systemd);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSystemd, ward_systemd_free)

WardUnitState *ward_systemd_look (WardSystemd *systemd, const char *unit, GError **error);
void ward_unit_state_free (WardUnitState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardUnitState, ward_unit_state_free)

/* These return when systemd has done it, after at most a minute. */
gboolean ward_systemd_start (WardSystemd *systemd, const char *unit, GError **error);
gboolean ward_systemd_stop (WardSystemd *systemd, const char *unit, GError **error);
gboolean ward_systemd_restart (WardSystemd *systemd, const char *unit, GError **error);

/* Takes away the links by which the unit is started with the machine; runtime: those that the next start of the machine
 * takes away anyway. */
gboolean ward_systemd_disable (WardSystemd *systemd, const char *unit, gboolean runtime, GError **error);

/* Forgets that the unit has failed. */
gboolean ward_systemd_reset_failed (WardSystemd *systemd, const char *unit, GError **error);

/* Has nothing start the unit. */
gboolean ward_systemd_mask (WardSystemd *systemd, const char *unit, GError **error);
