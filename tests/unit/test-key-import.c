/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-import.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "test-key-fixture.h"
#include "ward-error.h"

static WardKeyImport *
parse_with (WardSecret *data, const char *passphrase, GError **error)
{
  g_autoptr (WardSecret) secret = ward_secret_new_from (passphrase ? passphrase : "",
                                                        passphrase ? strlen (passphrase) : 0);

  return ward_key_import_parse (data, passphrase ? secret : NULL, error);
}

static WardSecret *
text_secret (const char *text)
{
  return ward_secret_new_from (text, strlen (text));
}

static WardSecret *
take_bio (BIO *bio)
{
  const char *text;
  long size = BIO_get_mem_data (bio, &text);
  WardSecret *secret = ward_secret_new_from (text, size);

  BIO_free (bio);
  return secret;
}

/* Whether the number is what the pair has in secret. */
static void
assert_is (const WardKeyPair *pair, EVP_PKEY *pkey, const char *algorithm)
{
  gboolean is_rsa = EVP_PKEY_is_a (pkey, "RSA");
  BIGNUM *number = NULL;
  guint8 bytes[512];
  gsize size = ward_secret_get_size (pair->secret);

  g_assert_cmpstr (pair->algorithm, ==, algorithm);
  g_assert_true (EVP_PKEY_get_bn_param (pkey, is_rsa ? "rsa-factor1" : "priv", &number));
  g_assert_cmpint (BN_bn2binpad (number, bytes, (int)size), ==, size);
  g_assert_cmpmem (ward_secret_get_data (pair->secret), size, bytes, size);
  g_assert_true ((pair->modulus != NULL) == is_rsa && (pair->x != NULL) == !is_rsa);
  BN_free (number);
}

static void
assert_parses (WardSecret *data, const char *passphrase, EVP_PKEY *pkey, const char *algorithm)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKeyImport) import = parse_with (data, passphrase, &error);

  g_assert_no_error (error);
  g_assert_null (import->wrapped);
  assert_is (import->pair, pkey, algorithm);
}

static void
assert_refused (WardSecret *data, const char *passphrase, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (parse_with (data, passphrase, &error));
  g_assert_error (error, WARD_ERROR, code);
  if (word)
    g_assert_nonnull (strstr (error->message, word));
}

/* PKCS #1 or SEC 1, whichever it has. cipher: NULL for plain. */
static WardSecret *
to_traditional (EVP_PKEY *pkey, const EVP_CIPHER *cipher, const char *passphrase)
{
  BIO *bio = BIO_new (BIO_s_mem ());

  g_assert_true (PEM_write_bio_PrivateKey_traditional (bio, pkey, cipher, (const guint8 *)passphrase,
                                                       passphrase ? (int)strlen (passphrase) : 0, NULL, NULL));
  return take_bio (bio);
}

static WardSecret *
to_der (EVP_PKEY *pkey, gboolean traditional)
{
  BIO *bio = BIO_new (BIO_s_mem ());
  guint8 *der = NULL;
  int size;

  if (!traditional)
    {
      g_assert_true (i2d_PKCS8PrivateKey_bio (bio, pkey, NULL, NULL, 0, NULL, NULL));
      return take_bio (bio);
    }
  size = i2d_PrivateKey (pkey, &der);
  BIO_write (bio, der, size);
  OPENSSL_free (der);
  return take_bio (bio);
}

/* nid: of the way, -1 for PKCS #5's second. */
static WardSecret *
to_encrypted (EVP_PKEY *pkey, const char *passphrase, int nid, int iterations, gboolean as_der)
{
  PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8 (pkey);
  X509_SIG *encrypted = PKCS8_encrypt (nid, nid == -1 ? EVP_aes_256_cbc () : NULL, passphrase, (int)strlen (passphrase),
                                       NULL, 0, iterations, info);
  BIO *bio = BIO_new (BIO_s_mem ());

  g_assert_nonnull (encrypted);
  g_assert_true (as_der ? i2d_PKCS8_bio (bio, encrypted) : PEM_write_bio_PKCS8 (bio, encrypted));
  X509_SIG_free (encrypted);
  PKCS8_PRIV_KEY_INFO_free (info);
  return take_bio (bio);
}

typedef struct
{
  EVP_PKEY *pkeys[3];
} Fixture;

static const char *const algorithms[] = { "rsa2048", "ecc-p256", "ecc-p384" };

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->pkeys[0] = pkey_new_rsa (2048);
  fixture->pkeys[1] = pkey_new_ecc ("P-256");
  fixture->pkeys[2] = pkey_new_ecc ("P-384");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (fixture->pkeys); i++)
    EVP_PKEY_free (fixture->pkeys[i]);
}

static void
test_forms (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (fixture->pkeys); i++)
    {
      EVP_PKEY *pkey = fixture->pkeys[i];
      g_autoptr (WardSecret) pkcs8 = pkey_to_pem (pkey);
      g_autoptr (WardSecret) traditional = to_traditional (pkey, NULL, NULL);
      g_autoptr (WardSecret) pkcs8_der = to_der (pkey, FALSE);
      g_autoptr (WardSecret) traditional_der = to_der (pkey, TRUE);

      assert_parses (pkcs8, NULL, pkey, algorithms[i]);
      assert_parses (traditional, NULL, pkey, algorithms[i]);
      assert_parses (pkcs8_der, NULL, pkey, algorithms[i]);
      assert_parses (traditional_der, NULL, pkey, algorithms[i]);
    }
}

static void
test_encrypted (Fixture *fixture, gconstpointer data)
{
  static const int ways[] = { -1, NID_pbe_WithSHA1And3_Key_TripleDES_CBC };

  for (guint i = 0; i < G_N_ELEMENTS (fixture->pkeys); i++)
    {
      EVP_PKEY *pkey = fixture->pkeys[i];
      g_autoptr (WardSecret) traditional = to_traditional (pkey, EVP_aes_128_cbc (), "open sesame");

      for (guint j = 0; j < 2 * G_N_ELEMENTS (ways); j++)
        {
          g_autoptr (WardSecret) encrypted = to_encrypted (pkey, "open sesame", ways[j / 2], 2048, j % 2);

          assert_parses (encrypted, "open sesame", pkey, algorithms[i]);
          assert_refused (encrypted, "close sesame", WARD_ERROR_INVALID_ARGUMENT, "passphrase is wrong");
          assert_refused (encrypted, NULL, WARD_ERROR_INVALID_ARGUMENT, "“passphrase”");
        }
      assert_parses (traditional, "open sesame", pkey, algorithms[i]);
      for (guint j = 0; j < 1000; j++)
        {
          g_autofree char *wrong = g_strdup_printf ("close sesame %u", j);

          /* that of one in 256 has the form of padding */
          assert_refused (traditional, wrong, WARD_ERROR_INVALID_ARGUMENT, "passphrase is wrong");
        }
      assert_refused (traditional, NULL, WARD_ERROR_INVALID_ARGUMENT, "“passphrase”");
    }
}

/* A stranger's key does not keep the service busy for hours: it is refused before anything is computed. */
static void
test_endless_stretching (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardSecret) encrypted = to_encrypted (fixture->pkeys[1], "p", -1, 0x10000, TRUE);
  guint8 *at = memmem (ward_secret_get_data (encrypted), ward_secret_get_size (encrypted), "\x02\x03\x01\x00\x00", 5);

  g_assert_nonnull (at);
  at[2] = 0x7f; /* 8 million and more */
  assert_refused (encrypted, "p", WARD_ERROR_NOT_SUPPORTED, "too long");
}

static void
test_other_kinds (Fixture *fixture, gconstpointer data)
{
  EVP_PKEY *pkeys[] = { pkey_new_rsa (512), pkey_new_rsa (4096), pkey_new_ecc ("P-521"), pkey_new_ecc ("secp256k1"),
                        EVP_PKEY_Q_keygen (NULL, NULL, "ED25519") };

  for (guint i = 0; i < G_N_ELEMENTS (pkeys); i++)
    {
      g_autoptr (WardSecret) pem = pkey_to_pem (pkeys[i]);

      assert_refused (pem, NULL, WARD_ERROR_NOT_SUPPORTED, NULL);
      EVP_PKEY_free (pkeys[i]);
    }
}

/* One number of DER. */
static void
append_number (GByteArray *der, gsize size, guint8 first)
{
  const guint8 header[] = { 0x02, 0x82, size >> 8, size & 0xff, first };
  gsize from = der->len + sizeof header;

  g_byte_array_append (der, header, sizeof header);
  g_byte_array_set_size (der, from + size - 1);
  memset (der->data + from, 0xa5, size - 1);
}

static void
prepend_header (GByteArray *der, guint8 tag)
{
  const guint8 header[] = { tag, 0x82, der->len >> 8, der->len & 0xff };

  g_byte_array_prepend (der, header, sizeof header);
}

/* A DSA key in PKCS #8 comes without its public half. OpenSSL computes it as it reads the key: of 64,000 bits, which
 * fit, in minutes. */
static void
test_endless_arithmetic (Fixture *fixture, gconstpointer data)
{
  static const guint8 version[] = { 0x02, 0x01, 0x00 },
                      dsa[] = { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01 };
  g_autoptr (GByteArray) numbers = g_byte_array_new ();
  g_autoptr (GByteArray) secret = g_byte_array_new ();
  g_autoptr (WardSecret) der = NULL;
  gint64 begun = g_get_monotonic_time ();

  append_number (numbers, 7900, 0x7f);
  append_number (numbers, 20, 0x7f);
  append_number (numbers, 20, 0x02);
  prepend_header (numbers, 0x30);
  g_byte_array_prepend (numbers, dsa, sizeof dsa);
  prepend_header (numbers, 0x30);
  g_byte_array_prepend (numbers, version, sizeof version);
  append_number (secret, 7900, 0x7f);
  prepend_header (secret, 0x04);
  g_byte_array_append (numbers, secret->data, secret->len);
  prepend_header (numbers, 0x30);
  der = ward_secret_new_from (numbers->data, numbers->len);
  assert_refused (der, NULL, WARD_ERROR_NOT_SUPPORTED, "another kind");
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 5 * G_USEC_PER_SEC);
}

/* PKCS #1 with numbers that are none of a key: they are not computed with before their length is known to fit. */
static void
test_huge_rsa (Fixture *fixture, gconstpointer data)
{
  static const guint8 start[] = { 0x02, 0x01, 0x00 };
  static const gsize modulus_sizes[] = { 2048, 14000 };

  for (guint i = 0; i < G_N_ELEMENTS (modulus_sizes); i++)
    {
      g_autoptr (GByteArray) numbers = g_byte_array_new ();
      g_autoptr (WardSecret) der = NULL;

      g_byte_array_append (numbers, start, sizeof start);
      append_number (numbers, modulus_sizes[i], 0x7f);
      for (guint j = 0; j < 7; j++)
        append_number (numbers, 256, 0x7f);
      prepend_header (numbers, 0x30);
      der = ward_secret_new_from (numbers->data, numbers->len);
      assert_refused (der, NULL, WARD_ERROR_NOT_SUPPORTED, "bits");
    }
}

/* A bit of each byte: another key never comes of it. */
static void
test_changed (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 2 * G_N_ELEMENTS (fixture->pkeys); i++)
    {
      EVP_PKEY *pkey = fixture->pkeys[i / 2];
      g_autoptr (WardSecret) der = to_der (pkey, i % 2);
      guint8 *bytes = ward_secret_get_data (der);

      for (gsize j = 0; j < ward_secret_get_size (der); j++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (WardKeyImport) import = NULL;

          bytes[j] ^= 1 << j % 8;
          import = parse_with (der, NULL, &error);
          bytes[j] ^= 1 << j % 8;
          if (import)
            assert_is (import->pair, pkey, algorithms[i / 2]);
          else if (!g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED))
            g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
        }
    }
}

static void
test_truncated (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (fixture->pkeys); i++)
    {
      g_autoptr (WardSecret) der = to_der (fixture->pkeys[i], i % 2);
      g_autoptr (WardSecret) pem = pkey_to_pem (fixture->pkeys[i]);

      for (gsize j = 0; j < ward_secret_get_size (der); j++)
        {
          g_autoptr (WardSecret) part = ward_secret_new_from (ward_secret_get_data (der), j);

          assert_refused (part, NULL, WARD_ERROR_INVALID_ARGUMENT, NULL);
        }
      /* what is missing at the very end is the last line's end, which nobody needs */
      for (gsize j = 0; j + 1 < ward_secret_get_size (pem); j++)
        {
          g_autoptr (WardSecret) part = ward_secret_new_from (ward_secret_get_data (pem), j);

          assert_refused (part, NULL, WARD_ERROR_INVALID_ARGUMENT, NULL);
        }
    }
}

static void
test_junk (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardSecret) pem = pkey_to_pem (fixture->pkeys[1]);
  g_autofree char *text = g_strndup ((const char *)ward_secret_get_data (pem), ward_secret_get_size (pem));
  g_autofree char *trailing = g_strconcat (text, "more", NULL);
  g_autofree char *leading = g_strconcat ("some\n", text, NULL);
  g_autofree char *twice = g_strconcat (text, text, NULL);
  g_autofree char *spaced = g_strconcat ("\n  ", text, "\n\n", NULL);
  const char *bad[] = { trailing,
                        leading,
                        twice,
                        "",
                        "-----BEGIN PRIVATE KEY-----\n",
                        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" };
  g_autoptr (WardSecret) fine = text_secret (spaced);
  g_autoptr (WardSecret) huge = ward_secret_new (WARD_MAX_IMPORT_SIZE + 1);
  g_autoptr (WardSecret) der = to_der (fixture->pkeys[1], FALSE);
  g_autoptr (WardSecret) longer = ward_secret_new (ward_secret_get_size (der) + 1);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (WardSecret) secret = text_secret (bad[i]);

      assert_refused (secret, NULL, WARD_ERROR_INVALID_ARGUMENT, NULL);
    }
  assert_parses (fine, NULL, fixture->pkeys[1], "ecc-p256");
  assert_refused (huge, NULL, WARD_ERROR_INVALID_ARGUMENT, NULL);
  memcpy (ward_secret_get_data (longer), ward_secret_get_data (der), ward_secret_get_size (der));
  assert_refused (longer, NULL, WARD_ERROR_INVALID_ARGUMENT, NULL);
}

/* Sequences in sequences, as deep as they may be long. */
static void
test_bomb (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardSecret) bomb = ward_secret_new (16 * 1024);
  guint8 *bytes = ward_secret_get_data (bomb);

  for (gsize i = 0; i < 16 * 1024; i += 4)
    {
      gsize left = 16 * 1024 - i - 4;

      bytes[i] = 0x30;
      bytes[i + 1] = 0x82;
      bytes[i + 2] = left >> 8;
      bytes[i + 3] = left & 0xff;
    }
  assert_refused (bomb, NULL, WARD_ERROR_INVALID_ARGUMENT, NULL);
}

/* What says that it is long, or does not say how long it is. */
static void
test_false_lengths (Fixture *fixture, gconstpointer data)
{
  static const guint8 lengths[][6] = { { 0x30, 0x84, 0xff, 0xff, 0xff, 0xff },
                                       { 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff },
                                       { 0x30, 0x80, 0x30, 0x80, 0x30, 0x80 },
                                       { 0x30, 0xff, 0xff, 0xff, 0xff, 0xff } };
  g_autoptr (WardSecret) der = to_der (fixture->pkeys[0], FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      memcpy (ward_secret_get_data (der), lengths[i], sizeof lengths[i]);
      assert_refused (der, NULL, WARD_ERROR_INVALID_ARGUMENT, NULL);
    }
}

/* By ssh-keygen, or skipped. */
static WardSecret *
ssh_keygen (const char *type, const char *bits, const char *passphrase)
{
  g_autofree char *folder = g_dir_make_tmp ("ward-key-import-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "key", NULL);
  g_autofree char *public_path = g_strconcat (path, ".pub", NULL);
  g_autofree char *text = NULL;
  const char *argv[] = { "ssh-keygen", "-q", "-t",        type, "-b", bits, "-N",
                         passphrase,   "-C", "a comment", "-f", path, NULL };
  int status;
  gsize size = 0;

  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL))
    {
      g_rmdir (folder);
      g_test_skip ("ssh-keygen is not installed");
      return NULL;
    }
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  g_assert_true (g_file_get_contents (path, &text, &size, NULL));
  g_unlink (path);
  g_unlink (public_path);
  g_rmdir (folder);
  return ward_secret_new_from (text, size);
}

static void
test_openssh (void)
{
  static const char *const kinds[][3] = { { "rsa", "2048", "rsa2048" },
                                          { "rsa", "3072", "rsa3072" },
                                          { "ecdsa", "256", "ecc-p256" },
                                          { "ecdsa", "384", "ecc-p384" } };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (WardSecret) key = ssh_keygen (kinds[i][0], kinds[i][1], "");
      g_autoptr (WardSecret) encrypted = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (WardKeyImport) import = NULL;

      if (!key)
        return;
      import = parse_with (key, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (import->pair->algorithm, ==, kinds[i][2]);
      encrypted = ssh_keygen (kinds[i][0], kinds[i][1], "open sesame");
      assert_refused (encrypted, "open sesame", WARD_ERROR_NOT_SUPPORTED, "ssh-keygen -p");
    }
}

static void
test_openssh_other_kinds (void)
{
  g_autoptr (WardSecret) ed25519 = ssh_keygen ("ed25519", "256", "");
  g_autoptr (WardSecret) p521 = ed25519 ? ssh_keygen ("ecdsa", "521", "") : NULL;
  g_autoptr (WardSecret) long_rsa = ed25519 ? ssh_keygen ("rsa", "1024", "") : NULL;

  if (!ed25519)
    return;
  assert_refused (ed25519, NULL, WARD_ERROR_NOT_SUPPORTED, NULL);
  assert_refused (p521, NULL, WARD_ERROR_NOT_SUPPORTED, NULL);
  assert_refused (long_rsa, NULL, WARD_ERROR_NOT_SUPPORTED, NULL);
}

/* The container of OpenSSH's is our own to read: at every length, and with every byte changed. */
static void
test_openssh_damaged (void)
{
  g_autoptr (WardSecret) key = ssh_keygen ("ecdsa", "256", "");
  g_autofree char *label = NULL;
  g_autoptr (WardSecret) whole = key ? ward_key_import_read_pem (key, NULL, &label, NULL) : NULL;
  gsize size = whole ? ward_secret_get_size (whole) : 0;

  if (size == 0)
    return;
  for (gsize i = 0; i < 2 * size; i++)
    {
      BIO *bio = BIO_new (BIO_s_mem ());
      g_autofree guint8 *changed = g_memdup2 (ward_secret_get_data (whole), size);
      g_autoptr (WardSecret) text = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (WardKeyImport) import = NULL;

      changed[i % size] ^= i < size ? 0x80 : 0;
      g_assert_true (PEM_write_bio (bio, label, "", changed, i < size ? (long)size : (long)(i - size)) > 0
                     || i == size);
      text = take_bio (bio);
      import = parse_with (text, NULL, &error);
      /* what the private half does not depend on may change */
      if (import)
        g_assert_cmpuint (i, <, size);
      else if (!g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED))
        g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
    }
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/key-import/forms", test_forms);
  ADD ("/key-import/encrypted", test_encrypted);
  ADD ("/key-import/endless-stretching", test_endless_stretching);
  ADD ("/key-import/other-kinds", test_other_kinds);
  ADD ("/key-import/endless-arithmetic", test_endless_arithmetic);
  ADD ("/key-import/huge-rsa", test_huge_rsa);
  ADD ("/key-import/truncated", test_truncated);
  ADD ("/key-import/changed", test_changed);
  ADD ("/key-import/junk", test_junk);
  ADD ("/key-import/bomb", test_bomb);
  ADD ("/key-import/false-lengths", test_false_lengths);
  g_test_add_func ("/key-import/openssh", test_openssh);
  g_test_add_func ("/key-import/openssh-other-kinds", test_openssh_other_kinds);
  g_test_add_func ("/key-import/openssh-damaged", test_openssh_damaged);
  return g_test_run ();
}
