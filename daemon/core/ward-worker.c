/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-worker.h"

#include "ward-error.h"
#include "ward-queue.h"
#include "ward-watch.h"
#include "ward-worker-threads.h"

/* A TPM behind a socket has no device whose removal udev would tell of: while there is nothing to do, it is asked this
 * often whether it is there. */
#define PROBE_INTERVAL G_USEC_PER_SEC

/* How long nothing is asked of a TPM before what is kept in it for speed is given back, so that it does not stand in
 * others' way; and wrong auths' charges, which are kept on disk for speed, too. */
#define REST_AFTER (3 * G_USEC_PER_SEC)

/* The service's own jobs take turns as if a user did them whom nobody can be. */
#define OWN_UID G_MAXUINT
#define OWN_CONNECTION ""

typedef struct
{
  const WardTicket *ticket;
  GTask *task;
  gint64 patience;
  WardJobFunc func;
  gpointer data;
  GDestroyNotify data_free;
  GDestroyNotify result_free;
} Job;

struct _WardWorker
{
  gatomicrefcount ref_count; /* one of the main thread's, one of the thread's, one of each post on its way */

  char *name;
  char *transport;
  char *kernel_name;
  const WardBackend *backend;
  WardRecord *record;
  WardBudget *budget;
  gboolean probes;
  WardWatch *watch; /* over the thread, while it is at something */

  /* main thread only */
  WardReportFunc report;
  gpointer user_data;
  char *silence;   /* of what the watch last said, how long the TPM has not answered; or NULL */
  gboolean silent; /* stopped: posts on their way are dropped */

  /* by lock */
  GMutex lock;
  GCond wake;
  WardQueue *queue;
  gboolean stopping;

  /* the worker's thread only */
  WardConnection *connection;
  gboolean restless; /* there was a job since it was put to rest */
  gint64 active_at;  /* when that ended, of the monotonic clock */
  gboolean reported;
  GError *trouble; /* the last reported reason why there is no connection */
};

static WardWorker *
worker_ref (WardWorker *worker)
{
  g_atomic_ref_count_inc (&worker->ref_count);
  return worker;
}

static void
worker_unref (WardWorker *worker)
{
  if (!g_atomic_ref_count_dec (&worker->ref_count))
    return;

  ward_queue_free (worker->queue);
  g_mutex_clear (&worker->lock);
  g_cond_clear (&worker->wake);
  g_free (worker->name);
  g_free (worker->transport);
  g_free (worker->kernel_name);
  g_free (worker->silence);
  ward_watch_free (worker->watch);
  ward_record_unref (worker->record);
  ward_budget_unref (worker->budget);
  g_clear_error (&worker->trouble);
  g_free (worker);
}

static gboolean
do_nothing (gpointer data)
{
  return G_SOURCE_REMOVE;
}

static void
job_free_data (Job *job)
{
  if (job->data_free)
    job->data_free (job->data);
  job->data_free = NULL;
}

/* The task may have the last reference of the TPM, which ends on the main thread only. */
static void
job_free (Job *job)
{
  job_free_data (job);
  g_idle_add_full (G_PRIORITY_DEFAULT, do_nothing, job->task, g_object_unref);
  g_free (job);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Job, job_free)

const WardBackend *
ward_worker_get_backend (WardWorker *worker)
{
  return worker->backend;
}

typedef struct
{
  WardWorker *worker;
  void (*func) (gpointer user_data, gpointer data);
  gpointer data;
  GDestroyNotify data_free;
} Post;

static gboolean
post_deliver (gpointer user_data)
{
  Post *post = user_data;

  if (!post->worker->silent)
    post->func (post->worker->user_data, post->data);
  return G_SOURCE_REMOVE;
}

static void
post_free (gpointer user_data)
{
  Post *post = user_data;

  if (post->data_free)
    post->data_free (post->data);
  worker_unref (post->worker);
  g_free (post);
}

/* A source of its own even for a caller on the main thread, so that posts and the callbacks of tasks, which are idle
 * sources of the same priority, keep their order. */
void
ward_worker_post (WardWorker *worker, void (*func) (gpointer user_data, gpointer data), gpointer data,
                  GDestroyNotify data_free)
{
  Post *post = g_new0 (Post, 1);

  post->worker = worker_ref (worker);
  post->func = func;
  post->data = data;
  post->data_free = data_free;
  g_idle_add_full (G_PRIORITY_DEFAULT, post_deliver, post, post_free);
}

typedef struct
{
  WardWorker *worker; /* no reference: the post that carries the report has one */
  WardReport report;
} Envelope;

static void
report_deliver (gpointer user_data, gpointer data)
{
  Envelope *envelope = data;

  envelope->worker->report (&envelope->report, user_data);
}

static void
envelope_free (gpointer data)
{
  Envelope *envelope = data;
  WardReport *report = &envelope->report;

  g_clear_pointer (&report->identity, ward_identity_free);
  g_free (report->ownership);
  g_clear_pointer (&report->presence, ward_presence_state_free);
  g_clear_error (&report->error);
  g_free (envelope);
}

/* report: what it holds is taken. */
static void
post_report (WardWorker *worker, WardReport report)
{
  Envelope *envelope = g_new0 (Envelope, 1);

  envelope->worker = worker;
  envelope->report = report;
  ward_worker_post (worker, report_deliver, envelope, envelope_free);
}

/* Says why the TPM cannot be reached, once for each reason. */
static void
report_trouble (WardWorker *worker, const GError *error)
{
  if (worker->reported && worker->trouble && g_str_equal (worker->trouble->message, error->message))
    return;

  worker->reported = TRUE;
  g_clear_error (&worker->trouble);
  worker->trouble = g_error_copy (error);
  post_report (worker, (WardReport){ .error = g_error_copy (error) });
}

static void
disconnect_tpm (WardWorker *worker)
{
  if (worker->connection)
    worker->backend->close (g_steal_pointer (&worker->connection));
}

gboolean
ward_worker_look (WardWorker *worker, WardConnection *connection, GError **error)
{
  g_autoptr (WardIdentity) identity = worker->backend->identify (connection, error);
  g_autofree WardOwnership *ownership = NULL;
  WardReport report = { NULL };

  if (!identity)
    return FALSE;
  /* a TPM that has failed does not tell it */
  if (worker->backend->read_ownership && !*identity->failure
      && !(ownership = worker->backend->read_ownership (connection, error)))
    return FALSE;

  if (ownership && worker->backend->hides_srk)
    ward_record_name_srk (worker->record, ownership);
  if (*worker->kernel_name)
    report.presence = ward_presence_read ("", worker->kernel_name);
  if (ownership)
    report.noticed = ward_record_look (worker->record, identity, ownership,
                                       report.presence && report.presence->clear_pending);
  report.identity = g_steal_pointer (&identity);
  report.ownership = g_steal_pointer (&ownership);
  worker->reported = TRUE;
  g_clear_error (&worker->trouble);
  post_report (worker, report);
  return TRUE;
}

/* Opens the connection if there is none, and reports what is found. */
static gboolean
ensure_connected (WardWorker *worker, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (worker->connection)
    return TRUE;

  worker->connection = worker->backend->open (worker->transport, &local_error);
  if (worker->connection && ward_worker_look (worker, worker->connection, &local_error))
    return TRUE;

  disconnect_tpm (worker);
  report_trouble (worker, local_error);
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* Draws what follows from an error: a broken transport is left, and a refusal may mean that the TPM has failed as a
 * whole. */
static void
weigh_error (WardWorker *worker, const GError *error)
{
  g_autoptr (GError) look_error = NULL;

  if (g_error_matches (error, WARD_ERROR, WARD_ERROR_FAILED)
      && !ward_worker_look (worker, worker->connection, &look_error))
    error = look_error;

  if (g_error_matches (error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    {
      disconnect_tpm (worker);
      report_trouble (worker, error);
    }
}

static gpointer
attempt (WardWorker *worker, Job *job, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  gpointer result;

  if (!ensure_connected (worker, error))
    return NULL;

  result = job->func (worker, worker->connection, job->data, &local_error);
  if (!result)
    {
      weigh_error (worker, local_error);
      g_propagate_error (error, g_steal_pointer (&local_error));
    }
  return result;
}

/* After the TPM was said not to answer, and has: how it is now. */
static void
report_again (WardWorker *worker)
{
  g_autoptr (GError) error = NULL;

  worker->reported = FALSE;
  if (worker->connection && ward_worker_look (worker, worker->connection, &error))
    return;
  disconnect_tpm (worker);
  if (!error)
    error = g_error_copy (worker->trouble);
  report_trouble (worker, error);
}

/* Ends what the watch is over. */
static void
settle (WardWorker *worker)
{
  while (ward_watch_end (worker->watch))
    {
      ward_watch_begin (worker->watch, worker->backend->patience);
      report_again (worker);
    }
}

static void
run_job (WardWorker *worker, Job *job)
{
  g_autoptr (GError) error = NULL;
  gboolean was_connected = worker->connection != NULL;
  gpointer result;

  ward_watch_begin (worker->watch, job->patience);
  result = attempt (worker, job, &error);
  /* a TPM that was restarted while nobody looked has not seen the command: its caller shall not notice */
  if (!result && was_connected && g_error_matches (error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    {
      g_clear_error (&error);
      result = attempt (worker, job, &error);
    }
  settle (worker);

  /* wiped before anybody hears of it */
  job_free_data (job);
  if (result)
    g_task_return_pointer (job->task, result, job->result_free);
  else
    g_task_return_error (job->task, g_steal_pointer (&error));
}

static void
probe (WardWorker *worker)
{
  g_autoptr (GError) error = NULL;

  ward_watch_begin (worker->watch, worker->backend->patience);
  if (ensure_connected (worker, NULL) && !worker->backend->probe (worker->connection, &error))
    weigh_error (worker, error);
  settle (worker);
}

static void
rest (WardWorker *worker)
{
  worker->restless = FALSE;
  ward_budget_rest (worker->budget);
  if (!worker->connection || !worker->backend->rest)
    return;
  ward_watch_begin (worker->watch, worker->backend->patience);
  worker->backend->rest (worker->connection);
  settle (worker);
}

/* When there was no job for PROBE_INTERVAL. */
static void
be_idle (WardWorker *worker)
{
  if (worker->restless && g_get_monotonic_time () - worker->active_at >= REST_AFTER)
    rest (worker);
  if (worker->probes || !worker->connection)
    probe (worker);
}

/* The next job, or NULL when there has been none for PROBE_INTERVAL or the worker is stopping. */
static Job *
next_job (WardWorker *worker, gboolean *stopping)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&worker->lock);
  gint64 deadline = g_get_monotonic_time () + PROBE_INTERVAL;
  Job *job = NULL;

  while (!worker->stopping && !(job = ward_queue_pop (worker->queue)))
    {
      if (!worker->probes && !worker->restless && worker->connection)
        g_cond_wait (&worker->wake, &worker->lock);
      else if (!g_cond_wait_until (&worker->wake, &worker->lock, deadline))
        break;
    }
  *stopping = worker->stopping;
  return job;
}

static gpointer
worker_main (gpointer user_data)
{
  WardWorker *worker = user_data;
  gboolean stopping = FALSE;

  ward_watch_begin (worker->watch, worker->backend->patience);
  ensure_connected (worker, NULL);
  settle (worker);
  while (!stopping)
    {
      g_autoptr (Job) job = next_job (worker, &stopping);

      if (job)
        {
          run_job (worker, job);
          worker->restless = TRUE;
          worker->active_at = g_get_monotonic_time ();
        }
      else if (!stopping)
        be_idle (worker);
    }

  ward_budget_rest (worker->budget);
  disconnect_tpm (worker);
  worker_unref (worker);
  ward_worker_thread_end ();
  return NULL;
}

/* What waits in the queue, as Job, taken out of it. */
static GPtrArray *
take_all (WardWorker *worker)
{
  GPtrArray *jobs = g_ptr_array_new_with_free_func ((GDestroyNotify)job_free);
  Job *job;

  while ((job = ward_queue_pop (worker->queue)))
    g_ptr_array_add (jobs, job);
  return jobs;
}

static GError *
error_silent (WardWorker *worker)
{
  return g_error_new (WARD_ERROR, WARD_ERROR_UNREACHABLE,
                      "Nothing was done, since %s %s. Try again when “tpmward list” says that it is ready; if it stays "
                      "so, switch the machine off and on, or restart its program if it is a software TPM.",
                      worker->name, worker->silence);
}

static char *
describe_silence (gint64 since, gint64 patience)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_local (since / G_USEC_PER_SEC);
  g_autofree char *text = date ? g_date_time_format (date, "%F %T") : g_strdup ("the start");

  return g_strdup_printf ("has not answered since %s, for more than %" G_GINT64_FORMAT " s", text,
                          patience / G_USEC_PER_SEC);
}

/* Nobody can take back the command that the TPM is at; but nobody waits any longer behind it. */
static void
on_overdue (gint64 since, gint64 patience, gpointer user_data)
{
  WardWorker *worker = user_data;
  g_autoptr (GPtrArray) dropped = NULL;
  g_autoptr (GError) error = NULL;
  WardReport report = { NULL };

  g_free (worker->silence);
  worker->silence = describe_silence (since, patience);
  g_message ("%s %s", worker->name, worker->silence);
  error = g_error_new (WARD_ERROR, WARD_ERROR_UNREACHABLE,
                       "The TPM %s. It is at a long task, perhaps of another program, or it hangs. Calls to it are "
                       "refused until it answers, and then served again by themselves. If it does not, switch the "
                       "machine off and on, or restart its program if it is a software TPM.",
                       worker->silence);
  report.error = error;
  worker->report (&report, worker->user_data);

  g_mutex_lock (&worker->lock);
  dropped = take_all (worker);
  g_mutex_unlock (&worker->lock);
  for (guint i = 0; i < dropped->len; i++)
    g_task_return_error (((Job *)g_ptr_array_index (dropped, i))->task, error_silent (worker));
}

WardWorker *
ward_worker_new (const char *name, const WardBackend *backend, const char *transport, const char *kernel_name,
                 WardRecord *record, WardBudget *budget, WardReportFunc report, gpointer user_data)
{
  WardWorker *worker = g_new0 (WardWorker, 1);

  g_atomic_ref_count_init (&worker->ref_count);
  worker->name = g_strdup (name);
  worker->transport = g_strdup (transport);
  worker->kernel_name = g_strdup (kernel_name);
  worker->record = ward_record_ref (record);
  worker->budget = ward_budget_ref (budget);
  worker->backend = backend;
  worker->probes = !g_str_has_prefix (transport, "device:");
  worker->report = report;
  worker->user_data = user_data;
  worker->queue = ward_queue_new ();
  worker->watch = ward_watch_new (on_overdue, worker);
  g_mutex_init (&worker->lock);
  g_cond_init (&worker->wake);

  ward_worker_thread_start (worker->name, worker_main, worker_ref (worker));
  return worker;
}

GError *
ward_worker_error_gone (const char *name)
{
  return g_error_new (WARD_ERROR, WARD_ERROR_UNREACHABLE,
                      "%s is not there any more, so nothing was done. Look for it with “tpmward list”.", name);
}

void
ward_worker_stop (WardWorker *worker)
{
  g_autoptr (GPtrArray) dropped = NULL;

  worker->silent = TRUE;
  ward_watch_stop (worker->watch);

  g_mutex_lock (&worker->lock);
  worker->stopping = TRUE;
  dropped = take_all (worker);
  g_cond_signal (&worker->wake);
  g_mutex_unlock (&worker->lock);

  for (guint i = 0; i < dropped->len; i++)
    g_task_return_error (((Job *)g_ptr_array_index (dropped, i))->task, ward_worker_error_gone (worker->name));
  worker_unref (worker);
}

void
ward_worker_push (WardWorker *worker, const WardTicket *ticket, GTask *task, gint64 patience, WardJobFunc func,
                  gpointer data, GDestroyNotify data_free, GDestroyNotify result_free)
{
  g_autoptr (Job) job = g_new0 (Job, 1);

  job->ticket = ticket;
  job->task = task;
  job->patience = patience;
  job->func = func;
  job->data = data;
  job->data_free = data_free;
  job->result_free = result_free;

  if (ward_watch_is_overdue (worker->watch))
    {
      g_task_return_error (job->task, error_silent (worker));
      return;
    }

  g_mutex_lock (&worker->lock);
  ward_queue_push (worker->queue, ticket ? ticket->uid : OWN_UID, ticket ? ticket->connection : OWN_CONNECTION,
                   g_steal_pointer (&job));
  g_cond_signal (&worker->wake);
  g_mutex_unlock (&worker->lock);
}

static gboolean
job_has_ticket (gpointer item, gpointer data)
{
  return ((Job *)item)->ticket == data;
}

gboolean
ward_worker_withdraw (WardWorker *worker, const WardTicket *ticket)
{
  g_autoptr (Job) job = NULL;

  g_mutex_lock (&worker->lock);
  job = ward_queue_take (worker->queue, job_has_ticket, (gpointer)ticket);
  g_mutex_unlock (&worker->lock);

  if (!job)
    return FALSE;

  g_task_return_new_error (job->task, WARD_ERROR, WARD_ERROR_CANCELLED,
                           "The call was withdrawn before %s started on it. Nothing has been done.", worker->name);
  return TRUE;
}
