/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-key-pair.h"

/* The most bytes of what is imported: text or DER of a key. */
#define WARD_MAX_IMPORT_SIZE (64 * 1024)
/* The longest passphrase, in bytes. */
#define WARD_MAX_PASSPHRASE_SIZE 1023

/* A key from outside: one of the two. */
typedef struct
{
  WardWrappedKey *wrapped; /* by a TPM, or NULL */
  WardKeyPair *pair;       /* plain, or NULL */
} WardKeyImport;

void ward_key_import_free (WardKeyImport *import);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardKeyImport, ward_key_import_free)

/* Reads a private key: PKCS #8, PKCS #1 or SEC 1, PEM or DER, OpenSSH's own format, or a TSS2 PRIVATE KEY PEM.
 * passphrase: NULL for none. May take one or two seconds, where it stretches a passphrase. Fails with
 * WARD_ERROR_INVALID_ARGUMENT for what is no key, is damaged or encrypted by another passphrase; with
 * WARD_ERROR_NOT_SUPPORTED for keys that TPMs do not take or that are encrypted in ways that cannot be undone here; for
 * a TSS2 PRIVATE KEY also with WARD_ERROR_CORRUPT. */
WardKeyImport *ward_key_import_parse (WardSecret *data, WardSecret *passphrase, GError **error);

/* Whether the data is a TSS2 PRIVATE KEY, which brings its properties with it, by its first line. */
gboolean ward_key_import_is_wrapped (WardSecret *data);

/* The inside of the one block of PEM that text is, white space around it and “EC PARAMETERS” in front of it aside; and
 * its label, freed by the caller. Undoes the encryption that PEM has itself (RFC 1421, 4.6). */
WardSecret *ward_key_import_read_pem (WardSecret *text, WardSecret *passphrase, char **label, GError **error);
