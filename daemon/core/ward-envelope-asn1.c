/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-envelope-asn1.h"

#include <openssl/objects.h>
#include <string.h>

#include "ward-error.h"

#define VERSION 1
/* Sealed data; OpenSSL does not know it (ASN.1 Specification for TPM 2.0 Key Files, 3.1). */
#define SEALED_DATA_TYPE "2.23.133.10.1.5"
#define KEY_ARC "2.23.133.10.1."

/* clang-format off */
ASN1_SEQUENCE (WardTpmKey) = {
  ASN1_SIMPLE (WardTpmKey, type, ASN1_OBJECT),
  ASN1_EXP_OPT (WardTpmKey, empty_auth, ASN1_BOOLEAN, 0),
  ASN1_EXP_SEQUENCE_OF_OPT (WardTpmKey, policy, ASN1_ANY, 1),
  ASN1_EXP_OPT (WardTpmKey, secret, ASN1_OCTET_STRING, 2),
  ASN1_EXP_SEQUENCE_OF_OPT (WardTpmKey, auth_policy, ASN1_ANY, 3),
  ASN1_EXP_OPT (WardTpmKey, description, ASN1_UTF8STRING, 4),
  ASN1_EXP_OPT (WardTpmKey, rsa_parent, ASN1_BOOLEAN, 5),
  ASN1_SIMPLE (WardTpmKey, parent, ASN1_INTEGER),
  ASN1_SIMPLE (WardTpmKey, public_area, ASN1_OCTET_STRING),
  ASN1_SIMPLE (WardTpmKey, private_area, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END (WardTpmKey)

ASN1_SEQUENCE (WardBoundBank) = {
  ASN1_SIMPLE (WardBoundBank, bank, ASN1_UTF8STRING),
  ASN1_SIMPLE (WardBoundBank, mask, ASN1_INTEGER),
  ASN1_SIMPLE (WardBoundBank, values, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END (WardBoundBank)

ASN1_SEQUENCE (WardSealedHeader) = {
  ASN1_SIMPLE (WardSealedHeader, version, ASN1_INTEGER),
  ASN1_SIMPLE (WardSealedHeader, key, WardTpmKey),
  ASN1_SEQUENCE_OF (WardSealedHeader, pcrs, WardBoundBank),
  ASN1_EXP_OPT (WardSealedHeader, nonce, ASN1_OCTET_STRING, 0),
} ASN1_SEQUENCE_END (WardSealedHeader)

ASN1_SEQUENCE (WardSealedData) = {
  ASN1_SIMPLE (WardSealedData, header, ASN1_OCTET_STRING),
  ASN1_OPT (WardSealedData, content, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END (WardSealedData)
/* clang-format on */

IMPLEMENT_ASN1_FUNCTIONS (WardTpmKey)
IMPLEMENT_ASN1_ALLOC_FUNCTIONS (WardBoundBank)
IMPLEMENT_ASN1_FUNCTIONS (WardSealedHeader)
IMPLEMENT_ASN1_FUNCTIONS (WardSealedData)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardBoundBank, WardBoundBank_free)

static gboolean
corrupt (GError **error, const char *why)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
               "The sealed data is damaged: %s. Use another copy of it, if you have one.", why);
  return FALSE;
}

GBytes *
ward_octets_to_bytes (const ASN1_OCTET_STRING *octets)
{
  return g_bytes_new (ASN1_STRING_get0_data (octets), ASN1_STRING_length (octets));
}

static gboolean
set_octets (ASN1_OCTET_STRING *octets, GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return ASN1_OCTET_STRING_set (octets, data, size);
}

gboolean
ward_tpm_key_fill (WardTpmKey *key, const WardSealed *sealed)
{
  ASN1_OBJECT_free (key->type);
  key->type = OBJ_txt2obj (SEALED_DATA_TYPE, 1);
  key->empty_auth = sealed->has_auth ? 0 : 0xff;
  return key->type && ASN1_INTEGER_set_uint64 (key->parent, sealed->parent)
         && set_octets (key->public_area, sealed->public_area) && set_octets (key->private_area, sealed->private_area);
}

static WardBoundBank *
bound_bank_new (const WardPcrBank *pcrs)
{
  g_autoptr (WardBoundBank) bank = WardBoundBank_new ();
  g_autoptr (GByteArray) values = g_byte_array_new ();

  for (guint i = 0; i < WARD_N_PCRS; i++)
    if (pcrs->values.mask & (1u << i))
      g_byte_array_append (values, pcrs->values.values[i], pcrs->values.digest_size);
  if (!bank || !ASN1_STRING_set (bank->bank, pcrs->bank, -1) || !ASN1_INTEGER_set_uint64 (bank->mask, pcrs->values.mask)
      || !ASN1_OCTET_STRING_set (bank->values, values->data, values->len))
    return NULL;
  return g_steal_pointer (&bank);
}

gboolean
ward_sealed_header_fill (WardSealedHeader *header, const WardSealed *sealed, GBytes *nonce)
{
  if (!ASN1_INTEGER_set (header->version, VERSION) || !ward_tpm_key_fill (header->key, sealed))
    return FALSE;
  for (guint i = 0; i < sealed->pcrs->len; i++)
    {
      g_autoptr (WardBoundBank) bank = bound_bank_new (g_ptr_array_index (sealed->pcrs, i));

      if (!bank || !sk_WardBoundBank_push (header->pcrs, bank))
        return FALSE;
      bank = NULL; /* the header's */
    }
  if (!nonce)
    return TRUE;
  header->nonce = ASN1_OCTET_STRING_new ();
  return header->nonce && set_octets (header->nonce, nonce);
}

static gboolean
check_type (const WardTpmKey *key, GError **error)
{
  char type[80];

  OBJ_obj2txt (type, sizeof type, key->type, 1);
  if (g_str_equal (type, SEALED_DATA_TYPE))
    return TRUE;
  if (!g_str_has_prefix (type, KEY_ARC))
    return corrupt (error, "it says of itself that it is nothing of a TPM's");
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
               "This is a key, of type %s, and no sealed data. There is nothing in it to unseal.", type);
  return FALSE;
}

WardSealed *
ward_tpm_key_read (const WardTpmKey *key, GError **error)
{
  g_autoptr (WardSealed) sealed = ward_sealed_new ();
  guint64 parent;

  if (!check_type (key, error))
    return NULL;
  if (key->policy || key->auth_policy)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                           "This sealed data has a policy that another program wrote. Unseal it with that program.");
      return NULL;
    }
  if (key->secret || !ASN1_INTEGER_get_uint64 (&parent, key->parent) || parent > G_MAXUINT32)
    {
      corrupt (error, "the key that it lies beneath is not named as it should be");
      return NULL;
    }
  sealed->parent = parent;
  /* absent means that there may be one */
  sealed->has_auth = key->empty_auth <= 0;
  sealed->public_area = ward_octets_to_bytes (key->public_area);
  sealed->private_area = ward_octets_to_bytes (key->private_area);
  return g_steal_pointer (&sealed);
}

static gboolean
read_values (WardPcrValues *values, guint64 mask, const ASN1_OCTET_STRING *octets)
{
  const guint8 *next = ASN1_STRING_get0_data (octets);
  gsize size = ASN1_STRING_length (octets);
  gsize n_pcrs = 0;

  if (mask == 0 || mask >= 1u << WARD_N_PCRS)
    return FALSE;
  values->mask = mask;
  for (guint i = 0; i < WARD_N_PCRS; i++)
    n_pcrs += (mask >> i) & 1;
  values->digest_size = size / n_pcrs;
  if (size % n_pcrs != 0 || values->digest_size == 0 || values->digest_size > WARD_MAX_DIGEST_SIZE)
    return FALSE;

  for (guint i = 0; i < WARD_N_PCRS; i++)
    if (mask & (1u << i))
      {
        memcpy (values->values[i], next, values->digest_size);
        next += values->digest_size;
      }
  return TRUE;
}

static gboolean
read_bank (GPtrArray *pcrs, const WardBoundBank *bound)
{
  g_autofree char *name = g_strndup ((const char *)ASN1_STRING_get0_data (bound->bank),
                                     ASN1_STRING_length (bound->bank));
  g_autoptr (WardPcrBank) bank = ward_pcr_bank_new (name);
  guint64 mask;

  if (!ward_bank_is_known (name) || strlen (name) != (gsize)ASN1_STRING_length (bound->bank)
      || !ASN1_INTEGER_get_uint64 (&mask, bound->mask) || !read_values (&bank->values, mask, bound->values))
    return FALSE;
  for (guint i = 0; i < pcrs->len; i++)
    if (g_str_equal (((WardPcrBank *)g_ptr_array_index (pcrs, i))->bank, name))
      return FALSE;
  g_ptr_array_add (pcrs, g_steal_pointer (&bank));
  return TRUE;
}

WardSealed *
ward_sealed_header_read (const WardSealedHeader *header, GError **error)
{
  g_autoptr (WardSealed) sealed = NULL;
  guint64 version;

  if (!ASN1_INTEGER_get_uint64 (&version, header->version) || version != VERSION)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_CORRUPT,
                           "The sealed data is damaged, or was made by a later version of the service.");
      return NULL;
    }
  sealed = ward_tpm_key_read (header->key, error);
  if (!sealed)
    return NULL;
  for (int i = 0; i < sk_WardBoundBank_num (header->pcrs); i++)
    if (!read_bank (sealed->pcrs, sk_WardBoundBank_value (header->pcrs, i)))
      {
        corrupt (error, "the PCRs that it is bound to are not told as they should be");
        return NULL;
      }
  return g_steal_pointer (&sealed);
}
