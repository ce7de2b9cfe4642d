/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-key.h"
#include "ward-cli-pcr-selection.h"

/* What a new key is to be, by the options that “key create” and “key import” share; their values, or NULL. */
typedef struct
{
  WardCliKey key; /* its password is the new key's */
  char *usage, *pcrs, *comment;
  gboolean ask_password, no_da;
} WardCliKeyMake;

void ward_cli_key_make_clear (WardCliKeyMake *self);

/* Entries of a verb's options. */
#define WARD_CLI_KEY_MAKE_ENTRIES(self)                                                                                \
  WARD_CLI_KEY_SYSTEM_ENTRY (&(self)->key),                                                                            \
      { "usage",                                                                                                       \
        'u',                                                                                                           \
        0,                                                                                                             \
        G_OPTION_ARG_STRING,                                                                                           \
        &(self)->usage,                                                                                                \
        "What it is for: sign (the default), decrypt (RSA), agree (ECC), joined by commas",                            \
        "USAGE" },                                                                                                     \
      { "password",                                                                                                    \
        'p',                                                                                                           \
        0,                                                                                                             \
        G_OPTION_ARG_NONE,                                                                                             \
        &(self)->ask_password,                                                                                         \
        "Protect it by a password, which is asked for twice",                                                          \
        NULL },                                                                                                        \
      { "password-file",                                                                                               \
        0,                                                                                                             \
        0,                                                                                                             \
        G_OPTION_ARG_FILENAME,                                                                                         \
        &(self)->key.password_file,                                                                                    \
        "Protect it by the password that is in this file",                                                             \
        "FILE" },                                                                                                      \
      WARD_CLI_PCRS_ENTRY (&(self)->pcrs),                                                                             \
      { "no-da", 0, 0, G_OPTION_ARG_NONE, &(self)->no_da, "Have the TPM not count wrong passwords of it", NULL },      \
      { "comment", 'c', 0, G_OPTION_ARG_STRING, &(self)->comment, "A comment, for people", "TEXT" },                   \
      WARD_CLI_KEY_PARENT_ENTRIES (&(self)->key)

/* Reads and asks for secrets, and opens the set of keys. FALSE with cli->status set after printing why. */
gboolean ward_cli_key_make_open (WardCli *cli, WardCliKeyMake *self, const char *label);

/* Adds these properties to a call's options. FALSE with cli->status set after printing why. */
gboolean ward_cli_key_make_pack (WardCli *cli, WardCliKeyMake *self, GVariantDict *options, GUnixFDList *fds);

/* Calls Create or Import, and tells of the new key, and what can be done with it. done: such as “was made”. */
WardCliStatus ward_cli_key_make (WardCli *cli, WardCliKeyMake *self, const char *text, const char *method,
                                 GVariant *parameters, GUnixFDList *fds, const char *done);
