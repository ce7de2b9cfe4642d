/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli.h"

/* PCRs as they are given by --pcrs: “sha256:7,11”, several banks joined by “+”, the bank sha256 where none is named,
 * or of a TPM 1.2 sha1. */
#define WARD_CLI_PCRS_ENTRY(pcrs)                                                                                      \
  {                                                                                                                    \
    "pcrs", 0, 0, G_OPTION_ARG_STRING, pcrs, "Only while these PCRs have the values of now, such as sha256:7,11",      \
        "BANK:N,…"                                                                                                   \
  }

/* The same as the service takes it, a{sau}: a new floating one, or NULL with cli->status set after printing why. */
GVariant *ward_cli_pcrs_parse (WardCli *cli, const char *text, gboolean is_tpm12);
