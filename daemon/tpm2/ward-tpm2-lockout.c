/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

/* See WardBackend. TPM 2.0 Library, Part 3, 25.2. */
gboolean
ward_tpm2_reset_lockout (WardConnection *connection, WardSecret *lockout_auth, GError **error)
{
  g_auto (WardTpm2Authorization) authorization = { 0 };
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_authorize (connection, WARD_HIERARCHY_LOCKOUT, lockout_auth, 0, &authorization, error))
    return FALSE;
  do
    rc = Esys_DictionaryAttackLockReset (connection->esys, authorization.tr, authorization.session.tr, ESYS_TR_NONE,
                                         ESYS_TR_NONE);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  return ward_tpm2_authorization_conclude (&authorization, rc, "The TPM did not reset the lockout", error);
}

/* See WardBackend. TPM 2.0 Library, Part 3, 25.3. A zero would lock the TPM for good, or leave the tries unlimited. */
gboolean
ward_tpm2_set_lockout_parameters (WardConnection *connection, guint32 max_failures, guint32 recovery_seconds,
                                  guint32 lockout_recovery_seconds, WardSecret *lockout_auth, GError **error)
{
  g_auto (WardTpm2Authorization) authorization = { 0 };
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (max_failures == 0 || recovery_seconds == 0)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                           "The lockout needs at least one failure and one second: the TPM would lock itself for good "
                           "after none, and never lock with none.");
      return FALSE;
    }
  if (!ward_tpm2_authorize (connection, WARD_HIERARCHY_LOCKOUT, lockout_auth, 0, &authorization, error))
    return FALSE;
  do
    rc = Esys_DictionaryAttackParameters (connection->esys, authorization.tr, authorization.session.tr, ESYS_TR_NONE,
                                          ESYS_TR_NONE, max_failures, recovery_seconds, lockout_recovery_seconds);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  return ward_tpm2_authorization_conclude (&authorization, rc, "The TPM did not change the lockout's parameters",
                                           error);
}
