/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-hex.h"
#include "ward-tpm2-private.h"

/* The failure data of the TCG's reference code and of libtpms: where the code gave up and why, in three big-endian
 * words. */
#define REFERENCE_DATA_SIZE 12

/* The reference code's own numbers for fatal errors; those above are a build's own. */
static const char *const fatal_errors[] = {
  [1] = "it ran out of memory",
  [2] = "a division by zero",
  [3] = "an internal error",
  [4] = "a wrong parameter",
  [5] = "its source of random numbers failed",
  [6] = "a self-test failed",
  [7] = "an error in its cryptography",
  [8] = "its permanent memory cannot be read",
  [9] = "it was manufactured anew after an error of its permanent memory",
  [10] = "its random number generator failed",
  [11] = "a copy beyond a buffer's end",
  [12] = "a counter overflowed",
  [13] = "a wrong subtraction",
  [14] = "an error in its arithmetic",
};

/* By the specification: a failed TPM says FAILURE, and libtpms also that it lost its NV memory. The others mean that
 * there is no result yet (TPM 2.0 Library, Part 3, 10.4). */
gboolean
ward_tpm2_test_result_is_failure (TPM2_RC result)
{
  TSS2_RC meaning = ward_tpm2_rc_get_meaning (result);

  return meaning != TPM2_RC_SUCCESS && meaning != TPM2_RC_NEEDS_TEST && meaning != TPM2_RC_TESTING;
}

static guint32
read_word (const guint8 *data)
{
  return (guint32)data[0] << 24 | (guint32)data[1] << 16 | (guint32)data[2] << 8 | data[3];
}

static gboolean
is_reference_data (const char *manufacturer, gsize size)
{
  return size == REFERENCE_DATA_SIZE && (g_str_equal (manufacturer, "IBM") || g_str_equal (manufacturer, "MSFT"));
}

static void
append_reference_data (GString *text, const guint8 *data)
{
  guint32 function = read_word (data);
  guint32 line = read_word (data + 4);
  guint32 code = read_word (data + 8);
  const char *meaning = code < G_N_ELEMENTS (fatal_errors) ? fatal_errors[code] : NULL;

  g_string_append_printf (text, " Its failure code is %u (%s)", code,
                          meaning != NULL ? meaning : "which has no known meaning");
  if (function != 0 || line != 0)
    g_string_append_printf (text, ", from line %u of a function marked 0x%08x in its source", line, function);
  g_string_append_c (text, '.');
}

static void
append_data (GString *text, const char *manufacturer, const guint8 *data, gsize size)
{
  g_autofree char *hex = NULL;

  if (is_reference_data (manufacturer, size))
    {
      append_reference_data (text, data);
      return;
    }
  if (size == 0)
    {
      g_string_append (text, " It gives no details.");
      return;
    }
  hex = ward_hex (data, size, 0);
  g_string_append_printf (text, " What it tells of the failure is known to its manufacturer only: %s.", hex);
}

/* What a failed test's result and data mean and what to do, in sentences. */
char *
ward_tpm2_explain_failure (const char *manufacturer, TPM2_RC result, const guint8 *data, gsize size)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *words = ward_tpm2_rc_to_string (result);

  g_string_printf (text, "The TPM has found itself to be faulty and refuses to work (%s).", words);
  append_data (text, manufacturer, data, size);
  g_string_append (text, " Switch the machine off and on again; if the TPM then fails once more, it is defective.");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Asks the TPM for the result of its last test and for its own bytes about it, which are empty where there are none.
 * Both are set on success only. */
TSS2_RC
ward_tpm2_read_test_result (WardConnection *connection, TPM2_RC *result, GBytes **data)
{
  WARD_ESYS_AUTOFREE TPM2B_MAX_BUFFER *buffer = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_GetTestResult (connection->esys, WARD_TPM2_NO_SESSIONS, &buffer, result);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc == TSS2_RC_SUCCESS)
    *data = g_bytes_new (buffer->buffer, MIN (buffer->size, sizeof (buffer->buffer)));
  return rc;
}

static char *
describe_result (WardConnection *connection, TPM2_RC result, GBytes *data)
{
  TSS2_RC meaning = ward_tpm2_rc_get_meaning (result);
  gsize size;
  const guint8 *bytes = g_bytes_get_data (data, &size);

  if (meaning == TPM2_RC_SUCCESS)
    return g_strdup ("The TPM's tests of itself have passed.");
  if (meaning == TPM2_RC_NEEDS_TEST)
    return g_strdup (
        "The TPM has not tested all of its functions since it was started. None has failed. A full self-test "
        "tests them all.");
  if (meaning == TPM2_RC_TESTING)
    return g_strdup ("The TPM is still testing itself. Nothing has failed so far. Ask again later.");
  return ward_tpm2_explain_failure (connection->manufacturer, result, bytes, size);
}

/* See WardBackend. A TPM that has not tested all of its functions yet, or is at it, has not passed, as it does not say
 * so; its text says that it has not failed either. */
WardTestResult *
ward_tpm2_get_test_result (WardConnection *connection, GError **error)
{
  g_autoptr (GBytes) data = NULL;
  WardTestResult *answer;
  TPM2_RC result = TPM2_RC_SUCCESS;
  TSS2_RC rc = ward_tpm2_read_test_result (connection, &result, &data);

  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM could not tell the result of its self-test");
      return NULL;
    }
  answer = g_new0 (WardTestResult, 1);
  answer->passed = result == TPM2_RC_SUCCESS;
  answer->code = result;
  answer->text = describe_result (connection, result, data);
  answer->data = g_steal_pointer (&data);
  return answer;
}
