/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-guard.h"

#include <glib/gstdio.h>

#include "ward-error.h"

typedef struct
{
  char *folder;
  char *path;
  WardGuard *guard;
  WardOwnership ownership;
  WardSecret *auth;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "tpm0.lockout-guard", NULL);
  fixture->guard = ward_guard_new (fixture->path);
  fixture->ownership = (WardOwnership){ .lockout_auth_set = TRUE, .lockout_recovery_seconds = 1000, .reset_count = 5 };
  fixture->auth = ward_secret_new_from ("secret", 6);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_rmdir (fixture->folder);
  ward_guard_free (fixture->guard);
  ward_secret_unref (fixture->auth);
  g_free (fixture->path);
  g_free (fixture->folder);
}

static gboolean
begin (Fixture *fixture, gboolean force, GError **error)
{
  return ward_guard_begin (fixture->guard, &fixture->ownership, fixture->auth, force, error);
}

static void
end (Fixture *fixture, int code)
{
  g_autoptr (GError) outcome = code < 0 ? NULL : g_error_new_literal (WARD_ERROR, code, "the chip's");

  ward_guard_end (fixture->guard, outcome);
}

static void
restart (Fixture *fixture)
{
  ward_guard_free (fixture->guard);
  fixture->guard = ward_guard_new (fixture->path);
}

static void
assert_refuses (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (begin (fixture, FALSE, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
  g_assert_nonnull (strstr (error->message, "force"));
}

static void
test_right_auth (Fixture *fixture, gconstpointer data)
{
  g_assert_true (begin (fixture, FALSE, NULL));
  end (fixture, -1);
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, 0);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  g_assert_true (begin (fixture, FALSE, NULL));
}

static void
test_wrong_auth (Fixture *fixture, gconstpointer data)
{
  guint64 now = g_get_real_time ();
  guint64 until;

  g_assert_true (begin (fixture, FALSE, NULL));
  end (fixture, WARD_ERROR_AUTHENTICATION_FAILED);
  until = ward_guard_get_barred_until (fixture->guard);
  g_assert_cmpuint (until, >=, now + 1000 * G_USEC_PER_SEC);
  g_assert_cmpuint (until, <=, g_get_real_time () + 1000 * G_USEC_PER_SEC);
  assert_refuses (fixture);

  restart (fixture);
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, until);
  assert_refuses (fixture);
}

static void
test_force (Fixture *fixture, gconstpointer data)
{
  g_assert_true (begin (fixture, FALSE, NULL));
  end (fixture, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_true (begin (fixture, TRUE, NULL));
  end (fixture, -1);
  g_assert_true (begin (fixture, FALSE, NULL));
}

/* The chip refuses without looking: the bar does not become longer. */
static void
test_forced_while_barred (Fixture *fixture, gconstpointer data)
{
  guint64 until;

  g_assert_true (begin (fixture, FALSE, NULL));
  end (fixture, WARD_ERROR_AUTHENTICATION_FAILED);
  until = ward_guard_get_barred_until (fixture->guard);
  g_assert_true (begin (fixture, TRUE, NULL));
  end (fixture, WARD_ERROR_LOCKED_OUT);
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, until);
  restart (fixture);
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, until);
}

/* What has nothing to do with the auth is no failed try. */
static void
test_other_error (Fixture *fixture, gconstpointer data)
{
  g_assert_true (begin (fixture, FALSE, NULL));
  end (fixture, WARD_ERROR_NOT_SUPPORTED);
  g_assert_true (begin (fixture, FALSE, NULL));
}

/* The service is killed between the chip's answer and what would be done about it. */
static void
test_crash_in_the_middle (Fixture *fixture, gconstpointer data)
{
  g_assert_true (begin (fixture, FALSE, NULL));
  restart (fixture);
  assert_refuses (fixture);
}

static void
test_until_reset (Fixture *fixture, gconstpointer data)
{
  fixture->ownership.lockout_recovery_seconds = 0;
  g_assert_true (begin (fixture, FALSE, NULL));
  end (fixture, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, WARD_BARRED_UNTIL_RESET);

  restart (fixture);
  ward_guard_look (fixture->guard, &fixture->ownership);
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, WARD_BARRED_UNTIL_RESET);
  fixture->ownership.reset_count++;
  ward_guard_look (fixture->guard, &fixture->ownership);
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, 0);
  /* the next wrong one would bar it anew */
  assert_refuses (fixture);
}

static void
test_auth_where_none_is_set (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->ownership.lockout_auth_set = FALSE;
  g_assert_false (begin (fixture, TRUE, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  g_assert_true (ward_guard_begin (fixture->guard, &fixture->ownership, NULL, FALSE, NULL));
}

static void
test_damaged_record (Fixture *fixture, gconstpointer data)
{
  g_assert_true (g_file_set_contents (fixture->path, "\x01garbage", -1, NULL));
  g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*counts as a failed one*");
  restart (fixture);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (ward_guard_get_barred_until (fixture->guard), ==, WARD_BARRED_UNTIL_RESET);
  g_assert_true (ward_guard_is_damaged (fixture->guard));
  assert_refuses (fixture);
  g_assert_true (ward_guard_is_damaged (fixture->guard));
  g_assert_true (begin (fixture, TRUE, NULL));
  g_assert_false (ward_guard_is_damaged (fixture->guard));
}

/* Where the try cannot be put on record, it is not made. */
static void
test_unwritable_record (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_free (fixture->path);
  fixture->path = g_strdup ("/nonexistent/tpm0.lockout-guard");
  restart (fixture);
  g_assert_false (begin (fixture, FALSE, &error));
  g_assert_true (error->domain == G_FILE_ERROR);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/guard/right-auth", test_right_auth);
  ADD ("/guard/wrong-auth", test_wrong_auth);
  ADD ("/guard/force", test_force);
  ADD ("/guard/forced-while-barred", test_forced_while_barred);
  ADD ("/guard/other-error", test_other_error);
  ADD ("/guard/crash-in-the-middle", test_crash_in_the_middle);
  ADD ("/guard/until-reset", test_until_reset);
  ADD ("/guard/auth-where-none-is-set", test_auth_where_none_is_set);
  ADD ("/guard/damaged-record", test_damaged_record);
  ADD ("/guard/unwritable-record", test_unwritable_record);
  return g_test_run ();
}
