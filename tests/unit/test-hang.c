/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A TPM that does not answer, over a backend whose chip this test plays. */
#include "test-tpm-fixture.h"
#include "ward-error.h"
#include "ward-watch.h"

static WardBackend backend = {
  .family = "2.0",
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .probe = test_chip_probe,
  .get_random = test_chip_get_random,
  .self_test = test_chip_self_test,
};

/* The patience is in microseconds; 0: without end. */
static WardTpm *
start (TestTpm *fixture, const char *transport, gint64 patience, gint64 long_patience)
{
  backend.patience = patience;
  backend.long_patience = long_patience;
  return test_tpm_start (fixture, &backend, transport);
}

static void
set_up (TestTpm *fixture, gconstpointer data)
{
  test_tpm_make (fixture);
}

static void
tear_down (TestTpm *fixture, gconstpointer data)
{
  test_tpm_remove (fixture, (const char *const[]){ "tpm7.self-test", NULL });
}

/* What a TPM is given here, in microseconds: it must not be so short that a busy machine takes a chip that answers for
 * one that does not. */
#define PATIENCE (300 * 1000)

static void
assert_not_answering (const char *text)
{
  g_assert_true (g_regex_match_simple ("has not answered since 20[0-9-]{8} [0-9:]{8}, for more than 0 s", text, 0, 0));
  g_assert_nonnull (strstr (text, "off and on"));
}

static void
note_state (WardTpm *tpm, GString *states)
{
  g_string_append_printf (states, "%s ", ward_tpm_state_to_string (ward_tpm_get_state (tpm)));
}

/* Whoever waits behind it is told, and nothing of theirs is done later; the call that the chip is at ends when it does,
 * and by then all is known to be well again. */
static void
test_chip_that_hangs (TestTpm *fixture, gconstpointer data)
{
  WardTicket tickets[] = { { 1000, ":1.1" }, { 1001, ":1.2" } };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 0);
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GAsyncResult) refreshed = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) later_error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) later = NULL;
  g_autoptr (GString) states = g_string_new (NULL);

  g_signal_connect (tpm, "changed", G_CALLBACK (note_state), states);
  test_chip_set (&test_chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &tickets[0], 1, test_keep_result, &first);
  test_chip_await_busy ();
  ward_tpm_get_random_async (tpm, &tickets[1], 2, test_keep_result, &second);
  test_await_result (&second);
  g_assert_cmpstr (states->str, ==, "unreachable ");
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  g_assert_null (ward_tpm_get_random_finish (tpm, second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  assert_not_answering (error->message);
  g_assert_nonnull (strstr (error->message, "Nothing was done, since tpm7"));

  /* so is who comes now; and to look at it is no error, as ever */
  g_assert_null (test_tpm_get_random (tpm, 3, &later_error));
  g_assert_error (later_error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  ward_tpm_refresh_async (tpm, &tickets[0], test_keep_result, &refreshed);
  test_await_result (&refreshed);
  g_assert_true (ward_tpm_refresh_finish (tpm, refreshed, NULL));
  g_assert_cmpstr (ward_tpm_get_identity (tpm)->manufacturer, ==, "TEST");
  g_assert_null (first);

  test_chip_set (&test_chip.held, FALSE);
  test_await_result (&first);
  g_assert_cmpstr (states->str, ==, "unreachable ready ");
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "");
  bytes = ward_tpm_get_random_finish (tpm, first, NULL);
  g_assert_nonnull (bytes);
  later = test_tpm_get_random (tpm, 4, NULL);
  g_assert_nonnull (later);
  g_assert_cmpstr (test_chip.order->str, ==, "be");
}

/* Its end is that the connection breaks, and the TPM is out: that is what is said then. */
static void
test_chip_that_hangs_and_goes (TestTpm *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 0);
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GError) error = NULL;

  test_chip_set (&test_chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &ticket, 1, test_keep_result, &first);
  test_tpm_await_state (tpm, WARD_TPM_UNREACHABLE);
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  test_chip_set (&test_chip.gone, TRUE);
  test_chip_set (&test_chip.held, FALSE);
  test_await_result (&first);
  g_assert_null (ward_tpm_get_random_finish (tpm, first, &error));
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "The chip is out.");
  g_assert_cmpint (ward_tpm_get_state (tpm), ==, WARD_TPM_UNREACHABLE);
}

/* So is one that is out, hangs when it is connected to, and is out again for the same reason. */
static void
test_chip_that_hangs_at_connecting (TestTpm *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 0);
  g_autoptr (GAsyncResult) first = NULL;

  test_chip_set (&test_chip.gone, TRUE);
  g_assert_null (test_tpm_get_random (tpm, 1, NULL));
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "The chip is out.");
  test_chip_set (&test_chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &ticket, 1, test_keep_result, &first);
  while (g_str_equal (ward_tpm_get_state_detail (tpm), "The chip is out."))
    g_main_context_iteration (NULL, TRUE);
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  test_chip_set (&test_chip.held, FALSE);
  test_await_result (&first);
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "The chip is out.");
}

/* A socket is asked although nobody calls. */
static void
test_hang_is_noticed_without_a_call (TestTpm *fixture, gconstpointer data)
{
  WardTpm *tpm = start (fixture, "swtpm:path=test", PATIENCE, 0);

  test_chip_set (&test_chip.held, TRUE);
  test_tpm_await_state (tpm, WARD_TPM_UNREACHABLE);
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  test_chip_set (&test_chip.held, FALSE);
  test_tpm_await_state (tpm, WARD_TPM_READY);
}

/* What may take a chip minutes is given them, and then counts as a hang too. */
static void
test_long_jobs_have_their_time (TestTpm *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 3 * PATIENCE);
  g_autoptr (GAsyncResult) result = NULL;
  gint64 begin = g_get_monotonic_time ();

  test_chip_set (&test_chip.held, TRUE);
  ward_tpm_run_self_test_async (tpm, &ticket, WARD_SELF_TEST_FULL, test_keep_result, &result);
  test_tpm_await_state (tpm, WARD_TPM_UNREACHABLE);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 3 * PATIENCE);
  test_chip_set (&test_chip.held, FALSE);
  test_await_result (&result);
  g_assert_cmpint (ward_tpm_get_state (tpm), ==, WARD_TPM_READY);
}

/* A TPM that hangs can be taken away. */
static void
test_stop_while_it_hangs (TestTpm *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 0);
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GBytes) bytes = NULL;

  test_chip_set (&test_chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &ticket, 1, test_keep_result, &first);
  test_tpm_await_state (tpm, WARD_TPM_UNREACHABLE);
  ward_tpm_stop (tpm);
  test_chip_set (&test_chip.held, FALSE);
  test_await_result (&first);
  bytes = ward_tpm_get_random_finish (tpm, first, NULL);
  g_assert_nonnull (bytes);
}

typedef struct
{
  guint n;
  gint64 since;
  gint64 patience;
} Overdue;

static void
note_overdue (gint64 since, gint64 patience, gpointer user_data)
{
  Overdue *overdue = user_data;

  overdue->n++;
  overdue->since = since;
  overdue->patience = patience;
}

/* Neither work that has ended counts, nor is shorter work noticed late since its timer was set for longer work. */
static void
test_watch (void)
{
  Overdue overdue = { 0 };
  WardWatch *watch = ward_watch_new (note_overdue, &overdue);
  gint64 begin = g_get_real_time ();

  ward_watch_begin (watch, 1000 * G_USEC_PER_SEC);
  g_assert_false (ward_watch_end (watch));
  ward_watch_begin (watch, 1);
  g_assert_false (ward_watch_end (watch));
  ward_watch_begin (watch, PATIENCE);
  g_assert_false (ward_watch_is_overdue (watch));
  while (overdue.n == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (overdue.patience, ==, PATIENCE);
  g_assert_cmpint (overdue.since, >=, begin);
  g_assert_true (ward_watch_is_overdue (watch));
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  g_assert_true (ward_watch_end (watch));
  g_assert_false (ward_watch_is_overdue (watch));

  ward_watch_begin (watch, 1);
  ward_watch_stop (watch);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  ward_watch_free (watch);
  g_assert_cmpuint (overdue.n, ==, 1);
}

#define ADD(path, func) g_test_add (path, TestTpm, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/hang/between-calls", test_chip_that_hangs);
  ADD ("/hang/and-goes", test_chip_that_hangs_and_goes);
  ADD ("/hang/at-connecting", test_chip_that_hangs_at_connecting);
  ADD ("/hang/is-noticed-without-a-call", test_hang_is_noticed_without_a_call);
  ADD ("/hang/long-jobs-have-their-time", test_long_jobs_have_their_time);
  ADD ("/hang/stop-meanwhile", test_stop_while_it_hangs);
  g_test_add_func ("/hang/watch", test_watch);
  return g_test_run ();
}
