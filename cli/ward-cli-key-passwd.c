/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include "ward-cli-term.h"
#include "ward-client-key.h"

typedef struct
{
  WardCliKey key; /* its password is the present one */
  char *new_file; /* the option's value, or NULL */
  gboolean remove;
  WardSecret *new_password;
} Passwd;

static void
passwd_clear (Passwd *self)
{
  ward_cli_key_clear (&self->key);
  g_free (self->new_file);
  g_clear_pointer (&self->new_password, ward_secret_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Passwd, passwd_clear)

static gboolean
parse (WardCli *cli, GStrv *args, Passwd *self)
{
  const GOptionEntry entries[] = {
    { "remove", 0, 0, G_OPTION_ARG_NONE, &self->remove, "Have no password from now on", NULL },
    { "old-password-file", 0, 0, G_OPTION_ARG_FILENAME, &self->key.password_file,
      "Read the present password from this file", "FILE" },
    { "new-password-file", 0, 0, G_OPTION_ARG_FILENAME, &self->new_file, "Read the new password from this file",
      "FILE" },
    WARD_CLI_KEY_SYSTEM_ENTRY (&self->key),
    WARD_CLI_KEY_PARENT_ENTRIES (&self->key),
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 1, 1))
    return FALSE;
  if (self->remove && self->new_file != NULL)
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --remove and --new-password-file can be given.");
      return FALSE;
    }
  return self->new_file == NULL || ward_cli_secret_check_stdin (cli, self->key.password_file, self->new_file);
}

/* Before somebody is asked for what would be of no use. */
static gboolean
check_key (WardCli *cli, const Passwd *self, GVariant *key)
{
  gboolean has_auth = ward_client_key_get_boolean (key, "has-auth");

  if (self->remove && !has_auth)
    ward_cli_print_error ("tpmward: The key “%s” has no password, so there is nothing to remove.", self->key.key);
  else if (!has_auth && ward_client_key_get_boolean (key, "no-da"))
    ward_cli_print_error ("tpmward: The key “%s” was made without a password and stays so: the TPM does not count "
                          "wrong ones of it, so that anybody could try all of them. Make another key with --password.",
                          self->key.key);
  else
    return TRUE;
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static gboolean
obtain_new (WardCli *cli, Passwd *self)
{
  if (self->remove)
    return TRUE;
  if (self->new_file == NULL)
    self->new_password = ward_cli_secret_ask_new (cli, "password of the key", "--new-password-file",
                                                  WARD_CLI_MAX_PASSWORD_SIZE);
  else
    self->new_password = ward_cli_secret_read_file (cli, "--new-password-file", self->new_file);
  if (self->new_password == NULL)
    return FALSE;
  if (ward_secret_get_size (self->new_password) > 0)
    return TRUE;
  ward_cli_print_error ("tpmward: --new-password-file gave an empty password. To have none takes --remove.");
  cli->status = WARD_CLI_AUTH_FAILED;
  return FALSE;
}

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  Passwd *self = user_data;

  if (!ward_cli_secret_pack (self->new_password, "new", options, fds, error)
      || !ward_cli_key_pack (&self->key, options, fds, error))
    return NULL;
  return g_variant_new ("(s@a{sv})", self->key.key, g_variant_dict_end (options));
}

static WardCliStatus
change (WardCli *cli, Passwd *self, gboolean has_auth)
{
  g_autofree char *what = NULL;
  g_auto (WardCliAuthCall) call = {
    .method = "ChangeAuth", .text = "The TPM wraps the key anew", .pack = pack, .user_data = self
  };
  g_autoptr (GVariant) reply = NULL;

  ward_cli_key_prepare (&self->key, &call, &what);
  call.auth = "old";
  call.option = "--old-password-file";
  reply = ward_cli_auth_call (cli, &call);
  if (reply == NULL)
    return cli->status;
  return ward_cli_key_tell (cli, &self->key, "The password of the key “%s” was %s.", self->key.key,
                            self->remove ? "removed"
                            : has_auth   ? "changed"
                                         : "set");
}

WardCliStatus
ward_cli_key_passwd (WardCli *cli, GStrv *args)
{
  g_auto (Passwd) self = { 0 };
  g_autoptr (GVariant) key = NULL;
  gboolean has_auth;

  if (!parse (cli, args, &self) || !ward_cli_key_open (cli, &self.key, (*args)[0]))
    return cli->status;
  key = ward_cli_key_describe (cli, &self.key);
  if (key == NULL || !check_key (cli, &self, key))
    return cli->status;

  has_auth = ward_client_key_get_boolean (key, "has-auth");
  if (has_auth && self.key.password == NULL)
    {
      self.key.password = ward_cli_secret_ask (cli, "present password of the key", "--old-password-file");
      if (self.key.password == NULL)
        return cli->status;
    }
  return obtain_new (cli, &self) ? change (cli, &self, has_auth) : cli->status;
}
