/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/asn1t.h>

#include "ward-backend.h"

/* The structures of ward-envelope.h in ASN.1, by OpenSSL's templates. */

/* ASN.1 Specification for TPM 2.0 Key Files, 3.1. */
typedef struct
{
  ASN1_OBJECT *type;
  ASN1_BOOLEAN empty_auth; /* -1: absent */
  STACK_OF (ASN1_TYPE) * policy;
  ASN1_OCTET_STRING *secret;
  STACK_OF (ASN1_TYPE) * auth_policy;
  ASN1_UTF8STRING *description;
  ASN1_BOOLEAN rsa_parent; /* -1: absent */
  ASN1_INTEGER *parent;
  ASN1_OCTET_STRING *public_area;
  ASN1_OCTET_STRING *private_area;
} WardTpmKey;

typedef struct
{
  ASN1_UTF8STRING *bank;
  ASN1_INTEGER *mask;
  ASN1_OCTET_STRING *values;
} WardBoundBank;

DEFINE_STACK_OF (WardBoundBank)

typedef struct
{
  ASN1_INTEGER *version;
  WardTpmKey *key;
  STACK_OF (WardBoundBank) * pcrs;
  ASN1_OCTET_STRING *nonce;
} WardSealedHeader;

typedef struct
{
  ASN1_OCTET_STRING *header;
  ASN1_OCTET_STRING *content;
} WardSealedData;

DECLARE_ASN1_FUNCTIONS (WardTpmKey)
DECLARE_ASN1_ALLOC_FUNCTIONS (WardBoundBank)
DECLARE_ASN1_ITEM (WardBoundBank)
DECLARE_ASN1_FUNCTIONS (WardSealedHeader)
DECLARE_ASN1_FUNCTIONS (WardSealedData)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardTpmKey, WardTpmKey_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSealedHeader, WardSealedHeader_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSealedData, WardSealedData_free)

/* FALSE only when there is no memory. */
gboolean ward_tpm_key_fill (WardTpmKey *key, const WardSealed *sealed);
gboolean ward_sealed_header_fill (WardSealedHeader *header, const WardSealed *sealed, GBytes *nonce);

/* Fail with WARD_ERROR_CORRUPT or, for a key that is not ours to unseal, WARD_ERROR_NOT_SUPPORTED. */
WardSealed *ward_tpm_key_read (const WardTpmKey *key, GError **error);
WardSealed *ward_sealed_header_read (const WardSealedHeader *header, GError **error);

GBytes *ward_octets_to_bytes (const ASN1_OCTET_STRING *octets);
