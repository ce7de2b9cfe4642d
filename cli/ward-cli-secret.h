/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli.h"
#include "ward-client-secret.h"

/* Reads a secret for a script from the descriptor that option, such as "--auth-fd", names, and closes it unless it is a
 * standard one. To be called before anything else opens descriptors. text is the option's value. A new reference, or
 * NULL with cli->status set after printing why. */
WardSecret *ward_cli_secret_read (WardCli *cli, const char *option, const char *text);

/* Asks for a secret on the terminal; what is its name in a sentence, option the one by which a script gives it. A new
 * reference to one that is not empty, or NULL with cli->status set after printing why. */
WardSecret *ward_cli_secret_ask (WardCli *cli, const char *what, const char *option);

/* Whether a person at the terminal, where standard input is one, wants it, after reading the question. FALSE where
 * nobody can be asked. */
gboolean ward_cli_confirm (const char *question);
