/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-self-test.h"

#include "ward-error.h"

#define GROUP "Self-test"

static const char *const states[] = {
  [WARD_SELF_TEST_NEVER_RUN] = "never-run",
  [WARD_SELF_TEST_RUNNING] = "running",
  [WARD_SELF_TEST_PASSED] = "passed",
  [WARD_SELF_TEST_FAILED] = "failed",
};

const char *
ward_self_test_state_to_string (WardSelfTestState state)
{
  return states[state];
}

/* The record of a TPM that nobody has asked for a test. */
WardSelfTest *
ward_self_test_new (void)
{
  WardSelfTest *test = g_new0 (WardSelfTest, 1);

  test->text = g_strdup ("");
  return test;
}

WardSelfTest *
ward_self_test_copy (const WardSelfTest *test)
{
  WardSelfTest *copy = g_memdup2 (test, sizeof *test);

  copy->text = g_strdup (test->text);
  return copy;
}

void
ward_self_test_free (WardSelfTest *test)
{
  g_free (test->text);
  g_free (test);
}

/* What the record is bound to. Not the endorsement key, which costs a chip seconds to make. */
char *
ward_self_test_chip (const WardIdentity *identity)
{
  return g_strdup_printf ("%s %s %016" G_GINT64_MODIFIER "x", identity->manufacturer, identity->vendor_string,
                          identity->firmware_raw);
}

gboolean
ward_self_test_save (const WardSelfTest *test, const char *path, const char *chip, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  g_key_file_set_string (file, GROUP, "Chip", chip);
  g_key_file_set_boolean (file, GROUP, "Passed", test->state == WARD_SELF_TEST_PASSED);
  g_key_file_set_string (file, GROUP, "Mode", ward_self_test_mode_to_string (test->mode));
  g_key_file_set_uint64 (file, GROUP, "LastRun", test->last_run);
  g_key_file_set_uint64 (file, GROUP, "Duration", test->duration);
  g_key_file_set_uint64 (file, GROUP, "Code", test->code);
  g_key_file_set_string (file, GROUP, "Text", test->text);
  return g_key_file_save_to_file (file, path, error);
}

static WardSelfTest *
parse (GKeyFile *file, const WardIdentity *identity, GError **error)
{
  g_autoptr (WardSelfTest) test = g_new0 (WardSelfTest, 1);
  g_autofree char *this_chip = ward_self_test_chip (identity);
  g_autofree char *chip = g_key_file_get_string (file, GROUP, "Chip", error);
  g_autofree char *mode = NULL;
  GError *local_error = NULL;

  if (!chip || !g_str_equal (chip, this_chip))
    return NULL;
  if (!(mode = g_key_file_get_string (file, GROUP, "Mode", error))
      || !(test->text = g_key_file_get_string (file, GROUP, "Text", error)))
    return NULL;
  if (!ward_self_test_mode_from_string (mode, &test->mode))
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "“%s” is no mode of a self-test", mode);
      return NULL;
    }

  test->state = g_key_file_get_boolean (file, GROUP, "Passed", &local_error) ? WARD_SELF_TEST_PASSED
                                                                             : WARD_SELF_TEST_FAILED;
  test->last_run = local_error ? 0 : g_key_file_get_uint64 (file, GROUP, "LastRun", &local_error);
  test->duration = local_error ? 0 : g_key_file_get_uint64 (file, GROUP, "Duration", &local_error);
  test->code = local_error ? 0 : (guint32)g_key_file_get_uint64 (file, GROUP, "Code", &local_error);
  if (local_error)
    {
      g_propagate_error (error, local_error);
      return NULL;
    }
  return g_steal_pointer (&test);
}

WardSelfTest *
ward_self_test_load (const char *path, const WardIdentity *identity, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) local_error = NULL;
  WardSelfTest *test = NULL;

  if (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &local_error))
    test = parse (file, identity, &local_error);

  if (test || !local_error || g_error_matches (local_error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return test;

  if (local_error->domain == G_KEY_FILE_ERROR)
    g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
                 "The record of the last self-test in %s is damaged and is not used: %s. The next test replaces it.",
                 path, local_error->message);
  else
    g_propagate_error (error, g_steal_pointer (&local_error));
  return NULL;
}
