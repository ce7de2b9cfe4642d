/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli.h"

/* One interface of the TPM that the user means, for verbs that make a call or two. */
typedef struct
{
  char *tpm_name;
  gboolean is_tpm12;
  GStrv algorithms; /* of keys, that the TPM has; may be NULL */
  GDBusProxy *proxy;
} WardCliTarget;

void ward_cli_target_clear (WardCliTarget *self);

/* Connects and finds the TPM; interface is such as "Keys". FALSE with cli->status set after printing why. */
gboolean ward_cli_target_open (WardCli *cli, WardCliTarget *self, const char *interface);
