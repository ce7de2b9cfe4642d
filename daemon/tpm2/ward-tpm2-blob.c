/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <tss2/tss2_mu.h>

/* An object's areas, outside of the TPM: as it writes them, with their sizes in front (TPM 2.0 Library, Part 2, 12.2.5
 * and 12.3.7). */

GBytes *
ward_tpm2_public_to_bytes (const TPM2B_PUBLIC *public)
{
  guint8 bytes[sizeof (*public)];
  size_t size = 0;

  return Tss2_MU_TPM2B_PUBLIC_Marshal (public, bytes, sizeof (bytes), &size) == TSS2_RC_SUCCESS
             ? g_bytes_new (bytes, size)
             : NULL;
}

GBytes *
ward_tpm2_private_to_bytes (const TPM2B_PRIVATE *private)
{
  guint8 bytes[sizeof (*private)];
  size_t size = 0;

  return Tss2_MU_TPM2B_PRIVATE_Marshal (private, bytes, sizeof (bytes), &size) == TSS2_RC_SUCCESS
             ? g_bytes_new (bytes, size)
             : NULL;
}

/* FALSE for anything but one whole public area. */
gboolean
ward_tpm2_public_from_bytes (GBytes *bytes, TPM2B_PUBLIC *public)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  size_t offset = 0;

  *public = (TPM2B_PUBLIC){ 0 };
  /* a size in front that is not the area's the library does not mind */
  return size > 0 && Tss2_MU_TPM2B_PUBLIC_Unmarshal (data, size, &offset, public) == TSS2_RC_SUCCESS && offset == size
         && public->size + sizeof (public->size) == size;
}

/* FALSE for anything but one whole private area. */
gboolean
ward_tpm2_private_from_bytes (GBytes *bytes, TPM2B_PRIVATE *private)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  size_t offset = 0;

  *private = (TPM2B_PRIVATE){ 0 };
  return size > 0 && Tss2_MU_TPM2B_PRIVATE_Unmarshal (data, size, &offset, private) == TSS2_RC_SUCCESS && offset == size
         && private->size > 0;
}
