/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* Keeps one user from using up everybody's tries. A TPM counts wrong auth values whoever gives them, and after
 * max_failures refuses all, for everybody; after each recovery_seconds it forgives one (TPM 2.0 Library, Part 1,
 * 19.8.3). In front of that:
 *
 * - The chip's last tries, one in eight of max_failures but at least one, are kept for root.
 * - Of the others each user has a quarter, but at least one: as many may be counted as wrong at a time. One is forgiven
 *   after each recovery_seconds, so that no user is faster at it than the chip forgives.
 *
 * Root has no limit but the chip's own. A try is charged on disk before the chip sees it, so that a crash cannot forget
 * it. That charge stays while right values follow one another, and by the failures that the chip counts it is seen
 * after a crash that none of them was wrong. Used on one thread, the TPM's worker, once it is made. */
typedef struct _WardBudget WardBudget;

/* The record is state_dir/name.budgets; it need not exist. One that is damaged counts as if all users but root had used
 * up their tries at this moment, until one is forgiven. */
WardBudget *ward_budget_new (const char *state_dir, const char *name);
WardBudget *ward_budget_ref (WardBudget *budget);
void ward_budget_unref (WardBudget *budget);

/* What the chip told a moment ago, while that is enough to decide by; NULL: it is to be read. It is not after a wrong
 * try, for longer than a second, nor where one more failure, of whoever, would leave root its last tries alone. */
const WardOwnership *ward_budget_recall (WardBudget *budget);

/* Before a try that the chip may count. ownership: as just read from it, or recalled. Refuses with
 * WARD_ERROR_LOCKED_OUT what is beyond the limits; fails with WARD_ERROR_NO_SPACE or WARD_ERROR_FAILED when the try
 * cannot be put on record. */
gboolean ward_budget_charge (WardBudget *budget, guint uid, const WardOwnership *ownership, GError **error);

/* After it. outcome: NULL when it was right. What was right, or not tried, is refunded. */
void ward_budget_settle (WardBudget *budget, guint uid, const GError *outcome);

/* When nobody has tried for a while, and at the end: refunds on disk what was right. */
void ward_budget_rest (WardBudget *budget);

/* Whether the chip has counted a failure since what the last charge was told of it. ownership: as just read. */
gboolean ward_budget_has_counted (WardBudget *budget, const WardOwnership *ownership);

/* How many more wrong tries the user has, the chip's own limit included. */
guint ward_budget_get_left (WardBudget *budget, guint uid, const WardOwnership *ownership);

/* After the chip was made to forgive all: forgets all that was charged. */
void ward_budget_restore (WardBudget *budget);
