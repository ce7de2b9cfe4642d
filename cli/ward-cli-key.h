/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-auth-call.h"
#include "ward-cli-srk.h"
#include "ward-cli-target.h"

/* The verbs of “key”. */
WardCliStatus ward_cli_key_create (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_import (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_list (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_show (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_public (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_sign (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_decrypt (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_agree (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_rename (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_comment (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_passwd (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_export (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_delete (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_persist (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_key_evict (WardCli *cli, GStrv *args);

/* One of the two sets of keys, the key in it that is meant, and what its use takes. Strings are the options' values, or
 * NULL. */
typedef struct
{
  gboolean system; /* the machine's keys instead of the user's own */
  char *password_file;
  char *owner_fd;
  WardCliSrk srk;

  char *key; /* its id or label */
  WardSecret *password;
  WardSecret *owner_auth;
  WardCliTarget target;
} WardCliKey;

/* Entries of a verb's options. */
#define WARD_CLI_KEY_SYSTEM_ENTRY(self)                                                                                \
  {                                                                                                                    \
    "system", 's', 0, G_OPTION_ARG_NONE, &(self)->system, "The machine's keys, instead of your own", NULL              \
  }
#define WARD_CLI_KEY_PASSWORD_ENTRY(self)                                                                              \
  {                                                                                                                    \
    "password-file", 0, 0, G_OPTION_ARG_FILENAME, &(self)->password_file,                                              \
        "Read the key's password from this file, instead of asking for it", "FILE"                                     \
  }
#define WARD_CLI_KEY_OWNER_ENTRY(self)                                                                                 \
  {                                                                                                                    \
    "owner-fd", 0, 0, G_OPTION_ARG_STRING, &(self)->owner_fd,                                                          \
        "Read the owner auth, where the TPM needs it, from this file descriptor", "N"                                  \
  }
/* What the key beneath which a key is may take. */
#define WARD_CLI_KEY_PARENT_ENTRIES(self) WARD_CLI_KEY_OWNER_ENTRY (self), WARD_CLI_SRK_ENTRIES (&(self)->srk)

void ward_cli_key_clear (WardCliKey *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardCliKey, ward_cli_key_clear)

/* Reads the secrets that options name, and opens the set of keys. key: the id or label, or NULL. FALSE with cli->status
 * set after printing why. */
gboolean ward_cli_key_open (WardCli *cli, WardCliKey *self, const char *key);

/* A call without secrets. NULL with cli->status set after printing why. */
GVariant *ward_cli_key_call (WardCli *cli, WardCliKey *self, const char *method, GVariant *parameters);

/* What the service knows of the key: a{sv}. NULL with cli->status set after printing why. */
GVariant *ward_cli_key_describe (WardCli *cli, WardCliKey *self);

/* Tells of a change: by this sentence, or with --json by what the key is now. Returns the verb's status. */
WardCliStatus ward_cli_key_tell (WardCli *cli, WardCliKey *self, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Prints a key's members as one JSON object. */
void ward_cli_key_print_json (GVariant *key);

/* Fills call in for a method of the set, whose password is the key's. what: to be freed after the call. */
void ward_cli_key_prepare (WardCliKey *self, WardCliAuthCall *call, char **what);

/* Adds what else than the password the use of a key takes. */
gboolean ward_cli_key_pack (WardCliKey *self, GVariantDict *options, GUnixFDList *fds, GError **error);

/* What “ --system” is in a command line that is suggested. */
const char *ward_cli_key_system_option (const WardCliKey *self);

/* The key's name, a{sv} as by Describe, as an argument on a command line that is suggested; a new string. */
char *ward_cli_key_quote (GVariant *key);
