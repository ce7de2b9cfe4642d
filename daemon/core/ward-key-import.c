/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-import.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "ward-error.h"
#include "ward-key-openssh.h"
#include "ward-key-pem.h"
#include "ward-key-public.h"

#define BEGIN "-----BEGIN "
/* The longest private key that is parsed, in bytes: an RSA key of 3072 bits has 1794. */
#define MAX_DER (16 * 1024)

/* How far a passphrase may be stretched, so that a key from a stranger cannot keep others waiting for long: one or two
 * seconds. OpenSSL itself writes 2048 iterations. */
#define MAX_ITERATIONS 1000000
#define MAX_SCRYPT_COST (1u << 21)

typedef EVP_PKEY Pkey;
typedef BIGNUM Number;
typedef BIO Bio;
typedef X509_SIG Encrypted;
typedef PKCS8_PRIV_KEY_INFO PrivateKeyInfo;
typedef PBE2PARAM Pbe2;
typedef PBKDF2PARAM Pbkdf2;
typedef SCRYPT_PARAMS Scrypt;
typedef PBEPARAM Pbe;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pkey, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Number, BN_clear_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bio, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Encrypted, X509_SIG_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PrivateKeyInfo, PKCS8_PRIV_KEY_INFO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pbe2, PBE2PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pbkdf2, PBKDF2PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scrypt, SCRYPT_PARAMS_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pbe, PBEPARAM_free)

void
ward_key_import_free (WardKeyImport *import)
{
  g_clear_pointer (&import->wrapped, ward_sealed_free);
  g_clear_pointer (&import->pair, ward_key_pair_free);
  g_free (import);
}

static gpointer
fail (GError **error, int code, const char *message)
{
  ERR_clear_error ();
  g_set_error_literal (error, WARD_ERROR, code, message);
  return NULL;
}

static gpointer
unreadable (GError **error)
{
  return fail (
      error, WARD_ERROR_INVALID_ARGUMENT,
      "This is no private key, or it is damaged. A private key in PKCS #8, PKCS #1, SEC 1, OpenSSH's format or "
      "as a TSS2 PRIVATE KEY is taken, and one at a time.");
}

static gpointer
locked (WardSecret *passphrase, GError **error)
{
  return fail (error, WARD_ERROR_INVALID_ARGUMENT,
               passphrase ? "The private key could not be decrypted: the passphrase is wrong, or the key is damaged. "
                            "Give the passphrase that it was encrypted with."
                          : "The private key is encrypted. Give its passphrase by the option “passphrase”.");
}

/* As OpenSSL asks for it. */
static int
give_passphrase (char *buffer, int size, int writing, void *user_data)
{
  WardSecret *passphrase = user_data;
  gsize length = passphrase ? ward_secret_get_size (passphrase) : 0;

  if (!passphrase || size < 0 || length > (gsize)size)
    return -1;
  memcpy (buffer, ward_secret_get_data (passphrase), length);
  return (int)length;
}

/* One block, as OpenSSL allocates it. */
typedef struct
{
  char *label;
  char *headers;
  guint8 *data;
  long size;
} Block;

static void
block_clear (Block *block)
{
  OPENSSL_secure_free (block->label);
  OPENSSL_secure_free (block->headers);
  OPENSSL_secure_clear_free (block->data, block->data ? block->size : 0);
  *block = (Block){ 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Block, block_clear)

static gboolean
read_block (BIO *bio, Block *block)
{
  block_clear (block);
  return PEM_read_bio_ex (bio, &block->label, &block->headers, &block->data, &block->size, PEM_FLAG_SECURE) == 1;
}

static gboolean
is_at_end (BIO *bio)
{
  const char *rest;
  long size = BIO_get_mem_data (bio, &rest);

  while (size > 0 && g_ascii_isspace (rest[size - 1]))
    size--;
  return size <= 0;
}

static gboolean
begins_as_pem (WardSecret *text, gsize *offset)
{
  const char *bytes = (const char *)ward_secret_get_data (text);
  gsize size = ward_secret_get_size (text), i = 0;

  while (i < size && g_ascii_isspace (bytes[i]))
    i++;
  *offset = i;
  return size - i > strlen (BEGIN) && memcmp (bytes + i, BEGIN, strlen (BEGIN)) == 0;
}

gboolean
ward_key_import_is_wrapped (WardSecret *data)
{
  static const char *const first_lines[] = { BEGIN WARD_KEY_PEM_LABEL "-----", BEGIN WARD_KEY_BLOB_LABEL "-----" };
  gsize offset;

  if (!begins_as_pem (data, &offset))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (first_lines); i++)
    if (ward_secret_get_size (data) - offset >= strlen (first_lines[i])
        && memcmp (ward_secret_get_data (data) + offset, first_lines[i], strlen (first_lines[i])) == 0)
      return TRUE;
  return FALSE;
}

/* Whether it is one element of DER. What a wrong passphrase makes of a key is not, though one in 256 is padded right.
 */
static gboolean
is_der (const guint8 *data, long size)
{
  const guint8 *content = data;
  long length;
  int tag, class;

  return !(ASN1_get_object (&content, &length, &tag, &class, size) & 0x80) && content + length == data + size;
}

static gboolean
decrypt_block (Block *block, EVP_CIPHER_INFO *cipher, WardSecret *passphrase)
{
  return passphrase && PEM_do_header (cipher, block->data, &block->size, give_passphrase, passphrase)
         && is_der (block->data, block->size);
}

WardSecret *
ward_key_import_read_pem (WardSecret *text, WardSecret *passphrase, char **label, GError **error)
{
  gsize size = ward_secret_get_size (text), offset;
  g_autoptr (Bio) bio = NULL;
  g_auto (Block) block = { 0 };
  EVP_CIPHER_INFO cipher;
  WardSecret *data;

  if (size > WARD_MAX_IMPORT_SIZE || !begins_as_pem (text, &offset))
    return unreadable (error);
  bio = BIO_new_mem_buf (ward_secret_get_data (text) + offset, (int)(size - offset));
  if (!bio || !read_block (bio, &block)
      || (g_str_equal (block.label, PEM_STRING_ECPARAMETERS) && !read_block (bio, &block)) || !is_at_end (bio))
    return unreadable (error);
  if (*block.headers && !PEM_get_EVP_CIPHER_INFO (block.headers, &cipher))
    return unreadable (error);
  if (*block.headers && !decrypt_block (&block, &cipher, passphrase))
    return locked (passphrase, error);
  data = ward_secret_new_from (block.data, block.size);
  *label = g_strdup (block.label);
  return data;
}

static gboolean
is_bounded (const ASN1_INTEGER *iterations)
{
  guint64 count;

  return ASN1_INTEGER_get_uint64 (&count, iterations) && count <= MAX_ITERATIONS;
}

static gboolean
is_bounded_scrypt (const SCRYPT_PARAMS *scrypt)
{
  guint64 cost, size, times;

  return ASN1_INTEGER_get_uint64 (&cost, scrypt->costParameter) && ASN1_INTEGER_get_uint64 (&size, scrypt->blockSize)
         && ASN1_INTEGER_get_uint64 (&times, scrypt->parallelizationParameter) && cost <= MAX_SCRYPT_COST
         && size <= MAX_SCRYPT_COST && times <= MAX_SCRYPT_COST && cost * size <= MAX_SCRYPT_COST
         && cost * size * times <= MAX_SCRYPT_COST;
}

/* PKCS #5's second way (RFC 8018, A.4; RFC 7914, 7). */
static gboolean
is_bounded_pbes2 (const ASN1_TYPE *parameter)
{
  g_autoptr (Pbe2) pbe2 = ASN1_TYPE_unpack_sequence (ASN1_ITEM_rptr (PBE2PARAM), parameter);
  g_autoptr (Pbkdf2) pbkdf2 = NULL;
  g_autoptr (Scrypt) scrypt = NULL;

  if (!pbe2)
    return FALSE;
  switch (OBJ_obj2nid (pbe2->keyfunc->algorithm))
    {
    case NID_id_pbkdf2:
      pbkdf2 = ASN1_TYPE_unpack_sequence (ASN1_ITEM_rptr (PBKDF2PARAM), pbe2->keyfunc->parameter);
      return pbkdf2 && is_bounded (pbkdf2->iter);
    case NID_id_scrypt:
      scrypt = ASN1_TYPE_unpack_sequence (ASN1_ITEM_rptr (SCRYPT_PARAMS), pbe2->keyfunc->parameter);
      return scrypt && is_bounded_scrypt (scrypt);
    default:
      return FALSE;
    }
}

/* Whether the passphrase is stretched within reason, in a known way. */
static gboolean
is_affordable (const X509_SIG *encrypted)
{
  const X509_ALGOR *algorithm;
  g_autoptr (Pbe) pbe = NULL;

  X509_SIG_get0 (encrypted, &algorithm, NULL);
  if (OBJ_obj2nid (algorithm->algorithm) == NID_pbes2)
    return is_bounded_pbes2 (algorithm->parameter);
  pbe = ASN1_TYPE_unpack_sequence (ASN1_ITEM_rptr (PBEPARAM), algorithm->parameter);
  return pbe && is_bounded (pbe->iter);
}

static PKCS8_PRIV_KEY_INFO *
decrypt_pkcs8 (const X509_SIG *encrypted, WardSecret *passphrase, GError **error)
{
  PKCS8_PRIV_KEY_INFO *info = NULL;

  if (!is_affordable (encrypted))
    return fail (
        error, WARD_ERROR_NOT_SUPPORTED,
        "The private key is encrypted in a way that is not known here, or that takes too long to undo. Encrypt "
        "it anew by “openssl pkcs8 -topk8” with its defaults.");
  if (passphrase)
    info = PKCS8_decrypt (encrypted, (const char *)ward_secret_get_data (passphrase),
                          (int)ward_secret_get_size (passphrase));
  return info ? info : locked (passphrase, error);
}

static gpointer
other_kind (GError **error)
{
  return fail (error, WARD_ERROR_NOT_SUPPORTED,
               "TPMs take keys of RSA, P-256 and P-384, and this one is of another kind. Have the TPM make a new key "
               "instead.");
}

/* OpenSSL is not let near keys of other kinds: of a DSA key it computes the public half, which takes minutes with
 * numbers of a stranger's choice. */
static EVP_PKEY *
read_info (const PKCS8_PRIV_KEY_INFO *info, GError **error)
{
  const ASN1_OBJECT *kind;
  EVP_PKEY *pkey;

  if (!PKCS8_pkey_get0 (&kind, NULL, NULL, NULL, info))
    return unreadable (error);
  if (OBJ_obj2nid (kind) != NID_rsaEncryption && OBJ_obj2nid (kind) != NID_X9_62_id_ecPublicKey)
    return other_kind (error);
  pkey = EVP_PKCS82PKEY (info);
  return pkey ? pkey : unreadable (error);
}

/* PKCS #1 or SEC 1, whichever it is. */
static EVP_PKEY *
read_traditional (const guint8 *der, gsize size, GError **error)
{
  static const int kinds[] = { EVP_PKEY_RSA, EVP_PKEY_EC };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const guint8 *next = der;
      g_autoptr (Pkey) pkey = d2i_PrivateKey (kinds[i], NULL, &next, (long)size);

      if (pkey && next == der + size)
        return g_steal_pointer (&pkey);
    }
  return unreadable (error);
}

static EVP_PKEY *
read_pkey (WardSecret *data, WardSecret *passphrase, GError **error)
{
  const guint8 *der = ward_secret_get_data (data), *next = der;
  gsize size = ward_secret_get_size (data);
  g_autoptr (Encrypted) encrypted = NULL;
  g_autoptr (PrivateKeyInfo) info = NULL;

  if (size > MAX_DER)
    return unreadable (error);
  encrypted = d2i_X509_SIG (NULL, &next, (long)size);
  if (encrypted)
    info = next == der + size ? decrypt_pkcs8 (encrypted, passphrase, error) : unreadable (error);
  if (encrypted)
    return info ? read_info (info, error) : NULL;
  next = der;
  info = d2i_PKCS8_PRIV_KEY_INFO (NULL, &next, (long)size);
  if (info)
    return next == der + size ? read_info (info, error) : unreadable (error);
  return read_traditional (der, size, error);
}

static WardKeyPair *
make_rsa (EVP_PKEY *pkey, GError **error)
{
  g_autoptr (Number) modulus = NULL;
  g_autoptr (Number) exponent = NULL;
  g_autoptr (Number) prime = NULL;
  g_autoptr (Number) other_prime = NULL;

  if (!EVP_PKEY_get_bn_param (pkey, OSSL_PKEY_PARAM_RSA_N, &modulus)
      || !EVP_PKEY_get_bn_param (pkey, OSSL_PKEY_PARAM_RSA_E, &exponent)
      || !EVP_PKEY_get_bn_param (pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, &prime)
      || !EVP_PKEY_get_bn_param (pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, &other_prime))
    return fail (error, WARD_ERROR_NOT_SUPPORTED,
                 "The RSA key comes without its primes, which a TPM needs. Use a copy that has them.");
  return ward_key_pair_new_rsa (modulus, exponent, prime, other_prime, error);
}

static WardKeyPair *
make_ecc (EVP_PKEY *pkey, GError **error)
{
  char group[80] = "";
  guint8 point[256];
  gsize size;
  const WardKeyAlgorithm *algorithm;
  g_autoptr (Number) scalar = NULL;

  EVP_PKEY_get_group_name (pkey, group, sizeof group, NULL);
  algorithm = ward_key_algorithm_find_group (group);
  if (!algorithm)
    return fail (error, WARD_ERROR_NOT_SUPPORTED,
                 "The key was not imported: of ECC, keys of the curves P-256 and P-384 are taken, and this one is of "
                 "another.");
  if (!EVP_PKEY_get_octet_string_param (pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size)
      || !EVP_PKEY_get_bn_param (pkey, OSSL_PKEY_PARAM_PRIV_KEY, &scalar))
    return unreadable (error);
  return ward_key_pair_new_ecc (algorithm->name, point, size, scalar, error);
}

static WardKeyPair *
make_pair (EVP_PKEY *pkey, GError **error)
{
  if (EVP_PKEY_is_a (pkey, "RSA"))
    return make_rsa (pkey, error);
  if (EVP_PKEY_is_a (pkey, "EC"))
    return make_ecc (pkey, error);
  return other_kind (error);
}

static WardKeyPair *
read_pair (WardSecret *data, WardSecret *passphrase, GError **error)
{
  g_autoptr (Pkey) pkey = read_pkey (data, passphrase, error);
  WardKeyPair *pair = pkey ? make_pair (pkey, error) : NULL;

  ERR_clear_error ();
  return pair;
}

/* What OpenSSL has left of the key in the part of the stack that its functions have used, and others may not use for
 * long. */
static void __attribute__ ((noinline)) wipe_stack (void)
{
  guint8 used[64 * 1024];

  explicit_bzero (used, sizeof used);
}

static WardKeyImport *
parse (WardSecret *data, WardSecret *passphrase, GError **error)
{
  static const char *const labels[] = { PEM_STRING_PKCS8INF, PEM_STRING_PKCS8, PEM_STRING_RSA, PEM_STRING_ECPRIVATEKEY,
                                        NULL };
  g_autoptr (WardKeyImport) import = g_new0 (WardKeyImport, 1);
  g_autoptr (WardSecret) der = NULL;
  g_autofree char *label = NULL;
  gsize offset;

  if (passphrase && ward_secret_get_size (passphrase) > WARD_MAX_PASSPHRASE_SIZE)
    return fail (error, WARD_ERROR_INVALID_ARGUMENT, "The passphrase is longer than 1023 bytes.");
  if (begins_as_pem (data, &offset))
    der = ward_key_import_read_pem (data, passphrase, &label, error);
  else
    der = ward_secret_ref (data);
  if (!der)
    return NULL;

  if (label && g_str_equal (label, WARD_KEY_PEM_LABEL))
    import->wrapped = ward_key_pem_read (ward_secret_get_data (der), ward_secret_get_size (der), error);
  else if (label && g_str_equal (label, WARD_KEY_BLOB_LABEL))
    import->wrapped = ward_key_blob_read (ward_secret_get_data (der), ward_secret_get_size (der), error);
  else if (label && g_str_equal (label, WARD_KEY_OPENSSH_LABEL))
    import->pair = ward_key_openssh_parse (der, error);
  else if (!label || g_strv_contains (labels, label))
    import->pair = read_pair (der, passphrase, error);
  else
    return g_str_has_suffix (label, "PRIVATE KEY") ? other_kind (error) : unreadable (error);
  return import->wrapped || import->pair ? g_steal_pointer (&import) : NULL;
}

WardKeyImport *
ward_key_import_parse (WardSecret *data, WardSecret *passphrase, GError **error)
{
  WardKeyImport *import = parse (data, passphrase, error);

  wipe_stack ();
  return import;
}
