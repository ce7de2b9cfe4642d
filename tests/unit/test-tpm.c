/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A TPM object and its worker over a backend whose chip this test plays. */
#include <glib/gstdio.h>

#include "test-tpm-fixture.h"
#include "ward-error.h"

/* No get_properties, as if the family lacked it. */
static const WardBackend backend = {
  .family = "2.0",
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .probe = test_chip_probe,
  .get_random = test_chip_get_random,
  .self_test = test_chip_self_test,
};

static void
set_up (TestTpm *fixture, gconstpointer data)
{
  test_tpm_make (fixture);
  test_tpm_start (fixture, &backend, "device:/test");
}

static void
tear_down (TestTpm *fixture, gconstpointer data)
{
  test_tpm_remove (fixture, (const char *const[]){ "tpm7.self-test", NULL });
}

static void
test_random (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = test_tpm_get_random (fixture->tpm, 5, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "\7\7\7\7\7", 5);
  g_assert_cmpuint (test_chip.n_open, ==, 1);
}

static void
test_what_a_family_lacks_is_not_supported (TestTpm *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  ward_tpm_get_properties_async (fixture->tpm, &ticket, test_keep_result, &result);
  test_await_result (&result);
  g_assert_null (ward_tpm_get_properties_finish (fixture->tpm, result, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
}

static void
test_chip_that_is_out (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  test_chip_set (&test_chip.gone, TRUE);
  g_assert_null (test_tpm_get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_UNREACHABLE);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "The chip is out.");
  g_assert_cmpstr (ward_tpm_get_identity (fixture->tpm)->manufacturer, ==, "TEST");
}

/* The chip was away between two calls: the second call finds a broken connection, and works all the same. */
static void
test_chip_that_was_out (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  test_chip_set (&test_chip.gone, TRUE);
  g_assert_null (test_tpm_get_random (fixture->tpm, 1, &error));
  g_clear_error (&error);

  test_chip_set (&test_chip.gone, FALSE);
  bytes = test_tpm_get_random (fixture->tpm, 1, &error);
  g_assert_no_error (error);
  g_assert_nonnull (bytes);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_READY);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "");
}

/* Behind a socket the loss and the return are noticed although nobody calls. */
static void
test_socket_is_watched (TestTpm *fixture, gconstpointer data)
{
  WardTpm *tpm;

  test_tpm_let_go (fixture);
  tpm = test_tpm_start (fixture, &backend, "swtpm:path=test");
  test_chip_set (&test_chip.gone, TRUE);
  test_tpm_await_state (tpm, WARD_TPM_UNREACHABLE);
  test_chip_set (&test_chip.gone, FALSE);
  test_tpm_await_state (tpm, WARD_TPM_READY);
}

static void
test_refusal_is_not_failure (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  test_chip_set (&test_chip.refuses, TRUE);
  g_assert_null (test_tpm_get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_READY);
}

/* A refusal after which the chip's own test result says that it has failed. */
static void
test_refusal_that_is_failure (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  test_chip_set (&test_chip.in_failure, TRUE);
  test_chip_set (&test_chip.refuses, TRUE);
  g_assert_null (test_tpm_get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_FAILED);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "It is broken.");
}

static void
test_callers_take_turns (TestTpm *fixture, gconstpointer data)
{
  WardTicket tickets[] = { { 1000, ":1.1" }, { 1000, ":1.1" }, { 1000, ":1.1" }, { 1001, ":1.2" } };
  GAsyncResult *results[G_N_ELEMENTS (tickets)] = { NULL };

  test_chip_set (&test_chip.held, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (tickets); i++)
    {
      ward_tpm_get_random_async (fixture->tpm, &tickets[i], i + 1, test_keep_result, &results[i]);
      if (i == 0)
        test_chip_await_busy ();
    }
  test_chip_set (&test_chip.held, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (tickets); i++)
    {
      test_await_result (&results[i]);
      g_object_unref (results[i]);
    }
  g_assert_cmpstr (test_chip.order->str, ==, "bced");
}

/* What waits can be withdrawn; what the chip is at cannot. */
static void
test_withdraw (TestTpm *fixture, gconstpointer data)
{
  WardTicket tickets[] = { { 1000, ":1.1" }, { 1000, ":1.1" } };
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  test_chip_set (&test_chip.held, TRUE);
  ward_tpm_get_random_async (fixture->tpm, &tickets[0], 1, test_keep_result, &first);
  test_chip_await_busy ();
  ward_tpm_get_random_async (fixture->tpm, &tickets[1], 2, test_keep_result, &second);

  g_assert_false (ward_tpm_withdraw (fixture->tpm, &tickets[0]));
  g_assert_true (ward_tpm_withdraw (fixture->tpm, &tickets[1]));
  g_assert_false (ward_tpm_withdraw (fixture->tpm, &tickets[1]));
  test_await_result (&second);
  g_assert_null (ward_tpm_get_random_finish (fixture->tpm, second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CANCELLED);
  g_assert_null (first);

  test_chip_set (&test_chip.held, FALSE);
  test_await_result (&first);
  bytes = ward_tpm_get_random_finish (fixture->tpm, first, NULL);
  g_assert_nonnull (bytes);
  g_assert_cmpstr (test_chip.order->str, ==, "b");
}

/* A TPM that is taken away fails what waits for it, and lets what runs run. */
static void
test_stop (TestTpm *fixture, gconstpointer data)
{
  WardTicket tickets[] = { { 1000, ":1.1" }, { 1000, ":1.1" } };
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  test_chip_set (&test_chip.held, TRUE);
  ward_tpm_get_random_async (fixture->tpm, &tickets[0], 1, test_keep_result, &first);
  test_chip_await_busy ();
  ward_tpm_get_random_async (fixture->tpm, &tickets[1], 2, test_keep_result, &second);
  ward_tpm_stop (fixture->tpm);

  test_await_result (&second);
  g_assert_null (ward_tpm_get_random_finish (fixture->tpm, second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);

  test_chip_set (&test_chip.held, FALSE);
  test_await_result (&first);
  bytes = ward_tpm_get_random_finish (fixture->tpm, first, NULL);
  g_assert_nonnull (bytes);

  /* as for a call that polkit authorizes only now */
  g_clear_error (&error);
  g_assert_null (test_tpm_get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
}

static gboolean is_kept;

static void
let_go_slowly (gpointer data)
{
  g_usleep (50 * 1000);
  is_kept = FALSE;
}

/* As libraries keep something for each thread until it has ended. */
static WardConnection *
open_and_keep (const char *transport, GError **error)
{
  static GPrivate kept = G_PRIVATE_INIT (let_go_slowly);

  is_kept = TRUE;
  g_private_set (&kept, &is_kept);
  return test_chip_open (transport, error);
}

/* Its thread must not find the libraries torn down. */
static void
test_thread_has_ended (TestTpm *fixture, gconstpointer data)
{
  static const WardBackend keeping = {
    .family = "2.0",
    .open = open_and_keep,
    .close = test_chip_close,
    .identify = test_chip_identify,
  };

  test_tpm_let_go (fixture);
  test_tpm_start (fixture, &keeping, "device:/test");
  g_assert_true (is_kept);
  test_tpm_let_go (fixture);
  g_assert_false (is_kept);
}

static void
note_self_test (WardTpm *tpm, GString *states)
{
  g_string_append_printf (states, "%s ", ward_self_test_state_to_string (ward_tpm_get_self_test (tpm)->state));
}

static WardTestResult *
run_self_test (WardTpm *tpm, WardSelfTestMode mode, GError **error)
{
  WardTicket ticket = { 1000, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_run_self_test_async (tpm, &ticket, mode, test_keep_result, &result);
  test_await_result (&result);
  return ward_tpm_run_self_test_finish (tpm, result, error);
}

static void
test_self_test_states (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GString) states = g_string_new (NULL);
  g_autoptr (WardTestResult) passed = NULL;
  g_autoptr (WardTestResult) failed = NULL;

  g_signal_connect (fixture->tpm, "self-test-changed", G_CALLBACK (note_self_test), states);
  passed = run_self_test (fixture->tpm, WARD_SELF_TEST_INCREMENTAL, NULL);
  g_assert_true (passed->passed);
  g_assert_cmpstr (states->str, ==, "running passed ");
  g_assert_cmpint (ward_tpm_get_self_test (fixture->tpm)->mode, ==, WARD_SELF_TEST_INCREMENTAL);

  test_chip_set (&test_chip.in_failure, TRUE);
  failed = run_self_test (fixture->tpm, WARD_SELF_TEST_FULL, NULL);
  g_assert_false (failed->passed);
  g_assert_cmpuint (failed->code, ==, 0x101);
  g_assert_cmpstr (states->str, ==, "running passed running failed ");
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_FAILED);
}

/* The record survives the service, but not the chip. */
static void
test_self_test_is_remembered (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (WardTestResult) result = run_self_test (fixture->tpm, WARD_SELF_TEST_FULL, NULL);
  guint64 last_run = ward_tpm_get_self_test (fixture->tpm)->last_run;
  const WardSelfTest *test;

  g_assert_nonnull (result);
  g_assert_cmpuint (last_run, >, 0);

  test_tpm_let_go (fixture);
  test_tpm_start (fixture, &backend, "device:/test");
  test = ward_tpm_get_self_test (fixture->tpm);
  g_assert_cmpint (test->state, ==, WARD_SELF_TEST_PASSED);
  g_assert_cmpint (test->mode, ==, WARD_SELF_TEST_FULL);
  g_assert_cmpuint (test->last_run, ==, last_run);
  g_assert_cmpstr (test->text, ==, "Fine.");
}

/* A test that could not be run leaves the record of the last one that was. */
static void
test_self_test_that_cannot_be_run (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (WardTestResult) result = run_self_test (fixture->tpm, WARD_SELF_TEST_FULL, NULL);
  g_autoptr (GError) error = NULL;

  test_chip_set (&test_chip.gone, TRUE);
  g_assert_null (run_self_test (fixture->tpm, WARD_SELF_TEST_INCREMENTAL, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  g_assert_cmpint (ward_tpm_get_self_test (fixture->tpm)->state, ==, WARD_SELF_TEST_PASSED);
  g_assert_cmpint (ward_tpm_get_self_test (fixture->tpm)->mode, ==, WARD_SELF_TEST_FULL);
}

static void
test_family_without_backend (void)
{
  g_autoptr (WardTpm) tpm = ward_tpm_new ("tpm0", "1.2", "tcsd", "/dev/tpm0", "tpm_tis", NULL, "/nonexistent");
  g_autoptr (GError) error = NULL;

  g_assert_true (ward_tpm_has_been_seen (tpm));
  g_assert_cmpint (ward_tpm_get_state (tpm), ==, WARD_TPM_UNREACHABLE);
  g_assert_nonnull (strstr (ward_tpm_get_state_detail (tpm), "1.2"));
  g_assert_null (test_tpm_get_random (tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
}

static void
test_damaged_record (void)
{
  g_autoptr (WardIdentity) identity = ward_identity_new ();
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "tpmward-test-record", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, "[Self-test\nnonsense", -1, NULL));
  g_assert_null (ward_self_test_load (path, identity, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
  g_unlink (path);

  g_clear_error (&error);
  g_assert_null (ward_self_test_load (path, identity, &error));
  g_assert_no_error (error);
}

/* What is on record for one firmware is not shown for another. */
static void
test_record_of_another_chip (void)
{
  g_autoptr (WardIdentity) identity = ward_identity_new ();
  g_autoptr (WardSelfTest) test = ward_self_test_new ();
  g_autoptr (WardSelfTest) loaded = NULL;
  g_autofree char *its_chip = ward_self_test_chip (identity);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "tpmward-test-record", NULL);

  test->state = WARD_SELF_TEST_FAILED;
  test->code = 0x101;
  g_assert_true (ward_self_test_save (test, path, its_chip, NULL));
  loaded = ward_self_test_load (path, identity, NULL);
  g_assert_cmpint (loaded->state, ==, WARD_SELF_TEST_FAILED);
  g_assert_cmpuint (loaded->code, ==, 0x101);

  identity->firmware_raw = 1;
  g_assert_null (ward_self_test_load (path, identity, NULL));
  g_unlink (path);
}

#define ADD(path, func) g_test_add (path, TestTpm, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tpm/random", test_random);
  ADD ("/tpm/what-a-family-lacks-is-not-supported", test_what_a_family_lacks_is_not_supported);
  ADD ("/tpm/chip-that-is-out", test_chip_that_is_out);
  ADD ("/tpm/chip-that-was-out", test_chip_that_was_out);
  ADD ("/tpm/socket-is-watched", test_socket_is_watched);
  ADD ("/tpm/refusal-is-not-failure", test_refusal_is_not_failure);
  ADD ("/tpm/refusal-that-is-failure", test_refusal_that_is_failure);
  ADD ("/tpm/callers-take-turns", test_callers_take_turns);
  ADD ("/tpm/withdraw", test_withdraw);
  ADD ("/tpm/stop", test_stop);
  ADD ("/tpm/thread-has-ended", test_thread_has_ended);
  ADD ("/self-test/states", test_self_test_states);
  ADD ("/self-test/is-remembered", test_self_test_is_remembered);
  ADD ("/self-test/that-cannot-be-run", test_self_test_that_cannot_be_run);
  g_test_add_func ("/tpm/family-without-backend", test_family_without_backend);
  g_test_add_func ("/self-test/damaged-record", test_damaged_record);
  g_test_add_func ("/self-test/record-of-another-chip", test_record_of_another_chip);
  return g_test_run ();
}
