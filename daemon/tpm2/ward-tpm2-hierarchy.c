/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

/* ESYS keeps the last command's parameters, in case that it is to be sent again: these take their place. The handle is
 * none that ESYS knows, so nothing is sent. */
static void
forget_parameters (WardConnection *connection)
{
  static const TPM2B_AUTH empty = { 0 };

  Esys_HierarchyChangeAuth_Async (connection->esys, G_MAXUINT32, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &empty);
}

/* See WardBackend. TPM 2.0 Library, Part 3, 24.8. */
gboolean
ward_tpm2_change_auth (WardConnection *connection, WardHierarchy hierarchy, WardSecret *old_auth, WardSecret *new_auth,
                       GError **error)
{
  g_auto (WardTpm2Authorization) authorization = { 0 };
  g_auto (TPM2B_AUTH) value = { 0 };
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_authorize (connection, hierarchy, old_auth, TPMA_SESSION_DECRYPT, &authorization, error)
      || !ward_tpm2_auth_set (&value, new_auth, authorization.ownership->max_auth_size, error))
    return FALSE;
  do
    rc = Esys_HierarchyChangeAuth (connection->esys, authorization.tr, authorization.session.tr, ESYS_TR_NONE,
                                   ESYS_TR_NONE, &value);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  forget_parameters (connection);
  return ward_tpm2_authorization_conclude (&authorization, rc, "The TPM did not change the authorization value", error);
}

/* See WardBackend. TPM 2.0 Library, Part 3, 24.6. */
gboolean
ward_tpm2_clear (WardConnection *connection, WardSecret *lockout_auth, GError **error)
{
  g_auto (WardTpm2Authorization) authorization = { 0 };
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_authorize (connection, WARD_HIERARCHY_LOCKOUT, lockout_auth, 0, &authorization, error))
    return FALSE;
  if (authorization.ownership->clear_disabled)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_DISABLED,
                           "The TPM was not cleared: clearing it from the operating system has been switched off for "
                           "good. Clear it in the machine's firmware setup.");
      return FALSE;
    }
  /* it destroys the keys that are kept, too */
  ward_tpm2_cache_yield (connection->cache);
  do
    rc = Esys_Clear (connection->esys, authorization.tr, authorization.session.tr, ESYS_TR_NONE, ESYS_TR_NONE);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  return ward_tpm2_authorization_conclude (&authorization, rc, "The TPM was not cleared", error);
}

/* See WardBackend. TPM 2.0 Library, Part 3, 24.7. There is none to allow it again: the lockout auth does not permit
 * that, and the TPM would count the try as a wrong value. */
gboolean
ward_tpm2_disable_clear (WardConnection *connection, WardSecret *lockout_auth, GError **error)
{
  g_auto (WardTpm2Authorization) authorization = { 0 };
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_authorize (connection, WARD_HIERARCHY_LOCKOUT, lockout_auth, 0, &authorization, error))
    return FALSE;
  do
    rc = Esys_ClearControl (connection->esys, authorization.tr, authorization.session.tr, ESYS_TR_NONE, ESYS_TR_NONE,
                            TPM2_YES);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  return ward_tpm2_authorization_conclude (&authorization, rc, "The TPM did not switch clearing off", error);
}
