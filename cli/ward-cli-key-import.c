/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-input.h"
#include "ward-cli-key-make.h"

/* What the service takes. */
#define MAX_SIZE (64 * 1024)

typedef struct
{
  WardCliKeyMake make;
  gboolean ask_passphrase;
  char *passphrase_file;
  WardSecret *data, *passphrase;
} Import;

static void
import_clear (Import *self)
{
  ward_cli_key_make_clear (&self->make);
  g_free (self->passphrase_file);
  g_clear_pointer (&self->data, ward_secret_unref);
  g_clear_pointer (&self->passphrase, ward_secret_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* By what a PEM file says of itself: RFC 7468, 11; RFC 1421, 4.6.1.1. */
static gboolean
is_encrypted (WardSecret *data)
{
  const char *text = (const char *)ward_secret_get_data (data);
  gssize size = (gssize)ward_secret_get_size (data);

  return g_strstr_len (text, size, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL
         || g_strstr_len (text, size, "Proc-Type: 4,ENCRYPTED") != NULL;
}

static gboolean
read_passphrase (WardCli *cli, Import *self)
{
  if (self->passphrase_file != NULL)
    self->passphrase = ward_cli_secret_read_file (cli, "--passphrase-file", self->passphrase_file);
  else if (self->ask_passphrase || is_encrypted (self->data))
    self->passphrase = ward_cli_secret_ask (cli, "passphrase of the private key", "--passphrase-file");
  else
    return TRUE;
  return self->passphrase != NULL;
}

static gboolean
is_stdin (const char *path)
{
  return path != NULL && g_str_equal (path, "-");
}

static gboolean
check (WardCli *cli, const Import *self, const char *file)
{
  if (self->ask_passphrase && self->passphrase_file != NULL)
    cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --passphrase and --passphrase-file can be given.");
  else if (is_stdin (file) + is_stdin (self->passphrase_file) + is_stdin (self->make.key.password_file) > 1)
    cli->status = ward_cli_fail_usage (cli, NULL, "Only one thing can be read from standard input.");
  else
    return TRUE;
  return FALSE;
}

static GVariant *
pack (WardCli *cli, Import *self, GUnixFDList *fds)
{
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GError) error = NULL;

  if (!ward_cli_key_make_pack (cli, &self->make, &options, fds))
    return NULL;
  if (!ward_client_secret_add (self->data, "data", &options, fds, &error)
      || !ward_cli_secret_pack (self->passphrase, "passphrase", &options, fds, &error))
    {
      cli->status = ward_cli_fail (error);
      return NULL;
    }
  return g_variant_new ("(s@ay@a{sv})", self->make.key.key, g_variant_new_array (G_VARIANT_TYPE_BYTE, NULL, 0),
                        g_variant_dict_end (&options));
}

WardCliStatus
ward_cli_key_import (WardCli *cli, GStrv *args)
{
  g_auto (Import) self = { 0 };
  const GOptionEntry entries[] = {
    { "passphrase", 0, 0, G_OPTION_ARG_NONE, &self.ask_passphrase,
      "Ask for the passphrase that the file is encrypted by, also where that does not show", NULL },
    { "passphrase-file", 0, 0, G_OPTION_ARG_FILENAME, &self.passphrase_file, "Read that passphrase from this file",
      "FILE" },
    WARD_CLI_KEY_MAKE_ENTRIES (&self.make),
    { 0 },
  };
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  GVariant *parameters;

  if (!ward_cli_parse (cli, args, entries, 2, 2) || !check (cli, &self, (*args)[1]))
    return cli->status;
  self.data = ward_cli_input_read (cli, (*args)[1], MAX_SIZE, "private key");
  if (self.data == NULL || !read_passphrase (cli, &self) || !ward_cli_key_make_open (cli, &self.make, (*args)[0]))
    return cli->status;
  parameters = pack (cli, &self, fds);
  if (parameters == NULL)
    return cli->status;
  return ward_cli_key_make (cli, &self.make, "The TPM takes the key in", "Import", parameters, fds, "was imported");
}
