/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-guard.h"

#include <unistd.h>

#include "ward-cli-term.h"

void
ward_cli_guard_look (WardCliGuard *guard, WardDbusObject *object, WardCliLockoutAuth auth)
{
  WardDbusOwnership *ownership = ward_dbus_object_peek_ownership (object);

  guard->auth = auth;
  if (!ward_cli_is_tpm12 (object))
    return;
  guard->auth = WARD_CLI_LOCKOUT_AUTH_OF_OWNER;
  guard->what = "owner's secret";
  guard->has_owner = ownership != NULL && ward_dbus_ownership_get_owned (ownership);
}

static gboolean
check_owner (WardCli *cli, const WardCliGuard *guard)
{
  if (guard->has_owner)
    return TRUE;
  ward_cli_print_error (
      "tpmward: This TPM 1.2 has no owner, and it is the owner's secret that this takes. “tpmward own” "
      "gives it one.");
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

gboolean
ward_cli_guard_pass (WardCli *cli, WardCliGuard *guard)
{
  g_autofree char *bar = ward_cli_lockout_bar (guard->lockout, g_get_real_time ());

  if (guard->auth == WARD_CLI_LOCKOUT_AUTH_OF_OWNER)
    return check_owner (cli, guard);
  if (bar == NULL || guard->force)
    return TRUE;
  ward_cli_print_error (
      "tpmward: A wrong lockout auth is on record: even the right one is refused %s, and a further wrong "
      "one after that bars it anew. To try all the same takes --force.",
      bar);
  guard->force = ward_cli_confirm ("Try all the same?");
  if (!guard->force)
    cli->status = WARD_CLI_LOCKED_OUT;
  return guard->force;
}

static void
warn_of_wrong_auth (const WardCliGuard *guard)
{
  g_autofree char *penalty = ward_cli_lockout_penalty (ward_dbus_lockout_get_lockout_recovery_seconds (guard->lockout));

  ward_cli_print_error (
      "Careful: after one wrong lockout auth this TPM refuses even the right one %s. " WARD_CLI_GUARD_AT_STAKE,
      penalty);
}

/* An empty one would be taken for the well-known one, which is to be asked for by name: a wrong one is counted. */
gboolean
ward_cli_guard_obtain_owners (WardCli *cli, gboolean well_known, const char *what, const char *option,
                              WardSecret **secret)
{
  if (well_known && *secret != NULL)
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --well-known and %s can be given.", option);
      return FALSE;
    }
  if (well_known)
    return TRUE;
  if (*secret == NULL)
    {
      *secret = ward_cli_secret_ask (cli, what, option);
      return *secret != NULL;
    }
  if (ward_secret_get_size (*secret) > 0)
    return TRUE;

  ward_cli_print_error (
      "tpmward: %s gave an empty secret. It was not tried, as the TPM counts wrong ones. If the owner "
      "has the well-known secret, say so by --well-known.",
      option);
  cli->status = WARD_CLI_AUTH_FAILED;
  return FALSE;
}

gboolean
ward_cli_guard_check_well_known (WardCli *cli, gboolean well_known)
{
  if (!well_known)
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL, "--well-known is for the owner of a TPM 1.2, and this TPM is a 2.0.");
  return FALSE;
}

/* An empty one where one is set would be a wrong one. */
gboolean
ward_cli_guard_obtain_secret (WardCli *cli, WardCliGuard *guard)
{
  if (guard->auth == WARD_CLI_LOCKOUT_AUTH_OF_OWNER)
    return ward_cli_guard_obtain_owners (cli, guard->well_known, guard->what, guard->option, &guard->secret);
  if (!ward_cli_guard_check_well_known (cli, guard->well_known))
    return FALSE;
  if (guard->secret == NULL && guard->auth == WARD_CLI_LOCKOUT_AUTH_NONE)
    return TRUE;
  if (guard->secret == NULL)
    {
      warn_of_wrong_auth (guard);
      guard->secret = ward_cli_secret_ask (cli, guard->what, guard->option);
      return guard->secret != NULL;
    }
  if (ward_secret_get_size (guard->secret) > 0 || guard->auth == WARD_CLI_LOCKOUT_AUTH_NONE)
    return TRUE;

  ward_cli_print_error ("tpmward: %s gave an empty secret, but this TPM has a lockout auth. It was not tried, as a "
                        "wrong one bars the lockout hierarchy.",
                        guard->option);
  cli->status = WARD_CLI_AUTH_FAILED;
  return FALSE;
}

/* What the chip itself refused it would refuse again: then the service has learnt of the bar just now. */
gboolean
ward_cli_guard_call (WardCli *cli, WardCliGuard *guard, WardCliGuardCall call, gpointer user_data, GError **error)
{
  gboolean was_barred = ward_dbus_lockout_get_lockout_auth_barred_until (guard->lockout) != 0;
  g_autoptr (GError) refusal = NULL;

  if (call (cli, user_data, &refusal))
    return TRUE;
  if (!guard->force && refusal && g_error_matches (refusal, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_LOCKED_OUT)
      && (was_barred || ward_dbus_lockout_get_lockout_auth_barred_until (guard->lockout) == 0) && isatty (STDIN_FILENO))
    {
      ward_cli_print_error ("tpmward: %s", refusal->message);
      guard->force = ward_cli_confirm ("Try all the same?");
      if (guard->force)
        return call (cli, user_data, error);
    }
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

WardCliStatus
ward_cli_guard_fail (const WardCliGuard *guard, const GError *error)
{
  WardCliStatus status = ward_cli_fail (error);
  g_autofree char *bar = ward_cli_lockout_bar (guard->lockout, g_get_real_time ());

  if (bar != NULL && status == WARD_CLI_AUTH_FAILED)
    ward_cli_print_error ("The TPM now refuses even the right lockout auth %s.", bar);
  return status;
}
