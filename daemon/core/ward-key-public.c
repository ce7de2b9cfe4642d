/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-public.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "ward-error.h"

/* The longest key that is parsed, in bytes of DER: an RSA key of 3072 bits has 422. */
#define MAX_DER 1024
/* The longest coordinate of a curve that OpenSSL knows, in bytes. */
#define MAX_COORDINATE 72
#define ID_DIGITS 32

typedef EVP_PKEY Pkey;
typedef EVP_PKEY_CTX PkeyContext;
typedef BIGNUM Number;
typedef BIO Bio;
typedef OSSL_PARAM_BLD ParamBuilder;
typedef OSSL_PARAM Params;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pkey, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PkeyContext, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Number, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bio, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ParamBuilder, OSSL_PARAM_BLD_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Params, OSSL_PARAM_free)

static const WardKeyAlgorithm algorithms[] = {
  { "rsa2048", FALSE, 2048, "", "" },
  { "rsa3072", FALSE, 3072, "", "" },
  { "ecc-p256", TRUE, 256, "prime256v1", "nistp256" },
  { "ecc-p384", TRUE, 384, "secp384r1", "nistp384" },
};

const WardKeyAlgorithm *
ward_key_algorithm_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    if (g_str_equal (algorithms[i].name, name))
      return &algorithms[i];
  return NULL;
}

const WardKeyAlgorithm *
ward_key_algorithm_find_rsa (guint bits)
{
  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    if (!algorithms[i].is_ecc && algorithms[i].bits == bits)
      return &algorithms[i];
  return NULL;
}

const WardKeyAlgorithm *
ward_key_algorithm_find_group (const char *group)
{
  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    if (algorithms[i].is_ecc && g_str_equal (algorithms[i].group, group))
      return &algorithms[i];
  return NULL;
}

guint
ward_key_algorithm_get_usage (const WardKeyAlgorithm *algorithm)
{
  return WARD_KEY_SIGN | (algorithm->is_ecc ? WARD_KEY_AGREE : WARD_KEY_DECRYPT);
}

void
ward_point_free (WardPoint *point)
{
  g_clear_pointer (&point->x, g_bytes_unref);
  g_clear_pointer (&point->y, g_bytes_unref);
  g_free (point);
}

/* NULL for anything but one whole key. */
static EVP_PKEY *
parse (GBytes *public_key)
{
  gsize size;
  const guint8 *der = g_bytes_get_data (public_key, &size);
  const guint8 *next = der;
  g_autoptr (Pkey) pkey = NULL;

  if (size == 0 || size > MAX_DER)
    return NULL;
  pkey = d2i_PUBKEY (NULL, &next, (long)size);
  ERR_clear_error ();
  return pkey && next == der + size ? g_steal_pointer (&pkey) : NULL;
}

static const WardKeyAlgorithm *
find_algorithm (EVP_PKEY *pkey)
{
  char group[80];
  int is_explicit = 0;

  if (EVP_PKEY_is_a (pkey, "RSA"))
    return ward_key_algorithm_find_rsa (EVP_PKEY_get_bits (pkey));
  /* a curve that is told by its numbers is not taken for the one that it resembles */
  if (!EVP_PKEY_is_a (pkey, "EC") || !EVP_PKEY_get_group_name (pkey, group, sizeof group, NULL)
      || !EVP_PKEY_get_int_param (pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) || is_explicit)
    return NULL;
  return ward_key_algorithm_find_group (group);
}

static gboolean
is_valid (EVP_PKEY *pkey)
{
  g_autoptr (PkeyContext) context = EVP_PKEY_CTX_new_from_pkey (NULL, pkey, NULL);

  return context && EVP_PKEY_public_check (context) == 1;
}

static GBytes *
get_number (EVP_PKEY *pkey, const char *name, gsize size)
{
  g_autoptr (Number) number = NULL;
  g_autofree guint8 *bytes = g_malloc0 (size);

  if (!EVP_PKEY_get_bn_param (pkey, name, &number) || BN_bn2binpad (number, bytes, (int)size) < 0)
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&bytes), size);
}

WardPoint *
ward_point_parse (GBytes *public_key, GError **error)
{
  g_autoptr (Pkey) pkey = parse (public_key);
  const WardKeyAlgorithm *algorithm = pkey ? find_algorithm (pkey) : NULL;
  g_autoptr (WardPoint) point = g_new0 (WardPoint, 1);

  if (algorithm && algorithm->is_ecc && is_valid (pkey))
    {
      point->algorithm = algorithm->name;
      point->x = get_number (pkey, OSSL_PKEY_PARAM_EC_PUB_X, algorithm->bits / 8);
      point->y = get_number (pkey, OSSL_PKEY_PARAM_EC_PUB_Y, algorithm->bits / 8);
    }
  ERR_clear_error ();
  if (point->x && point->y)
    return g_steal_pointer (&point);
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                       "The other side's key is no point of the curve P-256 or P-384 as a SubjectPublicKeyInfo in DER. "
                       "“openssl pkey -pubin -outform DER” writes one.");
  return NULL;
}

/* Of parameters that builder has. */
static GBytes *
print_new (const char *type, OSSL_PARAM_BLD *builder)
{
  g_autoptr (Params) params = OSSL_PARAM_BLD_to_param (builder);
  g_autoptr (PkeyContext) context = EVP_PKEY_CTX_new_from_name (NULL, type, NULL);
  g_autoptr (Pkey) pkey = NULL;
  guint8 *der = NULL;
  int size;
  GBytes *bytes;

  if (!params || !context || EVP_PKEY_fromdata_init (context) != 1
      || EVP_PKEY_fromdata (context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    {
      ERR_clear_error ();
      return NULL;
    }
  size = i2d_PUBKEY (pkey, &der);
  bytes = size > 0 ? g_bytes_new (der, size) : NULL;
  OPENSSL_free (der);
  return bytes;
}

GBytes *
ward_key_public_new_rsa (const guint8 *modulus, gsize size, guint32 exponent)
{
  g_autoptr (ParamBuilder) builder = OSSL_PARAM_BLD_new ();
  g_autoptr (Number) n = BN_bin2bn (modulus, (int)size, NULL);

  if (!builder || !n || !OSSL_PARAM_BLD_push_BN (builder, OSSL_PKEY_PARAM_RSA_N, n)
      || !OSSL_PARAM_BLD_push_ulong (builder, OSSL_PKEY_PARAM_RSA_E, exponent))
    return NULL;
  return print_new ("RSA", builder);
}

GBytes *
ward_key_public_new_ecc (const WardKeyAlgorithm *algorithm, const guint8 *x, gsize x_size, const guint8 *y,
                         gsize y_size)
{
  g_autoptr (ParamBuilder) builder = OSSL_PARAM_BLD_new ();
  guint8 point[1 + 2 * MAX_COORDINATE] = { POINT_CONVERSION_UNCOMPRESSED };
  gsize size = algorithm->bits / 8;

  if (!builder || x_size > size || y_size > size)
    return NULL;
  memcpy (point + 1 + size - x_size, x, x_size);
  memcpy (point + 1 + 2 * size - y_size, y, y_size);
  if (!OSSL_PARAM_BLD_push_utf8_string (builder, OSSL_PKEY_PARAM_GROUP_NAME, algorithm->group, 0)
      || !OSSL_PARAM_BLD_push_octet_string (builder, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size))
    return NULL;
  return print_new ("EC", builder);
}

char *
ward_key_public_get_id (GBytes *public_key)
{
  char *digits = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, public_key);

  digits[ID_DIGITS] = '\0';
  return digits;
}

/* RFC 4251, 5: a string. */
static void
append_string (GByteArray *blob, gconstpointer bytes, gsize size)
{
  guint32 length = GUINT32_TO_BE ((guint32)size);

  g_byte_array_append (blob, (const guint8 *)&length, sizeof length);
  g_byte_array_append (blob, bytes, size);
}

/* RFC 4251, 5: an mpint that is not negative. */
static gboolean
append_number (GByteArray *blob, EVP_PKEY *pkey, const char *name)
{
  g_autoptr (Number) number = NULL;
  guint8 bytes[1 + MAX_DER] = { 0 };
  int size;

  if (!EVP_PKEY_get_bn_param (pkey, name, &number) || BN_num_bytes (number) > MAX_DER)
    return FALSE;
  size = BN_bn2bin (number, bytes + 1);
  /* a zero in front where the highest bit would make it negative */
  if (BN_num_bits (number) % 8 == 0)
    append_string (blob, bytes, size + 1);
  else
    append_string (blob, bytes + 1, size);
  return TRUE;
}

/* The key in SSH's own form (RFC 4253, 6.6, and RFC 5656, 3.1). NULL for what is no key of these algorithms. type: its
 * name there; freed by the caller. */
static GByteArray *
make_ssh_blob (GBytes *public_key, char **type)
{
  g_autoptr (Pkey) pkey = parse (public_key);
  const WardKeyAlgorithm *algorithm = pkey ? find_algorithm (pkey) : NULL;
  g_autoptr (GByteArray) blob = g_byte_array_new ();
  g_autofree char *name = NULL;
  guint8 point[1 + 2 * MAX_COORDINATE];
  gsize size;

  if (!algorithm)
    return NULL;
  name = algorithm->is_ecc ? g_strconcat ("ecdsa-sha2-", algorithm->ssh, NULL) : g_strdup ("ssh-rsa");
  append_string (blob, name, strlen (name));
  if (algorithm->is_ecc)
    {
      if (!EVP_PKEY_get_octet_string_param (pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size))
        return NULL;
      append_string (blob, algorithm->ssh, strlen (algorithm->ssh));
      append_string (blob, point, size);
    }
  else if (!append_number (blob, pkey, OSSL_PKEY_PARAM_RSA_E) || !append_number (blob, pkey, OSSL_PKEY_PARAM_RSA_N))
    return NULL;
  *type = g_steal_pointer (&name);
  return g_steal_pointer (&blob);
}

char *
ward_key_public_get_fingerprint (GBytes *public_key)
{
  g_autofree char *type = NULL;
  g_autoptr (GByteArray) blob = make_ssh_blob (public_key, &type);
  guint8 digest[32];
  g_autofree char *text = NULL;

  if (!blob || !EVP_Digest (blob->data, blob->len, digest, NULL, EVP_sha256 (), NULL))
    return NULL;
  text = g_base64_encode (digest, sizeof digest);
  /* without the padding */
  return g_strdup_printf ("SHA256:%.*s", (int)strcspn (text, "="), text);
}

static GBytes *
print_ssh (GBytes *public_key, const char *comment)
{
  g_autofree char *type = NULL;
  g_autoptr (GByteArray) blob = make_ssh_blob (public_key, &type);
  g_autofree char *text = blob ? g_base64_encode (blob->data, blob->len) : NULL;
  char *line;

  if (!text)
    return NULL;
  line = g_strdup_printf ("%s %s%s%s\n", type, text, *comment ? " " : "", comment);
  return g_bytes_new_take (line, strlen (line));
}

static GBytes *
print_pem (GBytes *public_key)
{
  g_autoptr (Bio) bio = BIO_new (BIO_s_mem ());
  gsize size;
  const guint8 *der = g_bytes_get_data (public_key, &size);
  const char *text;
  long length;

  if (!bio || !PEM_write_bio (bio, PEM_STRING_PUBLIC, "", der, (long)size))
    return NULL;
  length = BIO_get_mem_data (bio, &text);
  return g_bytes_new (text, length);
}

gboolean
ward_key_public_format_is_known (const char *format)
{
  return g_str_equal (format, "pem") || g_str_equal (format, "der") || g_str_equal (format, "ssh");
}

GBytes *
ward_key_public_print (GBytes *public_key, const char *format, const char *comment, GError **error)
{
  GBytes *bytes;

  if (!ward_key_public_format_is_known (format))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "“%s” is no format of public keys. There are “pem”, “der” and “ssh”.", format);
      return NULL;
    }
  if (g_str_equal (format, "der"))
    return g_bytes_ref (public_key);
  bytes = g_str_equal (format, "pem") ? print_pem (public_key) : print_ssh (public_key, comment);
  ERR_clear_error ();
  if (!bytes)
    g_set_error (
        error, WARD_ERROR, WARD_ERROR_CORRUPT,
        "The public key on record cannot be written as “%s”: it is damaged. Export the key and import it anew.",
        format);
  return bytes;
}
