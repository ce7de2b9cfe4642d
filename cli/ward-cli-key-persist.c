/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-key-handle.h"

typedef struct
{
  WardCliKey key;
  guint32 handle;
} Persist;

static void
persist_clear (Persist *self)
{
  ward_cli_key_clear (&self->key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Persist, persist_clear)

static GVariant *
pack (gpointer user_data, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  const Persist *self = user_data;

  return g_variant_new ("(su@a{sv})", self->key.key, self->handle, g_variant_dict_end (options));
}

WardCliStatus
ward_cli_key_persist (WardCli *cli, GStrv *args)
{
  g_auto (Persist) self = { .key.system = TRUE };
  const GOptionEntry entries[] = { WARD_CLI_KEY_OWNER_ENTRY (&self.key), { 0 } };
  g_auto (WardCliAuthCall) call = {
    .method = "Persist", .text = "The TPM stores the key", .pack = pack, .user_data = &self
  };
  g_autoptr (GVariant) reply = NULL;

  if (!ward_cli_parse (cli, args, entries, 2, 2) || !ward_cli_key_parse_handle (cli, (*args)[1], &self.handle)
      || !ward_cli_key_open (cli, &self.key, (*args)[0]))
    return cli->status;
  reply = ward_cli_key_call_by_owner (cli, &self.key, &call);
  if (reply == NULL)
    return cli->status;
  return ward_cli_key_tell (cli, &self.key, "The key “%s” is in the TPM at 0x%08x now.", self.key.key, self.handle);
}
