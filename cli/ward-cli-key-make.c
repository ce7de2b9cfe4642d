/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key-make.h"

#include "ward-cli-term.h"
#include "ward-client-key.h"

void
ward_cli_key_make_clear (WardCliKeyMake *self)
{
  ward_cli_key_clear (&self->key);
  g_clear_pointer (&self->usage, g_free);
  g_clear_pointer (&self->pcrs, g_free);
  g_clear_pointer (&self->comment, g_free);
}

/* An empty one is none, and that is not what was asked for. */
static gboolean
check_password (WardCli *cli, WardCliKeyMake *self)
{
  if (self->key.password == NULL || ward_secret_get_size (self->key.password) > 0)
    return TRUE;
  ward_cli_print_error ("tpmward: --password-file gave an empty password. Leave it out for a key without one.");
  cli->status = WARD_CLI_AUTH_FAILED;
  return FALSE;
}

gboolean
ward_cli_key_make_open (WardCli *cli, WardCliKeyMake *self, const char *label)
{
  if (self->ask_password && self->key.password_file != NULL)
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --password and --password-file can be given.");
      return FALSE;
    }
  if (!ward_cli_key_open (cli, &self->key, label) || !check_password (cli, self))
    return FALSE;
  if (!self->ask_password)
    return TRUE;
  self->key.password = ward_cli_secret_ask_new (cli, "password of the key", "--password-file",
                                                WARD_CLI_MAX_PASSWORD_SIZE);
  return self->key.password != NULL;
}

gboolean
ward_cli_key_make_pack (WardCli *cli, WardCliKeyMake *self, GVariantDict *options, GUnixFDList *fds)
{
  g_autoptr (GError) error = NULL;

  if (!ward_cli_secret_pack (self->key.password, "auth", options, fds, &error)
      || !ward_cli_key_pack (&self->key, options, fds, &error))
    {
      cli->status = ward_cli_fail (error);
      return FALSE;
    }
  if (self->usage != NULL)
    {
      g_auto (GStrv) usage = g_strsplit (self->usage, ",", -1);

      g_variant_dict_insert (options, "usage", "^as", usage);
    }
  if (self->pcrs != NULL)
    {
      GVariant *pcrs = ward_cli_pcrs_parse (cli, self->pcrs, self->key.target.is_tpm12);

      if (pcrs == NULL)
        return FALSE;
      g_variant_dict_insert_value (options, "pcrs", pcrs);
    }
  if (self->no_da)
    g_variant_dict_insert (options, "no-da", "b", TRUE);
  if (self->comment != NULL)
    g_variant_dict_insert (options, "comment", "s", self->comment);
  return TRUE;
}

static void
print_next (const WardCliKeyMake *self, GVariant *key)
{
  g_autofree char *quoted = ward_cli_key_quote (key);
  g_autofree char *name = g_strconcat (quoted, ward_cli_key_system_option (&self->key), NULL);
  g_autofree const char **usage = NULL;

  ward_cli_print ("\nNext:\n");
  if (g_variant_lookup (key, "usage", "^a&s", &usage))
    {
      if (g_strv_contains (usage, "sign"))
        ward_cli_print ("  tpmward key sign %s --file FILE -o FILE.sig\n", name);
      if (g_strv_contains (usage, "decrypt"))
        ward_cli_print ("  tpmward key decrypt %s --file FILE\n", name);
      if (g_strv_contains (usage, "agree"))
        ward_cli_print ("  tpmward key agree %s PEER.pem\n", name);
      if (g_strv_contains (usage, "sign"))
        ward_cli_print ("  tpmward key public %s --ssh\n", name);
    }
  ward_cli_print ("  tpmward key public %s\n", name);
}

static void
print_made (const WardCliKeyMake *self, GVariant *key, const char *done)
{
  g_autofree char *text = g_strdup_printf ("The key “%s” %s.", self->key.key, done);

  ward_cli_print_success (text);
  ward_cli_print_field ("Id", WARD_CLI_STYLE_PLAIN, ward_client_key_get_string (key, "id"));
  ward_cli_print_field ("Algorithm", WARD_CLI_STYLE_PLAIN, ward_client_key_get_string (key, "algorithm"));
  ward_cli_print_field ("Fingerprint", WARD_CLI_STYLE_PLAIN, ward_client_key_get_string (key, "fingerprint"));
  print_next (self, key);
}

static WardCliStatus
fail (const WardCliKeyMake *self, const GError *error)
{
  const char *hint = ward_cli_srk_hint (&self->key.srk, self->key.target.is_tpm12);
  WardCliStatus status = ward_cli_fail (error);

  if (status == WARD_CLI_AUTH_FAILED && hint != NULL)
    ward_cli_print_error ("%s", hint);
  return status;
}

WardCliStatus
ward_cli_key_make (WardCli *cli, WardCliKeyMake *self, const char *text, const char *method, GVariant *parameters,
                   GUnixFDList *fds, const char *done)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_cli_call_slow (cli, text, self->key.target.proxy, method, parameters, fds, &error);
  g_autoptr (GVariant) key = NULL;

  if (reply == NULL)
    return fail (self, error);
  key = ward_cli_key_describe (cli, &self->key);
  if (key == NULL)
    return cli->status;
  if (cli->json)
    ward_cli_key_print_json (key);
  else
    print_made (self, key, done);
  return WARD_CLI_OK;
}
