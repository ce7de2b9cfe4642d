/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-owner.h"

#include <signal.h>
#include <string.h>

#define PATIENCE (20 * G_USEC_PER_SEC)

/* A signing key whose failed tries count. */
static const TPM2B_PUBLIC counted_key = {
  .publicArea = {
      .type = TPM2_ALG_ECC,
      .nameAlg = TPM2_ALG_SHA256,
      .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN
                          | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT,
      .parameters.eccDetail = {
          .symmetric.algorithm = TPM2_ALG_NULL,
          .scheme = { .scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256 },
          .curveID = TPM2_ECC_NIST_P256,
          .kdf.scheme = TPM2_ALG_NULL,
      },
  },
};

static TSS2_RC
sign (WardConnection *connection, ESYS_TR key, const TPM2B_AUTH *auth)
{
  WARD_ESYS_AUTOFREE TPMT_SIGNATURE *signature = NULL;
  TPM2B_DIGEST digest = { .size = 32 };
  static const TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
  TPMT_TK_HASHCHECK ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };

  g_assert_cmphex (Esys_TR_SetAuth (connection->esys, key, auth), ==, TSS2_RC_SUCCESS);
  return Esys_Sign (connection->esys, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme, &ticket,
                    &signature);
}

static TSS2_RC
sign_with (WardConnection *connection, const char *auth)
{
  ESYS_TR key = owner_make_key (connection, &counted_key, "right");
  TPM2B_AUTH value = { .size = strlen (auth) };
  guint8 *bytes = value.buffer;
  TSS2_RC rc;

  memcpy (bytes, auth, strlen (auth));
  rc = sign (connection, key, &value);
  g_assert_cmphex (Esys_FlushContext (connection->esys, key), ==, TSS2_RC_SUCCESS);
  return rc;
}

static void
lock_out (WardConnection *connection)
{
  g_autofree WardOwnership *ownership = NULL;

  for (guint i = 0; i < 3; i++)
    g_assert_cmphex (sign_with (connection, "wrong"), ==, 0x98e);
  g_assert_cmphex (sign_with (connection, "right"), ==, TPM2_RC_LOCKOUT);
  ownership = owner_read (connection);
  g_assert_true (ownership->locked_out);
  g_assert_cmpuint (ownership->failures, ==, ownership->max_failures);
}

static void
assert_not_locked_out (WardConnection *connection)
{
  g_autofree WardOwnership *ownership = owner_read (connection);

  g_assert_false (ownership->locked_out);
  g_assert_cmpuint (ownership->failures, ==, 0);
  g_assert_cmphex (sign_with (connection, "right"), ==, TSS2_RC_SUCCESS);
}

static void
test_reset (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_works (owner_reset (connection, NULL, &error));
  lock_out (connection);
  assert_works (owner_reset (connection, NULL, &error));
  assert_not_locked_out (connection);

  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "lockout");
  lock_out (connection);
  assert_works (owner_reset (connection, "lockout", &error));
  assert_not_locked_out (connection);
}

/* The hierarchies' own auth values are not under that protection. */
static void
test_ownership_while_locked_out (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  lock_out (connection);
  owner_set (connection, WARD_HIERARCHY_OWNER, "owner");
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "lockout");
  assert_works (owner_provision (connection, "owner", &error));
  assert_works (owner_clear (connection, "lockout", &error));
  assert_not_locked_out (connection);
}

static void
test_parameters (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_works (owner_set_lockout (connection, 32, 600, 86400, NULL, &error));
  ownership = owner_read (connection);
  g_assert_cmpuint (ownership->max_failures, ==, 32);
  g_assert_cmpuint (ownership->recovery_seconds, ==, 600);
  g_assert_cmpuint (ownership->lockout_recovery_seconds, ==, 86400);
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "lockout");
  assert_works (owner_set_lockout (connection, 1, 1, 0, "lockout", &error));
  g_free (ownership);
  ownership = owner_read (connection);
  g_assert_cmpuint (ownership->max_failures, ==, 1);
  g_assert_cmpuint (ownership->recovery_seconds, ==, 1);
  g_assert_cmpuint (ownership->lockout_recovery_seconds, ==, 0);
}

static void
test_parameters_that_lock_for_good (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_fails (owner_set_lockout (connection, 0, 600, 600, NULL, &error), WARD_ERROR_INVALID_ARGUMENT);
  assert_fails (owner_set_lockout (connection, 3, 0, 600, NULL, &error), WARD_ERROR_INVALID_ARGUMENT);
  ownership = owner_read (connection);
  g_assert_cmpuint (ownership->max_failures, ==, 3);
  g_assert_cmpuint (ownership->recovery_seconds, ==, 1000);
}

static void
assert_barred (WardConnection *connection, const char *right)
{
  assert_fails (owner_reset (connection, right, &error), WARD_ERROR_LOCKED_OUT);
  assert_fails (owner_set_lockout (connection, 5, 5, 5, right, &error), WARD_ERROR_LOCKED_OUT);
  assert_fails (owner_change (connection, WARD_HIERARCHY_LOCKOUT, right, NULL, &error), WARD_ERROR_LOCKED_OUT);
  assert_fails (owner_clear (connection, right, &error), WARD_ERROR_LOCKED_OUT);
  assert_fails (owner_disable_clear (connection, right, &error), WARD_ERROR_LOCKED_OUT);
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, NULL, NULL, &error));
}

static void
test_wrong_lockout_auth_bars_the_hierarchy (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) wrong = NULL, barred = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "right");
  g_assert_false (owner_reset (connection, "wrong", &wrong));
  g_assert_error (wrong, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  assert_message_contains (wrong, "0x98e");
  assert_message_contains (wrong, "1000 seconds");
  g_assert_false (owner_reset (connection, "right", &barred));
  g_assert_error (barred, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
  assert_message_contains (barred, "0x921");
  assert_message_contains (barred, "1000 seconds");
  assert_barred (connection, "right");
  ownership = owner_read (connection);
  g_assert_false (ownership->locked_out);
  g_assert_false (ownership->clear_disabled);
  g_assert_true (ownership->lockout_auth_set);
  g_assert_cmpuint (ownership->max_failures, ==, 3);
}

static void
test_bar_until_a_reset_is_said (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (GError) wrong = NULL, barred = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_works (owner_set_lockout (connection, 3, 1000, 0, NULL, &error));
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "right");
  g_assert_false (owner_disable_clear (connection, "wrong", &wrong));
  g_assert_error (wrong, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  assert_message_contains (wrong, "until the TPM is reset");
  g_assert_false (owner_clear (connection, "right", &barred));
  g_assert_error (barred, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
  assert_message_contains (barred, "until the TPM is reset");
}

static void
test_bar_ends_by_itself (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  gboolean worked = FALSE;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_works (owner_set_lockout (connection, 3, 1000, 1, NULL, &error));
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "right");
  assert_fails (owner_reset (connection, "wrong", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  while (!worked && g_get_monotonic_time () < deadline)
    {
      g_autoptr (GError) error = NULL;

      worked = owner_reset (connection, "right", &error);
      if (!worked)
        g_assert_error (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
    }
  g_assert_true (worked);
}

/* What is wrong for certain is not tried, as it would bar the hierarchy. */
static void
test_hopeless_lockout_auth_is_not_spent (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_fails (owner_reset (connection, "some", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_fails (owner_clear (connection, "some", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_fails (owner_change (connection, WARD_HIERARCHY_LOCKOUT, "some", "new", &error),
                WARD_ERROR_AUTHENTICATION_FAILED);
  assert_works (owner_reset (connection, NULL, &error));
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "right");
  assert_fails (owner_reset (connection, NULL, &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_fails (owner_set_lockout (connection, 9, 9, 9, "", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_works (owner_reset (connection, "right", &error));
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/lockout/reset", test_reset);
  g_test_add_func ("/tpm2/lockout/ownership-while-locked-out", test_ownership_while_locked_out);
  g_test_add_func ("/tpm2/lockout/parameters", test_parameters);
  g_test_add_func ("/tpm2/lockout/parameters-that-lock-for-good", test_parameters_that_lock_for_good);
  g_test_add_func ("/tpm2/lockout/wrong-auth-bars-the-hierarchy", test_wrong_lockout_auth_bars_the_hierarchy);
  g_test_add_func ("/tpm2/lockout/bar-until-a-reset-is-said", test_bar_until_a_reset_is_said);
  g_test_add_func ("/tpm2/lockout/bar-ends-by-itself", test_bar_ends_by_itself);
  g_test_add_func ("/tpm2/lockout/hopeless-auth-is-not-spent", test_hopeless_lockout_auth_is_not_spent);
  return g_test_run ();
}
