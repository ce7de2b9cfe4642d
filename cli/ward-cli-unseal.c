/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-auth-call.h"
#include "ward-cli-input.h"
#include "ward-cli-output.h"
#include "ward-cli-srk.h"
#include "ward-cli-target.h"
#include "ward-cli-term.h"

/* 1 MiB of data, in base64 with line ends, and what is around it. */
#define MAX_BLOB_SIZE (2 * 1024 * 1024)

typedef struct
{
  char *password_file; /* the option's value, or NULL */
  WardCliSrk srk;
  WardCliOutput output;
  WardSecret *password;
  char *blob;
  WardCliTarget target;
} Unseal;

static void
unseal_clear (Unseal *self)
{
  g_free (self->password_file);
  ward_cli_srk_clear (&self->srk);
  ward_cli_output_clear (&self->output);
  g_clear_pointer (&self->password, ward_secret_unref);
  g_free (self->blob);
  ward_cli_target_clear (&self->target);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Unseal, unseal_clear)

/* The blob must be text to be sent at all. */
static gboolean
read_blob (WardCli *cli, Unseal *self, const char *path)
{
  g_autoptr (WardSecret) bytes = ward_cli_input_read (cli, path, MAX_BLOB_SIZE, "sealed data");
  const char *text;
  gsize size;

  if (bytes == NULL)
    return FALSE;
  text = (const char *)ward_secret_get_data (bytes);
  size = ward_secret_get_size (bytes);
  if (size > 0 && g_utf8_validate (text, (gssize)size, NULL))
    {
      self->blob = g_strndup (text, size);
      return TRUE;
    }
  ward_cli_print_error ("tpmward: That is not sealed data, which is text as “tpmward seal” writes it.");
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static gboolean
read_password (WardCli *cli, Unseal *self)
{
  if (self->password_file == NULL)
    return TRUE;
  self->password = ward_cli_secret_read_file (cli, "--password-file", self->password_file);
  return self->password != NULL;
}

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  const Unseal *self = user_data;

  if (!ward_cli_srk_pack (&self->srk, options, fds, error))
    return NULL;
  return g_variant_new ("(s@a{sv})", self->blob, g_variant_dict_end (options));
}

static WardCliStatus
unseal (WardCli *cli, Unseal *self)
{
  g_auto (WardCliAuthCall) call = { .proxy = self->target.proxy,
                                    .method = "Unseal",
                                    .text = "The TPM unseals",
                                    .auth = "auth",
                                    .what = "password of the sealed data",
                                    .option = "--password-file",
                                    .secret = g_steal_pointer (&self->password),
                                    .pack = pack,
                                    .user_data = self,
                                    .hint = ward_cli_srk_hint (&self->srk, self->target.is_tpm12),
                                    .takes_output = TRUE };
  g_autoptr (GVariant) reply = ward_cli_auth_call (cli, &call);

  if (reply == NULL || !ward_cli_output_write (cli, &self->output, WARD_CLI_OUTPUT_SECRET, call.result))
    return cli->status;
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_unseal (WardCli *cli, GStrv *args)
{
  g_auto (Unseal) self = { 0 };
  const GOptionEntry entries[] = {
    WARD_CLI_OUTPUT_ENTRIES (&self.output),
    { "password-file", 0, 0, G_OPTION_ARG_FILENAME, &self.password_file,
      "Read the password from this file, instead of asking for it", "FILE" },
    WARD_CLI_SRK_ENTRIES (&self.srk),
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 0, 1) || !ward_cli_output_check (cli, &self.output)
      || !ward_cli_secret_check_stdin (cli, self.password_file, (*args)[0]) || !ward_cli_srk_obtain (cli, &self.srk)
      || !read_blob (cli, &self, (*args)[0]) || !read_password (cli, &self)
      || !ward_cli_target_open (cli, &self.target, "Seal"))
    return cli->status;
  return unseal (cli, &self);
}
