/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-verify.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free)

static EVP_PKEY *
parse_public (GBytes *spki)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (spki, &size);

  return d2i_PUBKEY (NULL, &data, (long)size);
}

static gboolean
set_up (EVP_PKEY_CTX *context, const char *scheme, const char *hash)
{
  const EVP_MD *md = EVP_get_digestbyname (hash);

  if (md == NULL || EVP_PKEY_verify_init (context) != 1 || EVP_PKEY_CTX_set_signature_md (context, md) != 1)
    return FALSE;
  if (g_str_equal (scheme, "ecdsa"))
    return TRUE;
  if (g_str_equal (scheme, "rsassa"))
    return EVP_PKEY_CTX_set_rsa_padding (context, RSA_PKCS1_PADDING) == 1;
  return EVP_PKEY_CTX_set_rsa_padding (context, RSA_PKCS1_PSS_PADDING) == 1
         && EVP_PKEY_CTX_set_rsa_pss_saltlen (context, RSA_PSS_SALTLEN_AUTO) == 1;
}

gboolean
ward_gui_verify (GBytes *spki, const char *scheme, const char *hash, GBytes *digest, GBytes *signature)
{
  g_autoptr (EVP_PKEY) key = parse_public (spki);
  g_autoptr (EVP_PKEY_CTX) context = key != NULL ? EVP_PKEY_CTX_new (key, NULL) : NULL;
  gboolean is_good = context != NULL && set_up (context, scheme, hash)
                     && EVP_PKEY_verify (context, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature),
                                         g_bytes_get_data (digest, NULL), g_bytes_get_size (digest))
                            == 1;

  ERR_clear_error ();
  return is_good;
}

GBytes *
ward_gui_public_key_read (GBytes *file)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (file, &size);
  g_autoptr (BIO) bio = BIO_new_mem_buf (data, (int)size);
  g_autoptr (EVP_PKEY) key = bio != NULL ? PEM_read_bio_PUBKEY (bio, NULL, NULL, NULL) : NULL;
  guint8 *der = NULL;
  GBytes *bytes = NULL;
  int length;

  if (key == NULL)
    key = parse_public (file);
  length = key != NULL ? i2d_PUBKEY (key, &der) : 0;
  if (length > 0)
    bytes = g_bytes_new (der, (gsize)length);
  OPENSSL_free (der);
  ERR_clear_error ();
  return bytes;
}
