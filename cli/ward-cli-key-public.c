/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include "ward-cli-json.h"
#include "ward-cli-output.h"

typedef struct
{
  WardCliKey key;
  WardCliOutput output;
  gboolean pem, der, ssh;
} Public;

static void
public_clear (Public *self)
{
  ward_cli_key_clear (&self->key);
  ward_cli_output_clear (&self->output);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Public, public_clear)

static GVariant *
get (WardCli *cli, Public *self, const char *format)
{
  g_autoptr (GVariant) reply = ward_cli_key_call (cli, &self->key, "GetPublicKey",
                                                  g_variant_new ("(ss)", self->key.key, format));

  return reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
}

static void
print_json (const char *format, GVariant *data)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  gsize size;
  const char *bytes = g_variant_get_fixed_array (data, &size, 1);
  g_autofree char *text = g_strndup (bytes, size);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, format);
  if (g_str_equal (format, "der"))
    ward_cli_json_add_variant (builder, data);
  else
    json_builder_add_string_value (builder, g_strchomp (text));
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_key_public (WardCli *cli, GStrv *args)
{
  g_auto (Public) self = { 0 };
  const GOptionEntry entries[] = {
    { "pem", 0, 0, G_OPTION_ARG_NONE, &self.pem, "SubjectPublicKeyInfo in PEM, as OpenSSL reads it (the default)",
      NULL },
    { "der", 0, 0, G_OPTION_ARG_NONE, &self.der, "The same in DER; as base64 on a terminal", NULL },
    { "ssh", 0, 0, G_OPTION_ARG_NONE, &self.ssh, "A line for authorized_keys", NULL },
    WARD_CLI_OUTPUT_FILE_ENTRY (&self.output),
    WARD_CLI_KEY_SYSTEM_ENTRY (&self.key),
    { 0 },
  };
  const char *format;
  g_autoptr (GVariant) data = NULL;

  if (!ward_cli_parse (cli, args, entries, 1, 1))
    return cli->status;
  if (self.pem + self.der + self.ssh > 1)
    return ward_cli_fail_usage (cli, NULL, "Only one of --pem, --der and --ssh can be given.");
  if (!ward_cli_output_check (cli, &self.output) || !ward_cli_key_open (cli, &self.key, (*args)[0]))
    return cli->status;

  format = self.der ? "der" : self.ssh ? "ssh" : "pem";
  data = get (cli, &self, format);
  if (data == NULL)
    return cli->status;
  if (cli->json)
    print_json (format, data);
  else if (!ward_cli_output_write_variant (cli, &self.output, self.der ? WARD_CLI_OUTPUT_BINARY : WARD_CLI_OUTPUT_TEXT,
                                           data))
    return cli->status;
  return WARD_CLI_OK;
}
