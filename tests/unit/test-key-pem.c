/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-pem.h"

#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

#include "ward-envelope-asn1.h"
#include "ward-error.h"

static WardTpmKey *
key_new (const char *type, guint64 parent)
{
  WardTpmKey *key = WardTpmKey_new ();

  ASN1_OBJECT_free (key->type);
  key->type = OBJ_txt2obj (type, 1);
  key->empty_auth = 0xff;
  ASN1_INTEGER_set_uint64 (key->parent, parent);
  ASN1_OCTET_STRING_set (key->public_area, (const guint8 *)"public", 6);
  ASN1_OCTET_STRING_set (key->private_area, (const guint8 *)"private", 7);
  return key;
}

/* key: taken over. */
static char *
print (WardTpmKey *key)
{
  guint8 *der = NULL;
  int size = i2d_WardTpmKey (key, &der);
  BIO *bio = BIO_new (BIO_s_mem ());
  const char *text;
  char *copy;
  long length;

  g_assert_cmpint (PEM_write_bio (bio, "TSS2 PRIVATE KEY", "", der, size), >, 0);
  length = BIO_get_mem_data (bio, &text);
  copy = g_strndup (text, length);
  BIO_free (bio);
  OPENSSL_free (der);
  WardTpmKey_free (key);
  return copy;
}

#define LOADABLE "2.23.133.10.1.3"

/* key: taken over. */
static void
assert_refused (WardTpmKey *key, int code, const char *word)
{
  g_autofree char *text = print (key);
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_key_pem_parse (text, &error));
  g_assert_error (error, WARD_ERROR, code);
  g_assert_nonnull (strstr (error->message, word));
}

/* ssh-tpm-agent writes a comment into it. */
static void
test_description (void)
{
  WardTpmKey *key = key_new (LOADABLE, 0x40000001);
  g_autofree char *text = NULL;
  g_autoptr (WardWrappedKey) read = NULL;
  g_autoptr (GError) error = NULL;

  key->description = ASN1_UTF8STRING_new ();
  ASN1_STRING_set (key->description, "alice@example", -1);
  text = print (key);
  read = ward_key_pem_parse (text, &error);
  g_assert_no_error (error);
  g_assert_cmphex (read->parent, ==, 0x40000001);
  g_assert_false (read->has_auth);
  g_assert_cmpmem (g_bytes_get_data (read->public_area, NULL), g_bytes_get_size (read->public_area), "public", 6);
  g_assert_cmpmem (g_bytes_get_data (read->private_area, NULL), g_bytes_get_size (read->private_area), "private", 7);
}

/* Whether there is an auth value is always said; where another program does not say it there may be one. */
static void
test_empty_auth (void)
{
  WardTpmKey *silent = key_new (LOADABLE, 0x81000001);
  WardTpmKey *with_auth = key_new (LOADABLE, 0x81000001);
  g_autofree char *silent_text = NULL;
  g_autofree char *text = NULL;
  g_autofree char *written = NULL;
  g_autoptr (WardWrappedKey) read = NULL;

  silent->empty_auth = -1;
  with_auth->empty_auth = 0;
  silent_text = print (silent);
  text = print (with_auth);
  read = ward_key_pem_parse (silent_text, NULL);
  g_assert_true (read->has_auth);
  written = ward_key_pem_print (read);
  g_assert_cmpstr (written, ==, text);
}

static void
test_not_ours (void)
{
  WardTpmKey *with_policy = key_new (LOADABLE, 0x81000001);
  WardTpmKey *with_secret = key_new (LOADABLE, 0x81000001);

  assert_refused (key_new ("2.23.133.10.1.5", 0x81000001), WARD_ERROR_NOT_SUPPORTED, "sealed");
  assert_refused (key_new ("2.23.133.10.1.4", 0x81000001), WARD_ERROR_NOT_SUPPORTED, "on its way");
  assert_refused (key_new ("1.2.3.4", 0x81000001), WARD_ERROR_CORRUPT, "nothing of a TPM's");
  assert_refused (key_new (LOADABLE, 0x81000002), WARD_ERROR_NOT_SUPPORTED, "0x81000002");
  assert_refused (key_new (LOADABLE, 0x181000001), WARD_ERROR_CORRUPT, "lies beneath");
  with_policy->policy = sk_ASN1_TYPE_new_null ();
  assert_refused (with_policy, WARD_ERROR_NOT_SUPPORTED, "policy");
  with_secret->secret = ASN1_OCTET_STRING_new ();
  assert_refused (with_secret, WARD_ERROR_CORRUPT, "lies beneath");
}

static void
assert_damaged (const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_key_pem_parse (text, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
}

static void
test_damaged (void)
{
  g_autofree char *text = print (key_new (LOADABLE, 0x81000001));
  g_autofree char *trailing = g_strconcat (text, "x", NULL);
  gsize size = strlen (text);

  for (gsize i = 0; i + 1 < size; i++)
    {
      g_autofree char *part = g_strndup (text, i);

      assert_damaged (part);
    }
  assert_damaged (trailing);
  assert_damaged ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/key-pem/description", test_description);
  g_test_add_func ("/key-pem/empty-auth", test_empty_auth);
  g_test_add_func ("/key-pem/not-ours", test_not_ours);
  g_test_add_func ("/key-pem/damaged", test_damaged);
  return g_test_run ();
}
