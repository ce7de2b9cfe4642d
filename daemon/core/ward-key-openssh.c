/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-openssh.h"

#include <string.h>

#include "ward-error.h"
#include "ward-key-public.h"

#define MAGIC "openssh-key-v1" /* and a zero byte */
#define MAX_NUMBER 1025        /* bytes: of a key of 8192 bits */

typedef BIGNUM Number;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Number, BN_clear_free)

/* What is left to read. */
typedef struct
{
  const guint8 *next;
  gsize left;
} Cursor;

static gboolean
read_u32 (Cursor *cursor, guint32 *value)
{
  if (cursor->left < sizeof *value)
    return FALSE;
  memcpy (value, cursor->next, sizeof *value);
  *value = GUINT32_FROM_BE (*value);
  cursor->next += sizeof *value;
  cursor->left -= sizeof *value;
  return TRUE;
}

/* RFC 4251, 5: a string, which stays where it is. */
static gboolean
read_string (Cursor *cursor, Cursor *string)
{
  guint32 size;

  if (!read_u32 (cursor, &size) || size > cursor->left)
    return FALSE;
  *string = (Cursor){ cursor->next, size };
  cursor->next += size;
  cursor->left -= size;
  return TRUE;
}

/* RFC 4251, 5: an mpint that is not negative. */
static BIGNUM *
read_number (Cursor *cursor)
{
  Cursor bytes;

  if (!read_string (cursor, &bytes) || bytes.left > MAX_NUMBER || (bytes.left > 0 && bytes.next[0] & 0x80))
    return NULL;
  return BN_bin2bn (bytes.next, (int)bytes.left, BN_secure_new ());
}

static gboolean
is (const Cursor *string, const char *text)
{
  return string->left == strlen (text) && memcmp (string->next, text, string->left) == 0;
}

static WardKeyPair *
damaged (GError **error)
{
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                       "The key in OpenSSH's format is damaged or not whole. Use another copy of it.");
  return NULL;
}

static WardKeyPair *
unsupported (GError **error, const char *message)
{
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED, message);
  return NULL;
}

static WardKeyPair *
read_rsa (Cursor *cursor, GError **error)
{
  g_autoptr (Number) modulus = read_number (cursor);
  g_autoptr (Number) exponent = read_number (cursor);
  g_autoptr (Number) private_exponent = read_number (cursor);
  g_autoptr (Number) coefficient = read_number (cursor);
  g_autoptr (Number) prime = read_number (cursor);
  g_autoptr (Number) other_prime = read_number (cursor);

  if (!modulus || !exponent || !private_exponent || !coefficient || !prime || !other_prime)
    return damaged (error);
  return ward_key_pair_new_rsa (modulus, exponent, prime, other_prime, error);
}

static const WardKeyAlgorithm *
find_curve (const Cursor *type)
{
  static const char *const names[] = { "ecc-p256", "ecc-p384" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const WardKeyAlgorithm *algorithm = ward_key_algorithm_find (names[i]);
      g_autofree char *ssh = g_strconcat ("ecdsa-sha2-", algorithm->ssh, NULL);

      if (is (type, ssh))
        return algorithm;
    }
  return NULL;
}

static WardKeyPair *
read_ecc (Cursor *cursor, const WardKeyAlgorithm *algorithm, GError **error)
{
  Cursor curve, point;
  g_autoptr (Number) scalar = NULL;

  if (!read_string (cursor, &curve) || !is (&curve, algorithm->ssh) || !read_string (cursor, &point)
      || !(scalar = read_number (cursor)))
    return damaged (error);
  return ward_key_pair_new_ecc (algorithm->name, point.next, point.left, scalar, error);
}

/* After the numbers: a comment, and the bytes 1, 2, 3, … */
static gboolean
ends_well (Cursor *cursor)
{
  Cursor comment;

  if (!read_string (cursor, &comment) || cursor->left > 255)
    return FALSE;
  for (gsize i = 0; i < cursor->left; i++)
    if (cursor->next[i] != i + 1)
      return FALSE;
  return TRUE;
}

static WardKeyPair *
read_private (Cursor *cursor, GError **error)
{
  guint32 check, check_again;
  Cursor type;
  const WardKeyAlgorithm *curve;
  g_autoptr (WardKeyPair) pair = NULL;

  if (!read_u32 (cursor, &check) || !read_u32 (cursor, &check_again) || check != check_again
      || !read_string (cursor, &type))
    return damaged (error);
  curve = find_curve (&type);
  if (!curve && !is (&type, "ssh-rsa"))
    return unsupported (error, "TPMs take keys of RSA, P-256 and P-384, and this OpenSSH key is of another kind. Have "
                               "the TPM make a new key instead.");
  pair = curve ? read_ecc (cursor, curve, error) : read_rsa (cursor, error);
  if (!pair)
    return NULL;
  return ends_well (cursor) ? g_steal_pointer (&pair) : damaged (error);
}

WardKeyPair *
ward_key_openssh_parse (WardSecret *data, GError **error)
{
  Cursor cursor = { ward_secret_get_data (data), ward_secret_get_size (data) };
  Cursor cipher, kdf, options, public_key, private_keys;
  guint32 count;

  if (cursor.left < sizeof MAGIC || memcmp (cursor.next, MAGIC, sizeof MAGIC) != 0)
    return damaged (error);
  cursor.next += sizeof MAGIC;
  cursor.left -= sizeof MAGIC;
  if (!read_string (&cursor, &cipher) || !read_string (&cursor, &kdf) || !read_string (&cursor, &options)
      || !read_u32 (&cursor, &count))
    return damaged (error);
  if (!is (&cipher, "none") || !is (&kdf, "none"))
    return unsupported (error,
                        "This OpenSSH key is encrypted in OpenSSH's own way, which cannot be undone here. Have a "
                        "copy of it rewritten by “ssh-keygen -p -m PKCS8 -f COPY”, which can keep the "
                        "passphrase, and import that.");
  if (count != 1 || !read_string (&cursor, &public_key) || !read_string (&cursor, &private_keys) || cursor.left != 0)
    return damaged (error);
  return read_private (&private_keys, error);
}
