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

/* New lower-case hexadecimal digits; after every group bytes a space, 0 for none. */
char *ward_cli_text_hex (const guint8 *bytes, gsize size, gsize group);

/* A span of time in a unit that suits it, such as "24 ms". */
char *ward_cli_text_duration (guint64 microseconds);

/* How long before now then was, such as "3 minutes ago"; both in microseconds since the epoch. */
char *ward_cli_text_ago (gint64 then, gint64 now);

/* A span of time in words, by its two largest units that are not zero, such as "1 hour 5 minutes". */
char *ward_cli_text_span (guint64 seconds);

/* An instant, in microseconds since the epoch, as local date and time. */
char *ward_cli_text_instant (guint64 microseconds);

/* "KeyAlgorithms" with the separator '_' is "key_algorithms". */
char *ward_cli_text_from_camel (const char *name, char separator);
