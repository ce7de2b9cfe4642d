/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking ownership step by step, over a backend whose chip this test plays. */
#include <string.h>

#include "test-tpm-fixture.h"
#include "ward-error.h"

/* What the chip does with what it is told. Read by the test while the worker has nothing to do. */
static struct
{
  GString *steps;    /* what was done: "E+" endorsement set, "O-" owner unset, "S" SRK, … */
  const char *fails; /* the steps that it refuses, each with a space behind it */
} chip;

static gboolean
do_step (const char *step, GError **error)
{
  g_autofree char *word = g_strconcat (step, " ", NULL);

  if (strstr (chip.fails, word))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED, "The chip refuses %s.", step);
      return FALSE;
    }
  g_string_append (chip.steps, word);
  return TRUE;
}

static gboolean
chip_change_auth (WardConnection *connection, WardHierarchy hierarchy, WardSecret *old_auth, WardSecret *new_auth,
                  GError **error)
{
  static const char letters[] = { 'O', 'E', 'L' };
  const char step[] = { letters[hierarchy], new_auth ? '+' : '-', '\0' };

  g_assert_true ((old_auth == NULL) == (new_auth != NULL));
  return do_step (step, error);
}

static gboolean
chip_provision_srk (WardConnection *connection, WardSecret *owner_auth, GError **error)
{
  return do_step ("S", error);
}

static const WardBackend backend = {
  .family = "2.0",
  .guards_lockout = TRUE,
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .read_ownership = test_chip_read_ownership,
  .change_auth = chip_change_auth,
  .provision_srk = chip_provision_srk,
};

static void
set_up (TestTpm *fixture, gconstpointer data)
{
  test_tpm_make (fixture);
  test_chip.ownership.max_auth_size = 32;
  test_chip.ownership.lockout_recovery_seconds = 10;
  chip.steps = g_string_new (NULL);
  chip.fails = "";
  test_tpm_start (fixture, &backend, "device:/test");
}

static void
tear_down (TestTpm *fixture, gconstpointer data)
{
  test_tpm_remove (fixture, (const char *const[]){ "tpm7.chip", NULL });
  g_string_free (chip.steps, TRUE);
}

/* which: letters of the hierarchies to set. */
static gboolean
take_ownership (TestTpm *fixture, const char *which, GError **error)
{
  WardTicket ticket = { 0, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardSecret) auth = ward_secret_new_from ("secret", 6);

  WardSecret *const auths[WARD_N_HIERARCHIES] = {
    [WARD_HIERARCHY_OWNER] = strchr (which, 'O') ? auth : NULL,
    [WARD_HIERARCHY_ENDORSEMENT] = strchr (which, 'E') ? auth : NULL,
    [WARD_HIERARCHY_LOCKOUT] = strchr (which, 'L') ? auth : NULL,
  };

  ward_tpm_take_ownership_async (fixture->tpm, &ticket, auths, FALSE, test_keep_result, &result);
  return ward_tpm_take_ownership_finish (fixture->tpm, test_await_result (&result), error);
}

static void
test_order (TestTpm *fixture, gconstpointer data)
{
  g_assert_true (take_ownership (fixture, "OEL", NULL));
  g_assert_cmpstr (chip.steps->str, ==, "E+ O+ L+ S ");
}

static void
test_lockout_alone (TestTpm *fixture, gconstpointer data)
{
  g_assert_true (take_ownership (fixture, "L", NULL));
  g_assert_cmpstr (chip.steps->str, ==, "L+ S ");
}

static void
test_srk_is_respected (TestTpm *fixture, gconstpointer data)
{
  test_chip.ownership.srk_handle = WARD_SRK_HANDLE;
  g_assert_true (take_ownership (fixture, "L", NULL));
  g_assert_cmpstr (chip.steps->str, ==, "L+ ");
}

static void
test_step_that_fails_is_taken_back (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.fails = "L+ ";
  g_assert_false (take_ownership (fixture, "OEL", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, "The chip refuses L+.");
  g_assert_cmpstr (chip.steps->str, ==, "E+ O+ O- E- ");
}

static void
test_srk_that_fails_takes_all_back (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.fails = "S ";
  g_assert_false (take_ownership (fixture, "OL", &error));
  g_assert_cmpstr (chip.steps->str, ==, "O+ L+ L- O- ");
}

/* What cannot be taken back is told. */
static void
test_what_stands_is_told (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.fails = "L+ O- ";
  g_assert_false (take_ownership (fixture, "OEL", &error));
  g_assert_cmpstr (chip.steps->str, ==, "E+ O+ E- ");
  g_assert_nonnull (strstr (error->message, "taken back: owner."));
  g_assert_nonnull (strstr (error->message, "The chip refuses L+."));
}

static void
test_owned_already (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  test_chip.ownership.lockout_auth_set = TRUE;
  g_assert_false (take_ownership (fixture, "EL", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_ALREADY_OWNED);
  g_assert_cmpstr (chip.steps->str, ==, "");
}

static void
test_too_long (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  test_chip.ownership.max_auth_size = 5;
  g_assert_false (take_ownership (fixture, "EL", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (chip.steps->str, ==, "");
}

#define ADD(path, func) g_test_add (path, TestTpm, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/ownership/order", test_order);
  ADD ("/ownership/lockout-alone", test_lockout_alone);
  ADD ("/ownership/srk-is-respected", test_srk_is_respected);
  ADD ("/ownership/step-that-fails-is-taken-back", test_step_that_fails_is_taken_back);
  ADD ("/ownership/srk-that-fails-takes-all-back", test_srk_that_fails_takes_all_back);
  ADD ("/ownership/what-stands-is-told", test_what_stands_is_told);
  ADD ("/ownership/owned-already", test_owned_already);
  ADD ("/ownership/too-long", test_too_long);
  return g_test_run ();
}
