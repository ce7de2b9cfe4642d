/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-account.h"

/* Bounds of what the owner of /var/lib/tpm can make a repair look at and tell. */
#define WARD_ACCESS_MAX_ENTRIES 10000
#define WARD_ACCESS_MAX_DEPTH 16
#define WARD_ACCESS_MAX_LINES 1000

/* How a line begins that tells of something that is not as it should be, and why it stays so. */
#define WARD_ACCESS_LEFT_ALONE "left alone: "

/* Gives the nodes of TPMs in /dev, and /var/lib/tpm with all that is in it, the owners and modes that they need; with
 * dry_run tells only what it would do. *actions (owned by the caller) are lines for people, none if all is right; what
 * cannot be repaired is one of them and no error. Everything done is logged. root: what to take for "/", "" outside of
 * tests.
 *
 * The user tss, who owns the folder, may do in it what it likes meanwhile: see ward-access.c. */
gboolean ward_access_repair (const char *root, gboolean dry_run, GPtrArray **actions, GError **error);

/* The same with another user than tss, so that a test needs none. */
gboolean ward_access_repair_for (const char *root, const WardAccount *tss, gboolean dry_run, GPtrArray **actions,
                                 GError **error);
