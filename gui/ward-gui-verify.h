/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Whether a signature of a digest was made by the key with that public half: without a TPM. spki: SubjectPublicKeyInfo,
 * in DER. scheme: "rsassa", "rsapss" (any length of the salt) or "ecdsa" (a DER SEQUENCE of r and s). hash: as
 * "sha256". What cannot be parsed was not made by it. */
gboolean ward_gui_verify (GBytes *spki, const char *scheme, const char *hash, GBytes *digest, GBytes *signature);

/* The public key that is in a file, PEM or DER: SubjectPublicKeyInfo in DER. NULL when there is none. */
GBytes *ward_gui_public_key_read (GBytes *file);
