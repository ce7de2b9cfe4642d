/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys through a TPM's queue, on a software TPM: what comes of them, and what a try costs whom. */
#include "ward-tpm-keys.h"

#include <glib/gstdio.h>
#include <string.h>

#include "test-tpm2-key-fixture.h"
#include "ward-key-pem.h"

#define ALICE 1000
#define BOB 1001

typedef struct
{
  Swtpm *swtpm;
  char *state_dir;
  WardTpm *tpm; /* NULL when the test is skipped */
} Fixture;

static const WardTicket alice = { ALICE, ":1.1" };
static const WardTicket bob = { BOB, ":1.2" };

static void
set_up (Fixture *fixture, gconstpointer data)
{
  WardConnection *connection;

  fixture->swtpm = swtpm_new (TRUE);
  if (!fixture->swtpm)
    return;
  fixture->state_dir = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  connection = swtpm_connect (fixture->swtpm);
  /* room for tries of several users */
  g_assert_true (owner_set_lockout (connection, 16, 1000, 0, NULL, NULL));
  ward_tpm2_backend.close (connection);
  fixture->tpm = ward_tpm_new ("tpm7", "2.0", fixture->swtpm->transport, "", "", &ward_tpm2_backend,
                               fixture->state_dir);
  /* it flushes what it finds, which would be what a test does to the chip meanwhile */
  while (!ward_tpm_has_been_seen (fixture->tpm))
    g_main_context_iteration (NULL, TRUE);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GDir) folder = NULL;
  const char *name;

  if (!fixture->swtpm)
    return;
  ward_tpm_stop (fixture->tpm);
  g_clear_object (&fixture->tpm);
  g_assert_true (ward_worker_wait_all (10 * G_USEC_PER_SEC));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  folder = g_dir_open (fixture->state_dir, 0, NULL);
  while ((name = g_dir_read_name (folder)))
    {
      g_autofree char *path = g_build_filename (fixture->state_dir, name, NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (fixture->state_dir), ==, 0);
  g_free (fixture->state_dir);
  swtpm_free (fixture->swtpm);
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (!*result)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static WardMadeKey *
create (Fixture *fixture, const char *auth)
{
  WardKeyTemplate template = { .algorithm = "ecc-p256", .usage = WARD_KEY_SIGN, .no_da = auth == NULL };
  g_autoptr (WardSecret) secret = secret_of_text (auth ? auth : "");
  WardKeyAuths auths = { .auth = auth ? secret : NULL };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  WardMadeKey *made;

  ward_tpm_key_create_async (fixture->tpm, &alice, &template, &auths, keep_result, &result);
  made = ward_tpm_key_make_finish (fixture->tpm, wait_for (&result), &error);
  g_assert_no_error (error);
  return made;
}

static WardMadeKey *
import (Fixture *fixture, WardSecret *data, GError **error)
{
  WardKeyTemplate template = { .usage = WARD_KEY_SIGN, .no_da = TRUE };
  WardKeyAuths auths = { 0 };
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_key_import_async (fixture->tpm, &alice, data, NULL, &template, &auths, keep_result, &result);
  return ward_tpm_key_make_finish (fixture->tpm, wait_for (&result), error);
}

static GBytes *
sign (Fixture *fixture, const WardTicket *ticket, const WardMadeKey *made, const char *auth, GError **error)
{
  g_autoptr (WardSecret) secret = secret_of_text (auth ? auth : "");
  WardKeyAuths auths = { .auth = auth ? secret : NULL };
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");
  WardSigning *signing = ward_signing_new (made->facts, NULL, "sha256", digest, error);
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_key_sign_async (fixture->tpm, ticket, made->key, made->facts, &auths, signing, keep_result, &result);
  return ward_tpm_key_sign_finish (fixture->tpm, wait_for (&result), error);
}

static void
assert_signed (Fixture *fixture, const WardTicket *ticket, const WardMadeKey *made, const char *auth)
{
  g_autoptr (GBytes) digest = digest_of ("sha256", "sign me");
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) signature = sign (fixture, ticket, made, auth, &error);

  g_assert_no_error (error);
  g_assert_true (pkey_verify (made->public_key, "sha256", FALSE, digest, signature));
}

static void
assert_refused (Fixture *fixture, const WardTicket *ticket, const WardMadeKey *made, const char *auth, int code,
                const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (sign (fixture, ticket, made, auth, &error));
  g_assert_error (error, WARD_ERROR, code);
  assert_message_contains (error, word);
}

static void
test_create_and_sign (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;
  g_autoptr (GBytes) public_key = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, NULL);
  assert_signed (fixture, &alice, made, NULL);
  public_key = ward_tpm_key_get_public (fixture->tpm, made->key, NULL);
  g_assert_true (g_bytes_equal (public_key, made->public_key));
}

static void
test_import_wrapped (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;
  g_autoptr (WardMadeKey) again = NULL;
  g_autofree char *text = NULL;
  g_autoptr (WardSecret) secret = NULL;
  g_autoptr (GError) error = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, "right");
  text = ward_key_pem_print (made->key);
  secret = secret_of_text (text);
  again = import (fixture, secret, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (again->public_key, made->public_key));
  assert_signed (fixture, &alice, again, "right");
}

/* Of another TPM, as far as this one can tell. */
static void
test_import_foreign (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;
  g_autofree char *text = NULL;
  g_autoptr (WardSecret) secret = NULL;
  g_autoptr (GError) error = NULL;
  guint8 *changed;
  gsize size;

  if (!fixture->tpm)
    return;
  made = create (fixture, NULL);
  changed = g_memdup2 (g_bytes_get_data (made->key->private_area, NULL), g_bytes_get_size (made->key->private_area));
  size = g_bytes_get_size (made->key->private_area);
  changed[size - 1] ^= 1;
  g_bytes_unref (made->key->private_area);
  made->key->private_area = g_bytes_new_take (changed, size);
  text = ward_key_pem_print (made->key);
  secret = secret_of_text (text);
  g_assert_null (import (fixture, secret, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_CORRUPT);
}

static void
test_import_plain (Fixture *fixture, gconstpointer data)
{
  g_autoptr (Pkey) pkey = pkey_new_ecc ("P-384");
  g_autoptr (GBytes) public_key = pkey_to_public (pkey);
  g_autoptr (WardSecret) pem = pkey_to_pem (pkey);
  g_autoptr (WardMadeKey) made = NULL;
  g_autoptr (GError) error = NULL;

  if (!fixture->tpm)
    return;
  made = import (fixture, pem, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (made->public_key, public_key));
  assert_signed (fixture, &alice, made, NULL);
}

/* Of 16 tries 2 are root's, and of 14 each user has 3. */
static void
test_budget (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, "right");
  assert_refused (fixture, &bob, made, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "2 more tries");
  assert_refused (fixture, &bob, made, NULL, WARD_ERROR_AUTHENTICATION_FAILED, "none was given");
  assert_refused (fixture, &bob, made, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "1 more tries");
  assert_refused (fixture, &bob, made, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "the TPM has 13");
  assert_refused (fixture, &bob, made, "right", WARD_ERROR_LOCKED_OUT, "at most 3");
  assert_signed (fixture, &alice, made, "right");
  g_assert_cmpuint (ward_tpm_get_ownership (fixture->tpm)->failures, ==, 3);
}

static void
test_what_cannot_be_right_is_not_tried (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, NULL);
  assert_refused (fixture, &bob, made, "some", WARD_ERROR_AUTHENTICATION_FAILED, "not tried");
  assert_signed (fixture, &bob, made, NULL);
}

static void
test_change_auth (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardSecret) old_auth = secret_of_text ("first");
  g_autoptr (WardSecret) new_auth = secret_of_text ("second");
  WardKeyAuths auths = { .auth = old_auth };
  g_autoptr (WardMadeKey) made = NULL;
  g_autoptr (WardMadeKey) changed = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, "first");
  ward_tpm_key_change_auth_async (fixture->tpm, &alice, made->key, made->facts, &auths, new_auth, keep_result, &result);
  changed = ward_tpm_key_make_finish (fixture->tpm, wait_for (&result), &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (changed->public_key, made->public_key));
  assert_signed (fixture, &alice, changed, "second");
}

static void
test_persist (Fixture *fixture, gconstpointer data)
{
  WardKeyAuths auths = { 0 };
  g_autoptr (WardMadeKey) made = NULL;
  g_autoptr (GAsyncResult) kept = NULL;
  g_autoptr (GAsyncResult) evicted = NULL;
  g_autoptr (GAsyncResult) missing = NULL;
  g_autoptr (GError) error = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, NULL);
  ward_tpm_key_persist_async (fixture->tpm, &alice, made->key, 0x81000009, &auths, keep_result, &kept);
  g_assert_true (ward_tpm_persist_finish (fixture->tpm, wait_for (&kept), NULL));
  g_assert_cmpuint (ward_tpm_get_ownership (fixture->tpm)->room.persistent, ==, 1);
  ward_tpm_evict_async (fixture->tpm, &alice, 0x81000009, NULL, keep_result, &evicted);
  g_assert_true (ward_tpm_persist_finish (fixture->tpm, wait_for (&evicted), NULL));
  ward_tpm_evict_async (fixture->tpm, &alice, 0x81000009, NULL, keep_result, &missing);
  g_assert_false (ward_tpm_persist_finish (fixture->tpm, wait_for (&missing), &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND);
}

/* How many objects and sessions there are, seen from a connection that changes nothing. */
static guint
count_left (Fixture *fixture)
{
  g_autoptr (Middleman) middleman = middleman_new (fixture->swtpm->transport);
  g_autoptr (WardConnection) connection = middleman_connect (middleman);
  g_autoptr (GArray) objects = ward_tpm2_read_handles (connection, WARD_TPM2_TRANSIENT_FIRST, NULL);
  g_autoptr (GArray) sessions = ward_tpm2_read_handles (connection, TPM2_LOADED_SESSION_FIRST, NULL);

  return objects->len + sessions->len;
}

static gboolean
is_charged (Fixture *fixture, guint uid)
{
  g_autofree char *path = g_build_filename (fixture->state_dir, "tpm7.budgets", NULL);
  g_autofree char *number = g_strdup_printf ("%u", uid);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && strstr (text, number);
}

static gboolean
go_on (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* What is kept for speed, in the chip and on disk, is given back after some seconds. */
static void
test_rest (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;
  guint source;

  if (!fixture->tpm)
    return;
  made = create (fixture, "right");
  assert_signed (fixture, &alice, made, "right");
  g_assert_cmpuint (count_left (fixture), ==, 2);
  g_assert_true (is_charged (fixture, ALICE));
  source = g_timeout_add (100, go_on, NULL);
  while (count_left (fixture) > 0 || is_charged (fixture, ALICE))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
  assert_signed (fixture, &alice, made, "right");
}

/* An end in the middle of a burst costs nobody a try. */
static void
test_end_in_a_burst (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, "right");
  assert_signed (fixture, &alice, made, "right");
  ward_tpm_stop (fixture->tpm);
  g_assert_true (ward_worker_wait_all (10 * G_USEC_PER_SEC));
  g_assert_cmpuint (count_left (fixture), ==, 0);
  g_assert_false (is_charged (fixture, ALICE));
}

/* A chip that was reset, or started anew, takes all away that was kept, and nobody notices. */
static void
test_restarted_chip (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) counted = NULL;
  g_autoptr (WardMadeKey) made = NULL;

  if (!fixture->tpm)
    return;
  counted = create (fixture, "right");
  made = create (fixture, NULL);
  for (guint i = 0; i < 3; i++)
    {
      assert_signed (fixture, &alice, counted, "right");
      assert_signed (fixture, &alice, made, NULL);
      swtpm_reset (fixture->swtpm);
    }
  assert_signed (fixture, &alice, counted, "right");
}

static void
test_find_parents (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardMadeKey) made = NULL;
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_auto (GStrv) without = NULL;
  g_auto (GStrv) with = NULL;

  if (!fixture->tpm)
    return;
  made = create (fixture, NULL);
  ward_tpm_find_parents_async (fixture->tpm, FALSE, keep_result, &first);
  without = ward_tpm_find_parents_finish (fixture->tpm, wait_for (&first), NULL);
  g_assert_cmpuint (g_strv_length (without), ==, 0);
  ward_tpm_find_parents_async (fixture->tpm, TRUE, keep_result, &second);
  with = ward_tpm_find_parents_finish (fixture->tpm, wait_for (&second), NULL);
  g_assert_cmpuint (g_strv_length (with), ==, 1);
  g_assert_cmpstr (with[0], ==, made->key->parent_name);
}

static void
create_as_owner (Fixture *fixture, const WardTicket *ticket, const char *owner_auth, GError **error)
{
  WardKeyTemplate template = { .algorithm = "ecc-p256", .usage = WARD_KEY_SIGN, .no_da = TRUE };
  g_autoptr (WardSecret) secret = secret_of_text (owner_auth);
  WardKeyAuths auths = { .owner_auth = secret };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardMadeKey) made = NULL;

  ward_tpm_key_create_async (fixture->tpm, ticket, &template, &auths, keep_result, &result);
  made = ward_tpm_key_make_finish (fixture->tpm, wait_for (&result), error);
  g_assert_true (made || !error || *error);
}

/* The chip counts none of them. */
static void
test_owner_auth_is_not_guessed (Fixture *fixture, gconstpointer data)
{
  WardConnection *connection;
  g_autoptr (GError) error = NULL;
  guint n_tried = 0;

  if (!fixture->tpm)
    return;
  connection = swtpm_connect (fixture->swtpm);
  owner_set (connection, WARD_HIERARCHY_OWNER, "owner");
  ward_tpm2_backend.close (connection);

  for (; n_tried < 100 && !g_error_matches (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT); n_tried++)
    {
      g_clear_error (&error);
      create_as_owner (fixture, &alice, "guess", &error);
      g_assert_nonnull (error);
    }
  g_assert_error (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT);
  g_assert_cmpuint (n_tried, >, 1);

  g_clear_error (&error);
  create_as_owner (fixture, &bob, "owner", &error);
  g_assert_no_error (error);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tpm-keys/create-and-sign", test_create_and_sign);
  ADD ("/tpm-keys/import-wrapped", test_import_wrapped);
  ADD ("/tpm-keys/import-foreign", test_import_foreign);
  ADD ("/tpm-keys/import-plain", test_import_plain);
  ADD ("/tpm-keys/budget", test_budget);
  ADD ("/tpm-keys/what-cannot-be-right-is-not-tried", test_what_cannot_be_right_is_not_tried);
  ADD ("/tpm-keys/change-auth", test_change_auth);
  ADD ("/tpm-keys/owner-auth-is-not-guessed", test_owner_auth_is_not_guessed);
  ADD ("/tpm-keys/persist", test_persist);
  ADD ("/tpm-keys/find-parents", test_find_parents);
  ADD ("/tpm-keys/rest", test_rest);
  ADD ("/tpm-keys/end-in-a-burst", test_end_in_a_burst);
  ADD ("/tpm-keys/restarted-chip", test_restarted_chip);
  return g_test_run ();
}
