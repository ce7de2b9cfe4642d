/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keys do, beside what OpenSSL makes of it. */
#include "test-tpm2-key-fixture.h"

#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

static const char *const hashes[] = { "sha1", "sha256", "sha384", "sha512" };

static void
assert_signs_by (WardConnection *connection, const WardWrappedKey *key, const char *scheme, const char *hash)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) signature = key_sign (connection, key, NULL, scheme, hash, &error);
  g_autoptr (GBytes) public_key = key_get_public (key);
  g_autoptr (GBytes) digest = digest_of (hash, "sign me");

  g_assert_no_error (error);
  g_assert_true (pkey_verify (public_key, hash, g_str_equal (scheme, "rsapss"), digest, signature));
}

static void
test_signatures (void)
{
  static const struct
  {
    const char *algorithm;
    const char *scheme;
  } cases[] = {
    { "rsa2048", "rsassa" }, { "rsa2048", "rsapss" }, { "rsa3072", "rsassa" },
    { "rsa3072", "rsapss" }, { "ecc-p256", "ecdsa" }, { "ecc-p384", "ecdsa" },
  };
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WardWrappedKey) key = key_create (connection, cases[i].algorithm, WARD_KEY_SIGN, NULL);

      for (guint j = 0; j < G_N_ELEMENTS (hashes); j++)
        assert_signs_by (connection, key, cases[i].scheme, hashes[j]);
    }
}

static GBytes *
sign_unhashed (WardConnection *connection, const WardWrappedKey *key, GBytes *data, GError **error)
{
  WardKeyAuths none = { 0 };
  g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, NULL);
  g_autoptr (WardSigning) signing = ward_signing_new (facts, NULL, "none", data, error);

  return signing ? ward_tpm2_backend.sign (connection, key, &none, signing, error) : NULL;
}

/* RFC 8017, 9.2. */
static GBytes *
digest_info_of (const char *hash, GBytes *digest)
{
  X509_SIG *info = X509_SIG_new ();
  X509_ALGOR *algorithm;
  ASN1_OCTET_STRING *octets;
  guint8 *der = NULL;
  int size;
  GBytes *bytes;

  X509_SIG_getm (info, &algorithm, &octets);
  X509_ALGOR_set0 (algorithm, OBJ_txt2obj (hash, 0), V_ASN1_NULL, NULL);
  ASN1_OCTET_STRING_set (octets, g_bytes_get_data (digest, NULL), (int)g_bytes_get_size (digest));
  size = i2d_X509_SIG (info, &der);
  bytes = g_bytes_new (der, size);
  OPENSSL_free (der);
  X509_SIG_free (info);
  return bytes;
}

/* The caller has made a DigestInfo, as OpenSSH's agents and PKCS #11 do. */
static void
test_digest_info (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (GBytes) public_key = NULL;
  WITH_TPM;

  key = key_create (connection, "rsa2048", WARD_KEY_SIGN, NULL);
  public_key = key_get_public (key);
  for (guint i = 0; i < G_N_ELEMENTS (hashes); i++)
    {
      g_autoptr (GBytes) digest = digest_of (hashes[i], "sign me");
      g_autoptr (GBytes) info = digest_info_of (hashes[i], digest);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) signature = sign_unhashed (connection, key, info, &error);

      g_assert_no_error (error);
      g_assert_true (pkey_verify (public_key, hashes[i], FALSE, digest, signature));
    }
}

/* A hash that no TPM is asked for goes by the right to decrypt. */
static void
test_unknown_hash (void)
{
  g_autoptr (WardWrappedKey) signs = NULL;
  g_autoptr (WardWrappedKey) does_both = NULL;
  g_autoptr (GBytes) public_key = NULL;
  g_autoptr (GBytes) digest = digest_of ("sha224", "sign me");
  g_autoptr (GBytes) info = digest_info_of ("sha224", digest);
  g_autoptr (GBytes) signature = NULL;
  g_autoptr (GError) error = NULL;
  WITH_TPM;

  signs = key_create (connection, "rsa2048", WARD_KEY_SIGN, NULL);
  g_assert_null (sign_unhashed (connection, signs, info, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  does_both = key_create (connection, "rsa2048", WARD_KEY_SIGN | WARD_KEY_DECRYPT, NULL);
  signature = sign_unhashed (connection, does_both, info, &error);
  g_assert_no_error (error);
  public_key = key_get_public (does_both);
  g_assert_true (pkey_verify (public_key, "sha224", FALSE, digest, signature));
}

static void
test_bare_digests (void)
{
  static const char *const curves[] = { "ecc-p256", "ecc-p384" };
  WITH_TPM;

  for (guint i = 0; i < 2 * G_N_ELEMENTS (hashes); i++)
    {
      const char *hash = hashes[i % G_N_ELEMENTS (hashes)];
      g_autoptr (WardWrappedKey) key = key_create (connection, curves[i / G_N_ELEMENTS (hashes)], WARD_KEY_SIGN, NULL);
      g_autoptr (GBytes) public_key = key_get_public (key);
      g_autoptr (GBytes) digest = digest_of (hash, "sign me");
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) signature = sign_unhashed (connection, key, digest, &error);

      g_assert_no_error (error);
      g_assert_true (pkey_verify (public_key, hash, FALSE, digest, signature));
    }
}

static void
assert_decrypts (WardConnection *connection, const WardWrappedKey *key, const char *auth, const char *hash,
                 GBytes *label, const char *text)
{
  g_autoptr (GBytes) public_key = key_get_public (key);
  g_autoptr (GBytes) ciphertext = pkey_encrypt (public_key, hash, label, text);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = key_decrypt (connection, key, auth, hash ? "oaep" : "rsaes", hash, label, ciphertext,
                                             &error);

  g_assert_no_error (error);
  g_assert_cmpmem (ward_secret_get_data (data), ward_secret_get_size (data), text, strlen (text));
}

static void
test_decryption (void)
{
  static const char *const algorithms[] = { "rsa2048", "rsa3072" };
  g_autoptr (GBytes) label = g_bytes_new_static ("a label", sizeof "a label");
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      g_autoptr (WardWrappedKey) key = key_create (connection, algorithms[i], WARD_KEY_DECRYPT, i ? "right" : NULL);
      const char *auth = i ? "right" : NULL;

      assert_decrypts (connection, key, auth, NULL, NULL, "for you alone");
      assert_decrypts (connection, key, auth, NULL, NULL, "");
      for (guint j = 0; j < G_N_ELEMENTS (hashes); j++)
        {
          assert_decrypts (connection, key, auth, hashes[j], NULL, "for you alone");
          assert_decrypts (connection, key, auth, hashes[j], label, "for you alone");
        }
    }
}

static void
assert_does_not_decrypt (WardConnection *connection, const WardWrappedKey *key, const char *scheme, GBytes *ciphertext)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (key_decrypt (connection, key, NULL, scheme, NULL, NULL, ciphertext, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
}

/* The chip says the same as if it were broken: it is asked what it says of itself. */
static void
test_tampered_ciphertext (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (GBytes) public_key = NULL;
  g_autofree guint8 *bytes = g_malloc (256);
  g_autoptr (GBytes) label = g_bytes_new_static ("other", sizeof "other");
  g_autoptr (GBytes) labelled = NULL;
  g_autoptr (WardTestResult) result = NULL;
  WITH_TPM;

  key = key_create (connection, "rsa2048", WARD_KEY_DECRYPT, NULL);
  public_key = key_get_public (key);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) whole = pkey_encrypt (public_key, i ? "sha256" : NULL, NULL, "for you alone");
      g_autoptr (GBytes) changed = NULL;
      g_autoptr (GBytes) largest = NULL;

      memcpy (bytes, g_bytes_get_data (whole, NULL), 256);
      bytes[200] ^= 1;
      changed = g_bytes_new (bytes, 256);
      assert_does_not_decrypt (connection, key, i ? "oaep" : "rsaes", changed);
      memset (bytes, 0xff, 256);
      largest = g_bytes_new (bytes, 256);
      assert_does_not_decrypt (connection, key, i ? "oaep" : "rsaes", largest);
    }
  labelled = pkey_encrypt (public_key, "sha256", label, "for you alone");
  assert_does_not_decrypt (connection, key, "oaep", labelled);
  result = ward_tpm2_backend.get_test_result (connection, NULL);
  g_assert_true (result->passed);
  assert_decrypts (connection, key, NULL, "sha256", NULL, "for you alone");
}

static void
test_agreement (void)
{
  static const char *const curves[] = { "ecc-p256", "ecc-p384" };
  static const char *const groups[] = { "P-256", "P-384" };
  WITH_TPM;

  for (guint i = 0; i < 2 * G_N_ELEMENTS (curves); i++)
    {
      g_autoptr (WardWrappedKey) key = key_create (connection, curves[i / 2], WARD_KEY_AGREE, i % 2 ? "right" : NULL);
      g_autoptr (Pkey) peer = pkey_new_ecc (groups[i / 2]);
      g_autoptr (GBytes) peer_public = pkey_to_public (peer);
      g_autoptr (GBytes) public_key = key_get_public (key);
      g_autoptr (GBytes) expected = pkey_derive (peer, public_key);
      g_autoptr (GError) error = NULL;
      g_autoptr (WardSecret) agreed = key_agree (connection, key, i % 2 ? "right" : NULL, peer_public, &error);

      g_assert_no_error (error);
      g_assert_cmpmem (ward_secret_get_data (agreed), ward_secret_get_size (agreed), g_bytes_get_data (expected, NULL),
                       g_bytes_get_size (expected));
    }
}

/* What was imported decrypts and agrees as it did outside. */
static void
test_imported (void)
{
  g_autoptr (Pkey) rsa = pkey_new_rsa (2048);
  g_autoptr (Pkey) ecc = pkey_new_ecc ("P-256");
  g_autoptr (Pkey) peer = pkey_new_ecc ("P-256");
  g_autoptr (GBytes) peer_public = pkey_to_public (peer);
  g_autoptr (GBytes) expected = pkey_derive (ecc, peer_public);
  g_autoptr (WardWrappedKey) decrypts = NULL;
  g_autoptr (WardWrappedKey) agrees = NULL;
  g_autoptr (WardSecret) agreed = NULL;
  WITH_TPM;

  decrypts = key_import (connection, rsa, WARD_KEY_SIGN | WARD_KEY_DECRYPT, "right", FALSE);
  assert_decrypts (connection, decrypts, "right", "sha256", NULL, "for you alone");
  agrees = key_import (connection, ecc, WARD_KEY_SIGN | WARD_KEY_AGREE, NULL, TRUE);
  agreed = key_agree (connection, agrees, NULL, peer_public, NULL);
  g_assert_cmpmem (ward_secret_get_data (agreed), ward_secret_get_size (agreed), g_bytes_get_data (expected, NULL),
                   g_bytes_get_size (expected));
}

/* What the eavesdropper looks for. */
#define AUTH_MARK "an-auth-to-be-kept"
#define DATA_MARK "data-that-nobody-shall-see-on-the-way"

static guint8 secret_mark[32]; /* a private scalar, or an agreed x */

static gboolean
has_any (const guint8 *bytes, gsize size)
{
  return memmem (bytes, size, AUTH_MARK, strlen (AUTH_MARK)) || memmem (bytes, size, DATA_MARK, strlen (DATA_MARK))
         || memmem (bytes, size, secret_mark, sizeof secret_mark);
}

static Reply *
listen (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  g_assert_false (has_any (bytes, size));
  middleman->seen += command == TPM2_CC_RSA_Decrypt || command == TPM2_CC_Import || command == TPM2_CC_ECDH_ZGen
                     || command == TPM2_CC_ObjectChangeAuth;
  middleman->limit += command == TPM2_CC_StartAuthSession;
  return NULL;
}

static void
listen_back (Middleman *middleman, guint32 command, GByteArray *reply)
{
  g_assert_false (has_any (reply->data, reply->len));
}

static Middleman *
listener_new (Swtpm *swtpm)
{
  Middleman *middleman = middleman_new (swtpm->transport);

  middleman->answer = listen;
  middleman->change = listen_back;
  memset (secret_mark, 0xee, sizeof secret_mark);
  return middleman;
}

static void
mark_scalar (EVP_PKEY *pkey)
{
  BIGNUM *scalar = NULL;

  g_assert_true (EVP_PKEY_get_bn_param (pkey, "priv", &scalar));
  BN_bn2binpad (scalar, secret_mark, sizeof secret_mark);
  BN_free (scalar);
}

static void
test_nothing_on_the_wire (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (Pkey) ecc = pkey_new_ecc ("P-256");
  g_autoptr (Pkey) peer = pkey_new_ecc ("P-256");
  g_autoptr (GBytes) peer_public = pkey_to_public (peer);
  g_autoptr (GBytes) product = pkey_derive (ecc, peer_public);
  g_autoptr (WardWrappedKey) imported = NULL;
  g_autoptr (WardWrappedKey) decrypts = NULL;
  g_autoptr (WardWrappedKey) changed = NULL;
  g_autoptr (WardSecret) agreed = NULL;

  if (!swtpm)
    return;
  middleman = listener_new (swtpm);
  connection = middleman_connect (middleman);
  mark_scalar (ecc);
  imported = key_import (connection, ecc, WARD_KEY_SIGN | WARD_KEY_AGREE, AUTH_MARK, FALSE);
  assert_signs (connection, imported, AUTH_MARK);
  memcpy (secret_mark, g_bytes_get_data (product, NULL), sizeof secret_mark);
  agreed = key_agree (connection, imported, AUTH_MARK, peer_public, NULL);
  g_assert_cmpmem (ward_secret_get_data (agreed), ward_secret_get_size (agreed), secret_mark, sizeof secret_mark);
  decrypts = key_create (connection, "rsa2048", WARD_KEY_DECRYPT, NULL);
  assert_decrypts (connection, decrypts, NULL, "sha256", NULL, DATA_MARK);
  changed = key_change_auth (connection, imported, AUTH_MARK, AUTH_MARK "-again", NULL);
  assert_signs (connection, changed, AUTH_MARK "-again");
  g_assert_cmpuint (middleman->seen, >=, 4); /* a busy TPM is asked again */
}

/* A session costs more than a signature: where there is no secret there is none. */
static void
test_no_session_without_secret (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardWrappedKey) key = NULL;

  if (!swtpm)
    return;
  middleman = listener_new (swtpm);
  connection = middleman_connect (middleman);
  key = key_create (connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  assert_signs (connection, key, NULL);
  g_assert_cmpuint (middleman->limit, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/key-use/signatures", test_signatures);
  g_test_add_func ("/tpm2/key-use/digest-info", test_digest_info);
  g_test_add_func ("/tpm2/key-use/unknown-hash", test_unknown_hash);
  g_test_add_func ("/tpm2/key-use/bare-digests", test_bare_digests);
  g_test_add_func ("/tpm2/key-use/decryption", test_decryption);
  g_test_add_func ("/tpm2/key-use/tampered-ciphertext", test_tampered_ciphertext);
  g_test_add_func ("/tpm2/key-use/agreement", test_agreement);
  g_test_add_func ("/tpm2/key-use/imported", test_imported);
  g_test_add_func ("/tpm2/key-use/nothing-on-the-wire", test_nothing_on_the_wire);
  g_test_add_func ("/tpm2/key-use/no-session-without-secret", test_no_session_without_secret);
  return g_test_run ();
}
