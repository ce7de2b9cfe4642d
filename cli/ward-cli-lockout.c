/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-guard.h"
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

  WardDbusObject *object;
  char *tpm_name;
  WardCliGuard guard; /* its lockout is the object's */
} Lockout;

static void
lockout_clear (Lockout *self)
{
  g_free (self->auth_fd);
  g_free (self->max);
  g_free (self->recovery);
  g_free (self->lockout_recovery);
  g_free (self->tpm_name);
  g_clear_pointer (&self->guard.secret, ward_secret_unref);
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

  if (self->action == ACTION_SHOW && (self->auth_fd != NULL || self->guard.force || self->guard.well_known))
    cli->status = ward_cli_fail_usage (
        cli, NULL, "--auth-fd, --well-known and --force belong to “lockout reset” and “lockout set”.");
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
    { "auth-fd", 0, 0, G_OPTION_ARG_STRING, &self->auth_fd,
      "Read the lockout auth, or the owner's secret of a TPM 1.2, from this file descriptor", "N" },
    WARD_CLI_GUARD_WELL_KNOWN_ENTRY (&self->guard),
    { "force", 0, 0, G_OPTION_ARG_NONE, &self->guard.force, "Try although a wrong lockout auth is on record", NULL },
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
  WardCliLockoutAuth auth = WARD_CLI_LOCKOUT_AUTH_UNKNOWN;
  guint32 permanent;

  if (reply == NULL)
    return FALSE;
  properties = g_variant_get_child_value (reply, 0);
  if (g_variant_lookup (properties, "TPM_PT_PERMANENT", "u", &permanent))
    auth = permanent & LOCKOUT_AUTH_SET ? WARD_CLI_LOCKOUT_AUTH_SET : WARD_CLI_LOCKOUT_AUTH_NONE;
  ward_cli_guard_look (&self->guard, self->object, auth);
  return TRUE;
}

static gboolean
open_tpm (WardCli *cli, Lockout *self)
{
  g_autoptr (GError) error = NULL;

  self->object = ward_cli_open_tpm (cli);
  if (self->object == NULL)
    return FALSE;
  self->guard.lockout = ward_dbus_object_peek_lockout (self->object);
  self->tpm_name = ward_dbus_tpm_dup_name (ward_dbus_object_peek_tpm (self->object));
  if (self->guard.lockout == NULL)
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
    ward_cli_lockout_print_json (self->tpm_name, self->guard.lockout, self->guard.auth);
  else
    ward_cli_lockout_print (self->tpm_name, self->guard.lockout, self->guard.auth);
}

static guint32
chosen (const char *text, guint32 present)
{
  return text != NULL ? (guint32)g_ascii_strtoull (text, NULL, 10) : present;
}

static gboolean
check_family (WardCli *cli, const Lockout *self)
{
  if (self->guard.auth != WARD_CLI_LOCKOUT_AUTH_OF_OWNER)
    return TRUE;
  ward_cli_print_error ("tpmward: %s is a TPM 1.2, whose maker has fixed how many wrong secrets lock it and for how "
                        "long. “tpmward lockout reset” ends a lockout.",
                        self->tpm_name);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static void
warn_of_parameters (const Lockout *self)
{
  guint32 failures = ward_dbus_lockout_get_failures (self->guard.lockout);

  if (self->lockout_recovery != NULL && chosen (self->lockout_recovery, 1) == 0)
    ward_cli_print_error (
        "Careful: with --lockout-recovery=0 one wrong lockout auth bars the lockout hierarchy until the "
        "machine is restarted. " WARD_CLI_GUARD_AT_STAKE);
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
  WardDbusLockout *lockout = self->guard.lockout;

  if (!ward_cli_secret_pack (self->guard.secret, "auth", &options, fds, error))
    return NULL;
  if (self->guard.force)
    g_variant_dict_insert (&options, "force", "b", TRUE);
  if (self->action == ACTION_RESET)
    return g_variant_new ("(@a{sv})", g_variant_dict_end (&options));
  return g_variant_new ("(uuu@a{sv})", chosen (self->max, ward_dbus_lockout_get_max_failures (lockout)),
                        chosen (self->recovery, ward_dbus_lockout_get_recovery_seconds (lockout)),
                        chosen (self->lockout_recovery, ward_dbus_lockout_get_lockout_recovery_seconds (lockout)),
                        g_variant_dict_end (&options));
}

static gboolean
call (WardCli *cli, gpointer user_data, GError **error)
{
  const Lockout *self = user_data;
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  GVariant *parameters = pack (self, fds, error);
  g_autoptr (GVariant) reply = NULL;

  if (parameters == NULL)
    return FALSE;
  reply = ward_cli_call_with_fds (cli, self->guard.lockout, self->action == ACTION_RESET ? "Reset" : "SetParameters",
                                  parameters, fds, error);
  return reply != NULL;
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
  ward_cli_lockout_print_parameters (self->guard.lockout);
}

static WardCliStatus
change (WardCli *cli, Lockout *self)
{
  g_autoptr (GError) error = NULL;

  if (self->action == ACTION_SET && !check_family (cli, self))
    return cli->status;
  if (self->action == ACTION_SET)
    warn_of_parameters (self);
  if (!ward_cli_guard_pass (cli, &self->guard) || !ward_cli_guard_obtain_secret (cli, &self->guard))
    return cli->status;
  if (!ward_cli_guard_call (cli, &self->guard, call, self, &error))
    return ward_cli_guard_fail (&self->guard, error);

  if (cli->json)
    print_state (cli, self);
  else
    print_success (self);
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_lockout (WardCli *cli, GStrv *args)
{
  g_auto (Lockout) self = { .guard = { .what = "lockout auth", .option = "--auth-fd" } };

  if (!parse (cli, args, &self))
    return cli->status;
  /* before there are other descriptors than those that we were started with */
  if (self.auth_fd != NULL)
    {
      self.guard.secret = ward_cli_secret_read (cli, "--auth-fd", self.auth_fd);
      if (self.guard.secret == NULL)
        return cli->status;
    }
  if (!open_tpm (cli, &self))
    return cli->status;
  if (self.action != ACTION_SHOW)
    return change (cli, &self);

  print_state (cli, &self);
  return ward_dbus_lockout_get_locked_out (self.guard.lockout) ? WARD_CLI_LOCKED_OUT : WARD_CLI_OK;
}
