/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ward-store.h"

/* A public key that nobody has the private half of. */
static GBytes *
make_public_key (void)
{
  EVP_PKEY *pair = EVP_EC_gen ("P-256");
  unsigned char *der = NULL;
  int size = pair != NULL ? i2d_PUBKEY (pair, &der) : -1;
  GBytes *bytes = size > 0 ? g_bytes_new (der, size) : NULL;

  OPENSSL_free (der);
  EVP_PKEY_free (pair);
  return bytes;
}

/* What lies on the disk is not looked at before it is used: the other key's private half is as long as any. */
static gboolean
put_one (WardStore *store, const WardKey *model, GBytes *private_half, guint number, GError **error)
{
  g_autoptr (WardKey) key = ward_key_copy (model);
  g_autoptr (GBytes) public_key = make_public_key ();

  if (public_key == NULL || !ward_key_set_public (key, public_key))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "OpenSSL could not make a key");
      return FALSE;
    }
  g_free (key->label);
  key->label = g_strdup_printf ("stored key %u", number);
  return ward_store_put (store, key, private_half, error);
}

gboolean
bench_fill_store (const char *state_dir, guint count, GError **error)
{
  g_autoptr (WardStore) store = ward_store_new (state_dir);
  g_autoptr (WardStoreContents) contents = ward_store_load (store, error);
  g_autoptr (GBytes) private_half = NULL;
  const WardKey *model;

  if (contents == NULL)
    return FALSE;
  if (contents->keys->len == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "there is no key in %s to be like", state_dir);
      return FALSE;
    }
  model = contents->keys->pdata[0];
  private_half = ward_store_read (store, model, error);
  if (private_half == NULL)
    return FALSE;
  for (guint i = contents->keys->len; i < count; i++)
    if (!put_one (store, model, private_half, i, error))
      return FALSE;
  return TRUE;
}
