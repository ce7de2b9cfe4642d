/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-ownership.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

typedef struct
{
  int which;                        /* an auth value */
  char *old_fd, *new_fd, *owner_fd; /* the options' values, or NULL */
  gboolean remove, generate, print;
  gboolean break_others;  /* told to, though other programs stop working */
  WardSecret *new_secret; /* the guard's is the old one, or what allows to change it */
  char *what;             /* the guard's */

  WardCliOwnership tpm;
} Change;

static void
change_clear (Change *self)
{
  g_free (self->old_fd);
  g_free (self->new_fd);
  g_free (self->owner_fd);
  g_free (self->what);
  g_clear_pointer (&self->new_secret, ward_secret_unref);
  ward_cli_ownership_clear (&self->tpm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Change, change_clear)

static gboolean
parse_which (WardCli *cli, const char *name, int *which)
{
  static const char *const names[] = { [WARD_CLIENT_AUTH_ENDORSEMENT] = "endorsement",
                                       [WARD_CLIENT_AUTH_OWNER] = "owner",
                                       [WARD_CLIENT_AUTH_LOCKOUT] = "lockout",
                                       [WARD_CLIENT_AUTH_SRK] = "srk",
                                       [WARD_CLIENT_N_AUTHS] = NULL };

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    if (g_str_equal (names[i], name))
      {
        *which = i;
        return TRUE;
      }
  cli->status = ward_cli_fail_usage (cli, ward_cli_text_suggest (name, names),
                                     "change-auth takes owner, endorsement, lockout or srk, not “%s”.", name);
  return FALSE;
}

/* The secret of a storage root key is changed by its owner's, the others each by itself. */
static gboolean
check_options (WardCli *cli, const Change *self)
{
  gboolean is_srk = self->which == WARD_CLIENT_AUTH_SRK;

  if (is_srk ? self->old_fd != NULL : self->owner_fd != NULL)
    cli->status = ward_cli_fail_usage (cli, NULL,
                                       "srk is changed by the owner's secret, of --owner-fd; the others "
                                       "take --old-fd.");
  else if (self->remove + self->generate + (self->new_fd != NULL) > 1)
    cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --remove, --generate and --new-fd can be given.");
  else if (self->print && (!self->generate || cli->json))
    cli->status = ward_cli_fail_usage (cli, NULL, "--print belongs to --generate, without --json.");
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse (WardCli *cli, GStrv *args, Change *self)
{
  const GOptionEntry entries[] = {
    { "remove", 0, 0, G_OPTION_ARG_NONE, &self->remove, "Set none; of a TPM 1.2 the well-known one", NULL },
    { "generate", 'g', 0, G_OPTION_ARG_NONE, &self->generate, "Make the new auth value, and show it once", NULL },
    { "print", 0, 0, G_OPTION_ARG_NONE, &self->print, "generate: print the sheet also where nobody sees it", NULL },
    { "old-fd", 0, 0, G_OPTION_ARG_STRING, &self->old_fd, "Read the present auth value from this file descriptor",
      "N" },
    { "new-fd", 0, 0, G_OPTION_ARG_STRING, &self->new_fd, "Read the new auth value from this file descriptor", "N" },
    { "owner-fd", 0, 0, G_OPTION_ARG_STRING, &self->owner_fd, "srk: read the owner's secret from this file descriptor",
      "N" },
    WARD_CLI_GUARD_WELL_KNOWN_ENTRY (&self->tpm.guard),
    { "force", 0, 0, G_OPTION_ARG_NONE, &self->tpm.guard.force,
      "Although other programs would stop working, or a wrong lockout auth is on record", NULL },
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !parse_which (cli, (*args)[0], &self->which)
      || !check_options (cli, self))
    return FALSE;
  self->break_others = self->tpm.guard.force;
  return !self->generate || ward_cli_ownership_may_print (cli, self->print);
}

/* Before there are other descriptors than those that we were started with. */
static gboolean
read_secrets (WardCli *cli, Change *self)
{
  WardCliGuard *guard = &self->tpm.guard;
  const char *fd = self->which == WARD_CLIENT_AUTH_SRK ? self->owner_fd : self->old_fd;

  guard->option = self->which == WARD_CLIENT_AUTH_SRK ? "--owner-fd" : "--old-fd";
  if (fd != NULL)
    {
      guard->secret = ward_cli_secret_read (cli, guard->option, fd);
      if (guard->secret == NULL)
        return FALSE;
    }
  if (self->new_fd == NULL)
    return TRUE;
  self->new_secret = ward_cli_secret_read (cli, "--new-fd", self->new_fd);
  if (self->new_secret == NULL)
    return FALSE;
  if (ward_secret_get_size (self->new_secret) > 0)
    return TRUE;
  ward_cli_print_error ("tpmward: --new-fd gave an empty secret. To have none takes --remove.");
  cli->status = WARD_CLI_AUTH_FAILED;
  return FALSE;
}

/* The secret that is set now, if one is, or that of the owner. */
static gboolean
obtain_old (WardCli *cli, Change *self)
{
  WardCliGuard *guard = &self->tpm.guard;

  if (self->which == WARD_CLIENT_AUTH_LOCKOUT || self->tpm.is_tpm12 || guard->well_known)
    return ward_cli_guard_pass (cli, guard) && ward_cli_guard_obtain_secret (cli, guard);
  if (guard->secret == NULL && ward_cli_ownership_is_set (&self->tpm, self->which))
    {
      guard->secret = ward_cli_secret_ask (cli, guard->what, guard->option);
      return guard->secret != NULL;
    }
  return TRUE;
}

static gboolean
obtain_new (WardCli *cli, Change *self)
{
  const WardClientAuthInfo info = ward_cli_ownership_info (&self->tpm, self->which);
  gboolean wanted[WARD_CLIENT_N_AUTHS] = { FALSE };
  WardSecret *secrets[WARD_CLIENT_N_AUTHS] = { NULL };
  gboolean ok;

  if (self->remove || self->new_secret != NULL)
    return TRUE;
  if (!self->generate)
    {
      self->new_secret = ward_cli_secret_ask_new (cli, info.what, "--new-fd", self->tpm.max_auth_size);
      return self->new_secret != NULL;
    }
  wanted[self->which] = TRUE;
  ok = ward_cli_ownership_generate (cli, &self->tpm, wanted, self->print, secrets);
  self->new_secret = secrets[self->which];
  return ok;
}

static gboolean
check (WardCli *cli, Change *self)
{
  const WardClientAuthInfo info = ward_cli_ownership_info (&self->tpm, self->which);
  gboolean is_set = ward_cli_ownership_is_set (&self->tpm, self->which);
  gboolean breaks = !self->remove && !is_set;

  if (!ward_cli_ownership_check_family (cli, &self->tpm, self->which))
    return FALSE;
  if (self->remove && !is_set)
    {
      ward_cli_print_error ("tpmward: %s has no %s, so there is nothing to remove.", self->tpm.tpm_name, info.what);
      cli->status = WARD_CLI_FAILURE;
      return FALSE;
    }
  return ward_cli_ownership_check_breaking (cli, &self->tpm, breaks && self->which == WARD_CLIENT_AUTH_OWNER,
                                            breaks && self->which == WARD_CLIENT_AUTH_ENDORSEMENT, &self->break_others);
}

static gboolean
call (WardCli *cli, gpointer user_data, GError **error)
{
  const Change *self = user_data;
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_secret_pack (self->tpm.guard.secret, self->which == WARD_CLIENT_AUTH_SRK ? "owner-auth" : "old",
                             &options, fds, error)
      || !ward_cli_secret_pack (self->new_secret, "new", &options, fds, error))
    return FALSE;
  if (self->tpm.guard.force || self->break_others)
    g_variant_dict_insert (&options, "force", "b", TRUE);
  reply = ward_cli_call_slow (cli, "The TPM changes the auth", self->tpm.ownership, "ChangeAuth",
                              g_variant_new ("(s@a{sv})", ward_cli_ownership_info (&self->tpm, self->which).name,
                                             g_variant_dict_end (&options)),
                              fds, error);
  return reply != NULL;
}

static WardCliStatus
fail (const Change *self, const GError *error)
{
  WardCliStatus status = self->which == WARD_CLIENT_AUTH_LOCKOUT ? ward_cli_guard_fail (&self->tpm.guard, error)
                                                                 : ward_cli_fail (error);

  if (self->generate)
    ward_cli_ownership_tell_of_sheet (error);
  return status;
}

static void
print_success (const Change *self)
{
  g_autofree char *mark = ward_cli_styled (WARD_CLI_STYLE_GOOD, "✓");
  g_autofree char *name = ward_cli_text_clean (self->tpm.tpm_name);

  ward_cli_print ("%s The %s of %s was %s.\n", mark, ward_cli_ownership_info (&self->tpm, self->which).what, name,
                  !self->remove        ? "changed"
                  : self->tpm.is_tpm12 ? "changed to the well-known one, which everybody has"
                                       : "removed");
}

static WardCliStatus
change (WardCli *cli, Change *self)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (!check (cli, self) || !obtain_old (cli, self) || !obtain_new (cli, self))
    return cli->status;
  ok = self->which == WARD_CLIENT_AUTH_LOCKOUT ? ward_cli_guard_call (cli, &self->tpm.guard, call, self, &error)
                                               : call (cli, self, &error);
  if (!ok)
    return fail (self, error);

  if (!cli->json)
    print_success (self);
  else if (!self->generate)
    ward_cli_ownership_print_json (&self->tpm);
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_change_auth (WardCli *cli, GStrv *args)
{
  g_auto (Change) self = { 0 };

  if (!parse (cli, args, &self) || !read_secrets (cli, &self) || !ward_cli_ownership_open (cli, &self.tpm))
    return cli->status;
  if (self.which != WARD_CLIENT_AUTH_SRK)
    self.what = g_strdup_printf ("present %s", ward_cli_ownership_info (&self.tpm, self.which).what);
  if (self.what != NULL)
    self.tpm.guard.what = self.what;
  return change (cli, &self);
}
