/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include "ward-cli-json.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-key.h"

typedef struct
{
  WardCliKey key;
  gboolean all, persistent;
} List;

static void
list_clear (List *self)
{
  ward_cli_key_clear (&self->key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (List, list_clear)

#define MIN_LABEL 16
/* What the columns beside the label take, as far as they should be seen. */
#define OTHER_COLUMNS 58
#define OWNER_COLUMN 12

/* A long label leaves room for the other columns on a terminal. */
static char *
fit_label (const char *label, gboolean with_owner)
{
  int width = ward_cli_term_get_width ();
  glong room = width == 0 ? G_MAXLONG : MAX (MIN_LABEL, width - OTHER_COLUMNS - (with_owner ? OWNER_COLUMN : 0));
  g_autofree char *clean = ward_cli_text_clean (label);
  g_autofree char *start = NULL;

  if (g_utf8_strlen (clean, -1) <= room)
    return g_steal_pointer (&clean);
  start = g_utf8_substring (clean, 0, room - 1);
  return g_strconcat (start, "…", NULL);
}

static void
add_title (WardCliTable *table, gboolean with_owner)
{
  static const char *const titles[] = { "LABEL", "ALGORITHM", "USAGE", "PROTECTION", "USABLE", "LAST USED" };
  WardCliStyle styles[G_N_ELEMENTS (titles) + 1];
  const char *cells[G_N_ELEMENTS (titles) + 1];
  gsize n = 0;

  if (with_owner)
    cells[n++] = "OWNER";
  for (gsize i = 0; i < G_N_ELEMENTS (titles); i++)
    cells[n++] = titles[i];
  for (gsize i = 0; i < n; i++)
    styles[i] = WARD_CLI_STYLE_DIM;
  ward_cli_table_add (table, cells, styles);
}

static void
add_key (WardCliTable *table, GVariant *key, gboolean with_owner)
{
  gboolean usable = ward_client_key_get_boolean (key, "usable");
  g_autofree char *owner = ward_client_key_get_owner (key);
  g_autofree char *label = fit_label (ward_client_key_get_string (key, "label"), with_owner);
  g_autofree char *usage = ward_client_key_get_usage (key);
  g_autofree char *protection = ward_client_key_get_protection (key);
  g_autofree char *last_use = ward_client_key_get_last_use (key);
  const char *cells[] = { owner,   label,      ward_client_key_get_string (key, "algorithm"),
                          usage,   protection, usable ? "yes" : "no",
                          last_use };
  WardCliStyle styles[G_N_ELEMENTS (cells)] = { WARD_CLI_STYLE_PLAIN, WARD_CLI_STYLE_BOLD };

  if (!usable)
    styles[5] = WARD_CLI_STYLE_BAD;
  ward_cli_table_add (table, with_owner ? cells : cells + 1, with_owner ? styles : styles + 1);
}

static void
print_none (const List *self)
{
  if (self->all)
    ward_cli_print ("Nobody has a key in %s.\n", self->key.target.tpm_name);
  else if (self->key.system)
    ward_cli_print ("The machine has no keys in %s. “tpmward key create --system LABEL” makes one.\n",
                    self->key.target.tpm_name);
  else
    ward_cli_print ("You have no keys in %s. “tpmward key create LABEL” makes one.\n", self->key.target.tpm_name);
}

static void
print_keys (const List *self, GVariant *keys)
{
  g_autoptr (WardCliTable) table = ward_cli_table_new (self->all ? 7 : 6);
  gboolean all_usable = TRUE;

  add_title (table, self->all);
  for (gsize i = 0; i < g_variant_n_children (keys); i++)
    {
      g_autoptr (GVariant) key = g_variant_get_child_value (keys, i);

      add_key (table, key, self->all);
      all_usable = all_usable && ward_client_key_get_boolean (key, "usable");
    }
  ward_cli_table_fit (table);
  ward_cli_table_print (table);
  if (!all_usable)
    ward_cli_print ("\n“tpmward key show%s KEY” tells why one cannot be used.\n",
                    ward_cli_key_system_option (&self->key));
}

static void
print_objects (GVariant *objects)
{
  static const char *const titles[] = { "HANDLE", "ALGORITHM", "WHAT" };
  static const WardCliStyle styles[] = { WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM, WARD_CLI_STYLE_DIM };
  g_autoptr (WardCliTable) table = ward_cli_table_new (G_N_ELEMENTS (titles));

  if (g_variant_n_children (objects) == 0)
    {
      ward_cli_print ("The TPM keeps nothing in its own memory.\n");
      return;
    }
  ward_cli_table_add (table, titles, styles);
  for (gsize i = 0; i < g_variant_n_children (objects); i++)
    {
      g_autoptr (GVariant) object = g_variant_get_child_value (objects, i);
      g_autofree char *what = ward_client_key_get_object (object);
      g_autofree char *handle = NULL;
      guint32 number = 0;

      g_variant_lookup (object, "handle", "u", &number);
      handle = g_strdup_printf ("0x%08x", number);
      ward_cli_table_add (
          table, (const char *const[]){ handle, ward_client_key_get_string (object, "algorithm"), what }, NULL);
    }
  ward_cli_table_print (table);
}

static void
print (WardCli *cli, const List *self, GVariant *keys)
{
  if (cli->json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      ward_cli_json_add_dictionaries (builder, keys);
      ward_cli_json_print (builder, TRUE);
    }
  else if (self->persistent)
    print_objects (keys);
  else if (g_variant_n_children (keys) == 0)
    print_none (self);
  else
    print_keys (self, keys);
}

WardCliStatus
ward_cli_key_list (WardCli *cli, GStrv *args)
{
  g_auto (List) self = { 0 };
  const GOptionEntry entries[] = {
    WARD_CLI_KEY_SYSTEM_ENTRY (&self.key),
    { "all", 'a', 0, G_OPTION_ARG_NONE, &self.all, "Every user's keys and the machine's, as an administrator", NULL },
    { "persistent", 0, 0, G_OPTION_ARG_NONE, &self.persistent,
      "What the TPM keeps in its own memory, as an administrator", NULL },
    { 0 },
  };
  const char *method;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) keys = NULL;

  if (!ward_cli_parse (cli, args, entries, 0, 0))
    return cli->status;
  if (self.all && self.persistent)
    return ward_cli_fail_usage (cli, NULL, "Only one of --all and --persistent can be given.");
  method = self.all ? "ListAll" : self.persistent ? "ListPersistent" : "List";
  self.key.system = self.key.system || self.all || self.persistent;
  if (!ward_cli_key_open (cli, &self.key, NULL))
    return cli->status;
  reply = ward_cli_key_call (cli, &self.key, method, NULL);
  if (reply == NULL)
    return cli->status;
  keys = g_variant_get_child_value (reply, 0);
  print (cli, &self, keys);
  return WARD_CLI_OK;
}
