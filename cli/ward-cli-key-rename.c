/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

WardCliStatus
ward_cli_key_rename (WardCli *cli, GStrv *args)
{
  g_auto (WardCliKey) self = { 0 };
  const GOptionEntry entries[] = { WARD_CLI_KEY_SYSTEM_ENTRY (&self), { 0 } };
  const char *label;
  g_autofree char *old = NULL;
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 2, 2) || !ward_cli_key_open (cli, &self, (*args)[0]))
    return cli->status;
  label = (*args)[1];
  reply = ward_cli_key_call (cli, &self, "SetLabel", g_variant_new ("(ss)", self.key, label));
  if (reply == NULL)
    return cli->status;
  old = g_steal_pointer (&self.key);
  self.key = g_strdup (label);
  return ward_cli_key_tell (cli, &self, "The key “%s” is called “%s” now.", old, label);
}
