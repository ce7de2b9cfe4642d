/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-lockout-panel.h"
#include "ward-cli-secret.h"

/* One use of the lockout auth. After a wrong one the TPM refuses even the right one for long, so the service's guard,
 * and this before it, keep a person from spending a second try by accident. Of a TPM 1.2 it is the owner's secret that
 * is used, which nothing bars. */
typedef struct
{
  WardDbusLockout *lockout; /* not owned */
  WardCliLockoutAuth auth;
  const char *what;   /* the secret's name in a sentence */
  const char *option; /* the option by which a script gives it */
  WardSecret *secret; /* owned; NULL until it is there */
  gboolean force;
  gboolean well_known; /* the owner of a TPM 1.2 has the secret that everybody has */
  gboolean has_owner;  /* of a TPM 1.2 */
} WardCliGuard;

/* Entry of a verb's options. */
#define WARD_CLI_GUARD_WELL_KNOWN_ENTRY(guard)                                                                         \
  {                                                                                                                    \
    "well-known", 'z', 0, G_OPTION_ARG_NONE, &(guard)->well_known,                                                     \
        "The owner of the TPM 1.2 has the well-known secret", NULL                                                     \
  }

/* Asks for the secret of a TPM 1.2's owner where none was given, by option, and it is not the well-known one. what: its
 * name in a sentence. FALSE with cli->status set after printing why. */
gboolean ward_cli_guard_obtain_owners (WardCli *cli, gboolean well_known, const char *what, const char *option,
                                       WardSecret **secret);
/* That it was not said of the owner of a TPM 2.0. Likewise. */
gboolean ward_cli_guard_check_well_known (WardCli *cli, gboolean well_known);

/* What the guard is to know of the TPM; auth is that of a TPM 2.0. For a TPM 1.2 it changes the secret's name. */
void ward_cli_guard_look (WardCliGuard *guard, WardDbusObject *object, WardCliLockoutAuth auth);

/* While the bar is known to stand, or where there is no owner, the secret is not even to be asked for; the first unless
 * the person insists, which sets force. FALSE with cli->status set after printing why. */
gboolean ward_cli_guard_pass (WardCli *cli, WardCliGuard *guard);

/* Asks for the secret where the TPM needs one and none was given. FALSE with cli->status set after printing why. */
gboolean ward_cli_guard_obtain_secret (WardCli *cli, WardCliGuard *guard);

/* Calls the service's method with the guard's secret and force. */
typedef gboolean (*WardCliGuardCall) (WardCli *cli, gpointer user_data, GError **error);

/* Calls, and once more by force if the service's guard refused and the person insists. */
gboolean ward_cli_guard_call (WardCli *cli, WardCliGuard *guard, WardCliGuardCall call, gpointer user_data,
                              GError **error);

/* As ward_cli_fail(), and tells of the bar if the auth was a wrong one. */
WardCliStatus ward_cli_guard_fail (const WardCliGuard *guard, const GError *error);

/* What is at stake, for warnings. */
#define WARD_CLI_GUARD_AT_STAKE                                                                                        \
  "Then nobody can end a lockout, change its parameters or clear the TPM by its lockout auth."
