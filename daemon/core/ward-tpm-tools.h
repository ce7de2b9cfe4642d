/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-envelope.h"

/* Sealed data as tpm_sealdata of tpm-tools writes it and tpm_unsealdata reads it: encrypted by AES-256-CBC, whose key a
 * TPM 1.2 has sealed beneath a storage key of its own, which is the sealed data's public area here. The secrets of both
 * are the same for all, and nothing authenticates the content: what was changed in it is not noticed. */

gboolean ward_tpm_tools_is_sealed (const char *text);

/* Of anybody's text, without asking a TPM. WARD_ERROR_CORRUPT. */
WardEnvelope *ward_tpm_tools_parse (const char *text, GError **error);

/* What is to be sealed in the TPM for it: a new key. */
WardSecret *ward_tpm_tools_make_key (GError **error);

/* The text for data, by the key that was sealed. */
char *ward_tpm_tools_print (const WardSealed *sealed, WardSecret *key, WardSecret *data, GError **error);

/* The data, by the key that was unsealed. WARD_ERROR_CORRUPT when it cannot be that. */
WardSecret *ward_tpm_tools_open (const WardEnvelope *envelope, WardSecret *key, GError **error);
