/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* How many terminal columns text takes. */
int ward_cli_text_width (const char *text);

/* A new copy of text in which nothing can steer a terminal: control characters and invalid UTF-8 become "?", line
 * breaks spaces. What a TPM says of itself is shown through this. */
char *ward_cli_text_clean (const char *text);

/* A new copy of text in ASCII, for other locales than UTF-8: quotes, dashes and our glyphs by their look, the rest as
 * "?". */
char *ward_cli_text_to_ascii (const char *text);

/* Breaks text at its spaces into a new list of lines of at most width columns; a longer word, such as an address, stays
 * whole. A width of 0 breaks nothing. */
GStrv ward_cli_text_wrap (const char *text, int width);

/* The one of candidates that word was probably meant to be, or NULL; candidates ends in NULL and owns the answer. */
const char *ward_cli_text_suggest (const char *word, const char *const *candidates);

/* "KeyAlgorithms" with the separator '_' is "key_algorithms". */
char *ward_cli_text_from_camel (const char *name, char separator);
