/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

typedef struct
{
  TPM2_ALG_ID algorithm;
  const char *name;
} AlgorithmName;

/* By the names that tpm2-tools uses (TCG Algorithm Registry). */
static const AlgorithmName bank_names[] = {
  { TPM2_ALG_SHA1, "sha1" },         { TPM2_ALG_SHA256, "sha256" },     { TPM2_ALG_SHA384, "sha384" },
  { TPM2_ALG_SHA512, "sha512" },     { TPM2_ALG_SM3_256, "sm3_256" },   { TPM2_ALG_SHA3_256, "sha3_256" },
  { TPM2_ALG_SHA3_384, "sha3_384" }, { TPM2_ALG_SHA3_512, "sha3_512" },
};

static const AlgorithmName other_names[] = {
  { TPM2_ALG_RSA, "rsa" },
  { TPM2_ALG_TDES, "tdes" },
  { TPM2_ALG_HMAC, "hmac" },
  { TPM2_ALG_AES, "aes" },
  { TPM2_ALG_MGF1, "mgf1" },
  { TPM2_ALG_KEYEDHASH, "keyedhash" },
  { TPM2_ALG_XOR, "xor" },
  { TPM2_ALG_SM4, "sm4" },
  { TPM2_ALG_RSASSA, "rsassa" },
  { TPM2_ALG_RSAES, "rsaes" },
  { TPM2_ALG_RSAPSS, "rsapss" },
  { TPM2_ALG_OAEP, "oaep" },
  { TPM2_ALG_ECDSA, "ecdsa" },
  { TPM2_ALG_ECDH, "ecdh" },
  { TPM2_ALG_ECDAA, "ecdaa" },
  { TPM2_ALG_SM2, "sm2" },
  { TPM2_ALG_ECSCHNORR, "ecschnorr" },
  { TPM2_ALG_ECMQV, "ecmqv" },
  { TPM2_ALG_KDF1_SP800_56A, "kdf1_sp800_56a" },
  { TPM2_ALG_KDF2, "kdf2" },
  { TPM2_ALG_KDF1_SP800_108, "kdf1_sp800_108" },
  { TPM2_ALG_ECC, "ecc" },
  { TPM2_ALG_SYMCIPHER, "symcipher" },
  { TPM2_ALG_CAMELLIA, "camellia" },
  { TPM2_ALG_CMAC, "cmac" },
  { TPM2_ALG_CTR, "ctr" },
  { TPM2_ALG_OFB, "ofb" },
  { TPM2_ALG_CBC, "cbc" },
  { TPM2_ALG_CFB, "cfb" },
  { TPM2_ALG_ECB, "ecb" },
};

/* The name of the PCR bank of a hash, NULL when it is unknown. */
const char *
ward_tpm2_bank_to_string (TPM2_ALG_ID hash)
{
  for (guint i = 0; i < G_N_ELEMENTS (bank_names); i++)
    if (bank_names[i].algorithm == hash)
      return bank_names[i].name;
  return NULL;
}

/* TPM2_ALG_ERROR for an unknown name. */
TPM2_ALG_ID
ward_tpm2_bank_from_string (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (bank_names); i++)
    if (g_str_equal (bank_names[i].name, name))
      return bank_names[i].algorithm;
  return TPM2_ALG_ERROR;
}

/* The name of any algorithm, or its number in hex. */
char *
ward_tpm2_algorithm_to_string (TPM2_ALG_ID algorithm)
{
  const char *name = ward_tpm2_bank_to_string (algorithm);

  for (guint i = 0; name == NULL && i < G_N_ELEMENTS (other_names); i++)
    if (other_names[i].algorithm == algorithm)
      name = other_names[i].name;
  return name != NULL ? g_strdup (name) : g_strdup_printf ("0x%04x", algorithm);
}

/* Bytes of the hash's digest; of one that is unknown, those of the shortest that a TPM has. */
gsize
ward_tpm2_hash_get_size (TPM2_ALG_ID hash)
{
  switch (hash)
    {
    case TPM2_ALG_SHA256:
    case TPM2_ALG_SHA3_256:
    case TPM2_ALG_SM3_256:
      return TPM2_SHA256_DIGEST_SIZE;
    case TPM2_ALG_SHA384:
    case TPM2_ALG_SHA3_384:
      return TPM2_SHA384_DIGEST_SIZE;
    case TPM2_ALG_SHA512:
    case TPM2_ALG_SHA3_512:
      return TPM2_SHA512_DIGEST_SIZE;
    default:
      return TPM2_SHA1_DIGEST_SIZE;
    }
}
