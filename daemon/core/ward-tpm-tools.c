/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-tools.h"

#include <openssl/evp.h>
#include <string.h>

#include "ward-envelope-cipher.h"
#include "ward-error.h"

#define BEGIN "-----BEGIN TSS-----\n"
#define END "-----END TSS-----\n"
#define IV "IBM SEALIBM SEAL"
#define BLOCK_SIZE 16
#define LINE_SIZE 64
#define MAX_TEXT (2 * 1024 * 1024)

/* In their order, each with what stands in front of it. */
enum
{
  STORAGE_KEY,
  SEALED_KEY,
  CONTENT,
  N_PARTS,
};

static const char *const headings[N_PARTS] = {
  [STORAGE_KEY] = "-----TSS KEY-----\n",
  [SEALED_KEY] = "-----ENC KEY-----\nSymmetric Key: AES-256-CBC\n",
  [CONTENT] = "-----ENC DAT-----\n",
};

typedef EVP_CIPHER_CTX Cipher;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Cipher, EVP_CIPHER_CTX_free)

gboolean
ward_tpm_tools_is_sealed (const char *text)
{
  return g_str_has_prefix (text, BEGIN);
}

static gboolean
corrupt (GError **error, const char *why)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
               "This is no sealed data of tpm-tools, or it is damaged: %s. Use another copy of it, if you have one.",
               why);
  return FALSE;
}

/* Takes what is between text, which is moved on, and the heading after it. FALSE when that does not come, or there is
 * nothing in between. */
static gboolean
take_part (const char **text, const char *next_heading, GBytes **part)
{
  const char *end = strstr (*text, next_heading);
  g_autofree char *base64 = end ? g_strndup (*text, (gsize)(end - *text)) : NULL;
  gsize size;
  guint8 *bytes;

  if (!end)
    return FALSE;
  *text = end + strlen (next_heading);
  bytes = g_base64_decode (base64, &size);
  *part = g_bytes_new_take (bytes, size);
  return size > 0;
}

WardEnvelope *
ward_tpm_tools_parse (const char *text, GError **error)
{
  g_autoptr (WardEnvelope) envelope = g_new0 (WardEnvelope, 1);
  const char *next = text + strlen (BEGIN);

  if (strnlen (text, MAX_TEXT + 1) > MAX_TEXT)
    corrupt (error, "it is longer than any can be");
  else if (!g_str_has_prefix (next, headings[STORAGE_KEY]))
    corrupt (error, "there is no key in front");
  else
    {
      next += strlen (headings[STORAGE_KEY]);
      envelope->sealed = ward_sealed_new ();
      envelope->sealed->parent = WARD_TPM12_SRK_HANDLE;
      if (take_part (&next, headings[SEALED_KEY], &envelope->sealed->public_area)
          && take_part (&next, headings[CONTENT], &envelope->sealed->private_area)
          && take_part (&next, END, &envelope->content) && g_bytes_get_size (envelope->content) % BLOCK_SIZE == 0
          && *next == '\0')
        return g_steal_pointer (&envelope);
      corrupt (error, "it is not whole");
    }
  return NULL;
}

WardSecret *
ward_tpm_tools_make_key (GError **error)
{
  g_autoptr (WardSecret) key = ward_secret_new (WARD_CIPHER_KEY_SIZE);

  return ward_cipher_make_key (ward_secret_get_data (key), error) ? g_steal_pointer (&key) : NULL;
}

/* out: a block longer than in. Returns its size, or -1. */
static int
run_cipher (WardSecret *key, gboolean encrypts, const guint8 *in, gsize size, guint8 *out)
{
  g_autoptr (Cipher) cipher = EVP_CIPHER_CTX_new ();
  int n, rest;

  if (!cipher || ward_secret_get_size (key) != WARD_CIPHER_KEY_SIZE
      || EVP_CipherInit_ex2 (cipher, EVP_aes_256_cbc (), ward_secret_get_data (key), (const guint8 *)IV, encrypts, NULL)
             != 1
      || EVP_CipherUpdate (cipher, out, &n, in, (int)size) != 1 || EVP_CipherFinal_ex (cipher, out + n, &rest) != 1)
    return -1;
  return n + rest;
}

static void
add_part (GString *text, const char *heading, const guint8 *bytes, gsize size)
{
  g_autofree char *base64 = g_base64_encode (bytes, size);

  g_string_append (text, heading);
  for (const char *line = base64; *line != '\0'; line += strnlen (line, LINE_SIZE))
    {
      g_string_append_len (text, line, (gssize)strnlen (line, LINE_SIZE));
      g_string_append_c (text, '\n');
    }
}

char *
ward_tpm_tools_print (const WardSealed *sealed, WardSecret *key, WardSecret *data, GError **error)
{
  GString *text;
  gsize size = ward_secret_get_size (data);
  g_autofree guint8 *content = g_malloc (size + BLOCK_SIZE);
  int content_size = run_cipher (key, TRUE, ward_secret_get_data (data), size, content);
  const guint8 *area;

  if (content_size < 0)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED,
                           "OpenSSL could not encrypt the data. See whether this machine allows AES-256-CBC.");
      return NULL;
    }
  text = g_string_new (BEGIN);
  area = g_bytes_get_data (sealed->public_area, &size);
  add_part (text, headings[STORAGE_KEY], area, size);
  area = g_bytes_get_data (sealed->private_area, &size);
  add_part (text, headings[SEALED_KEY], area, size);
  add_part (text, headings[CONTENT], content, (gsize)content_size);
  g_string_append (text, END);
  return g_string_free (text, FALSE);
}

WardSecret *
ward_tpm_tools_open (const WardEnvelope *envelope, WardSecret *key, GError **error)
{
  gsize size;
  const guint8 *content = g_bytes_get_data (envelope->content, &size);
  g_autoptr (WardSecret) plain = ward_secret_new (size + BLOCK_SIZE);
  int plain_size = run_cipher (key, FALSE, content, size, ward_secret_get_data (plain));

  if (plain_size >= 0)
    return ward_secret_new_from (ward_secret_get_data (plain), (gsize)plain_size);
  corrupt (error, "its content was changed");
  return NULL;
}
