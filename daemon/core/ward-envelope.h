/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* The blob that a caller keeps: sealed data as text. What is sealed in the TPM itself and bound to no PCR is a TSS2
 * PRIVATE KEY PEM (ASN.1 Specification for TPM 2.0 Key Files, 3.1); the rest is in an envelope of our own, which
 * dbus/org.tpmward1.Seal.xml describes. */

/* The most bytes of data in one. */
#define WARD_ENVELOPE_MAX_DATA (1024 * 1024)

typedef struct
{
  WardSealed *sealed;
  GBytes *header;  /* what the content is authenticated with; NULL in a TSS2 PRIVATE KEY, and of tpm-tools */
  GBytes *nonce;   /* NULL without content */
  GBytes *content; /* the data, encrypted by what is sealed, with the tag behind; NULL: what is sealed is the data */
} WardEnvelope;

void ward_envelope_free (WardEnvelope *envelope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardEnvelope, ward_envelope_free)

/* Of anybody's text, also of tpm-tools (ward-tpm-tools.h), without asking a TPM. Fails with WARD_ERROR_CORRUPT, or
 * WARD_ERROR_NOT_SUPPORTED for a TSS2 PRIVATE KEY that is not sealed data, or has a policy. */
WardEnvelope *ward_envelope_parse (const char *text, GError **error);

/* What is to be sealed in the TPM for data: itself, or a new key by which ward_envelope_print () encrypts it. data: 1
 * to WARD_ENVELOPE_MAX_DATA bytes. */
WardSecret *ward_envelope_choose_payload (WardSecret *data, GError **error);

/* The text for data, of which payload was sealed. */
char *ward_envelope_print (const WardSealed *sealed, WardSecret *payload, WardSecret *data, GError **error);

/* The data, of which payload was unsealed. WARD_ERROR_CORRUPT when the content was changed. */
WardSecret *ward_envelope_open (const WardEnvelope *envelope, WardSecret *payload, GError **error);
