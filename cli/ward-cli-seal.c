/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include <string.h>

#include "ward-cli-input.h"
#include "ward-cli-json.h"
#include "ward-cli-output.h"
#include "ward-cli-pcr-selection.h"
#include "ward-cli-secret.h"
#include "ward-cli-srk.h"
#include "ward-cli-target.h"
#include "ward-cli-term.h"

/* What the service takes. */
#define MAX_SIZE (1024 * 1024)

typedef struct
{
  char *password_file, *pcrs, *format; /* the options' values, or NULL */
  gboolean ask_password, no_da;
  WardCliSrk srk;
  WardCliOutput output;
  WardSecret *data, *password;
  WardCliTarget target;
} Seal;

static void
seal_clear (Seal *self)
{
  g_free (self->password_file);
  g_free (self->pcrs);
  g_free (self->format);
  ward_cli_srk_clear (&self->srk);
  ward_cli_output_clear (&self->output);
  g_clear_pointer (&self->data, ward_secret_unref);
  g_clear_pointer (&self->password, ward_secret_unref);
  ward_cli_target_clear (&self->target);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Seal, seal_clear)

static gboolean
parse (WardCli *cli, GStrv *args, Seal *self)
{
  const GOptionEntry entries[] = {
    WARD_CLI_OUTPUT_FILE_ENTRY (&self->output),
    { "password", 'p', 0, G_OPTION_ARG_NONE, &self->ask_password, "Protect it by a password, which is asked for twice",
      NULL },
    { "password-file", 0, 0, G_OPTION_ARG_FILENAME, &self->password_file,
      "Protect it by the password that is in this file", "FILE" },
    WARD_CLI_PCRS_ENTRY (&self->pcrs),
    { "no-da", 0, 0, G_OPTION_ARG_NONE, &self->no_da, "Have the TPM not count wrong passwords of it", NULL },
    { "format", 0, 0, G_OPTION_ARG_STRING, &self->format,
      "tpm-tools: of a TPM 1.2, as tpm_unsealdata reads it, which notices no tampering", "NAME" },
    WARD_CLI_SRK_ENTRIES (&self->srk),
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 0, 1) || !ward_cli_output_check (cli, &self->output))
    return FALSE;
  if (self->ask_password && self->password_file != NULL)
    cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --password and --password-file can be given.");
  else
    return ward_cli_secret_check_stdin (cli, self->password_file, (*args)[0]);
  return FALSE;
}

static gboolean
obtain_password (WardCli *cli, Seal *self)
{
  if (self->ask_password)
    self->password = ward_cli_secret_ask_new (cli, "password", "--password-file", WARD_CLI_MAX_PASSWORD_SIZE);
  else if (self->password_file != NULL)
    self->password = ward_cli_secret_read_file (cli, "--password-file", self->password_file);
  else
    return TRUE;
  if (self->password == NULL)
    return FALSE;
  if (ward_secret_get_size (self->password) > 0)
    return TRUE;
  ward_cli_print_error ("tpmward: --password-file gave an empty password. Leave it out to seal without one.");
  cli->status = WARD_CLI_AUTH_FAILED;
  return FALSE;
}

static GVariant *
pack (const Seal *self, GVariant *pcrs, GUnixFDList *fds, GError **error)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);

  if (pcrs != NULL)
    g_variant_dict_insert_value (&options, "pcrs", pcrs);
  if (self->no_da)
    g_variant_dict_insert (&options, "no-da", "b", TRUE);
  if (self->format != NULL)
    g_variant_dict_insert (&options, "format", "s", self->format);
  if (!ward_client_secret_add (self->data, "data", &options, fds, error)
      || !ward_cli_srk_pack (&self->srk, &options, fds, error)
      || !ward_cli_secret_pack (self->password, "auth", &options, fds, error))
    return NULL;
  return g_variant_new ("(@ay@a{sv})", g_variant_new_array (G_VARIANT_TYPE_BYTE, NULL, 0),
                        g_variant_dict_end (&options));
}

static GVariant *
call (WardCli *cli, Seal *self, GError **error)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  GVariant *pcrs = NULL;
  GVariant *parameters;

  if (self->pcrs != NULL)
    {
      pcrs = ward_cli_pcrs_parse (cli, self->pcrs, self->target.is_tpm12);
      if (pcrs == NULL)
        return NULL;
    }
  parameters = pack (self, pcrs, fds, error);
  if (parameters == NULL)
    return NULL;
  return ward_cli_call_slow (cli, "The TPM seals", self->target.proxy, "Seal", parameters, fds, error);
}

static WardCliStatus
fail (const Seal *self, const GError *error)
{
  const char *hint = ward_cli_srk_hint (&self->srk, self->target.is_tpm12);
  WardCliStatus status = ward_cli_fail (error);

  if (status == WARD_CLI_AUTH_FAILED && hint != NULL)
    ward_cli_print_error ("%s", hint);
  return status;
}

static WardCliStatus
seal (WardCli *cli, Seal *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = call (cli, self, &error);
  g_autoptr (WardSecret) bytes = NULL;
  const char *blob;

  if (reply == NULL)
    return error != NULL ? fail (self, error) : cli->status;
  g_variant_get (reply, "(&s)", &blob);
  if (cli->json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      json_builder_begin_object (builder);
      ward_cli_json_add_string (builder, "blob", blob);
      json_builder_end_object (builder);
      ward_cli_json_print (builder, TRUE);
      return WARD_CLI_OK;
    }
  bytes = ward_secret_new_from (blob, strlen (blob));
  return ward_cli_output_write (cli, &self->output, WARD_CLI_OUTPUT_SECRET, bytes) ? WARD_CLI_OK : cli->status;
}

WardCliStatus
ward_cli_seal (WardCli *cli, GStrv *args)
{
  g_auto (Seal) self = { 0 };

  if (!parse (cli, args, &self) || !ward_cli_srk_obtain (cli, &self.srk))
    return cli->status;
  self.data = ward_cli_input_read (cli, (*args)[0], MAX_SIZE, "data to be sealed");
  if (self.data == NULL || !obtain_password (cli, &self) || !ward_cli_target_open (cli, &self.target, "Seal"))
    return cli->status;
  return seal (cli, &self);
}
