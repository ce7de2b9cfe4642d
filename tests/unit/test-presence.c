/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is read of the Physical Presence Interface, on trees as kernels show them. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "ward-presence.h"

/* QEMU with OVMF, Linux 6.1: PPI 1.3. */
#define OVMF                                                                                                           \
  "0 4: User not required\n5 3: User required\n14 3: User required\n21 3: User required\n22 3: User required\n"        \
  "23 3: User required\n24 3: User required\n33 4: User not required\n96 4: User not required\n"                       \
  "97 4: User not required\n"

typedef struct
{
  char *root;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  fixture->root = g_dir_make_tmp ("ward-presence-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  const char *command[] = { "rm", "-rf", fixture->root, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  g_free (fixture->root);
}

/* Puts a file of the TPM: "ppi/request". */
static void
put (Fixture *fixture, const char *tpm, const char *file, const char *text, gssize size)
{
  g_autofree char *path = g_strdup_printf ("%s/sys/class/tpm/%s/%s", fixture->root, tpm, file);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_file_set_contents (path, text, size, &error);
  g_assert_no_error (error);
}

static void
put_ppi (Fixture *fixture, const char *major, const char *operations, const char *request, const char *response)
{
  put (fixture, "tpm0", "tpm_version_major", major, -1);
  put (fixture, "tpm0", "ppi/tcg_operations", operations, -1);
  put (fixture, "tpm0", "ppi/request", request, -1);
  put (fixture, "tpm0", "ppi/response", response, -1);
}

static void
assert_nothing (Fixture *fixture, const char *tpm)
{
  g_autoptr (WardPresenceState) state = ward_presence_read (fixture->root, tpm);

  g_assert_cmpint (state->clear, ==, WARD_PRESENCE_NONE);
  g_assert_cmpuint (state->clear_operation, ==, 0);
  g_assert_false (state->clear_pending);
  g_assert_null (state->response);
  g_assert_false (state->response_is_failure);
}

static void
test_ovmf (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (WardPresenceState) state = NULL;

  put_ppi (fixture, "2\n", OVMF, "0\n", "0: No Recent Request\n");
  state = ward_presence_read (fixture->root, "tpm0");
  g_assert_cmpint (state->clear, ==, WARD_PRESENCE_PROMPT);
  g_assert_cmpuint (state->clear_operation, ==, 5);
  g_assert_false (state->clear_pending);
  g_assert_null (state->response);
}

static void
test_seabios_offers_nothing (Fixture *fixture, gconstpointer user_data)
{
  put_ppi (fixture, "2\n", "", "0\n", "0: No Recent Request\n");
  assert_nothing (fixture, "tpm0");
}

static void
test_no_interface (Fixture *fixture, gconstpointer user_data)
{
  put (fixture, "tpm0", "tpm_version_major", "2\n", -1);
  assert_nothing (fixture, "tpm0");
  assert_nothing (fixture, "tpm1");
}

static void
test_what_the_firmware_says_of_an_operation (Fixture *fixture, gconstpointer user_data)
{
  static const struct
  {
    const char *major, *operations;
    WardPresence clear;
    guint32 operation;
  } cases[] = {
    { "2\n", "5 4: User not required\n", WARD_PRESENCE_IMMEDIATE, 5 },
    { "2\n", "5 3: User required\n", WARD_PRESENCE_PROMPT, 5 },
    { "2\n", "5 0: Not implemented\n", WARD_PRESENCE_NONE, 0 },
    { "2\n", "5 1: BIOS only\n", WARD_PRESENCE_NONE, 0 },
    { "2\n", "5 2: Blocked for OS by BIOS\n", WARD_PRESENCE_NONE, 0 },
    { "2\n", "15 4: x\n55 4: x\n", WARD_PRESENCE_NONE, 0 },
    { "2\n", "22 4: User not required\n", WARD_PRESENCE_NONE, 0 },
    { "1\n", "5 4: x\n14 4: x\n22 3: x\n", WARD_PRESENCE_PROMPT, 22 },
    { "1\n", "5 4: x\n14 4: x\n22 2: x\n", WARD_PRESENCE_IMMEDIATE, 14 },
    { "1\n", "5 4: x\n", WARD_PRESENCE_NONE, 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WardPresenceState) state = NULL;

      put_ppi (fixture, cases[i].major, cases[i].operations, "0\n", "");
      state = ward_presence_read (fixture->root, "tpm0");
      g_assert_cmpint (state->clear, ==, cases[i].clear);
      g_assert_cmpuint (state->clear_operation, ==, cases[i].operation);
    }
}

static void
test_what_waits (Fixture *fixture, gconstpointer user_data)
{
  static const struct
  {
    const char *text;
    guint32 pending;
    gboolean clears;
  } cases[] = {
    { "0\n", 0, FALSE },
    { "5\n", 5, TRUE },
    { "14\n", 14, TRUE },
    { "21\n", 21, TRUE },
    { "22\n", 22, TRUE },
    { "23\n", 23, FALSE },
    { "23 3\n", 23, FALSE },
    { "24\n", 24, FALSE },
    { "1\n", 1, FALSE },
    { "", 0, FALSE },
    { "\n", 0, FALSE },
    { "-5\n", 0, FALSE },
    { "5x\n", 0, FALSE },
    { "five\n", 0, FALSE },
    { " 5\n", 0, FALSE },
    { "5", 0, FALSE },
    { "0x\n", 0, FALSE },
    { "4294967301\n", 0, FALSE },
    { "99999999999999999999999\n", 0, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WardPresenceState) state = NULL;

      put_ppi (fixture, "2\n", OVMF, cases[i].text, "");
      state = ward_presence_read (fixture->root, "tpm0");
      g_assert_cmpuint (ward_presence_read_pending (fixture->root, "tpm0"), ==, cases[i].pending);
      g_assert_cmpint (state->clear_pending, ==, cases[i].clears);
    }
}

static void
test_what_the_firmware_has_done (Fixture *fixture, gconstpointer user_data)
{
  static const struct
  {
    const char *text, *part; /* NULL: says nothing */
    gboolean is_failure;
  } cases[] = {
    { "0: No Recent Request\n", NULL, FALSE },
    { "5 0: Success\n", "has done what the last request to clear the TPM (operation 5)", FALSE },
    { "23 0: Success\n", "for operation 23", FALSE },
    { "5 0xFFFFFFF0: User Abort\n", "was not confirmed at the machine", TRUE },
    { "5 0xFFFFFFF1: BIOS Failure\n", "The firmware failed", TRUE },
    { "5 257: Corresponding TPM error\n", "error 0x101", TRUE },
    { "5 4096: Error\n", "0x1000", TRUE },
    { "garbage", NULL, FALSE },
    { "5\n", NULL, FALSE },
    { "5 Success\n", NULL, FALSE },
    { "5 -1: Error\n", NULL, FALSE },
    { "", NULL, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WardPresenceState) state = NULL;

      put_ppi (fixture, "2\n", OVMF, "0\n", cases[i].text);
      state = ward_presence_read (fixture->root, "tpm0");
      g_assert_cmpint (state->response_is_failure, ==, cases[i].is_failure);
      if (cases[i].part)
        g_assert_nonnull (strstr (state->response, cases[i].part));
      else
        g_assert_null (state->response);
    }
}

static void
test_bad_files_are_no_files (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *huge = g_strnfill (3 << 20, '5');
  static const char with_nul[] = "5 3: a\0b\n5 3: User required\n";

  put_ppi (fixture, huge, huge, huge, huge);
  assert_nothing (fixture, "tpm0");
  put (fixture, "tpm0", "ppi/tcg_operations", with_nul, sizeof with_nul);
  put (fixture, "tpm0", "ppi/request", "5\n\0", 3);
  assert_nothing (fixture, "tpm0");
}

static void
test_neither_links_nor_pipes_are_files (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *folder = g_strdup_printf ("%s/sys/class/tpm/tpm0/ppi", fixture->root);
  g_autofree char *link = g_build_filename (folder, "request", NULL);
  g_autofree char *pipe = g_build_filename (folder, "tcg_operations", NULL);

  put_ppi (fixture, "2\n", OVMF, "5\n", "");
  put (fixture, "tpm1", "ppi/request", "5\n", -1);
  g_assert_cmpint (g_unlink (link), ==, 0);
  g_assert_cmpint (symlink ("../../tpm1/ppi/request", link), ==, 0);
  g_assert_cmpint (g_unlink (pipe), ==, 0);
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  assert_nothing (fixture, "tpm0");
}

static void
test_only_names_of_tpms_are_names (Fixture *fixture, gconstpointer user_data)
{
  static const char *const good[] = { "tpm0", "tpm9", "tpm1234" };
  static const char *const bad[] = { "",      "tpm",   "tpm12345", "tpmrm0", "../tpm0", "tpm0/", "tpm0/ppi",
                                     "tpm 0", "tpm-1", "TPM0",     "xtpm0",  "tpm0\n",  "tpm٣" };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (ward_presence_is_tpm_name (good[i]));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_false (ward_presence_is_tpm_name (bad[i]));
      g_assert_cmpint (ward_presence_open (fixture->root, bad[i], "request", O_RDONLY), ==, -1);
      g_assert_cmpint (errno, ==, EINVAL);
    }
  put_ppi (fixture, "2\n", OVMF, "5\n", "");
  assert_nothing (fixture, "../tpm/tpm0");
}

static void
test_words (Fixture *fixture, gconstpointer user_data)
{
  g_assert_cmpstr (ward_presence_to_string (WARD_PRESENCE_NONE), ==, "none");
  g_assert_cmpstr (ward_presence_to_string (WARD_PRESENCE_PROMPT), ==, "prompt");
  g_assert_cmpstr (ward_presence_to_string (WARD_PRESENCE_IMMEDIATE), ==, "immediate");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer user_data);
  } tests[] = {
    { "/presence/ovmf", test_ovmf },
    { "/presence/seabios", test_seabios_offers_nothing },
    { "/presence/no-interface", test_no_interface },
    { "/presence/operations", test_what_the_firmware_says_of_an_operation },
    { "/presence/pending", test_what_waits },
    { "/presence/response", test_what_the_firmware_has_done },
    { "/presence/bad-files", test_bad_files_are_no_files },
    { "/presence/links", test_neither_links_nor_pipes_are_files },
    { "/presence/names", test_only_names_of_tpms_are_names },
    { "/presence/words", test_words },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
