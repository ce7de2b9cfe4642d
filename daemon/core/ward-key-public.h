/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"

/* Public keys, outside of a TPM: all of them as SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7), and all by OpenSSL. */

/* What the names "rsa2048", "ecc-p256", … stand for. */
typedef struct
{
  const char *name;
  gboolean is_ecc;
  guint bits;        /* of the modulus or the curve's field */
  const char *group; /* OpenSSL's name of the curve, "" for RSA */
  const char *ssh;   /* the curve's name in SSH (RFC 5656, 10.1), "" for RSA */
} WardKeyAlgorithm;

/* NULL for an unknown name. */
const WardKeyAlgorithm *ward_key_algorithm_find (const char *name);
const WardKeyAlgorithm *ward_key_algorithm_find_rsa (guint bits);
const WardKeyAlgorithm *ward_key_algorithm_find_group (const char *group);
/* The usages that are possible: WardKeyUsage. */
guint ward_key_algorithm_get_usage (const WardKeyAlgorithm *algorithm);

/* A point of a curve. */
struct _WardPoint
{
  const char *algorithm; /* static */
  GBytes *x;             /* as long as the curve's coordinates are */
  GBytes *y;
};

void ward_point_free (WardPoint *point);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardPoint, ward_point_free)

/* The point of somebody's public key. Fails with WARD_ERROR_INVALID_ARGUMENT for what is none, of a curve with no name
 * among the algorithms, not on it, or at infinity. */
WardPoint *ward_point_parse (GBytes *public_key, GError **error);

/* Big-endian numbers. NULL when they are no key. */
GBytes *ward_key_public_new_rsa (const guint8 *modulus, gsize size, guint32 exponent);
GBytes *ward_key_public_new_ecc (const WardKeyAlgorithm *algorithm, const guint8 *x, gsize x_size, const guint8 *y,
                                 gsize y_size);

/* The key's id: 32 hexadecimal digits, the first half of its SHA-256. */
char *ward_key_public_get_id (GBytes *public_key);
/* "SHA256:…", as ssh-keygen -l prints it. NULL for what is no key of these algorithms. */
char *ward_key_public_get_fingerprint (GBytes *public_key);
/* format: "pem", "der" or "ssh", a line for authorized_keys that ends in comment. WARD_ERROR_INVALID_ARGUMENT for
 * another one. */
GBytes *ward_key_public_print (GBytes *public_key, const char *format, const char *comment, GError **error);
gboolean ward_key_public_format_is_known (const char *format);
