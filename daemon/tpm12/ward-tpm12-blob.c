/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm12-blob.h"

#include <string.h>

/* What a key begins with: TPM_STRUCT_VER 1.1, or the tag of TPM_KEY12 (TPM Main, Part 2, 5.1 and 10.3). libtspi does
 * not keep other bytes here, and the TPM then takes the call for one with a wrong secret. */
#define STRUCT_VER 0x01010000u
#define KEY12_TAG 0x00280000u
/* The tag of TPM_STORED_DATA12, with an entity type behind it. */
#define STORED_DATA12_TAG 0x0016u
#define PCR_INFO_LONG_TAG 0x0006u
/* TPM_AUTH_NEVER, TPM_AUTH_ALWAYS and TPM_AUTH_PRIV_USE_ONLY (TPM Main, Part 2, 5.9). */
#define AUTH_NEVER 0x00
#define AUTH_ALWAYS 0x01
#define AUTH_PRIV_USE_ONLY 0x03
/* What is absent stands for 2^16 + 1 (TPM Main, Part 2, 10.1.1). */
#define DEFAULT_EXPONENT 65537
#define MAX_EXPONENT_SIZE 4
/* SHA-1. */
#define DIGEST_SIZE 20

typedef struct
{
  const guint8 *next;
  gsize left;
  gboolean is_short; /* more was asked for than there is */
} Reader;

static const guint8 *
take (Reader *reader, gsize size)
{
  const guint8 *bytes = reader->next;

  if (reader->is_short || size > reader->left)
    {
      reader->is_short = TRUE;
      return NULL;
    }
  reader->next += size;
  reader->left -= size;
  return bytes;
}

/* size: at most 4 bytes, the highest first. 0 when there are not as many. */
static guint32
take_number (Reader *reader, gsize size)
{
  const guint8 *bytes = take (reader, size);
  guint32 number = 0;

  for (gsize i = 0; bytes && i < size; i++)
    number = number << 8 | bytes[i];
  return number;
}

static void
read_rsa (Reader *parameters, WardTpm12Blob *blob)
{
  guint32 size;

  blob->bits = take_number (parameters, 4);
  take_number (parameters, 4); /* of primes */
  size = take_number (parameters, 4);
  if (size > MAX_EXPONENT_SIZE)
    parameters->is_short = TRUE;
  else
    blob->exponent = size ? take_number (parameters, size) : DEFAULT_EXPONENT;
}

static gboolean
is_known (guint32 version, guint32 auth)
{
  return (version == STRUCT_VER || version == KEY12_TAG)
         && (auth == AUTH_NEVER || auth == AUTH_ALWAYS || auth == AUTH_PRIV_USE_ONLY);
}

gboolean
ward_tpm12_blob_parse (GBytes *bytes, WardTpm12Blob *blob)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  Reader reader = { .next = data, .left = size };
  Reader parameters = { 0 };
  guint32 version = take_number (&reader, 4), auth;

  blob->usage = take_number (&reader, 2);
  blob->flags = take_number (&reader, 4);
  auth = take_number (&reader, 1);
  blob->has_auth = auth != AUTH_NEVER;
  blob->algorithm = take_number (&reader, 4);
  blob->encryption_scheme = take_number (&reader, 2);
  blob->signature_scheme = take_number (&reader, 2);
  parameters.left = take_number (&reader, 4);
  parameters.next = take (&reader, parameters.left);
  if (!reader.is_short)
    read_rsa (&parameters, blob);
  size = take_number (&reader, 4);
  take (&reader, size);
  blob->is_bound = size > 0;
  blob->modulus_size = take_number (&reader, 4);
  blob->modulus = take (&reader, blob->modulus_size);
  take (&reader, take_number (&reader, 4));
  return is_known (version, auth) && !reader.is_short && !parameters.is_short && reader.left == 0;
}

/* The mask of a TPM_PCR_SELECTION (TPM Main, Part 2, 8.1), which is as long as the chip has PCRs. */
static guint32
get_mask (const guint8 *selection, gsize size)
{
  guint32 mask = 0;

  for (gsize i = 0; selection && i < size && i < sizeof mask; i++)
    mask |= (guint32)selection[i] << (8 * i);
  return mask;
}

/* Whether digest is that of the TPM_PCR_COMPOSITE (8.2) of the values. selection: with its size in front. */
static gboolean
is_composite (const guint8 *digest, const guint8 *selection, gsize size, const WardPcrValues *values)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  guint32 total = 0;
  guint8 expected[DIGEST_SIZE];
  gsize expected_size = sizeof expected;

  for (guint i = 0; i < WARD_N_PCRS; i++)
    total += values->mask & 1u << i ? DIGEST_SIZE : 0;
  total = GUINT32_TO_BE (total);
  g_checksum_update (checksum, selection, (gssize)size);
  g_checksum_update (checksum, (const guint8 *)&total, sizeof total);
  for (guint i = 0; i < WARD_N_PCRS; i++)
    if (values->mask & 1u << i)
      g_checksum_update (checksum, values->values[i], DIGEST_SIZE);
  g_checksum_get_digest (checksum, expected, &expected_size);
  return memcmp (expected, digest, sizeof expected) == 0;
}

/* info: a TPM_PCR_INFO_LONG (8.4). */
static gboolean
is_bound_to (Reader *info, const WardPcrBank *bank)
{
  gboolean is_long = take_number (info, 2) == PCR_INFO_LONG_TAG;
  const guint8 *selection, *digest;
  gsize size;

  take (info, 2); /* localities */
  take (info, take_number (info, 2));
  selection = info->next;
  size = take_number (info, 2);
  take (info, size);
  take (info, DIGEST_SIZE); /* as it was made */
  digest = take (info, DIGEST_SIZE);
  return is_long && !info->is_short && info->left == 0 && bank->values.digest_size == DIGEST_SIZE
         && get_mask (selection + 2, size) == bank->values.mask
         && is_composite (digest, selection, size + 2, &bank->values);
}

/* info: its PCRs. */
static gboolean
read_sealed (GBytes *bytes, Reader *info)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  Reader reader = { .next = data, .left = size };
  guint32 version = take_number (&reader, 4);

  *info = (Reader){ .left = take_number (&reader, 4) };
  info->next = take (&reader, info->left);
  take (&reader, take_number (&reader, 4)); /* what the storage root key has encrypted */
  return (version == STRUCT_VER || version >> 16 == STORED_DATA12_TAG) && !reader.is_short && reader.left == 0;
}

gboolean
ward_tpm12_blob_is_sealed (GBytes *bytes)
{
  Reader info;

  return read_sealed (bytes, &info);
}

gboolean
ward_tpm12_blob_is_sealed_to (GBytes *bytes, GPtrArray *pcrs)
{
  Reader info;

  if (!read_sealed (bytes, &info))
    return FALSE;
  return pcrs->len == 0 ? info.left == 0 : pcrs->len == 1 && is_bound_to (&info, g_ptr_array_index (pcrs, 0));
}
