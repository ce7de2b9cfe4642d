/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-budget.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ward-error.h"

#define ALICE 1000
#define BOB 1001

typedef struct
{
  char *folder;
  char *path;
  WardBudget *budget;
  WardOwnership ownership;
} Fixture;

/* A chip with 32 tries: 4 are root's, and of 28 each user has 7. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  fixture->path = g_build_filename (fixture->folder, "tpm0.budgets", NULL);
  fixture->budget = ward_budget_new (fixture->folder, "tpm0");
  fixture->ownership = (WardOwnership){ .max_failures = 32, .recovery_seconds = 1000 };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_unlink (fixture->path);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  ward_budget_unref (fixture->budget);
  g_free (fixture->path);
  g_free (fixture->folder);
}

static void
restart (Fixture *fixture)
{
  ward_budget_unref (fixture->budget);
  fixture->budget = ward_budget_new (fixture->folder, "tpm0");
}

/* code: of WARD_ERROR; -1: it was right. A wrong one is counted by the chip too. */
static void
try_auth (Fixture *fixture, guint uid, int code)
{
  g_autoptr (GError) outcome = code < 0 ? NULL : g_error_new_literal (WARD_ERROR, code, "the chip's");
  g_autoptr (GError) error = NULL;

  g_assert_true (ward_budget_charge (fixture->budget, uid, &fixture->ownership, &error));
  g_assert_no_error (error);
  ward_budget_settle (fixture->budget, uid, outcome);
  fixture->ownership.failures += code == WARD_ERROR_AUTHENTICATION_FAILED;
}

static guint
get_left (Fixture *fixture, guint uid)
{
  return ward_budget_get_left (fixture->budget, uid, &fixture->ownership);
}

static void
assert_refused (Fixture *fixture, guint uid, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (ward_budget_charge (fixture->budget, uid, &fixture->ownership, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_nonnull (strstr (error->message, "Try again after 20"));
}

static void
use_up (Fixture *fixture, guint uid)
{
  while (get_left (fixture, uid) > 0)
    try_auth (fixture, uid, WARD_ERROR_AUTHENTICATION_FAILED);
}

/* As if so much time had passed, with everything on record as it was. */
static void
let_pass (Fixture *fixture, gint64 seconds)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;

  g_assert_true (g_key_file_load_from_file (file, fixture->path, G_KEY_FILE_NONE, NULL));
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i]; i++)
    g_key_file_set_uint64 (file, groups[i], "Since",
                           g_key_file_get_uint64 (file, groups[i], "Since", NULL) - seconds * G_USEC_PER_SEC);
  g_assert_true (g_key_file_save_to_file (file, fixture->path, NULL));
  restart (fixture);
}

static void
test_one_user_does_not_use_up_all (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);
  use_up (fixture, BOB);
  g_assert_cmpuint (fixture->ownership.failures, ==, 7);
  assert_refused (fixture, BOB, "at most 7");
  g_assert_cmpuint (get_left (fixture, ALICE), ==, 7);
  try_auth (fixture, ALICE, -1);
}

static void
test_last_tries_are_roots (Fixture *fixture, gconstpointer data)
{
  fixture->ownership.failures = 27;
  g_assert_cmpuint (get_left (fixture, ALICE), ==, 1);
  try_auth (fixture, ALICE, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_cmpuint (get_left (fixture, ALICE), ==, 0);
  assert_refused (fixture, ALICE, "kept for root");
  g_assert_cmpuint (get_left (fixture, 0), ==, 4);
  for (guint i = 0; i < 4; i++)
    try_auth (fixture, 0, WARD_ERROR_AUTHENTICATION_FAILED);
  assert_refused (fixture, BOB, "locked itself");
}

/* With few tries there is still one that is root's, and one for each user. */
static void
test_few_tries (Fixture *fixture, gconstpointer data)
{
  fixture->ownership.max_failures = 3;
  g_assert_cmpuint (get_left (fixture, BOB), ==, 1);
  use_up (fixture, BOB);
  assert_refused (fixture, BOB, "at most 1");
  use_up (fixture, ALICE);
  assert_refused (fixture, 1002, "kept for root");
  g_assert_cmpuint (get_left (fixture, 0), ==, 1);

  fixture->ownership = (WardOwnership){ .max_failures = 1, .recovery_seconds = 1000 };
  g_assert_cmpuint (get_left (fixture, 1002), ==, 0);
  assert_refused (fixture, 1002, "kept for root");
}

static void
test_what_is_not_wrong_is_refunded (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 20; i++)
    {
      try_auth (fixture, BOB, -1);
      try_auth (fixture, BOB, WARD_ERROR_CORRUPT);
      try_auth (fixture, BOB, WARD_ERROR_LOCKED_OUT);
    }
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);
  try_auth (fixture, BOB, WARD_ERROR_UNREACHABLE);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 6);
}

static void
test_crash_in_the_middle (Fixture *fixture, gconstpointer data)
{
  struct stat status;

  g_assert_true (ward_budget_charge (fixture->budget, BOB, &fixture->ownership, NULL));
  g_assert_cmpint (g_stat (fixture->path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 07777, ==, 0600);
  restart (fixture);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 6);
}

/* The service dies in the middle of a try: what the chip has counted since tells whether it was wrong. */
static void
test_crash_is_resolved (Fixture *fixture, gconstpointer data)
{
  try_auth (fixture, BOB, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_true (ward_budget_charge (fixture->budget, BOB, &fixture->ownership, NULL));
  restart (fixture);
  try_auth (fixture, ALICE, -1);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 6);

  g_assert_true (ward_budget_charge (fixture->budget, BOB, &fixture->ownership, NULL));
  fixture->ownership.failures++;
  restart (fixture);
  try_auth (fixture, ALICE, -1);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 5);
  restart (fixture);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 5);
}

/* A chip that loses its power counts a failure for a key that was in use. */
static void
test_power_loss_is_nobodys (Fixture *fixture, gconstpointer data)
{
  try_auth (fixture, BOB, -1);
  fixture->ownership.failures++;
  fixture->ownership.reset_count++;
  g_assert_false (ward_budget_has_counted (fixture->budget, &fixture->ownership));
  restart (fixture);
  try_auth (fixture, ALICE, -1);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);

  try_auth (fixture, BOB, -1);
  fixture->ownership.failures += 2;
  fixture->ownership.reset_count++;
  g_assert_true (ward_budget_has_counted (fixture->budget, &fixture->ownership));
  restart (fixture);
  try_auth (fixture, ALICE, -1);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 6);
}

static void
replace_record (Fixture *fixture, const char *text)
{
  g_assert_true (g_file_set_contents (fixture->path, text, -1, NULL));
}

static char *
read_record (Fixture *fixture)
{
  char *text = NULL;

  g_assert_true (g_file_get_contents (fixture->path, &text, NULL, NULL));
  return text;
}

/* Of right tries one after the other only the first is put on disk, and taken off when there are no more. */
static void
test_burst (Fixture *fixture, gconstpointer data)
{
  g_autofree char *burst = NULL;
  g_autofree char *rest = NULL;
  g_autofree char *unchanged = NULL;

  try_auth (fixture, BOB, -1);
  burst = read_record (fixture);
  g_assert_nonnull (strstr (burst, "1001"));
  replace_record (fixture, "untouched");
  for (guint i = 0; i < 20; i++)
    try_auth (fixture, BOB, -1);
  unchanged = read_record (fixture);
  g_assert_cmpstr (unchanged, ==, "untouched");
  ward_budget_rest (fixture->budget);
  rest = read_record (fixture);
  g_assert_null (strstr (rest, "1001"));
  restart (fixture);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);
}

/* A wrong try in a burst is on disk at once, and others' right ones are not charged any more. */
static void
test_wrong_in_a_burst (Fixture *fixture, gconstpointer data)
{
  try_auth (fixture, ALICE, -1);
  try_auth (fixture, BOB, -1);
  try_auth (fixture, BOB, WARD_ERROR_AUTHENTICATION_FAILED);
  restart (fixture);
  g_assert_cmpuint (get_left (fixture, ALICE), ==, 7);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 6);
}

/* After somebody else's failure a burst's charge is put on record anew: a crash would else count it. */
static void
test_others_fail_in_a_burst (Fixture *fixture, gconstpointer data)
{
  try_auth (fixture, BOB, -1);
  fixture->ownership.failures = 5;
  try_auth (fixture, BOB, -1);
  restart (fixture);
  try_auth (fixture, ALICE, -1);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);
}

static void
test_recall (Fixture *fixture, gconstpointer data)
{
  g_assert_null (ward_budget_recall (fixture->budget));
  try_auth (fixture, BOB, -1);
  g_assert_cmpuint (ward_budget_recall (fixture->budget)->max_failures, ==, 32);
  try_auth (fixture, BOB, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_null (ward_budget_recall (fixture->budget));
  /* 4 are root's: after the 28th failure there are only those, and another program may make it unseen */
  fixture->ownership.failures = 26;
  try_auth (fixture, BOB, -1);
  g_assert_nonnull (ward_budget_recall (fixture->budget));
  fixture->ownership.failures = 27;
  try_auth (fixture, BOB, -1);
  g_assert_null (ward_budget_recall (fixture->budget));
}

static void
test_restart (Fixture *fixture, gconstpointer data)
{
  use_up (fixture, BOB);
  restart (fixture);
  assert_refused (fixture, BOB, "at most 7");
  try_auth (fixture, ALICE, -1);
}

/* One after each interval, as the chip does it, and not all at once. */
static void
test_time_forgives (Fixture *fixture, gconstpointer data)
{
  use_up (fixture, BOB);
  let_pass (fixture, 999);
  assert_refused (fixture, BOB, "at most 7");
  let_pass (fixture, 1);
  try_auth (fixture, BOB, WARD_ERROR_AUTHENTICATION_FAILED);
  assert_refused (fixture, BOB, "at most 7");
  let_pass (fixture, 3500);
  for (guint i = 0; i < 3; i++)
    try_auth (fixture, BOB, WARD_ERROR_AUTHENTICATION_FAILED);
  assert_refused (fixture, BOB, "at most 7");
}

static void
test_clock_set_back (Fixture *fixture, gconstpointer data)
{
  use_up (fixture, BOB);
  let_pass (fixture, -100000); /* the record is of the future */
  assert_refused (fixture, BOB, "at most 7");
}

static void
test_restore (Fixture *fixture, gconstpointer data)
{
  use_up (fixture, BOB);
  ward_budget_restore (fixture->budget);
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
  fixture->ownership.failures = 0;
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);
  restart (fixture);
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);
}

/* Where the chip forgives nothing by time it counts nothing. */
static void
test_chip_that_does_not_count (Fixture *fixture, gconstpointer data)
{
  fixture->ownership.recovery_seconds = 0;
  for (guint i = 0; i < 50; i++)
    {
      try_auth (fixture, BOB, WARD_ERROR_AUTHENTICATION_FAILED);
      fixture->ownership.failures = 0;
    }
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_EXISTS));
}

static void
test_damaged_record (Fixture *fixture, gconstpointer data)
{
  static const char *const damaged[] = {
    "\x01garbage",
    "[User 1000]\nCount=1\n",
    "[User 1000]\nCount=-1\nSince=5\n",
    "[User 1000]\nCount=70000\nSince=5\n",
    "[User bob]\nCount=1\nSince=5\n",
    "[User 99999999999]\nCount=1\nSince=5\n",
    "[Flight 1000]\nFailures=0\nSince=5\n",
    "[Flight bob]\nFailures=0\nResets=0\nSince=5\n",
    "[Nonsense]\nCount=1\nSince=5\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      g_assert_true (g_file_set_contents (fixture->path, damaged[i], -1, NULL));
      g_test_expect_message ("tpmward", G_LOG_LEVEL_WARNING, "*all tries used up*");
      restart (fixture);
      g_test_assert_expected_messages ();
      assert_refused (fixture, ALICE, "damaged");
      g_assert_true (ward_budget_charge (fixture->budget, 0, &fixture->ownership, NULL));
      /* a restart does not begin it anew, and time ends it */
      let_pass (fixture, 999);
      assert_refused (fixture, BOB, "damaged");
      let_pass (fixture, 2);
      try_auth (fixture, ALICE, -1);
    }
}

/* Where the try cannot be put on record, it is not made. */
static void
test_unwritable_record (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  ward_budget_unref (fixture->budget);
  fixture->budget = ward_budget_new ("/nonexistent", "tpm0");
  g_assert_false (ward_budget_charge (fixture->budget, BOB, &fixture->ownership, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "on record"));
  g_assert_cmpuint (get_left (fixture, BOB), ==, 7);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/budget/one-user-does-not-use-up-all", test_one_user_does_not_use_up_all);
  ADD ("/budget/last-tries-are-roots", test_last_tries_are_roots);
  ADD ("/budget/few-tries", test_few_tries);
  ADD ("/budget/what-is-not-wrong-is-refunded", test_what_is_not_wrong_is_refunded);
  ADD ("/budget/crash-in-the-middle", test_crash_in_the_middle);
  ADD ("/budget/crash-is-resolved", test_crash_is_resolved);
  ADD ("/budget/power-loss-is-nobodys", test_power_loss_is_nobodys);
  ADD ("/budget/burst", test_burst);
  ADD ("/budget/wrong-in-a-burst", test_wrong_in_a_burst);
  ADD ("/budget/others-fail-in-a-burst", test_others_fail_in_a_burst);
  ADD ("/budget/recall", test_recall);
  ADD ("/budget/restart", test_restart);
  ADD ("/budget/time-forgives", test_time_forgives);
  ADD ("/budget/clock-set-back", test_clock_set_back);
  ADD ("/budget/restore", test_restore);
  ADD ("/budget/chip-that-does-not-count", test_chip_that_does_not_count);
  ADD ("/budget/damaged-record", test_damaged_record);
  ADD ("/budget/unwritable-record", test_unwritable_record);
  return g_test_run ();
}
