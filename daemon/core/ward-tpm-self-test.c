/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The self-test, and what is on record of the last one. */
#include "ward-tpm-private.h"

#include "ward-error.h"

static void
take_self_test (WardTpm *self, WardSelfTest *test)
{
  ward_self_test_free (self->self_test);
  self->self_test = test;
  g_signal_emit_by_name (self, "self-test-changed");
}

void
ward_tpm_recall_self_test (WardTpm *self)
{
  g_autoptr (GError) error = NULL;
  WardSelfTest *test = ward_self_test_load (self->self_test_path, self->identity, &error);

  if (error)
    g_warning ("%s", error->message);
  if (test)
    take_self_test (self, test);
}

/* What a self-test asks of the TPM. */
typedef struct
{
  WardSelfTestMode mode;
  char *path; /* of the self-test's record */
  char *chip; /* whose it is */
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->path);
  g_free (request->chip);
  g_free (request);
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
  ward_tpm_recall_self_test (self);
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
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, self_test), run_self_test, request, request_free,
                      (GDestroyNotify)ward_test_result_free, callback, user_data);
}

WardTestResult *
ward_tpm_run_self_test_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}
