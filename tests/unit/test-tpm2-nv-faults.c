/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NV indices where the TPM refuses, and what of them crosses to it. */
#include "test-tpm2-nv-fixture.h"

#include <string.h>

/* As many commands of a kind as the limit says, then a refusal. */
static guint32 refused_command;
static TPM2_RC refusal;

static Reply *
refuse_later (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (command != refused_command || middleman->seen++ < middleman->limit)
    return NULL;
  return reply_new (refusal);
}

#define WITH_MIDDLEMAN                                                                                                 \
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);                                                                          \
  g_autoptr (Middleman) middleman = NULL;                                                                              \
  g_autoptr (WardConnection) connection = NULL;                                                                        \
  if (!swtpm)                                                                                                          \
    return;                                                                                                            \
  middleman = middleman_new (swtpm->transport);                                                                        \
  connection = middleman_connect (middleman)

static void
begin_refusing (Middleman *middleman, guint32 command, guint n_before, TPM2_RC rc)
{
  refused_command = command;
  refusal = rc;
  middleman->seen = 0;
  middleman->limit = n_before;
  middleman->answer = refuse_later;
}

static void
test_write_that_breaks_off (void)
{
  g_autoptr (WardSecret) data = nv_data_new (LONG);
  WITH_MIDDLEMAN;

  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = LONG }, NULL, NULL, &error));
  begin_refusing (middleman, TPM2_CC_NV_Write, 0, TPM2_RC_NV_RATE);
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX }, data, WARD_ERROR_FAILED, "was not written");
  begin_refusing (middleman, TPM2_CC_NV_Write, 1, TPM2_RC_NV_RATE);
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX }, data, WARD_ERROR_FAILED,
                           "Only the first 1024 bytes");
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX, .size = 1024 }, NULL, data, 0);
}

/* What other programs do between the look at an index and its use. */
static void
test_changes_meanwhile (void)
{
  static const struct
  {
    TPM2_RC rc;
    WardErrorCode code;
    const char *word;
  } refusals[] = {
    { TPM2_RC_NV_LOCKED, WARD_ERROR_DISABLED, "locked" },
    { TPM2_RC_NV_UNINITIALIZED, WARD_ERROR_NOT_FOUND, "written" },
    { TPM2_RC_NV_RANGE, WARD_ERROR_INVALID_ARGUMENT, "within" },
    { TPM2_RC_HANDLE | TPM2_RC_H | TPM2_RC_2, WARD_ERROR_NOT_FOUND, "no NV index" },
    { TPM2_RC_LOCKOUT, WARD_ERROR_LOCKED_OUT, "dictionary" },
    { TPM2_RC_NV_AUTHORIZATION, WARD_ERROR_AUTHENTICATION_FAILED, "reach" },
    { TPM2_RC_FAILURE, WARD_ERROR_FAILED, "0x101" },
  };
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_MIDDLEMAN;

  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4 }, NULL, NULL, &error));
  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      begin_refusing (middleman, TPM2_CC_NV_Read, 0, refusals[i].rc);
      nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX }, NULL, refusals[i].code, refusals[i].word);
    }
  begin_refusing (middleman, TPM2_CC_NV_DefineSpace, 0, TPM2_RC_NV_DEFINED);
  assert_fails (nv_define (connection, (WardNvTemplate){ .index = OTHER, .size = 4 }, NULL, NULL, &error),
                WARD_ERROR_EXISTS);
  begin_refusing (middleman, TPM2_CC_NV_UndefineSpace, 0, TPM2_RC_NV_RATE);
  assert_fails (nv_undefine (connection, INDEX, NULL, FALSE, &error), WARD_ERROR_FAILED);
  middleman->answer = NULL;
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX }, NULL, data, 0);
}

/* A TPM that is busy is asked again, and one that breaks off ends it. */
static void
test_transport (void)
{
  g_autoptr (WardSecret) data = nv_data_new (4);
  g_autoptr (GError) failure = NULL;
  WardNvAccess access = { .index = INDEX, .right = WARD_NV_BY_OWNER, .size = 4 };
  WITH_MIDDLEMAN;

  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4 }, NULL, NULL, &error));
  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
  middleman->broken = TRUE;
  g_assert_null (ward_tpm2_backend.read_nv (connection, &access, &failure));
  g_assert_error (failure, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  middleman->broken = FALSE;
}

static GByteArray *wire;

static Reply *
record_command (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  g_byte_array_append (wire, bytes, size);
  return NULL;
}

static void
record_reply (Middleman *middleman, guint32 command, GByteArray *reply)
{
  g_byte_array_append (wire, reply->data, reply->len);
}

static gboolean
crossed (const void *bytes, gsize size)
{
  return memmem (wire->data, wire->len, bytes, size) != NULL;
}

/* Nor any part of it. */
static gboolean
data_crossed (WardSecret *data)
{
  for (gsize i = 0; i + 8 <= ward_secret_get_size (data); i += 8)
    if (crossed (ward_secret_get_data (data) + i, 8))
      return TRUE;
  return FALSE;
}

/* What tpm2-tools do by default, so that the test would see it. */
static void
write_in_plain (WardConnection *connection, guint32 number, const char *text)
{
  TPM2B_MAX_NV_BUFFER data = { .size = strlen (text) };
  TPM2B_AUTH auth = { .size = strlen (AUTH) };
  guint8 *bytes = data.buffer, *auth_bytes = auth.buffer;
  ESYS_TR index;

  memcpy (bytes, text, data.size);
  memcpy (auth_bytes, AUTH, auth.size);
  g_assert_cmphex (Esys_TR_FromTPMPublic (connection->esys, number, WARD_TPM2_NO_SESSIONS, &index), ==,
                   TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_TR_SetAuth (connection->esys, index, &auth), ==, TSS2_RC_SUCCESS);
  g_assert_cmphex (
      Esys_NV_Write (connection->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data, 0), ==,
      TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_TR_Close (connection->esys, &index), ==, TSS2_RC_SUCCESS);
}

static void
test_nothing_secret_crosses (gconstpointer with_srk)
{
  const WardNvAccess by_auth = { .index = INDEX, .right = WARD_NV_BY_INDEX };
  const WardNvAccess by_owner = { .index = OTHER, .right = WARD_NV_BY_OWNER };
  g_autoptr (WardSecret) data = nv_data_new (LONG);
  WITH_MIDDLEMAN;

  if (with_srk)
    assert_works (owner_provision (connection, NULL, &error));
  owner_set (connection, WARD_HIERARCHY_OWNER, OWNER_AUTH);
  wire = g_byte_array_new ();
  middleman->answer = record_command;
  middleman->change = record_reply;
  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = LONG }, AUTH, OWNER_AUTH, &error));
  assert_works (nv_define (connection, (WardNvTemplate){ .index = OTHER, .size = LONG }, NULL, OWNER_AUTH, &error));
  assert_works (nv_write (connection, by_auth, data, AUTH, &error));
  assert_works (nv_write (connection, by_owner, data, OWNER_AUTH, &error));
  nv_assert_reads (connection, by_auth, AUTH, data, 0);
  nv_assert_reads (connection, by_owner, OWNER_AUTH, data, 0);
  assert_works (nv_undefine (connection, OTHER, OWNER_AUTH, FALSE, &error));
  g_assert_cmpuint (wire->len, >, 4 * LONG);
  g_assert_false (crossed (AUTH, strlen (AUTH)));
  g_assert_false (crossed (OWNER_AUTH, strlen (OWNER_AUTH)));
  g_assert_false (data_crossed (data));

  write_in_plain (connection, INDEX, "seen by everybody");
  g_assert_true (crossed (AUTH, strlen (AUTH)));
  g_assert_true (crossed ("seen by everybody", 17));
  g_clear_pointer (&wire, g_byte_array_unref);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/nv/write-that-breaks-off", test_write_that_breaks_off);
  g_test_add_func ("/tpm2/nv/changes-meanwhile", test_changes_meanwhile);
  g_test_add_func ("/tpm2/nv/transport", test_transport);
  g_test_add_data_func ("/tpm2/nv/nothing-secret-crosses", NULL, test_nothing_secret_crosses);
  g_test_add_data_func ("/tpm2/nv/nothing-secret-crosses-with-srk", "srk", test_nothing_secret_crosses);
  return g_test_run ();
}
