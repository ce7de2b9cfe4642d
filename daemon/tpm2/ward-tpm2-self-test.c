/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"

/* The first pause and the longest between two looks at what a TPM that tests itself in the background has left to do,
 * in microseconds. */
#define FIRST_PAUSE 1000
#define LONGEST_PAUSE (250 * 1000)

static TSS2_RC
run_full (WardConnection *connection)
{
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_SelfTest (connection->esys, WARD_TPM2_NO_SESSIONS, TPM2_YES);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  return rc;
}

/* One command of the incremental test; to_do becomes what is left of it. */
static TSS2_RC
run_increment (WardConnection *connection, TPML_ALG *to_do)
{
  WARD_ESYS_AUTOFREE TPML_ALG *left = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_IncrementalSelfTest (connection->esys, WARD_TPM2_NO_SESSIONS, to_do, &left);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc == TSS2_RC_SUCCESS)
    *to_do = *left;
  return rc;
}

/* Until nothing is left to do, or that has stayed the same for as long as we are patient (TPM 2.0 Library, Part
 * 3, 10.3). */
static TSS2_RC
run_increments (WardConnection *connection, TPML_ALG *to_do)
{
  gint64 deadline = g_get_monotonic_time () + connection->patience;
  gulong pause = FIRST_PAUSE;

  while (TRUE)
    {
      guint before = to_do->count;
      TSS2_RC rc = run_increment (connection, to_do);

      if (rc != TSS2_RC_SUCCESS || to_do->count == 0)
        return rc;
      if (to_do->count < before)
        {
          deadline = g_get_monotonic_time () + connection->patience;
          pause = FIRST_PAUSE;
          continue;
        }
      if (g_get_monotonic_time () >= deadline)
        return rc;
      g_usleep (pause);
      pause = MIN (pause * 2, LONGEST_PAUSE);
    }
}

static void
fill_algorithms (TPML_ALG *list, GArray *algorithms)
{
  list->count = MIN (algorithms->len, G_N_ELEMENTS (list->algorithms));
  for (guint i = 0; i < list->count; i++)
    list->algorithms[i] = g_array_index (algorithms, TPM2_ALG_ID, i);
}

static char *
list_names (const TPML_ALG *list)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;

  for (guint i = 0; i < list->count; i++)
    {
      g_autofree char *name = ward_tpm2_algorithm_to_string (list->algorithms[i]);

      g_strv_builder_add (builder, name);
    }
  names = g_strv_builder_end (builder);
  return g_strjoinv (", ", names);
}

/* The command for the test failed: that is the test's result if the TPM says so, else an error. */
static WardTestResult *
conclude_failed (WardConnection *connection, TSS2_RC rc, GError **error)
{
  g_autoptr (WardTestResult) result = NULL;
  TSS2_RC meaning = ward_tpm2_rc_get_meaning (rc);

  if (meaning != TPM2_RC_FAILURE && meaning != TPM2_RC_TESTING)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM could not test itself");
      return NULL;
    }
  result = ward_tpm2_get_test_result (connection, error);
  if (result == NULL)
    return NULL;
  result->passed = FALSE;
  if (!ward_tpm2_test_result_is_failure (result->code))
    {
      g_autofree char *words = ward_tpm2_rc_to_string (rc);

      g_free (result->text);
      result->text = meaning == TPM2_RC_TESTING
                         ? g_strdup_printf (
                             "The TPM has been testing itself for too long (%s). Ask for the result later.", words)
                         : g_strdup_printf (
                             "The TPM answered the self-test with a failure (%s), though its test result names "
                             "none. Run the test again.",
                             words);
      result->code = rc;
    }
  return g_steal_pointer (&result);
}

static void
set_text (WardTestResult *result, char *text)
{
  g_free (result->text);
  result->text = text;
}

static WardTestResult *
conclude_full (WardConnection *connection, GError **error)
{
  WardTestResult *result = ward_tpm2_get_test_result (connection, error);

  if (result != NULL && result->passed)
    set_text (result, g_strdup ("The TPM has passed a full self-test: all of its functions work."));
  return result;
}

static WardTestResult *
conclude_incremental (WardConnection *connection, const TPML_ALG *to_do, GError **error)
{
  WardTestResult *result = ward_tpm2_get_test_result (connection, error);

  if (result == NULL || ward_tpm2_test_result_is_failure (result->code))
    return result;
  if (to_do->count > 0)
    {
      g_autofree char *names = list_names (to_do);

      result->passed = FALSE;
      if (result->code == TPM2_RC_SUCCESS)
        result->code = TPM2_RC_NEEDS_TEST;
      set_text (result,
                g_strdup_printf ("The TPM has not tested these algorithms yet, and makes no progress: %s. None has "
                                 "failed. Run a full self-test.",
                                 names));
      return result;
    }
  /* It may still want a full test for what is no algorithm, which was not asked for. */
  set_text (result,
            g_strdup_printf ("The TPM has passed an incremental self-test: what it had not tested since it was started "
                             "works.%s",
                             result->code == TPM2_RC_SUCCESS
                                 ? ""
                                 : " It says that other functions are yet to be tested: a full self-test does that."));
  result->passed = TRUE;
  result->code = TPM2_RC_SUCCESS;
  return result;
}

static WardTestResult *
self_test_incrementally (WardConnection *connection, GError **error)
{
  g_autoptr (GArray) algorithms = NULL;
  g_autoptr (GError) local_error = NULL;
  TPML_ALG to_do = { 0 };
  TSS2_RC rc;

  algorithms = ward_tpm2_read_algorithms (connection, &local_error);
  if (g_error_matches (local_error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  /* In failure mode it lists no algorithms; the command with none to test then still tells. */
  if (algorithms != NULL)
    fill_algorithms (&to_do, algorithms);
  rc = run_increments (connection, &to_do);
  if (rc != TSS2_RC_SUCCESS)
    return conclude_failed (connection, rc, error);
  return conclude_incremental (connection, &to_do, error);
}

/* See WardBackend. TPM 2.0 Library, Part 3, 10.2 and 10.3. Blocks for as long as the chip needs, which may be many
 * seconds. */
WardTestResult *
ward_tpm2_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error)
{
  TSS2_RC rc;

  if (mode == WARD_SELF_TEST_INCREMENTAL)
    return self_test_incrementally (connection, error);
  rc = run_full (connection);
  if (rc != TSS2_RC_SUCCESS)
    return conclude_failed (connection, rc, error);
  return conclude_full (connection, error);
}
