/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* Keeps people from barring themselves from their TPM's lockout hierarchy. A wrong lockout auth bars it for a long
 * time, even against the right one, and the chip does not show it (TPM 2.0 Library, Part 1, 19.8.5). So that a try is
 * under way is written to disk before the chip sees it: after a crash, too, a second one is not spent by accident. Used
 * on one thread, the TPM's worker. */
typedef struct _WardGuard WardGuard;

/* The largest value of a time: until the next reset of the TPM. */
#define WARD_BARRED_UNTIL_RESET G_MAXUINT64

/* path: the record's; it need not exist. One that is damaged counts as a failed try of unknown time. */
WardGuard *ward_guard_new (const char *path);
void ward_guard_free (WardGuard *guard);

/* Before the lockout auth is used. auth: NULL for the empty one. force: the caller knows what is at stake. Refuses with
 * WARD_ERROR_LOCKED_OUT while a failed try is on record, and with WARD_ERROR_AUTHENTICATION_FAILED a try that must
 * fail, as no lockout auth is set; else it puts the try on record, where none can be put there it fails with an error
 * of G_FILE_ERROR. */
gboolean ward_guard_begin (WardGuard *guard, const WardOwnership *ownership, WardSecret *auth, gboolean force,
                           GError **error);

/* After it. outcome: the command's error, or NULL: then the guard is lifted, as it is when the auth was not tried. */
void ward_guard_end (WardGuard *guard, const GError *outcome);

/* What the TPM says of itself, whenever it was read: a bar that lasts until a reset has ended if there was one. */
void ward_guard_look (WardGuard *guard, const WardOwnership *ownership);

/* Until when the hierarchy is barred, in microseconds of CLOCK_REALTIME; 0 when it is not, or WARD_BARRED_UNTIL_RESET.
 */
guint64 ward_guard_get_barred_until (WardGuard *guard);

/* Whether the record on disk could not be read, and nothing has been put in its place since. */
gboolean ward_guard_is_damaged (WardGuard *guard);
