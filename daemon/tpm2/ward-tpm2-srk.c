/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include "ward-error.h"

#define SRK_ATTRIBUTES                                                                                                 \
  (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH         \
   | TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT)

/* Those by which a key of anybody's making is trusted: its private half was made in this TPM and never leaves it. */
#define REQUIRED_ATTRIBUTES                                                                                            \
  (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED           \
   | TPMA_OBJECT_DECRYPT)

#define AES_128_CFB                                                                                                    \
  {                                                                                                                    \
    .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB                                            \
  }

/* The same as systemd's, so that all who make a primary key by it have one key; RSA is for chips without the curve.
 * Their unique fields are of zero length. */
static const TPM2B_PUBLIC templates[] = {
  { .publicArea = { .type = TPM2_ALG_ECC,
                    .nameAlg = TPM2_ALG_SHA256,
                    .objectAttributes = SRK_ATTRIBUTES,
                    .parameters.eccDetail = { .symmetric = AES_128_CFB,
                                              .scheme.scheme = TPM2_ALG_NULL,
                                              .curveID = TPM2_ECC_NIST_P256,
                                              .kdf.scheme = TPM2_ALG_NULL } } },
  { .publicArea
    = { .type = TPM2_ALG_RSA,
        .nameAlg = TPM2_ALG_SHA256,
        .objectAttributes = SRK_ATTRIBUTES,
        .parameters.rsaDetail = { .symmetric = AES_128_CFB, .scheme.scheme = TPM2_ALG_NULL, .keyBits = 2048 } } },
};

gboolean
ward_tpm2_srk_qualifies (const TPMT_PUBLIC *public)
{
  return (public->type == TPM2_ALG_ECC || public->type == TPM2_ALG_RSA)
         && (public->objectAttributes & REQUIRED_ATTRIBUTES) == REQUIRED_ATTRIBUTES;
}

/* Whether rc says that the chip lacks the kind of key, rather than that something else stands in the way. */
static gboolean
is_unknown_algorithm (TSS2_RC rc)
{
  switch (ward_tpm2_rc_get_meaning (rc))
    {
    case TPM2_RC_ASYMMETRIC:
    case TPM2_RC_CURVE:
    case TPM2_RC_TYPE:
    case TPM2_RC_VALUE:
      return TRUE;
    default:
      return FALSE;
    }
}

/* A transient primary key of the default template in the hierarchy. key: on failure there is none. */
TSS2_RC
ward_tpm2_srk_create (WardConnection *connection, ESYS_TR hierarchy, ESYS_TR session, WardTpm2Handle *key)
{
  static const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
  static const TPML_PCR_SELECTION pcrs = { 0 };
  TSS2_RC rc = TPM2_RC_CURVE;

  for (guint i = 0; i < G_N_ELEMENTS (templates) && is_unknown_algorithm (rc); i++)
    {
      WardTpm2Wait wait = { 0 };

      do
        rc = Esys_CreatePrimary (connection->esys, hierarchy, session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                                 &templates[i], NULL, &pcrs, &key->tr, NULL, NULL, NULL, NULL);
      while (ward_tpm2_wait_again (connection, &wait, rc));
    }
  if (rc != TSS2_RC_SUCCESS)
    key->tr = ESYS_TR_NONE;
  return rc;
}

typedef enum
{
  SRK_PRESENT,
  SRK_ABSENT, /* or in a hierarchy that is switched off */
  SRK_OTHER,  /* something else has its handle */
  SRK_UNKNOWN,
} SrkState;

static SrkState
find (WardConnection *connection, TPM2B_NAME *name, GError **error)
{
  TPM2B_PUBLIC public = { 0 };
  TSS2_RC rc = ward_tpm2_read_public (connection, WARD_SRK_HANDLE, &public, name);

  switch (ward_tpm2_rc_get_meaning (rc))
    {
    case TSS2_RC_SUCCESS:
      return ward_tpm2_srk_qualifies (&public.publicArea) ? SRK_PRESENT : SRK_OTHER;
    case TPM2_RC_HANDLE:
    case TPM2_RC_HIERARCHY:
      return SRK_ABSENT;
    default:
      ward_tpm2_set_error (error, connection, rc, "The TPM could not say whether it has a storage root key");
      return SRK_UNKNOWN;
    }
}

/* ownership->srk_handle: WARD_SRK_HANDLE if there is a storage root key, by its attributes; 0 if there is nothing, or
 * another thing. */
gboolean
ward_tpm2_srk_find (WardConnection *connection, WardOwnership *ownership, GError **error)
{
  TPM2B_NAME name = { 0 };
  SrkState state = find (connection, &name, error);
  g_autofree char *digits = NULL;

  if (state == SRK_UNKNOWN)
    return FALSE;
  if (state != SRK_PRESENT)
    return TRUE;

  digits = ward_tpm2_name_to_string (&name);
  ownership->has_srk = TRUE;
  ownership->srk_handle = WARD_SRK_HANDLE;
  g_strlcpy (ownership->srk_name, digits, sizeof ownership->srk_name);
  return TRUE;
}

static gboolean
check_is_free (WardConnection *connection, GError **error)
{
  TPM2B_NAME name = { 0 };

  switch (find (connection, &name, error))
    {
    case SRK_ABSENT:
      return TRUE;
    case SRK_PRESENT:
      g_set_error (error, WARD_ERROR, WARD_ERROR_EXISTS,
                   "The TPM has a storage root key at 0x%08x already. It is used as it is: there is nothing to do.",
                   WARD_SRK_HANDLE);
      return FALSE;
    case SRK_OTHER:
      g_set_error (error, WARD_ERROR, WARD_ERROR_EXISTS,
                   "The TPM's handle 0x%08x, where the storage root key belongs, is taken by an object that is none. "
                   "Find out whose it is, and evict it (tpm2_evictcontrol) if nobody needs it.",
                   WARD_SRK_HANDLE);
      return FALSE;
    case SRK_UNKNOWN:
    default:
      return FALSE;
    }
}

static TSS2_RC
keep (WardTpm2Authorization *authorization, ESYS_TR key)
{
  g_auto (WardTpm2Handle) kept = WARD_TPM2_HANDLE_INIT (authorization->connection);
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_EvictControl (authorization->connection->esys, authorization->tr, key, authorization->session.tr,
                            ESYS_TR_NONE, ESYS_TR_NONE, WARD_SRK_HANDLE, &kept.tr);
  while (ward_tpm2_wait_again (authorization->connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    kept.tr = ESYS_TR_NONE;
  return rc;
}

/* See WardBackend. TPM 2.0 Library, Part 3, 24.1 and 28.5. */
gboolean
ward_tpm2_provision_srk (WardConnection *connection, WardSecret *owner_auth, GError **error)
{
  g_auto (WardTpm2Authorization) authorization = { 0 };
  g_auto (WardTpm2Handle) key = WARD_TPM2_HANDLE_INIT (connection);
  TSS2_RC rc;

  if (!check_is_free (connection, error)
      || !ward_tpm2_authorize (connection, WARD_HIERARCHY_OWNER, owner_auth, 0, &authorization, error))
    return FALSE;
  rc = ward_tpm2_srk_create (connection, authorization.tr, authorization.session.tr, &key);
  if (rc != TSS2_RC_SUCCESS)
    return ward_tpm2_authorization_conclude (&authorization, rc, "The TPM could not make a storage root key", error);
  rc = keep (&authorization, key.tr);
  return ward_tpm2_authorization_conclude (&authorization, rc, "The TPM could not keep its storage root key", error);
}
