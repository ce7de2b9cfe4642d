/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"

/* Fills the beginning of bytes with at most count bytes; *got says with how many. */
static gboolean
get_chunk (WardConnection *connection, guint8 *bytes, gsize count, gsize *got, GError **error)
{
  WARD_ESYS_AUTOFREE TPM2B_DIGEST *digest = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  /* No more than the largest digest comes at once (TPM 2.0 Library, Part 3, 16.1). */
  count = MIN (count, sizeof (digest->buffer));
  do
    rc = Esys_GetRandom (connection->esys, WARD_TPM2_NO_SESSIONS, count, &digest);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM could not make random bytes");
      return FALSE;
    }
  if (digest->size == 0 || digest->size > count)
    {
      explicit_bzero (digest->buffer, sizeof (digest->buffer));
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                   "The TPM could not make random bytes: asked for %" G_GSIZE_FORMAT
                   ", it returned %u, which no working "
                   "TPM does. Run a full self-test.",
                   count, digest->size);
      return FALSE;
    }
  memcpy (bytes, digest->buffer, digest->size);
  *got = digest->size;
  explicit_bzero (digest->buffer, sizeof (digest->buffer));
  return TRUE;
}

/* See WardBackend. On failure bytes is all zero. */
gboolean
ward_tpm2_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error)
{
  gsize got = 0;

  for (gsize done = 0; done < count; done += got)
    if (!get_chunk (connection, bytes + done, count - done, &got, error))
      {
        explicit_bzero (bytes, count);
        return FALSE;
      }
  return TRUE;
}
