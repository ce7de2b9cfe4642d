/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"

typedef struct
{
  ESYS_TR tr;
  const char *name;
} Hierarchy;

static const Hierarchy hierarchies[] = {
  [WARD_HIERARCHY_OWNER] = { ESYS_TR_RH_OWNER, "owner" },
  [WARD_HIERARCHY_ENDORSEMENT] = { ESYS_TR_RH_ENDORSEMENT, "endorsement" },
  [WARD_HIERARCHY_LOCKOUT] = { ESYS_TR_RH_LOCKOUT, "lockout" },
};

void
ward_tpm2_auth_wipe (TPM2B_AUTH *auth)
{
  *auth = (TPM2B_AUTH){ 0 };
}

/* Fills auth, which the caller wipes, with the bytes of secret; NULL: with none. max_size: bytes that the TPM takes.
 * WARD_ERROR_INVALID_ARGUMENT for a longer one, and for one that ends in a zero byte, which the TPM would drop (TPM 2.0
 * Library, Part 1, 19.6.4.3): auth is all zero then. */
gboolean
ward_tpm2_auth_set (TPM2B_AUTH *auth, WardSecret *secret, gsize max_size, GError **error)
{
  gsize size = secret != NULL ? ward_secret_get_size (secret) : 0;
  guint8 *bytes = auth->buffer;

  *auth = (TPM2B_AUTH){ 0 };
  if (size > MIN (max_size, sizeof (auth->buffer)))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "An authorization value of %" G_GSIZE_FORMAT " bytes is too long for this TPM, which takes at most "
                   "%" G_GSIZE_FORMAT ". Give a shorter one.",
                   size, MIN (max_size, sizeof (auth->buffer)));
      return FALSE;
    }
  if (size > 0 && ward_secret_get_data (secret)[size - 1] == 0)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                           "An authorization value cannot end in a zero byte, as the TPM drops those. Give another.");
      return FALSE;
    }
  if (size > 0)
    memcpy (bytes, ward_secret_get_data (secret), size);
  auth->size = size;
  return TRUE;
}

/* One wrong lockout auth bars the hierarchy, for a day or until the TPM is reset: one that is wrong for certain is not
 * spent. */
static gboolean
check_lockout_auth (const TPM2B_AUTH *auth, const WardOwnership *ownership, GError **error)
{
  if (auth->size > 0 && !ownership->lockout_auth_set)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                           "The TPM has no lockout authorization value set, but one was given. It was not tried. Give "
                           "an empty one.");
      return FALSE;
    }
  if (auth->size == 0 && ownership->lockout_auth_set)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                           "The TPM has a lockout authorization value set, but none was given. The TPM was not asked: "
                           "it would have counted a failed try. Give the value.");
      return FALSE;
    }
  return TRUE;
}

static TSS2_RC
forget (WardConnection *connection, ESYS_TR tr)
{
  static const TPM2B_AUTH empty = { 0 };

  /* not NULL, which would leave the bytes in ESYS's memory */
  return Esys_TR_SetAuth (connection->esys, tr, &empty);
}

void
ward_tpm2_authorization_clear (WardTpm2Authorization *authorization)
{
  if (authorization->connection == NULL)
    return;
  forget (authorization->connection, authorization->tr);
  if (authorization->has_auth)
    ward_tpm2_session_forget_auth (&authorization->session);
  ward_tpm2_handle_clear (&authorization->session);
  g_clear_pointer (&authorization->ownership, g_free);
  authorization->connection = NULL;
}

/* Prepares a command that auth, NULL for empty, allows: authorization->tr is its first handle and
 * authorization->session.tr its first session. attributes: as for ward_tpm2_session_start. The value itself never
 * crosses to the TPM (TPM 2.0 Library, Part 1, 19.6.5). authorization: all zero, and to be cleared by the caller also
 * when this fails. WARD_ERROR_INVALID_ARGUMENT for a value that the TPM cannot have; WARD_ERROR_AUTHENTICATION_FAILED
 * for a lockout auth given or missing against the TPM's word that there is none or one. */
gboolean
ward_tpm2_authorize (WardConnection *connection, WardHierarchy hierarchy, WardSecret *auth, TPMA_SESSION attributes,
                     WardTpm2Authorization *authorization, GError **error)
{
  g_auto (TPM2B_AUTH) value = { 0 };
  TSS2_RC rc;

  authorization->connection = connection;
  authorization->hierarchy = hierarchy;
  authorization->tr = hierarchies[hierarchy].tr;
  authorization->session = (WardTpm2Handle)WARD_TPM2_HANDLE_INIT (connection);
  authorization->ownership = ward_tpm2_read_ownership (connection, error);
  if (authorization->ownership == NULL
      || !ward_tpm2_auth_set (&value, auth, authorization->ownership->max_auth_size, error))
    return FALSE;
  if (hierarchy == WARD_HIERARCHY_LOCKOUT && !check_lockout_auth (&value, authorization->ownership, error))
    return FALSE;
  if (!ward_tpm2_session_start (connection, authorization->ownership->srk_handle, attributes, &authorization->session,
                                error))
    return FALSE;
  authorization->has_auth = value.size > 0;
  rc = Esys_TR_SetAuth (connection->esys, authorization->tr, &value);
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  ward_tpm2_set_error (error, connection, rc, "The authorization could not be prepared");
  return FALSE;
}

/* For how long the TPM tries no lockout auth after a wrong one (TPM 2.0 Library, Part 1, 19.8.6). */
static char *
describe_bar (const WardOwnership *ownership)
{
  if (ownership->lockout_recovery_seconds == 0)
    return g_strdup ("until the TPM is reset, which restarting the machine does");
  return g_strdup_printf ("for %u seconds after the wrong one", ownership->lockout_recovery_seconds);
}

static gboolean
set_lockout_error (WardTpm2Authorization *authorization, TSS2_RC rc, const char *what, GError **error)
{
  g_autofree char *words = ward_tpm2_rc_to_string (rc);
  g_autofree char *bar = describe_bar (authorization->ownership);

  switch (ward_tpm2_rc_get_meaning (rc))
    {
    case TPM2_RC_AUTH_FAIL:
    case TPM2_RC_BAD_AUTH:
      g_set_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                   "%s (%s). The lockout authorization value is wrong. From now on the TPM refuses any, even the right "
                   "one, %s. Try again after that, with the right one.",
                   what, words, bar);
      return TRUE;
    case TPM2_RC_LOCKOUT:
      g_set_error (
          error, WARD_ERROR, WARD_ERROR_LOCKED_OUT,
          "%s (%s). After a wrong lockout authorization value the TPM refuses any, even the right one, %s. This "
          "one was not tried. Try again after that.",
          what, words, bar);
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
set_hierarchy_error (WardTpm2Authorization *authorization, TSS2_RC rc, const char *what, GError **error)
{
  const char *name = hierarchies[authorization->hierarchy].name;
  g_autofree char *words = ward_tpm2_rc_to_string (rc);

  if (ward_tpm2_rc_get_meaning (rc) != TPM2_RC_BAD_AUTH)
    return FALSE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
               "%s (%s). The %s authorization value is wrong. The TPM does not count tries for this one.", what, words,
               name);
  return TRUE;
}

/* What is to be returned after the command: TRUE if rc is success; else FALSE, with the error set as by
 * ward_tpm2_set_error, which says in addition what a wrong auth value of this hierarchy has done. */
gboolean
ward_tpm2_authorization_conclude (WardTpm2Authorization *authorization, TSS2_RC rc, const char *what, GError **error)
{
  gboolean said;

  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  said = authorization->hierarchy == WARD_HIERARCHY_LOCKOUT ? set_lockout_error (authorization, rc, what, error)
                                                            : set_hierarchy_error (authorization, rc, what, error);
  if (!said)
    ward_tpm2_set_error (error, authorization->connection, rc, what);
  return FALSE;
}
