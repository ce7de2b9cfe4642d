/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-ownership.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"

/* What is given, each by WardClientAuth. */
typedef struct
{
  char *fds[WARD_CLIENT_N_AUTHS]; /* the options' values, or NULL */
  WardSecret *secrets[WARD_CLIENT_N_AUTHS];
  WardClientAuth current; /* that is being removed */
  WardCliOwnership tpm;
} Release;

static void
release_clear (Release *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      g_free (self->fds[i]);
      g_clear_pointer (&self->secrets[i], ward_secret_unref);
    }
  ward_cli_ownership_clear (&self->tpm);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Release, release_clear)

static gboolean
parse (WardCli *cli, GStrv *args, Release *self)
{
  const GOptionEntry entries[] = {
    { "lockout-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLIENT_AUTH_LOCKOUT],
      "Read the lockout auth from this file descriptor", "N" },
    { "owner-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLIENT_AUTH_OWNER],
      "Read the owner auth from this file descriptor", "N" },
    { "endorsement-fd", 0, 0, G_OPTION_ARG_STRING, &self->fds[WARD_CLIENT_AUTH_ENDORSEMENT],
      "Read the endorsement auth from this file descriptor", "N" },
    { "force", 0, 0, G_OPTION_ARG_NONE, &self->tpm.guard.force, "Try although a wrong lockout auth is on record",
      NULL },
    { 0 },
  };

  return ward_cli_parse (cli, args, entries, 0, 0);
}

/* Before there are other descriptors than those that we were started with. */
static gboolean
read_secrets (WardCli *cli, Release *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      if (self->fds[i] == NULL)
        continue;
      self->secrets[i] = ward_cli_secret_read (cli, ward_cli_auth_fd_option (i), self->fds[i]);
      if (self->secrets[i] == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_needed (const Release *self, WardClientAuth auth)
{
  return ward_client_auth_is_set (self->tpm.ownership, auth);
}

/* A secret for what has none is a mistake, about the TPM or about the secret. */
static gboolean
check_surplus (WardCli *cli, const Release *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      const WardClientAuthInfo info = ward_cli_ownership_info (&self->tpm, i);

      if (self->secrets[i] == NULL || is_needed (self, (WardClientAuth)i))
        continue;
      ward_cli_print_error ("tpmward: %s has no %s, so %s is not needed. Nothing was changed.", self->tpm.tpm_name,
                            info.what, ward_cli_auth_fd_option (i));
      cli->status = WARD_CLI_FAILURE;
      return FALSE;
    }
  return TRUE;
}

/* A TPM 1.2 that has an owner has one until it is cleared. */
static gboolean
check_family (WardCli *cli, const Release *self)
{
  if (!self->tpm.is_tpm12 || !ward_dbus_ownership_get_owned (self->tpm.ownership))
    return TRUE;
  ward_cli_print_error ("tpmward: %s is a TPM 1.2, which has its owner until “tpmward clear” destroys its keys too. "
                        "“tpmward change-auth owner --remove” leaves them, and makes everybody the owner.",
                        self->tpm.tpm_name);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

/* All of them before the first is used. */
static gboolean
obtain_secrets (WardCli *cli, Release *self)
{
  WardCliGuard *guard = &self->tpm.guard;

  for (int i = 0; i < WARD_CLIENT_AUTH_LOCKOUT; i++)
    {
      const WardClientAuthInfo info = ward_cli_ownership_info (&self->tpm, i);

      if (!is_needed (self, (WardClientAuth)i) || self->secrets[i] != NULL)
        continue;
      self->secrets[i] = ward_cli_secret_ask (cli, info.what, ward_cli_auth_fd_option (i));
      if (self->secrets[i] == NULL)
        return FALSE;
    }
  guard->secret = g_steal_pointer (&self->secrets[WARD_CLIENT_AUTH_LOCKOUT]);
  if (!is_needed (self, WARD_CLIENT_AUTH_LOCKOUT))
    return TRUE;
  return ward_cli_guard_pass (cli, guard) && ward_cli_guard_obtain_secret (cli, guard);
}

static gboolean
call (WardCli *cli, gpointer user_data, GError **error)
{
  const Release *self = user_data;
  gboolean is_lockout = self->current == WARD_CLIENT_AUTH_LOCKOUT;
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_secret_pack (is_lockout ? self->tpm.guard.secret : self->secrets[self->current], "old", &options, fds,
                             error))
    return FALSE;
  if (is_lockout && self->tpm.guard.force)
    g_variant_dict_insert (&options, "force", "b", TRUE);
  reply = ward_cli_call_slow (cli, "The TPM removes the auth", self->tpm.ownership, "ChangeAuth",
                              g_variant_new ("(s@a{sv})", ward_cli_ownership_info (&self->tpm, (int)self->current).name,
                                             g_variant_dict_end (&options)),
                              fds, error);
  return reply != NULL;
}

static WardCliStatus
fail (const Release *self, const GString *removed, const GError *error)
{
  WardCliStatus status = self->current == WARD_CLIENT_AUTH_LOCKOUT ? ward_cli_guard_fail (&self->tpm.guard, error)
                                                                   : ward_cli_fail (error);

  if (removed->len > 0)
    ward_cli_print_error ("Removed before that: %s. “tpmward release” goes on with the rest.", removed->str);
  return status;
}

static void
print_success (const Release *self, const char *removed)
{
  g_autofree char *mark = ward_cli_styled (WARD_CLI_STYLE_GOOD, "✓");
  g_autofree char *name = ward_cli_text_clean (self->tpm.tpm_name);

  ward_cli_print ("%s %s is released: removed is its %s.\n", mark, name, removed);
  ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN,
                            "Nothing else was changed: the storage root key, other keys and what is sealed stay. To "
                            "destroy them too is “tpmward clear”.");
}

/* The lockout auth comes last: until then who knows it may still clear the TPM. */
static WardCliStatus
release (WardCli *cli, Release *self)
{
  g_autoptr (GString) removed = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      gboolean ok;

      self->current = (WardClientAuth)i;
      if (!is_needed (self, self->current))
        continue;
      ok = self->current == WARD_CLIENT_AUTH_LOCKOUT ? ward_cli_guard_call (cli, &self->tpm.guard, call, self, &error)
                                                     : call (cli, self, &error);
      if (!ok)
        return fail (self, removed, error);
      g_string_append_printf (removed, "%s%s", removed->len > 0 ? ", " : "",
                              ward_cli_ownership_info (&self->tpm, (int)self->current).what);
    }

  if (cli->json)
    ward_cli_ownership_print_json (&self->tpm);
  else if (removed->len > 0)
    print_success (self, removed->str);
  else
    ward_cli_print ("%s has no %s, so there is nothing to release.\n", self->tpm.tpm_name,
                    self->tpm.is_tpm12 ? "owner" : "auth values");
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_release (WardCli *cli, GStrv *args)
{
  g_auto (Release) self = { .tpm.guard = { .what = "lockout auth", .option = "--lockout-fd" } };

  if (!parse (cli, args, &self) || !read_secrets (cli, &self) || !ward_cli_ownership_open (cli, &self.tpm)
      || !check_surplus (cli, &self) || !check_family (cli, &self) || !obtain_secrets (cli, &self))
    return cli->status;
  return release (cli, &self);
}
