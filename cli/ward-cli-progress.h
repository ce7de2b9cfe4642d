/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A bar on standard error that tells how much of some bytes is done. What ends soon shows none, and nor does anything
 * where standard error is no terminal. */
typedef struct _WardCliProgress WardCliProgress;

/* text is what is done, such as "Hashing"; total is the number of bytes, 0 when nobody knows. NULL where nothing can be
 * shown. */
WardCliProgress *ward_cli_progress_new (const char *text, guint64 total);

/* done: the bytes so far. progress may be NULL. */
void ward_cli_progress_update (WardCliProgress *progress, guint64 done);

/* Leaves the line empty. progress may be NULL. */
void ward_cli_progress_free (WardCliProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardCliProgress, ward_cli_progress_free)
