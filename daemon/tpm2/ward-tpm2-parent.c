/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

/* The storage root key that the TPM keeps. TRUE with parent->tr none when it keeps none. */
gboolean
ward_tpm2_parent_open_persistent (WardConnection *connection, WardTpm2Handle *parent, GError **error)
{
  WardOwnership found = { 0 };
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_srk_find (connection, &found, error))
    return FALSE;
  if (found.srk_handle == 0)
    return TRUE;
  do
    rc = Esys_TR_FromTPMPublic (connection->esys, found.srk_handle, WARD_TPM2_NO_SESSIONS, &parent->tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  parent->tr = ESYS_TR_NONE;
  ward_tpm2_set_error (error, connection, rc, "The TPM could not show its storage root key");
  return FALSE;
}

/* A primary key of the same template in the owner hierarchy, made for the moment. WARD_ERROR_NOT_OWNED when an owner
 * auth forbids that: the owner is not asked here. */
gboolean
ward_tpm2_parent_open_transient (WardConnection *connection, WardTpm2Handle *parent, GError **error)
{
  TSS2_RC rc = ward_tpm2_srk_create (connection, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, parent);
  g_autofree char *words = NULL;

  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  if (ward_tpm2_rc_get_meaning (rc) != TPM2_RC_BAD_AUTH && ward_tpm2_rc_get_meaning (rc) != TPM2_RC_AUTH_FAIL)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM could not make a storage root key for the moment");
      return FALSE;
    }
  words = ward_tpm2_rc_to_string (rc);
  g_set_error (
      error, WARD_ERROR, WARD_ERROR_NOT_OWNED,
      "The TPM keeps no storage root key, and its owner hierarchy has an auth value, without which none can be "
      "made for the moment (%s). Have an administrator provision one for good (ProvisionSrk).",
      words);
  return FALSE;
}

/* Whichever of the two there is. number: WARD_SRK_HANDLE or WARD_OWNER_PARENT. */
gboolean
ward_tpm2_parent_open (WardConnection *connection, WardTpm2Handle *parent, guint32 *number, GError **error)
{
  if (!ward_tpm2_parent_open_persistent (connection, parent, error))
    return FALSE;
  *number = parent->tr != ESYS_TR_NONE ? WARD_SRK_HANDLE : WARD_OWNER_PARENT;
  return parent->tr != ESYS_TR_NONE || ward_tpm2_parent_open_transient (connection, parent, error);
}
