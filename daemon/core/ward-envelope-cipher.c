/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-envelope-cipher.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "ward-error.h"

typedef EVP_CIPHER_CTX Cipher;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Cipher, EVP_CIPHER_CTX_free)

static gboolean
set_error (GError **error, const char *what)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
               "OpenSSL could not %s. See whether this machine allows AES-256-GCM.", what);
  return FALSE;
}

gboolean
ward_cipher_make_key (guint8 *key, GError **error)
{
  return RAND_priv_bytes (key, WARD_CIPHER_KEY_SIZE) == 1 || set_error (error, "make a key");
}

GBytes *
ward_cipher_make_nonce (GError **error)
{
  guint8 nonce[WARD_CIPHER_NONCE_SIZE];

  if (RAND_bytes (nonce, sizeof nonce) == 1)
    return g_bytes_new (nonce, sizeof nonce);
  set_error (error, "make random bytes");
  return NULL;
}

/* Begun, with the header taken in; NULL when that fails. */
static Cipher *
cipher_new (const guint8 *key, GBytes *nonce, GBytes *header, gboolean encrypts)
{
  g_autoptr (Cipher) cipher = EVP_CIPHER_CTX_new ();
  gsize size;
  const guint8 *data = g_bytes_get_data (header, &size);
  int n;

  if (!cipher
      || EVP_CipherInit_ex2 (cipher, EVP_aes_256_gcm (), key, g_bytes_get_data (nonce, NULL), encrypts, NULL) != 1
      || EVP_CipherUpdate (cipher, NULL, &n, data, size) != 1)
    return NULL;
  return g_steal_pointer (&cipher);
}

GBytes *
ward_cipher_encrypt (const guint8 *key, GBytes *nonce, GBytes *header, WardSecret *data, GError **error)
{
  g_autoptr (Cipher) cipher = cipher_new (key, nonce, header, TRUE);
  gsize size = ward_secret_get_size (data);
  g_autofree guint8 *content = g_malloc (size + WARD_CIPHER_TAG_SIZE);
  int n;

  if (cipher && EVP_CipherUpdate (cipher, content, &n, ward_secret_get_data (data), size) == 1
      && EVP_CipherFinal_ex (cipher, content + n, &n) == 1
      && EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_AEAD_GET_TAG, WARD_CIPHER_TAG_SIZE, content + size) == 1)
    return g_bytes_new_take (g_steal_pointer (&content), size + WARD_CIPHER_TAG_SIZE);
  set_error (error, "encrypt the data");
  return NULL;
}

WardSecret *
ward_cipher_decrypt (const guint8 *key, GBytes *nonce, GBytes *header, GBytes *content)
{
  g_autoptr (Cipher) cipher = cipher_new (key, nonce, header, FALSE);
  g_autoptr (WardSecret) data = NULL;
  gsize size;
  const guint8 *bytes = g_bytes_get_data (content, &size);
  int n;

  if (!cipher || size < WARD_CIPHER_TAG_SIZE)
    return NULL;
  size -= WARD_CIPHER_TAG_SIZE;
  data = ward_secret_new (size);
  if (EVP_CIPHER_CTX_ctrl (cipher, EVP_CTRL_AEAD_SET_TAG, WARD_CIPHER_TAG_SIZE, (guint8 *)bytes + size) != 1
      || EVP_CipherUpdate (cipher, ward_secret_get_data (data), &n, bytes, size) != 1
      || EVP_CipherFinal_ex (cipher, ward_secret_get_data (data) + n, &n) != 1)
    return NULL;
  return g_steal_pointer (&data);
}
