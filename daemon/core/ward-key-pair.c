/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-pair.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "ward-error.h"
#include "ward-key-public.h"

/* The only exponent that every TPM takes: its default (TPM 2.0 Library, Part 2, 12.2.3.5). */
#define EXPONENT 65537

typedef BIGNUM Number;
typedef BN_CTX NumberContext;
typedef EC_GROUP Group;
typedef EC_POINT Point;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Number, BN_clear_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NumberContext, BN_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Group, EC_GROUP_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Point, EC_POINT_free)

void
ward_key_pair_free (WardKeyPair *pair)
{
  g_clear_pointer (&pair->modulus, g_bytes_unref);
  g_clear_pointer (&pair->x, g_bytes_unref);
  g_clear_pointer (&pair->y, g_bytes_unref);
  g_clear_pointer (&pair->secret, ward_secret_unref);
  g_free (pair);
}

static WardKeyPair *
unfit (GError **error, int code, const char *why)
{
  ERR_clear_error ();
  g_set_error (error, WARD_ERROR, code, "The key was not imported: %s.", why);
  return NULL;
}

static WardSecret *
secret_of_number (const BIGNUM *number, gsize size)
{
  g_autoptr (WardSecret) secret = ward_secret_new (size);

  return BN_bn2binpad (number, ward_secret_get_data (secret), (int)size) < 0 ? NULL : g_steal_pointer (&secret);
}

static GBytes *
bytes_of_number (const BIGNUM *number, gsize size)
{
  g_autofree guint8 *bytes = g_malloc0 (size);

  if (BN_bn2binpad (number, bytes, (int)size) < 0)
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&bytes), size);
}

static gboolean
is_product (const BIGNUM *product, const BIGNUM *one, const BIGNUM *other)
{
  g_autoptr (NumberContext) context = BN_CTX_secure_new ();
  g_autoptr (Number) result = BN_secure_new ();

  return context && result && BN_mul (result, one, other, context) && BN_cmp (result, product) == 0;
}

WardKeyPair *
ward_key_pair_new_rsa (const BIGNUM *modulus, const BIGNUM *exponent, const BIGNUM *prime, const BIGNUM *other_prime,
                       GError **error)
{
  const WardKeyAlgorithm *algorithm = ward_key_algorithm_find_rsa (BN_num_bits (modulus));
  g_autoptr (WardKeyPair) pair = g_new0 (WardKeyPair, 1);

  if (!algorithm)
    return unfit (error, WARD_ERROR_NOT_SUPPORTED,
                  "of RSA, keys of 2048 and 3072 bits are taken, and this one has another length");
  if (!BN_is_word (exponent, EXPONENT))
    return unfit (error, WARD_ERROR_NOT_SUPPORTED, "TPMs take RSA keys with the exponent 65537 only");
  if (BN_is_zero (prime) || !is_product (modulus, prime, other_prime))
    return unfit (error, WARD_ERROR_INVALID_ARGUMENT, "its primes do not make its modulus, so it is damaged");
  if (BN_num_bits (prime) != (int)algorithm->bits / 2 || BN_num_bits (other_prime) != (int)algorithm->bits / 2)
    return unfit (error, WARD_ERROR_NOT_SUPPORTED, "its primes are not both half as long as its modulus");
  pair->algorithm = algorithm->name;
  pair->modulus = bytes_of_number (modulus, algorithm->bits / 8);
  pair->secret = secret_of_number (prime, algorithm->bits / 16);
  if (!pair->modulus || !pair->secret)
    return unfit (error, WARD_ERROR_FAILED, "its numbers could not be written");
  return g_steal_pointer (&pair);
}

static gboolean
fill_point (WardKeyPair *pair, const EC_GROUP *group, const EC_POINT *point, gsize size)
{
  g_autoptr (Number) x = BN_new ();
  g_autoptr (Number) y = BN_new ();

  if (!x || !y || !EC_POINT_get_affine_coordinates (group, point, x, y, NULL))
    return FALSE;
  pair->x = bytes_of_number (x, size);
  pair->y = bytes_of_number (y, size);
  return pair->x && pair->y;
}

WardKeyPair *
ward_key_pair_new_ecc (const char *algorithm, const guint8 *point, gsize size, const BIGNUM *scalar, GError **error)
{
  const WardKeyAlgorithm *curve = ward_key_algorithm_find (algorithm);
  g_autoptr (Group) group = EC_GROUP_new_by_curve_name (OBJ_txt2nid (curve->group));
  g_autoptr (NumberContext) context = BN_CTX_secure_new ();
  g_autoptr (Point) told = group ? EC_POINT_new (group) : NULL;
  g_autoptr (Point) made = group ? EC_POINT_new (group) : NULL;
  g_autoptr (WardKeyPair) pair = g_new0 (WardKeyPair, 1);

  if (!context || !told || !made)
    return unfit (error, WARD_ERROR_FAILED, "there is not enough memory");
  if (BN_is_zero (scalar) || BN_is_negative (scalar) || BN_cmp (scalar, EC_GROUP_get0_order (group)) >= 0
      || !EC_POINT_mul (group, made, scalar, NULL, NULL, context))
    return unfit (error, WARD_ERROR_INVALID_ARGUMENT, "its private number is not one of its curve");
  if (point
      && (!EC_POINT_oct2point (group, told, point, size, context) || EC_POINT_cmp (group, told, made, context) != 0))
    return unfit (error, WARD_ERROR_INVALID_ARGUMENT, "its public half does not belong to its private one");
  pair->algorithm = curve->name;
  pair->secret = secret_of_number (scalar, curve->bits / 8);
  if (!pair->secret || !fill_point (pair, group, made, curve->bits / 8))
    return unfit (error, WARD_ERROR_FAILED, "its numbers could not be written");
  return g_steal_pointer (&pair);
}
