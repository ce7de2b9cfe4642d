/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-owner.h"

#include <string.h>

static WardSecret *
secret_of (gsize size)
{
  WardSecret *secret = ward_secret_new (size);

  for (gsize i = 0; i < size; i++)
    ward_secret_get_data (secret)[i] = (guint8)(i * 7 + size);
  return secret;
}

static WardSecret *
secret_new (const char *text)
{
  return text ? ward_secret_new_from (text, strlen (text)) : NULL;
}

/* Of sha256:16 and 23 and sha1:16, which a test may extend. */
static GPtrArray *
some_pcrs (void)
{
  GPtrArray *pcrs = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);
  WardPcrBank *sha256 = ward_pcr_bank_new ("sha256"), *sha1 = ward_pcr_bank_new ("sha1");

  sha256->values.mask = 1u << 16 | 1u << 23;
  sha1->values.mask = 1u << 16;
  g_ptr_array_add (pcrs, sha256);
  g_ptr_array_add (pcrs, sha1);
  return pcrs;
}

static WardSealed *
seal (WardConnection *connection, gsize size, const char *auth, gboolean bound, gboolean no_da)
{
  g_autoptr (WardSecret) data = secret_of (size);
  WardSecret *auth_secret = secret_new (auth);
  g_autoptr (GPtrArray) pcrs = bound ? some_pcrs () : NULL;
  g_autoptr (GError) error = NULL;
  WardSealed *sealed = ward_tpm2_backend.seal (connection, data, &(WardKeyAuths){ .auth = auth_secret }, pcrs, no_da,
                                               &error);

  g_assert_no_error (error);
  g_assert_nonnull (sealed);
  g_clear_pointer (&auth_secret, ward_secret_unref);
  assert_nothing_left (connection);
  return sealed;
}

/* As its caller does: nothing is asked of the TPM that has not been looked at. */
static WardSecret *
unseal (WardConnection *connection, const WardSealed *sealed, const char *auth, GError **error)
{
  WardSecret *auth_secret = secret_new (auth);
  WardSecret *data = NULL;
  gboolean counts;

  if (ward_tpm2_backend.check_sealed (sealed, &counts, error))
    data = ward_tpm2_backend.unseal (connection, sealed, &(WardKeyAuths){ .auth = auth_secret }, error);
  g_clear_pointer (&auth_secret, ward_secret_unref);
  assert_nothing_left (connection);
  return data;
}

static void
assert_unseals (WardConnection *connection, const WardSealed *sealed, const char *auth, gsize size)
{
  g_autoptr (WardSecret) expected = secret_of (size);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = unseal (connection, sealed, auth, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (ward_secret_get_data (data), ward_secret_get_size (data), ward_secret_get_data (expected), size);
}

static void
assert_refuses (WardConnection *connection, const WardSealed *sealed, const char *auth, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (unseal (connection, sealed, auth, &error));
  g_assert_error (error, WARD_ERROR, code);
  if (word)
    assert_message_contains (error, word);
}

#define WITH_TPM                                                                                                       \
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);                                                                          \
  g_autoptr (WardConnection) connection = NULL;                                                                        \
  if (!swtpm)                                                                                                          \
    return;                                                                                                            \
  connection = swtpm_connect (swtpm)

static void
test_sizes (void)
{
  static const gsize sizes[] = { 1, 32, 127, 128 };
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (WardSealed) sealed = seal (connection, sizes[i], NULL, FALSE, TRUE);

      g_assert_cmphex (sealed->parent, ==, WARD_OWNER_PARENT);
      g_assert_false (sealed->has_auth);
      assert_unseals (connection, sealed, NULL, sizes[i]);
    }
}

static void
test_too_much_and_nothing (void)
{
  static const gsize sizes[] = { 0, 129 };
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (WardSecret) data = secret_of (sizes[i]);
      g_autoptr (GError) error = NULL;

      g_assert_null (ward_tpm2_backend.seal (connection, data, &(WardKeyAuths){ .auth = NULL }, NULL, TRUE, &error));
      g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
    }
}

/* Beneath the persistent key, and still after it has come or gone, as both are made by one template. */
static void
test_parents (void)
{
  g_autoptr (WardSealed) before = NULL;
  g_autoptr (WardSealed) after = NULL;
  WITH_TPM;

  before = seal (connection, 20, NULL, FALSE, TRUE);
  assert_works (owner_provision (connection, NULL, &error));
  after = seal (connection, 20, NULL, FALSE, TRUE);
  g_assert_cmphex (after->parent, ==, WARD_SRK_HANDLE);
  assert_unseals (connection, before, NULL, 20);
  assert_unseals (connection, after, NULL, 20);
}

static void
test_owner_auth_without_srk (void)
{
  g_autoptr (WardSealed) before = NULL;
  g_autoptr (WardSecret) data = secret_of (5);
  g_autoptr (GError) refusal = NULL;
  WITH_TPM;

  before = seal (connection, 5, NULL, FALSE, TRUE);
  owner_set (connection, WARD_HIERARCHY_OWNER, "own");
  g_assert_null (ward_tpm2_backend.seal (connection, data, &(WardKeyAuths){ .auth = NULL }, NULL, TRUE, &refusal));
  g_assert_error (refusal, WARD_ERROR, WARD_ERROR_NOT_OWNED);
  assert_message_contains (refusal, "ProvisionSrk");
  assert_refuses (connection, before, NULL, WARD_ERROR_NOT_OWNED, "ProvisionSrk");
  assert_works (owner_provision (connection, "own", &error));
  assert_unseals (connection, before, NULL, 5);
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
  g_autoptr (WardSealed) sealed = NULL;
  g_autoptr (WardSealed) by_longest = NULL;
  gboolean counts = FALSE;
  WITH_TPM;

  sealed = seal (connection, 9, "right", FALSE, FALSE);
  g_assert_true (sealed->has_auth);
  g_assert_true (ward_tpm2_backend.check_sealed (sealed, &counts, NULL));
  g_assert_true (counts);
  assert_unseals (connection, sealed, "right", 9);
  g_assert_cmpuint (count_failures (connection), ==, 0);
  assert_refuses (connection, sealed, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "counted");
  g_assert_cmpuint (count_failures (connection), ==, 1);
  assert_refuses (connection, sealed, NULL, WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  assert_unseals (connection, sealed, "right", 9);

  by_longest = seal (connection, 9, longest, FALSE, FALSE);
  assert_unseals (connection, by_longest, longest, 9);
}

static void
test_no_da (void)
{
  g_autoptr (WardSealed) sealed = NULL;
  gboolean counts = TRUE;
  WITH_TPM;

  sealed = seal (connection, 9, "right", FALSE, TRUE);
  g_assert_true (ward_tpm2_backend.check_sealed (sealed, &counts, NULL));
  g_assert_false (counts);
  assert_refuses (connection, sealed, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "does not count");
  g_assert_cmpuint (count_failures (connection), ==, 0);
  assert_unseals (connection, sealed, "right", 9);
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
  g_autoptr (WardSealed) sealed = NULL;
  WITH_TPM;

  sealed = seal (connection, 100, NULL, TRUE, TRUE);
  g_assert_cmpuint (sealed->pcrs->len, ==, 2);
  assert_unseals (connection, sealed, NULL, 100);
  extend (connection, ESYS_TR_PCR15);
  assert_unseals (connection, sealed, NULL, 100);
  extend (connection, ESYS_TR_PCR23);
  assert_refuses (connection, sealed, NULL, WARD_ERROR_POLICY_MISMATCH, "anew");
  assert_refuses (connection, sealed, NULL, WARD_ERROR_POLICY_MISMATCH, ": sha256:23.");
}

/* Both are needed, and the auth value alone does not do. */
static void
test_pcrs_and_auth (void)
{
  g_autoptr (WardSealed) sealed = NULL;
  WITH_TPM;

  sealed = seal (connection, 100, "right", TRUE, FALSE);
  assert_unseals (connection, sealed, "right", 100);
  assert_refuses (connection, sealed, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  g_assert_cmpuint (count_failures (connection), ==, 1);
  extend (connection, ESYS_TR_PCR16);
  assert_refuses (connection, sealed, "right", WARD_ERROR_POLICY_MISMATCH, "sha256:16");
}

/* The TPM itself holds to the policy: whoever changes the record of the values gets no further. */
static void
test_forged_pcrs (void)
{
  g_autoptr (WardSealed) sealed = NULL;
  WardPcrBank *bank;
  WITH_TPM;

  sealed = seal (connection, 100, NULL, TRUE, TRUE);
  extend (connection, ESYS_TR_PCR16);
  bank = g_ptr_array_index (sealed->pcrs, 0);
  g_assert_true (ward_tpm2_read_pcrs (connection, "sha256", bank->values.mask, &bank->values, NULL));
  assert_refuses (connection, sealed, NULL, WARD_ERROR_CORRUPT, NULL);
  g_ptr_array_set_size (sealed->pcrs, 0);
  assert_refuses (connection, sealed, NULL, WARD_ERROR_NOT_SUPPORTED, "policy");
}

/* Past our own comparison it is the TPM that refuses. */
static void
test_policy_is_the_tpms (void)
{
  g_autoptr (WardSealed) sealed = NULL;
  g_autoptr (WardSecret) data = NULL;
  g_autoptr (GError) error = NULL;
  WardPcrBank *bank;
  WITH_TPM;

  sealed = seal (connection, 100, NULL, TRUE, TRUE);
  extend (connection, ESYS_TR_PCR16);
  bank = g_ptr_array_index (sealed->pcrs, 0);
  g_assert_true (ward_tpm2_read_pcrs (connection, "sha256", bank->values.mask, &bank->values, NULL));
  data = ward_tpm2_backend.unseal (connection, sealed, &(WardKeyAuths){ .auth = NULL }, &error);
  g_assert_null (data);
  g_assert_error (error, WARD_ERROR, WARD_ERROR_POLICY_MISMATCH);
  assert_nothing_left (connection);
}

static void
test_another_tpm (void)
{
  g_autoptr (WardSealed) sealed = NULL;
  g_autoptr (Swtpm) other = swtpm_new (TRUE);
  g_autoptr (WardConnection) elsewhere = NULL;
  WITH_TPM;

  elsewhere = swtpm_connect (other);
  sealed = seal (connection, 9, NULL, FALSE, TRUE);
  assert_refuses (elsewhere, sealed, NULL, WARD_ERROR_CORRUPT, "another TPM");
  assert_works (owner_provision (elsewhere, NULL, &error));
  assert_refuses (elsewhere, sealed, NULL, WARD_ERROR_CORRUPT, "another TPM");
  assert_works (owner_clear (connection, NULL, &error));
  assert_refuses (connection, sealed, NULL, WARD_ERROR_CORRUPT, "cleared");
}

static void
test_other_parent (void)
{
  g_autoptr (WardSealed) sealed = NULL;
  WITH_TPM;

  sealed = seal (connection, 9, NULL, FALSE, TRUE);
  sealed->parent = 0x81000002;
  assert_refuses (connection, sealed, NULL, WARD_ERROR_NOT_SUPPORTED, "0x81000002");
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

/* area: a member of a WardSealed. Whatever is changed or missing, it fails as it should, and nothing comes out. */
static void
assert_every_byte_matters (WardConnection *connection, WardSealed *sealed, GBytes **area)
{
  g_autoptr (GBytes) whole = g_steal_pointer (area);
  gsize size = g_bytes_get_size (whole);

  for (gsize i = 0; i < 2 * size; i++)
    {
      g_autoptr (GBytes) changed = i < size ? with_byte_changed (whole, i)
                                            : g_bytes_new_from_bytes (whole, 0, i - size);
      g_autoptr (GError) error = NULL;

      *area = changed;
      g_assert_null (unseal (connection, sealed, NULL, &error));
      if (!g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED))
        g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
    }
  *area = g_steal_pointer (&whole);
}

static void
test_tampering (void)
{
  g_autoptr (WardSealed) sealed = NULL;
  WITH_TPM;

  assert_works (owner_provision (connection, NULL, &error));
  sealed = seal (connection, 9, NULL, FALSE, TRUE);
  assert_every_byte_matters (connection, sealed, &sealed->public_area);
  assert_every_byte_matters (connection, sealed, &sealed->private_area);
  assert_unseals (connection, sealed, NULL, 9);
}

static void
test_locked_out (void)
{
  g_autoptr (WardSealed) counted = NULL;
  g_autoptr (WardSealed) free_of_it = NULL;
  WITH_TPM;

  counted = seal (connection, 9, "right", FALSE, FALSE);
  free_of_it = seal (connection, 9, NULL, FALSE, TRUE);
  for (guint i = 0; i < 3; i++)
    assert_refuses (connection, counted, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, NULL);
  assert_refuses (connection, counted, "right", WARD_ERROR_LOCKED_OUT, NULL);
  assert_unseals (connection, free_of_it, NULL, 9);
}

/* What the eavesdropper looks for. */
#define AUTH_MARK "an-auth-to-be-kept"
#define DATA_MARK "data-that-nobody-shall-see-on-the-way"

static gboolean
has (const guint8 *bytes, gsize size, const char *mark)
{
  return memmem (bytes, size, mark, strlen (mark)) != NULL;
}

static Reply *
listen (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  g_assert_false (has (bytes, size, AUTH_MARK));
  g_assert_false (has (bytes, size, DATA_MARK));
  middleman->seen += command == TPM2_CC_Create || command == TPM2_CC_Unseal;
  return NULL;
}

static void
listen_back (Middleman *middleman, guint32 command, GByteArray *reply)
{
  g_assert_false (has (reply->data, reply->len, AUTH_MARK));
  g_assert_false (has (reply->data, reply->len, DATA_MARK));
}

/* Neither crosses to the chip in plain, nor back. */
static void
test_nothing_on_the_wire (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (Middleman) middleman = NULL;
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardSecret) data = secret_new (DATA_MARK);
  g_autoptr (WardSecret) auth = secret_new (AUTH_MARK);

  if (!swtpm)
    return;
  middleman = middleman_new (swtpm->transport);
  middleman->answer = listen;
  middleman->change = listen_back;
  connection = middleman_connect (middleman);
  for (guint bound = 0; bound < 2; bound++)
    {
      g_autoptr (GPtrArray) pcrs = bound ? some_pcrs () : NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (WardSealed) sealed = ward_tpm2_backend.seal (connection, data, &(WardKeyAuths){ .auth = auth }, pcrs,
                                                              FALSE, &error);
      g_autoptr (WardSecret) back = NULL;

      g_assert_no_error (error);
      back = ward_tpm2_backend.unseal (connection, sealed, &(WardKeyAuths){ .auth = auth }, &error);
      g_assert_no_error (error);
      g_assert_cmpmem (ward_secret_get_data (back), ward_secret_get_size (back), DATA_MARK, strlen (DATA_MARK));
    }
  g_assert_cmpuint (middleman->seen, >=, 4); /* a busy TPM is asked again */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/seal/sizes", test_sizes);
  g_test_add_func ("/tpm2/seal/too-much-and-nothing", test_too_much_and_nothing);
  g_test_add_func ("/tpm2/seal/parents", test_parents);
  g_test_add_func ("/tpm2/seal/owner-auth-without-srk", test_owner_auth_without_srk);
  g_test_add_func ("/tpm2/seal/auth", test_auth);
  g_test_add_func ("/tpm2/seal/no-da", test_no_da);
  g_test_add_func ("/tpm2/seal/pcrs", test_pcrs);
  g_test_add_func ("/tpm2/seal/pcrs-and-auth", test_pcrs_and_auth);
  g_test_add_func ("/tpm2/seal/forged-pcrs", test_forged_pcrs);
  g_test_add_func ("/tpm2/seal/policy-is-the-tpms", test_policy_is_the_tpms);
  g_test_add_func ("/tpm2/seal/another-tpm", test_another_tpm);
  g_test_add_func ("/tpm2/seal/other-parent", test_other_parent);
  g_test_add_func ("/tpm2/seal/tampering", test_tampering);
  g_test_add_func ("/tpm2/seal/locked-out", test_locked_out);
  g_test_add_func ("/tpm2/seal/nothing-on-the-wire", test_nothing_on_the_wire);
  return g_test_run ();
}
