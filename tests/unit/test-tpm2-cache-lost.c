/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was kept in a TPM and has been lost, or taken by others. */
#include "test-tpm2-key-fixture.h"

#include <string.h>

#include "ward-key-public.h"

#define DIRECT GINT_TO_POINTER (FALSE)
#define MANAGED GINT_TO_POINTER (TRUE)

/* A TPM with a storage root key, and two keys of ours: with an auth value, and without. */
typedef struct
{
  Swtpm *swtpm; /* NULL when the test is skipped */
  WardConnection *connection;
  WardWrappedKey *keys[2];
} Fixture;

static const char *const auths[] = { NULL, "right" };

static GBytes *
try_to_sign (WardConnection *connection, const WardWrappedKey *key, const char *auth, GError **error)
{
  g_autoptr (WardSecret) secret = secret_of_text (auth);
  g_autofree WardKeyAuths *key_auths = g_new0 (WardKeyAuths, 1);
  g_autofree WardKeyFacts *facts = ward_tpm2_backend.describe_key (key, NULL);
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");
  g_autoptr (WardSigning) signing = ward_signing_new (facts, NULL, "sha256", digest, NULL);

  key_auths->auth = secret;
  return ward_tpm2_backend.sign (connection, key, key_auths, signing, error);
}

static void
assert_sign (WardConnection *connection, WardWrappedKey *const *keys)
{
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");

  for (guint i = 0; i < G_N_ELEMENTS (auths); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) signature = try_to_sign (connection, keys[i], auths[i], &error);
      g_autoptr (GBytes) public_key = key_get_public (keys[i]);

      g_assert_no_error (error);
      g_assert_true (pkey_verify (public_key, "sha256", FALSE, digest, signature));
    }
}

static guint
get_failures (Fixture *fixture)
{
  g_autofree WardOwnership *ownership = ward_tpm2_backend.read_ownership (fixture->connection, NULL);

  return ownership->failures;
}

static void
make_keys (WardConnection *connection, WardWrappedKey **keys)
{
  for (guint i = 0; i < G_N_ELEMENTS (auths); i++)
    keys[i] = key_create (connection, "ecc-p256", WARD_KEY_SIGN, auths[i]);
}

/* data: whether the keys have connections of their own, as with a resource manager. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->swtpm = swtpm_new (TRUE);
  if (fixture->swtpm == NULL)
    return;
  fixture->connection = swtpm_connect (fixture->swtpm);
  assert_works (owner_provision (fixture->connection, NULL, &error));
  make_keys (fixture->connection, fixture->keys);
  if (GPOINTER_TO_INT (data))
    ward_tpm2_cache_set_managed (fixture->connection->cache);
  assert_sign (fixture->connection, fixture->keys);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  if (fixture->swtpm == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (fixture->keys); i++)
    ward_sealed_free (fixture->keys[i]);
  ward_tpm2_backend.close (fixture->connection);
  swtpm_free (fixture->swtpm);
}

/* Another service begins on the same software TPM: it flushes what it finds. */
static void
test_flushed (Fixture *fixture, gconstpointer data)
{
  static const gint64 trusts[] = { G_MAXINT64, -1 };

  if (fixture->swtpm == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (trusts); i++)
    {
      g_autoptr (WardConnection) elsewhere = swtpm_connect (fixture->swtpm);

      ward_tpm2_cache_set_trust (fixture->connection->cache, trusts[i]);
      assert_sign (fixture->connection, fixture->keys);
      assert_sign (fixture->connection, fixture->keys);
    }
  g_assert_cmpuint (get_failures (fixture), ==, 0);
}

/* And has a key and a session of its own at the same handles. A signature by the wrong key, or a failure counted
 * because of the wrong session, would be the worst that can happen. */
static void
test_taken (Fixture *fixture, gconstpointer data)
{
  static const WardKeyTemplate template = { .algorithm = "ecc-p256",
                                            .usage = WARD_KEY_SIGN | WARD_KEY_AGREE,
                                            .no_da = TRUE };
  static const WardKeyAuths none = { 0 };
  g_autoptr (Pkey) peer = pkey_new_ecc ("P-256");
  g_autoptr (GBytes) peer_public = pkey_to_public (peer);
  g_autoptr (WardPoint) point = ward_point_parse (peer_public, NULL);
  g_autoptr (WardConnection) elsewhere = NULL;
  g_autoptr (WardWrappedKey) other = NULL;

  if (fixture->swtpm == NULL)
    return;
  elsewhere = swtpm_connect (fixture->swtpm);
  ward_tpm2_cache_set_trust (fixture->connection->cache, -1);
  ward_tpm2_cache_set_trust (elsewhere->cache, -1);
  other = key_create_as (elsewhere, &template, NULL, NULL, NULL);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (WardConnection) begins = swtpm_connect (fixture->swtpm);
      g_autoptr (WardSecret) agreed = ward_tpm2_backend.agree (elsewhere, other, &none, point, NULL);

      g_assert_nonnull (agreed);
      assert_sign (fixture->connection, fixture->keys);
    }
  g_assert_cmpuint (get_failures (fixture), ==, 0);
}

/* As if the machine had slept, and another program started the TPM up. */
static void
test_reset (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardConnection) starter = NULL;

  if (fixture->swtpm == NULL)
    return;
  ward_tpm2_cache_set_trust (fixture->connection->cache, G_MAXINT64);
  swtpm_reset (fixture->swtpm);
  starter = swtpm_connect (fixture->swtpm);
  g_assert_nonnull (starter);
  /* of the two only the second is used: the first must not be taken for what is loaded in its place */
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) signature = try_to_sign (fixture->connection, fixture->keys[1], "right", NULL);

      g_assert_nonnull (signature);
    }
  assert_sign (fixture->connection, fixture->keys);
}

/* What was made before a clear is gone, whatever was kept of it. */
static void
test_cleared (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardConnection) elsewhere = NULL;

  if (fixture->swtpm == NULL)
    return;
  elsewhere = ward_tpm2_connection_open_beside (fixture->connection);
  ward_tpm2_cache_set_trust (fixture->connection->cache, G_MAXINT64);
  g_assert_cmphex (Esys_Clear (elsewhere->esys, ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE), ==,
                   TSS2_RC_SUCCESS);
  for (guint i = 0; i < G_N_ELEMENTS (auths); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (try_to_sign (fixture->connection, fixture->keys[i], auths[i], &error));
      g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
    }
  g_assert_cmpuint (get_failures (fixture), ==, 0);
}

/* A wrong value for a key that is kept is one failure, and harms neither the key nor the session. */
static void
test_wrong_auth (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  if (fixture->swtpm == NULL)
    return;
  g_assert_null (try_to_sign (fixture->connection, fixture->keys[1], "wrong", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_cmpuint (get_failures (fixture), ==, 1);
  assert_sign (fixture->connection, fixture->keys);
  g_assert_cmpuint (get_failures (fixture), ==, 1);
}

#define ADD(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tpm2/cache-lost/direct/flushed", DIRECT, test_flushed);
  ADD ("/tpm2/cache-lost/direct/taken", DIRECT, test_taken);
  ADD ("/tpm2/cache-lost/direct/reset", DIRECT, test_reset);
  ADD ("/tpm2/cache-lost/direct/cleared", DIRECT, test_cleared);
  ADD ("/tpm2/cache-lost/direct/wrong-auth", DIRECT, test_wrong_auth);
  ADD ("/tpm2/cache-lost/managed/flushed", MANAGED, test_flushed);
  ADD ("/tpm2/cache-lost/managed/reset", MANAGED, test_reset);
  ADD ("/tpm2/cache-lost/managed/cleared", MANAGED, test_cleared);
  ADD ("/tpm2/cache-lost/managed/wrong-auth", MANAGED, test_wrong_auth);
  return g_test_run ();
}
