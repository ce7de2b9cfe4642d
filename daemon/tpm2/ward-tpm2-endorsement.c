/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

/* Certificates are of one or two KiB. */
#define MAX_CERTIFICATE 4096

/* Where a TPM's maker puts the certificate of its endorsement key (TCG EK Credential Profile for TPM 2.0, 2.2.1.4). */
static const TPM2_HANDLE certificates[] = { 0x01c00002, 0x01c0000a, 0x01c00012, 0x01c00014, 0x01c00016, 0x01c0001c };

/* Where the key itself is kept, if at all (TCG TPM v2.0 Provisioning Guidance, 7.8). */
static const TPM2_HANDLE keys[] = { 0x81010001, 0x81010002 };

/* What makes an index one that anybody may read by its own auth value, with no harm if that is not the empty one. */
#define READABLE_ATTRIBUTES (TPMA_NV_AUTHREAD | TPMA_NV_NO_DA | TPMA_NV_WRITTEN)

#define EK_ATTRIBUTES                                                                                                  \
  (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED           \
   | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_ADMINWITHPOLICY)

/* Whether it is, by its attributes, an endorsement key as the TCG's templates make it. */
gboolean
ward_tpm2_ek_qualifies (const TPMT_PUBLIC *public)
{
  return (public->type == TPM2_ALG_RSA || public->type == TPM2_ALG_ECC)
         && (public->objectAttributes & EK_ATTRIBUTES) == EK_ATTRIBUTES;
}

static TSS2_RC
open_index (WardConnection *connection, TPM2_HANDLE handle, WardTpm2Handle *index)
{
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_TR_FromTPMPublic (connection->esys, handle, WARD_TPM2_NO_SESSIONS, &index->tr);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    index->tr = ESYS_TR_NONE;
  return rc;
}

/* TPM 2.0 Library, Part 3, 31.13. No chip has a smaller buffer than a digest. */
static TSS2_RC
hash_index (WardConnection *connection, ESYS_TR index, guint16 size, GChecksum *hash)
{
  TSS2_RC rc = TSS2_RC_SUCCESS;

  for (guint16 done = 0; done < size && rc == TSS2_RC_SUCCESS;)
    {
      WARD_ESYS_AUTOFREE TPM2B_MAX_NV_BUFFER *chunk = NULL;
      guint16 count = MIN (size - done, 512);
      WardTpm2Wait wait = { 0 };

      do
        rc = Esys_NV_Read (connection->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, count, done,
                           &chunk);
      while (ward_tpm2_wait_again (connection, &wait, rc));
      if (rc == TSS2_RC_SUCCESS && chunk->size == 0)
        return TSS2_ESYS_RC_MALFORMED_RESPONSE;
      if (rc == TSS2_RC_SUCCESS)
        {
          g_checksum_update (hash, chunk->buffer, chunk->size);
          done += chunk->size;
        }
    }
  return rc;
}

/* *endorsement: set if there is such a certificate. */
static TSS2_RC
read_certificate (WardConnection *connection, TPM2_HANDLE handle, char **endorsement)
{
  g_auto (WardTpm2Handle) index = WARD_TPM2_HANDLE_INIT (connection);
  g_autoptr (GChecksum) hash = g_checksum_new (G_CHECKSUM_SHA256);
  TPM2B_NV_PUBLIC public = { 0 };
  TPM2B_NAME name = { 0 };
  TSS2_RC rc = ward_tpm2_nv_read_public (connection, handle, &public, &name);

  if (rc != TSS2_RC_SUCCESS)
    return rc;
  if ((public.nvPublic.attributes & READABLE_ATTRIBUTES) != READABLE_ATTRIBUTES
      || public.nvPublic.dataSize > MAX_CERTIFICATE)
    return TSS2_RC_SUCCESS;

  rc = open_index (connection, handle, &index);
  if (rc == TSS2_RC_SUCCESS)
    rc = hash_index (connection, index.tr, public.nvPublic.dataSize, hash);
  if (rc == TSS2_RC_SUCCESS)
    *endorsement = g_strdup_printf ("0x%08x %s", handle, g_checksum_get_string (hash));
  return rc;
}

static TSS2_RC
read_key (WardConnection *connection, TPM2_HANDLE handle, char **endorsement)
{
  TPM2B_PUBLIC public = { 0 };
  TPM2B_NAME name = { 0 };
  TSS2_RC rc = ward_tpm2_read_public (connection, handle, &public, &name);

  if (rc == TSS2_RC_SUCCESS && ward_tpm2_ek_qualifies (&public.publicArea))
    {
      g_autofree char *algorithm = ward_tpm2_public_to_string (&public.publicArea);
      g_autofree char *digits = ward_tpm2_name_to_string (&name);

      *endorsement = g_strdup_printf ("0x%08x %s %s", handle, algorithm, digits);
    }
  return rc;
}

static gboolean
try_all (WardConnection *connection, const TPM2_HANDLE *handles, guint n_handles,
         TSS2_RC (*read) (WardConnection *, TPM2_HANDLE, char **), char **endorsement, GError **error)
{
  for (guint i = 0; i < n_handles && *endorsement == NULL; i++)
    {
      TSS2_RC rc = read (connection, handles[i], endorsement);

      /* what the TPM refuses to tell stays unknown */
      if (rc != TSS2_RC_SUCCESS && !ward_tpm2_rc_is_from_tpm (rc))
        {
          ward_tpm2_set_error (error, connection, rc, "The TPM could not be asked for its endorsement key");
          return FALSE;
        }
    }
  return TRUE;
}

/* What tells this chip from others, and can be read at no cost of a key's making: where its EK certificate is and the
 * digest of it, or else of its persistent EK the handle, algorithm and Name; "" when it has neither. The connection's
 * own, read once: what is behind a connection stays the same chip. NULL with error set when it cannot be asked. */
const char *
ward_tpm2_get_endorsement (WardConnection *connection, GError **error)
{
  g_autofree char *endorsement = NULL;

  if (connection->endorsement == NULL)
    {
      if (!try_all (connection, certificates, G_N_ELEMENTS (certificates), read_certificate, &endorsement, error)
          || !try_all (connection, keys, G_N_ELEMENTS (keys), read_key, &endorsement, error))
        return NULL;
      connection->endorsement = endorsement != NULL ? g_steal_pointer (&endorsement) : g_strdup ("");
    }
  return connection->endorsement;
}
