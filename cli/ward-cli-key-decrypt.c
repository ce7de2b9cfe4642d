/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include <string.h>

#include "ward-cli-input.h"
#include "ward-cli-output.h"

/* More than any modulus has. */
#define MAX_CIPHERTEXT_SIZE 1024

typedef struct
{
  WardCliKey key;
  WardCliOutput output;
  char *file, *scheme, *hash, *label; /* the options' values, or NULL */
  WardSecret *ciphertext;
} Decrypt;

static void
decrypt_clear (Decrypt *self)
{
  ward_cli_key_clear (&self->key);
  ward_cli_output_clear (&self->output);
  g_free (self->file);
  g_free (self->scheme);
  g_free (self->hash);
  g_free (self->label);
  g_clear_pointer (&self->ciphertext, ward_secret_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Decrypt, decrypt_clear)

static GVariant *
new_bytes (gconstpointer data, gsize size)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, size, 1);
}

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  Decrypt *self = user_data;

  if (!ward_cli_key_pack (&self->key, options, fds, error))
    return NULL;
  if (self->scheme != NULL)
    g_variant_dict_insert (options, "scheme", "s", self->scheme);
  if (self->hash != NULL)
    g_variant_dict_insert (options, "hash", "s", self->hash);
  /* TPM 2.0 Library, Part 1, B.4: the zero byte is part of it */
  if (self->label != NULL)
    g_variant_dict_insert_value (options, "label", new_bytes (self->label, strlen (self->label) + 1));
  return g_variant_new ("(s@ay@a{sv})", self->key.key,
                        new_bytes (ward_secret_get_data (self->ciphertext), ward_secret_get_size (self->ciphertext)),
                        g_variant_dict_end (options));
}

static WardCliStatus
decrypt (WardCli *cli, Decrypt *self)
{
  g_autofree char *what = NULL;
  g_auto (WardCliAuthCall) call = {
    .method = "Decrypt", .text = "The TPM decrypts", .pack = pack, .user_data = self, .takes_output = TRUE
  };
  g_autoptr (GVariant) reply = NULL;

  ward_cli_key_prepare (&self->key, &call, &what);
  reply = ward_cli_auth_call (cli, &call);
  if (reply == NULL || !ward_cli_output_write (cli, &self->output, WARD_CLI_OUTPUT_SECRET, call.result))
    return cli->status;
  return WARD_CLI_OK;
}

WardCliStatus
ward_cli_key_decrypt (WardCli *cli, GStrv *args)
{
  g_auto (Decrypt) self = { 0 };
  const GOptionEntry entries[] = {
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &self.file, "The file to decrypt, instead of standard input", "FILE" },
    { "scheme", 0, 0, G_OPTION_ARG_STRING, &self.scheme,
      "oaep (the default) or rsaes (PKCS #1 v1.5, of a TPM 1.2 the only one)", "SCHEME" },
    { "hash", 0, 0, G_OPTION_ARG_STRING, &self.hash, "The hash of oaep: sha256 (the default), sha1, sha384, sha512",
      "HASH" },
    { "oaep-label", 0, 0, G_OPTION_ARG_STRING, &self.label,
      "The label of oaep; a zero byte is added, which whoever encrypts must add too", "TEXT" },
    WARD_CLI_OUTPUT_ENTRIES (&self.output),
    WARD_CLI_KEY_SYSTEM_ENTRY (&self.key),
    WARD_CLI_KEY_PASSWORD_ENTRY (&self.key),
    WARD_CLI_KEY_PARENT_ENTRIES (&self.key),
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_output_check (cli, &self.output)
      || !ward_cli_secret_check_stdin (cli, self.key.password_file, self.file)
      || !ward_cli_key_open (cli, &self.key, (*args)[0]))
    return cli->status;
  self.ciphertext = ward_cli_input_read (cli, self.file, MAX_CIPHERTEXT_SIZE, "ciphertext");
  return self.ciphertext != NULL ? decrypt (cli, &self) : cli->status;
}
