/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-budget.h"
#include "ward-presence.h"
#include "ward-record.h"

/* On whose behalf a job is done, and the handle by which it is withdrawn: a job is known by the address of its ticket,
 * which lives for as long as the job does. */
typedef struct
{
  guint uid;
  const char *connection;
} WardTicket;

/* The thread that alone uses one TPM: it owns the connection, runs the jobs that callers queue, and tells how the TPM
 * is. Made, used and stopped on the main thread. */
typedef struct _WardWorker WardWorker;

/* Done on the worker's thread over an open connection. May run twice: once more over a new connection where the old one
 * broke. Returns the result, or NULL with error set. */
typedef gpointer (*WardJobFunc) (WardWorker *worker, WardConnection *connection, gpointer data, GError **error);

/* How the TPM was when the worker last looked. The members that are NULL are not known; a callee takes what it keeps,
 * by g_steal_pointer (). */
typedef struct
{
  WardIdentity *identity;      /* NULL when the TPM cannot be used */
  WardOwnership *ownership;    /* NULL also when the family or the chip's state has none to tell */
  WardPresenceState *presence; /* NULL also where the kernel does not drive it */
  WardChange noticed;          /* what was done to the TPM behind the service's back since the look before */
  GError *error;               /* why there is no identity, else NULL */
} WardReport;

/* Called on the main thread before the callback of the job that found it out. */
typedef void (*WardReportFunc) (WardReport *report, gpointer user_data);

/* kernel_name: as of ward_tpm_get_kernel_name (). record: is told of each look. budget: is put to rest when nothing
 * was asked of the TPM for some seconds, as the backend is, and at the end. */
WardWorker *ward_worker_new (const char *name, const WardBackend *backend, const char *transport,
                             const char *kernel_name, WardRecord *record, WardBudget *budget, WardReportFunc report,
                             gpointer user_data);

/* Ends the thread after the job that it is at, without waiting for it; jobs that wait fail with WARD_ERROR_UNREACHABLE,
 * and nothing is reported any more. */
void ward_worker_stop (WardWorker *worker);

/* The error of what is asked of a TPM that has gone. */
GError *ward_worker_error_gone (const char *name);

/* Waits until no stopped worker's thread is left, at most so many microseconds. FALSE when one still is. */
gboolean ward_worker_wait_all (gint64 timeout);

/* Queues a job. ticket: NULL for the service's own. task: taken over; returns what func returns, freed by result_free
 * if unclaimed. patience: how long the job may take, in microseconds; 0: any time. When it takes longer, that is
 * reported as WARD_ERROR_UNREACHABLE, and what waits behind it, or is queued while it lasts, fails with that. Once it
 * has ended, it is reported how the TPM is now, before the job's callback. */
void ward_worker_push (WardWorker *worker, const WardTicket *ticket, GTask *task, gint64 patience, WardJobFunc func,
                       gpointer data, GDestroyNotify data_free, GDestroyNotify result_free);

/* Drops a job that the worker has not started on: it fails with WARD_ERROR_CANCELLED. FALSE when none waits by that
 * ticket. */
gboolean ward_worker_withdraw (WardWorker *worker, const WardTicket *ticket);

const WardBackend *ward_worker_get_backend (WardWorker *worker);

/* From the worker's thread: has func (data) called on the main thread, in order with reports and jobs' callbacks,
 * unless the worker is stopped before. */
void ward_worker_post (WardWorker *worker, void (*func) (gpointer user_data, gpointer data), gpointer data,
                       GDestroyNotify data_free);

/* From the worker's thread, in a job: reads again what a report tells, and reports it. */
gboolean ward_worker_look (WardWorker *worker, WardConnection *connection, GError **error);
