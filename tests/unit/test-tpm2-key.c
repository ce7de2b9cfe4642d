/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How keys come to be, change, and are kept. */
#include "test-tpm2-key-fixture.h"

#include <string.h>

#include "ward-key-pem.h"

/* Where in a command or a reply: the first parameter of what has no authorizations. */
#define PARAMETERS 10

static const char *const algorithms[] = { "rsa2048", "rsa3072", "ecc-p256", "ecc-p384" };

static void
test_create (void)
{
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      g_autoptr (WardWrappedKey) key = key_create (connection, algorithms[i], WARD_KEY_SIGN, NULL);
      g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, NULL);
      TPM2B_PUBLIC public;

      g_assert_cmpstr (facts->algorithm, ==, algorithms[i]);
      g_assert_cmpuint (facts->usage, ==, WARD_KEY_SIGN);
      g_assert_true (facts->no_da);
      g_assert_false (facts->imported || facts->counts || facts->ignores_auth || key->has_auth);
      g_assert_true (ward_tpm2_public_from_bytes (key->public_area, &public));
      g_assert_cmphex (public.publicArea.objectAttributes, ==,
                       TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN
                           | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT);
      assert_signs (connection, key, NULL);
    }
}

static void
test_impossible_usages (void)
{
  static const WardKeyTemplate templates[] = {
    { .algorithm = "rsa2048", .usage = WARD_KEY_AGREE, .no_da = TRUE },
    { .algorithm = "ecc-p256", .usage = WARD_KEY_SIGN | WARD_KEY_DECRYPT, .no_da = TRUE },
    { .algorithm = "ecc-p256", .usage = 0, .no_da = TRUE },
    { .algorithm = "ecc-p521", .usage = WARD_KEY_SIGN, .no_da = TRUE },
  };
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (templates); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (key_create_as (connection, &templates[i], NULL, NULL, &error));
      g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
    }
}

static guint
count_failures (WardConnection *connection)
{
  g_autofree WardOwnership *ownership = owner_read (connection);

  return ownership->failures;
}

static void
test_auth (void)
{
  const char *longest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardWrappedKey) by_longest = NULL;
  g_autofree WardKeyFacts *facts = NULL;
  WITH_TPM;

  key = key_create (connection, "ecc-p256", WARD_KEY_SIGN, "right");
  facts = ward_tpm2_backend.describe_key (key, NULL);
  g_assert_true (key->has_auth && facts->counts);
  assert_signs (connection, key, "right");
  g_assert_cmpuint (count_failures (connection), ==, 0);
  assert_does_not_sign (connection, key, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "counted");
  g_assert_cmpuint (count_failures (connection), ==, 1);
  assert_does_not_sign (connection, key, NULL, WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  assert_signs (connection, key, "right");
  by_longest = key_create (connection, "ecc-p256", WARD_KEY_SIGN, longest);
  assert_signs (connection, by_longest, longest);
}

static void
test_locked_out (void)
{
  g_autoptr (WardWrappedKey) counted = NULL;
  g_autoptr (WardWrappedKey) free_of_it = NULL;
  WITH_TPM;

  counted = key_create (connection, "ecc-p256", WARD_KEY_SIGN, "right");
  free_of_it = key_create (connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  for (guint i = 0; i < 3; i++)
    assert_does_not_sign (connection, counted, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  assert_does_not_sign (connection, counted, "right", WARD_ERROR_LOCKED_OUT, NULL);
  assert_signs (connection, free_of_it, NULL);
  g_assert_true (owner_reset (connection, NULL, NULL));
  assert_signs (connection, counted, "right");
}

static WardWrappedKey *
create_bound (WardConnection *connection, const char *auth)
{
  g_autoptr (GPtrArray) pcrs = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);
  WardPcrBank *bank = ward_pcr_bank_new ("sha256");
  WardKeyTemplate template = {
    .algorithm = "ecc-p256", .pcrs = pcrs, .usage = WARD_KEY_SIGN | WARD_KEY_AGREE, .no_da = auth == NULL
  };
  g_autoptr (GError) error = NULL;
  WardWrappedKey *key;

  bank->values.mask = 1u << 16 | 1u << 23;
  g_ptr_array_add (pcrs, bank);
  key = key_create_as (connection, &template, auth, NULL, &error);
  g_assert_no_error (error);
  return key;
}

static void
extend (WardConnection *connection, guint pcr)
{
  TPML_DIGEST_VALUES digests = { .count = 1 };

  digests.digests[0].hashAlg = TPM2_ALG_SHA256;
  digests.digests[0].digest.sha256[0] = 1;
  g_assert_cmphex (Esys_PCR_Extend (connection->esys, pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digests), ==,
                   TSS2_RC_SUCCESS);
}

static void
test_pcrs (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardWrappedKey) with_auth = NULL;
  g_autofree WardKeyFacts *facts = NULL;
  g_autoptr (Pkey) peer = pkey_new_ecc ("P-256");
  g_autoptr (GBytes) peer_public = pkey_to_public (peer);
  g_autoptr (WardSecret) agreed = NULL;
  WITH_TPM;

  key = create_bound (connection, NULL);
  with_auth = create_bound (connection, "right");
  facts = ward_tpm2_backend.describe_key (key, NULL);
  g_assert_true (facts->ignores_auth && !facts->counts);
  assert_signs (connection, key, NULL);
  assert_signs (connection, with_auth, "right");
  agreed = key_agree (connection, with_auth, "right", peer_public, NULL);
  g_assert_nonnull (agreed);
  assert_does_not_sign (connection, with_auth, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  extend (connection, ESYS_TR_PCR15);
  assert_signs (connection, key, NULL);
  extend (connection, ESYS_TR_PCR23);
  assert_does_not_sign (connection, key, NULL, WARD_ERROR_POLICY_MISMATCH, ": sha256:23.");
  assert_does_not_sign (connection, with_auth, "right", WARD_ERROR_POLICY_MISMATCH, ": sha256:23.");
}

/* The TPM holds to the policy, whatever the record says. */
static void
test_forged_pcrs (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  WardPcrBank *bank;
  WITH_TPM;

  key = create_bound (connection, NULL);
  extend (connection, ESYS_TR_PCR16);
  bank = g_ptr_array_index (key->pcrs, 0);
  g_assert_true (ward_tpm2_read_pcrs (connection, "sha256", bank->values.mask, &bank->values, NULL));
  assert_does_not_sign (connection, key, NULL, WARD_ERROR_CORRUPT, NULL);
  g_ptr_array_set_size (key->pcrs, 0);
  assert_does_not_sign (connection, key, NULL, WARD_ERROR_NOT_SUPPORTED, "policy");
}

static void
test_change_auth (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardWrappedKey) second = NULL;
  g_autoptr (WardWrappedKey) third = NULL;
  g_autoptr (GError) error = NULL;
  WITH_TPM;

  key = key_create (connection, "rsa2048", WARD_KEY_SIGN, "first");
  g_assert_null (key_change_auth (connection, key, "wrong", "second", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  g_clear_error (&error);
  second = key_change_auth (connection, key, "first", "second", &error);
  g_assert_no_error (error);
  g_assert_true (second->has_auth);
  assert_signs (connection, second, "second");
  assert_does_not_sign (connection, second, "first", WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  assert_signs (connection, key, "first");
  third = key_change_auth (connection, second, "second", NULL, &error);
  g_assert_no_error (error);
  g_assert_false (third->has_auth);
  assert_signs (connection, third, NULL);
}

static void
test_change_auth_of_bound (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardWrappedKey) second = NULL;
  g_autoptr (WardWrappedKey) third = NULL;
  g_autoptr (GError) error = NULL;
  WITH_TPM;

  key = create_bound (connection, "first");
  second = key_change_auth (connection, key, "first", "second", &error);
  g_assert_no_error (error);
  assert_signs (connection, second, "second");
  assert_does_not_sign (connection, second, "first", WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  third = key_change_auth (connection, second, "second", NULL, &error);
  g_assert_no_error (error);
  assert_signs (connection, third, NULL);
  extend (connection, ESYS_TR_PCR16);
  g_assert_null (key_change_auth (connection, second, "second", "third", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_POLICY_MISMATCH);
}

/* An auth value that would protect nothing is refused. */
static void
test_change_auth_in_vain (void)
{
  g_autoptr (WardWrappedKey) no_da = NULL;
  g_autoptr (WardWrappedKey) bound = NULL;
  g_autoptr (GError) error = NULL;
  WITH_TPM;

  no_da = key_create (connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  g_assert_null (key_change_auth (connection, no_da, NULL, "new", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  bound = create_bound (connection, NULL);
  g_assert_null (key_change_auth (connection, bound, NULL, "new", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
}

static void
test_import (void)
{
  EVP_PKEY *keys[] = { pkey_new_rsa (2048), pkey_new_rsa (3072), pkey_new_ecc ("P-256"), pkey_new_ecc ("P-384") };
  const char *longest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  WITH_TPM;

  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
        {
          const char *auth = round == 0 ? NULL : longest;
          g_autoptr (WardWrappedKey) key = key_import (connection, keys[i], WARD_KEY_SIGN, auth, round == 0);
          g_autoptr (GBytes) expected = pkey_to_public (keys[i]);
          g_autoptr (GBytes) public_key = key_get_public (key);
          g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, NULL);

          g_assert_true (g_bytes_equal (public_key, expected));
          g_assert_true (facts->imported);
          g_assert_cmpint (facts->counts, ==, round);
          assert_signs (connection, key, auth);
          if (auth)
            assert_does_not_sign (connection, key, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, NULL);
          g_assert_true (owner_reset (connection, NULL, NULL));
        }
      /* beneath a persistent key as well as a transient one */
      if (round == 0)
        g_assert_true (owner_provision (connection, NULL, NULL));
    }
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    EVP_PKEY_free (keys[i]);
}

static void
test_text (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardWrappedKey) back = NULL;
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;
  WITH_TPM;

  key = key_create (connection, "ecc-p256", WARD_KEY_SIGN, "right");
  text = ward_key_pem_print (key);
  g_assert_true (g_str_has_prefix (text, "-----BEGIN TSS2 PRIVATE KEY-----\n"));
  back = ward_key_pem_parse (text, NULL);
  g_assert_true (back->has_auth);
  g_assert_cmphex (back->parent, ==, WARD_OWNER_PARENT);
  assert_signs (connection, back, "right");
  again = ward_key_pem_print (back);
  g_assert_cmpstr (again, ==, text);
}

static void
test_another_tpm (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (Swtpm) other = swtpm_new (TRUE);
  g_autoptr (WardConnection) elsewhere = NULL;
  WardKeyAuths none = { 0 };
  g_autoptr (GError) refusal = NULL;
  WITH_TPM;

  elsewhere = swtpm_connect (other);
  key = key_create (connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  assert_does_not_sign (elsewhere, key, NULL, WARD_ERROR_CORRUPT, "another TPM");
  g_assert_false (ward_tpm2_backend.check_key (elsewhere, key, &none, &refusal));
  g_assert_error (refusal, WARD_ERROR, WARD_ERROR_CORRUPT);
  g_assert_true (ward_tpm2_backend.check_key (connection, key, &none, NULL));
  g_assert_cmphex (key->parent, ==, WARD_OWNER_PARENT);
  assert_works (owner_provision (connection, NULL, &error));
  g_assert_true (ward_tpm2_backend.check_key (connection, key, &none, NULL));
  g_assert_cmphex (key->parent, ==, WARD_SRK_HANDLE);
  assert_works (owner_clear (connection, NULL, &error));
  assert_does_not_sign (connection, key, NULL, WARD_ERROR_CORRUPT, "cleared");
}

static void
assert_parents (WardConnection *connection, gboolean with_owner, const char *one, const char *two)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) found = ward_tpm2_backend.find_parents (connection, with_owner, &error);
  const char *const expected[] = { one, two, NULL };

  g_assert_no_error (error);
  g_assert_true (g_strv_equal ((const char *const *)found, expected));
  assert_nothing_left (connection);
}

/* A key tells beneath what it lies by the name that the TPM tells, however it has come to be. */
static void
test_parents (void)
{
  g_autoptr (Pkey) pkey = pkey_new_ecc ("P-256");
  g_autoptr (WardWrappedKey) made = NULL;
  g_autoptr (WardWrappedKey) imported = NULL;
  g_autoptr (WardWrappedKey) changed = NULL;
  g_autoptr (WardWrappedKey) after = NULL;
  g_autofree WardOwnership *ownership = NULL;
  WITH_TPM;

  made = key_create (connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  g_assert_nonnull (made->parent_name);
  assert_parents (connection, FALSE, NULL, NULL);
  assert_parents (connection, TRUE, made->parent_name, NULL);

  assert_works (owner_provision (connection, NULL, &error));
  ownership = ward_tpm2_backend.read_ownership (connection, NULL);
  imported = key_import (connection, pkey, WARD_KEY_SIGN, "old", FALSE);
  changed = key_change_auth (connection, imported, "old", "new", NULL);
  g_assert_cmpstr (made->parent_name, ==, ownership->srk_name);
  g_assert_cmpstr (imported->parent_name, ==, ownership->srk_name);
  g_assert_cmpstr (changed->parent_name, ==, ownership->srk_name);
  assert_parents (connection, FALSE, ownership->srk_name, NULL);
  assert_parents (connection, TRUE, ownership->srk_name, ownership->srk_name);

  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, NULL, "owner", &error));
  assert_parents (connection, TRUE, ownership->srk_name, NULL);
  assert_works (owner_clear (connection, NULL, &error));
  after = key_create (connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  g_assert_cmpstr (after->parent_name, !=, made->parent_name);
}

static void
test_owner_auth (void)
{
  WardKeyTemplate template = { .algorithm = "ecc-p256", .usage = WARD_KEY_SIGN, .no_da = TRUE };
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (GError) refusal = NULL;
  WITH_TPM;

  owner_set (connection, WARD_HIERARCHY_OWNER, "own");
  g_assert_null (key_create_as (connection, &template, NULL, NULL, &refusal));
  g_assert_error (refusal, WARD_ERROR, WARD_ERROR_NOT_OWNED);
  g_clear_error (&refusal);
  g_assert_null (key_create_as (connection, &template, NULL, "wrong", &refusal));
  g_assert_error (refusal, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  g_clear_error (&refusal);
  key = key_create_as (connection, &template, NULL, "own", &refusal);
  g_assert_no_error (refusal);
  g_assert_cmphex (key->parent, ==, WARD_OWNER_PARENT);
  assert_works (owner_provision (connection, "own", &error));
  assert_signs (connection, key, NULL);
}

static gboolean
persist (WardConnection *connection, const WardWrappedKey *key, guint32 handle, const char *owner_auth, GError **error)
{
  WardKeyAuths auths = { .owner_auth = secret_of_text (owner_auth) };
  gboolean done = ward_tpm2_backend.persist_key (connection, key, handle, &auths, error);

  g_clear_pointer (&auths.owner_auth, ward_secret_unref);
  assert_nothing_left (connection);
  return done;
}

static gboolean
evict (WardConnection *connection, guint32 handle, const char *owner_auth, GError **error)
{
  WardSecret *auth = secret_of_text (owner_auth);
  gboolean done = ward_tpm2_backend.evict (connection, handle, auth, error);

  g_clear_pointer (&auth, ward_secret_unref);
  assert_nothing_left (connection);
  return done;
}

static void
test_persist (void)
{
  TPM2B_PUBLIC public = { 0 };
  TPM2B_NAME name = { 0 };
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (GBytes) area = NULL;
  WITH_TPM;

  key = key_create (connection, "ecc-p256", WARD_KEY_SIGN, "right");
  assert_fails (persist (connection, key, 0x81800000, NULL, &error), WARD_ERROR_INVALID_ARGUMENT);
  assert_fails (evict (connection, 0x81000005, NULL, &error), WARD_ERROR_NOT_FOUND);
  assert_works (persist (connection, key, 0x81000005, NULL, &error));
  g_assert_cmphex (ward_tpm2_read_public (connection, 0x81000005, &public, &name), ==, TSS2_RC_SUCCESS);
  area = ward_tpm2_public_to_bytes (&public);
  g_assert_true (g_bytes_equal (area, key->public_area));
  assert_fails (persist (connection, key, 0x81000005, NULL, &error), WARD_ERROR_EXISTS);

  assert_works (owner_provision (connection, NULL, &error));
  owner_set (connection, WARD_HIERARCHY_OWNER, "own");
  assert_fails (evict (connection, 0x81000005, "wrong", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_fails (persist (connection, key, 0x81000006, "wrong", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_works (persist (connection, key, 0x81000006, "own", &error));
  assert_works (evict (connection, 0x81000005, "own", &error));
  assert_fails (evict (connection, 0x81000005, "own", &error), WARD_ERROR_NOT_FOUND);
  assert_fails (evict (connection, WARD_SRK_HANDLE, "own", &error), WARD_ERROR_WOULD_BREAK);
}

static GBytes *
with_byte_changed (GBytes *bytes, gsize at)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  guint8 *copy = g_memdup2 (data, size);

  copy[at] ^= 0x10;
  return g_bytes_new_take (copy, size);
}

/* area: a member of a key. Whatever is changed or missing, no other key comes of it. */
static void
assert_every_byte_matters (WardConnection *connection, WardWrappedKey *key, GBytes **area)
{
  g_autoptr (GBytes) whole = g_steal_pointer (area);
  gsize size = g_bytes_get_size (whole);

  for (gsize i = 0; i < 2 * size; i++)
    {
      g_autoptr (GBytes) changed = i < size ? with_byte_changed (whole, i)
                                            : g_bytes_new_from_bytes (whole, 0, i - size);
      g_autoptr (GError) error = NULL;

      *area = changed;
      g_test_message ("byte %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT, i, size);
      g_assert_null (key_sign (connection, key, NULL, NULL, "sha256", &error));
      if (!g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED)
          && !g_error_matches (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT))
        g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
    }
  *area = g_steal_pointer (&whole);
}

static void
test_tampering (void)
{
  g_autoptr (WardWrappedKey) key = NULL;
  WITH_TPM;

  assert_works (owner_provision (connection, NULL, &error));
  key = key_create (connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  assert_every_byte_matters (connection, key, &key->public_area);
  assert_every_byte_matters (connection, key, &key->private_area);
  assert_signs (connection, key, NULL);
}

/* A TPM without RSA of 3072 bits, asked whether it has it or for such a key. */
static Reply *
refuse_rsa3072 (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  if (command == TPM2_CC_Create
      || (command == TPM2_CC_TestParms && read_u16 (bytes + PARAMETERS) == TPM2_ALG_RSA
          && read_u16 (bytes + size - 6) == 3072))
    return reply_new (TPM2_RC_VALUE + TPM2_RC_P + TPM2_RC_2);
  return NULL;
}

/* Of the curves that the TPM names, P-384 becomes one that nobody asks for. */
static void
hide_p384 (Middleman *middleman, guint32 command, GByteArray *reply)
{
  guint8 *parameters = reply->data + PARAMETERS;

  if (command != TPM2_CC_GetCapability || read_u32 (parameters + 1) != TPM2_CAP_ECC_CURVES)
    return;
  for (guint8 *curve = parameters + 9; curve < reply->data + reply->len; curve += 2)
    if (read_u16 (curve) == TPM2_ECC_NIST_P384)
      curve[1] = TPM2_ECC_BN_P256;
}

static void
test_algorithms_that_the_tpm_lacks (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardIdentity) identity = NULL;
  g_autofree char *names = NULL;
  g_autoptr (GError) error = NULL;
  WardKeyTemplate template = { .algorithm = "rsa3072", .usage = WARD_KEY_SIGN };

  if (!swtpm)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = refuse_rsa3072;
  middleman->change = hide_p384;
  connection = middleman_connect (middleman);
  identity = ward_tpm2_backend.identify (connection, &error);
  g_assert_no_error (error);
  names = g_strjoinv (" ", identity->key_algorithms);
  g_assert_cmpstr (names, ==, "rsa2048 ecc-p256");
  g_assert_null (key_create_as (connection, &template, NULL, NULL, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  assert_message_contains (error, "no keys of rsa3072");
  assert_message_contains (error, "0x2c4");
  assert_nothing_left (connection);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/key/create", test_create);
  g_test_add_func ("/tpm2/key/impossible-usages", test_impossible_usages);
  g_test_add_func ("/tpm2/key/lacking-algorithms", test_algorithms_that_the_tpm_lacks);
  g_test_add_func ("/tpm2/key/auth", test_auth);
  g_test_add_func ("/tpm2/key/locked-out", test_locked_out);
  g_test_add_func ("/tpm2/key/pcrs", test_pcrs);
  g_test_add_func ("/tpm2/key/forged-pcrs", test_forged_pcrs);
  g_test_add_func ("/tpm2/key/change-auth", test_change_auth);
  g_test_add_func ("/tpm2/key/change-auth-of-bound", test_change_auth_of_bound);
  g_test_add_func ("/tpm2/key/change-auth-in-vain", test_change_auth_in_vain);
  g_test_add_func ("/tpm2/key/import", test_import);
  g_test_add_func ("/tpm2/key/text", test_text);
  g_test_add_func ("/tpm2/key/another-tpm", test_another_tpm);
  g_test_add_func ("/tpm2/key/parents", test_parents);
  g_test_add_func ("/tpm2/key/owner-auth", test_owner_auth);
  g_test_add_func ("/tpm2/key/persist", test_persist);
  g_test_add_func ("/tpm2/key/tampering", test_tampering);
  return g_test_run ();
}
