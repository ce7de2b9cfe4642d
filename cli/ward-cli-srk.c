/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-srk.h"

void
ward_cli_srk_clear (WardCliSrk *self)
{
  g_clear_pointer (&self->fd, g_free);
  g_clear_pointer (&self->secret, ward_secret_unref);
}

gboolean
ward_cli_srk_obtain (WardCli *cli, WardCliSrk *self)
{
  if (self->ask && self->fd != NULL)
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --srk and --srk-fd can be given.");
      return FALSE;
    }
  if (self->fd != NULL)
    self->secret = ward_cli_secret_read (cli, "--srk-fd", self->fd);
  else if (self->ask)
    self->secret = ward_cli_secret_ask (cli, "secret of the storage root key", "--srk-fd");
  else
    return TRUE;
  return self->secret != NULL;
}

gboolean
ward_cli_srk_pack (const WardCliSrk *self, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  return ward_cli_secret_pack (self->secret, "srk-auth", options, fds, error);
}

const char *
ward_cli_srk_hint (const WardCliSrk *self, gboolean is_tpm12)
{
  return is_tpm12 && self->secret == NULL ? "If the TPM's storage root key has a secret of its own, --srk asks for it."
                                          : NULL;
}
