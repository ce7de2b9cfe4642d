/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What acts do not do at the same time: of those with the same turn, one is done after the other. */
typedef enum
{
  WARD_TURN_ACCESS,
  WARD_TURN_CLEAR,
  WARD_TURN_SCAN,
  WARD_TURN_INSPECT,
  WARD_TURN_SYSTEMD,
  WARD_TURN_TCSD_CONFIG,
  WARD_N_TURNS
} WardTurn;

/* A method of org.tpmward1.Helper. */
typedef struct
{
  const char *method;
  WardTurn turn;
  gint64 memory_usec; /* how long what it returned is returned again without doing it; 0: not at all */

  /* Does it on a thread of its own and returns what the method returns, which may be floating; or fails. parameters are
   * of the method's types. */
  GVariant *(*act) (GVariant *parameters, GError **error);
} WardAct;

/* NULL if there is none. */
const WardAct *ward_act_find (const char *method);
