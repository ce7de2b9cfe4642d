/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is told of a journal that the test has made, by systemd-journal-remote. */
#include <string.h>

#include "ward-journal.h"

#define REMOTE "/lib/systemd/systemd-journal-remote"
#define START G_GINT64_CONSTANT (1767225600) /* 2026-01-01T00:00:00Z */

typedef struct
{
  char *root;
  GString *entries; /* as “journalctl -o export” has them */
  guint n_entries;
  char *boot;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *folder = NULL;

  fixture->root = g_dir_make_tmp ("ward-journal-XXXXXX", &error);
  g_assert_no_error (error);
  folder = g_strconcat (fixture->root, "/var/log/journal", NULL);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &id, NULL, NULL));
  parts = g_strsplit (g_strchomp (id), "-", -1);
  fixture->boot = g_strjoinv ("", parts);
  fixture->entries = g_string_new (NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  const char *command[] = { "rm", "-rf", fixture->root, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  g_string_free (fixture->entries, TRUE);
  g_free (fixture->root);
  g_free (fixture->boot);
}

/* A message, a second after the last, with more fields, a line each. */
static void
add_in_boot (Fixture *fixture, const char *boot, const char *fields, const char *message, gsize size)
{
  guint64 length = GUINT64_TO_LE ((guint64)size);
  guint second = fixture->n_entries++;

  g_string_append_printf (fixture->entries,
                          "__REALTIME_TIMESTAMP=%" G_GINT64_FORMAT "\n__MONOTONIC_TIMESTAMP=%u\n_BOOT_ID=%s\n%s\n",
                          (START + second) * G_USEC_PER_SEC, second + 1, boot, fields);
  g_string_append (fixture->entries, "MESSAGE\n");
  g_string_append_len (fixture->entries, (const char *)&length, sizeof length);
  g_string_append_len (fixture->entries, message, (gssize)size);
  g_string_append (fixture->entries, "\n\n");
}

static void
add (Fixture *fixture, const char *fields, const char *message)
{
  add_in_boot (fixture, fixture->boot, fields, message, strlen (message));
}

#define KERNEL "_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel"
#define TCSD "_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=TCSD\n_SYSTEMD_UNIT=tcsd.service"
#define ABRMD "_TRANSPORT=stdout\nSYSLOG_IDENTIFIER=tpm2-abrmd\n_SYSTEMD_UNIT=tpm2-abrmd.service"

static void
make (Fixture *fixture)
{
  g_autofree char *input = g_build_filename (fixture->root, "export", NULL);
  g_autofree char *output = g_strconcat ("--output=", fixture->root, "/var/log/journal/test.journal", NULL);
  const char *command[] = { REMOTE, output, input, NULL };
  g_autofree char *said = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_file_set_contents (input, fixture->entries->str, (gssize)fixture->entries->len, NULL));
  g_assert_true (
      g_spawn_sync (NULL, (char **)command, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &said, &status, &error));
  g_assert_no_error (error);
  if (!g_spawn_check_wait_status (status, NULL))
    g_error ("%s", said);
}

static void
test_what_is_about_tpms (Fixture *fixture, gconstpointer user_data)
{
  g_auto (GStrv) lines = NULL;
  g_auto (GStrv) kernels = NULL;

  add (fixture, KERNEL, "tpm_crb MSFT0101:00: starting");
  add (fixture, KERNEL, "usb 1-1: new device, which has no tpm");
  add (fixture, "_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=systemd", "systemd 252 running (+TPM2)");
  add (fixture, TCSD, "TCSD TDDL: TrouSerS ioctl: (25) Inappropriate ioctl for device");
  add (fixture, "_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=liar\n_SYSTEMD_UNIT=liar.service", "tpm is TPM");
  add (fixture, "_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=liar\n_PID=77\nUNIT=tcsd.service", "tcsd has failed");
  add (fixture, "_TRANSPORT=journal\nSYSLOG_IDENTIFIER=systemd\n_PID=1\nUNIT=tcsd.service",
       "tcsd.service: Control process exited, code=exited, status=132/n/a");
  add (fixture, KERNEL, "ima: No TPM chip found, activating TPM-bypass! ");
  add (fixture, ABRMD, "tcti init failed");
  make (fixture);

  lines = ward_journal_read (fixture->root);
  g_assert_cmpuint (g_strv_length (lines), ==, 5);
  g_assert_cmpstr (lines[0], ==, "2026-01-01T00:00:00Z kernel: tpm_crb MSFT0101:00: starting");
  g_assert_cmpstr (lines[1], ==,
                   "2026-01-01T00:00:03Z TCSD: TCSD TDDL: TrouSerS ioctl: (25) Inappropriate ioctl for device");
  g_assert_cmpstr (lines[2], ==,
                   "2026-01-01T00:00:06Z systemd: tcsd.service: Control process exited, code=exited, status=132/n/a");
  g_assert_cmpstr (lines[3], ==, "2026-01-01T00:00:07Z kernel: ima: No TPM chip found, activating TPM-bypass!");
  g_assert_cmpstr (lines[4], ==, "2026-01-01T00:00:08Z tpm2-abrmd: tcti init failed");

  kernels = ward_journal_read_kernel (fixture->root, 1);
  g_assert_cmpuint (g_strv_length (kernels), ==, 1);
  g_assert_cmpstr (kernels[0], ==, lines[3]);
}

static void
test_only_since_the_start_of_the_machine (Fixture *fixture, gconstpointer user_data)
{
  g_auto (GStrv) lines = NULL;

  add_in_boot (fixture, "0123456789abcdef0123456789abcdef", TCSD, "old", strlen ("old"));
  add (fixture, TCSD, "new");
  make (fixture);
  lines = ward_journal_read (fixture->root);
  g_assert_cmpuint (g_strv_length (lines), ==, 1);
  g_assert_true (g_str_has_suffix (lines[0], "TCSD: new"));
}

static void
test_the_last_of_many (Fixture *fixture, gconstpointer user_data)
{
  g_auto (GStrv) lines = NULL;

  for (guint i = 0; i < 2 * WARD_JOURNAL_MAX_LINES; i++)
    {
      g_autofree char *message = g_strdup_printf ("line %u", i);

      add (fixture, TCSD, message);
    }
  make (fixture);
  lines = ward_journal_read (fixture->root);
  g_assert_cmpuint (g_strv_length (lines), ==, WARD_JOURNAL_MAX_LINES);
  g_assert_true (g_str_has_suffix (lines[0], "line 100"));
  g_assert_true (g_str_has_suffix (lines[WARD_JOURNAL_MAX_LINES - 1], "line 199"));
}

static void
test_lines_are_short_and_printable (Fixture *fixture, gconstpointer user_data)
{
  static const char bad[] = "a\033]0;x\007\nb\0c\377";
  g_autofree char *padding = g_strnfill (WARD_JOURNAL_MAX_LINE, 'x');
  g_auto (GStrv) lines = NULL;

  add_in_boot (fixture, fixture->boot, TCSD, bad, sizeof bad - 1);
  /* a character of three bytes lies across the bound wherever that is */
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *message = g_strdup_printf ("%.*s€€€€€€€€", WARD_JOURNAL_MAX_LINE - 40 - (int)i, padding);

      add (fixture, TCSD, message);
    }
  make (fixture);
  lines = ward_journal_read (fixture->root);
  g_assert_cmpuint (g_strv_length (lines), ==, 5);
  g_assert_cmpstr (lines[0], ==, "2026-01-01T00:00:00Z TCSD: a\357\277\275]0;x\357\277\275\357\277\275b");
  for (guint i = 1; i < 5; i++)
    {
      g_assert_cmpuint (strlen (lines[i]), <=, WARD_JOURNAL_MAX_LINE);
      g_assert_cmpuint (strlen (lines[i]), >, WARD_JOURNAL_MAX_LINE - 8);
      g_assert_true (g_str_has_suffix (lines[i], "…"));
      g_assert_true (g_utf8_validate (lines[i], -1, NULL));
      g_assert_null (strstr (lines[i], "\357\277\275"));
    }
}

static void
test_no_journal (Fixture *fixture, gconstpointer user_data)
{
  g_auto (GStrv) none = ward_journal_read ("/nonexistent");
  g_auto (GStrv) empty = ward_journal_read (fixture->root);

  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_assert_cmpuint (g_strv_length (empty), ==, 0);
}

static void
test_a_damaged_journal (Fixture *fixture, gconstpointer user_data)
{
  g_autofree char *path = g_strconcat (fixture->root, "/var/log/journal/test.journal", NULL);
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_set_contents (path, "LPKSHHRH, and then nothing of a journal", -1, NULL));
  lines = ward_journal_read (fixture->root);
  g_assert_cmpuint (g_strv_length (lines), ==, 0);
}

static void
skip (Fixture *fixture, gconstpointer user_data)
{
  g_test_skip ("there is no " REMOTE " to make a journal by (package systemd-journal-remote)");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer user_data);
    gboolean needs_remote;
  } tests[] = {
    { "/helper-journal/about-tpms", test_what_is_about_tpms, TRUE },
    { "/helper-journal/this-boot", test_only_since_the_start_of_the_machine, TRUE },
    { "/helper-journal/last", test_the_last_of_many, TRUE },
    { "/helper-journal/printable", test_lines_are_short_and_printable, TRUE },
    { "/helper-journal/none", test_no_journal, FALSE },
    { "/helper-journal/damaged", test_a_damaged_journal, FALSE },
  };
  gboolean has_remote = g_file_test (REMOTE, G_FILE_TEST_IS_EXECUTABLE);

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, has_remote || !tests[i].needs_remote ? tests[i].test : skip,
                tear_down);
  return g_test_run ();
}
