/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

#include <string.h>
#include <unistd.h>

#include "ward-cli-term.h"
#include "ward-client-key.h"

static char *
describe_uses (GVariant *key)
{
  g_autofree char *last = ward_client_key_get_last_use (key);
  guint64 uses = ward_client_key_get_number (key, "uses");

  if (uses == 0)
    return g_strdup ("was never used");
  if (uses == 1)
    return g_strdup_printf ("was used once, %s", last);
  return g_strdup_printf ("was used %" G_GUINT64_FORMAT " times, last %s", uses, last);
}

/* On standard error, as the question that follows is on the terminal too. */
static void
tell_what_is_lost (GVariant *key)
{
  g_autofree char *usage = ward_client_key_get_usage (key);
  g_autofree char *uses = describe_uses (key);
  gboolean signs = strstr (usage, "sign") != NULL;
  gboolean opens = strstr (usage, "decrypt") != NULL || strstr (usage, "agree") != NULL;

  ward_cli_print_error ("The key “%s” (%s, for %s), %s, %s.%s%s It cannot be brought back, unless it was exported.",
                        ward_client_key_get_string (key, "label"), ward_client_key_get_string (key, "algorithm"), usage,
                        ward_client_key_get_string (key, "fingerprint"), uses,
                        signs ? " Whatever lets it in, such as a file authorized_keys, needs another key then." : "",
                        opens ? " What was encrypted to it is lost then." : "");
}

static gboolean
confirm (WardCli *cli, GVariant *key)
{
  if (cli->json || !isatty (STDIN_FILENO))
    {
      ward_cli_print_error ("tpmward: The key was not deleted, as there is nobody to ask. A script tells that it means "
                            "it by --yes.");
      cli->status = WARD_CLI_FAILURE;
      return FALSE;
    }
  tell_what_is_lost (key);
  if (ward_cli_confirm ("Delete it for good?"))
    return TRUE;
  ward_cli_print_error ("tpmward: Nothing was deleted.");
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

WardCliStatus
ward_cli_key_delete (WardCli *cli, GStrv *args)
{
  g_auto (WardCliKey) self = { 0 };
  gboolean yes = FALSE;
  const GOptionEntry entries[] = {
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Delete it without asking", NULL },
    WARD_CLI_KEY_SYSTEM_ENTRY (&self),
    { 0 },
  };
  g_autoptr (GVariant) key = NULL;
  g_autoptr (GVariant) reply = NULL;
  const char *id;

  if (!ward_cli_parse (cli, args, entries, 1, 1) || !ward_cli_key_open (cli, &self, (*args)[0]))
    return cli->status;
  key = ward_cli_key_describe (cli, &self);
  if (key == NULL || (!yes && !confirm (cli, key)))
    return cli->status;

  /* what was shown, although another key may have got the label meanwhile */
  id = ward_client_key_get_string (key, "id");
  reply = ward_cli_key_call (cli, &self, "Delete", g_variant_new ("(s)", id));
  if (reply == NULL)
    return cli->status;
  if (cli->json)
    {
      ward_cli_key_print_json (key);
      return WARD_CLI_OK;
    }
  return ward_cli_key_tell (cli, &self, "The key “%s” (%s) was deleted.", ward_client_key_get_string (key, "label"),
                            id);
}
