/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stays in a TPM for speed, by the commands that are sent, and what makes room for others. */
#include "test-tpm2-key-fixture.h"

#include <string.h>

#include "ward-key-public.h"

/* Commands that were sent. */
static guint n_commands;
/* To the next command of this code, once. */
static guint32 refuse_command;
static TPM2_RC refuse_by;

static Reply *
count (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  n_commands++;
  if (command != refuse_command)
    return NULL;
  refuse_command = 0;
  return reply_new (refuse_by);
}

/* A TPM without a resource manager, whose commands are counted, with a storage root key. */
typedef struct
{
  Swtpm *swtpm; /* NULL when the test is skipped */
  Middleman *middleman;
  WardConnection *connection;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->swtpm = swtpm_new (TRUE);
  if (fixture->swtpm == NULL)
    return;
  fixture->middleman = middleman_new (fixture->swtpm->transport);
  fixture->middleman->answer = count;
  fixture->connection = middleman_connect_as (fixture->middleman, fixture->swtpm->transport);
  ward_tpm2_cache_set_trust (fixture->connection->cache, G_MAXINT64);
  assert_works (owner_provision (fixture->connection, NULL, &error));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->swtpm == NULL)
    return;
  ward_tpm2_backend.close (fixture->connection);
  middleman_free (fixture->middleman);
  swtpm_free (fixture->swtpm);
}

static guint
count_sign (Fixture *fixture, const WardWrappedKey *key, const char *auth)
{
  WardKeyAuths auths = { .auth = secret_of_text (auth) };
  g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, NULL);
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");
  g_autoptr (WardSigning) signing = ward_signing_new (facts, NULL, "sha256", digest, NULL);
  g_autoptr (GBytes) public_key = key_get_public (key);
  g_autoptr (GBytes) signature = NULL;
  g_autoptr (GError) error = NULL;
  guint before = n_commands;

  signature = ward_tpm2_backend.sign (fixture->connection, key, &auths, signing, &error);
  g_clear_pointer (&auths.auth, ward_secret_unref);
  g_assert_no_error (error);
  g_assert_true (pkey_verify (public_key, "sha256", FALSE, digest, signature));
  return n_commands - before;
}

static void
assert_kept (Fixture *fixture, guint n_keys, guint n_sessions)
{
  guint keys, sessions;

  ward_tpm2_cache_count (fixture->connection->cache, &keys, &sessions);
  g_assert_cmpuint (keys, ==, n_keys);
  g_assert_cmpuint (sessions, ==, n_sessions);
  assert_nothing_left (fixture->connection);
}

static void
test_second_signature_is_one_command (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) key = NULL;

  if (fixture->swtpm == NULL)
    return;
  key = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  g_assert_cmpuint (count_sign (fixture, key, NULL), >, 1);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (count_sign (fixture, key, NULL), ==, 1);
  assert_kept (fixture, 1, 0);
}

/* Nor does it take more to forget the value. */
static void
test_second_signature_with_auth_is_one_command (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardWrappedKey) other = NULL;

  if (fixture->swtpm == NULL)
    return;
  key = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "right");
  other = key_create (fixture->connection, "rsa2048", WARD_KEY_SIGN, "another");
  count_sign (fixture, key, "right");
  count_sign (fixture, other, "another");
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (count_sign (fixture, key, "right"), ==, 1);
      g_assert_cmpuint (count_sign (fixture, other, "another"), ==, 1);
    }
  assert_kept (fixture, 2, 1);
}

static void
test_second_decryption_and_agreement_are_one_command (Fixture *fixture, gconstpointer data)
{
  WardKeyAuths auths = { 0 };
  g_autoptr (Pkey) peer = pkey_new_ecc ("P-256");
  g_autoptr (GBytes) peer_public = pkey_to_public (peer);
  g_autoptr (WardPoint) point = ward_point_parse (peer_public, NULL);
  g_autoptr (WardWrappedKey) decrypts = NULL;
  g_autoptr (WardWrappedKey) agrees = NULL;
  g_autoptr (GBytes) public_key = NULL;
  g_autoptr (GBytes) ciphertext = NULL;
  g_autoptr (WardDecryption) decryption = NULL;
  g_autofree WardKeyFacts *facts = NULL;

  if (fixture->swtpm == NULL)
    return;
  decrypts = key_create (fixture->connection, "rsa2048", WARD_KEY_DECRYPT, NULL);
  agrees = key_create (fixture->connection, "ecc-p256", WARD_KEY_AGREE, NULL);
  facts = ward_tpm2_backend.describe_key (decrypts, NULL);
  public_key = key_get_public (decrypts);
  ciphertext = pkey_encrypt (public_key, "sha256", NULL, "hidden");
  decryption = ward_decryption_new (facts, "oaep", "sha256", NULL, ciphertext, NULL);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (WardSecret) text = NULL;
      g_autoptr (WardSecret) shared = NULL;
      guint before = n_commands;

      text = ward_tpm2_backend.decrypt (fixture->connection, decrypts, &auths, decryption, NULL);
      shared = ward_tpm2_backend.agree (fixture->connection, agrees, &auths, point, NULL);
      g_assert_cmpmem (ward_secret_get_data (text), ward_secret_get_size (text), "hidden", 6);
      g_assert_nonnull (shared);
      if (i > 0)
        g_assert_cmpuint (n_commands - before, ==, 2);
    }
}

static void
test_least_recently_used_goes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) first = NULL;
  g_autoptr (WardWrappedKey) second = NULL;
  g_autoptr (WardWrappedKey) third = NULL;

  if (fixture->swtpm == NULL)
    return;
  first = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  second = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  third = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  count_sign (fixture, first, NULL);
  count_sign (fixture, second, NULL);
  g_assert_cmpuint (count_sign (fixture, first, NULL), ==, 1);
  count_sign (fixture, third, NULL);
  assert_kept (fixture, 2, 0);
  g_assert_cmpuint (count_sign (fixture, first, NULL), ==, 1);
  g_assert_cmpuint (count_sign (fixture, third, NULL), ==, 1);
  g_assert_cmpuint (count_sign (fixture, second, NULL), >, 1);
}

/* The same key with another auth value is another to the TPM. */
static void
test_changed_auth_is_not_mistaken (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) old = NULL;
  g_autoptr (WardWrappedKey) new = NULL;

  if (fixture->swtpm == NULL)
    return;
  old = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "old");
  count_sign (fixture, old, "old");
  new = key_change_auth (fixture->connection, old, "old", "new", NULL);
  count_sign (fixture, new, "new");
  count_sign (fixture, old, "old");
  assert_does_not_sign (fixture->connection, new, "old", WARD_ERROR_AUTHENTICATION_FAILED, "counted");
  g_assert_cmpuint (count_sign (fixture, new, "new"), ==, 1);
}

/* While it is loaded, too, a key is bound. */
static void
test_bound_key_is_asked_each_time (Fixture *fixture, gconstpointer data)
{
  TPML_DIGEST_VALUES values = { .count = 1, .digests[0].hashAlg = TPM2_ALG_SHA256 };
  g_autoptr (GPtrArray) pcrs = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);
  WardKeyTemplate template = { .algorithm = "ecc-p256", .pcrs = pcrs, .usage = WARD_KEY_SIGN, .no_da = FALSE };
  WardPcrBank *bank = ward_pcr_bank_new ("sha256");
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (GError) error = NULL;

  bank->values.mask = 1 << 16;
  g_ptr_array_add (pcrs, bank);
  if (fixture->swtpm == NULL)
    return;
  key = key_create_as (fixture->connection, &template, "right", NULL, &error);
  g_assert_no_error (error);
  count_sign (fixture, key, "right");
  count_sign (fixture, key, "right");
  assert_kept (fixture, 1, 0);
  g_assert_cmphex (
      Esys_PCR_Extend (fixture->connection->esys, ESYS_TR_PCR16, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values),
      ==, TSS2_RC_SUCCESS);
  assert_does_not_sign (fixture->connection, key, "right", WARD_ERROR_POLICY_MISMATCH, "sha256:16");
}

/* The owner's auth value is needed at each use. */
static void
test_owners_key_is_not_kept (Fixture *fixture, gconstpointer data)
{
  WardKeyTemplate template = { .algorithm = "ecc-p256", .usage = WARD_KEY_SIGN, .no_da = TRUE };
  g_autoptr (WardSecret) owner_auth = secret_of_text ("owner");
  WardKeyAuths auths = { .owner_auth = owner_auth };
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");
  g_autoptr (WardWrappedKey) key = NULL;
  g_autoptr (WardSigning) signing = NULL;
  g_autofree WardKeyFacts *facts = NULL;
  g_autoptr (GBytes) signature = NULL;
  g_autoptr (GError) error = NULL;

  if (fixture->swtpm == NULL)
    return;
  g_assert_true (owner_clear (fixture->connection, NULL, NULL));
  owner_set (fixture->connection, WARD_HIERARCHY_OWNER, "owner");
  key = key_create_as (fixture->connection, &template, NULL, "owner", &error);
  g_assert_no_error (error);
  facts = ward_tpm2_backend.describe_key (key, NULL);
  signing = ward_signing_new (facts, NULL, "sha256", digest, NULL);
  signature = ward_tpm2_backend.sign (fixture->connection, key, &auths, signing, NULL);
  g_assert_nonnull (signature);
  assert_kept (fixture, 0, 0);
  assert_does_not_sign (fixture->connection, key, NULL, WARD_ERROR_NOT_OWNED, "ProvisionSrk");
}

/* Nothing that was kept stands in the way, and no failure is seen. */
static void
test_others_get_room (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) first = NULL;
  g_autoptr (WardWrappedKey) second = NULL;

  if (fixture->swtpm == NULL)
    return;
  first = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "right");
  second = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (WardWrappedKey) made = NULL;
      g_autoptr (WardWrappedKey) changed = NULL;
      g_autoptr (Pkey) pkey = pkey_new_ecc ("P-256");
      g_autoptr (WardWrappedKey) imported = NULL;
      g_autoptr (WardSecret) data_to_seal = secret_of_text ("sealed");
      g_autoptr (WardSecret) auth = secret_of_text ("auth");
      g_autoptr (WardSealed) sealed = NULL;
      g_autoptr (WardSecret) unsealed = NULL;

      count_sign (fixture, first, "right");
      count_sign (fixture, second, NULL);
      made = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "made");
      count_sign (fixture, first, "right");
      changed = key_change_auth (fixture->connection, made, "made", "changed", NULL);
      g_assert_nonnull (changed);
      count_sign (fixture, second, NULL);
      imported = key_import (fixture->connection, pkey, WARD_KEY_SIGN, "imported", FALSE);
      g_assert_nonnull (imported);
      count_sign (fixture, first, "right");
      sealed = ward_tpm2_backend.seal (fixture->connection, data_to_seal, &(WardKeyAuths){ .auth = auth }, NULL, FALSE,
                                       NULL);
      count_sign (fixture, second, NULL);
      unsealed = ward_tpm2_backend.unseal (fixture->connection, sealed, &(WardKeyAuths){ .auth = auth }, NULL);
      g_assert_nonnull (unsealed);
      /* and once more where parents are made for the moment */
      if (i == 0)
        {
          assert_works (owner_clear (fixture->connection, NULL, &error));
          g_clear_pointer (&first, ward_sealed_free);
          g_clear_pointer (&second, ward_sealed_free);
          first = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "right");
          second = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
        }
    }
}

/* 0x902, 0x903 and 0x901: what is not needed goes, and the command is sent again. */
static void
test_shortage_makes_room (Fixture *fixture, gconstpointer data)
{
  static const TPM2_RC shortages[] = { TPM2_RC_OBJECT_MEMORY, TPM2_RC_SESSION_MEMORY, TPM2_RC_CONTEXT_GAP };
  static const guint32 commands[] = { TPM2_CC_Load, TPM2_CC_StartAuthSession, TPM2_CC_Sign };
  g_autoptr (WardWrappedKey) kept = NULL;
  g_autoptr (WardWrappedKey) key = NULL;

  if (fixture->swtpm == NULL)
    return;
  kept = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  key = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "right");
  for (guint i = 0; i < G_N_ELEMENTS (shortages); i++)
    for (guint j = 0; j < G_N_ELEMENTS (commands); j++)
      {
        ward_tpm2_cache_drop (fixture->connection->cache);
        count_sign (fixture, kept, NULL);
        assert_kept (fixture, 1, 0);
        refuse_command = commands[j];
        refuse_by = shortages[i];
        count_sign (fixture, key, "right");
        g_assert_cmphex (refuse_command, ==, 0);
        assert_kept (fixture, 1, 1);
        g_assert_cmpuint (count_sign (fixture, key, "right"), ==, 1);
      }
}

/* Where nothing is kept there is nothing to give. */
static void
test_shortage_of_others_making (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) key = NULL;

  if (fixture->swtpm == NULL)
    return;
  key = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  refuse_command = TPM2_CC_Load;
  refuse_by = TPM2_RC_OBJECT_MEMORY;
  assert_does_not_sign (fixture->connection, key, NULL, WARD_ERROR_NO_SPACE, "no room for another object");
  count_sign (fixture, key, NULL);
}

/* Who looks at the TPM's room does not see what would give way. */
static void
test_room_is_as_without (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) key = NULL;
  g_autofree WardOwnership *without = NULL;
  g_autofree WardOwnership *with = NULL;

  if (fixture->swtpm == NULL)
    return;
  key = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "right");
  without = owner_read (fixture->connection);
  count_sign (fixture, key, "right");
  assert_kept (fixture, 1, 1);
  with = owner_read (fixture->connection);
  g_assert_cmpmem (&with->room, sizeof (with->room), &without->room, sizeof (without->room));
}

static void
test_rest_gives_all_back (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) key = NULL;

  if (fixture->swtpm == NULL)
    return;
  key = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "right");
  count_sign (fixture, key, "right");
  assert_kept (fixture, 1, 1);
  ward_tpm2_backend.rest (fixture->connection);
  assert_kept (fixture, 0, 0);
  count_sign (fixture, key, "right");
}

/* As with the kernel's resource manager: keys have connections of their own, on which alone they are used, and no
 * session outlives its command. */
static void
test_managed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardWrappedKey) first = NULL;
  g_autoptr (WardWrappedKey) second = NULL;
  g_autoptr (GArray) objects = NULL;
  g_autoptr (GArray) sessions = NULL;

  if (fixture->swtpm == NULL)
    return;
  first = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, "right");
  second = key_create (fixture->connection, "ecc-p256", WARD_KEY_SIGN, NULL);
  ward_tpm2_cache_set_managed (fixture->connection->cache);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (count_sign (fixture, first, "right"), ==, 0);
      g_assert_cmpuint (count_sign (fixture, second, NULL), ==, 0);
    }
  ward_tpm2_backend.rest (fixture->connection);
  objects = ward_tpm2_read_handles (fixture->connection, WARD_TPM2_TRANSIENT_FIRST, NULL);
  sessions = ward_tpm2_read_handles (fixture->connection, TPM2_LOADED_SESSION_FIRST, NULL);
  g_assert_cmpuint (objects->len, ==, 2);
  g_assert_cmpuint (sessions->len, ==, 0);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tpm2/cache/second-signature-is-one-command", test_second_signature_is_one_command);
  ADD ("/tpm2/cache/second-signature-with-auth-is-one-command", test_second_signature_with_auth_is_one_command);
  ADD ("/tpm2/cache/second-decryption-and-agreement-are-one-command",
       test_second_decryption_and_agreement_are_one_command);
  ADD ("/tpm2/cache/least-recently-used-goes", test_least_recently_used_goes);
  ADD ("/tpm2/cache/changed-auth-is-not-mistaken", test_changed_auth_is_not_mistaken);
  ADD ("/tpm2/cache/bound-key-is-asked-each-time", test_bound_key_is_asked_each_time);
  ADD ("/tpm2/cache/owners-key-is-not-kept", test_owners_key_is_not_kept);
  ADD ("/tpm2/cache/others-get-room", test_others_get_room);
  ADD ("/tpm2/cache/shortage-makes-room", test_shortage_makes_room);
  ADD ("/tpm2/cache/shortage-of-others-making", test_shortage_of_others_making);
  ADD ("/tpm2/cache/room-is-as-without", test_room_is_as_without);
  ADD ("/tpm2/cache/rest-gives-all-back", test_rest_gives_all_back);
  ADD ("/tpm2/cache/managed", test_managed);
  return g_test_run ();
}
