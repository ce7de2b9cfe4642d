/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-json.h"
#include "ward-cli-term.h"

static const char *
or_dash (const char *text)
{
  return text != NULL && *text != '\0' ? text : "-";
}

static void
print_table (GPtrArray *tpms)
{
  static const char *const titles[] = { "NAME", "STATE", "TPM", "MAKER", "DEVICE", "MODEL", "FIRMWARE" };
  static const WardCliStyle title_styles[] = { WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM,
                                               WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM,
                                               WARD_CLI_STYLE_DIM };
  g_autoptr (WardCliTable) table = ward_cli_table_new (G_N_ELEMENTS (titles));

  ward_cli_table_add (table, titles, title_styles);
  for (guint i = 0; i < tpms->len; i++)
    {
      WardDbusTpm *tpm = ward_dbus_object_peek_tpm (tpms->pdata[i]);
      gboolean ready = g_strcmp0 (ward_dbus_tpm_get_state (tpm), "ready") == 0;
      const char *cells[G_N_ELEMENTS (titles)] = {
        or_dash (ward_dbus_tpm_get_name (tpm)),
        or_dash (ward_dbus_tpm_get_state (tpm)),
        or_dash (ward_dbus_tpm_get_family (tpm)),
        or_dash (ward_dbus_tpm_get_manufacturer (tpm)),
        or_dash (ward_dbus_tpm_get_device_path (tpm)),
        or_dash (ward_dbus_tpm_get_vendor_string (tpm)),
        or_dash (ward_dbus_tpm_get_firmware_version (tpm)),
      };
      WardCliStyle styles[G_N_ELEMENTS (titles)] = { WARD_CLI_STYLE_BOLD, WARD_CLI_STYLE_GOOD };

      if (!ready)
        styles[1] = WARD_CLI_STYLE_BAD;
      ward_cli_table_add (table, cells, styles);
    }
  ward_cli_table_fit (table);
  ward_cli_table_print (table);
}

static void
print_json (GPtrArray *tpms)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; tpms != NULL && i < tpms->len; i++)
    {
      json_builder_begin_object (builder);
      ward_cli_json_add_properties (builder, G_DBUS_PROXY (ward_dbus_object_peek_tpm (tpms->pdata[i])));
      ward_cli_json_add_string (builder, "path", g_dbus_object_get_object_path (tpms->pdata[i]));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  ward_cli_json_print (builder, TRUE);
}

WardCliStatus
ward_cli_list (WardCli *cli, GStrv *args)
{
  g_autoptr (GPtrArray) tpms = NULL;
  g_autoptr (GError) error = NULL;

  if (!ward_cli_parse (cli, args, NULL, 0, 0) || !ward_cli_connect (cli))
    return cli->status;

  tpms = ward_cli_choose_tpms (cli, &error);
  if (cli->json)
    print_json (tpms);
  if (tpms == NULL)
    return ward_cli_fail (error);
  if (!cli->json)
    print_table (tpms);
  return WARD_CLI_OK;
}
