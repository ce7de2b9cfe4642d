/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-key-fixture.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

typedef EVP_PKEY_CTX Context;
typedef BIO Bio;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Context, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bio, BIO_free)

EVP_PKEY *
pkey_new_rsa (guint bits)
{
  EVP_PKEY *pkey = EVP_RSA_gen (bits);

  g_assert_nonnull (pkey);
  return pkey;
}

EVP_PKEY *
pkey_new_ecc (const char *group)
{
  EVP_PKEY *pkey = EVP_EC_gen (group);

  g_assert_nonnull (pkey);
  return pkey;
}

EVP_PKEY *
pkey_of (GBytes *public_key)
{
  gsize size;
  const guint8 *der = g_bytes_get_data (public_key, &size);
  EVP_PKEY *pkey = d2i_PUBKEY (NULL, &der, (long)size);

  g_assert_nonnull (pkey);
  return pkey;
}

GBytes *
pkey_to_public (EVP_PKEY *pkey)
{
  guint8 *der = NULL;
  int size = i2d_PUBKEY (pkey, &der);
  GBytes *bytes = g_bytes_new (der, size);

  OPENSSL_free (der);
  return bytes;
}

WardSecret *
pkey_to_pem (EVP_PKEY *pkey)
{
  g_autoptr (Bio) bio = BIO_new (BIO_s_mem ());
  const char *text;
  long size;

  g_assert_true (PEM_write_bio_PKCS8PrivateKey (bio, pkey, NULL, NULL, 0, NULL, NULL));
  size = BIO_get_mem_data (bio, &text);
  return ward_secret_new_from (text, size);
}

GBytes *
digest_of (const char *hash, const char *text)
{
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size;

  g_assert_true (EVP_Digest (text, strlen (text), digest, &size, EVP_get_digestbyname (hash), NULL));
  return g_bytes_new (digest, size);
}

gboolean
pkey_verify (GBytes *public_key, const char *hash, gboolean pss, GBytes *digest, GBytes *signature)
{
  g_autoptr (Pkey) pkey = pkey_of (public_key);
  g_autoptr (Context) context = EVP_PKEY_CTX_new (pkey, NULL);

  g_assert_cmpint (EVP_PKEY_verify_init (context), ==, 1);
  if (pss)
    g_assert_cmpint (EVP_PKEY_CTX_set_rsa_padding (context, RSA_PKCS1_PSS_PADDING), ==, 1);
  g_assert_cmpint (EVP_PKEY_CTX_set_signature_md (context, EVP_get_digestbyname (hash)), ==, 1);
  return EVP_PKEY_verify (context, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature),
                          g_bytes_get_data (digest, NULL), g_bytes_get_size (digest))
         == 1;
}

GBytes *
pkey_encrypt (GBytes *public_key, const char *hash, GBytes *label, const char *text)
{
  g_autoptr (Pkey) pkey = pkey_of (public_key);
  g_autoptr (Context) context = EVP_PKEY_CTX_new (pkey, NULL);
  guint8 bytes[512];
  gsize size = sizeof bytes;

  g_assert_cmpint (EVP_PKEY_encrypt_init (context), ==, 1);
  g_assert_cmpint (EVP_PKEY_CTX_set_rsa_padding (context, hash ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING), ==, 1);
  if (hash)
    g_assert_cmpint (EVP_PKEY_CTX_set_rsa_oaep_md (context, EVP_get_digestbyname (hash)), ==, 1);
  if (label)
    g_assert_cmpint (EVP_PKEY_CTX_set0_rsa_oaep_label (
                         context, OPENSSL_memdup (g_bytes_get_data (label, NULL), g_bytes_get_size (label)),
                         g_bytes_get_size (label)),
                     ==, 1);
  g_assert_cmpint (EVP_PKEY_encrypt (context, bytes, &size, (const guint8 *)text, strlen (text)), ==, 1);
  return g_bytes_new (bytes, size);
}

GBytes *
pkey_derive (EVP_PKEY *mine, GBytes *public_key)
{
  g_autoptr (Pkey) peer = pkey_of (public_key);
  g_autoptr (Context) context = EVP_PKEY_CTX_new (mine, NULL);
  guint8 bytes[128];
  gsize size = sizeof bytes;

  g_assert_cmpint (EVP_PKEY_derive_init (context), ==, 1);
  g_assert_cmpint (EVP_PKEY_derive_set_peer (context, peer), ==, 1);
  g_assert_cmpint (EVP_PKEY_derive (context, bytes, &size), ==, 1);
  return g_bytes_new (bytes, size);
}
