/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli.h"
#include "ward-client-secret.h"

/* Reads a secret for a script from the descriptor that option, such as "--auth-fd", names, and closes it unless it is a
 * standard one. To be called before anything else opens descriptors. text is the option's value. Warns of a line's end
 * at the secret's end. A new reference, or NULL with cli->status set after printing why. */
WardSecret *ward_cli_secret_read (WardCli *cli, const char *option, const char *text);

/* The same from a file, or from standard input for "-". */
WardSecret *ward_cli_secret_read_file (WardCli *cli, const char *option, const char *path);

/* That not both of a password from password_file, if that is not NULL, and the data from path, where NULL is standard
 * input too, come from there. FALSE with cli->status set after printing why. */
gboolean ward_cli_secret_check_stdin (WardCli *cli, const char *password_file, const char *path);

/* The longest password of a key and of sealed data, in bytes. */
#define WARD_CLI_MAX_PASSWORD_SIZE 64

/* Asks for a secret on the terminal; what is its name in a sentence, option the one by which a script gives it. A new
 * reference to one that is not empty, or NULL with cli->status set after printing why. */
WardSecret *ward_cli_secret_ask (WardCli *cli, const char *what, const char *option);

/* The same for a new secret: it is asked for twice, and anew while the two differ or it is longer than max_size bytes;
 * 0 for any size. */
WardSecret *ward_cli_secret_ask_new (WardCli *cli, const char *what, const char *option, gsize max_size);

/* Adds an option that is a secret to a call's options and descriptors; nothing if secret is NULL or empty. */
gboolean ward_cli_secret_pack (WardSecret *secret, const char *name, GVariantDict *options, GUnixFDList *fds,
                               GError **error);

/* Whether a person at the terminal, where standard input is one, wants it, after reading the question. FALSE where
 * nobody can be asked. */
gboolean ward_cli_confirm (const char *question);

/* Whether a person there types answer, such as a name, after reading the question. */
gboolean ward_cli_confirm_by (const char *question, const char *answer);
