/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "ward-error.h"
#include "ward-key-pair.h"
#include "ward-key-public.h"

/* A key from outside enters a TPM as a duplicate (TPM 2.0 Library, Part 1, 23.3): its private half is encrypted here by
 * AES-128-CFB with a key made for this, the inner wrapper. That key is the first parameter of TPM2_Import, which
 * crosses in a salted session with parameter encryption: only the TPM that has the parent can read it. */

#define KEY_SIZE 16

typedef EVP_CIPHER_CTX CipherContext;
typedef EVP_MD_CTX DigestContext;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CipherContext, EVP_CIPHER_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DigestContext, EVP_MD_CTX_free)

static void
sensitive_wipe (TPM2B_SENSITIVE *sensitive)
{
  explicit_bzero (sensitive, sizeof (*sensitive));
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TPM2B_SENSITIVE, sensitive_wipe)

static void
data_wipe (TPM2B_DATA *data)
{
  explicit_bzero (data, sizeof (*data));
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TPM2B_DATA, data_wipe)

static gboolean
set_failed (GError **error)
{
  ERR_clear_error ();
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED,
                       "The key could not be wrapped for the TPM: the machine's own cryptography failed. Try again.");
  return FALSE;
}

/* Fills a TPM2B's bytes. FALSE when they do not fit. */
static gboolean
fill (guint8 *buffer, UINT16 *filled, gsize capacity, gconstpointer bytes, gsize size)
{
  if (size > capacity)
    return FALSE;
  memcpy (buffer, bytes, size);
  *filled = size;
  return TRUE;
}

#define FILL(tpm2b, from, length) fill ((tpm2b)->buffer, &(tpm2b)->size, sizeof ((tpm2b)->buffer), from, length)
#define FILL_BYTES(tpm2b, from) FILL (tpm2b, g_bytes_get_data (from, NULL), g_bytes_get_size (from))

/* A value that is longer than the name's digest goes by its hash, which is what ESYS makes of it when it is used. */
static gboolean
fill_auth (TPM2B_AUTH *auth)
{
  guint8 digest[TPM2_SHA256_DIGEST_SIZE];
  gboolean filled;

  if (auth->size <= sizeof (digest))
    return TRUE;
  filled = EVP_Digest (auth->buffer, auth->size, digest, NULL, EVP_sha256 (), NULL) == 1
           && FILL (auth, digest, sizeof (digest));
  explicit_bzero (digest, sizeof (digest));
  /* nor does the TPM keep zeros at the end */
  while (filled && auth->size > 0 && auth->buffer[auth->size - 1] == 0)
    auth->size--;
  return filled;
}

static gboolean
fill_areas (const WardKeyPair *pair, TPMT_PUBLIC *public, TPMT_SENSITIVE *sensitive)
{
  gconstpointer secret = ward_secret_get_data (pair->secret);
  gsize size = ward_secret_get_size (pair->secret);

  sensitive->sensitiveType = public->type;
  if (public->type == TPM2_ALG_RSA)
    return FILL_BYTES (&public->unique.rsa, pair->modulus) && FILL (&sensitive->sensitive.rsa, secret, size);
  return FILL_BYTES (&public->unique.ecc.x, pair->x) && FILL_BYTES (&public->unique.ecc.y, pair->y)
         && FILL (&sensitive->sensitive.ecc, secret, size);
}

/* SHA-256 of the sensitive area and the object's Name (TPM 2.0 Library, Part 1, 23.3.2.3). */
static gboolean
get_integrity (const TPMT_PUBLIC *public, WardSecret *sensitive, guint8 *integrity)
{
  g_autoptr (DigestContext) digest = EVP_MD_CTX_new ();
  guint8 area[sizeof (*public)], name[2 + TPM2_SHA256_DIGEST_SIZE];
  size_t area_size = 0, name_size = 0;

  return digest && Tss2_MU_TPMT_PUBLIC_Marshal (public, area, sizeof (area), &area_size) == TSS2_RC_SUCCESS
         && Tss2_MU_UINT16_Marshal (public->nameAlg, name, sizeof (name), &name_size) == TSS2_RC_SUCCESS
         && EVP_Digest (area, area_size, name + name_size, NULL, EVP_sha256 (), NULL) == 1
         && EVP_DigestInit_ex (digest, EVP_sha256 (), NULL) == 1
         && EVP_DigestUpdate (digest, ward_secret_get_data (sensitive), ward_secret_get_size (sensitive)) == 1
         && EVP_DigestUpdate (digest, name, sizeof (name)) == 1 && EVP_DigestFinal_ex (digest, integrity, NULL) == 1;
}

/* The sensitive area as the TPM writes it, with its size in front. */
static WardSecret *
marshal_sensitive (const TPM2B_SENSITIVE *sensitive)
{
  g_autoptr (WardSecret) room = ward_secret_new (sizeof (*sensitive));
  size_t size = 0;

  if (Tss2_MU_TPM2B_SENSITIVE_Marshal (sensitive, ward_secret_get_data (room), ward_secret_get_size (room), &size)
      != TSS2_RC_SUCCESS)
    return NULL;
  return ward_secret_new_from (ward_secret_get_data (room), size);
}

static gboolean
encrypt (const TPM2B_DATA *key, WardSecret *plain, TPM2B_PRIVATE *duplicate)
{
  static const guint8 iv[KEY_SIZE] = { 0 };
  g_autoptr (CipherContext) cipher = EVP_CIPHER_CTX_new ();
  gsize size = ward_secret_get_size (plain);
  int written = 0;

  if (!cipher || size > sizeof (duplicate->buffer)
      || EVP_EncryptInit_ex (cipher, EVP_aes_128_cfb128 (), NULL, key->buffer, iv) != 1
      || EVP_EncryptUpdate (cipher, duplicate->buffer, &written, ward_secret_get_data (plain), (int)size) != 1)
    return FALSE;
  duplicate->size = written;
  return (gsize)written == size;
}

/* The inner wrapper: the integrity value, with its size in front, and the sensitive area, encrypted. */
static gboolean
wrap (const TPMT_PUBLIC *public, const TPM2B_SENSITIVE *sensitive, const TPM2B_DATA *key, TPM2B_PRIVATE *duplicate)
{
  g_autoptr (WardSecret) marshalled = marshal_sensitive (sensitive);
  g_autoptr (WardSecret) plain = NULL;
  TPM2B_DIGEST integrity = { .size = TPM2_SHA256_DIGEST_SIZE };
  gsize size = marshalled ? ward_secret_get_size (marshalled) : 0;
  size_t offset = 0;

  if (!marshalled || !get_integrity (public, marshalled, integrity.buffer))
    return FALSE;
  plain = ward_secret_new (sizeof (integrity.size) + integrity.size + size);
  if (Tss2_MU_TPM2B_DIGEST_Marshal (&integrity, ward_secret_get_data (plain), ward_secret_get_size (plain), &offset)
      != TSS2_RC_SUCCESS)
    return FALSE;
  memcpy (ward_secret_get_data (plain) + offset, ward_secret_get_data (marshalled), size);
  return encrypt (key, plain, duplicate);
}

/* TPM 2.0 Library, Part 3, 13.3. */
static gboolean
import (WardConnection *connection, ESYS_TR parent, const TPM2B_PUBLIC *public, const TPM2B_DATA *key,
        const TPM2B_PRIVATE *duplicate, const char *algorithm, WardWrappedKey *wrapped, GError **error)
{
  static const TPMT_SYM_DEF_OBJECT symmetric = { .algorithm = TPM2_ALG_AES,
                                                 .keyBits.aes = 8 * KEY_SIZE,
                                                 .mode.aes = TPM2_ALG_CFB };
  static const TPM2B_ENCRYPTED_SECRET no_outer_wrapper = { 0 };
  g_auto (WardTpm2Handle) session = WARD_TPM2_HANDLE_INIT (connection);
  WARD_ESYS_AUTOFREE TPM2B_PRIVATE *private = NULL;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  if (!ward_tpm2_session_start_for_key (connection, parent, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT, &session, error))
    return FALSE;
  do
    rc = Esys_Import (connection->esys, parent, session.tr, ESYS_TR_NONE, ESYS_TR_NONE, key, public, duplicate,
                      &no_outer_wrapper, &symmetric, &private);
  while (ward_tpm2_wait_again (connection, &wait, rc));
  ward_tpm2_forget_buffer (connection);
  return ward_tpm2_key_conclude_make (connection, rc, algorithm, error)
         && ward_tpm2_key_keep (connection, wrapped, public, private, error);
}

static gboolean
prepare (const WardKeyPair *pair, TPMT_PUBLIC *public, TPM2B_SENSITIVE *sensitive, TPM2B_DATA *key,
         TPM2B_PRIVATE *duplicate, GError **error)
{
  key->size = KEY_SIZE;
  if (!fill_auth (&sensitive->sensitiveArea.authValue) || !fill_areas (pair, public, &sensitive->sensitiveArea)
      || RAND_priv_bytes (key->buffer, KEY_SIZE) != 1 || !wrap (public, sensitive, key, duplicate))
    return set_failed (error);
  return TRUE;
}

/* Only when it loads a key does a TPM see whether the halves belong together (TPM 2.0 Library, Part 3, 12.2). */
static gboolean
check_loads (WardConnection *connection, WardWrappedKey *wrapped, const WardKeyAuths *auths, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (ward_tpm2_check_key (connection, wrapped, auths, &local_error))
    return TRUE;
  if (g_error_matches (local_error, WARD_ERROR, WARD_ERROR_CORRUPT))
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                         "The TPM does not take the key: its public and its private half do not belong together. Use "
                         "another copy of it.");
  else
    g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* See WardBackend. */
WardWrappedKey *
ward_tpm2_import_key (WardConnection *connection, const WardKeyPair *pair, const WardKeyTemplate *template,
                      const WardKeyAuths *auths, GError **error)
{
  WardKeyTemplate own = {
    .algorithm = pair->algorithm, .pcrs = template->pcrs, .usage = template->usage, .no_da = template->no_da
  };
  g_autoptr (WardWrappedKey) wrapped = ward_sealed_new ();
  g_auto (WardTpm2Handle) parent = WARD_TPM2_HANDLE_INIT (connection);
  g_auto (TPM2B_SENSITIVE) sensitive = { 0 };
  g_auto (TPM2B_DATA) key = { 0 };
  TPM2B_PUBLIC public = { 0 };
  TPM2B_PRIVATE duplicate = { 0 };

  if (!ward_tpm2_auth_set (&sensitive.sensitiveArea.authValue, auths->auth, WARD_MAX_OBJECT_AUTH_SIZE, error)
      || (own.pcrs != NULL && !ward_tpm2_policy_read_pcrs (connection, own.pcrs, wrapped->pcrs, error)))
    return NULL;
  wrapped->has_auth = sensitive.sensitiveArea.authValue.size > 0;
  if (!ward_tpm2_key_fill_template (&own, wrapped->pcrs, wrapped->has_auth, &public.publicArea, error)
      || !prepare (pair, &public.publicArea, &sensitive, &key, &duplicate, error)
      || !ward_tpm2_parent_open (connection, auths->owner_auth, &parent, wrapped, error)
      || !import (connection, parent.tr, &public, &key, &duplicate, own.algorithm, wrapped, error))
    return NULL;
  ward_tpm2_handle_clear (&parent);
  return check_loads (connection, wrapped, auths, error) ? g_steal_pointer (&wrapped) : NULL;
}
