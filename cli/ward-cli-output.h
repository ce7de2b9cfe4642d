/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli.h"
#include "ward-secret.h"

/* Where a verb's result goes and in what form, by its options; what is a pointer is the options' value or NULL. */
typedef struct
{
  char *path;
  gboolean raw, base64, hex;
} WardCliOutput;

#define WARD_CLI_OUTPUT_FILE_ENTRY(self)                                                                               \
  {                                                                                                                    \
    "output", 'o', 0, G_OPTION_ARG_FILENAME, &(self)->path, "Write to this file instead of standard output", "FILE"    \
  }
/* Entries of a verb's options. */
#define WARD_CLI_OUTPUT_ENTRIES(self)                                                                                  \
  WARD_CLI_OUTPUT_FILE_ENTRY (self),                                                                                   \
      { "raw", 0, 0, G_OPTION_ARG_NONE, &(self)->raw, "Write the bytes themselves, on a terminal too", NULL },         \
      { "base64", 0, 0, G_OPTION_ARG_NONE, &(self)->base64, "Write base64, on one line", NULL },                       \
  {                                                                                                                    \
    "hex", 0, 0, G_OPTION_ARG_NONE, &(self)->hex, "Write hexadecimal digits, on one line", NULL                        \
  }

void ward_cli_output_clear (WardCliOutput *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardCliOutput, ward_cli_output_clear)

/* FALSE with cli->status set after printing why when the options contradict each other. */
gboolean ward_cli_output_check (WardCli *cli, const WardCliOutput *self);

typedef enum
{
  WARD_CLI_OUTPUT_BINARY, /* base64 on a terminal */
  WARD_CLI_OUTPUT_SECRET, /* for its owner's eyes: a file gets the mode 0600. On a terminal as it is if it is text */
  WARD_CLI_OUTPUT_TEXT,   /* as it is, everywhere */
} WardCliOutputKind;

/* Writes all bytes or, to a file, none: it is there, and on the disk, only once it has all of them. What was there is
 * replaced. The bytes pass through no buffer that is not wiped. With --json secrets become an object with the member
 * "hex". FALSE with cli->status set after printing why. */
gboolean ward_cli_output_write (WardCli *cli, const WardCliOutput *self, WardCliOutputKind kind, WardSecret *bytes);

/* The same for what a D-Bus reply has: ay. */
gboolean ward_cli_output_write_variant (WardCli *cli, const WardCliOutput *self, WardCliOutputKind kind,
                                        GVariant *bytes);
