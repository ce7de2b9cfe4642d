/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli.h"

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-pcr.h"
#include "ward-hex.h"

/* Digits in one line when a digest is too long for the terminal. */
#define GROUP_BYTES 16

/* A value as it fits into room columns; 0 for as many as it needs. */
static char *
format_value (const guint8 *bytes, gsize size, int room)
{
  if (room == 0 || 2 * (int)size <= room)
    return ward_hex (bytes, size, 0);
  if (ward_client_pcr_get_state (bytes, size) != WARD_CLIENT_PCR_MEASURED)
    return g_strdup_printf ("%" G_GSIZE_FORMAT " × %02x", size, bytes[0]);
  return ward_hex (bytes, size, GROUP_BYTES);
}

#define VALUE_INDENT 27

static void
print_bank (const char *bank, GVariant *values)
{
  g_autoptr (WardCliTable) table = ward_cli_table_new (3);
  g_autofree char *title = ward_cli_styled (WARD_CLI_STYLE_BOLD, bank);
  int width = ward_cli_term_get_width ();
  GVariantIter iter;
  guint32 index;
  GVariant *value;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "(u@ay)", &index, &value))
    {
      g_autoptr (GVariant) owned = value;
      gsize size;
      const guint8 *bytes = g_variant_get_fixed_array (value, &size, 1);
      g_autofree char *number = g_strdup_printf ("%2u", index);
      g_autofree char *text = format_value (bytes, size, width == 0 ? 0 : MAX (1, width - VALUE_INDENT));
      const char *cells[] = { number, ward_client_pcr_get_name (index), text };
      WardCliStyle styles[] = { WARD_CLI_STYLE_PLAIN, WARD_CLI_STYLE_PLAIN, WARD_CLI_STYLE_PLAIN };

      if (ward_client_pcr_get_state (bytes, size) != WARD_CLIENT_PCR_MEASURED)
        styles[1] = styles[2] = WARD_CLI_STYLE_DIM;
      ward_cli_table_add (table, cells, styles);
    }
  ward_cli_print ("%s\n", title);
  ward_cli_table_print (table);
}

static void
add_bank_json (JsonBuilder *builder, const char *bank, GVariant *values)
{
  GVariantIter iter;
  guint32 index;
  GVariant *value;

  json_builder_set_member_name (builder, bank);
  json_builder_begin_object (builder);
  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "(u@ay)", &index, &value))
    {
      g_autoptr (GVariant) owned = value;
      g_autofree char *number = g_strdup_printf ("%u", index);

      json_builder_set_member_name (builder, number);
      ward_cli_json_add_variant (builder, value);
    }
  json_builder_end_object (builder);
}

/* The values of each of banks, in their order; a new array of a(uay). */
static GPtrArray *
read_banks (WardCli *cli, WardDbusPcrs *pcrs, GStrv banks, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);

  for (guint i = 0; banks[i] != NULL; i++)
    {
      GVariant *no_indices = g_variant_new_array (G_VARIANT_TYPE_UINT32, NULL, 0);
      g_autoptr (GVariant) reply = ward_cli_call (cli, pcrs, "Read", g_variant_new ("(s@au)", banks[i], no_indices),
                                                  error);

      if (reply == NULL)
        return NULL;
      g_ptr_array_add (all, g_variant_get_child_value (reply, 0));
    }
  return g_steal_pointer (&all);
}

static void
print_all (WardCli *cli, const char *tpm_name, GStrv banks, GPtrArray *all)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  ward_cli_json_add_string (builder, "tpm", tpm_name);
  json_builder_set_member_name (builder, "banks");
  json_builder_begin_object (builder);
  for (guint i = 0; i < all->len; i++)
    {
      if (!cli->json && i > 0)
        ward_cli_print ("\n");
      if (!cli->json)
        print_bank (banks[i], all->pdata[i]);
      else
        add_bank_json (builder, banks[i], all->pdata[i]);
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  if (cli->json)
    ward_cli_json_print (builder, TRUE);
}

static WardCliStatus
fail_bank (WardCli *cli, const char *tpm_name, const char *bank, GStrv banks)
{
  g_autofree char *names = g_strjoinv (", ", banks);

  return ward_cli_fail_usage (cli, ward_cli_text_suggest (bank, (const char *const *)banks),
                              "%s has no PCR bank “%s”, but %s.", tpm_name, bank, names);
}

/* The banks to show: all, the one that was named, or the preferred one. NULL with cli->status set if there is no such
 * bank. */
static GStrv
choose_banks (WardCli *cli, WardDbusObject *object, const char *wanted, gboolean all)
{
  g_auto (GStrv) banks = ward_dbus_pcrs_dup_banks (ward_dbus_object_peek_pcrs (object));
  const char *one[2] = { wanted, NULL };
  gboolean known = banks != NULL && banks[0] != NULL;

  if (all && known)
    return g_steal_pointer (&banks);
  if (wanted == NULL)
    one[0] = known && !g_strv_contains ((const char *const *)banks, WARD_CLIENT_PCR_BANK) ? banks[0]
                                                                                          : WARD_CLIENT_PCR_BANK;
  /* A TPM that could not be read has no banks here: let the service say why when it is asked. */
  if (!known || g_strv_contains ((const char *const *)banks, one[0]))
    return g_strdupv ((GStrv)one);

  cli->status = fail_bank (cli, ward_dbus_tpm_get_name (ward_dbus_object_peek_tpm (object)), wanted, banks);
  return NULL;
}

WardCliStatus
ward_cli_pcrs (WardCli *cli, GStrv *args)
{
  gboolean all = FALSE;
  const GOptionEntry options[] = { { "all", 'a', 0, G_OPTION_ARG_NONE, &all, "Show all banks", NULL }, { 0 } };
  g_autoptr (WardDbusObject) object = NULL;
  g_autoptr (GPtrArray) values = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  g_auto (GStrv) banks = NULL;

  if (!ward_cli_parse (cli, args, options, 0, 1))
    return cli->status;
  if (all && (*args)[0] != NULL)
    return ward_cli_fail_usage (cli, NULL, "--all and a bank cannot be given together.");
  object = ward_cli_open_tpm (cli);
  if (object == NULL)
    return cli->status;
  if (ward_dbus_object_peek_pcrs (object) == NULL)
    return ward_cli_fail_interface ("Pcrs");

  name = ward_dbus_tpm_dup_name (ward_dbus_object_peek_tpm (object));
  banks = choose_banks (cli, object, (*args)[0], all);
  if (banks == NULL)
    return cli->status;
  values = read_banks (cli, ward_dbus_object_peek_pcrs (object), banks, &error);
  if (values == NULL)
    return ward_cli_fail (error);
  print_all (cli, name, banks, values);
  return WARD_CLI_OK;
}
