/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Numbers in words; all return new strings. */

/* A span of time in a unit that suits it, such as "24 ms". */
char *ward_client_text_duration (guint64 microseconds);

/* How long before now then was, such as "3 minutes ago"; both in microseconds since the epoch. */
char *ward_client_text_ago (gint64 then, gint64 now);

/* A span of time in words, by its two largest units that are not zero, such as "1 hour 5 minutes". */
char *ward_client_text_span (guint64 seconds);

/* An instant, in microseconds since the epoch, as local date and time. */
char *ward_client_text_instant (guint64 microseconds);
