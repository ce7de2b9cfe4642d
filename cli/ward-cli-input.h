/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-cli.h"
#include "ward-secret.h"

/* What a verb reads: a file, or standard input for "-" and NULL; the latter only where it is no terminal. what is what
 * is read, such as "private key", for messages. */

/* All of it, at most max_size bytes. A new reference, or NULL with cli->status set after printing why. */
WardSecret *ward_cli_input_read (WardCli *cli, const char *path, gsize max_size, const char *what);

/* The digest of it, however much it is, with a bar that tells how far it is. NULL with cli->status set after printing
 * why. */
GBytes *ward_cli_input_hash (WardCli *cli, const char *path, GChecksumType type, const char *what);
