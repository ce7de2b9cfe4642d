/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"
#include "ward-key-public.h"
#include "ward-key-use.h"

const WardTpm2LoadWords ward_tpm2_key_load_words = {
  .refused = "The TPM does not take the key",
  .why = "It is damaged, or was made by another TPM, or before this one was cleared: then nobody can use it any more.",
  .failed = "The TPM could not load the key",
};

void
ward_tpm2_key_use_clear (WardTpm2KeyUse *use)
{
  static const TPM2B_AUTH none = { 0 };

  if (use->connection == NULL)
    return;
  if (use->has_auth)
    {
      if (use->session != NULL)
        ward_tpm2_session_forget_auth (use->session);
      /* not NULL, which would leave the bytes in ESYS's memory */
      Esys_TR_SetAuth (use->connection->esys, use->key, &none);
    }
  ward_tpm2_handle_clear (&use->own_session);
  ward_tpm2_handle_clear (&use->object);
  ward_tpm2_handle_clear (&use->parent);
  if (use->cached != NULL)
    ward_tpm2_cache_close_key (use->cache, use->cached);
  *use = (WardTpm2KeyUse){ NULL };
}

/* A session is needed to prove an auth value, to encrypt, and to satisfy a policy: else there is none. */
static gboolean
open_session (WardTpm2KeyUse *use, const WardWrappedKey *key, WardTpm2KeyRole role, gboolean ignores_auth,
              GError **error)
{
  gboolean is_bound = key->pcrs->len > 0 && !role.as_admin;
  gboolean is_salted = use->has_auth || role.secrets != 0;
  TPM2_SE type = is_bound ? TPM2_SE_POLICY : TPM2_SE_HMAC;
  gboolean is_open;

  if (!is_bound && !is_salted)
    return TRUE;
  use->session = &use->own_session;
  is_open = use->cached != NULL
                ? ward_tpm2_cache_open_session (use->cache, use->cached, type, is_salted, role.secrets,
                                                &use->own_session, &use->session, error)
                : ward_tpm2_session_start_for_key (use->connection, is_salted ? use->parent.tr : ESYS_TR_NONE, type,
                                                   role.secrets, &use->own_session, error);
  if (!is_open)
    return FALSE;
  use->authorization = use->session->tr;
  return !is_bound || ward_tpm2_policy_satisfy (use->connection, use->session->tr, key->pcrs, !ignores_auth, error);
}

/* A key whose parent only the owner can make is not kept: others' uses would not need the owner's auth value then. */
static gboolean
load_key (WardTpm2KeyUse *use, const WardWrappedKey *key, const WardKeyAuths *auths, WardTpm2KeyRole role,
          GError **error)
{
  WardConnection *connection = use->connection;

  if (!role.as_admin && auths->owner_auth == NULL && !ward_tpm2_cache_open_key (use->cache, key, &use->cached, error))
    return FALSE;
  if (use->cached != NULL)
    use->connection = use->cached->connection;
  else if (!ward_tpm2_object_load (connection, key, &ward_tpm2_key_load_words, auths->owner_auth, &use->parent,
                                   &use->object, error))
    return FALSE;
  use->own_session.connection = use->connection;
  use->key = use->cached != NULL ? use->cached->object.tr : use->object.tr;
  return TRUE;
}

/* Loads the key and prepares the right to a command on it. use: all zero, and to be cleared by the caller also when
 * this fails. WARD_ERROR_POLICY_MISMATCH says which PCRs have changed. */
gboolean
ward_tpm2_key_use_begin (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                         WardTpm2KeyRole role, WardTpm2KeyUse *use, GError **error)
{
  g_auto (TPM2B_AUTH) value = { 0 };
  g_autofree WardKeyFacts *facts = NULL;
  TSS2_RC rc;

  *use = (WardTpm2KeyUse){ .connection = connection,
                           .cache = connection->cache,
                           .parent = WARD_TPM2_HANDLE_INIT (connection),
                           .object = WARD_TPM2_HANDLE_INIT (connection),
                           .own_session = WARD_TPM2_HANDLE_INIT (connection),
                           .authorization = ESYS_TR_PASSWORD };
  if (!ward_tpm2_auth_set (&value, auths->auth, WARD_MAX_OBJECT_AUTH_SIZE, error))
    return FALSE;
  if (key->pcrs->len > 0
      && ((facts = ward_tpm2_describe_key (key, error)) == NULL
          || (!role.as_admin && !ward_tpm2_policy_check_pcrs (connection, key->pcrs, error))))
    return FALSE;
  if (!load_key (use, key, auths, role, error))
    return FALSE;
  use->has_auth = value.size > 0;
  if (!open_session (use, key, role, facts != NULL && facts->ignores_auth, error))
    return FALSE;
  rc = Esys_TR_SetAuth (use->connection->esys, use->key, &value);
  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  ward_tpm2_set_error (error, use->connection, rc, "The authorization could not be prepared");
  return FALSE;
}

/* Whether what was kept for the use may be what has failed. */
static gboolean
may_be_lost (const WardTpm2KeyUse *use, const GError *error, TSS2_RC rc)
{
  return use->cached != NULL && (error != NULL || ward_tpm2_rc_is_lost (rc));
}

/* Sends a command with the key. What was kept loaded and has been lost is loaded again, once: by a refusal for a handle
 * the TPM has done nothing, and counted nothing. rc: the TPM's answer. Fails when the command was not sent. */
gboolean
ward_tpm2_key_use_run (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                       TPMA_SESSION secrets, WardTpm2KeyCommand command, gpointer data, TSS2_RC *rc, GError **error)
{
  WardTpm2KeyRole role = { .secrets = secrets };

  for (gboolean is_again = FALSE;; is_again = TRUE)
    {
      g_auto (WardTpm2KeyUse) use = { 0 };
      g_autoptr (GError) local_error = NULL;

      *rc = TSS2_RC_SUCCESS;
      if (ward_tpm2_key_use_begin (connection, key, auths, role, &use, &local_error))
        *rc = command (&use, data);
      if (is_again || !may_be_lost (&use, local_error, *rc))
        {
          gboolean is_sent = local_error == NULL;

          if (!is_sent)
            g_propagate_error (error, g_steal_pointer (&local_error));
          return is_sent;
        }
      ward_tpm2_key_use_clear (&use);
      ward_tpm2_cache_drop (connection->cache);
    }
}

/* See WardBackend. */
gboolean
ward_tpm2_check_key (WardConnection *connection, WardWrappedKey *key, const WardKeyAuths *auths, GError **error)
{
  g_auto (WardTpm2Handle) above = WARD_TPM2_HANDLE_INIT (connection);
  g_auto (WardTpm2Handle) object = WARD_TPM2_HANDLE_INIT (connection);

  return ward_tpm2_object_load (connection, key, &ward_tpm2_key_load_words, auths->owner_auth, &above, &object, error)
         && ward_tpm2_parent_tell (&above, key, error);
}

/* A success without an answer is none. */
static TSS2_RC
check_answer (TSS2_RC rc, gconstpointer answer)
{
  return rc == TSS2_RC_SUCCESS && answer == NULL ? TSS2_ESYS_RC_MALFORMED_RESPONSE : rc;
}

static GBytes *
print_signature (const TPMT_SIGNATURE *signature)
{
  const TPMS_SIGNATURE_ECC *ecc;

  if (signature == NULL)
    return NULL;
  ecc = &signature->signature.ecdsa;
  switch (signature->sigAlg)
    {
    case TPM2_ALG_RSASSA:
      return g_bytes_new (signature->signature.rsassa.sig.buffer, signature->signature.rsassa.sig.size);
    case TPM2_ALG_RSAPSS:
      return g_bytes_new (signature->signature.rsapss.sig.buffer, signature->signature.rsapss.sig.size);
    case TPM2_ALG_ECDSA:
      return ward_signature_print (ecc->signatureR.buffer, ecc->signatureR.size, ecc->signatureS.buffer,
                                   ecc->signatureS.size);
    default:
      return NULL;
    }
}

static gboolean
conclude_sign (WardConnection *connection, TSS2_RC rc, const WardSigning *signing, GError **error)
{
  g_autofree char *words = NULL;

  switch (ward_tpm2_rc_get_meaning (rc))
    {
    case TSS2_RC_SUCCESS:
      return TRUE;
    case TPM2_RC_SCHEME:
    case TPM2_RC_HASH:
    case TPM2_RC_VALUE:
      words = ward_tpm2_rc_to_string (rc);
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                   "The TPM did not sign (%s). It cannot do so by this scheme with the hash “%s”, or the key was made "
                   "for another. Use “sha256”, or a key that was made here.",
                   words, signing->hash);
      return FALSE;
    default:
      ward_tpm2_set_error (error, connection, rc, "The TPM did not sign");
      return FALSE;
    }
}

typedef struct
{
  TPM2B_DIGEST digest;
  TPMT_SIG_SCHEME scheme;
  TPMT_SIGNATURE *signature; /* to be freed */
} SignCommand;

/* TPM 2.0 Library, Part 3, 20.2. */
static TSS2_RC
send_sign (WardTpm2KeyUse *use, gpointer data)
{
  static const TPMT_TK_HASHCHECK no_ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
  SignCommand *sign = data;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_Sign (use->connection->esys, use->key, use->authorization, ESYS_TR_NONE, ESYS_TR_NONE, &sign->digest,
                    &sign->scheme, &no_ticket, &sign->signature);
  while (ward_tpm2_wait_again (use->connection, &wait, rc));
  return rc;
}

static void
fill_sign (SignCommand *sign, const WardSigning *signing)
{
  static const TPM2_ALG_ID schemes[] = {
    [WARD_SCHEME_RSASSA] = TPM2_ALG_RSASSA, [WARD_SCHEME_RSAPSS] = TPM2_ALG_RSAPSS, [WARD_SCHEME_ECDSA] = TPM2_ALG_ECDSA
  };
  gsize size;
  gconstpointer data = g_bytes_get_data (signing->data, &size);
  guint8 *bytes = sign->digest.buffer;

  sign->digest.size = MIN (size, sizeof (sign->digest.buffer));
  memcpy (bytes, data, sign->digest.size);
  sign->scheme.scheme = schemes[signing->scheme];
  sign->scheme.details.any.hashAlg = ward_tpm2_bank_from_string (signing->hash);
}

static GBytes *
sign_digest (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
             const WardSigning *signing, GError **error)
{
  SignCommand sign = { 0 };
  GBytes *printed;
  TSS2_RC rc;

  fill_sign (&sign, signing);
  if (!ward_tpm2_key_use_run (connection, key, auths, 0, send_sign, &sign, &rc, error)
      || !conclude_sign (connection, rc, signing, error))
    return NULL;
  printed = print_signature (sign.signature);
  Esys_Free (sign.signature);
  if (printed == NULL)
    ward_tpm2_set_error (error, connection, TSS2_ESYS_RC_MALFORMED_RESPONSE, "The TPM did not sign");
  return printed;
}

typedef struct
{
  TPM2B_PUBLIC_KEY_RSA block;
  TPMT_RSA_DECRYPT scheme;
  TPM2B_DATA label;
  TPM2B_PUBLIC_KEY_RSA *message; /* to be wiped and freed */
} DecryptCommand;

/* TPM 2.0 Library, Part 3, 14.3. */
static TSS2_RC
send_decrypt (WardTpm2KeyUse *use, gpointer data)
{
  DecryptCommand *decrypt = data;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_RSA_Decrypt (use->connection->esys, use->key, use->authorization, ESYS_TR_NONE, ESYS_TR_NONE,
                           &decrypt->block, &decrypt->scheme, &decrypt->label, &decrypt->message);
  while (ward_tpm2_wait_again (use->connection, &wait, rc));
  ward_tpm2_forget_buffer (use->connection);
  return rc;
}

static void
fill_block (TPM2B_PUBLIC_KEY_RSA *block, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  guint8 *at = block->buffer;

  block->size = MIN (size, sizeof (block->buffer));
  memcpy (at, data, block->size);
}

/* The private operation on a block that is padded already; what it gives may lack zeros in front. */
static GBytes *
sign_block (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
            const WardSigning *signing, GError **error)
{
  DecryptCommand decrypt = { .scheme.scheme = TPM2_ALG_NULL };
  WARD_ESYS_AUTOFREE TPM2B_PUBLIC_KEY_RSA *result = NULL;
  gsize size = g_bytes_get_size (signing->data);
  guint8 *signature;
  TSS2_RC rc;

  fill_block (&decrypt.block, signing->data);
  if (!ward_tpm2_key_use_run (connection, key, auths, 0, send_decrypt, &decrypt, &rc, error))
    return NULL;
  result = decrypt.message;
  rc = check_answer (rc, result);
  if (rc == TSS2_RC_SUCCESS && result->size > size)
    rc = TSS2_ESYS_RC_MALFORMED_RESPONSE;
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM did not sign");
      return NULL;
    }
  signature = g_malloc0 (size);
  memcpy (signature + size - result->size, result->buffer, result->size);
  return g_bytes_new_take (signature, size);
}

/* See WardBackend. */
GBytes *
ward_tpm2_sign (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                const WardSigning *signing, GError **error)
{
  return signing->scheme == WARD_SCHEME_RAW ? sign_block (connection, key, auths, signing, error)
                                            : sign_digest (connection, key, auths, signing, error);
}

/* A chip may answer a damaged ciphertext as if it had failed itself: its test result tells. */
static gboolean
is_fault_of_ciphertext (WardConnection *connection, TSS2_RC rc)
{
  g_autoptr (GBytes) data = NULL;
  TPM2_RC result = TPM2_RC_FAILURE;

  switch (ward_tpm2_rc_get_meaning (rc))
    {
    case TPM2_RC_VALUE:
    case TPM2_RC_SIZE:
      return TRUE;
    case TPM2_RC_FAILURE:
      return ward_tpm2_read_test_result (connection, &result, &data) == TSS2_RC_SUCCESS
             && !ward_tpm2_test_result_is_failure (result);
    default:
      return FALSE;
    }
}

static gboolean
conclude_decrypt (WardConnection *connection, TSS2_RC rc, GError **error)
{
  g_autofree char *words = NULL;

  if (rc == TSS2_RC_SUCCESS)
    return TRUE;
  if (!is_fault_of_ciphertext (connection, rc))
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM did not decrypt the data");
      return FALSE;
    }
  words = ward_tpm2_rc_to_string (rc);
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "The TPM did not decrypt the data (%s). It is damaged, or was encrypted for another key, or in another "
               "way: see that scheme, hash and label are those that it was encrypted with.",
               words);
  return FALSE;
}

static void
fill_label (TPM2B_DATA *label, GBytes *bytes)
{
  gsize size = 0;
  gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  guint8 *at = label->buffer;

  label->size = MIN (size, sizeof (label->buffer));
  if (label->size > 0)
    memcpy (at, data, label->size);
}

/* See WardBackend. */
WardSecret *
ward_tpm2_decrypt (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                   const WardDecryption *decryption, GError **error)
{
  DecryptCommand decrypt = { 0 };
  WARD_ESYS_AUTOFREE TPM2B_PUBLIC_KEY_RSA *message = NULL;
  WardSecret *data;
  TSS2_RC rc;

  fill_block (&decrypt.block, decryption->ciphertext);
  fill_label (&decrypt.label, decryption->label);
  decrypt.scheme.scheme = decryption->scheme == WARD_SCHEME_OAEP ? TPM2_ALG_OAEP : TPM2_ALG_RSAES;
  if (decryption->scheme == WARD_SCHEME_OAEP)
    decrypt.scheme.details.oaep.hashAlg = ward_tpm2_bank_from_string (decryption->hash);
  if (!ward_tpm2_key_use_run (connection, key, auths, TPMA_SESSION_ENCRYPT, send_decrypt, &decrypt, &rc, error)
      || !conclude_decrypt (connection, check_answer (rc, decrypt.message), error))
    return NULL;
  message = decrypt.message;
  data = ward_secret_new_from (message->buffer, MIN (message->size, sizeof (message->buffer)));
  explicit_bzero (message, sizeof (*message));
  return data;
}

/* The coordinate, filled up with zeros to its full length (SEC 1, 2.3.5). */
static WardSecret *
take_coordinate (const TPM2B_ECC_PARAMETER *coordinate, gsize size)
{
  gsize length = MIN (coordinate->size, size);
  WardSecret *secret = ward_secret_new (size);

  memcpy (ward_secret_get_data (secret) + size - length, coordinate->buffer, length);
  return secret;
}

static void
fill_coordinate (TPM2B_ECC_PARAMETER *coordinate, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  guint8 *at = coordinate->buffer;

  coordinate->size = MIN (size, sizeof (coordinate->buffer));
  memcpy (at, data, coordinate->size);
}

typedef struct
{
  TPM2B_ECC_POINT point;
  TPM2B_ECC_POINT *product; /* to be wiped and freed */
} AgreeCommand;

/* TPM 2.0 Library, Part 3, 14.5. */
static TSS2_RC
send_agree (WardTpm2KeyUse *use, gpointer data)
{
  AgreeCommand *agree = data;
  WardTpm2Wait wait = { 0 };
  TSS2_RC rc;

  do
    rc = Esys_ECDH_ZGen (use->connection->esys, use->key, use->authorization, ESYS_TR_NONE, ESYS_TR_NONE, &agree->point,
                         &agree->product);
  while (ward_tpm2_wait_again (use->connection, &wait, rc));
  ward_tpm2_forget_buffer (use->connection);
  return rc;
}

/* See WardBackend. */
WardSecret *
ward_tpm2_agree (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                 const WardPoint *peer, GError **error)
{
  AgreeCommand agree = { 0 };
  WARD_ESYS_AUTOFREE TPM2B_ECC_POINT *product = NULL;
  WardSecret *secret;
  TSS2_RC rc;

  fill_coordinate (&agree.point.point.x, peer->x);
  fill_coordinate (&agree.point.point.y, peer->y);
  if (!ward_tpm2_key_use_run (connection, key, auths, TPMA_SESSION_ENCRYPT, send_agree, &agree, &rc, error))
    return NULL;
  rc = check_answer (rc, agree.product);
  if (rc != TSS2_RC_SUCCESS)
    {
      ward_tpm2_set_error (error, connection, rc, "The TPM did not agree with the other side's key");
      return NULL;
    }
  product = agree.product;
  secret = take_coordinate (&product->point.x, g_bytes_get_size (peer->x));
  explicit_bzero (product, sizeof (*product));
  return secret;
}
