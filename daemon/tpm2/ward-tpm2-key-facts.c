/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm2-private.h"

#include <string.h>

#include "ward-error.h"
#include "ward-key-public.h"

/* What an exponent of zero stands for (TPM 2.0 Library, Part 2, 12.2.3.5). */
#define DEFAULT_EXPONENT 65537

static gboolean
set_corrupt_error (GError **error, const char *why)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
               "The key is damaged: %s. Use another copy of it, if you have one.", why);
  return FALSE;
}

static gboolean
set_unsupported_error (GError **error, const char *why)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
               "This key cannot be used here: %s. Use it with the program that made it.", why);
  return FALSE;
}

static gboolean
has_policy (const TPMT_PUBLIC *public, GPtrArray *pcrs, gboolean has_auth)
{
  TPM2B_DIGEST policy;

  ward_tpm2_policy_get_digest (pcrs, has_auth, &policy);
  return public->authPolicy.size == policy.size && memcmp (public->authPolicy.buffer, policy.buffer, policy.size) == 0;
}

/* A key that was bound without an auth value never asks for one; one that was bound with one always does, even if that
 * was made empty since. */
static gboolean
read_policy (const WardWrappedKey *key, const TPMT_PUBLIC *public, WardKeyFacts *facts, GError **error)
{
  gboolean by_auth = (public->objectAttributes & TPMA_OBJECT_USERWITHAUTH) != 0;

  if (key->pcrs->len == 0)
    return by_auth || set_unsupported_error (error, "it has a policy that it does not tell");
  if (by_auth || public->nameAlg != TPM2_ALG_SHA256)
    return set_corrupt_error (error, "it tells PCRs, and is bound to none");
  facts->ignores_auth = has_policy (public, key->pcrs, FALSE);
  return facts->ignores_auth || has_policy (public, key->pcrs, TRUE)
         || set_corrupt_error (error, "the PCRs that it tells are not those that it is bound to");
}

/* NULL for what is none of ours. */
static const WardKeyAlgorithm *
find_algorithm (const TPMT_PUBLIC *public)
{
  g_autofree char *name = ward_tpm2_public_to_string (public);
  const WardKeyAlgorithm *algorithm = ward_key_algorithm_find (name);
  gsize size = algorithm != NULL ? algorithm->bits / 8 : 0;

  if (public->type == TPM2_ALG_RSA)
    return public->unique.rsa.size == size ? algorithm : NULL;
  return public->unique.ecc.x.size <= size && public->unique.ecc.y.size <= size ? algorithm : NULL;
}

static void
read_attributes (const TPMT_PUBLIC *public, WardKeyFacts *facts)
{
  if (public->objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT)
    facts->usage |= WARD_KEY_SIGN;
  if (public->objectAttributes & TPMA_OBJECT_DECRYPT)
    facts->usage |= public->type == TPM2_ALG_ECC ? WARD_KEY_AGREE : WARD_KEY_DECRYPT;
  facts->no_da = (public->objectAttributes & TPMA_OBJECT_NODA) != 0;
  facts->imported = (public->objectAttributes & TPMA_OBJECT_SENSITIVEDATAORIGIN) == 0;
  facts->counts = !facts->no_da && !facts->ignores_auth;
}

/* FALSE for what is no wrapped key pair at all. */
static gboolean
read_areas (const WardWrappedKey *key, TPM2B_PUBLIC *public, GError **error)
{
  TPM2B_PRIVATE private;
  const TPMT_PUBLIC *area = &public->publicArea;

  if (!ward_tpm2_public_from_bytes (key->public_area, public)
      || !ward_tpm2_private_from_bytes (key->private_area, &private))
    return set_corrupt_error (error, "what it says is a TPM's object is none");
  if ((area->type != TPM2_ALG_RSA && area->type != TPM2_ALG_ECC)
      || (area->objectAttributes & TPMA_OBJECT_RESTRICTED) != 0)
    return set_unsupported_error (error, "it is no key that signs, decrypts or agrees at will");
  return TRUE;
}

/* See WardBackend. */
WardKeyFacts *
ward_tpm2_describe_key (const WardWrappedKey *key, GError **error)
{
  g_autofree WardKeyFacts *facts = g_new0 (WardKeyFacts, 1);
  const WardKeyAlgorithm *algorithm;
  TPM2B_PUBLIC public;

  if (!read_areas (key, &public, error) || !read_policy (key, &public.publicArea, facts, error))
    return NULL;
  algorithm = find_algorithm (&public.publicArea);
  if (algorithm == NULL)
    {
      set_unsupported_error (error, "keys of RSA with 2048 or 3072 bits and of the curves P-256 and P-384 can be");
      return NULL;
    }
  facts->algorithm = algorithm->name;
  read_attributes (&public.publicArea, facts);
  if (facts->usage != 0)
    return g_steal_pointer (&facts);
  set_unsupported_error (error, "it was made for no use");
  return NULL;
}

/* SubjectPublicKeyInfo in DER; NULL for what is no key of the algorithms that are used here. */
GBytes *
ward_tpm2_public_get_key (const TPMT_PUBLIC *public)
{
  const WardKeyAlgorithm *algorithm;
  guint32 exponent;

  if (public->type != TPM2_ALG_RSA && public->type != TPM2_ALG_ECC)
    return NULL;
  algorithm = find_algorithm (public);
  if (algorithm == NULL)
    return NULL;
  if (algorithm->is_ecc)
    return ward_key_public_new_ecc (algorithm, public->unique.ecc.x.buffer, public->unique.ecc.x.size,
                                    public->unique.ecc.y.buffer, public->unique.ecc.y.size);
  exponent = public->parameters.rsaDetail.exponent;
  return ward_key_public_new_rsa (public->unique.rsa.buffer, public->unique.rsa.size,
                                  exponent != 0 ? exponent : DEFAULT_EXPONENT);
}

/* See WardBackend. */
GBytes *
ward_tpm2_get_public_key (const WardWrappedKey *key, GError **error)
{
  TPM2B_PUBLIC public;
  GBytes *public_key;

  if (!read_areas (key, &public, error))
    return NULL;
  public_key = ward_tpm2_public_get_key (&public.publicArea);
  if (public_key == NULL)
    set_corrupt_error (error, "its public half is no key");
  return public_key;
}
