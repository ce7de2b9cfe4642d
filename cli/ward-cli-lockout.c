/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include <unistd.h>

#include "ward-cli-lockout-panel.h"
#include "ward-cli-secret.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

/* TPM 2.0 Library, Part 2, 8.6 (TPMA_PERMANENT). */
#define LOCKOUT_AUTH_SET (1u << 2)

typedef enum
{
  ACTION_SHOW,
  ACTION_RESET,
  ACTION_SET,
} Action;

/* What was asked for, and the TPM that it is asked of. */
typedef struct
{
  Action action;
  char *auth_fd, *max, *recovery, *lockout_recovery; /* the options' values, or NULL */
  gboolean force;
  WardSecret *secret; /* or NULL */

  WardDbusObject *object;
  WardDbusLockout *lockout; /* the object's */
  char *tpm_name;
  WardCliLockoutAuth auth;
} Lockout;

static void
lockout_clear (Lockout *self)
{
  g_free (self->auth_fd);
  g_free (self->max);
  g_free (self->recovery);
  g_free (self->lockout_recovery);
  g_free (self->tpm_name);
  g_clear_pointer (&self->secret, ward_secret_unref);
  g_clear_object (&self->object);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lockout, lockout_clear)

static gboolean
parse_action (WardCli *cli, const char *name, Action *action)
{
  static const char *const names[] = { "reset", "set", NULL };

  if (name == NULL)
    *action = ACTION_SHOW;
  else if (g_str_equal (name, "reset"))
    *action = ACTION_RESET;
  else if (g_str_equal (name, "set"))
    *action = ACTION_SET;
  else
    {
      cli->status = ward_cli_fail_usage (cli, ward_cli_text_suggest (name, names),
                                         "lockout does not take the argument “%s”.", name);
      return FALSE;
    }
  return TRUE;
}

/* A typo must not be ignored, and nor must an option that does nothing. */
static gboolean
check_options (WardCli *cli, const Lockout *self)
{
  gboolean has_parameter = self->max != NULL || self->recovery != NULL || self->lockout_recovery != NULL;

  if (self->action == ACTION_SHOW && (self->auth_fd != NULL || self->force))
    cli->status = ward_cli_fail_usage (cli, NULL, "--auth-fd and --force belong to “lockout reset” and “lockout set”.");
  else if (self->action != ACTION_SET && has_parameter)
    cli->status = ward_cli_fail_usage (cli, NULL, "--max, --recovery and --lockout-recovery belong to “lockout set”.");
  else if (self->action == ACTION_SET && !has_parameter)
    cli->status = ward_cli_fail_usage (cli, NULL,
                                       "lockout set needs at least one of --max, --recovery and --lockout-recovery.");
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_number (WardCli *cli, const char *option, const char *text, guint64 min)
{
  if (text == NULL || g_ascii_string_to_unsigned (text, 10, min, G_MAXUINT32, NULL, NULL))
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL, "%s takes a number from %" G_GUINT64_FORMAT " to %u, not “%s”.", option,
                                     min, G_MAXUINT32, text);
  return FALSE;
}

static gboolean
parse (WardCli *cli, GStrv *args, Lockout *self)
{
  const GOptionEntry entries[] = {
    { "max", 0, 0, G_OPTION_ARG_STRING, &self->max, "set: how many failures lock the TPM", "N" },
    { "recovery", 0, 0, G_OPTION_ARG_STRING, &self->recovery, "set: after how long one failure is forgiven",
      "SECONDS" },
    { "lockout-recovery", 0, 0, G_OPTION_ARG_STRING, &self->lockout_recovery,
      "set: for how long a wrong lockout auth bars reset and set; 0: until a restart", "SECONDS" },
    { "auth-fd", 0, 0, G_OPTION_ARG_STRING, &self->auth_fd, "Read the lockout auth from this file descriptor", "N" },
    { "force", 0, 0, G_OPTION_ARG_NONE, &self->force, "Try although a wrong lockout auth is on record", NULL },
    { 0 },
  };

  return ward_cli_parse (cli, args, entries, 0, 1) && parse_action (cli, (*args)[0], &self->action)
         && check_options (cli, self) && check_number (cli, "--max", self->max, 1)
         && check_number (cli, "--recovery", self->recovery, 1)
         && check_number (cli, "--lockout-recovery", self->lockout_recovery, 0);
}

/* Has the service look at the chip, as other programs fail too, and asks whether there is a lockout auth. */
static gboolean
look (WardCli *cli, Lockout *self, GError **error)
{
  WardDbusTpm *tpm = ward_dbus_object_peek_tpm (self->object);
  g_autoptr (GVariant) refreshed = ward_cli_call (cli, tpm, "Refresh", NULL, error);
  g_autoptr (GVariant) reply = refreshed != NULL ? ward_cli_call (cli, tpm, "GetProperties", NULL, error) : NULL;
  g_autoptr (GVariant) properties = NULL;
  guint32 permanent;

  if (reply == NULL)
    return FALSE;
  properties = g_variant_get_child_value (reply, 0);
  self->auth = WARD_CLI_LOCKOUT_AUTH_UNKNOWN;
  if (g_variant_lookup (properties, "TPM_PT_PERMANENT", "u", &permanent))
    self->auth = permanent & LOCKOUT_AUTH_SET ? WARD_CLI_LOCKOUT_AUTH_SET : WARD_CLI_LOCKOUT_AUTH_NONE;
  return TRUE;
}

static gboolean
open_tpm (WardCli *cli, Lockout *self)
{
  g_autoptr (GError) error = NULL;

  self->object = ward_cli_open_tpm (cli);
  if (self->object == NULL)
    return FALSE;
  self->lockout = ward_dbus_object_peek_lockout (self->object);
  self->tpm_name = ward_dbus_tpm_dup_name (ward_dbus_object_peek_tpm (self->object));
  if (self->lockout == NULL)
    cli->status = ward_cli_fail_interface ("Lockout");
  else if (!look (cli, self, &error))
    cli->status = ward_cli_fail (error);
  else
    return TRUE;
  return FALSE;
}

static void
print_state (WardCli *cli, const Lockout *self)
{
  if (cli->json)
    ward_cli_lockout_print_json (self->tpm_name, self->lockout, self->auth);
  else
    ward_cli_lockout_print (self->tpm_name, self->lockout, self->auth);
}

#define AT_STAKE "Then nobody can end a lockout, change its parameters or clear the TPM by its lockout auth."

static void
warn_of_wrong_auth (const Lockout *self)
{
  g_autofree char *penalty = ward_cli_lockout_penalty (ward_dbus_lockout_get_lockout_recovery_seconds (self->lockout));

  ward_cli_print_error ("Careful: after one wrong lockout auth this TPM refuses even the right one %s. " AT_STAKE,
                        penalty);
}

/* The secret that this TPM needs, if it needs one. An empty one where one is set would be a wrong one. */
static gboolean
obtain_secret (WardCli *cli, Lockout *self)
{
  if (self->secret == NULL && self->auth == WARD_CLI_LOCKOUT_AUTH_NONE)
    return TRUE;
  if (self->secret == NULL)
    {
      warn_of_wrong_auth (self);
      self->secret = ward_cli_secret_ask (cli, "lockout auth", "--auth-fd");
      return self->secret != NULL;
    }
  if (ward_secret_get_size (self->secret) > 0 || self->auth == WARD_CLI_LOCKOUT_AUTH_NONE)
    return TRUE;

  ward_cli_print_error (
      "tpmward: --auth-fd gave an empty secret, but this TPM has a lockout auth. It was not tried, as a "
      "wrong one bars the lockout hierarchy.");
  cli->status = WARD_CLI_AUTH_FAILED;
  return FALSE;
}

static void
warn_of_line_end (const Lockout *self)
{
  gsize size = ward_secret_get_size (self->secret);

  if (size > 0 && ward_secret_get_data (self->secret)[size - 1] == '\n')
    ward_cli_print_error ("Careful: the secret that --auth-fd gave ends in a line's end, which counts as part of it.");
}

/* While the bar is known to stand, the secret is not even asked for, unless the person insists. */
static gboolean
pass_bar (WardCli *cli, Lockout *self)
{
  g_autofree char *bar = ward_cli_lockout_bar (self->lockout, g_get_real_time ());

  if (bar == NULL || self->force)
    return TRUE;
  ward_cli_print_error (
      "tpmward: A wrong lockout auth is on record: even the right one is refused %s, and a further wrong "
      "one after that bars it anew. To try all the same takes --force.",
      bar);
  self->force = ward_cli_confirm ("Try all the same?");
  if (!self->force)
    cli->status = WARD_CLI_LOCKED_OUT;
  return self->force;
}

static guint32
chosen (const char *text, guint32 present)
{
  return text != NULL ? (guint32)g_ascii_strtoull (text, NULL, 10) : present;
}

static void
warn_of_parameters (const Lockout *self)
{
  guint32 failures = ward_dbus_lockout_get_failures (self->lockout);

  if (self->lockout_recovery != NULL && chosen (self->lockout_recovery, 1) == 0)
    ward_cli_print_error (
        "Careful: with --lockout-recovery=0 one wrong lockout auth bars the lockout hierarchy until the "
        "machine is restarted. " AT_STAKE);
  if (self->max != NULL && failures > 0 && chosen (self->max, 1) <= failures)
    ward_cli_print_error (
        "Careful: %u failures are counted now, so --max=%s locks the TPM at once. “tpmward lockout reset” "
        "forgives them.",
        failures, self->max);
}

/* The method's arguments, with the secret in fds. */
static GVariant *
pack (const Lockout *self, GUnixFDList *fds, GError **error)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  WardDbusLockout *lockout = self->lockout;

  if (self->secret != NULL && ward_secret_get_size (self->secret) > 0
      && !ward_client_secret_add (self->secret, "auth", &options, fds, error))
    return NULL;
  if (self->force)
    g_variant_dict_insert (&options, "force", "b", TRUE);
  if (self->action == ACTION_RESET)
    return g_variant_new ("(@a{sv})", g_variant_dict_end (&options));
  return g_variant_new ("(uuu@a{sv})", chosen (self->max, ward_dbus_lockout_get_max_failures (lockout)),
                        chosen (self->recovery, ward_dbus_lockout_get_recovery_seconds (lockout)),
                        chosen (self->lockout_recovery, ward_dbus_lockout_get_lockout_recovery_seconds (lockout)),
                        g_variant_dict_end (&options));
}

static gboolean
call (WardCli *cli, const Lockout *self, GError **error)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  GVariant *parameters = pack (self, fds, error);
  g_autoptr (GVariant) reply = NULL;

  if (parameters == NULL)
    return FALSE;
  reply = ward_cli_call_with_fds (cli, self->lockout, self->action == ACTION_RESET ? "Reset" : "SetParameters",
                                  parameters, fds, error);
  return reply != NULL;
}

/* Calls, and once more by force if the service's guard refused and the person insists. What the chip itself refused it
 * would refuse again: then the service has learnt of the bar just now. */
static gboolean
call_or_insist (WardCli *cli, Lockout *self, GError **error)
{
  gboolean was_barred = ward_dbus_lockout_get_lockout_auth_barred_until (self->lockout) != 0;
  g_autoptr (GError) refusal = NULL;

  if (call (cli, self, &refusal))
    return TRUE;
  if (!self->force && refusal && g_error_matches (refusal, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_LOCKED_OUT)
      && (was_barred || ward_dbus_lockout_get_lockout_auth_barred_until (self->lockout) == 0) && isatty (STDIN_FILENO))
    {
      ward_cli_print_error ("tpmward: %s", refusal->message);
      self->force = ward_cli_confirm ("Try all the same?");
      if (self->force)
        return call (cli, self, error);
    }
  g_propagate_error (error, g_steal_pointer (&refusal));
  return FALSE;
}

static WardCliStatus
fail_call (const Lockout *self, const GError *error)
{
  WardCliStatus status = ward_cli_fail (error);
  g_autofree char *bar = ward_cli_lockout_bar (self->lockout, g_get_real_time ());

  if (bar != NULL && status == WARD_CLI_AUTH_FAILED)
    ward_cli_print_error ("The TPM now refuses even the right lockout auth %s.", bar);
  return status;
}

static void
print_success (const Lockout *self)
{
  g_autofree char *mark = ward_cli_styled (WARD_CLI_STYLE_GOOD, "✓");
  g_autofree char *name = ward_cli_text_clean (self->tpm_name);

  if (self->action == ACTION_RESET)
    {
      ward_cli_print ("%s %s has forgiven all failures and is not locked out.\n", mark, name);
      return;
    }
  ward_cli_print ("%s %s has taken its new parameters.\n", mark, name);
  ward_cli_lockout_print_parameters (self->lockout);
}

static WardCliStatus
change (WardCli *cli, Lockout *self)
{
  g_autoptr (GError) error = NULL;

  if (self->action == ACTION_SET)
    warn_of_parameters (self);
  if (self->secret != NULL)
    warn_of_line_end (self);
  if (!pass_bar (cli, self) || !obtain_secret (cli, self))
    return cli->status;
  if (!call_or_insist (cli, self, &error))
    return fail_call (self, error);

  if (cli->json)
    print_state (cli, self);
  else
    print_success (self);
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_lockout (WardCli *cli, GStrv *args)
{
  g_auto (Lockout) self = { 0 };

  if (!parse (cli, args, &self))
    return cli->status;
  /* before there are other descriptors than those that we were started with */
  if (self.auth_fd != NULL)
    {
      self.secret = ward_cli_secret_read (cli, "--auth-fd", self.auth_fd);
      if (self.secret == NULL)
        return cli->status;
    }
  if (!open_tpm (cli, &self))
    return cli->status;
  if (self.action != ACTION_SHOW)
    return change (cli, &self);

  print_state (cli, &self);
  return ward_dbus_lockout_get_locked_out (self.lockout) ? WARD_CLI_LOCKED_OUT : WARD_CLI_OK;
}
