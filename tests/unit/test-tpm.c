/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A TPM object and its worker over a backend whose chip this test plays. */
#include <glib/gstdio.h>

#include "ward-error.h"
#include "ward-tpm.h"

struct _WardConnection
{
  int dummy;
};

/* The chip: what it does next, and what was done to it. By lock, since the worker's thread plays its part. */
static struct
{
  GMutex lock;
  GCond changed;
  gboolean gone;       /* it cannot be opened, and an open connection breaks at the next command */
  gboolean held;       /* it does not end its command until released */
  gboolean busy;       /* it is at a command */
  gboolean in_failure; /* its own test result says that it has failed */
  gboolean refuses;    /* it answers a command with a response code */
  guint n_open;        /* how often it was opened */
  guint n_random;
  GString *order; /* the first byte count of each random command, as a letter */
} chip;

static gboolean
connection_works (GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&chip.lock);

  if (!chip.gone)
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_UNREACHABLE, "The chip is out.");
  return FALSE;
}

static WardConnection *
chip_open (const char *transport, GError **error)
{
  if (!connection_works (error))
    return NULL;
  g_mutex_lock (&chip.lock);
  chip.n_open++;
  g_mutex_unlock (&chip.lock);
  return g_new0 (WardConnection, 1);
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

  if (!connection_works (error))
    return NULL;
  identity = ward_identity_new ();
  g_free (identity->manufacturer);
  identity->manufacturer = g_strdup ("TEST");
  g_mutex_lock (&chip.lock);
  if (chip.in_failure)
    {
      g_free (identity->failure);
      identity->failure = g_strdup ("It is broken.");
    }
  g_mutex_unlock (&chip.lock);
  return identity;
}

static gboolean
chip_probe (WardConnection *connection, GError **error)
{
  return connection_works (error);
}

static gboolean
chip_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error)
{
  gboolean refuses;

  if (!connection_works (error))
    return FALSE;

  g_mutex_lock (&chip.lock);
  chip.n_random++;
  g_string_append_c (chip.order, 'a' + (char)count);
  chip.busy = TRUE;
  g_cond_broadcast (&chip.changed);
  while (chip.held)
    g_cond_wait (&chip.changed, &chip.lock);
  chip.busy = FALSE;
  refuses = chip.refuses;
  g_mutex_unlock (&chip.lock);

  if (refuses)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED, "The chip refuses (0x101).");
      return FALSE;
    }
  memset (bytes, 7, count);
  return TRUE;
}

static WardTestResult *
chip_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error)
{
  WardTestResult *result;

  if (!connection_works (error))
    return NULL;
  result = g_new0 (WardTestResult, 1);
  g_mutex_lock (&chip.lock);
  result->passed = !chip.in_failure;
  result->code = chip.in_failure ? 0x101 : 0;
  g_mutex_unlock (&chip.lock);
  result->text = g_strdup (result->passed ? "Fine." : "It is broken.");
  result->data = g_bytes_new_static ("xy", 2);
  return result;
}

/* No get_properties, as if the family lacked it. */
static const WardBackend backend = {
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

/* transport: of a socket is probed each second, of a device is not. */
static WardTpm *
fixture_tpm (Fixture *fixture, const char *transport)
{
  g_clear_object (&fixture->tpm);
  fixture->tpm = ward_tpm_new ("tpm7", "2.0", transport, "", "", &backend, fixture->state_dir);
  return fixture->tpm;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  chip.gone = chip.held = chip.busy = chip.in_failure = chip.refuses = FALSE;
  chip.n_open = chip.n_random = 0;
  chip.order = g_string_new (NULL);
  fixture->state_dir = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  fixture_tpm (fixture, "device:/test");
  await_state (fixture->tpm, WARD_TPM_READY);
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
  GAsyncResult **slot = user_data;

  *slot = g_object_ref (result);
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

static void
test_random (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = get_random (fixture->tpm, 5, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "\7\7\7\7\7", 5);
  g_assert_cmpuint (chip.n_open, ==, 1);
}

static void
test_what_a_family_lacks_is_not_supported (Fixture *fixture, gconstpointer data)
{
  WardTicket ticket = { 1000, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  ward_tpm_get_properties_async (fixture->tpm, &ticket, keep_result, &result);
  await_result (&result);
  g_assert_null (ward_tpm_get_properties_finish (fixture->tpm, result, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
}

static void
test_chip_that_is_out (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip_set (&chip.gone, TRUE);
  g_assert_null (get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_UNREACHABLE);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "The chip is out.");
  g_assert_cmpstr (ward_tpm_get_identity (fixture->tpm)->manufacturer, ==, "TEST");
}

/* The chip was away between two calls: the second call finds a broken connection, and works all the same. */
static void
test_chip_that_was_out (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  chip_set (&chip.gone, TRUE);
  g_assert_null (get_random (fixture->tpm, 1, &error));
  g_clear_error (&error);

  chip_set (&chip.gone, FALSE);
  bytes = get_random (fixture->tpm, 1, &error);
  g_assert_no_error (error);
  g_assert_nonnull (bytes);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_READY);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "");
}

/* Behind a socket the loss and the return are noticed although nobody calls. */
static void
test_socket_is_watched (Fixture *fixture, gconstpointer data)
{
  WardTpm *tpm = fixture_tpm (fixture, "swtpm:path=test");

  await_state (tpm, WARD_TPM_READY);
  chip_set (&chip.gone, TRUE);
  await_state (tpm, WARD_TPM_UNREACHABLE);
  chip_set (&chip.gone, FALSE);
  await_state (tpm, WARD_TPM_READY);
}

static void
test_refusal_is_not_failure (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip_set (&chip.refuses, TRUE);
  g_assert_null (get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_READY);
}

/* A refusal after which the chip's own test result says that it has failed. */
static void
test_refusal_that_is_failure (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip_set (&chip.in_failure, TRUE);
  chip_set (&chip.refuses, TRUE);
  g_assert_null (get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_FAILED);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "It is broken.");
}

static void
test_callers_take_turns (Fixture *fixture, gconstpointer data)
{
  WardTicket tickets[] = { { 1000, ":1.1" }, { 1000, ":1.1" }, { 1000, ":1.1" }, { 1001, ":1.2" } };
  GAsyncResult *results[G_N_ELEMENTS (tickets)] = { NULL };

  chip_set (&chip.held, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (tickets); i++)
    {
      ward_tpm_get_random_async (fixture->tpm, &tickets[i], i + 1, keep_result, &results[i]);
      if (i == 0)
        chip_await_busy ();
    }
  chip_set (&chip.held, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (tickets); i++)
    {
      await_result (&results[i]);
      g_object_unref (results[i]);
    }
  g_assert_cmpstr (chip.order->str, ==, "bced");
}

/* What waits can be withdrawn; what the chip is at cannot. */
static void
test_withdraw (Fixture *fixture, gconstpointer data)
{
  WardTicket tickets[] = { { 1000, ":1.1" }, { 1000, ":1.1" } };
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  chip_set (&chip.held, TRUE);
  ward_tpm_get_random_async (fixture->tpm, &tickets[0], 1, keep_result, &first);
  chip_await_busy ();
  ward_tpm_get_random_async (fixture->tpm, &tickets[1], 2, keep_result, &second);

  g_assert_false (ward_tpm_withdraw (fixture->tpm, &tickets[0]));
  g_assert_true (ward_tpm_withdraw (fixture->tpm, &tickets[1]));
  g_assert_false (ward_tpm_withdraw (fixture->tpm, &tickets[1]));
  await_result (&second);
  g_assert_null (ward_tpm_get_random_finish (fixture->tpm, second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CANCELLED);
  g_assert_null (first);

  chip_set (&chip.held, FALSE);
  await_result (&first);
  bytes = ward_tpm_get_random_finish (fixture->tpm, first, NULL);
  g_assert_nonnull (bytes);
  g_assert_cmpuint (chip.n_random, ==, 1);
}

/* A TPM that is taken away fails what waits for it, and lets what runs run. */
static void
test_stop (Fixture *fixture, gconstpointer data)
{
  WardTicket tickets[] = { { 1000, ":1.1" }, { 1000, ":1.1" } };
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  chip_set (&chip.held, TRUE);
  ward_tpm_get_random_async (fixture->tpm, &tickets[0], 1, keep_result, &first);
  chip_await_busy ();
  ward_tpm_get_random_async (fixture->tpm, &tickets[1], 2, keep_result, &second);
  ward_tpm_stop (fixture->tpm);

  await_result (&second);
  g_assert_null (ward_tpm_get_random_finish (fixture->tpm, second, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);

  chip_set (&chip.held, FALSE);
  await_result (&first);
  bytes = ward_tpm_get_random_finish (fixture->tpm, first, NULL);
  g_assert_nonnull (bytes);

  /* as for a call that polkit authorizes only now */
  g_clear_error (&error);
  g_assert_null (get_random (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
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

  ward_tpm_run_self_test_async (tpm, &ticket, mode, keep_result, &result);
  await_result (&result);
  return ward_tpm_run_self_test_finish (tpm, result, error);
}

static void
test_self_test_states (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GString) states = g_string_new (NULL);
  g_autoptr (WardTestResult) passed = NULL;
  g_autoptr (WardTestResult) failed = NULL;

  g_signal_connect (fixture->tpm, "self-test-changed", G_CALLBACK (note_self_test), states);
  passed = run_self_test (fixture->tpm, WARD_SELF_TEST_INCREMENTAL, NULL);
  g_assert_true (passed->passed);
  g_assert_cmpstr (states->str, ==, "running passed ");
  g_assert_cmpint (ward_tpm_get_self_test (fixture->tpm)->mode, ==, WARD_SELF_TEST_INCREMENTAL);

  chip_set (&chip.in_failure, TRUE);
  failed = run_self_test (fixture->tpm, WARD_SELF_TEST_FULL, NULL);
  g_assert_false (failed->passed);
  g_assert_cmpuint (failed->code, ==, 0x101);
  g_assert_cmpstr (states->str, ==, "running passed running failed ");
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_FAILED);
}

/* The record survives the service, but not the chip. */
static void
test_self_test_is_remembered (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardTestResult) result = run_self_test (fixture->tpm, WARD_SELF_TEST_FULL, NULL);
  guint64 last_run = ward_tpm_get_self_test (fixture->tpm)->last_run;
  const WardSelfTest *test;

  g_assert_nonnull (result);
  g_assert_cmpuint (last_run, >, 0);

  fixture_tpm (fixture, "device:/test");
  await_state (fixture->tpm, WARD_TPM_READY);
  test = ward_tpm_get_self_test (fixture->tpm);
  g_assert_cmpint (test->state, ==, WARD_SELF_TEST_PASSED);
  g_assert_cmpint (test->mode, ==, WARD_SELF_TEST_FULL);
  g_assert_cmpuint (test->last_run, ==, last_run);
  g_assert_cmpstr (test->text, ==, "Fine.");
}

/* A test that could not be run leaves the record of the last one that was. */
static void
test_self_test_that_cannot_be_run (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardTestResult) result = run_self_test (fixture->tpm, WARD_SELF_TEST_FULL, NULL);
  g_autoptr (GError) error = NULL;

  chip_set (&chip.gone, TRUE);
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
  g_assert_null (get_random (tpm, 1, &error));
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

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

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
  ADD ("/self-test/states", test_self_test_states);
  ADD ("/self-test/is-remembered", test_self_test_is_remembered);
  ADD ("/self-test/that-cannot-be-run", test_self_test_that_cannot_be_run);
  g_test_add_func ("/tpm/family-without-backend", test_family_without_backend);
  g_test_add_func ("/self-test/damaged-record", test_damaged_record);
  g_test_add_func ("/self-test/record-of-another-chip", test_record_of_another_chip);
  return g_test_run ();
}
