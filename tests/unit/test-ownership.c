/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking ownership step by step, over a backend whose chip this test plays. */
#include <glib/gstdio.h>

#include "ward-error.h"
#include "ward-tpm.h"

struct _WardConnection
{
  int dummy;
};

/* The chip. Read by the test while the worker has nothing to do. */
static struct
{
  WardOwnership ownership;
  GString *steps;    /* what was done: "E+" endorsement set, "O-" owner unset, "S" SRK, … */
  const char *fails; /* the steps that it refuses, each with a space behind it */
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
  return ward_identity_new ();
}

static WardOwnership *
chip_read_ownership (WardConnection *connection, GError **error)
{
  return g_memdup2 (&chip.ownership, sizeof chip.ownership);
}

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
  .open = chip_open,
  .close = chip_close,
  .identify = chip_identify,
  .read_ownership = chip_read_ownership,
  .change_auth = chip_change_auth,
  .provision_srk = chip_provision_srk,
};

typedef struct
{
  char *state_dir;
  WardTpm *tpm;
  WardSecret *auth;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  chip.ownership = (WardOwnership){ .max_auth_size = 32, .lockout_recovery_seconds = 10 };
  chip.steps = g_string_new (NULL);
  chip.fails = "";
  fixture->state_dir = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  fixture->tpm = ward_tpm_new ("tpm7", "2.0", "device:/test", "", "", &backend, fixture->state_dir);
  fixture->auth = ward_secret_new_from ("secret", 6);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autofree char *record = g_build_filename (fixture->state_dir, "tpm7.chip", NULL);

  g_clear_object (&fixture->tpm);
  g_assert_true (ward_worker_wait_all (10 * G_USEC_PER_SEC));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  ward_secret_unref (fixture->auth);
  g_unlink (record);
  g_assert_cmpint (g_rmdir (fixture->state_dir), ==, 0);
  g_free (fixture->state_dir);
  g_string_free (chip.steps, TRUE);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* which: letters of the hierarchies to set. */
static gboolean
take_ownership (Fixture *fixture, const char *which, GError **error)
{
  WardTicket ticket = { 0, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_take_ownership_async (fixture->tpm, &ticket, strchr (which, 'O') ? fixture->auth : NULL,
                                 strchr (which, 'E') ? fixture->auth : NULL, strchr (which, 'L') ? fixture->auth : NULL,
                                 FALSE, keep_result, &result);
  while (!result)
    g_main_context_iteration (NULL, TRUE);
  return ward_tpm_take_ownership_finish (fixture->tpm, result, error);
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  g_assert_true (take_ownership (fixture, "OEL", NULL));
  g_assert_cmpstr (chip.steps->str, ==, "E+ O+ L+ S ");
}

static void
test_lockout_alone (Fixture *fixture, gconstpointer data)
{
  g_assert_true (take_ownership (fixture, "L", NULL));
  g_assert_cmpstr (chip.steps->str, ==, "L+ S ");
}

static void
test_srk_is_respected (Fixture *fixture, gconstpointer data)
{
  chip.ownership.srk_handle = WARD_SRK_HANDLE;
  g_assert_true (take_ownership (fixture, "L", NULL));
  g_assert_cmpstr (chip.steps->str, ==, "L+ ");
}

static void
test_step_that_fails_is_taken_back (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.fails = "L+ ";
  g_assert_false (take_ownership (fixture, "OEL", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, "The chip refuses L+.");
  g_assert_cmpstr (chip.steps->str, ==, "E+ O+ O- E- ");
}

static void
test_srk_that_fails_takes_all_back (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.fails = "S ";
  g_assert_false (take_ownership (fixture, "OL", &error));
  g_assert_cmpstr (chip.steps->str, ==, "O+ L+ L- O- ");
}

/* What cannot be taken back is told. */
static void
test_what_stands_is_told (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.fails = "L+ O- ";
  g_assert_false (take_ownership (fixture, "OEL", &error));
  g_assert_cmpstr (chip.steps->str, ==, "E+ O+ E- ");
  g_assert_nonnull (strstr (error->message, "taken back: owner."));
  g_assert_nonnull (strstr (error->message, "The chip refuses L+."));
}

static void
test_owned_already (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.ownership.lockout_auth_set = TRUE;
  g_assert_false (take_ownership (fixture, "EL", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_ALREADY_OWNED);
  g_assert_cmpstr (chip.steps->str, ==, "");
}

static void
test_too_long (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.ownership.max_auth_size = 5;
  g_assert_false (take_ownership (fixture, "EL", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (chip.steps->str, ==, "");
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

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
