/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys stay usable for as long as what they lie beneath is in their TPM, over a played chip. */
#include "ward-keyring-tpms.h"

#include <string.h>

#include "test-keyring-fixture.h"
#include "test-tpm-fixture.h"
#include "test-tree.h"
#include "ward-error.h"

#define SRK PARENT
#define OTHER_SRK OTHER_PARENT
#define OWNER "000b000000000000000000000000000000000000000000000000000000000000cccc"
#define NEW_OWNER "000b000000000000000000000000000000000000000000000000000000000000dddd"

/* The chip's, beside what it is otherwise; only changed while the worker has nothing to do. */
static struct
{
  const char *owner; /* Name of the owner hierarchy's primary key */
  guint asked;       /* how often for that */
  gboolean refuses;  /* to tell */
} hierarchy;

static GStrv
find_parents (WardConnection *connection, gboolean with_owner, GError **error)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autofree WardOwnership *ownership = test_chip_read_ownership (connection, error);

  if (!ownership)
    return NULL;
  if (*ownership->srk_name)
    g_strv_builder_add (names, ownership->srk_name);
  if (with_owner)
    hierarchy.asked++;
  if (hierarchy.refuses)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED, "The chip refuses.");
      return NULL;
    }
  if (with_owner && !ownership->owner_auth_set)
    g_strv_builder_add (names, hierarchy.owner);
  return g_strv_builder_end (names);
}

static const WardBackend backend = {
  .family = "2.0",
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .probe = test_chip_probe,
  .read_ownership = test_chip_read_ownership,
  .find_parents = find_parents,
};
static const WardBackend *const backends[] = { &backend, NULL };

typedef struct
{
  TestKeyring keys;
  WardInventory *inventory;
  WardTpm *tpm;
} Fixture;

static void
start_tpm (Fixture *fixture)
{
  g_autoptr (WardConfig) config = ward_config_new ();
  g_autoptr (GError) error = NULL;

  fixture->inventory = ward_inventory_new (backends, fixture->keys.state_dir);
  config->discover = FALSE;
  ward_config_add_tpm (config, TPM "=device:/dev/null", &error);
  g_assert_no_error (error);
  ward_keyring_follow (fixture->keys.keyring, fixture->inventory);
  ward_inventory_start (fixture->inventory, config);
  fixture->tpm = ward_inventory_get_tpms (fixture->inventory)->pdata[0];
  test_tpm_await_state (fixture->tpm, WARD_TPM_READY);
}

static void
stop_tpm (Fixture *fixture)
{
  ward_inventory_stop (fixture->inventory);
  g_clear_object (&fixture->inventory);
  g_assert_true (ward_worker_wait_all (10 * G_USEC_PER_SEC));
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
set_srk (const char *name)
{
  test_chip.ownership.srk_handle = *name ? WARD_SRK_HANDLE : 0;
  g_strlcpy (test_chip.ownership.srk_name, name, WARD_NAME_SIZE);
}

/* The chip is on for a while, and has a storage root key. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  test_chip = (TestChip){ .order = g_string_new (NULL), .ownership = { .reset_count = 3, .clock = 5000 } };
  hierarchy.owner = OWNER;
  hierarchy.asked = 0;
  hierarchy.refuses = FALSE;
  set_srk (SRK);
  test_keyring_set_up (&fixture->keys, NULL);
  start_tpm (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  test_keyring_let_go (&fixture->keys.keyring);
  stop_tpm (fixture);
  test_state_free (fixture->keys.state_dir);
  g_string_free (test_chip.order, TRUE);
}

/* Has the worker look at the chip, and waits for what that brings about. */
static void
look (Fixture *fixture)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GAsyncResult) result = NULL;

      test_chip.ownership.clock += 10;
      ward_tpm_refresh_async (fixture->tpm, NULL, test_keep_result, &result);
      ward_tpm_refresh_finish (fixture->tpm, test_await_result (&result), NULL);
    }
}

static WardKey *
add (Fixture *fixture, const char *label, guint32 parent, const char *parent_name)
{
  g_autoptr (WardKey) key = test_key_new ();
  WardKey *added;

  key->parent = parent;
  g_free (key->parent_name);
  key->parent_name = g_strdup (parent_name);
  added = test_keyring_add_key (&fixture->keys, TPM, ALICE, label, key, NULL);
  g_assert_nonnull (added);
  return added;
}

static void
assert_usable (Fixture *fixture, const WardKey *key, gboolean usable)
{
  test_keyring_assert_usable (&fixture->keys, key, usable ? TEST_USABLE : WARD_ERROR_CORRUPT,
                              "before that was cleared");
}

static void
clear (void)
{
  set_srk ("");
  hierarchy.owner = NEW_OWNER;
  test_chip.ownership.reset_count = 0;
  test_chip.ownership.clock = 1;
  memset (test_chip.ownership.srk_name, 0, sizeof test_chip.ownership.srk_name);
}

static void
test_srk (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = add (fixture, "mail", WARD_SRK_HANDLE, SRK);
  g_autoptr (WardKey) later = NULL;

  look (fixture);
  assert_usable (fixture, key, TRUE);
  fixture->keys.changes = 0;
  look (fixture);
  g_assert_cmpuint (fixture->keys.changes, ==, 0);
  clear ();
  look (fixture);
  assert_usable (fixture, key, FALSE);
  g_assert_cmpuint (fixture->keys.changes, >, 0);
  /* one that is provisioned anew is another key */
  set_srk (OTHER_SRK);
  look (fixture);
  assert_usable (fixture, key, FALSE);
  later = add (fixture, "later", WARD_SRK_HANDLE, OTHER_SRK);
  look (fixture);
  assert_usable (fixture, later, TRUE);
  /* no key was where only that key could be */
  g_assert_cmpuint (hierarchy.asked, ==, 0);
}

/* Of the former chip, or one that was evicted and is provisioned again: what was known of it is not for good. */
static void
test_srk_returns (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = add (fixture, "mail", WARD_SRK_HANDLE, SRK);

  set_srk (OTHER_SRK);
  look (fixture);
  assert_usable (fixture, key, FALSE);
  set_srk (SRK);
  look (fixture);
  assert_usable (fixture, key, TRUE);
}

/* Without a storage root key at its handle, the transient one of the same template is the same key. */
static void
test_srk_evicted (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = add (fixture, "mail", WARD_SRK_HANDLE, SRK);
  g_autoptr (WardKey) other = add (fixture, "other", WARD_SRK_HANDLE, OTHER_SRK);

  hierarchy.owner = SRK;
  set_srk ("");
  look (fixture);
  assert_usable (fixture, key, TRUE);
  assert_usable (fixture, other, FALSE);
  g_assert_cmpuint (hierarchy.asked, ==, 1);
}

static void
test_unreachable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = add (fixture, "mail", WARD_SRK_HANDLE, SRK);

  look (fixture);
  test_chip_set (&test_chip.gone, TRUE);
  look (fixture);
  test_tpm_await_state (fixture->tpm, WARD_TPM_UNREACHABLE);
  assert_usable (fixture, key, TRUE);
  test_chip_set (&test_chip.gone, FALSE);
  test_tpm_await_state (fixture->tpm, WARD_TPM_READY);
  look (fixture);
  assert_usable (fixture, key, TRUE);
}

/* It goes and another one comes, which has its name. */
static void
test_replaced (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = add (fixture, "mail", WARD_SRK_HANDLE, SRK);
  g_autoptr (WardKey) owners = add (fixture, "post", WARD_OWNER_PARENT, OWNER);

  look (fixture);
  test_chip_set (&test_chip.gone, TRUE);
  look (fixture);
  test_tpm_await_state (fixture->tpm, WARD_TPM_UNREACHABLE);
  set_srk (OTHER_SRK);
  hierarchy.owner = NEW_OWNER;
  test_chip_set (&test_chip.gone, FALSE);
  test_tpm_await_state (fixture->tpm, WARD_TPM_READY);
  look (fixture);
  assert_usable (fixture, key, FALSE);
  assert_usable (fixture, owners, FALSE);
}

/* Its like without a storage root key, while nobody looked: it was off, at least. */
static void
test_replaced_unseen (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = NULL;

  set_srk ("");
  look (fixture);
  key = add (fixture, "mail", WARD_OWNER_PARENT, OWNER);
  look (fixture);
  assert_usable (fixture, key, TRUE);
  hierarchy.owner = NEW_OWNER;
  test_chip.ownership.reset_count++;
  look (fixture);
  assert_usable (fixture, key, FALSE);
}

/* It is asked again for what it could not tell. */
static void
test_asked_again (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = NULL;

  set_srk ("");
  look (fixture);
  hierarchy.refuses = TRUE;
  key = add (fixture, "mail", WARD_OWNER_PARENT, NEW_OWNER);
  look (fixture);
  assert_usable (fixture, key, TRUE);
  hierarchy.refuses = FALSE;
  look (fixture);
  assert_usable (fixture, key, FALSE);
}

static void
test_restarted (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = add (fixture, "mail", WARD_SRK_HANDLE, SRK);
  g_autoptr (WardKey) owners = add (fixture, "post", WARD_OWNER_PARENT, OWNER);
  g_autoptr (WardKey) strangers = add (fixture, "strange", WARD_OWNER_PARENT, NEW_OWNER);

  look (fixture);
  test_keyring_let_go (&fixture->keys.keyring);
  stop_tpm (fixture);
  hierarchy.asked = 0;
  fixture->keys.keyring = ward_keyring_new (fixture->keys.state_dir, test_get_user_name);
  /* before the keys are loaded */
  start_tpm (fixture);
  g_assert_true (test_keyring_prepare (&fixture->keys, ALICE, NULL));
  look (fixture);
  g_assert_cmpuint (hierarchy.asked, ==, 1);
  assert_usable (fixture, key, TRUE);
  assert_usable (fixture, owners, TRUE);
  assert_usable (fixture, strangers, FALSE);
}

/* Beneath the owner hierarchy's primary key, which is looked for once. */
static void
test_owner (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = NULL, second = NULL, later = NULL;

  set_srk ("");
  look (fixture);
  g_assert_cmpuint (hierarchy.asked, ==, 0);
  key = add (fixture, "mail", WARD_OWNER_PARENT, OWNER);
  assert_usable (fixture, key, TRUE);
  look (fixture);
  second = add (fixture, "post", WARD_OWNER_PARENT, OWNER);
  look (fixture);
  assert_usable (fixture, key, TRUE);
  assert_usable (fixture, second, TRUE);
  g_assert_cmpuint (hierarchy.asked, ==, 1);
  /* the storage root key is the same one, for good */
  set_srk (OWNER);
  look (fixture);
  assert_usable (fixture, key, TRUE);
  set_srk ("");
  clear ();
  look (fixture);
  assert_usable (fixture, key, FALSE);
  later = add (fixture, "later", WARD_OWNER_PARENT, NEW_OWNER);
  assert_usable (fixture, later, TRUE);
  look (fixture);
  assert_usable (fixture, later, TRUE);
  assert_usable (fixture, key, FALSE);
}

/* Where it cannot be made to look at its Name, keys are not told to be unusable, unless they are of before a clear. */
static void
test_owner_auth (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = NULL, later = NULL;

  set_srk ("");
  test_chip.ownership.owner_auth_set = TRUE;
  look (fixture);
  key = add (fixture, "mail", WARD_OWNER_PARENT, OWNER);
  look (fixture);
  assert_usable (fixture, key, TRUE);
  clear ();
  look (fixture);
  assert_usable (fixture, key, FALSE);
  later = add (fixture, "later", WARD_OWNER_PARENT, NEW_OWNER);
  look (fixture);
  assert_usable (fixture, later, TRUE);
  assert_usable (fixture, key, FALSE);
  g_assert_cmpuint (hierarchy.asked, ==, 0);
  test_chip.ownership.owner_auth_set = FALSE;
  look (fixture);
  g_assert_cmpuint (hierarchy.asked, ==, 1);
  assert_usable (fixture, later, TRUE);
}

/* What another program has put at the handle is seen at the next look, and what the chip made is used until then. */
static void
test_unseen_srk (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WardKey) key = NULL;

  set_srk (OTHER_SRK);
  key = add (fixture, "mail", WARD_SRK_HANDLE, OTHER_SRK);
  assert_usable (fixture, key, TRUE);
  while (strcmp (ward_tpm_get_ownership (fixture->tpm)->srk_name, OTHER_SRK) != 0)
    g_main_context_iteration (NULL, TRUE);
  assert_usable (fixture, key, TRUE);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* that a chip was cleared is told of */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  ADD ("/keyring/srk", test_srk);
  ADD ("/keyring/srk-returns", test_srk_returns);
  ADD ("/keyring/srk-evicted", test_srk_evicted);
  ADD ("/keyring/unreachable", test_unreachable);
  ADD ("/keyring/replaced", test_replaced);
  ADD ("/keyring/replaced-unseen", test_replaced_unseen);
  ADD ("/keyring/asked-again", test_asked_again);
  ADD ("/keyring/restarted", test_restarted);
  ADD ("/keyring/owner", test_owner);
  ADD ("/keyring/owner-auth", test_owner_auth);
  ADD ("/keyring/unseen-srk", test_unseen_srk);
  return g_test_run ();
}
