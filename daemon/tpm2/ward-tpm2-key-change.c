/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

static gboolean
check_protects (const WardWrappedKey *key, const TPM2B_AUTH *new_auth, GError **error)
{
  g_autofree WardKeyFacts *facts = ward_tpm2_describe_key (key, error);

  if (facts == NULL)
    return FALSE;
  if (new_auth->size == 0 || (!facts->ignores_auth && (!facts->no_da || key->has_auth)))
    return TRUE;
  if (facts->ignores_auth)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                         "This key was bound to PCRs without an authorization value, for life: one that it were given "
                         "now would not protect it. Make a new key with one.");
  else
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                         "This key was made so that the TPM counts no wrong authorization values for it, for life: one "
                         "that it were given now could be guessed without end. Make a new key with one.");
  return FALSE;
}

/* TPM 2.0 Library, Part 3, 12.8. */
static TSS2_RC
change (WardTpm2KeyUse *use, const TPM2B_AUTH *new_auth, TPM2B_PRIVATE **private)
{
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_ObjectChangeAuth (use->connection->esys, use->key, use->parent.tr, use->authorization, ESYS_TR_NONE,
                                ESYS_TR_NONE, new_auth, private);
  while (ward_tpm2_wait_again (use->connection, &wait, rc));
  ward_tpm2_forget_buffer (use->connection);
  return rc;
}

/* See WardBackend. */
WardWrappedKey *
ward_tpm2_change_key_auth (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                           WardSecret *new_auth, GError **error)
{
  g_autoptr (WardWrappedKey) changed = ward_sealed_new ();
  g_auto (WardTpm2KeyUse) use = { 0 };
  g_auto (TPM2B_AUTH) value = { 0 };
  WARD_ESYS_AUTOFREE TPM2B_PRIVATE *private = NULL;
  WardTpm2KeyRole role = { .secrets = TPMA_SESSION_DECRYPT, .as_admin = TRUE };
  TSS2_RC rc;

  if (!ward_tpm2_auth_set (&value, new_auth, WARD_MAX_OBJECT_AUTH_SIZE, error) || !check_protects (key, &value, error)
      || !ward_tpm2_policy_check_pcrs (connection, key->pcrs, error)
      || !ward_tpm2_key_use_begin (connection, key, auths, role, &use, error))
    return NULL;
  rc = change (&use, &value, &private);
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM did not change the key's authorization value");
      return NULL;
    }
  if (!ward_tpm2_parent_tell (&use.parent, changed, error))
    return NULL;
  changed->has_auth = value.size > 0;
  changed->public_area = g_bytes_ref (key->public_area);
  changed->private_area = ward_tpm2_private_to_bytes (private);
  g_clear_pointer (&changed->pcrs, g_ptr_array_unref);
  changed->pcrs = g_ptr_array_ref (key->pcrs);
  return g_steal_pointer (&changed);
}
