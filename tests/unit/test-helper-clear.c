/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Requests to the firmware, on a tree that stands for the kernel's. What is written stays in its file. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test-tree.h"
#include "ward-clear-request.h"
#include "ward-error.h"

#define TPM0 "/sys/class/tpm/tpm0"

typedef struct
{
  char *root;
  char *ppi; /* the folder */
} Fixture;

/* file: FILE=TEXT, in the kernel's folder of the TPM. */
static void
put (Fixture *fixture, const char *file)
{
  g_autofree char *path = g_strconcat (TPM0, file, NULL);

  test_tree_add (fixture->root, path);
}

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  fixture->root = g_dir_make_tmp ("ward-clear-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->ppi = g_strconcat (fixture->root, TPM0 "/ppi", NULL);
  put (fixture, "/tpm_version_major=2\n");
  put (fixture, "/ppi/tcg_operations=0 4: x\n5 3: User required\n14 4: x\n22 4: x\n23 4: x\n24 4: x\n");
  put (fixture, "/ppi/request=0\n");
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  test_tree_remove (fixture->root);
  g_free (fixture->root);
  g_free (fixture->ppi);
}

static void
assert_request (Fixture *fixture, const char *start)
{
  g_autofree char *path = g_build_filename (fixture->ppi, "request", NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, start));
}

static void
assert_refused (Fixture *fixture, const char *tpm, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (ward_clear_request_make (fixture->root, tpm, &error), ==, 0);
  g_assert_error (error, WARD_ERROR, code);
}

static void
assert_not_withdrawn (Fixture *fixture, const char *tpm, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (ward_clear_request_withdraw (fixture->root, tpm, &error));
  g_assert_error (error, WARD_ERROR, code);
}

static void
test_a_clear_is_asked_for_and_withdrawn (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++) /* a second time, as it may be asked for again */
    {
      g_assert_cmpuint (ward_clear_request_make (fixture->root, "tpm0", &error), ==, 5);
      g_assert_no_error (error);
      assert_request (fixture, "5\n");
    }
  g_assert_true (ward_clear_request_withdraw (fixture->root, "tpm0", &error));
  g_assert_no_error (error);
  assert_request (fixture, "0\n");
  assert_not_withdrawn (fixture, "tpm0", WARD_ERROR_NOT_FOUND);
}

static void
test_a_tpm_12_is_switched_on_again (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  put (fixture, "/tpm_version_major=1\n");
  g_assert_cmpuint (ward_clear_request_make (fixture->root, "tpm0", &error), ==, 22);
  g_assert_no_error (error);
  assert_request (fixture, "22\n");
  g_assert_true (ward_clear_request_withdraw (fixture->root, "tpm0", &error));
  assert_request (fixture, "0\n");

  put (fixture, "/ppi/tcg_operations=5 4: x\n14 4: x\n");
  g_assert_cmpuint (ward_clear_request_make (fixture->root, "tpm0", &error), ==, 14);
  assert_request (fixture, "14\n");
}

static void
test_firmware_that_takes_no_request_is_not_asked (Fixture *fixture, gconstpointer user_data)
{
  static const char *const operations[] = {
    "/ppi/tcg_operations=",
    "/ppi/tcg_operations=5 2: Blocked for OS by BIOS\n",
    "/ppi/tcg_operations=23 4: x\n24 4: x\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      put (fixture, operations[i]);
      assert_refused (fixture, "tpm0", WARD_ERROR_NOT_SUPPORTED);
      assert_request (fixture, "0\n");
    }
}

static void
test_another_request_is_left_alone (Fixture *fixture, gconstpointer user_data)
{
  put (fixture, "/ppi/request=23 1\n");
  assert_refused (fixture, "tpm0", WARD_ERROR_BUSY);
  assert_not_withdrawn (fixture, "tpm0", WARD_ERROR_NOT_FOUND);
  assert_request (fixture, "23 1\n");
}

static void
test_bad_names_lead_nowhere (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *huge = g_strnfill (300, '1');
  g_autofree char *long_name = g_strconcat ("tpm", huge, NULL);
  const char *const names[] = { "../tpm/tpm0", "../tpm0", "tpm0/ppi", "tpm0/../tpm0", "", "tpm", "/", ".", long_name };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      assert_refused (fixture, names[i], WARD_ERROR_INVALID_ARGUMENT);
      assert_not_withdrawn (fixture, names[i], WARD_ERROR_INVALID_ARGUMENT);
    }
  assert_refused (fixture, "tpm1", WARD_ERROR_NOT_FOUND);
  assert_not_withdrawn (fixture, "tpm1", WARD_ERROR_NOT_FOUND);
  assert_request (fixture, "0\n");
}

static void
test_nothing_but_the_kernels_file_is_written (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *request = g_build_filename (fixture->ppi, "request", NULL);
  g_autofree char *victim = g_build_filename (fixture->root, "victim", NULL);
  g_autofree char *text = NULL;

  test_tree_add (fixture->root, "/victim=0\n");
  g_assert_cmpint (g_unlink (request), ==, 0);
  assert_refused (fixture, "tpm0", WARD_ERROR_FAILED); /* not there: offered, but not to be asked for */
  g_assert_cmpint (symlink (victim, request), ==, 0);
  assert_refused (fixture, "tpm0", WARD_ERROR_FAILED);
  g_assert_true (g_file_get_contents (victim, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "0\n");
}

/* A pipe stands for firmware that says yes and forgets. */
static void
test_a_request_that_does_not_show_is_withdrawn_and_told_of (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *request = g_build_filename (fixture->ppi, "request", NULL);
  char said[8] = "";
  int pipe;

  g_assert_cmpint (g_unlink (request), ==, 0);
  g_assert_cmpint (mkfifo (request, 0600), ==, 0);
  pipe = open (request, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (pipe, >=, 0);
  assert_refused (fixture, "tpm0", WARD_ERROR_FAILED);
  g_assert_cmpint (read (pipe, said, sizeof said - 1), ==, 2); /* the helper has read the first */
  g_assert_cmpstr (said, ==, "0\n");
  close (pipe);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer user_data);
  } tests[] = {
    { "/helper-clear/made-and-withdrawn", test_a_clear_is_asked_for_and_withdrawn },
    { "/helper-clear/tpm12", test_a_tpm_12_is_switched_on_again },
    { "/helper-clear/not-offered", test_firmware_that_takes_no_request_is_not_asked },
    { "/helper-clear/another", test_another_request_is_left_alone },
    { "/helper-clear/bad-names", test_bad_names_lead_nowhere },
    { "/helper-clear/no-other-file", test_nothing_but_the_kernels_file_is_written },
    { "/helper-clear/not-shown", test_a_request_that_does_not_show_is_withdrawn_and_told_of },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
