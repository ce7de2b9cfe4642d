/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-private.h"

#include "ward-error.h"

G_DEFINE_FINAL_TYPE (WardTpm, ward_tpm, G_TYPE_OBJECT)

enum
{
  CHANGED,
  SELF_TEST_CHANGED,
  OWNERSHIP_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const char *const states[] = {
  [WARD_TPM_READY] = "ready",
  [WARD_TPM_DISABLED] = "disabled",
  [WARD_TPM_FAILED] = "failed",
  [WARD_TPM_UNREACHABLE] = "unreachable",
};

const char *
ward_tpm_state_to_string (WardTpmState state)
{
  return states[state];
}

static void
ward_tpm_dispose (GObject *object)
{
  WardTpm *self = WARD_TPM (object);

  ward_tpm_stop (self);
  g_clear_handle_id (&self->recovery_timeout, g_source_remove);
  G_OBJECT_CLASS (ward_tpm_parent_class)->dispose (object);
}

static void
ward_tpm_finalize (GObject *object)
{
  WardTpm *self = WARD_TPM (object);

  g_free (self->name);
  g_free (self->family);
  g_free (self->transport);
  g_free (self->device_path);
  g_free (self->driver);
  g_free (self->self_test_path);
  g_free (self->state_detail);
  ward_identity_free (self->identity);
  ward_self_test_free (self->self_test);
  g_free (self->ownership);
  ward_guard_free (self->guard);
  G_OBJECT_CLASS (ward_tpm_parent_class)->finalize (object);
}

static void
ward_tpm_class_init (WardTpmClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = ward_tpm_dispose;
  object_class->finalize = ward_tpm_finalize;

  signals[CHANGED] = g_signal_new ("changed", WARD_TYPE_TPM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SELF_TEST_CHANGED] = g_signal_new ("self-test-changed", WARD_TYPE_TPM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                             G_TYPE_NONE, 0);
  signals[OWNERSHIP_CHANGED] = g_signal_new ("ownership-changed", WARD_TYPE_TPM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                             G_TYPE_NONE, 0);
}

static void
ward_tpm_init (WardTpm *self)
{
  self->state = WARD_TPM_UNREACHABLE;
  self->identity = ward_identity_new ();
  self->self_test = ward_self_test_new ();
}

static void
set_state (WardTpm *self, WardTpmState state, const char *detail)
{
  g_autofree char *old_detail = self->state_detail;

  self->state = state;
  self->state_detail = g_strdup (detail);
}

static void
take_self_test (WardTpm *self, WardSelfTest *test)
{
  ward_self_test_free (self->self_test);
  self->self_test = test;
  g_signal_emit (self, signals[SELF_TEST_CHANGED], 0);
}

/* Once the chip is known: what is on record of it from before the service was started. */
static void
recall_self_test (WardTpm *self)
{
  g_autoptr (GError) error = NULL;
  WardSelfTest *test = ward_self_test_load (self->self_test_path, self->identity, &error);

  if (error)
    g_warning ("%s", error->message);
  if (test)
    take_self_test (self, test);
}

static gboolean
on_recovery (gpointer user_data)
{
  WardTpm *self = user_data;

  self->recovery_timeout = 0;
  ward_tpm_refresh_async (self, NULL, NULL, NULL);
  return G_SOURCE_REMOVE;
}

/* The chip does not tell when it will forgive the next failure: at the latest when the time that this takes has passed
 * since we first saw that many. */
static void
estimate_recovery (WardTpm *self, const WardOwnership *old)
{
  const WardOwnership *now = self->ownership;
  guint64 real_time = g_get_real_time ();

  if (now->failures == 0 || now->recovery_seconds == 0)
    self->next_recovery = 0;
  else if (!old || old->failures != now->failures || self->next_recovery <= real_time)
    self->next_recovery = real_time + (guint64)now->recovery_seconds * G_USEC_PER_SEC;
}

/* Has the TPM read again when what is estimated or barred has come to its time. */
static void
await_recovery (WardTpm *self)
{
  guint64 wake = self->next_recovery ? self->next_recovery : WARD_BARRED_UNTIL_RESET;
  guint64 barred_until = ward_guard_get_barred_until (self->guard);
  guint64 seconds;

  g_clear_handle_id (&self->recovery_timeout, g_source_remove);
  if (barred_until)
    wake = MIN (wake, barred_until);
  if (wake == WARD_BARRED_UNTIL_RESET)
    return;

  seconds = (wake - MIN (wake, (guint64)g_get_real_time ())) / G_USEC_PER_SEC + 1;
  self->recovery_timeout = g_timeout_add_seconds (MIN (seconds, G_MAXINT), on_recovery, self);
}

static void
take_ownership (WardTpm *self, WardOwnership *ownership)
{
  g_autofree WardOwnership *old = self->ownership;

  self->ownership = ownership;
  ward_guard_look (self->guard, ownership);
  estimate_recovery (self, old);
  await_recovery (self);
  g_signal_emit (self, signals[OWNERSHIP_CHANGED], 0);
}

static void
on_report (WardIdentity *identity, WardOwnership *ownership, const GError *error, gpointer user_data)
{
  WardTpm *self = user_data;
  gboolean first = identity && self->identity->firmware_raw == 0 && !*self->identity->manufacturer;

  self->seen = TRUE;
  if (!identity)
    set_state (self,
               g_error_matches (error, WARD_ERROR, WARD_ERROR_DISABLED) ? WARD_TPM_DISABLED : WARD_TPM_UNREACHABLE,
               error->message);
  else
    {
      ward_identity_free (self->identity);
      self->identity = identity;
      set_state (self, *identity->failure ? WARD_TPM_FAILED : WARD_TPM_READY, identity->failure);
    }

  if (first && self->self_test->state == WARD_SELF_TEST_NEVER_RUN)
    recall_self_test (self);
  if (ownership)
    take_ownership (self, ownership);
  g_signal_emit (self, signals[CHANGED], 0);
}

WardTpm *
ward_tpm_new (const char *name, const char *family, const char *transport, const char *device_path, const char *driver,
              const WardBackend *backend, const char *state_dir)
{
  WardTpm *self = g_object_new (WARD_TYPE_TPM, NULL);
  g_autofree char *self_test_name = g_strconcat (name, ".self-test", NULL);
  g_autofree char *guard_name = g_strconcat (name, ".lockout-guard", NULL);
  g_autofree char *guard_path = g_build_filename (state_dir, guard_name, NULL);

  self->name = g_strdup (name);
  self->family = g_strdup (family);
  self->transport = g_strdup (transport);
  self->device_path = g_strdup (device_path);
  self->driver = g_strdup (driver);
  self->self_test_path = g_build_filename (state_dir, self_test_name, NULL);

  self->guard = ward_guard_new (guard_path);
  if (backend)
    {
      set_state (self, WARD_TPM_UNREACHABLE, "The service has not reached the TPM yet.");
      self->worker = ward_worker_new (name, backend, transport, on_report, self);
    }
  else
    {
      g_autofree char *detail = g_strdup_printf ("This is a TPM of family %s, and the service was built without "
                                                 "support for that family.",
                                                 family);

      self->seen = TRUE;
      set_state (self, WARD_TPM_UNREACHABLE, detail);
    }
  return self;
}

void
ward_tpm_stop (WardTpm *tpm)
{
  tpm->gone = TRUE;
  g_clear_pointer (&tpm->worker, ward_worker_stop);
}

const char *
ward_tpm_get_name (WardTpm *tpm)
{
  return tpm->name;
}

const char *
ward_tpm_get_family (WardTpm *tpm)
{
  return tpm->family;
}

const char *
ward_tpm_get_transport (WardTpm *tpm)
{
  return tpm->transport;
}

const char *
ward_tpm_get_device_path (WardTpm *tpm)
{
  return tpm->device_path;
}

const char *
ward_tpm_get_driver (WardTpm *tpm)
{
  return tpm->driver;
}

gboolean
ward_tpm_has_been_seen (WardTpm *tpm)
{
  return tpm->seen;
}

WardTpmState
ward_tpm_get_state (WardTpm *tpm)
{
  return tpm->state;
}

const char *
ward_tpm_get_state_detail (WardTpm *tpm)
{
  return tpm->state_detail;
}

const WardIdentity *
ward_tpm_get_identity (WardTpm *tpm)
{
  return tpm->identity;
}

const WardSelfTest *
ward_tpm_get_self_test (WardTpm *tpm)
{
  return tpm->self_test;
}

const WardOwnership *
ward_tpm_get_ownership (WardTpm *tpm)
{
  return tpm->ownership;
}

guint64
ward_tpm_get_next_recovery (WardTpm *tpm)
{
  return tpm->next_recovery;
}

guint64
ward_tpm_get_barred_until (WardTpm *tpm)
{
  return ward_guard_get_barred_until (tpm->guard);
}

/* What an operation asks of the TPM. */
typedef struct
{
  gsize count;
  char *bank;
  guint32 mask;
  WardSelfTestMode mode;
  char *path; /* of the self-test's record */
  char *chip; /* whose it is */
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->bank);
  g_free (request->path);
  g_free (request->chip);
  g_free (request);
}

void
ward_tpm_run_async (WardTpm *self, const WardTicket *ticket, gsize member, WardJobFunc func, gpointer data,
                    GDestroyNotify data_free, GDestroyNotify result_free, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  if (self->worker && G_STRUCT_MEMBER (gpointer, ward_worker_get_backend (self->worker), member))
    {
      ward_worker_push (self->worker, ticket, task, func, data, data_free, result_free);
      return;
    }

  if (self->gone)
    g_task_return_error (task, ward_worker_error_gone (self->name));
  else
    g_task_return_new_error (task, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                             "%s is a TPM of family %s, which cannot do this, or not with this build of the service.",
                             self->name, self->family);
  g_object_unref (task);
  data_free (data);
}

static void
run_async (WardTpm *self, const WardTicket *ticket, gsize member, WardJobFunc func, Request *request,
           GDestroyNotify result_free, GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (self, ticket, member, func, request, request_free, result_free, callback, user_data);
}

gboolean
ward_tpm_withdraw (WardTpm *tpm, const WardTicket *ticket)
{
  return tpm->worker && ward_worker_withdraw (tpm->worker, ticket);
}

WardOwnership *
ward_tpm_begin_change (WardWorker *worker, WardConnection *connection, gboolean begun, GError **error)
{
  if (!begun)
    return ward_worker_get_backend (worker)->read_ownership (connection, error);

  g_set_error_literal (
      error, WARD_ERROR, WARD_ERROR_UNREACHABLE,
      "The connection to the TPM broke while it was at this, so that nobody knows whether it was done. "
      "Look at its state before you try again.");
  return NULL;
}

gpointer
ward_tpm_run_finish (WardTpm *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gpointer
get_random (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autofree guint8 *bytes = g_malloc (request->count);

  if (!ward_worker_get_backend (worker)->get_random (connection, bytes, request->count, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&bytes), request->count);
}

void
ward_tpm_get_random_async (WardTpm *tpm, const WardTicket *ticket, gsize count, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->count = count;
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, get_random), get_random, request, (GDestroyNotify)g_bytes_unref,
             callback, user_data);
}

GBytes *
ward_tpm_get_random_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
get_properties (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  GVariant *properties = ward_worker_get_backend (worker)->get_properties (connection, error);

  return properties ? g_variant_ref_sink (properties) : NULL;
}

void
ward_tpm_get_properties_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data)
{
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, get_properties), get_properties, g_new0 (Request, 1),
             (GDestroyNotify)g_variant_unref, callback, user_data);
}

GVariant *
ward_tpm_get_properties_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
refresh (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  return GINT_TO_POINTER (ward_worker_look (worker, connection, error));
}

void
ward_tpm_refresh_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data)
{
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, identify), refresh, g_new0 (Request, 1), NULL, callback,
             user_data);
}

gboolean
ward_tpm_refresh_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (ward_tpm_run_finish (tpm, result, &local_error)
      || g_error_matches (local_error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

static void
self_test_begun (gpointer user_data, gpointer data)
{
  take_self_test (user_data, ward_self_test_copy (data));
}

static void
self_test_ended (gpointer user_data, gpointer data)
{
  take_self_test (user_data, ward_self_test_copy (data));
}

/* The test came to nothing, since the TPM could not be asked: what was on record before stands. */
static void
self_test_dropped (gpointer user_data, gpointer data)
{
  WardTpm *self = user_data;

  take_self_test (self, ward_self_test_new ());
  recall_self_test (self);
}

static gpointer
run_self_test (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autoptr (WardSelfTest) test = ward_self_test_new ();
  g_autoptr (WardTestResult) result = NULL;
  g_autoptr (GError) save_error = NULL;
  gint64 start = g_get_monotonic_time ();

  test->state = WARD_SELF_TEST_RUNNING;
  test->mode = request->mode;
  test->last_run = g_get_real_time ();
  ward_worker_post (worker, self_test_begun, ward_self_test_copy (test), (GDestroyNotify)ward_self_test_free);

  result = ward_worker_get_backend (worker)->self_test (connection, request->mode, error);
  if (!result)
    {
      ward_worker_post (worker, self_test_dropped, NULL, NULL);
      return NULL;
    }

  test->state = result->passed ? WARD_SELF_TEST_PASSED : WARD_SELF_TEST_FAILED;
  test->duration = g_get_monotonic_time () - start;
  test->code = result->code;
  g_free (test->text);
  test->text = g_strdup (result->text);

  /* a failed test changes the state of the whole TPM, and a passed one that failed before does */
  if (!ward_worker_look (worker, connection, error))
    {
      ward_worker_post (worker, self_test_dropped, NULL, NULL);
      return NULL;
    }
  if (!ward_self_test_save (test, request->path, request->chip, &save_error))
    g_warning ("The result of the self-test is not on record for later: %s", save_error->message);
  ward_worker_post (worker, self_test_ended, g_steal_pointer (&test), (GDestroyNotify)ward_self_test_free);
  return g_steal_pointer (&result);
}

void
ward_tpm_run_self_test_async (WardTpm *tpm, const WardTicket *ticket, WardSelfTestMode mode,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->mode = mode;
  request->path = g_strdup (tpm->self_test_path);
  request->chip = ward_self_test_chip (tpm->identity);
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, self_test), run_self_test, request,
             (GDestroyNotify)ward_test_result_free, callback, user_data);
}

WardTestResult *
ward_tpm_run_self_test_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
get_test_result (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  return ward_worker_get_backend (worker)->get_test_result (connection, error);
}

void
ward_tpm_get_test_result_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, get_test_result), get_test_result, g_new0 (Request, 1),
             (GDestroyNotify)ward_test_result_free, callback, user_data);
}

WardTestResult *
ward_tpm_get_test_result_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
read_pcrs (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);

  if (!ward_worker_get_backend (worker)->read_pcrs (connection, request->bank, request->mask, values, error))
    return NULL;
  return g_steal_pointer (&values);
}

void
ward_tpm_read_pcrs_async (WardTpm *tpm, const WardTicket *ticket, const char *bank, guint32 mask,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->bank = g_strdup (bank);
  request->mask = mask;
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, read_pcrs), read_pcrs, request, g_free, callback, user_data);
}

WardPcrValues *
ward_tpm_read_pcrs_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}
