/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A clear, and one behind the service's back, over a backend whose chip this test plays. */
#include <glib/gstdio.h>
#include <string.h>

#include "ward-budget.h"
#include "ward-error.h"
#include "ward-tpm.h"

struct _WardConnection
{
  int dummy;
};

/* The chip. Changed by the test while the worker has nothing to do. */
static struct
{
  WardOwnership ownership;
  const char *failure; /* of its own test; "" when it works */
  guint n_tries;       /* how often a lockout auth was tried */
  gboolean refuses;    /* any */
} chip;

static WardConnection *
chip_open (const char *transport, GError **error)
{
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
  WardIdentity *identity = ward_identity_new ();

  g_free (identity->failure);
  identity->failure = g_strdup (chip.failure);
  return identity;
}

static WardOwnership *
chip_read_ownership (WardConnection *connection, GError **error)
{
  return g_memdup2 (&chip.ownership, sizeof chip.ownership);
}

static gboolean
try_auth (GError **error)
{
  chip.n_tries++;
  if (chip.refuses)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED, "It is wrong.");
  return !chip.refuses;
}

static void
wipe (void)
{
  chip.ownership.lockout_auth_set = FALSE;
  chip.ownership.srk_handle = 0;
  *chip.ownership.srk_name = '\0';
  chip.ownership.reset_count = 0;
  chip.ownership.clock = 0;
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
  chip.ownership.clear_disabled = TRUE;
  return TRUE;
}

static const WardBackend backend = {
  .family = "2.0",
  .open = chip_open,
  .close = chip_close,
  .identify = chip_identify,
  .read_ownership = chip_read_ownership,
  .clear = chip_clear,
  .disable_clear = chip_disable_clear,
};

typedef struct
{
  char *state_dir;
  WardTpm *tpm;
  WardSecret *auth;
} Fixture;

static void
await_ready (WardTpm *tpm)
{
  while (!ward_tpm_has_been_seen (tpm))
    g_main_context_iteration (NULL, TRUE);
}

static void
start (Fixture *fixture)
{
  fixture->tpm = ward_tpm_new ("tpm7", "2.0", "device:/test", "", "", &backend, fixture->state_dir);
  await_ready (fixture->tpm);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  memset (&chip, 0, sizeof chip);
  chip.failure = "";
  chip.ownership.max_auth_size = 32;
  chip.ownership.lockout_recovery_seconds = 1000;
  chip.ownership.lockout_auth_set = TRUE;
  chip.ownership.srk_handle = WARD_SRK_HANDLE;
  chip.ownership.reset_count = 20;
  chip.ownership.room.persistent = 3;
  g_strlcpy (chip.ownership.srk_name, "000b11", sizeof chip.ownership.srk_name);
  fixture->state_dir = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  fixture->auth = ward_secret_new_from ("secret", 6);
  start (fixture);
}

static void
let_go (Fixture *fixture)
{
  ward_tpm_stop (fixture->tpm);
  g_clear_object (&fixture->tpm);
  g_assert_true (ward_worker_wait_all (10 * G_USEC_PER_SEC));
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "tpm7.chip", "tpm7.lockout-guard" };

  let_go (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (fixture->state_dir, names[i], NULL);

      g_unlink (path);
    }
  ward_secret_unref (fixture->auth);
  g_assert_cmpint (g_rmdir (fixture->state_dir), ==, 0);
  g_free (fixture->state_dir);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static const WardTicket ticket = { 0, ":1.1" };

static gboolean
clear (Fixture *fixture, gboolean force, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_clear_async (fixture->tpm, &ticket, fixture->auth, force, keep_result, &result);
  while (!result)
    g_main_context_iteration (NULL, TRUE);
  return ward_tpm_clear_finish (fixture->tpm, result, error);
}

static gboolean
disable_clear (Fixture *fixture, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_disable_clear_async (fixture->tpm, &ticket, fixture->auth, FALSE, keep_result, &result);
  while (!result)
    g_main_context_iteration (NULL, TRUE);
  return ward_tpm_disable_clear_finish (fixture->tpm, result, error);
}

static void
refresh (Fixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_refresh_async (fixture->tpm, &ticket, keep_result, &result);
  while (!result)
    g_main_context_iteration (NULL, TRUE);
}

static void
count (WardTpm *tpm, guint *n)
{
  ++*n;
}

/* What is known is right before the callback, and the clear is no news. */
static void
test_clear (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (ward_tpm_get_room (fixture->tpm)->persistent, ==, 3);
  chip.ownership.room.persistent = 0;
  g_assert_true (clear (fixture, FALSE, NULL));
  g_assert_cmpuint (chip.n_tries, ==, 1);
  g_assert_false (ward_tpm_get_ownership (fixture->tpm)->lockout_auth_set);
  g_assert_cmpuint (ward_tpm_get_ownership (fixture->tpm)->srk_handle, ==, 0);
  g_assert_cmpuint (ward_tpm_get_room (fixture->tpm)->persistent, ==, 0);
  g_assert_cmpint (ward_tpm_get_change (fixture->tpm, NULL, NULL), ==, WARD_CHANGE_NONE);
  g_assert_cmpstr (ward_tpm_get_state_detail (fixture->tpm), ==, "");
}

static void
test_guard (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  chip.refuses = TRUE;
  g_assert_false (clear (fixture, FALSE, &first));
  g_assert_error (first, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  chip.refuses = FALSE;
  g_assert_false (clear (fixture, FALSE, &second));
  g_assert_error (second, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
  g_assert_cmpuint (chip.n_tries, ==, 1);
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), >, 0);

  g_assert_true (clear (fixture, TRUE, NULL));
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), ==, 0);
}

/* Nothing is tried, and the guard stays as it was. */
static void
test_disabled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (disable_clear (fixture, NULL));
  g_assert_true (ward_tpm_get_ownership (fixture->tpm)->clear_disabled);
  g_assert_cmpuint (chip.n_tries, ==, 1);
  g_assert_false (clear (fixture, FALSE, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_DISABLED);
  g_assert_cmpuint (chip.n_tries, ==, 1);
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), ==, 0);
}

static void
test_disabled_does_not_lift_the_guard (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.refuses = TRUE;
  g_assert_false (disable_clear (fixture, NULL));
  chip.ownership.clear_disabled = TRUE;
  g_assert_false (clear (fixture, TRUE, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_DISABLED);
  g_assert_cmpuint (ward_tpm_get_barred_until (fixture->tpm), >, 0);
}

/* By the firmware, say. It is said until it is acknowledged, over restarts of the service, and what was on record of
 * the lockout auth that there was counts no more. */
static void
test_cleared_by_others (Fixture *fixture, gconstpointer data)
{
  const char *text = NULL;
  guint64 noticed_at = 0;
  guint n_changed = 0;

  chip.refuses = TRUE;
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
test_cleared_as_asked (Fixture *fixture, gconstpointer data)
{
  WardBudget *budget = ward_budget_new (fixture->state_dir, "tpm7");
  g_autofree char *budgets = g_build_filename (fixture->state_dir, "tpm7.budgets", NULL);

  chip.refuses = TRUE;
  g_assert_false (clear (fixture, FALSE, NULL));
  chip.ownership.max_failures = 32;
  chip.ownership.recovery_seconds = 1000;
  g_assert_true (ward_budget_charge (budget, 1000, &chip.ownership, NULL));
  g_assert_true (g_file_test (budgets, G_FILE_TEST_EXISTS));
  ward_budget_free (budget);
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
test_cleared_after_the_request_was_withdrawn (Fixture *fixture, gconstpointer data)
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
test_failure_is_said_first (Fixture *fixture, gconstpointer data)
{
  wipe ();
  refresh (fixture);
  chip.failure = "It is broken.";
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

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

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
