/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-envelope.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "ward-envelope-asn1.h"
#include "ward-envelope-cipher.h"
#include "ward-error.h"
#include "ward-tpm-tools.h"

#define TSS2_LABEL "TSS2 PRIVATE KEY"
#define OWN_LABEL "TPMWARD SEALED DATA"

/* Bounds on what is parsed: none of ours comes near. */
#define MAX_TEXT (2 * 1024 * 1024)
#define MAX_KEY_DER (16 * 1024)
#define MAX_HEADER_DER (64 * 1024)

/* In front of a sealed AES key, so that a blob whose content somebody has taken away does not pass for one with the key
 * as its data. */
static const guint8 key_mark[16] = { 'T', 'P', 'M', 'W', 'A', 'R', 'D', ' ', 'A', 'E', 'S', ' ', 'K', 'E', 'Y', 1 };

#define KEY_PAYLOAD_SIZE (sizeof key_mark + WARD_CIPHER_KEY_SIZE)

typedef BIO Bio;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bio, BIO_free)

static WardEnvelope *
corrupt (GError **error, const char *why)
{
  ERR_clear_error ();
  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
               "This is no sealed data, or it is damaged: %s. Use another copy of it, if you have one.", why);
  return NULL;
}

void
ward_envelope_free (WardEnvelope *envelope)
{
  g_clear_pointer (&envelope->sealed, ward_sealed_free);
  g_clear_pointer (&envelope->header, g_bytes_unref);
  g_clear_pointer (&envelope->nonce, g_bytes_unref);
  g_clear_pointer (&envelope->content, g_bytes_unref);
  g_free (envelope);
}

/* Whether der is what the structure is written as, to the byte: there is then only one text for one meaning. */
static gboolean
is_canonical (int (*i2d) (gconstpointer structure, guint8 **out), gconstpointer structure, const guint8 *der,
              gsize size)
{
  guint8 *written = NULL;
  int written_size = i2d (structure, &written);
  gboolean same = written_size >= 0 && (gsize)written_size == size && memcmp (written, der, size) == 0;

  OPENSSL_free (written);
  return same;
}

#define I2D(func) ((int (*) (gconstpointer, guint8 **)) (void (*) (void)) (func))

static WardEnvelope *
read_tss2 (const guint8 *der, gsize size, GError **error)
{
  const guint8 *next = der;
  g_autoptr (WardTpmKey) key = NULL;
  g_autoptr (WardEnvelope) envelope = g_new0 (WardEnvelope, 1);

  if (size > MAX_KEY_DER)
    return corrupt (error, "it is too long for a key");
  key = d2i_WardTpmKey (NULL, &next, size);
  if (!key || !is_canonical (I2D (i2d_WardTpmKey), key, der, size))
    return corrupt (error, "what it has inside is not built as it should be");
  envelope->sealed = ward_tpm_key_read (key, error);
  return envelope->sealed ? g_steal_pointer (&envelope) : NULL;
}

static gboolean
read_content (WardEnvelope *envelope, const WardSealedHeader *header, const WardSealedData *data)
{
  if (!data->content)
    return header->nonce == NULL;
  if (!header->nonce || ASN1_STRING_length (header->nonce) != WARD_CIPHER_NONCE_SIZE
      || ASN1_STRING_length (data->content) <= WARD_CIPHER_TAG_SIZE
      || ASN1_STRING_length (data->content) > WARD_ENVELOPE_MAX_DATA + WARD_CIPHER_TAG_SIZE)
    return FALSE;
  envelope->nonce = ward_octets_to_bytes (header->nonce);
  envelope->content = ward_octets_to_bytes (data->content);
  return TRUE;
}

static WardEnvelope *
read_own (const guint8 *der, gsize size, GError **error)
{
  const guint8 *next = der;
  g_autoptr (WardSealedData) data = d2i_WardSealedData (NULL, &next, size);
  g_autoptr (WardSealedHeader) header = NULL;
  g_autoptr (WardEnvelope) envelope = g_new0 (WardEnvelope, 1);

  if (!data || ASN1_STRING_length (data->header) > MAX_HEADER_DER
      || !is_canonical (I2D (i2d_WardSealedData), data, der, size))
    return corrupt (error, "its outer part is not built as it should be");
  envelope->header = ward_octets_to_bytes (data->header);
  der = next = g_bytes_get_data (envelope->header, &size);
  header = d2i_WardSealedHeader (NULL, &next, size);
  if (!header || !is_canonical (I2D (i2d_WardSealedHeader), header, der, size))
    return corrupt (error, "its header is not built as it should be");
  if (!read_content (envelope, header, data))
    return corrupt (error, "its content does not fit its header");
  envelope->sealed = ward_sealed_header_read (header, error);
  return envelope->sealed ? g_steal_pointer (&envelope) : NULL;
}

static gboolean
is_at_end (BIO *bio)
{
  const char *rest;
  long size = BIO_get_mem_data (bio, &rest);

  while (size > 0 && g_ascii_isspace (rest[size - 1]))
    size--;
  return size <= 0;
}

WardEnvelope *
ward_envelope_parse (const char *text, GError **error)
{
  g_autoptr (Bio) bio = NULL;
  char *label = NULL, *headers = NULL;
  guint8 *der = NULL;
  long size;
  WardEnvelope *envelope;

  while (g_ascii_isspace (*text))
    text++;
  if (strnlen (text, MAX_TEXT + 1) > MAX_TEXT)
    return corrupt (error, "it is longer than any can be");
  if (ward_tpm_tools_is_sealed (text))
    return ward_tpm_tools_parse (text, error);
  if (!g_str_has_prefix (text, "-----BEGIN "))
    return corrupt (error, "it does not begin as PEM");
  bio = BIO_new_mem_buf (text, -1);
  if (!bio || PEM_read_bio (bio, &label, &headers, &der, &size) != 1)
    return corrupt (error, "it is not PEM to its end");

  if (*headers || !is_at_end (bio))
    envelope = corrupt (error, "it has more in it than belongs there");
  else if (g_str_equal (label, TSS2_LABEL))
    envelope = read_tss2 (der, size, error);
  else if (g_str_equal (label, OWN_LABEL))
    envelope = read_own (der, size, error);
  else
    envelope = corrupt (error, "it is PEM of another kind");
  OPENSSL_free (label);
  OPENSSL_free (headers);
  OPENSSL_free (der);
  return envelope;
}

static gboolean
is_marked (WardSecret *payload)
{
  return ward_secret_get_size (payload) >= sizeof key_mark
         && memcmp (ward_secret_get_data (payload), key_mark, sizeof key_mark) == 0;
}

WardSecret *
ward_envelope_choose_payload (WardSecret *data, GError **error)
{
  g_autoptr (WardSecret) payload = NULL;

  if (ward_secret_get_size (data) <= WARD_MAX_SEALED_SIZE && !is_marked (data))
    return ward_secret_ref (data);

  payload = ward_secret_new (KEY_PAYLOAD_SIZE);
  memcpy (ward_secret_get_data (payload), key_mark, sizeof key_mark);
  if (!ward_cipher_make_key (ward_secret_get_data (payload) + sizeof key_mark, error))
    return NULL;
  return g_steal_pointer (&payload);
}

static const guint8 *
get_key (WardSecret *payload)
{
  return ward_secret_get_data (payload) + sizeof key_mark;
}

static char *
write_pem (const char *label, const guint8 *der, gsize size)
{
  g_autoptr (Bio) bio = BIO_new (BIO_s_mem ());
  const char *text;
  long length;

  if (!bio || !PEM_write_bio (bio, label, "", der, size))
    return NULL;
  length = BIO_get_mem_data (bio, &text);
  return g_strndup (text, length);
}

static char *
print_tss2 (const WardSealed *sealed)
{
  g_autoptr (WardTpmKey) key = WardTpmKey_new ();
  guint8 *der = NULL;
  int size = key && ward_tpm_key_fill (key, sealed) ? i2d_WardTpmKey (key, &der) : -1;
  char *text = size > 0 ? write_pem (TSS2_LABEL, der, size) : NULL;

  OPENSSL_free (der);
  return text;
}

/* NULL when there is no memory. */
static GBytes *
write_header (const WardSealed *sealed, GBytes *nonce)
{
  g_autoptr (WardSealedHeader) header = WardSealedHeader_new ();
  guint8 *der = NULL;
  int size = header && ward_sealed_header_fill (header, sealed, nonce) ? i2d_WardSealedHeader (header, &der) : -1;
  GBytes *bytes = size > 0 ? g_bytes_new (der, size) : NULL;

  OPENSSL_free (der);
  return bytes;
}

static ASN1_OCTET_STRING *
octets_new (GBytes *bytes)
{
  ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new ();
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  if (octets && !ASN1_OCTET_STRING_set (octets, data, size))
    g_clear_pointer (&octets, ASN1_OCTET_STRING_free);
  return octets;
}

/* content: NULL for none. */
static char *
print_own (GBytes *header, GBytes *content)
{
  g_autoptr (WardSealedData) data = WardSealedData_new ();
  guint8 *der = NULL;
  int size;
  char *text;

  if (!data)
    return NULL;
  ASN1_OCTET_STRING_free (data->header);
  data->header = octets_new (header);
  data->content = content ? octets_new (content) : NULL;
  size = data->header && (!content || data->content) ? i2d_WardSealedData (data, &der) : -1;
  text = size > 0 ? write_pem (OWN_LABEL, der, size) : NULL;
  OPENSSL_free (der);
  return text;
}

static char *
concluded (char *text, GError **error)
{
  ERR_clear_error ();
  if (!text)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED,
                         "The sealed data could not be written as text: there is not enough memory. Try again.");
  return text;
}

char *
ward_envelope_print (const WardSealed *sealed, WardSecret *payload, WardSecret *data, GError **error)
{
  g_autoptr (GBytes) nonce = NULL;
  g_autoptr (GBytes) header = NULL;
  g_autoptr (GBytes) content = NULL;

  if (payload == data && sealed->pcrs->len == 0 && sealed->parent != WARD_TPM12_SRK_HANDLE)
    return concluded (print_tss2 (sealed), error);
  if (payload != data && !(nonce = ward_cipher_make_nonce (error)))
    return NULL;
  header = write_header (sealed, nonce);
  if (!header)
    return concluded (NULL, error);
  if (nonce && !(content = ward_cipher_encrypt (get_key (payload), nonce, header, data, error)))
    return NULL;
  return concluded (print_own (header, content), error);
}

WardSecret *
ward_envelope_open (const WardEnvelope *envelope, WardSecret *payload, GError **error)
{
  WardSecret *data = NULL;

  if (envelope->content && !envelope->header)
    return ward_tpm_tools_open (envelope, payload, error);
  if (!envelope->content && !is_marked (payload))
    return ward_secret_ref (payload);
  if (envelope->content && is_marked (payload) && ward_secret_get_size (payload) == KEY_PAYLOAD_SIZE)
    data = ward_cipher_decrypt (get_key (payload), envelope->nonce, envelope->header, envelope->content);
  if (!data)
    corrupt (error, "its content or its header was changed");
  return data;
}
