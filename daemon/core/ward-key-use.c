/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-use.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#include "ward-error.h"
#include "ward-key-public.h"

/* A DigestInfo of SHA-512 has 83 bytes; none that anybody signs has more. */
#define MAX_DIGEST_INFO 128
/* Of PKCS #1, EMSA-PKCS1-v1_5 (RFC 8017, 9.2): what stands around the DigestInfo, at the least. */
#define MIN_PADDING 11

typedef X509_SIG DigestInfo;
typedef ECDSA_SIG Signature;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DigestInfo, X509_SIG_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Signature, ECDSA_SIG_free)

typedef struct
{
  const char *name;
  gsize size;
  int nid;
} Hash;

static const Hash hashes[] = {
  { "sha1", 20, NID_sha1 },
  { "sha256", 32, NID_sha256 },
  { "sha384", 48, NID_sha384 },
  { "sha512", 64, NID_sha512 },
};

static const Hash *
find_hash (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (g_str_equal (hashes[i].name, name))
      return &hashes[i];
  return NULL;
}

static const Hash *
find_hash_by_size (gsize size)
{
  for (guint i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (hashes[i].size == size)
      return &hashes[i];
  return NULL;
}

static const struct
{
  const char *name;
  WardScheme scheme;
  gboolean signs;
} schemes[] = {
  { "rsassa", WARD_SCHEME_RSASSA, TRUE }, { "rsapss", WARD_SCHEME_RSAPSS, TRUE }, { "ecdsa", WARD_SCHEME_ECDSA, TRUE },
  { "rsaes", WARD_SCHEME_RSAES, FALSE },  { "oaep", WARD_SCHEME_OAEP, FALSE },
};

static gboolean
find_scheme (const char *name, gboolean signs, WardScheme *scheme)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (schemes[i].signs == signs && g_str_equal (schemes[i].name, name))
      {
        *scheme = schemes[i].scheme;
        return TRUE;
      }
  return FALSE;
}

static gboolean G_GNUC_PRINTF (2, 3) invalid (GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

void
ward_signing_free (WardSigning *signing)
{
  g_clear_pointer (&signing->data, g_bytes_unref);
  g_free (signing);
}

void
ward_decryption_free (WardDecryption *decryption)
{
  g_clear_pointer (&decryption->label, g_bytes_unref);
  g_clear_pointer (&decryption->ciphertext, g_bytes_unref);
  g_free (decryption);
}

/* The hash and the digest in a DigestInfo (RFC 8017, 9.2). FALSE when it is none; hash NULL for one that TPMs are not
 * asked for. */
static gboolean
read_digest_info (GBytes *bytes, const Hash **hash, GBytes **digest)
{
  gsize size;
  const guint8 *der = g_bytes_get_data (bytes, &size);
  const guint8 *next = der;
  g_autoptr (DigestInfo) info = NULL;
  const X509_ALGOR *algorithm;
  const ASN1_OCTET_STRING *octets;
  const ASN1_OBJECT *object;

  *hash = NULL;
  if (size == 0 || size > MAX_DIGEST_INFO)
    return FALSE;
  info = d2i_X509_SIG (NULL, &next, (long)size);
  ERR_clear_error ();
  if (!info || next != der + size)
    return FALSE;
  X509_SIG_get0 (info, &algorithm, &octets);
  X509_ALGOR_get0 (&object, NULL, NULL, algorithm);
  for (guint i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (OBJ_obj2nid (object) == hashes[i].nid)
      *hash = &hashes[i];
  if (*hash && (gsize)ASN1_STRING_length (octets) != (*hash)->size)
    return FALSE;
  *digest = g_bytes_new (ASN1_STRING_get0_data (octets), ASN1_STRING_length (octets));
  return TRUE;
}

/* Hash “none”: the caller has made more of the digest itself. */
static gboolean
check_unhashed (const char *scheme, GBytes *data, GError **error)
{
  const Hash *hash;
  g_autoptr (GBytes) digest = NULL;

  if (scheme && g_str_equal (scheme, "rsapss"))
    return invalid (error, "A signature by “rsapss” needs to know its hash: “none” does not do.");
  if (scheme && g_str_equal (scheme, "ecdsa"))
    return find_hash_by_size (g_bytes_get_size (data)) != NULL
           || invalid (
               error,
               "With the hash “none”, “ecdsa” signs a digest of 20, 32, 48 or 64 bytes, and this has %" G_GSIZE_FORMAT
               ".",
               g_bytes_get_size (data));
  if (scheme && !read_digest_info (data, &hash, &digest))
    return invalid (error, "With the hash “none”, “rsassa” signs a DigestInfo in DER, and this is none. Give the "
                           "hash's name and the digest instead.");
  return TRUE;
}

gboolean
ward_signing_check (const char *scheme, const char *hash_name, GBytes *digest, GError **error)
{
  const Hash *hash = find_hash (hash_name);
  WardScheme known;

  if (scheme && !find_scheme (scheme, TRUE, &known))
    return invalid (error, "“%.32s” is no signature scheme. There are “rsassa”, “rsapss” and “ecdsa”.", scheme);
  if (g_str_equal (hash_name, "none"))
    return check_unhashed (scheme, digest, error);
  if (!hash)
    return invalid (error, "“%.32s” is no hash. There are “sha1”, “sha256”, “sha384”, “sha512” and “none”.", hash_name);
  if (g_bytes_get_size (digest) == hash->size)
    return TRUE;
  return invalid (error,
                  "A digest of %s has %" G_GSIZE_FORMAT " bytes, and this has %" G_GSIZE_FORMAT
                  ". What is signed is the digest, not the data itself.",
                  hash_name, hash->size, g_bytes_get_size (digest));
}

/* EMSA-PKCS1-v1_5 around a DigestInfo (RFC 8017, 9.2). */
static GBytes *
pad (GBytes *digest_info, gsize size)
{
  gsize info_size;
  gconstpointer info = g_bytes_get_data (digest_info, &info_size);
  guint8 *block = g_malloc (size);

  memset (block, 0xff, size);
  block[0] = 0;
  block[1] = 1;
  block[size - info_size - 1] = 0;
  memcpy (block + size - info_size, info, info_size);
  return g_bytes_new_take (block, size);
}

/* What a hash that the chip does not know needs: the key's right to decrypt undoes a padding of our own. */
static gboolean
plan_raw (WardSigning *signing, const WardKeyFacts *facts, GBytes *digest_info, GError **error)
{
  gsize size = ward_key_algorithm_find (facts->algorithm)->bits / 8;

  if ((facts->usage & WARD_KEY_DECRYPT) == 0)
    return invalid (error, "The DigestInfo is of a hash that TPMs do not know, which only a key made for “sign” and "
                           "“decrypt” can sign. Use another hash, or such a key.");
  if (g_bytes_get_size (digest_info) + MIN_PADDING > size)
    return invalid (error, "The DigestInfo is too long for this key.");
  signing->scheme = WARD_SCHEME_RAW;
  signing->data = pad (digest_info, size);
  return TRUE;
}

static gboolean
plan_unhashed (WardSigning *signing, const WardKeyFacts *facts, GBytes *data, GError **error)
{
  const Hash *hash;
  g_autoptr (GBytes) digest = NULL;

  if (signing->scheme == WARD_SCHEME_ECDSA)
    {
      signing->hash = find_hash_by_size (g_bytes_get_size (data))->name;
      signing->data = g_bytes_ref (data);
      return TRUE;
    }
  if (!read_digest_info (data, &hash, &digest))
    return invalid (error, "This is no DigestInfo.");
  if (!hash && facts->pkcs1_only)
    {
      signing->data = g_bytes_ref (data);
      return TRUE;
    }
  if (!hash)
    return plan_raw (signing, facts, data, error);
  signing->hash = hash->name;
  signing->data = g_steal_pointer (&digest);
  return TRUE;
}

WardSigning *
ward_signing_new (const WardKeyFacts *facts, const char *scheme, const char *hash_name, GBytes *digest, GError **error)
{
  gboolean is_ecc = ward_key_algorithm_find (facts->algorithm)->is_ecc;
  g_autoptr (WardSigning) signing = g_new0 (WardSigning, 1);

  if (!scheme)
    scheme = is_ecc ? "ecdsa" : "rsassa";
  if (!ward_signing_check (scheme, hash_name, digest, error))
    return NULL;
  find_scheme (scheme, TRUE, &signing->scheme);
  if ((facts->usage & WARD_KEY_SIGN) == 0)
    invalid (error, "This key was not made to sign. Make one for “sign”.");
  else if (is_ecc != (signing->scheme == WARD_SCHEME_ECDSA))
    invalid (error, "A key of %s does not sign by “%s”. Leave the scheme out, or use a key of the other kind.",
             facts->algorithm, scheme);
  else if (g_str_equal (hash_name, "none"))
    return plan_unhashed (signing, facts, digest, error) ? g_steal_pointer (&signing) : NULL;
  else
    {
      signing->hash = find_hash (hash_name)->name;
      signing->data = g_bytes_ref (digest);
      return g_steal_pointer (&signing);
    }
  return NULL;
}

static gboolean
check_label (GBytes *label, GError **error)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (label, &size);

  if (size == 0 || size > WARD_MAX_LABEL_SIZE)
    return invalid (error, "A label of OAEP has 1 to %d bytes, and this has %" G_GSIZE_FORMAT ".", WARD_MAX_LABEL_SIZE,
                    size);
  if (bytes[size - 1] != 0)
    return invalid (error, "A TPM takes only labels of OAEP that end in a zero byte, and this one does not. The zero "
                           "byte belongs to the label: encrypt with it, too.");
  return TRUE;
}

gboolean
ward_decryption_check (const char *scheme, const char *hash, GBytes *label, GError **error)
{
  WardScheme known = WARD_SCHEME_OAEP;

  if (scheme && !find_scheme (scheme, FALSE, &known))
    return invalid (error, "“%.32s” is no scheme of decryption. There are “oaep” and “rsaes”.", scheme);
  if (known == WARD_SCHEME_RSAES && (hash || label))
    return invalid (error, "Hash and label are of “oaep”: “rsaes” has neither.");
  if (hash && !find_hash (hash))
    return invalid (error, "“%.32s” is no hash. There are “sha1”, “sha256”, “sha384” and “sha512”.", hash);
  return !label || check_label (label, error);
}

WardDecryption *
ward_decryption_new (const WardKeyFacts *facts, const char *scheme, const char *hash, GBytes *label, GBytes *ciphertext,
                     GError **error)
{
  gsize size = ward_key_algorithm_find (facts->algorithm)->bits / 8;
  g_autoptr (WardDecryption) decryption = g_new0 (WardDecryption, 1);

  if (!ward_decryption_check (scheme, hash, label, error))
    return NULL;
  if (!scheme)
    scheme = facts->pkcs1_only && !hash && !label ? "rsaes" : "oaep";
  if ((facts->usage & WARD_KEY_DECRYPT) == 0)
    {
      invalid (error, "This key was not made to decrypt. Make one of RSA for “decrypt”.");
      return NULL;
    }
  if (g_bytes_get_size (ciphertext) != size)
    {
      invalid (error,
               "What was encrypted for a key of %s has %" G_GSIZE_FORMAT " bytes, and this has %" G_GSIZE_FORMAT ".",
               facts->algorithm, size, g_bytes_get_size (ciphertext));
      return NULL;
    }
  find_scheme (scheme, FALSE, &decryption->scheme);
  if (decryption->scheme == WARD_SCHEME_OAEP)
    decryption->hash = find_hash (hash ? hash : "sha256")->name;
  decryption->label = label ? g_bytes_ref (label) : NULL;
  decryption->ciphertext = g_bytes_ref (ciphertext);
  return g_steal_pointer (&decryption);
}

gboolean
ward_agreement_check (const WardKeyFacts *facts, const WardPoint *peer, GError **error)
{
  if ((facts->usage & WARD_KEY_AGREE) == 0)
    return invalid (error, "This key was not made to agree with others. Make one of ECC for “agree”.");
  if (!g_str_equal (facts->algorithm, peer->algorithm))
    return invalid (error, "The other side's key is of %s and this one of %s: only keys of one curve agree.",
                    peer->algorithm, facts->algorithm);
  return TRUE;
}

GBytes *
ward_signature_print (const guint8 *r, gsize r_size, const guint8 *s, gsize s_size)
{
  g_autoptr (Signature) signature = ECDSA_SIG_new ();
  BIGNUM *r_number = BN_bin2bn (r, (int)r_size, NULL), *s_number = BN_bin2bn (s, (int)s_size, NULL);
  guint8 *der = NULL;
  int size;
  GBytes *bytes;

  if (!signature || !r_number || !s_number || !ECDSA_SIG_set0 (signature, r_number, s_number))
    {
      BN_free (r_number);
      BN_free (s_number);
      return NULL;
    }
  size = i2d_ECDSA_SIG (signature, &der);
  bytes = size > 0 ? g_bytes_new (der, size) : NULL;
  OPENSSL_free (der);
  return bytes;
}
