/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-nv.h"

#include "ward-cli-json.h"
#include "ward-cli-term.h"

#define N_COLUMNS 4

static void
add_index (WardCliTable *table, GVariant *index)
{
  static const WardCliStyle styles[N_COLUMNS] = { WARD_CLI_STYLE_BOLD };
  static const WardCliStyle purpose_styles[N_COLUMNS] = { [N_COLUMNS - 1] = WARD_CLI_STYLE_DIM };
  g_autofree char *attributes = ward_cli_nv_get_attributes (index);
  g_autofree char *number_text = NULL;
  g_autofree char *size_text = NULL;
  guint32 number = 0, size = 0;
  gboolean written = FALSE;
  const char *purpose = "";

  g_variant_lookup (index, "index", "u", &number);
  g_variant_lookup (index, "size", "u", &size);
  g_variant_lookup (index, "written", "b", &written);
  g_variant_lookup (index, "description", "&s", &purpose);
  number_text = g_strdup_printf ("0x%08x", number);
  size_text = g_strdup_printf ("%u", size);
  ward_cli_table_add (table, (const char *[N_COLUMNS]){ number_text, size_text, written ? "yes" : "no", attributes },
                      styles);
  if (*purpose != '\0')
    ward_cli_table_add (table, (const char *[N_COLUMNS]){ "", "", "", purpose }, purpose_styles);
}

static void
print (GVariant *indices)
{
  static const char *const titles[N_COLUMNS] = { "INDEX", "SIZE", "WRITTEN", "ATTRIBUTES" };
  static const WardCliStyle styles[N_COLUMNS] = { WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM,
                                                  WARD_CLI_STYLE_DIM };
  g_autoptr (WardCliTable) table = ward_cli_table_new (N_COLUMNS);

  if (g_variant_n_children (indices) == 0)
    {
      ward_cli_print ("The TPM has no NV index. “tpmward nv define” makes one.\n");
      return;
    }
  ward_cli_table_add (table, titles, styles);
  for (gsize i = 0; i < g_variant_n_children (indices); i++)
    {
      g_autoptr (GVariant) index = g_variant_get_child_value (indices, i);

      add_index (table, index);
    }
  ward_cli_table_print (table);
}

WardCliStatus
ward_cli_nv_list (WardCli *cli, GStrv *args)
{
  g_auto (WardCliNv) self = { 0 };
  const GOptionEntry entries[] = { { 0 } };
  g_autoptr (GVariant) indices = NULL;

  if (!ward_cli_parse (cli, args, entries, 0, 0) || !ward_cli_nv_open (cli, &self))
    return cli->status;
  indices = ward_cli_nv_list_all (cli, &self);
  if (indices == NULL)
    return cli->status;
  if (cli->json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      ward_cli_json_add_dictionaries (builder, indices);
      ward_cli_json_print (builder, TRUE);
    }
  else
    print (indices);
  return WARD_CLI_OK;
}
