/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a try costs whom, over a backend whose chip this test plays. */
#include "ward-tpm-seal.h"

#include <string.h>

#include "test-tpm-fixture.h"
#include "ward-error.h"

#define ALICE 1000
#define BOB 1001

/* What the chip does with what is sealed. Read by the test while the worker has nothing to do. */
static struct
{
  gboolean counts;
  guint n_unsealed;
  int breaks;             /* the transport, at so many of the next tries */
  gboolean counts_unseen; /* a wrong try, though its transport breaks */
  char *budgets;          /* the record's path */
  WardSecret *payload;    /* what is sealed in it */
} chip;

static WardSealed *
chip_seal (WardConnection *connection, WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs, gboolean no_da,
           GError **error)
{
  WardSealed *sealed = ward_sealed_new ();

  sealed->parent = WARD_SRK_HANDLE;
  sealed->has_auth = auths->auth != NULL;
  sealed->public_area = g_bytes_new_static ("public", 6);
  sealed->private_area = g_bytes_new_static ("private", 7);
  g_clear_pointer (&chip.payload, ward_secret_unref);
  chip.payload = ward_secret_ref (data);
  return sealed;
}

static gboolean
chip_check_sealed (const WardSealed *sealed, gboolean *counts, GError **error)
{
  *counts = chip.counts;
  return TRUE;
}

static gboolean
is_right (WardSecret *auth)
{
  return auth && ward_secret_get_size (auth) == 5 && memcmp (ward_secret_get_data (auth), "right", 5) == 0;
}

static WardSecret *
chip_unseal (WardConnection *connection, const WardSealed *sealed, const WardKeyAuths *auths, GError **error)
{
  chip.n_unsealed++;
  /* a counted try of a user's is on disk by now */
  g_assert_true (g_file_test (chip.budgets, G_FILE_TEST_EXISTS) == chip.counts);
  if (chip.breaks-- > 0)
    {
      test_chip.ownership.failures += chip.counts_unseen;
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_UNREACHABLE, "The chip is away.");
    }
  else if (sealed->has_auth && !is_right (auths->auth))
    {
      test_chip.ownership.failures += chip.counts;
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED, "The chip refuses it.");
    }
  else
    return ward_secret_ref (chip.payload);
  return NULL;
}

static gboolean
chip_reset_lockout (WardConnection *connection, WardSecret *auth, GError **error)
{
  test_chip.ownership.failures = 0;
  return TRUE;
}

static gboolean
chip_clear (WardConnection *connection, WardSecret *auth, GError **error)
{
  test_chip.ownership.failures = 0;
  return TRUE;
}

static const WardBackend backend = {
  .family = "2.0",
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .read_ownership = test_chip_read_ownership,
  .reset_lockout = chip_reset_lockout,
  .clear = chip_clear,
  .seal = chip_seal,
  .check_sealed = chip_check_sealed,
  .unseal = chip_unseal,
};

typedef struct
{
  TestTpm base;
  char *blob; /* with an auth value */
} Fixture;

static char *
seal (Fixture *fixture, gsize size, const char *auth)
{
  WardTicket ticket = { ALICE, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardSecret) data = ward_secret_new (size);
  g_autoptr (WardSecret) secret = auth ? ward_secret_new_from (auth, strlen (auth)) : ward_secret_new (0);
  g_autoptr (GError) error = NULL;
  char *blob;

  memset (ward_secret_get_data (data), 'd', size);
  ward_tpm_seal_async (fixture->base.tpm, &ticket, data, &(WardKeyAuths){ .auth = auth ? secret : NULL }, NULL, FALSE,
                       test_keep_result, &result);
  blob = ward_tpm_seal_finish (fixture->base.tpm, test_await_result (&result), &error);
  g_assert_no_error (error);
  return blob;
}

static WardSecret *
unseal (Fixture *fixture, const char *blob, guint uid, const char *auth, GError **error)
{
  WardTicket ticket = { uid, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardSecret) secret = ward_secret_new_from (auth ? auth : "", auth ? strlen (auth) : 0);
  WardEnvelope *envelope = ward_envelope_parse (blob, error);

  g_assert_nonnull (envelope);
  ward_tpm_unseal_async (fixture->base.tpm, &ticket, envelope, &(WardKeyAuths){ .auth = auth ? secret : NULL },
                         test_keep_result, &result);
  return ward_tpm_unseal_finish (fixture->base.tpm, test_await_result (&result), error);
}

static void
assert_unseals (Fixture *fixture, const char *blob, guint uid, const char *auth, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = unseal (fixture, blob, uid, auth, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (ward_secret_get_size (data), ==, size);
  g_assert_cmpint (ward_secret_get_data (data)[size - 1], ==, 'd');
}

static void
assert_refused (Fixture *fixture, guint uid, const char *auth, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (unseal (fixture, fixture->blob, uid, auth, &error));
  g_assert_error (error, WARD_ERROR, code);
  g_assert_nonnull (strstr (error->message, word));
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  test_tpm_make (&fixture->base);
  test_chip.ownership.max_failures = 16;
  test_chip.ownership.recovery_seconds = 1000;
  test_chip.ownership.max_auth_size = 32;
  chip.counts = TRUE;
  chip.n_unsealed = 0;
  chip.breaks = 0;
  chip.budgets = g_build_filename (fixture->base.state_dir, "tpm7.budgets", NULL);
  test_tpm_start (&fixture->base, &backend, "device:/test");
  fixture->blob = seal (fixture, 10, "right");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  test_tpm_remove (&fixture->base, (const char *const[]){ "tpm7.budgets", "tpm7.chip", NULL });
  g_clear_pointer (&chip.payload, ward_secret_unref);
  g_free (chip.budgets);
  g_free (fixture->blob);
}

static void
test_right_auth_costs_nothing (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 10; i++)
    assert_unseals (fixture, fixture->blob, BOB, "right", 10);
}

static void
test_large_data (Fixture *fixture, gconstpointer data)
{
  g_autofree char *blob = seal (fixture, 5000, "right");

  assert_unseals (fixture, blob, BOB, "right", 5000);
}

/* Of 16 tries 2 are root's, and of 14 each user has 3. */
static void
test_budget (Fixture *fixture, gconstpointer data)
{
  assert_refused (fixture, BOB, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "2 more tries");
  assert_refused (fixture, BOB, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "1 more tries");
  assert_refused (fixture, BOB, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "the TPM has 13");
  assert_refused (fixture, BOB, "right", WARD_ERROR_LOCKED_OUT, "at most 3");
  g_assert_cmpuint (chip.n_unsealed, ==, 3);
  assert_unseals (fixture, fixture->blob, ALICE, "right", 10);
  g_assert_cmpuint (ward_tpm_get_ownership (fixture->base.tpm)->failures, ==, 3);
}

static void
test_what_cannot_be_right_is_not_tried (Fixture *fixture, gconstpointer data)
{
  g_autofree char *without = seal (fixture, 10, NULL);
  g_autoptr (GError) error = NULL;

  assert_refused (fixture, BOB, NULL, WARD_ERROR_AUTHENTICATION_FAILED, "none was given");
  g_assert_null (unseal (fixture, without, BOB, "some", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_cmpuint (chip.n_unsealed, ==, 0);
  assert_unseals (fixture, without, BOB, NULL, 10);
}

static void
test_uncounted_is_not_charged (Fixture *fixture, gconstpointer data)
{
  chip.counts = FALSE;
  for (guint i = 0; i < 10; i++)
    assert_refused (fixture, BOB, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "refuses");
  assert_unseals (fixture, fixture->blob, BOB, "right", 10);
}

/* A try that the chip has counted is not made a second time behind its caller's back; one that it has not is. */
static void
test_broken_transport (Fixture *fixture, gconstpointer data)
{
  chip.breaks = 1;
  assert_unseals (fixture, fixture->blob, BOB, "right", 10);
  g_assert_cmpuint (chip.n_unsealed, ==, 2);
  assert_refused (fixture, BOB, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "2 more tries");
  chip.breaks = 1;
  chip.counts_unseen = TRUE;
  assert_refused (fixture, BOB, "wrong", WARD_ERROR_UNREACHABLE, "nobody knows");
  g_assert_cmpuint (chip.n_unsealed, ==, 4);
  assert_refused (fixture, BOB, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "0 more tries");
}

static void
test_broken_transport_where_nothing_counts (Fixture *fixture, gconstpointer data)
{
  chip.counts = FALSE;
  chip.breaks = 1;
  assert_unseals (fixture, fixture->blob, BOB, "right", 10);
  g_assert_cmpuint (chip.n_unsealed, ==, 2);
}

static void
exhaust (Fixture *fixture)
{
  for (guint i = 0; i < 3; i++)
    assert_refused (fixture, BOB, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "refuses");
  assert_refused (fixture, BOB, "right", WARD_ERROR_LOCKED_OUT, "at most 3");
}

static void
test_reset_restores (Fixture *fixture, gconstpointer data)
{
  WardTicket ticket = { 0, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;

  exhaust (fixture);
  ward_tpm_reset_lockout_async (fixture->base.tpm, &ticket, NULL, FALSE, test_keep_result, &result);
  g_assert_true (ward_tpm_reset_lockout_finish (fixture->base.tpm, test_await_result (&result), NULL));
  assert_unseals (fixture, fixture->blob, BOB, "right", 10);
}

static void
test_clear_restores (Fixture *fixture, gconstpointer data)
{
  WardTicket ticket = { 0, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;

  exhaust (fixture);
  ward_tpm_clear_async (fixture->base.tpm, &ticket, NULL, FALSE, test_keep_result, &result);
  g_assert_true (ward_tpm_clear_finish (fixture->base.tpm, test_await_result (&result), NULL));
  assert_unseals (fixture, fixture->blob, BOB, "right", 10);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tpm-seal/right-auth-costs-nothing", test_right_auth_costs_nothing);
  ADD ("/tpm-seal/large-data", test_large_data);
  ADD ("/tpm-seal/budget", test_budget);
  ADD ("/tpm-seal/what-cannot-be-right-is-not-tried", test_what_cannot_be_right_is_not_tried);
  ADD ("/tpm-seal/uncounted-is-not-charged", test_uncounted_is_not_charged);
  ADD ("/tpm-seal/broken-transport", test_broken_transport);
  ADD ("/tpm-seal/broken-transport-where-nothing-counts", test_broken_transport_where_nothing_counts);
  ADD ("/tpm-seal/reset-restores", test_reset_restores);
  ADD ("/tpm-seal/clear-restores", test_clear_restores);
  return g_test_run ();
}
