/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-ownership.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

/* What was asked for, each by WardCliAuth. */
typedef struct
{
  gboolean wanted[WARD_CLI_N_AUTHS];
  char *fds[WARD_CLI_N_AUTHS]; /* the options' values, or NULL */
  WardSecret *secrets[WARD_CLI_N_AUTHS];
  gboolean generate, print, srk_only;
  gboolean break_others; /* told to, though other programs stop working */

  WardCliOwnership tpm;
} Own;

static void
own_clear (Own *self)
{
  for (int i = 0; i < WARD_CLI_N_AUTHS; i++)
    {
      g_free (self->fds[i]);
      g_clear_pointer (&self->secrets[i], ward_secret_unref);
    }
  ward_cli_ownership_clear (&self->tpm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Own, own_clear)

/* The lockout auth alone is what is recommended. */
static void
choose (Own *self)
{
  gboolean any = FALSE;

  for (int i = 0; i < WARD_CLI_N_AUTHS; i++)
    {
      self->wanted[i] = self->wanted[i] || self->fds[i] != NULL;
      any = any || self->wanted[i];
    }
  if (!any)
    self->wanted[WARD_CLI_AUTH_LOCKOUT] = TRUE;
}

static gboolean
check_options (WardCli *cli, const Own *self)
{
  gboolean others = self->wanted[WARD_CLI_AUTH_LOCKOUT] || self->wanted[WARD_CLI_AUTH_OWNER]
                    || self->wanted[WARD_CLI_AUTH_ENDORSEMENT] || self->fds[WARD_CLI_AUTH_LOCKOUT] != NULL
                    || self->fds[WARD_CLI_AUTH_ENDORSEMENT] != NULL || self->generate || self->tpm.guard.force;

  if (self->srk_only && others)
    cli->status = ward_cli_fail_usage (cli, NULL, "--srk-only sets no auth value and takes --owner-fd alone.");
  else if (self->print && (!self->generate || cli->json))
    cli->status = ward_cli_fail_usage (cli, NULL, "--print belongs to --generate, without --json.");
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse (WardCli *cli, GStrv *args, Own *self)
{
  const GOptionEntry entries[] = {
    { "lockout", 0, 0, G_OPTION_ARG_NONE, &self->wanted[WARD_CLI_AUTH_LOCKOUT],
      "Set the lockout auth (the default, and what is recommended)", NULL },
    { "owner", 0, 0, G_OPTION_ARG_NONE, &self->wanted[WARD_CLI_AUTH_OWNER], "Set the owner auth", NULL },
    { "endorsement", 0, 0, G_OPTION_ARG_NONE, &self->wanted[WARD_CLI_AUTH_ENDORSEMENT], "Set the endorsement auth",
      NULL },
    { "generate", 'g', 0, G_OPTION_ARG_NONE, &self->generate, "Make the auth values, and show them once", NULL },
    { "print", 0, 0, G_OPTION_ARG_NONE, &self->print, "generate: print the sheet also where nobody sees it", NULL },
    { "lockout-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLI_AUTH_LOCKOUT],
      "Set the lockout auth, read from this file descriptor", "N" },
    { "owner-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLI_AUTH_OWNER], "The same for the owner auth", "N" },
    { "endorsement-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLI_AUTH_ENDORSEMENT],
      "The same for the endorsement auth", "N" },
    { "srk-only", 0, 0, G_OPTION_ARG_NONE, &self->srk_only, "Set nothing, but make the storage root key", NULL },
    { "force", 0, 0, G_OPTION_ARG_NONE, &self->tpm.guard.force,
      "Although other programs would stop working, or a wrong lockout auth is on record", NULL },
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 0, 0) || !check_options (cli, self))
    return FALSE;
  if (!self->srk_only)
    choose (self);
  self->break_others = self->tpm.guard.force;
  return !self->generate || ward_cli_ownership_may_print (cli, self->print);
}

/* Before there are other descriptors than those that we were started with. An empty auth is none. */
static gboolean
read_secrets (WardCli *cli, Own *self)
{
  for (int i = 0; i < WARD_CLI_N_AUTHS; i++)
    {
      const WardCliAuthInfo *info = ward_cli_auth_info ((WardCliAuth)i);

      if (self->fds[i] == NULL)
        continue;
      self->secrets[i] = ward_cli_secret_read (cli, info->fd_option, self->fds[i]);
      if (self->secrets[i] == NULL)
        return FALSE;
      if (ward_secret_get_size (self->secrets[i]) > 0)
        continue;
      ward_cli_print_error ("tpmward: %s gave an empty secret, which protects nothing.", info->fd_option);
      cli->status = WARD_CLI_AUTH_FAILED;
      return FALSE;
    }
  return TRUE;
}

/* Before anything is asked for. */
static gboolean
check_unset (WardCli *cli, const Own *self)
{
  for (int i = 0; i < WARD_CLI_N_AUTHS; i++)
    {
      const WardCliAuthInfo *info = ward_cli_auth_info ((WardCliAuth)i);

      if (!self->wanted[i] || !ward_cli_ownership_is_set (&self->tpm, (WardCliAuth)i))
        continue;
      ward_cli_print_error (
          "tpmward: The %s of %s is set already, so nothing was changed. Who knows it can change it by "
          "“tpmward change-auth %s”.",
          info->what, self->tpm.tpm_name, info->name);
      cli->status = WARD_CLI_FAILURE;
      return FALSE;
    }
  return TRUE;
}

static gboolean
ask_secrets (WardCli *cli, Own *self)
{
  /* the one that is recommended comes first */
  for (int i = WARD_CLI_N_AUTHS - 1; i >= 0; i--)
    {
      const WardCliAuthInfo *info = ward_cli_auth_info ((WardCliAuth)i);

      if (!self->wanted[i] || self->secrets[i] != NULL)
        continue;
      ward_cli_print_error ("The %s. %s", info->what, info->protects);
      self->secrets[i] = ward_cli_secret_ask_new (cli, info->what, info->fd_option, self->tpm.max_auth_size);
      if (self->secrets[i] == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
take (WardCli *cli, gpointer user_data, GError **error)
{
  const Own *self = user_data;
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;

  for (int i = 0; i < WARD_CLI_N_AUTHS; i++)
    if (!ward_cli_secret_pack (self->secrets[i], ward_cli_auth_info ((WardCliAuth)i)->option, &options, fds, error))
      return FALSE;
  if (self->tpm.guard.force || self->break_others)
    g_variant_dict_insert (&options, "force", "b", TRUE);
  reply = ward_cli_call_slow (cli, "The TPM is taken into ownership", self->tpm.ownership, "TakeOwnership",
                              g_variant_new ("(@a{sv})", g_variant_dict_end (&options)), fds, error);
  return reply != NULL;
}

static void
print_srk (const Own *self, const char *prefix)
{
  ward_cli_print ("%sts storage root key is at 0x%08x.\n", prefix,
                  ward_dbus_ownership_get_srk_handle (self->tpm.ownership));
}

static void
print_success (const Own *self)
{
  g_autofree char *mark = ward_cli_styled (WARD_CLI_STYLE_GOOD, "✓");
  g_autofree char *name = ward_cli_text_clean (self->tpm.tpm_name);
  g_autoptr (GString) set = g_string_new (NULL);

  for (int i = WARD_CLI_N_AUTHS - 1; i >= 0; i--)
    if (self->wanted[i])
      g_string_append_printf (set, "%s%s", set->len > 0 ? ", " : "", ward_cli_auth_info ((WardCliAuth)i)->what);
  ward_cli_print ("%s %s is owned: now set is its %s.\n", mark, name, set->str);
  print_srk (self, "  I");
  if (self->generate && !self->print)
    ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN,
                              "The sheet is still in this terminal's scroll-back: close the terminal.");
}

static WardCliStatus
own (WardCli *cli, Own *self)
{
  g_autoptr (GError) error = NULL;

  if (!check_unset (cli, self)
      || !ward_cli_ownership_check_breaking (cli, &self->tpm, self->wanted[WARD_CLI_AUTH_OWNER],
                                             self->wanted[WARD_CLI_AUTH_ENDORSEMENT], &self->break_others)
      || (self->wanted[WARD_CLI_AUTH_LOCKOUT] && !ward_cli_guard_pass (cli, &self->tpm.guard)))
    return cli->status;
  if (self->generate ? !ward_cli_ownership_generate (cli, &self->tpm, self->wanted, self->print, self->secrets)
                     : !ask_secrets (cli, self))
    return cli->status;

  if (!ward_cli_guard_call (cli, &self->tpm.guard, take, self, &error))
    {
      WardCliStatus status = ward_cli_fail (error);

      if (self->generate)
        ward_cli_ownership_tell_of_sheet (error);
      return status;
    }
  if (!cli->json)
    print_success (self);
  else if (!self->generate)
    ward_cli_ownership_print_json (&self->tpm);
  return WARD_CLI_OK;
}

static GVariant *
call_provision (WardCli *cli, Own *self, GError **error)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  if (!ward_cli_secret_pack (self->secrets[WARD_CLI_AUTH_OWNER], "owner-auth", &options, fds, error))
    return NULL;
  return ward_cli_call_slow (cli, "The TPM makes its storage root key", self->tpm.ownership, "ProvisionSrk",
                             g_variant_new ("(@a{sv})", g_variant_dict_end (&options)), fds, error);
}

static WardCliStatus
provision_srk (WardCli *cli, Own *self)
{
  gboolean is_there = ward_dbus_ownership_get_srk_present (self->tpm.ownership);
  WardSecret **secret = &self->secrets[WARD_CLI_AUTH_OWNER];
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  if (!is_there && *secret == NULL && ward_cli_ownership_is_set (&self->tpm, WARD_CLI_AUTH_OWNER))
    {
      *secret = ward_cli_secret_ask (cli, "owner auth", "--owner-fd");
      if (*secret == NULL)
        return cli->status;
    }
  if (!is_there)
    {
      reply = call_provision (cli, self, &error);
      if (reply == NULL)
        return ward_cli_fail (error);
    }

  if (cli->json)
    ward_cli_ownership_print_json (&self->tpm);
  else
    print_srk (self, is_there ? "It was there already: i" : "✓ I");
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_own (WardCli *cli, GStrv *args)
{
  g_auto (Own) self = { .tpm.guard = { .what = "lockout auth", .option = "--lockout-fd" } };

  if (!parse (cli, args, &self) || !read_secrets (cli, &self) || !ward_cli_ownership_open (cli, &self.tpm))
    return cli->status;
  return self.srk_only ? provision_srk (cli, &self) : own (cli, &self);
}
