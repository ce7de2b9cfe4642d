/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-key.h"
#include "ward-client-text.h"

/* TPM 2.0 Library, Part 2, 7.4: TPM_RH_OWNER. */
#define OWNER_HIERARCHY 0x40000001u

static void
print_title (GVariant *key)
{
  gboolean usable = ward_client_key_get_boolean (key, "usable");
  WardCliStyle style = usable ? WARD_CLI_STYLE_GOOD : WARD_CLI_STYLE_BAD;
  g_autofree char *label = ward_cli_text_clean (ward_client_key_get_string (key, "label"));
  g_autofree char *name = ward_cli_styled (WARD_CLI_STYLE_BOLD, label);
  g_autofree char *dot = ward_cli_styled (style, "●");
  g_autofree char *state = ward_cli_styled (style, usable ? "can be used" : "cannot be used");

  ward_cli_print ("%s %s %s\n", dot, name, state);
  if (!usable)
    ward_cli_print_paragraph (2, WARD_CLI_STYLE_PLAIN, ward_client_key_get_string (key, "problem"));
  ward_cli_print ("\n");
}

static char *
describe_protection (GVariant *key)
{
  gboolean has_auth = ward_client_key_get_boolean (key, "has-auth");
  g_autofree char *pcrs = ward_client_key_get_pcrs (key);
  GString *text = g_string_new (has_auth ? "password" : "no password");

  if (has_auth && ward_client_key_get_boolean (key, "no-da"))
    g_string_append (text, ", of which the TPM does not count wrong ones");
  if (*pcrs != '\0')
    g_string_append_printf (text, " · only while the PCRs %s are as they were when it was made", pcrs);
  return g_string_free (text, FALSE);
}

static char *
describe_parent (GVariant *key)
{
  guint32 parent = 0;

  g_variant_lookup (key, "parent", "u", &parent);
  if (parent == OWNER_HIERARCHY)
    return g_strdup ("a primary key of the owner hierarchy");
  return g_strdup_printf ("the storage root key at 0x%08x", parent);
}

static char *
describe_uses (GVariant *key)
{
  guint64 uses = ward_client_key_get_number (key, "uses");
  g_autofree char *last = ward_client_key_get_last_use (key);

  if (uses == 0)
    return g_steal_pointer (&last);
  if (uses == 1)
    return g_strdup_printf ("once, %s", last);
  return g_strdup_printf ("%" G_GUINT64_FORMAT " times, last %s", uses, last);
}

static void
print_key (GVariant *key)
{
  g_autofree char *usage = ward_client_key_get_usage (key);
  g_autofree char *owner = ward_client_key_get_owner (key);
  g_autofree char *protection = describe_protection (key);
  g_autofree char *created = ward_client_text_instant (ward_client_key_get_number (key, "created"));
  g_autofree char *made = g_strdup_printf (
      "%s, %s", created, ward_client_key_get_boolean (key, "imported") ? "imported from elsewhere" : "in the TPM");
  g_autofree char *uses = describe_uses (key);
  g_autofree char *parent = describe_parent (key);
  const char *comment = ward_client_key_get_string (key, "comment");

  print_title (key);
  ward_cli_print_field ("Id", WARD_CLI_STYLE_PLAIN, ward_client_key_get_string (key, "id"));
  if (*comment != '\0')
    ward_cli_print_field ("Comment", WARD_CLI_STYLE_PLAIN, comment);
  ward_cli_print_field ("Algorithm", WARD_CLI_STYLE_PLAIN, ward_client_key_get_string (key, "algorithm"));
  ward_cli_print_field ("For", WARD_CLI_STYLE_PLAIN, usage);
  ward_cli_print_field ("Owner", WARD_CLI_STYLE_PLAIN,
                        g_str_equal (owner, "system") ? "the machine (a system key)" : owner);
  ward_cli_print_field ("Protection", WARD_CLI_STYLE_PLAIN, protection);
  ward_cli_print_field ("Made", WARD_CLI_STYLE_PLAIN, made);
  ward_cli_print_field ("Used", WARD_CLI_STYLE_PLAIN, uses);
  ward_cli_print_field ("Fingerprint", WARD_CLI_STYLE_PLAIN, ward_client_key_get_string (key, "fingerprint"));
  ward_cli_print_field ("Beneath", WARD_CLI_STYLE_PLAIN, parent);
}

WardCliStatus
ward_cli_key_show (WardCli *cli, GStrv *args)
{
  g_auto (WardCliKey) self = { 0 };
  const GOptionEntry entries[] = { WARD_CLI_KEY_SYSTEM_ENTRY (&self), { 0 } };
  g_autoptr (GVariant) key = NULL;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_key_open (cli, &self, (*args)[0]))
    return cli->status;
  key = ward_cli_key_describe (cli, &self);
  if (key == NULL)
    return cli->status;
  if (cli->json)
    ward_cli_key_print_json (key);
  else
    print_key (key);
  return WARD_CLI_OK;
}
