/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "ward-dbus.h"

/* Whether a lockout auth is set: the TPM tells, but not by the interface Lockout. */
typedef enum
{
  WARD_CLI_LOCKOUT_AUTH_UNKNOWN,
  WARD_CLI_LOCKOUT_AUTH_NONE,
  WARD_CLI_LOCKOUT_AUTH_SET,
  WARD_CLI_LOCKOUT_AUTH_OF_OWNER, /* a TPM 1.2: the owner's secret takes its place */
} WardCliLockoutAuth;

/* All return new strings of words without a full stop; now is in microseconds since the epoch. */

/* How many failures there are, such as "2 of 32". */
char *ward_cli_lockout_failures (WardDbusLockout *lockout);
/* When the next failure is forgiven; NULL when there is none to forgive. */
char *ward_cli_lockout_next (WardDbusLockout *lockout, gint64 now);
/* Until when the lockout hierarchy is barred; NULL when it is not. */
char *ward_cli_lockout_bar (WardDbusLockout *lockout, gint64 now);
/* For how long a wrong lockout auth bars it. */
char *ward_cli_lockout_penalty (guint32 seconds);
/* What there is to say in a status; NULL when all is well. */
char *ward_cli_lockout_summary (WardDbusLockout *lockout, gint64 now);

/* Prints how it stands, on standard output. */
void ward_cli_lockout_print (const char *tpm_name, WardDbusLockout *lockout, WardCliLockoutAuth auth);
/* Prints the three parameters alone. */
void ward_cli_lockout_print_parameters (WardDbusLockout *lockout);
void ward_cli_lockout_print_json (const char *tpm_name, WardDbusLockout *lockout, WardCliLockoutAuth auth);
