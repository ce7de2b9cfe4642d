/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-ownership.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

/* What was asked for, each by the number of the auth value. */
typedef struct
{
  gboolean wanted[WARD_CLIENT_N_AUTHS];
  char *fds[WARD_CLIENT_N_AUTHS]; /* the options' values, or NULL */
  WardSecret *secrets[WARD_CLIENT_N_AUTHS];
  gboolean generate, print, srk_only;
  gboolean break_others; /* told to, though other programs stop working */

  WardCliOwnership tpm;
} Own;

static void
own_clear (Own *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      g_free (self->fds[i]);
      g_clear_pointer (&self->secrets[i], ward_secret_unref);
    }
  ward_cli_ownership_clear (&self->tpm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Own, own_clear)

/* The lockout auth alone is what is recommended; a TPM 1.2 always gets an owner. */
static void
choose (Own *self)
{
  gboolean any = FALSE;

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      self->wanted[i] = self->wanted[i] || self->fds[i] != NULL;
      any = any || self->wanted[i];
    }
  if (self->tpm.is_tpm12)
    self->wanted[WARD_CLIENT_AUTH_OWNER] = TRUE;
  else if (!any)
    self->wanted[WARD_CLIENT_AUTH_LOCKOUT] = TRUE;
}

static gboolean
check_options (WardCli *cli, const Own *self)
{
  gboolean others = self->wanted[WARD_CLIENT_AUTH_LOCKOUT] || self->wanted[WARD_CLIENT_AUTH_OWNER]
                    || self->wanted[WARD_CLIENT_AUTH_ENDORSEMENT] || self->wanted[WARD_CLIENT_AUTH_SRK]
                    || self->fds[WARD_CLIENT_AUTH_LOCKOUT] != NULL || self->fds[WARD_CLIENT_AUTH_ENDORSEMENT] != NULL
                    || self->fds[WARD_CLIENT_AUTH_SRK] != NULL || self->generate || self->tpm.guard.force;

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
    { "lockout", 0, 0, G_OPTION_ARG_NONE, &self->wanted[WARD_CLIENT_AUTH_LOCKOUT],
      "Set the lockout auth (the default, and what is recommended; not of a TPM 1.2)", NULL },
    { "owner", 0, 0, G_OPTION_ARG_NONE, &self->wanted[WARD_CLIENT_AUTH_OWNER],
      "Set the owner auth (of a TPM 1.2 its owner's secret, the default)", NULL },
    { "endorsement", 0, 0, G_OPTION_ARG_NONE, &self->wanted[WARD_CLIENT_AUTH_ENDORSEMENT], "Set the endorsement auth",
      NULL },
    { "srk", 0, 0, G_OPTION_ARG_NONE, &self->wanted[WARD_CLIENT_AUTH_SRK],
      "Set the secret of the storage root key of a TPM 1.2 (else it is the well-known one)", NULL },
    { "generate", 'g', 0, G_OPTION_ARG_NONE, &self->generate, "Make the auth values, and show them once", NULL },
    { "print", 0, 0, G_OPTION_ARG_NONE, &self->print, "generate: print the sheet also where nobody sees it", NULL },
    { "lockout-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLIENT_AUTH_LOCKOUT],
      "Set the lockout auth, read from this file descriptor", "N" },
    { "owner-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLIENT_AUTH_OWNER], "The same for the owner auth", "N" },
    { "endorsement-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLIENT_AUTH_ENDORSEMENT],
      "The same for the endorsement auth", "N" },
    { "srk-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLIENT_AUTH_SRK],
      "The same for the secret of the storage root key of a TPM 1.2", "N" },
    { "srk-only", 0, 0, G_OPTION_ARG_NONE, &self->srk_only, "Set nothing, but make the storage root key", NULL },
    { "force", 0, 0, G_OPTION_ARG_NONE, &self->tpm.guard.force,
      "Although other programs would stop working, or a wrong lockout auth is on record", NULL },
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 0, 0) || !check_options (cli, self))
    return FALSE;
  self->break_others = self->tpm.guard.force;
  return !self->generate || ward_cli_ownership_may_print (cli, self->print);
}

/* Before there are other descriptors than those that we were started with. An empty auth is none. */
static gboolean
read_secrets (WardCli *cli, Own *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      if (self->fds[i] == NULL)
        continue;
      self->secrets[i] = ward_cli_secret_read (cli, ward_cli_auth_fd_option (i), self->fds[i]);
      if (self->secrets[i] == NULL)
        return FALSE;
      if (ward_secret_get_size (self->secrets[i]) > 0)
        continue;
      ward_cli_print_error ("tpmward: %s gave an empty secret, which protects nothing.", ward_cli_auth_fd_option (i));
      cli->status = WARD_CLI_AUTH_FAILED;
      return FALSE;
    }
  return TRUE;
}

static gboolean
fail_owned (WardCli *cli, const Own *self, int auth)
{
  const WardClientAuthInfo info = ward_cli_ownership_info (&self->tpm, auth);

  if (self->tpm.is_tpm12)
    ward_cli_print_error ("tpmward: %s has an owner already, so nothing was changed. Who knows the owner's secret can "
                          "change it by “tpmward change-auth owner”.",
                          self->tpm.tpm_name);
  else
    ward_cli_print_error ("tpmward: The %s of %s is set already, so nothing was changed. Who knows it can change it by "
                          "“tpmward change-auth %s”.",
                          info.what, self->tpm.tpm_name, info.name);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

/* A TPM 1.2 that is switched off takes no owner. */
static gboolean
check_switched_on (WardCli *cli, const Own *self)
{
  WardDbusOwnership *ownership = self->tpm.ownership;

  if (!self->tpm.is_tpm12
      || (ward_dbus_ownership_get_enabled (ownership) && ward_dbus_ownership_get_active (ownership)))
    return TRUE;
  ward_cli_print_error ("tpmward: %s is %s, and takes no owner like that. Enable and activate it in the setup of the "
                        "machine's firmware.",
                        self->tpm.tpm_name, ward_dbus_ownership_get_enabled (ownership) ? "not active" : "disabled");
  cli->status = WARD_CLI_UNREACHABLE;
  return FALSE;
}

/* Before anything is asked for. */
static gboolean
check_possible (WardCli *cli, const Own *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    if (self->wanted[i] && !ward_cli_ownership_check_family (cli, &self->tpm, i))
      return FALSE;
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    if (self->wanted[i] && ward_cli_ownership_is_set (&self->tpm, i))
      return fail_owned (cli, self, i);
  return check_switched_on (cli, self);
}

static gboolean
ask_secrets (WardCli *cli, Own *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      int auth = ward_cli_auths[i];
      const WardClientAuthInfo info = ward_cli_ownership_info (&self->tpm, auth);

      if (!self->wanted[auth] || self->secrets[auth] != NULL)
        continue;
      ward_cli_print_error ("%s. %s", info.title, info.protects);
      self->secrets[auth] = ward_cli_secret_ask_new (cli, info.what, ward_cli_auth_fd_option (auth),
                                                     self->tpm.max_auth_size);
      if (self->secrets[auth] == NULL)
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

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    if (!ward_cli_secret_pack (self->secrets[i], ward_cli_ownership_info (&self->tpm, i).option, &options, fds, error))
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

static char *
list_set (const Own *self)
{
  g_autoptr (GString) set = g_string_new (NULL);

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    if (self->wanted[ward_cli_auths[i]])
      g_string_append_printf (set, "%s%s", set->len > 0 ? ", " : "",
                              ward_cli_ownership_info (&self->tpm, ward_cli_auths[i]).what);
  return g_string_free (g_steal_pointer (&set), FALSE);
}

static void
print_success (const Own *self)
{
  g_autofree char *mark = ward_cli_styled (WARD_CLI_STYLE_GOOD, "✓");
  g_autofree char *name = ward_cli_text_clean (self->tpm.tpm_name);

  if (self->tpm.is_tpm12)
    {
      ward_cli_print ("%s %s has an owner now, and a storage root key.\n", mark, name);
      ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN,
                                self->wanted[WARD_CLIENT_AUTH_SRK]
                                    ? "Who uses keys is asked for the storage root key's secret, too."
                                    : "The storage root key has the well-known secret, as other programs expect it.");
    }
  else
    {
      g_autofree char *set = list_set (self);

      ward_cli_print ("%s %s is owned: now set is its %s.\n", mark, name, set);
      print_srk (self, "  I");
    }
  if (self->generate && !self->print)
    ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN,
                              "The sheet is still in this terminal's scroll-back: close the terminal.");
}

static WardCliStatus
own (WardCli *cli, Own *self)
{
  g_autoptr (GError) error = NULL;

  choose (self);
  if (!check_possible (cli, self)
      || !ward_cli_ownership_check_breaking (cli, &self->tpm, self->wanted[WARD_CLIENT_AUTH_OWNER],
                                             self->wanted[WARD_CLIENT_AUTH_ENDORSEMENT], &self->break_others)
      || (self->wanted[WARD_CLIENT_AUTH_LOCKOUT] && !ward_cli_guard_pass (cli, &self->tpm.guard)))
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

  if (!ward_cli_secret_pack (self->secrets[WARD_CLIENT_AUTH_OWNER], "owner-auth", &options, fds, error))
    return NULL;
  return ward_cli_call_slow (cli, "The TPM makes its storage root key", self->tpm.ownership, "ProvisionSrk",
                             g_variant_new ("(@a{sv})", g_variant_dict_end (&options)), fds, error);
}

static WardCliStatus
provision_srk (WardCli *cli, Own *self)
{
  gboolean is_there = ward_dbus_ownership_get_srk_present (self->tpm.ownership);
  WardSecret **secret = &self->secrets[WARD_CLIENT_AUTH_OWNER];
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  if (self->tpm.is_tpm12)
    {
      ward_cli_print_error ("tpmward: %s is a TPM 1.2, which makes its storage root key when it gets an owner, by "
                            "“tpmward own” alone.",
                            self->tpm.tpm_name);
      return WARD_CLI_FAILURE;
    }
  if (!is_there && *secret == NULL && ward_client_auth_is_set (self->tpm.ownership, WARD_CLIENT_AUTH_OWNER))
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
