/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-budget.h"
#include "ward-guard.h"
#include "ward-key-parser.h"
#include "ward-tpm.h"

/* What the files that make up a WardTpm share. */

struct _WardTpm
{
  GObject parent_instance;

  char *name;
  char *family;
  char *transport;
  char *device_path;
  char *driver;
  char *kernel_name;
  char *self_test_path;
  WardWorker *worker; /* NULL when the family is not supported, or the TPM has gone */

  gboolean gone; /* it was stopped */
  gboolean seen;
  WardTpmState state;
  char *state_detail;
  WardIdentity *identity;
  WardSelfTest *self_test;

  WardRecord *record;
  WardChange change; /* by the record when the TPM was last looked at */
  guint64 change_noticed_at;
  char *change_text;

  WardPresenceState *presence; /* NULL until it is known, or where there is none to know */
  WardOwnership *ownership;    /* NULL until it is known */
  WardGuard *guard;
  WardBudget *budget; /* the worker's, once it is made */
  WardKeyParser *key_parser;
  guint64 next_recovery;
  guint recovery_timeout; /* source */
};

/* Queues the operation that func does with data, if this family can do it: member is the offset of its entry in the
 * backend's table, which also tells how long it may take. data_free: or NULL. */
void ward_tpm_run_async (WardTpm *tpm, const WardTicket *ticket, gsize member, WardJobFunc func, gpointer data,
                         GDestroyNotify data_free, GDestroyNotify result_free, GAsyncReadyCallback callback,
                         gpointer user_data);

/* Finishes what ward_tpm_run_async () began. */
gpointer ward_tpm_run_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Takes what is on record of a self-test from before the service was started, once the chip is known. */
void ward_tpm_recall_self_test (WardTpm *tpm);

/* On the worker's thread, what begins every job that changes the TPM: its ownership as it is now, freed by g_free.
 * begun: whether the job has come so far that the chip may have seen it. It is then not done a second time over a new
 * connection, but fails with WARD_ERROR_UNREACHABLE: nobody knows what came of the first. */
WardOwnership *ward_tpm_begin_change (WardWorker *worker, WardConnection *connection, gboolean begun, GError **error);

/* In whose name a job uses an auth value that the chip may count. */
typedef struct
{
  WardBudget *budget; /* the TPM's, which the job's task keeps alive */
  guint uid;
  gboolean begun; /* the chip may have seen a try that it counts */
} WardCharge;

/* What a job asks of the chip: returns what it gives, or NULL with error set. */
typedef gpointer (*WardUseFunc) (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error);

/* On the worker's thread: a use that the chip may count as a wrong try, against the user's budget (ward-budget.h). It
 * leaves nothing in the chip, so that it is done a second time over a new connection unless the chip has counted a
 * failure since. An error about the auth value says how many tries are left. */
gpointer ward_tpm_run_charged (WardWorker *worker, WardConnection *connection, WardCharge *charge, WardUseFunc func,
                               gpointer data, GError **error);
