/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Public keys, and what is asked of keys before a TPM sees it. */
#include "ward-key-public.h"

#include <glib/gstdio.h>
#include <string.h>

#include "test-key-fixture.h"
#include "ward-error.h"
#include "ward-key-use.h"

static EVP_PKEY *
pkey_new (guint kind)
{
  switch (kind)
    {
    case 0:
      return pkey_new_rsa (2048);
    case 1:
      return pkey_new_rsa (3072);
    case 2:
      return pkey_new_ecc ("P-256");
    default:
      return pkey_new_ecc ("P-384");
    }
}

/* What ssh-keygen says of the public key in path; NULL, and the test skipped, without it. */
static char *
ask_ssh_keygen (const char *option, const char *more, const char *path)
{
  const char *argv[] = { "ssh-keygen", option, more, "-f", path, NULL };
  char *said = NULL;
  int status;

  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, NULL, &status, NULL))
    {
      g_test_skip ("ssh-keygen is not installed");
      return NULL;
    }
  g_assert_true (g_spawn_check_wait_status (status, NULL));
  return said;
}

/* The line is what ssh-keygen makes of the PEM, and its fingerprint what it says. */
static void
test_ssh (void)
{
  g_autofree char *folder = g_dir_make_tmp ("ward-key-public-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "key", NULL);

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (Pkey) pkey = pkey_new (i);
      g_autoptr (GBytes) public_key = pkey_to_public (pkey);
      g_autoptr (GBytes) pem = ward_key_public_print (public_key, "pem", "", NULL);
      g_autoptr (GBytes) line = ward_key_public_print (public_key, "ssh", "alice's key", NULL);
      g_autofree char *fingerprint = ward_key_public_get_fingerprint (public_key);
      g_autofree char *expected = NULL;
      g_autofree char *listed = NULL;
      const char *text = g_bytes_get_data (line, NULL);

      g_assert_true (g_file_set_contents (path, g_bytes_get_data (pem, NULL), (gssize)g_bytes_get_size (pem), NULL));
      expected = ask_ssh_keygen ("-i", "-mPKCS8", path);
      if (!expected)
        break;
      g_strchomp (expected);
      g_assert_cmpint (strncmp (text, expected, strlen (expected)), ==, 0);
      g_assert_cmpmem (text + strlen (expected), g_bytes_get_size (line) - strlen (expected), " alice's key\n", 13);
      g_assert_true (g_file_set_contents (path, text, (gssize)g_bytes_get_size (line), NULL));
      listed = ask_ssh_keygen ("-l", "-q", path);
      g_assert_nonnull (strstr (listed, fingerprint));
    }
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_forms (void)
{
  g_autoptr (Pkey) pkey = pkey_new (2);
  g_autoptr (GBytes) public_key = pkey_to_public (pkey);
  g_autoptr (GBytes) der = ward_key_public_print (public_key, "der", "", NULL);
  g_autoptr (GBytes) junk = g_bytes_new_static ("junk", 4);
  g_autofree char *digits = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, public_key);
  g_autofree char *id = ward_key_public_get_id (public_key);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_bytes_equal (der, public_key));
  g_assert_cmpuint (strlen (id), ==, 32);
  g_assert_true (g_str_has_prefix (digits, id));
  g_assert_null (ward_key_public_print (public_key, "PEM", "", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (ward_key_public_get_fingerprint (junk));
  g_assert_null (ward_key_public_print (junk, "ssh", "", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
}

static void
assert_no_point (const guint8 *bytes, gsize size)
{
  g_autoptr (GBytes) public_key = g_bytes_new (bytes, size);
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_point_parse (public_key, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
}

/* A SubjectPublicKeyInfo of P-256 whose point is at infinity: the one octet 0. */
static const guint8 infinity[] = { 0x30, 0x19, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                   0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x02, 0x00, 0x00 };

static void
test_points (void)
{
  g_autoptr (Pkey) pkey = pkey_new (2);
  g_autoptr (Pkey) rsa = pkey_new (0);
  g_autoptr (Pkey) other_curve = pkey_new_ecc ("P-521");
  g_autoptr (GBytes) public_key = pkey_to_public (pkey);
  g_autoptr (GBytes) rsa_key = pkey_to_public (rsa);
  g_autoptr (GBytes) other_key = pkey_to_public (other_curve);
  g_autoptr (WardPoint) point = ward_point_parse (public_key, NULL);
  gsize size;
  const guint8 *whole = g_bytes_get_data (public_key, &size);
  g_autofree guint8 *bytes = g_malloc0 (size + 1);

  g_assert_cmpstr (point->algorithm, ==, "ecc-p256");
  g_assert_cmpmem (whole + size - 64, 32, g_bytes_get_data (point->x, NULL), g_bytes_get_size (point->x));
  g_assert_cmpmem (whole + size - 32, 32, g_bytes_get_data (point->y, NULL), g_bytes_get_size (point->y));

  memcpy (bytes, whole, size);
  for (gsize i = 0; i < size; i++)
    assert_no_point (bytes, i);
  assert_no_point (bytes, size + 1);
  for (gsize i = size - 64; i < size; i++)
    {
      bytes[i] ^= 1; /* off the curve */
      assert_no_point (bytes, size);
      bytes[i] ^= 1;
    }
  assert_no_point (infinity, sizeof infinity);
  assert_no_point (g_bytes_get_data (rsa_key, NULL), g_bytes_get_size (rsa_key));
  assert_no_point (g_bytes_get_data (other_key, NULL), g_bytes_get_size (other_key));
}

/* A curve told by its numbers may have another generator than the one that it resembles. */
static void
test_explicit_curve (void)
{
  g_autoptr (Pkey) pkey = pkey_new (2);
  g_autoptr (GBytes) public_key = NULL;

  g_assert_true (EVP_PKEY_set_utf8_string_param (pkey, "encoding", "explicit"));
  public_key = pkey_to_public (pkey);
  g_assert_cmpuint (g_bytes_get_size (public_key), >, 200);
  assert_no_point (g_bytes_get_data (public_key, NULL), g_bytes_get_size (public_key));
}

static const WardKeyFacts rsa_signs = { .algorithm = "rsa2048", .usage = WARD_KEY_SIGN };
static const WardKeyFacts rsa_decrypts = { .algorithm = "rsa2048", .usage = WARD_KEY_DECRYPT };
static const WardKeyFacts ecc_signs = { .algorithm = "ecc-p256", .usage = WARD_KEY_SIGN };
static const WardKeyFacts ecc_agrees = { .algorithm = "ecc-p256", .usage = WARD_KEY_AGREE };

static void
assert_not_signed (const WardKeyFacts *facts, const char *scheme, const char *hash, gsize size, const char *word)
{
  g_autofree guint8 *bytes = g_malloc0 (size + 1);
  g_autoptr (GBytes) digest = g_bytes_new (bytes, size);
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_signing_new (facts, scheme, hash, digest, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_impossible_signatures (void)
{
  assert_not_signed (&rsa_signs, "RSASSA", "sha256", 32, "no signature scheme");
  assert_not_signed (&rsa_signs, "oaep", "sha256", 32, "no signature scheme");
  assert_not_signed (&rsa_signs, NULL, "md5", 16, "no hash");
  assert_not_signed (&rsa_signs, NULL, "sha256", 31, "32 bytes");
  assert_not_signed (&rsa_signs, NULL, "sha256", 33, "32 bytes");
  assert_not_signed (&rsa_signs, NULL, "sha512", 0, "64 bytes");
  assert_not_signed (&rsa_signs, "ecdsa", "sha256", 32, "other kind");
  assert_not_signed (&ecc_signs, "rsapss", "sha256", 32, "other kind");
  assert_not_signed (&rsa_signs, "rsapss", "none", 32, "“none”");
  assert_not_signed (&rsa_signs, NULL, "none", 32, "DigestInfo");
  assert_not_signed (&ecc_signs, NULL, "none", 31, "20, 32, 48 or 64");
  assert_not_signed (&rsa_decrypts, NULL, "sha256", 32, "not made to sign");
  assert_not_signed (&ecc_agrees, NULL, "sha256", 32, "not made to sign");
}

static void
assert_not_decrypted (const WardKeyFacts *facts, const char *scheme, const char *hash, const char *label, gsize size,
                      const char *word)
{
  g_autofree guint8 *bytes = g_malloc0 (size + 1);
  g_autoptr (GBytes) ciphertext = g_bytes_new (bytes, size);
  g_autoptr (GBytes) label_bytes = g_bytes_new (label ? label : "", label ? strlen (label) : 0);
  g_autoptr (GError) error = NULL;

  g_assert_null (ward_decryption_new (facts, scheme, hash, label ? label_bytes : NULL, ciphertext, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_impossible_decryptions (void)
{
  g_autofree char *long_label = g_strnfill (WARD_MAX_LABEL_SIZE + 1, 'x');

  assert_not_decrypted (&rsa_decrypts, "rsassa", NULL, NULL, 256, "no scheme");
  assert_not_decrypted (&rsa_decrypts, NULL, "md5", NULL, 256, "no hash");
  assert_not_decrypted (&rsa_decrypts, "rsaes", "sha256", NULL, 256, "neither");
  assert_not_decrypted (&rsa_decrypts, NULL, NULL, "abc", 256, "zero byte");
  assert_not_decrypted (&rsa_decrypts, NULL, NULL, "", 256, "1 to 64");
  assert_not_decrypted (&rsa_decrypts, NULL, NULL, long_label, 256, "1 to 64");
  assert_not_decrypted (&rsa_decrypts, NULL, NULL, NULL, 255, "256 bytes");
  assert_not_decrypted (&rsa_decrypts, NULL, NULL, NULL, 257, "256 bytes");
  assert_not_decrypted (&rsa_decrypts, NULL, NULL, NULL, 0, "256 bytes");
  assert_not_decrypted (&rsa_signs, NULL, NULL, NULL, 256, "not made to decrypt");
  assert_not_decrypted (&ecc_agrees, NULL, NULL, NULL, 32, "not made to decrypt");
}

static void
test_impossible_agreements (void)
{
  g_autoptr (Pkey) larger = pkey_new (3);
  g_autoptr (GBytes) larger_key = pkey_to_public (larger);
  g_autoptr (WardPoint) point = ward_point_parse (larger_key, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (ward_agreement_check (&ecc_agrees, point, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (ward_agreement_check (&rsa_decrypts, point, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/key-public/ssh", test_ssh);
  g_test_add_func ("/key-public/forms", test_forms);
  g_test_add_func ("/key-public/points", test_points);
  g_test_add_func ("/key-public/explicit-curve", test_explicit_curve);
  g_test_add_func ("/key-public/impossible-signatures", test_impossible_signatures);
  g_test_add_func ("/key-public/impossible-decryptions", test_impossible_decryptions);
  g_test_add_func ("/key-public/impossible-agreements", test_impossible_agreements);
  return g_test_run ();
}
