/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-secret.h"

/* The secret of a TPM 1.2's storage root key, which is asked for by the use of every key beneath it unless it is the
 * well-known one. */
typedef struct
{
  gboolean ask;
  char *fd; /* the option's value, or NULL */
  WardSecret *secret;
} WardCliSrk;

/* Entries of a verb's options. */
#define WARD_CLI_SRK_ENTRIES(self)                                                                                     \
  { "srk", 0, 0, G_OPTION_ARG_NONE, &(self)->ask, "Ask for the secret of the storage root key of a TPM 1.2", NULL },   \
  {                                                                                                                    \
    "srk-fd", 0, 0, G_OPTION_ARG_STRING, &(self)->fd, "Read that secret from this file descriptor", "N"                \
  }

void ward_cli_srk_clear (WardCliSrk *self);

/* Reads the secret from the descriptor, or asks for it, as far as one of them was wanted. To be called before anything
 * else opens descriptors. FALSE with cli->status set after printing why. */
gboolean ward_cli_srk_obtain (WardCli *cli, WardCliSrk *self);

/* Adds it to a call's options. */
gboolean ward_cli_srk_pack (const WardCliSrk *self, GVariantDict *options, GUnixFDList *fds, GError **error);

/* What to say after a TPM 1.2 has refused a secret, which may have been this one; NULL for nothing. */
const char *ward_cli_srk_hint (const WardCliSrk *self, gboolean is_tpm12);
