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

  ward_tpm2_cache_make_room (connection->cache);
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

static TSS2_RC
create_as_owner (WardConnection *connection, WardSecret *owner_auth, WardTpm2Handle *parent, GError **error)
{
  g_auto (WardTpm2Authorization) authorization = { 0 };

  if (!ward_tpm2_authorize (connection, WARD_HIERARCHY_OWNER, owner_auth, 0, &authorization, error))
    return TSS2_ESYS_RC_GENERAL_FAILURE;
  return ward_tpm2_srk_create (connection, authorization.tr, authorization.session.tr, parent);
}

/* A primary key of the same template in the owner hierarchy, made for the moment. owner_auth: NULL for the empty one;
 * WARD_ERROR_NOT_OWNED when that does not do, WARD_ERROR_AUTHENTICATION_FAILED when one was given that is wrong. */
gboolean
ward_tpm2_parent_open_transient (WardConnection *connection, WardSecret *owner_auth, WardTpm2Handle *parent,
                                 GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree char *words = NULL;
  TSS2_RC rc = owner_auth != NULL ? create_as_owner (connection, owner_auth, parent, &local_error)
                                  : ward_tpm2_srk_create (connection, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, parent);

  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  if (owner_auth != NULL
      || (ward_tpm2_rc_get_meaning (rc) != TPM2_RC_BAD_AUTH && ward_tpm2_rc_get_meaning (rc) != TPM2_RC_AUTH_FAIL))
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

/* Sets parent and parent_name of what lies beneath it. */
gboolean
ward_tpm2_parent_tell (WardTpm2Handle *parent, WardSealed *beneath, GError **error)
{
  WARD_ESYS_AUTOFREE TPM2B_NAME *name = NULL;
  TPM2_HANDLE handle = 0;
  TSS2_RC rc = Esys_TR_GetName (parent->connection->esys, parent->tr, &name);

  if (rc == TSS2_RC_SUCCESS)
    rc = Esys_TR_GetTpmHandle (parent->connection->esys, parent->tr, &handle);
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, parent->connection, rc, "The TPM's storage root key has no name");
      return FALSE;
    }
  beneath->parent = handle == WARD_SRK_HANDLE ? WARD_SRK_HANDLE : WARD_OWNER_PARENT;
  g_free (beneath->parent_name);
  beneath->parent_name = ward_tpm2_name_to_string (name);
  return TRUE;
}

/* Whichever of the two there is. beneath: is told of it. */
gboolean
ward_tpm2_parent_open (WardConnection *connection, WardSecret *owner_auth, WardTpm2Handle *parent, WardSealed *beneath,
                       GError **error)
{
  if (!ward_tpm2_parent_open_persistent (connection, parent, error)
      || (parent->tr == ESYS_TR_NONE && !ward_tpm2_parent_open_transient (connection, owner_auth, parent, error)))
    return FALSE;
  return ward_tpm2_parent_tell (parent, beneath, error);
}

static gboolean
add_owner_parent (WardConnection *connection, GStrvBuilder *names, GError **error)
{
  g_auto (WardTpm2Handle) parent = WARD_TPM2_HANDLE_INIT (connection);
  g_autoptr (WardSealed) beneath = ward_sealed_new ();
  g_autoptr (GError) local_error = NULL;

  if (!ward_tpm2_parent_open_transient (connection, NULL, &parent, &local_error))
    {
      if (g_error_matches (local_error, WARD_ERROR, WARD_ERROR_NOT_OWNED))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  if (!ward_tpm2_parent_tell (&parent, beneath, error))
    return FALSE;
  g_strv_builder_add (names, beneath->parent_name);
  return TRUE;
}

/* See WardBackend. */
GStrv
ward_tpm2_find_parents (WardConnection *connection, gboolean with_owner, GError **error)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  WardOwnership found = { 0 };

  if (!ward_tpm2_srk_find (connection, &found, error))
    return NULL;
  if (found.srk_handle != 0)
    g_strv_builder_add (names, found.srk_name);
  if (with_owner && !add_owner_parent (connection, names, error))
    return NULL;
  return g_strv_builder_end (names);
}
