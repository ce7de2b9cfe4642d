/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key.h"

WardCliStatus
ward_cli_key_comment (WardCli *cli, GStrv *args)
{
  g_auto (WardCliKey) self = { 0 };
  const GOptionEntry entries[] = { WARD_CLI_KEY_SYSTEM_ENTRY (&self), { 0 } };
  const char *comment;
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 2, 2) || !ward_cli_key_open (cli, &self, (*args)[0]))
    return cli->status;
  comment = (*args)[1];
  reply = ward_cli_key_call (cli, &self, "SetComment", g_variant_new ("(ss)", self.key, comment));
  if (reply == NULL)
    return cli->status;
  if (*comment == '\0')
    return ward_cli_key_tell (cli, &self, "The key “%s” has no comment now.", self.key);
  return ward_cli_key_tell (cli, &self, "The key “%s” has this comment now: %s", self.key, comment);
}
