/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include <stdio.h>
#include <unistd.h>

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-hex.h"

#define MAX_BYTES (1024 * 1024)
/* What one call of GetRandom gives at most. */
#define MAX_CALL 4096

typedef struct
{
  gboolean hex, base64, raw;
  guint64 count;
} Options;

static gboolean
parse_options (WardCli *cli, GStrv *args, Options *options)
{
  const GOptionEntry entries[] = {
    { "hex", 0, 0, G_OPTION_ARG_NONE, &options->hex, "Print hexadecimal digits (the default on a terminal)", NULL },
    { "base64", 0, 0, G_OPTION_ARG_NONE, &options->base64, "Print base64", NULL },
    { "raw", 0, 0, G_OPTION_ARG_NONE, &options->raw, "Print the bytes themselves, on a terminal too", NULL },
    { 0 },
  };

  if (!ward_cli_parse (cli, args, entries, 1, 1))
    return FALSE;
  if (options->hex + options->base64 + options->raw + cli->json > 1)
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --hex, --base64, --raw and --json can be given.");
      return FALSE;
    }
  if (!g_ascii_string_to_unsigned ((*args)[0], 10, 1, MAX_BYTES, &options->count, NULL))
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "The number of bytes is a number from 1 to %d, not “%s”.",
                                         MAX_BYTES, (*args)[0]);
      return FALSE;
    }
  if (!options->base64 && !options->raw && isatty (STDOUT_FILENO))
    options->hex = TRUE;
  return TRUE;
}

static GByteArray *
fetch (WardCli *cli, WardDbusTpm *tpm, guint64 count, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_sized_new ((guint)count);

  while (bytes->len < count)
    {
      guint32 n = (guint32)MIN (count - bytes->len, MAX_CALL);
      g_autoptr (GVariant) reply = ward_cli_call (cli, tpm, "GetRandom", g_variant_new ("(u)", n), error);
      g_autoptr (GVariant) chunk = NULL;
      gconstpointer data;
      gsize size;

      if (reply == NULL)
        return NULL;
      chunk = g_variant_get_child_value (reply, 0);
      data = g_variant_get_fixed_array (chunk, &size, 1);
      if (size != n)
        {
          g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED,
                       "The service was asked for %u random bytes and gave %" G_GSIZE_FORMAT ".", n, size);
          return NULL;
        }
      g_byte_array_append (bytes, data, n);
    }
  return g_steal_pointer (&bytes);
}

static void
print_json (const char *tpm_name, GByteArray *bytes)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *hex = ward_hex (bytes->data, bytes->len, 0);

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "tpm", tpm_name);
  json_builder_set_member_name (builder, "count");
  json_builder_add_int_value (builder, bytes->len);
  ward_cli_json_add_string (builder, "hex", hex);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

static void
print_bytes (const Options *options, GByteArray *bytes)
{
  g_autofree char *text = NULL;

  if (options->hex)
    text = ward_hex (bytes->data, bytes->len, 0);
  else if (options->base64)
    text = g_base64_encode (bytes->data, bytes->len);

  if (text != NULL)
    puts (text);
  else
    fwrite (bytes->data, 1, bytes->len, stdout);
}

WardCliStatus
ward_cli_random (WardCli *cli, GStrv *args)
{
  Options options = { 0 };
  g_autoptr (WardDbusObject) object = NULL;
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  WardDbusTpm *tpm;

  if (!parse_options (cli, args, &options))
    return cli->status;
  object = ward_cli_open_tpm (cli);
  if (object == NULL)
    return cli->status;

  /* All are there before the first is printed: whoever reads gets all of them or none. */
  tpm = ward_dbus_object_peek_tpm (object);
  name = ward_dbus_tpm_dup_name (tpm);
  bytes = fetch (cli, tpm, options.count, &error);
  if (bytes == NULL)
    return ward_cli_fail (error);

  if (cli->json)
    print_json (name, bytes);
  else
    print_bytes (&options, bytes);
  return WARD_CLI_OK;
}
