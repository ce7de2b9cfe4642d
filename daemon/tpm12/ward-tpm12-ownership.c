/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The owner of a TPM 1.2, and what needs its secret. */
#include "ward-tpm12-private.h"

#include <tss/platform.h>
#include <tss/tpm_error.h>
#include <tss/tss_defines.h>

#include "ward-error.h"

/* Bytes of a secret; it is hashed, so that this is for those who send it. */
#define MAX_AUTH_SIZE 64

static GVariant *
nothing (void)
{
  return g_variant_new_tuple (NULL, 0);
}

WardOwnership *
ward_tpm12_read_ownership (WardConnection *connection, GError **error)
{
  g_autoptr (WardTpm12Message) answer = ward_tpm12_call (connection, WARD_TPM12_READ_OWNERSHIP, nothing (), NULL, 0,
                                                         "(bu)", WARD_TPM12_READ_PATIENCE, error);
  WardOwnership *ownership;
  guint32 disablement;
  gboolean owned;

  if (!answer)
    return NULL;
  g_variant_get (answer->body, "(bu)", &owned, &disablement);
  ownership = g_new0 (WardOwnership, 1);
  ownership->owner_auth_set = owned;
  ownership->has_srk = owned;
  ownership->locked_out = connection->locked_out;
  /* a disabled one does not tell whether it is also deactivated */
  ownership->owner_enabled = disablement != TPM_E_DISABLED;
  ownership->endorsement_enabled = disablement == 0;
  ownership->max_auth_size = MAX_AUTH_SIZE;
  ownership->room = (WardRoom){ WARD_ROOM_UNKNOWN, WARD_ROOM_UNKNOWN, WARD_ROOM_UNKNOWN,
                                WARD_ROOM_UNKNOWN, WARD_ROOM_UNKNOWN, WARD_ROOM_UNKNOWN,
                                WARD_ROOM_UNKNOWN, WARD_ROOM_UNKNOWN, WARD_ROOM_UNKNOWN };
  return ownership;
}

gboolean
ward_tpm12_take_ownership (WardConnection *connection, WardSecret *owner_auth, WardSecret *srk_auth,
                           GBytes **srk_modulus, GError **error)
{
  WardSecret *const secrets[] = { owner_auth, srk_auth };
  g_autoptr (WardTpm12Message) answer = ward_tpm12_call (connection, WARD_TPM12_TAKE_OWNERSHIP, nothing (), secrets,
                                                         G_N_ELEMENTS (secrets), "ay", WARD_TPM12_LONG_PATIENCE, error);

  if (!answer)
    return FALSE;
  *srk_modulus = g_variant_get_data_as_bytes (answer->body);
  return TRUE;
}

gboolean
ward_tpm12_change_auth (WardConnection *connection, WardHierarchy hierarchy, WardSecret *old_auth, WardSecret *new_auth,
                        GError **error)
{
  if (hierarchy == WARD_HIERARCHY_OWNER || hierarchy == WARD_HIERARCHY_SRK)
    return ward_tpm12_change (connection, WARD_TPM12_CHANGE_AUTH,
                              g_variant_new_boolean (hierarchy == WARD_HIERARCHY_SRK), old_auth, new_auth, error);
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
               "A TPM 1.2 has no %s auth: it has one of its owner, and one of its storage root key.",
               ward_hierarchy_to_string (hierarchy));
  return FALSE;
}

gboolean
ward_tpm12_reset_lockout (WardConnection *connection, WardSecret *owner_auth, GError **error)
{
  return ward_tpm12_change (connection, WARD_TPM12_RESET_LOCKOUT, nothing (), owner_auth, NULL, error);
}

gboolean
ward_tpm12_clear (WardConnection *connection, WardSecret *owner_auth, GError **error)
{
  return ward_tpm12_change (connection, WARD_TPM12_CLEAR, nothing (), owner_auth, NULL, error);
}

gboolean
ward_tpm12_disable_clear (WardConnection *connection, WardSecret *owner_auth, GError **error)
{
  return ward_tpm12_change (connection, WARD_TPM12_SET_FLAG,
                            g_variant_new ("(ub)", TSS_TPMSTATUS_DISABLEOWNERCLEAR, TRUE), owner_auth, NULL, error);
}

gboolean
ward_tpm12_set_enabled (WardConnection *connection, gboolean enabled, WardSecret *owner_auth, GError **error)
{
  return ward_tpm12_change (connection, WARD_TPM12_SET_FLAG,
                            g_variant_new ("(ub)", TSS_TPMSTATUS_OWNERSETDISABLE, !enabled), owner_auth, NULL, error);
}

gboolean
ward_tpm12_set_active (WardConnection *connection, gboolean active, GError **error)
{
  return ward_tpm12_change (connection, WARD_TPM12_SET_FLAG,
                            g_variant_new ("(ub)", TSS_TPMSTATUS_PHYSICALSETDEACTIVATED, !active), NULL, NULL, error);
}
