/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli.h"

/* Verbs beside each other: those of the command, or those of a verb that has verbs of its own. Of the latter the name
 * is both words: "key sign". */
typedef struct
{
  const WardCliVerb *verbs;
  gsize n_verbs;
  const char *fallback; /* the verb, by its last word, that is meant where none is given */
} WardCliVerbs;

/* Does the verb that args begin with, after the options before it; with --help, or “help”, shows what there is or what
 * it does. cli->verb is the verb whose verbs these are, NULL for the command, and becomes the one that was done. */
WardCliStatus ward_cli_verbs_run (WardCli *cli, const WardCliVerbs *self, GStrv *args);
