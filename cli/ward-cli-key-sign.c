/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include <string.h>
#include <sys/stat.h>

#include "ward-cli-input.h"
#include "ward-cli-json.h"
#include "ward-cli-output.h"
#include "ward-cli-text.h"

/* A DigestInfo is shorter than the modulus. */
#define MAX_DIGEST_SIZE 1024
/* One that takes a while to be hashed. */
#define LONG_FILE_SIZE (32 * 1024 * 1024)

static const struct
{
  const char *name;
  GChecksumType type;
  gsize size; /* of a digest, in bytes */
} hashes[] = {
  { "sha1", G_CHECKSUM_SHA1, 20 },
  { "sha256", G_CHECKSUM_SHA256, 32 },
  { "sha384", G_CHECKSUM_SHA384, 48 },
  { "sha512", G_CHECKSUM_SHA512, 64 },
};

#define DEFAULT_HASH "sha256"

typedef struct
{
  WardCliKey key;
  WardCliOutput output;
  char *file, *digest_text, *hash, *scheme; /* the options' values, or NULL */
  GBytes *digest;
} Sign;

static void
sign_clear (Sign *self)
{
  ward_cli_key_clear (&self->key);
  ward_cli_output_clear (&self->output);
  g_free (self->file);
  g_free (self->digest_text);
  g_free (self->hash);
  g_free (self->scheme);
  g_clear_pointer (&self->digest, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sign, sign_clear)

/* The hash's place in the table; -1 for “none”. */
static gboolean
find_hash (WardCli *cli, const char *name, int *index)
{
  const char *names[G_N_ELEMENTS (hashes) + 2] = { NULL };

  *index = -1;
  for (gsize i = 0; i < G_N_ELEMENTS (hashes); i++)
    {
      names[i] = hashes[i].name;
      if (g_str_equal (name, hashes[i].name))
        *index = (int)i;
    }
  names[G_N_ELEMENTS (hashes)] = "none";
  if (*index >= 0 || g_str_equal (name, "none"))
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, ward_cli_text_suggest (name, names),
                                     "--hash takes sha1, sha256, sha384, sha512 or none, not “%s”.", name);
  return FALSE;
}

/* The bytes of hexadecimal digits, at least as many as the shortest digest has; NULL for what is none. */
static GBytes *
parse_hex (const char *text)
{
  gsize length = strlen (text);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  if (length < 2 * hashes[0].size || length > 2 * MAX_DIGEST_SIZE || length % 2 != 0)
    return NULL;
  for (gsize i = 0; i < length; i += 2)
    {
      int high = g_ascii_xdigit_value (text[i]), low = g_ascii_xdigit_value (text[i + 1]);
      guint8 byte;

      if (high < 0 || low < 0)
        return NULL;
      byte = (guint8)(high << 4 | low);
      g_byte_array_append (bytes, &byte, 1);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static GBytes *
read_bytes (WardCli *cli, const char *path)
{
  g_autoptr (WardSecret) data = ward_cli_input_read (cli, path, MAX_DIGEST_SIZE, "digest");

  return data != NULL ? g_bytes_new (ward_secret_get_data (data), ward_secret_get_size (data)) : NULL;
}

/* Which hash a digest of this size is of, unless that was said. */
static gboolean
guess_hash (WardCli *cli, Sign *self)
{
  gsize size = g_bytes_get_size (self->digest);

  if (self->hash != NULL)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (hashes[i].size == size)
      self->hash = g_strdup (hashes[i].name);
  if (self->hash != NULL)
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL,
                                     "The digest has %" G_GSIZE_FORMAT " bytes, which no hash gives. Is it what "
                                     "--file is for? With --hash=none a DigestInfo is signed as it is.",
                                     size);
  return FALSE;
}

static gboolean
read_digest (WardCli *cli, Sign *self)
{
  const char *name = self->hash != NULL ? self->hash : DEFAULT_HASH;
  int hash;

  if (!find_hash (cli, name, &hash))
    return FALSE;
  if (self->digest_text != NULL)
    {
      self->digest = parse_hex (self->digest_text);
      if (self->digest == NULL)
        self->digest = read_bytes (cli, self->digest_text);
      return self->digest != NULL && guess_hash (cli, self);
    }
  if (self->hash == NULL)
    self->hash = g_strdup (DEFAULT_HASH);
  self->digest = hash >= 0 ? ward_cli_input_hash (cli, self->file, hashes[hash].type, "file to be signed")
                           : read_bytes (cli, self->file);
  return self->digest != NULL;
}

static gboolean
parse (WardCli *cli, GStrv *args, Sign *self)
{
  const GOptionEntry entries[] = {
    { "file", 'f', 0, G_OPTION_ARG_FILENAME, &self->file, "The file to sign, instead of standard input", "FILE" },
    { "digest", 'd', 0, G_OPTION_ARG_FILENAME, &self->digest_text,
      "Sign this digest: hexadecimal digits, or a file with its bytes", "HEX|FILE" },
    { "hash", 0, 0, G_OPTION_ARG_STRING, &self->hash,
      "sha256 (the default), sha384, sha512, sha1; or none, for a digest or DigestInfo that is signed as it is",
      "HASH" },
    { "scheme", 0, 0, G_OPTION_ARG_STRING, &self->scheme,
      "rsassa (the default of RSA keys), rsapss or ecdsa (that of ECC keys)", "SCHEME" },
    WARD_CLI_OUTPUT_ENTRIES (&self->output),
    WARD_CLI_KEY_SYSTEM_ENTRY (&self->key),
    WARD_CLI_KEY_PASSWORD_ENTRY (&self->key),
    WARD_CLI_KEY_PARENT_ENTRIES (&self->key),
    { 0 },
  };
  const char *input;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_output_check (cli, &self->output))
    return FALSE;
  if (self->file != NULL && self->digest_text != NULL)
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --file and --digest can be given.");
      return FALSE;
    }
  input = self->digest_text != NULL ? self->digest_text : self->file;
  return ward_cli_secret_check_stdin (cli, self->key.password_file, input);
}

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  Sign *self = user_data;

  if (!ward_cli_key_pack (&self->key, options, fds, error))
    return NULL;
  if (self->scheme != NULL)
    g_variant_dict_insert (options, "scheme", "s", self->scheme);
  return g_variant_new ("(ss@ay@a{sv})", self->key.key, self->hash,
                        g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, self->digest, TRUE),
                        g_variant_dict_end (options));
}

static void
print_json (const Sign *self, GVariant *signature)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "key", self->key.key);
  ward_cli_json_add_string (builder, "hash", self->hash);
  json_builder_set_member_name (builder, "signature");
  ward_cli_json_add_variant (builder, signature);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

static WardCliStatus
sign (WardCli *cli, Sign *self)
{
  g_autofree char *what = NULL;
  g_auto (WardCliAuthCall) call = { .method = "Sign", .text = "The TPM signs", .pack = pack, .user_data = self };
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) signature = NULL;

  ward_cli_key_prepare (&self->key, &call, &what);
  reply = ward_cli_auth_call (cli, &call);
  if (reply == NULL)
    return cli->status;
  signature = g_variant_get_child_value (reply, 0);
  if (cli->json)
    print_json (self, signature);
  else if (!ward_cli_output_write_variant (cli, &self->output, WARD_CLI_OUTPUT_BINARY, signature))
    return cli->status;
  return WARD_CLI_OK;
}

/* A long file is not hashed for a key that is not there. */
static gboolean
check_key (WardCli *cli, Sign *self)
{
  g_autoptr (GVariant) key = NULL;
  struct stat status;

  if (self->file == NULL || stat (self->file, &status) != 0 || status.st_size < LONG_FILE_SIZE)
    return TRUE;
  key = ward_cli_key_describe (cli, &self->key);
  return key != NULL;
}

WardCliStatus
ward_cli_key_sign (WardCli *cli, GStrv *args)
{
  g_auto (Sign) self = { 0 };

  if (!parse (cli, args, &self) || !ward_cli_key_open (cli, &self.key, (*args)[0]) || !check_key (cli, &self)
      || !read_digest (cli, &self))
    return cli->status;
  return sign (cli, &self);
}
