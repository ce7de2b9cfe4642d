/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tss2-pem.h"

#include <openssl/asn1.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define DASHES "-----"

static const struct
{
  const char *label;
  WardPem pem;
} labels[] = {
  { "TSS2 PRIVATE KEY", WARD_PEM_TSS2 },
  { "TSS2 KEY BLOB", WARD_PEM_TSS2 },
  { "TSS KEY BLOB", WARD_PEM_TSS1 },
};

/* id-sealedkey, 2.23.133.10.1.5 */
static const guint8 sealed_type[] = { 0x67, 0x81, 0x05, 0x0a, 0x01, 0x05 };

/* The TPMKey of "ASN.1 Specification for TPM 2.0 Key Files", section 3: SEQUENCE of its type, optional members with
 * tags of their own, then the parent's handle, the first INTEGER. */
static void
read_key (const guint8 *der, long size, WardPem *pem, guint32 *parent)
{
  const guint8 *at = der, *end;
  long length;
  int tag, class;

  if (ASN1_get_object (&at, &length, &tag, &class, size) != V_ASN1_CONSTRUCTED || tag != V_ASN1_SEQUENCE)
    return;
  for (end = at + length; at < end; at += length)
    {
      if (ASN1_get_object (&at, &length, &tag, &class, end - at) & 0x80)
        return;
      if (class == V_ASN1_UNIVERSAL && tag == V_ASN1_OBJECT && length == sizeof (sealed_type)
          && memcmp (at, sealed_type, sizeof (sealed_type)) == 0)
        *pem = WARD_PEM_TSS2_DATA;
      if (class == V_ASN1_UNIVERSAL && tag == V_ASN1_INTEGER)
        {
          for (long i = 0; i < length; i++)
            *parent = *parent << 8 | at[i];
          return;
        }
    }
}

/* Where the base64 of a block begins that has one of the labels; its end is at the next dash. */
static const char *
find_block (const char *text, gsize length, WardPem *pem)
{
  const char *at = text;

  while ((at = g_strstr_len (at, (gssize)(text + length - at), BEGIN)) != NULL)
    {
      gboolean starts_line = at == text || at[-1] == '\n';

      at += strlen (BEGIN);
      for (guint i = 0; starts_line && i < G_N_ELEMENTS (labels); i++)
        {
          g_autofree char *rest = g_strconcat (labels[i].label, DASHES, NULL);

          if ((gsize)(text + length - at) < strlen (rest) || strncmp (at, rest, strlen (rest)) != 0)
            continue;
          *pem = labels[i].pem;
          return at + strlen (rest);
        }
    }
  return NULL;
}

WardPem
ward_tss2_pem_read (const char *text, gsize length, guint32 *parent)
{
  WardPem pem = WARD_PEM_OTHER;
  const char *start = find_block (text, length, &pem);
  g_autofree char *base64 = NULL;
  g_autofree guint8 *der = NULL;
  const char *end;
  gsize size;

  *parent = 0;
  end = start != NULL ? memchr (start, '-', (gsize)(text + length - start)) : NULL;
  if (end == NULL || pem == WARD_PEM_TSS1)
    return pem;
  base64 = g_strndup (start, (gsize)(end - start));
  der = g_base64_decode (base64, &size);
  read_key (der, (long)size, &pem, parent);
  return pem;
}
