/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

static gboolean
check_handle (guint32 handle, GError **error)
{
  if (handle >= WARD_PERSISTENT_FIRST && handle <= WARD_PERSISTENT_LAST)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "0x%08x is no handle at which an owner keeps objects. Those go from 0x%08x to 0x%08x.", handle,
               WARD_PERSISTENT_FIRST, WARD_PERSISTENT_LAST);
  return FALSE;
}

/* TPM 2.0 Library, Part 3, 28.5. */
static TSS2_RC
evict_control (WardTpm2Authorization *owner, ESYS_TR object, guint32 handle, ESYS_TR *kept)
{
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_EvictControl (owner->connection->esys, owner->tr, object, owner->session.tr, ESYS_TR_NONE, ESYS_TR_NONE,
                            handle, kept);
  while (ward_tpm2_wait_again (owner->connection, &wait, rc));
  return rc;
}

/* See WardBackend. */
gboolean
ward_tpm2_persist_key (WardConnection *connection, const WardWrappedKey *key, guint32 handle, const WardKeyAuths *auths,
                       GError **error)
{
  g_auto (WardTpm2Authorization) owner = { 0 };
  g_auto (WardTpm2Handle) parent = WARD_TPM2_HANDLE_INIT (connection);
  g_auto (WardTpm2Handle) object = WARD_TPM2_HANDLE_INIT (connection);
  g_auto (WardTpm2Handle) kept = WARD_TPM2_HANDLE_INIT (connection);
  TSS2_RC rc;

  if (!check_handle (handle, error)
      || !ward_tpm2_object_load (connection, key, &ward_tpm2_key_load_words, auths->owner_auth, &parent, &object,
                                 error))
    return FALSE;
  /* room for the key by which the session is salted where there is no persistent one */
  ward_tpm2_handle_clear (&parent);
  if (!ward_tpm2_authorize (connection, WARD_HIERARCHY_OWNER, auths->owner_auth, 0, &owner, error))
    return FALSE;
  rc = evict_control (&owner, object.tr, handle, &kept.tr);
  if (rc != TSS2_RC_SUCCESS)
    kept.tr = ESYS_TR_NONE;
  return ward_tpm2_authorization_conclude (&owner, rc, "The TPM did not keep the key at that handle", error);
}

static gboolean
check_is_there (WardConnection *connection, guint32 handle, GError **error)
{
  TPM2B_PUBLIC public = { 0 };
  TPM2B_NAME name = { 0 };
  TSS2_RC rc = ward_tpm2_read_public (connection, handle, &public, &name);

  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "Nothing was evicted from that handle");
      return FALSE;
    }
  if (handle != WARD_SRK_HANDLE || !ward_tpm2_srk_qualifies (&public.publicArea))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_WOULD_BREAK,
               "At 0x%08x is the storage root key, beneath which the TPM's other keys lie: without it programs could "
               "use theirs no longer. Nothing was evicted. If it must go all the same, use tpm2_evictcontrol.",
               handle);
  return FALSE;
}

/* See WardBackend. */
gboolean
ward_tpm2_evict (WardConnection *connection, guint32 handle, WardSecret *owner_auth, GError **error)
{
  g_auto (WardTpm2Authorization) owner = { 0 };
  g_auto (WardTpm2Handle) object = WARD_TPM2_HANDLE_INIT (connection);
  WardTpm2Wait wait = { 0 };
  ESYS_TR kept = ESYS_TR_NONE;
  TSS2_RC rc;

  if (!check_handle (handle, error) || !check_is_there (connection, handle, error)
      || !ward_tpm2_authorize (connection, WARD_HIERARCHY_OWNER, owner_auth, 0, &owner, error))
    return FALSE;
  do
    rc = Esys_TR_FromTPMPublic (connection->esys, handle, WARD_TPM2_NO_SESSIONS, &object.tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    {
      object.tr = ESYS_TR_NONE;
      ward_tpm2_set_error (error, connection, rc, "Nothing was evicted from that handle");
      return FALSE;
    }
  rc = evict_control (&owner, object.tr, handle, &kept);
  /* what ESYS evicted it has forgotten by itself */
  if (rc == TSS2_RC_SUCCESS)
    object.tr = ESYS_TR_NONE;
  return ward_tpm2_authorization_conclude (&owner, rc, "Nothing was evicted from that handle", error);
}
