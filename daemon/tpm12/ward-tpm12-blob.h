/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* A key as a TPM 1.2 wraps it, TPM_KEY or TPM_KEY12 (TPM Main, Part 2, 10.2), by its public part. Parsed here, since it
 * may come from anybody, and libtspi believes the sizes in it. */
typedef struct
{
  guint16 usage; /* TPM_KEY_SIGNING, … */
  guint32 flags; /* TPM_MIGRATABLE, … */
  gboolean has_auth;
  guint32 algorithm; /* TPM_ALG_RSA */
  guint16 encryption_scheme;
  guint16 signature_scheme;
  guint32 bits;
  guint32 exponent;
  gboolean is_bound;     /* to PCRs */
  const guint8 *modulus; /* within the blob */
  gsize modulus_size;
} WardTpm12Blob;

/* FALSE for what is none, or is not whole. */
gboolean ward_tpm12_blob_parse (GBytes *bytes, WardTpm12Blob *blob);

/* Whether it is built as sealed data is, TPM_STORED_DATA or TPM_STORED_DATA12 (TPM Main, Part 2, 9). */
gboolean ward_tpm12_blob_is_sealed (GBytes *bytes);
/* And bound to just these values. pcrs: one WardPcrBank, or nothing. */
gboolean ward_tpm12_blob_is_sealed_to (GBytes *bytes, GPtrArray *pcrs);
