/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* What is asked of a key, checked against what the key is, before a TPM sees any of it. */

typedef enum
{
  WARD_SCHEME_RSASSA,
  WARD_SCHEME_RSAPSS,
  WARD_SCHEME_ECDSA,
  WARD_SCHEME_RSAES,
  WARD_SCHEME_OAEP,
  WARD_SCHEME_RAW, /* no padding by the TPM */
} WardScheme;

struct _WardSigning
{
  WardScheme scheme; /* RSASSA, RSAPSS, ECDSA, or RAW: done with the key's right to decrypt */
  const char *hash;  /* static; NULL for RAW, and for RSASSA of a whole DigestInfo */
  GBytes *data;      /* the digest, or that DigestInfo; for RAW as many bytes as the modulus has */
};

void ward_signing_free (WardSigning *signing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSigning, ward_signing_free)

struct _WardDecryption
{
  WardScheme scheme; /* RSAES, OAEP */
  const char *hash;  /* of OAEP; static; else NULL */
  GBytes *label;     /* of OAEP, ends in a zero byte; or NULL */
  GBytes *ciphertext;
};

void ward_decryption_free (WardDecryption *decryption);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardDecryption, ward_decryption_free)

/* The longest label of OAEP, in bytes, its zero byte included. */
#define WARD_MAX_LABEL_SIZE 64

/* Without a key: whether there are such things. scheme: NULL for the algorithm's default. WARD_ERROR_INVALID_ARGUMENT
 * for unknown names and for a digest that is not of its hash's length; hash: "none" too. */
gboolean ward_signing_check (const char *scheme, const char *hash, GBytes *digest, GError **error);
/* hash: NULL for SHA-256; label: NULL for none. WARD_ERROR_INVALID_ARGUMENT also for a label that does not end in a
 * zero byte. */
gboolean ward_decryption_check (const char *scheme, const char *hash, GBytes *label, GError **error);

/* The same for a key. WARD_ERROR_INVALID_ARGUMENT also when it was not made for this, or the ciphertext is not as long
 * as its modulus. */
WardSigning *ward_signing_new (const WardKeyFacts *facts, const char *scheme, const char *hash, GBytes *digest,
                               GError **error);
/* scheme: NULL for OAEP, or what the key can do. */
WardDecryption *ward_decryption_new (const WardKeyFacts *facts, const char *scheme, const char *hash, GBytes *label,
                                     GBytes *ciphertext, GError **error);
/* Whether the key agrees with this peer. */
gboolean ward_agreement_check (const WardKeyFacts *facts, const WardPoint *peer, GError **error);

/* A signature of ECDSA as a DER SEQUENCE of r and s (RFC 3279, 2.2.3). NULL when there is no memory. */
GBytes *ward_signature_print (const guint8 *r, gsize r_size, const guint8 *s, gsize s_size);
