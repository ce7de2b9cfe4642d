/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A clear, and one behind the service's back, over a backend whose chip this test plays. */
#include "test-tpm-fixture.h"
#include "ward-budget.h"
#include "ward-error.h"

/* How often a lockout auth was tried. Read by the test while the worker has nothing to do. */
static guint n_tries;

static gboolean
try_auth (GError **error)
{
  n_tries++;
  if (test_chip.refuses)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED, "It is wrong.");
  return !test_chip.refuses;
}

static void
wipe (void)
{
  test_chip.ownership.lockout_auth_set = FALSE;
  test_chip.ownership.srk_handle = 0;
  *test_chip.ownership.srk_name = '\0';
  test_chip.ownership.reset_count = 0;
  test_chip.ownership.clock = 0;
}

static gboolean
chip_clear (WardConnection *connection, WardSecret *auth, GError **error)
{
  if (!try_auth (error))
    return FALSE;
  wipe ();
  return TRUE;
}

static gboolean
chip_disable_clear (WardConnection *connection, WardSecret *auth, GError **error)
{
  if (!try_auth (error))
    return FALSE;
  test_chip.ownership.clear_disabled = TRUE;
  return TRUE;
}

static const WardBackend backend = {
  .family = "2.0",
  .guards_lockout = TRUE,
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .read_ownership = test_chip_read_ownership,
  .clear = chip_clear,
  .disable_clear = chip_disable_clear,
};

static void
start (TestTpm *fixture)
{
  test_tpm_start (fixture, &backend, "device:/test");
}

static void
set_up (TestTpm *fixture, gconstpointer data)
{
  WardOwnership *ownership = &test_chip.ownership;

  test_tpm_make (fixture);
  n_tries = 0;
  ownership->max_auth_size = 32;
  ownership->lockout_recovery_seconds = 1000;
  ownership->lockout_auth_set = TRUE;
  ownership->srk_handle = WARD_SRK_HANDLE;
  ownership->reset_count = 20;
  ownership->room.persistent = 3;
  g_strlcpy (ownership->srk_name, "000b11", sizeof ownership->srk_name);
  start (fixture);
}

/* As when the service ends, whatever still refers to the TPM. */
static void
let_go (TestTpm *fixture)
{
  ward_tpm_stop (fixture->tpm);
  test_tpm_let_go (fixture);
}

static void
tear_down (TestTpm *fixture, gconstpointer data)
{
  let_go (fixture);
  test_tpm_remove (fixture, (const char *const[]){ "tpm7.chip", "tpm7.lockout-guard", NULL });
}

static const WardTicket ticket = { 0, ":1.1" };

static gboolean
clear (TestTpm *fixture, gboolean force, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardSecret) auth = ward_secret_new_from ("secret", 6);

  ward_tpm_clear_async (fixture->tpm, &ticket, auth, force, test_keep_result, &result);
  return ward_tpm_clear_finish (fixture->tpm, test_await_result (&result), error);
}

static gboolean
disable_clear (TestTpm *fixture, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardSecret) auth = ward_secret_new_from ("secret", 6);

  ward_tpm_disable_clear_async (fixture->tpm, &ticket, auth, FALSE, test_keep_result, &result);
  return ward_tpm_disable_clear_finish (fixture->tpm, test_await_result (&result), error);
}

static void
refresh (TestTpm *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_refresh_async (fixture->tpm, &ticket, test_keep_result, &result);
  test_await_result (&result);
}

static void
count (WardTpm *tpm, guint *n)
{
  ++*n;
}

/* What is known is right before the callback, and the clear is no news. */
static void
test_clear (TestTpm *fixture, gconstpointer data)
{
  g_assert_cmpuint (ward_tpm_get_room (fixture->tpm)->persistent, ==, 3);
  test_chip.ownership.room.persistent = 0;
  g_assert_true (clear (fixture, FALSE, NULL));
  g_assert_cmpuint (n_tries, ==, 1);
  g_assert_false (ward_tpm_get_ownership (fixture->tpm)->lockout_auth_set);
  g_assert_cmpuint (ward_tpm_get_ownership (fixture->tpm)->srk_handle, ==, 0);
  g_assert_cmpuint (ward_tpm_get_room (fixture->tpm)->persistent, ==, 0);
  g_assert_cmpint (ward_tpm_get_change (fixture->tpm, NULL, NULL), ==, WARD_CHANGE_NONE);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "");
}

static void
test_guard (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  test_chip.refuses = TRUE;
  g_assert_false (clear (fixture, FALSE, &first));
  g_assert_error (first, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  test_chip.refuses = FALSE;
  g_assert_false (clear (fixture, FALSE, &second));
  g_assert_error (second, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
  g_assert_cmpuint (n_tries, ==, 1);
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), >, 0);

  g_assert_true (clear (fixture, TRUE, NULL));
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), ==, 0);
}

/* Nothing is tried, and the guard stays as it was. */
static void
test_disabled (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (disable_clear (fixture, NULL));
  g_assert_true (ward_tpm_get_ownership (fixture->tpm)->clear_disabled);
  g_assert_cmpuint (n_tries, ==, 1);
  g_assert_false (clear (fixture, FALSE, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_DISABLED);
  g_assert_cmpuint (n_tries, ==, 1);
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), ==, 0);
}

static void
test_disabled_does_not_lift_the_guard (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  test_chip.refuses = TRUE;
  g_assert_false (disable_clear (fixture, NULL));
  test_chip.ownership.clear_disabled = TRUE;
  g_assert_false (clear (fixture, TRUE, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_DISABLED);
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), >, 0);
}

/* By the firmware, say. It is said until it is acknowledged, over restarts of the service, and what was on record of
 * the lockout auth that there was counts no more. */
static void
test_cleared_by_others (TestTpm *fixture, gconstpointer data)
{
  const char *text = NULL;
  guint64 noticed_at = 0;
  guint n_changed = 0;

  test_chip.refuses = TRUE;
  g_assert_false (clear (fixture, FALSE, NULL));
  wipe ();
  refresh (fixture);
  g_assert_cmpint (ward_tpm_get_change (fixture->tpm, &noticed_at, &text), ==, WARD_CHANGE_CLEARED);
  g_assert_cmpuint (noticed_at, >, 0);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_READY);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, text);
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), ==, 0);

  let_go (fixture);
  start (fixture);
  g_assert_cmpint (ward_tpm_get_change (fixture->tpm, NULL, NULL), ==, WARD_CHANGE_CLEARED);

  g_signal_connect (fixture->tpm, "changed", G_CALLBACK (count), &n_changed);
  ward_tpm_acknowledge_change (fixture->tpm);
  g_assert_cmpuint (n_changed, ==, 1);
  g_assert_cmpint (ward_tpm_get_change (fixture->tpm, NULL, NULL), ==, WARD_CHANGE_NONE);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "");
  refresh (fixture);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "");
}

/* What this service asked of the firmware: no alarm after the restart, but nothing counts any more of what was tried
 * with auths that are gone. */
static void
test_cleared_as_asked (TestTpm *fixture, gconstpointer data)
{
  WardBudget *budget = ward_budget_new (fixture->state_dir, "tpm7");
  g_autofree char *budgets = g_build_filename (fixture->state_dir, "tpm7.budgets", NULL);

  test_chip.refuses = TRUE;
  g_assert_false (clear (fixture, FALSE, NULL));
  test_chip.ownership.max_failures = 32;
  test_chip.ownership.recovery_seconds = 1000;
  g_assert_true (ward_budget_charge (budget, 1000, &test_chip.ownership, NULL));
  g_assert_true (g_file_test (budgets, G_FILE_TEST_EXISTS));
  ward_budget_unref (budget);
  ward_tpm_expect_firmware_clear (fixture->tpm, TRUE);

  let_go (fixture);
  wipe ();
  start (fixture);
  g_assert_cmpint (ward_tpm_get_change (fixture->tpm, NULL, NULL), ==, WARD_CHANGE_NONE);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "");
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), ==, 0);
  refresh (fixture);
  g_assert_false (g_file_test (budgets, G_FILE_TEST_EXISTS));
}

/* It was withdrawn: whoever cleared it did not do so for us. */
static void
test_cleared_after_the_request_was_withdrawn (TestTpm *fixture, gconstpointer data)
{
  ward_tpm_expect_firmware_clear (fixture->tpm, TRUE);
  ward_tpm_expect_firmware_clear (fixture->tpm, FALSE);
  let_go (fixture);
  wipe ();
  start (fixture);
  g_assert_cmpint (ward_tpm_get_change (fixture->tpm, NULL, NULL), ==, WARD_CHANGE_CLEARED);
}

/* A failure is the more urgent word, and acknowledging the other thing does not take it away. */
static void
test_failure_is_said_first (TestTpm *fixture, gconstpointer data)
{
  wipe ();
  refresh (fixture);
  test_chip_set (&test_chip.in_failure, TRUE);
  refresh (fixture);
  g_assert_cmpint (ward_tpm_get_state (fixture->tpm), ==, WARD_TPM_FAILED);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "It is broken.");
  ward_tpm_acknowledge_change (fixture->tpm);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "It is broken.");
}

/* Only what certainly is the kernel's device has a name in the kernel. */
static void
test_kernel_name (void)
{
  static const struct
  {
    const char *transport, *device_path, *name;
  } cases[] = {
    { "device:/dev/tpmrm0", "/dev/tpm0", "tpm0" },
    { "device:/dev/tpm12", "", "tpm12" },
    { "device:/dev/tpmrm3", "", "tpm3" },
    { "tcsd", "/dev/tpm1", "tpm1" },
    { "swtpm:path=/run/tpm0", "", "" },
    { "device:/tmp/dev/tpm0", "", "" },
    { "device:/dev/tpmrm", "", "" },
    { "device:/dev/tpm0x", "", "" },
    { "device:/dev/tpm", "", "" },
    { "device:/dev/tpm/../tpm0", "", "" },
    { "mssim:host=/dev/tpm0", "", "" },
    { "", "", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WardTpm) tpm = ward_tpm_new ("tpm0", "1.2", cases[i].transport, cases[i].device_path, "", NULL,
                                              "/nonexistent");

      g_assert_cmpstr (ward_tpm_get_kernel_name (tpm), ==, cases[i].name);
    }
}

#define ADD(path, func) g_test_add (path, TestTpm, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/clear/clear", test_clear);
  ADD ("/clear/guard", test_guard);
  ADD ("/clear/disabled", test_disabled);
  ADD ("/clear/disabled-does-not-lift-the-guard", test_disabled_does_not_lift_the_guard);
  ADD ("/clear/cleared-by-others", test_cleared_by_others);
  ADD ("/clear/cleared-as-asked", test_cleared_as_asked);
  ADD ("/clear/cleared-after-the-request-was-withdrawn", test_cleared_after_the_request_was_withdrawn);
  ADD ("/clear/failure-is-said-first", test_failure_is_said_first);
  g_test_add_func ("/clear/kernel-name", test_kernel_name);
  return g_test_run ();
}
