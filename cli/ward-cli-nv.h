/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli-auth-call.h"
#include "ward-cli-guard.h"
#include "ward-cli-target.h"

/* The verbs of “nv”. */
WardCliStatus ward_cli_nv_list (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_nv_read (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_nv_write (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_nv_define (WardCli *cli, GStrv *args);
WardCliStatus ward_cli_nv_undefine (WardCli *cli, GStrv *args);

/* An NV index that is meant, and what its use takes. Strings are the options' values, or NULL. */
typedef struct
{
  char *password_file;
  char *owner_fd;
  gboolean well_known; /* the owner of a TPM 1.2 has the secret that everybody has */

  guint32 index;        /* 0 for none */
  WardSecret *password; /* the index's */
  WardSecret *owner_auth;
  WardCliTarget target;
} WardCliNv;

/* Entries of a verb's options. */
#define WARD_CLI_NV_OWNER_ENTRY(self)                                                                                  \
  { "owner-fd",                                                                                                        \
    0,                                                                                                                 \
    0,                                                                                                                 \
    G_OPTION_ARG_STRING,                                                                                               \
    &(self)->owner_fd,                                                                                                 \
    "Read the owner auth from this file descriptor, instead of asking for it",                                         \
    "N" },                                                                                                             \
      WARD_CLI_GUARD_WELL_KNOWN_ENTRY (self)

void ward_cli_nv_clear (WardCliNv *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardCliNv, ward_cli_nv_clear)

/* Parses a number of what the option or argument name means, in decimal digits or hexadecimal ones after 0x. text: or
 * NULL, which leaves it. FALSE with cli->status set after printing why. */
gboolean ward_cli_nv_parse_number (WardCli *cli, const char *name, const char *text, guint32 min, guint32 max,
                                   guint32 *number);
/* The same for an NV index. Which numbers a TPM of that family has, ward_cli_nv_open() checks. */
gboolean ward_cli_nv_parse_index (WardCli *cli, const char *text, guint32 *index);

/* Reads the secrets that options name, and opens the interface. FALSE with cli->status set after printing why. */
gboolean ward_cli_nv_open (WardCli *cli, WardCliNv *self);

/* All indices, as by List; NULL with cli->status set after printing why. */
GVariant *ward_cli_nv_list_all (WardCli *cli, WardCliNv *self);

/* What List tells of the index, which may be nothing: an empty a{sv}. NULL with cli->status set after printing why. */
GVariant *ward_cli_nv_describe (WardCli *cli, WardCliNv *self);

/* Its attributes, “written” left out, in words; a new string. */
char *ward_cli_nv_get_attributes (GVariant *index);
gboolean ward_cli_nv_has_attribute (GVariant *index, const char *name);

/* Tells of a change: by this sentence, or with --json by what the index is now. Returns the verb's status. */
WardCliStatus ward_cli_nv_tell (WardCli *cli, WardCliNv *self, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* What the owner auth is called on that TPM, in a sentence. */
const char *ward_cli_nv_name_owner_auth (const WardCliNv *self);
/* Has what can be known of the owner auth before the call: that of a TPM 1.2 is asked for, as none would be the
 * well-known one, and counted. FALSE with cli->status set after printing why. */
gboolean ward_cli_nv_prepare_owner_auth (WardCli *cli, WardCliNv *self);

/* Calls a method whose secret is the owner auth, and asks for that if it is needed. NULL with cli->status set after
 * printing why. */
GVariant *ward_cli_nv_call_by_owner (WardCli *cli, WardCliNv *self, WardCliAuthCall *call);
