/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-budget.h"
#include "ward-guard.h"
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
