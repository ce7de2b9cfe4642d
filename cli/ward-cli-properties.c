/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-client-tpm-properties.h"

static void
print_table (GVariant *properties, GPtrArray *names)
{
  static const char *const titles[] = { "PROPERTY", "VALUE", "MEANING" };
  static const WardCliStyle title_styles[] = { WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM };
  g_autoptr (WardCliTable) table = ward_cli_table_new (G_N_ELEMENTS (titles));

  ward_cli_table_add (table, titles, title_styles);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *hex = NULL;
      g_autofree char *text = NULL;

      ward_client_tpm_properties_format (properties, names->pdata[i], &hex, &text);
      ward_cli_table_add (table, (const char *const[]){ names->pdata[i], hex, text }, NULL);
    }
  ward_cli_table_print (table);
}

static void
print_json (const char *tpm_name, GVariant *properties, GPtrArray *names)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "tpm", tpm_name);
  json_builder_set_member_name (builder, "properties");
  json_builder_begin_object (builder);
  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (properties, names->pdata[i], NULL);
      g_autofree char *hex = NULL;
      g_autofree char *text = NULL;

      ward_client_tpm_properties_format (properties, names->pdata[i], &hex, &text);
      json_builder_set_member_name (builder, names->pdata[i]);
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "value");
      ward_cli_json_add_variant (builder, value);
      ward_cli_json_add_string (builder, "hex", hex);
      ward_cli_json_add_string (builder, "meaning", text);
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_properties (WardCli *cli, GStrv *args)
{
  g_autoptr (WardDbusObject) object = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  if (!ward_cli_parse (cli, args, NULL, 0, 0))
    return cli->status;
  object = ward_cli_open_tpm (cli);
  if (object == NULL)
    return cli->status;

  name = ward_dbus_tpm_dup_name (ward_dbus_object_peek_tpm (object));
  reply = ward_cli_call (cli, ward_dbus_object_peek_tpm (object), "GetProperties", NULL, &error);
  if (reply == NULL)
    return ward_cli_fail (error);

  properties = g_variant_get_child_value (reply, 0);
  names = ward_client_tpm_properties_sort (properties);
  if (cli->json)
    print_json (name, properties, names);
  else
    print_table (properties, names);
  return WARD_CLI_OK;
}
