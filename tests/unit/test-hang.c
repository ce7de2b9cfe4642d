/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A TPM that does not answer, over a backend whose chip this test plays. */
#include <glib/gstdio.h>

#include "ward-error.h"
#include "ward-tpm.h"
#include "ward-watch.h"

struct _WardConnection
{
  int dummy;
};

/* The chip. By lock, since the worker's thread plays its part. */
static struct
{
  GMutex lock;
  GCond changed;
  gboolean gone;  /* it cannot be opened, and an open connection breaks at the next command */
  gboolean held;  /* it ends no command until released */
  gboolean busy;  /* it is at a command */
  GString *order; /* the byte count of each random command, as a letter */
} chip;

/* A command, and connecting. */
static gboolean
do_command (GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&chip.lock);

  chip.busy = TRUE;
  g_cond_broadcast (&chip.changed);
  while (chip.held)
    g_cond_wait (&chip.changed, &chip.lock);
  chip.busy = FALSE;
  if (!chip.gone)
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_UNREACHABLE, "The chip is out.");
  return FALSE;
}

static WardConnection *
chip_open (const char *transport, GError **error)
{
  return do_command (error) ? g_new0 (WardConnection, 1) : NULL;
}

static void
chip_close (WardConnection *connection)
{
  g_free (connection);
}

static WardIdentity *
chip_identify (WardConnection *connection, GError **error)
{
  WardIdentity *identity;

  if (!do_command (error))
    return NULL;
  identity = ward_identity_new ();
  g_free (identity->manufacturer);
  identity->manufacturer = g_strdup ("TEST");
  return identity;
}

static gboolean
chip_probe (WardConnection *connection, GError **error)
{
  return do_command (error);
}

static gboolean
chip_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error)
{
  g_string_append_c (chip.order, (char)('a' + count));
  memset (bytes, 7, count);
  return do_command (error);
}

static WardTestResult *
chip_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error)
{
  WardTestResult *result;

  if (!do_command (error))
    return NULL;
  result = g_new0 (WardTestResult, 1);
  result->passed = TRUE;
  result->text = g_strdup ("Fine.");
  result->data = g_bytes_new_static ("", 0);
  return result;
}

static WardBackend backend = {
  .family = "2.0",
  .open = chip_open,
  .close = chip_close,
  .identify = chip_identify,
  .probe = chip_probe,
  .get_random = chip_get_random,
  .self_test = chip_self_test,
};

static void
chip_set (gboolean *flag, gboolean value)
{
  g_mutex_lock (&chip.lock);
  *flag = value;
  g_cond_broadcast (&chip.changed);
  g_mutex_unlock (&chip.lock);
}

static void
chip_await_busy (void)
{
  g_mutex_lock (&chip.lock);
  while (!chip.busy)
    g_cond_wait (&chip.changed, &chip.lock);
  g_mutex_unlock (&chip.lock);
}

typedef struct
{
  WardTpm *tpm;
  char *state_dir;
} Fixture;

static void
await_state (WardTpm *tpm, WardTpmState state)
{
  while (!ward_tpm_has_been_seen (tpm) || ward_tpm_get_state (tpm) != state)
    g_main_context_iteration (NULL, TRUE);
}

/* The patience is in microseconds; 0: without end. A socket is probed each second, a device is not. */
static WardTpm *
start (Fixture *fixture, const char *transport, gint64 patience, gint64 long_patience)
{
  backend.patience = patience;
  backend.long_patience = long_patience;
  fixture->tpm = ward_tpm_new ("tpm7", "2.0", transport, "", "", &backend, fixture->state_dir);
  await_state (fixture->tpm, WARD_TPM_READY);
  return fixture->tpm;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  chip.gone = chip.held = chip.busy = FALSE;
  chip.order = g_string_new (NULL);
  fixture->state_dir = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *record = g_build_filename (fixture->state_dir, "tpm7.self-test", NULL);

  g_clear_object (&fixture->tpm);
  g_assert_true (ward_worker_wait_all (10 * G_USEC_PER_SEC));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_unlink (record);
  g_assert_cmpint (g_rmdir (fixture->state_dir), ==, 0);
  g_free (fixture->state_dir);
  g_string_free (chip.order, TRUE);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
await_result (GAsyncResult **slot)
{
  while (!*slot)
    g_main_context_iteration (NULL, TRUE);
}

static GBytes *
get_random (WardTpm *tpm, gsize count, GError **error)
{
  WardTicket ticket = { 1000, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_get_random_async (tpm, &ticket, count, keep_result, &result);
  await_result (&result);
  return ward_tpm_get_random_finish (tpm, result, error);
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
test_chip_that_hangs (Fixture *fixture, gconstpointer data)
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
  chip_set (&chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &tickets[0], 1, keep_result, &first);
  chip_await_busy ();
  ward_tpm_get_random_async (tpm, &tickets[1], 2, keep_result, &second);
  await_result (&second);
  g_assert_cmpstr (states->str, ==, "unreachable ");
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  g_assert_null (ward_tpm_get_random_finish (tpm, second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  assert_not_answering (error->message);
  g_assert_nonnull (strstr (error->message, "Nothing was done, since tpm7"));

  /* so is who comes now; and to look at it is no error, as ever */
  g_assert_null (get_random (tpm, 3, &later_error));
  g_assert_error (later_error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  ward_tpm_refresh_async (tpm, &tickets[0], keep_result, &refreshed);
  await_result (&refreshed);
  g_assert_true (ward_tpm_refresh_finish (tpm, refreshed, NULL));
  g_assert_cmpstr (ward_tpm_get_identity (tpm)->manufacturer, ==, "TEST");
  g_assert_null (first);

  chip_set (&chip.held, FALSE);
  await_result (&first);
  g_assert_cmpstr (states->str, ==, "unreachable ready ");
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "");
  bytes = ward_tpm_get_random_finish (tpm, first, NULL);
  g_assert_nonnull (bytes);
  later = get_random (tpm, 4, NULL);
  g_assert_nonnull (later);
  g_assert_cmpstr (chip.order->str, ==, "be");
}

/* Its end is that the connection breaks, and the TPM is out: that is what is said then. */
static void
test_chip_that_hangs_and_goes (Fixture *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 0);
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GError) error = NULL;

  chip_set (&chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &ticket, 1, keep_result, &first);
  await_state (tpm, WARD_TPM_UNREACHABLE);
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  chip_set (&chip.gone, TRUE);
  chip_set (&chip.held, FALSE);
  await_result (&first);
  g_assert_null (ward_tpm_get_random_finish (tpm, first, &error));
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "The chip is out.");
  g_assert_cmpint (ward_tpm_get_state (tpm), ==, WARD_TPM_UNREACHABLE);
}

/* So is one that is out, hangs when it is connected to, and is out again for the same reason. */
static void
test_chip_that_hangs_at_connecting (Fixture *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 0);
  g_autoptr (GAsyncResult) first = NULL;

  chip_set (&chip.gone, TRUE);
  g_assert_null (get_random (tpm, 1, NULL));
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "The chip is out.");
  chip_set (&chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &ticket, 1, keep_result, &first);
  while (g_str_equal (ward_tpm_get_state_detail (tpm), "The chip is out."))
    g_main_context_iteration (NULL, TRUE);
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  chip_set (&chip.held, FALSE);
  await_result (&first);
  g_assert_cmpstr (ward_tpm_get_state_detail (tpm), ==, "The chip is out.");
}

/* A socket is asked although nobody calls. */
static void
test_hang_is_noticed_without_a_call (Fixture *fixture, gconstpointer data)
{
  WardTpm *tpm = start (fixture, "swtpm:path=test", PATIENCE, 0);

  chip_set (&chip.held, TRUE);
  await_state (tpm, WARD_TPM_UNREACHABLE);
  assert_not_answering (ward_tpm_get_state_detail (tpm));
  chip_set (&chip.held, FALSE);
  await_state (tpm, WARD_TPM_READY);
}

/* What may take a chip minutes is given them, and then counts as a hang too. */
static void
test_long_jobs_have_their_time (Fixture *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 3 * PATIENCE);
  g_autoptr (GAsyncResult) result = NULL;
  gint64 begin = g_get_monotonic_time ();

  chip_set (&chip.held, TRUE);
  ward_tpm_run_self_test_async (tpm, &ticket, WARD_SELF_TEST_FULL, keep_result, &result);
  await_state (tpm, WARD_TPM_UNREACHABLE);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 3 * PATIENCE);
  chip_set (&chip.held, FALSE);
  await_result (&result);
  g_assert_cmpint (ward_tpm_get_state (tpm), ==, WARD_TPM_READY);
}

/* A TPM that hangs can be taken away. */
static void
test_stop_while_it_hangs (Fixture *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  WardTpm *tpm = start (fixture, "device:/test", PATIENCE, 0);
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GBytes) bytes = NULL;

  chip_set (&chip.held, TRUE);
  ward_tpm_get_random_async (tpm, &ticket, 1, keep_result, &first);
  await_state (tpm, WARD_TPM_UNREACHABLE);
  ward_tpm_stop (tpm);
  chip_set (&chip.held, FALSE);
  await_result (&first);
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

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

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
