/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ward-cli-sheet.h"
#include "ward-client-error.h"
#include "ward-client-generate.h"

/* "2026-11-22 12:00:00" where the zone is UTC. */
#define MADE (G_GINT64_CONSTANT (1795348800) * G_USEC_PER_SEC)

static void
test_alphabet (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint n = 0; n < 200; n++)
    {
      g_autoptr (WardSecret) secret = ward_client_generate (NULL);
      const guint8 *data = ward_secret_get_data (secret);

      g_assert_cmpuint (ward_secret_get_size (secret), ==, WARD_CLIENT_GENERATE_SIZE);
      for (gsize i = 0; i < WARD_CLIENT_GENERATE_SIZE; i++)
        {
          gboolean is_dash = i % (WARD_CLIENT_GENERATE_GROUP_SIZE + 1) == WARD_CLIENT_GENERATE_GROUP_SIZE;

          if (is_dash)
            g_assert_cmpint (data[i], ==, '-');
          else
            g_assert_nonnull (strchr (WARD_CLIENT_GENERATE_ALPHABET, data[i]));
          if (!is_dash)
            g_hash_table_add (seen, GUINT_TO_POINTER ((guint)data[i]));
        }
    }
  /* each letter is drawn; that one is not, in 5600 draws, happens once in 10^90 */
  g_assert_cmpuint (g_hash_table_size (seen), ==, strlen (WARD_CLIENT_GENERATE_ALPHABET));
}

static void
test_no_letters_that_look_alike (void)
{
  g_assert_null (strpbrk (WARD_CLIENT_GENERATE_ALPHABET, "0o1ilsuyz-"));
  for (const char *letter = WARD_CLIENT_GENERATE_ALPHABET; *letter != '\0'; letter++)
    g_assert_true (g_ascii_isdigit (*letter) || g_ascii_islower (*letter));
}

static void
test_strength (void)
{
  double letters = WARD_CLIENT_GENERATE_N_GROUPS * WARD_CLIENT_GENERATE_GROUP_SIZE;

  g_assert_cmpfloat (letters * log2 ((double)strlen (WARD_CLIENT_GENERATE_ALPHABET)), >=, 128);
  /* the shortest digest that TPMs of today protect contexts with */
  g_assert_cmpuint (WARD_CLIENT_GENERATE_SIZE, <=, 32);
}

/* All letters are as likely: of 27 counts of 1000 expected each, none is off by a fifth, which is 6 deviations. */
static void
test_fairness (void)
{
  guint counts[256] = { 0 };
  const guint n_letters = (guint)strlen (WARD_CLIENT_GENERATE_ALPHABET);
  const guint n_drawn = 1000 * n_letters;
  guint drawn = 0;

  while (drawn < n_drawn)
    {
      g_autoptr (WardSecret) secret = ward_client_generate (NULL);

      for (gsize i = 0; i < WARD_CLIENT_GENERATE_SIZE; i++)
        {
          guint8 letter = ward_secret_get_data (secret)[i];

          counts[letter]++;
          drawn += letter != '-' ? 1 : 0;
        }
    }
  for (const char *letter = WARD_CLIENT_GENERATE_ALPHABET; *letter != '\0'; letter++)
    {
      g_assert_cmpuint (counts[(guint8)*letter], >, 800);
      g_assert_cmpuint (counts[(guint8)*letter], <, 1200);
    }
}

static void
test_all_differ (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint n = 0; n < 1000; n++)
    {
      g_autoptr (WardSecret) secret = ward_client_generate (NULL);

      g_assert_true (g_hash_table_add (
          seen, g_strndup ((const char *)ward_secret_get_data (secret), ward_secret_get_size (secret))));
    }
}

typedef gboolean (*Print) (const WardClientSheet *sheet, const WardClientSheetEntry *entries, guint n_entries,
                           GError **error);

static const WardClientSheet sheet = {
  .tpm_name = "tpm0",
  .tpm_model = "STM @secret-0@, firmware 1",
  .machine = "desk",
  .made = MADE,
};

/* What print writes to standard output, and whether it could. */
static char *
capture (Print print, int to, gboolean *ok, GError **error)
{
  g_autoptr (WardSecret) lockout = ward_secret_new_from ("open-sesame", 11);
  g_autoptr (WardSecret) owner = ward_secret_new_from ("open-barley", 11);
  const WardClientSheetEntry entries[] = { { "lockout", "The lockout auth", "It lifts lockouts.", lockout },
                                           { "owner", "The owner auth", "It makes keys.", owner } };
  g_autofree char *text = g_malloc0 (8192);
  int saved;

  fflush (stdout);
  saved = dup (STDOUT_FILENO);
  g_assert_cmpint (dup2 (to, STDOUT_FILENO), ==, STDOUT_FILENO);
  *ok = print (&sheet, entries, G_N_ELEMENTS (entries), error);
  clearerr (stdout);
  fflush (stdout);
  dup2 (saved, STDOUT_FILENO);
  close (saved);
  if (lseek (to, 0, SEEK_SET) == 0)
    g_assert_cmpint (read (to, text, 8191), >=, 0);
  return g_steal_pointer (&text);
}

static char *
capture_to_file (Print print)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  int fd = g_file_open_tmp (NULL, &name, NULL);
  gboolean ok;
  char *text = capture (print, fd, &ok, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
  close (fd);
  unlink (name);
  return text;
}

static void
test_sheet (void)
{
  g_autofree char *text = capture_to_file (ward_cli_sheet_print);

  g_assert_nonnull (strstr (text, "\n  The lockout auth\n    open-sesame\n    It lifts lockouts.\n"));
  g_assert_nonnull (strstr (text, "\n  The owner auth\n    open-barley\n    It makes keys.\n"));
  g_assert_nonnull (strstr (text, "  Machine         desk\n"));
  g_assert_nonnull (strstr (text, "  TPM             tpm0\n"));
  g_assert_nonnull (strstr (text, "  Made            2026-11-22 12:00:00\n"));
}

/* Also where a TPM gives itself the name of what stands for a secret. */
static void
test_sheet_in_json (void)
{
  g_autofree char *text = capture_to_file (ward_cli_sheet_print_json);
  g_autoptr (JsonNode) root = json_from_string (text, NULL);
  JsonObject *object, *auths;

  g_assert_nonnull (root);
  object = json_node_get_object (root);
  auths = json_object_get_object_member (object, "auths");
  g_assert_cmpstr (json_object_get_string_member (auths, "lockout"), ==, "open-sesame");
  g_assert_cmpstr (json_object_get_string_member (auths, "owner"), ==, "open-barley");
  g_assert_cmpuint (json_object_get_size (auths), ==, 2);
  g_assert_cmpstr (json_object_get_string_member (object, "model"), ==, sheet.tpm_model);
  g_assert_cmpstr (json_object_get_string_member (object, "tpm"), ==, "tpm0");
  g_assert_cmpstr (json_object_get_string_member (object, "machine"), ==, "desk");
  g_assert_cmpint (json_object_get_int_member (object, "made"), ==, MADE);
}

static void
test_sheet_that_cannot_be_written (void)
{
  const Print prints[] = { ward_cli_sheet_print, ward_cli_sheet_print_json };

  for (gsize i = 0; i < G_N_ELEMENTS (prints); i++)
    {
      int fd = open ("/dev/full", O_RDWR | O_CLOEXEC);
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;
      gboolean ok;

      g_assert_cmpint (fd, >=, 0);
      text = capture (prints[i], fd, &ok, &error);
      g_assert_false (ok);
      g_assert_cmpstr (text, ==, "");
      g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED);
      close (fd);
    }
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli-generate/alphabet", test_alphabet);
  g_test_add_func ("/cli-generate/no-letters-that-look-alike", test_no_letters_that_look_alike);
  g_test_add_func ("/cli-generate/strength", test_strength);
  g_test_add_func ("/cli-generate/fairness", test_fairness);
  g_test_add_func ("/cli-generate/all-differ", test_all_differ);
  g_test_add_func ("/cli-generate/sheet", test_sheet);
  g_test_add_func ("/cli-generate/sheet-in-json", test_sheet_in_json);
  g_test_add_func ("/cli-generate/sheet-that-cannot-be-written", test_sheet_that_cannot_be_written);
  return g_test_run ();
}
