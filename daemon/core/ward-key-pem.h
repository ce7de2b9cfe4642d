/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* Wrapped keys as text: TSS2 PRIVATE KEY (ASN.1 Specification for TPM 2.0 Key Files, 3.1), as tpm2-openssl and
 * ssh-tpm-agent read and write it; of a TPM 1.2 TSS KEY BLOB, an OCTET STRING, as openssl_tpm_engine does. PCRs are not
 * told in it. */

#define WARD_KEY_PEM_LABEL "TSS2 PRIVATE KEY"
#define WARD_KEY_BLOB_LABEL "TSS KEY BLOB"

/* Of what somebody says is the inside of one. has_auth: also where the text does not say. Fails with
 * WARD_ERROR_CORRUPT, or with WARD_ERROR_NOT_SUPPORTED for what is not a key, has a policy, or lies beneath another key
 * than the storage root key. */
WardWrappedKey *ward_key_pem_read (const guint8 *der, gsize size, GError **error);

/* The same of what is inside of a TSS KEY BLOB. */
WardWrappedKey *ward_key_blob_read (const guint8 *der, gsize size, GError **error);

/* The same of a whole text of either kind, with nothing around it. */
WardWrappedKey *ward_key_pem_parse (const char *text, GError **error);

/* NULL when there is no memory. */
char *ward_key_pem_print (const WardWrappedKey *key);
