/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-pem.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

#include "ward-envelope-asn1.h"
#include "ward-error.h"
#include "ward-key-import.h"

/* A key that its TPM loads as it is; OpenSSL does not know it (ASN.1 Specification for TPM 2.0 Key Files, 3.1). */
#define LOADABLE_TYPE "2.23.133.10.1.3"
#define IMPORTABLE_TYPE "2.23.133.10.1.4"
#define SEALED_TYPE "2.23.133.10.1.5"

#define MAX_DER (16 * 1024)

typedef BIO Bio;
typedef ASN1_OCTET_STRING Octets;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bio, BIO_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Octets, ASN1_OCTET_STRING_free)

static WardWrappedKey *
fail (GError **error, int code, const char *message)
{
  ERR_clear_error ();
  g_set_error_literal (error, WARD_ERROR, code, message);
  return NULL;
}

static gboolean
check_type (const WardTpmKey *key, GError **error)
{
  char type[80];

  OBJ_obj2txt (type, sizeof type, key->type, 1);
  if (g_str_equal (type, LOADABLE_TYPE))
    return TRUE;
  if (g_str_equal (type, SEALED_TYPE))
    fail (error, WARD_ERROR_NOT_SUPPORTED, "This is sealed data, and no key. Unseal it instead.");
  else if (g_str_equal (type, IMPORTABLE_TYPE))
    fail (error, WARD_ERROR_NOT_SUPPORTED,
          "This key is on its way into a TPM, and not in one yet. Load it by the program that wrote it, or import the "
          "key that it was made of.");
  else
    fail (error, WARD_ERROR_CORRUPT, "The key is damaged: it says of itself that it is nothing of a TPM's.");
  return FALSE;
}

static WardWrappedKey *
read_parts (const WardTpmKey *key, GError **error)
{
  g_autoptr (WardWrappedKey) wrapped = ward_sealed_new ();
  guint64 parent;

  if (key->policy || key->auth_policy)
    return fail (error, WARD_ERROR_NOT_SUPPORTED,
                 "This key has a policy that another program wrote. Use it with that program.");
  if (key->secret || !ASN1_INTEGER_get_uint64 (&parent, key->parent) || parent > G_MAXUINT32)
    return fail (error, WARD_ERROR_CORRUPT, "The key is damaged: what it lies beneath is not named as it should be.");
  if (parent != WARD_SRK_HANDLE && parent != WARD_OWNER_PARENT)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                   "This key lies beneath the TPM's object 0x%08x, and only what lies beneath the storage root key "
                   "can be used here. Use it with the program that made it.",
                   (guint32)parent);
      return NULL;
    }
  wrapped->parent = parent;
  /* absent means that there may be one */
  wrapped->has_auth = key->empty_auth <= 0;
  wrapped->public_area = ward_octets_to_bytes (key->public_area);
  wrapped->private_area = ward_octets_to_bytes (key->private_area);
  return g_steal_pointer (&wrapped);
}

WardWrappedKey *
ward_key_pem_read (const guint8 *der, gsize size, GError **error)
{
  const guint8 *next = der;
  g_autoptr (WardTpmKey) key = NULL;

  if (size > MAX_DER)
    return fail (error, WARD_ERROR_CORRUPT, "The key is damaged: it is longer than any can be.");
  key = d2i_WardTpmKey (NULL, &next, (long)size);
  ERR_clear_error ();
  if (!key || next != der + size)
    return fail (error, WARD_ERROR_CORRUPT, "The key is damaged: what it has inside is not built as it should be.");
  return check_type (key, error) ? read_parts (key, error) : NULL;
}

WardWrappedKey *
ward_key_blob_read (const guint8 *der, gsize size, GError **error)
{
  const guint8 *next = der;
  g_autoptr (WardWrappedKey) wrapped = NULL;
  g_autoptr (Octets) octets = size <= MAX_DER ? d2i_ASN1_OCTET_STRING (NULL, &next, (long)size) : NULL;

  ERR_clear_error ();
  if (!octets || next != der + size)
    return fail (error, WARD_ERROR_CORRUPT, "The key is damaged: what it has inside is not built as it should be.");
  wrapped = ward_sealed_new ();
  wrapped->parent = WARD_TPM12_SRK_HANDLE;
  wrapped->has_auth = TRUE;
  wrapped->public_area = g_bytes_new (NULL, 0);
  wrapped->private_area = ward_octets_to_bytes (octets);
  return g_steal_pointer (&wrapped);
}

WardWrappedKey *
ward_key_pem_parse (const char *text, GError **error)
{
  g_autofree char *label = NULL;
  g_autoptr (WardSecret) whole = ward_secret_new_from (text, strlen (text));
  g_autoptr (WardSecret) der = ward_key_import_read_pem (whole, NULL, &label, NULL);

  if (!der)
    return fail (error, WARD_ERROR_CORRUPT, "The key is damaged: it is not one whole text in PEM.");
  if (g_str_equal (label, WARD_KEY_BLOB_LABEL))
    return ward_key_blob_read (ward_secret_get_data (der), ward_secret_get_size (der), error);
  if (!g_str_equal (label, WARD_KEY_PEM_LABEL))
    return fail (error, WARD_ERROR_CORRUPT, "The key is damaged: it is PEM of another kind.");
  return ward_key_pem_read (ward_secret_get_data (der), ward_secret_get_size (der), error);
}

/* Sets der, which OpenSSL frees; returns its size, or less than 0. */
static int
print_tpm2 (const WardWrappedKey *wrapped, guint8 **der)
{
  g_autoptr (WardTpmKey) key = WardTpmKey_new ();

  if (!key || !ward_tpm_key_fill (key, wrapped))
    return -1;
  ASN1_OBJECT_free (key->type);
  key->type = OBJ_txt2obj (LOADABLE_TYPE, 1);
  return key->type ? i2d_WardTpmKey (key, der) : -1;
}

static int
print_tpm12 (const WardWrappedKey *wrapped, guint8 **der)
{
  g_autoptr (Octets) octets = ASN1_OCTET_STRING_new ();
  gsize size;
  const guint8 *blob = g_bytes_get_data (wrapped->private_area, &size);

  return octets && ASN1_OCTET_STRING_set (octets, blob, (int)size) ? i2d_ASN1_OCTET_STRING (octets, der) : -1;
}

char *
ward_key_pem_print (const WardWrappedKey *wrapped)
{
  gboolean is_tpm12 = wrapped->parent == WARD_TPM12_SRK_HANDLE;
  g_autoptr (Bio) bio = BIO_new (BIO_s_mem ());
  guint8 *der = NULL;
  int size = is_tpm12 ? print_tpm12 (wrapped, &der) : print_tpm2 (wrapped, &der);
  const char *text;
  char *copy = NULL;

  if (bio && size > 0 && PEM_write_bio (bio, is_tpm12 ? WARD_KEY_BLOB_LABEL : WARD_KEY_PEM_LABEL, "", der, size))
    {
      long length = BIO_get_mem_data (bio, &text);

      copy = g_strndup (text, length);
    }
  OPENSSL_free (der);
  return copy;
}
