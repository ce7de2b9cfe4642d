/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The flags by which a TPM 1.2 is switched on and off. */
#include "ward-cli.h"

#include <unistd.h>

#include "ward-cli-ownership.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

/* What a verb sets. */
typedef struct
{
  const char *method;
  gboolean value;
  gboolean by_owner; /* it takes the owner's secret; else somebody at the machine */
  const char *text;  /* what happens, for the spinner */
  const char *costs; /* what is lost meanwhile, and a question; NULL: nothing, and nobody is asked */
  const char *question;
  const char *done;
} Flag;

static const Flag enable = {
  .method = "SetEnabled",
  .value = TRUE,
  .by_owner = TRUE,
  .text = "The TPM is enabled",
  .done = "is enabled.",
};

static const Flag disable = {
  .method = "SetEnabled",
  .by_owner = TRUE,
  .text = "The TPM is disabled",
  .costs = "A disabled TPM does next to nothing: until it is enabled again none of its keys can be used, and nothing "
           "that is sealed to it can be unsealed. It keeps all of that.",
  .question = "Disable it?",
  .done = "is disabled, and keeps what it has. “tpmward enable” switches it on again.",
};

static const Flag activate = {
  .method = "SetActive",
  .value = TRUE,
  .text = "The TPM is activated",
  .done = "is active from the next start of the machine on: restart it.",
};

static const Flag deactivate = {
  .method = "SetActive",
  .text = "The TPM is deactivated",
  .costs
  = "From the next start of the machine on the TPM does next to nothing: until it is activated again none of its "
    "keys can be used, and nothing that is sealed to it can be unsealed. It keeps all of that.",
  .question = "Deactivate it?",
  .done = "is inactive from the next start of the machine on. “tpmward activate” takes that back.",
};

typedef struct
{
  const Flag *flag;
  char *auth_fd; /* the option's value, or NULL */
  gboolean yes;
  WardCliOwnership tpm;
} Switch;

static void
switch_clear (Switch *self)
{
  g_free (self->auth_fd);
  ward_cli_ownership_clear (&self->tpm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Switch, switch_clear)

#define AUTH_ENTRIES(self)                                                                                             \
  {                                                                                                                    \
    "auth-fd", 0, 0, G_OPTION_ARG_STRING, &(self)->auth_fd, "Read the owner's secret from this file descriptor", "N"   \
  },                                                                                                                   \
      WARD_CLI_GUARD_WELL_KNOWN_ENTRY (&(self)->tpm.guard)

#define YES_ENTRY(self)                                                                                                \
  {                                                                                                                    \
    "yes", 'y', 0, G_OPTION_ARG_NONE, &(self)->yes, "Do it without asking", NULL                                       \
  }

/* Only the options that mean something to the verb. */
static gboolean
parse (WardCli *cli, GStrv *args, Switch *self)
{
  const GOptionEntry of_enable[] = { AUTH_ENTRIES (self), { 0 } };
  const GOptionEntry of_disable[] = { YES_ENTRY (self), AUTH_ENTRIES (self), { 0 } };
  const GOptionEntry of_activate[] = { { 0 } };
  const GOptionEntry of_deactivate[] = { YES_ENTRY (self), { 0 } };

  if (self->flag->by_owner)
    return ward_cli_parse (cli, args, self->flag->costs != NULL ? of_disable : of_enable, 0, 0);
  return ward_cli_parse (cli, args, self->flag->costs != NULL ? of_deactivate : of_activate, 0, 0);
}

/* On standard error, as the question that follows is on the terminal too. */
static gboolean
confirm (WardCli *cli, const Switch *self)
{
  if (self->flag->costs == NULL || self->yes)
    return TRUE;
  if (cli->json || !isatty (STDIN_FILENO))
    {
      ward_cli_print_error ("tpmward: Nothing was changed, as there is nobody to ask. A script tells that it means it "
                            "by --yes.");
      cli->status = WARD_CLI_FAILURE;
      return FALSE;
    }
  ward_cli_print_error ("%s", self->flag->costs);
  if (ward_cli_confirm (self->flag->question))
    return TRUE;
  ward_cli_print_error ("tpmward: Nothing was changed.");
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

/* There is nothing to be said to who has no owner's secret but to go to the machine. */
static gboolean
check_owner (WardCli *cli, const Switch *self)
{
  if (ward_dbus_ownership_get_owned (self->tpm.ownership))
    return TRUE;
  ward_cli_print_error ("tpmward: %s has no owner, so that nobody can %s it from here. Do it in the setup of the "
                        "machine's firmware.",
                        self->tpm.tpm_name, cli->verb->name);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

/* All that is to be asked of a person. */
static gboolean
prepare (WardCli *cli, Switch *self)
{
  if (!self->flag->by_owner)
    return confirm (cli, self);
  return check_owner (cli, self) && confirm (cli, self) && ward_cli_guard_obtain_secret (cli, &self->tpm.guard);
}

static gboolean
call (WardCli *cli, const Switch *self, GError **error)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_secret_pack (self->tpm.guard.secret, "auth", &options, fds, error))
    return FALSE;
  reply = ward_cli_call_slow (cli, self->flag->text, self->tpm.ownership, self->flag->method,
                              g_variant_new ("(b@a{sv})", self->flag->value, g_variant_dict_end (&options)), fds,
                              error);
  return reply != NULL;
}

static void
print_success (const Switch *self)
{
  gboolean is_inactive = self->flag == &enable && !ward_dbus_ownership_get_active (self->tpm.ownership);
  g_autofree char *name = ward_cli_text_clean (self->tpm.tpm_name);
  g_autofree char *text = g_strdup_printf ("%s %s%s", name, self->flag->done,
                                           is_inactive ? " But it is not active: “tpmward activate”." : "");

  ward_cli_print_success (text);
}

/* What a TPM 2.0 has instead the service tells, before anybody is asked for anything. */
static WardCliStatus
set_flag (WardCli *cli, GStrv *args, const Flag *flag)
{
  g_auto (Switch) self = { .flag = flag, .tpm.guard = { .what = "owner's secret", .option = "--auth-fd" } };
  g_autoptr (GError) error = NULL;

  if (!parse (cli, args, &self))
    return cli->status;
  /* before there are other descriptors than those that we were started with */
  if (self.auth_fd != NULL)
    {
      self.tpm.guard.secret = ward_cli_secret_read (cli, "--auth-fd", self.auth_fd);
      if (self.tpm.guard.secret == NULL)
        return cli->status;
    }
  if (!ward_cli_ownership_open (cli, &self.tpm) || (self.tpm.is_tpm12 && !prepare (cli, &self)))
    return cli->status;
  if (!call (cli, &self, &error))
    return ward_cli_fail (error);

  if (cli->json)
    ward_cli_ownership_print_json (&self.tpm);
  else
    print_success (&self);
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_enable (WardCli *cli, GStrv *args)
{
  return set_flag (cli, args, &enable);
}

WardCliStatus
ward_cli_disable (WardCli *cli, GStrv *args)
{
  return set_flag (cli, args, &disable);
}

WardCliStatus
ward_cli_activate (WardCli *cli, GStrv *args)
{
  return set_flag (cli, args, &activate);
}

WardCliStatus
ward_cli_deactivate (WardCli *cli, GStrv *args)
{
  return set_flag (cli, args, &deactivate);
}
