/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <openssl/evp.h>

#include "ward-secret.h"

/* OpenSSL as the other side of what keys do. */

typedef EVP_PKEY Pkey;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pkey, EVP_PKEY_free)

/* A new key: "RSA" of so many bits, or of a named curve. */
EVP_PKEY *pkey_new_rsa (guint bits);
EVP_PKEY *pkey_new_ecc (const char *group);
EVP_PKEY *pkey_of (GBytes *public_key);
GBytes *pkey_to_public (EVP_PKEY *pkey);
/* PKCS #8 in PEM. */
WardSecret *pkey_to_pem (EVP_PKEY *pkey);

GBytes *digest_of (const char *hash, const char *text);
/* pss: by RSASSA-PSS, with whatever salt. */
gboolean pkey_verify (GBytes *public_key, const char *hash, gboolean pss, GBytes *digest, GBytes *signature);
/* hash: NULL for PKCS #1 v1.5; label: NULL for none. */
GBytes *pkey_encrypt (GBytes *public_key, const char *hash, GBytes *label, const char *text);
/* The x coordinate. */
GBytes *pkey_derive (EVP_PKEY *mine, GBytes *public_key);
