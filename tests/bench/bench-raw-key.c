/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include <string.h>

#define USER_KEY                                                                                                       \
  (TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN)

static const TPM2B_PUBLIC parent_template = {
  .publicArea = { .type = TPM2_ALG_ECC,
                  .nameAlg = TPM2_ALG_SHA256,
                  .objectAttributes = USER_KEY | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_NODA,
                  .parameters.eccDetail
                  = { .symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB },
                      .scheme.scheme = TPM2_ALG_NULL,
                      .curveID = TPM2_ECC_NIST_P256,
                      .kdf.scheme = TPM2_ALG_NULL } },
};
static const TPM2B_PUBLIC ecc_template = {
  .publicArea = { .type = TPM2_ALG_ECC,
                  .nameAlg = TPM2_ALG_SHA256,
                  .objectAttributes = USER_KEY | TPMA_OBJECT_SIGN_ENCRYPT,
                  .parameters.eccDetail = { .symmetric.algorithm = TPM2_ALG_NULL,
                                            .scheme.scheme = TPM2_ALG_NULL,
                                            .curveID = TPM2_ECC_NIST_P256,
                                            .kdf.scheme = TPM2_ALG_NULL } },
};
static const TPM2B_PUBLIC rsa_template = {
  .publicArea = { .type = TPM2_ALG_RSA,
                  .nameAlg = TPM2_ALG_SHA256,
                  .objectAttributes = USER_KEY | TPMA_OBJECT_SIGN_ENCRYPT,
                  .parameters.rsaDetail
                  = { .symmetric.algorithm = TPM2_ALG_NULL, .scheme.scheme = TPM2_ALG_NULL, .keyBits = 2048 } },
};
static const TPM2B_DATA no_data = { 0 };
static const TPML_PCR_SELECTION no_pcrs = { 0 };

static gboolean
make_parent (BenchKey *key, GError **error)
{
  static const TPM2B_SENSITIVE_CREATE no_auth = { 0 };
  TPM2B_PUBLIC *public = NULL;
  TPM2B_CREATION_DATA *data = NULL;
  TPM2B_DIGEST *hash = NULL;
  TPMT_TK_CREATION *ticket = NULL;
  TSS2_RC code = Esys_CreatePrimary (key->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                     &no_auth, &parent_template, &no_data, &no_pcrs, &key->parent, &public, &data,
                                     &hash, &ticket);

  Esys_Free (public);
  Esys_Free (data);
  Esys_Free (hash);
  Esys_Free (ticket);
  return bench_check (code, error);
}

static gboolean
make_key (BenchKey *key, const TPM2B_PUBLIC *template, const TPM2B_AUTH *auth, GError **error)
{
  TPM2B_SENSITIVE_CREATE sensitive = { .sensitive.userAuth = *auth };
  TPM2B_PRIVATE *private = NULL;
  TPM2B_PUBLIC *public = NULL;
  TPM2B_CREATION_DATA *data = NULL;
  TPM2B_DIGEST *hash = NULL;
  TPMT_TK_CREATION *ticket = NULL;
  gboolean ok;

  ok = bench_check (Esys_Create (key->esys, key->parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                                 template, &no_data, &no_pcrs, &private, &public, &data, &hash, &ticket),
                    error)
       && bench_check (
           Esys_Load (key->esys, key->parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, private, public, &key->key),
           error)
       && bench_check (Esys_TR_SetAuth (key->esys, key->key, auth), error);
  Esys_Free (private);
  Esys_Free (public);
  Esys_Free (data);
  Esys_Free (hash);
  Esys_Free (ticket);
  return ok;
}

/* The same kind of session as the service keeps: salted, so that who listens learns nothing of the auth value. A digest
 * and a signature are no secrets, so that neither here nor there they are encrypted. */
static gboolean
start_session (BenchKey *key, GError **error)
{
  static const TPMT_SYM_DEF symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB };

  return bench_check (Esys_StartAuthSession (key->esys, key->parent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                             ESYS_TR_NONE, NULL, TPM2_SE_HMAC, &symmetric, TPM2_ALG_SHA256,
                                             &key->session),
                      error)
         && bench_check (Esys_TRSess_SetAttributes (key->esys, key->session, TPMA_SESSION_CONTINUESESSION, 0xff),
                         error);
}

static void
flush (ESYS_CONTEXT *esys, ESYS_TR *handle)
{
  if (*handle != ESYS_TR_NONE)
    Esys_FlushContext (esys, *handle);
  *handle = ESYS_TR_NONE;
}

gboolean
bench_key_make (BenchKey *key, BenchTpm *tpm, gboolean is_rsa, gboolean has_auth, GError **error)
{
  TPM2B_AUTH auth = { 0 };
  gboolean ok;

  *key = (BenchKey){ .esys = tpm->esys,
                     .parent = ESYS_TR_NONE,
                     .key = ESYS_TR_NONE,
                     .session = ESYS_TR_NONE,
                     .scheme = is_rsa ? TPM2_ALG_RSASSA : TPM2_ALG_ECDSA };
  if (has_auth)
    {
      guint8 *bytes = auth.buffer;

      auth.size = strlen (BENCH_AUTH);
      memcpy (bytes, BENCH_AUTH, auth.size);
    }
  ok = make_parent (key, error) && make_key (key, is_rsa ? &rsa_template : &ecc_template, &auth, error)
       && (!has_auth || start_session (key, error));
  flush (key->esys, &key->parent);
  return ok;
}

void
bench_key_clear (BenchKey *key)
{
  flush (key->esys, &key->session);
  flush (key->esys, &key->key);
}

gboolean
bench_key_sign (gpointer context, GError **error)
{
  static const TPM2B_DIGEST digest = { .size = BENCH_SIZE };
  static const TPMT_TK_HASHCHECK no_ticket = { .tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL };
  BenchKey *key = context;
  TPMT_SIG_SCHEME how = { .scheme = key->scheme, .details.any.hashAlg = TPM2_ALG_SHA256 };
  TPMT_SIGNATURE *signature = NULL;
  TSS2_RC code = Esys_Sign (key->esys, key->key, key->session != ESYS_TR_NONE ? key->session : ESYS_TR_PASSWORD,
                            ESYS_TR_NONE, ESYS_TR_NONE, &digest, &how, &no_ticket, &signature);

  Esys_Free (signature);
  return bench_check (code, error);
}
