/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <openssl/bn.h>

#include "ward-backend.h"

/* A key that was made elsewhere, with its private half, on its way into a TPM. */
struct _WardKeyPair
{
  const char *algorithm; /* static */
  GBytes *modulus;       /* of RSA, whose exponent is 65537; else NULL */
  GBytes *x;             /* of ECC, as long as the curve's coordinates are; else NULL */
  GBytes *y;             /* likewise */
  WardSecret *secret;    /* one prime, of half the modulus's length, or the scalar, as long as the coordinates */
};

void ward_key_pair_free (WardKeyPair *pair);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardKeyPair, ward_key_pair_free)

/* Of RSA. Fails with WARD_ERROR_INVALID_ARGUMENT when the numbers do not belong together, and WARD_ERROR_NOT_SUPPORTED
 * for sizes and exponents that TPMs do not take. */
WardKeyPair *ward_key_pair_new_rsa (const BIGNUM *modulus, const BIGNUM *exponent, const BIGNUM *prime,
                                    const BIGNUM *other_prime, GError **error);

/* Of ECC. algorithm: "ecc-p256", "ecc-p384". point: SEC 1's octets, size bytes; or NULL: made from the scalar. */
WardKeyPair *ward_key_pair_new_ecc (const char *algorithm, const guint8 *point, gsize size, const BIGNUM *scalar,
                                    GError **error);
