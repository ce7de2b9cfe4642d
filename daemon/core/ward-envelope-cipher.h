/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-secret.h"

/* AES-256-GCM (NIST SP 800-38D), for a key that is used once. */
#define WARD_CIPHER_KEY_SIZE 32
#define WARD_CIPHER_NONCE_SIZE 12
#define WARD_CIPHER_TAG_SIZE 16

/* Of OpenSSL's generators. Fail with WARD_ERROR_FAILED. */
gboolean ward_cipher_make_key (guint8 *key, GError **error);
GBytes *ward_cipher_make_nonce (GError **error);

/* The ciphertext of data with the tag behind. header: authenticated with it. key and nonce: of the sizes above. */
GBytes *ward_cipher_encrypt (const guint8 *key, GBytes *nonce, GBytes *header, WardSecret *data, GError **error);

/* Back again. NULL when anything differs; nobody learns what. */
WardSecret *ward_cipher_decrypt (const guint8 *key, GBytes *nonce, GBytes *header, GBytes *content);
