/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include <string.h>

#include "ward-cli-json.h"
#include "ward-cli-output.h"

typedef struct
{
  WardCliKey key;
  WardCliOutput output;
} Export;

static void
export_clear (Export *self)
{
  ward_cli_key_clear (&self->key);
  ward_cli_output_clear (&self->output);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Export, export_clear)

static void
print_json (const char *text)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "pem", text);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_key_export (WardCli *cli, GStrv *args)
{
  g_auto (Export) self = { 0 };
  const GOptionEntry entries[] = {
    WARD_CLI_OUTPUT_FILE_ENTRY (&self.output),
    WARD_CLI_KEY_SYSTEM_ENTRY (&self.key),
    { 0 },
  };
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (WardSecret) bytes = NULL;
  const char *text;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_output_check (cli, &self.output)
      || !ward_cli_key_open (cli, &self.key, (*args)[0]))
    return cli->status;
  reply = ward_cli_key_call (cli, &self.key, "Export", g_variant_new ("(s)", self.key.key));
  if (reply == NULL)
    return cli->status;
  g_variant_get (reply, "(&s)", &text);
  if (cli->json)
    {
      print_json (text);
      return WARD_CLI_OK;
    }
  /* of no use without this TPM, and yet nobody else's business */
  bytes = ward_secret_new_from (text, strlen (text));
  return ward_cli_output_write (cli, &self.output, WARD_CLI_OUTPUT_SECRET, bytes) ? WARD_CLI_OK : cli->status;
}
