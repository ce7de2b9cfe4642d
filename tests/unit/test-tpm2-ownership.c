/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-owner.h"

#include <signal.h>
#include <string.h>

static const WardHierarchy all[] = { WARD_HIERARCHY_OWNER, WARD_HIERARCHY_ENDORSEMENT, WARD_HIERARCHY_LOCKOUT };

/* As swtpm has it: contexts are protected by SHA-512. */
#define MAX_AUTH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static gboolean
is_set (WardConnection *connection, WardHierarchy hierarchy)
{
  g_autofree WardOwnership *ownership = owner_read (connection);

  switch (hierarchy)
    {
    case WARD_HIERARCHY_OWNER:
      return ownership->owner_auth_set;
    case WARD_HIERARCHY_ENDORSEMENT:
      return ownership->endorsement_auth_set;
    case WARD_HIERARCHY_LOCKOUT:
    default:
      return ownership->lockout_auth_set;
    }
}

static void
test_fresh_tpm (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  ownership = owner_read (connection);
  g_assert_false (ownership->owner_auth_set);
  g_assert_false (ownership->endorsement_auth_set);
  g_assert_false (ownership->lockout_auth_set);
  g_assert_true (ownership->owner_enabled);
  g_assert_true (ownership->endorsement_enabled);
  g_assert_false (ownership->clear_disabled);
  g_assert_cmphex (ownership->srk_handle, ==, 0);
  g_assert_false (ownership->locked_out);
  g_assert_cmpuint (ownership->failures, ==, 0);
  g_assert_cmpuint (ownership->max_failures, ==, 3);
  g_assert_cmpuint (ownership->recovery_seconds, ==, 1000);
  g_assert_cmpuint (ownership->lockout_recovery_seconds, ==, 1000);
  g_assert_cmpuint (ownership->max_auth_size, ==, 64);
}

/* The guard of the lockout auth tells by it whether a bar has ended. */
static void
test_reset_is_counted (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  WARD_ESYS_AUTOFREE TPMS_TIME_INFO *time = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  ownership = owner_read (connection);
  g_assert_cmphex (Esys_ReadClock (connection->esys, WARD_TPM2_NO_SESSIONS, &time), ==, TSS2_RC_SUCCESS);
  g_assert_cmpuint (ownership->reset_count, ==, time->clockInfo.resetCount);
  g_assert_cmpuint (ownership->reset_count, >, 0);
}

static void
test_hierarchy_that_is_off (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_works (owner_provision (connection, NULL, &error));
  g_assert_cmphex (Esys_HierarchyControl (connection->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                          ESYS_TR_NONE, ESYS_TR_RH_OWNER, TPM2_NO),
                   ==, TSS2_RC_SUCCESS);
  ownership = owner_read (connection);
  g_assert_false (ownership->owner_enabled);
  g_assert_true (ownership->endorsement_enabled);
  g_assert_cmphex (ownership->srk_handle, ==, 0);
  assert_fails (owner_provision (connection, NULL, &error), WARD_ERROR_DISABLED);
  assert_fails (owner_change (connection, WARD_HIERARCHY_OWNER, NULL, "new", &error), WARD_ERROR_DISABLED);
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "still possible");
}

static void
test_auth_is_set_changed_and_removed (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      assert_works (owner_change (connection, all[i], NULL, "first", &error));
      g_assert_true (is_set (connection, all[i]));
      assert_works (owner_change (connection, all[i], "first", "second", &error));
      assert_works (owner_change (connection, all[i], "second", "second", &error));
      assert_works (owner_change (connection, all[i], "second", "", &error));
      g_assert_false (is_set (connection, all[i]));
      assert_works (owner_change (connection, all[i], "", NULL, &error));
    }
}

static void
test_auth_of_other_programs (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  static const TPM2B_AUTH theirs = { .size = 6, .buffer = "theirs" };

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  g_assert_cmphex (Esys_HierarchyChangeAuth (connection->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                             ESYS_TR_NONE, &theirs),
                   ==, TSS2_RC_SUCCESS);
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, "theirs", "ours", &error));
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, "ours", NULL, &error));
}

static void
test_wrong_auth_changes_nothing (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      assert_fails (owner_change (connection, all[i], "wrong", "new", &error), WARD_ERROR_AUTHENTICATION_FAILED);
      g_assert_false (is_set (connection, all[i]));
      owner_set (connection, all[i], "right");
      assert_fails (owner_change (connection, all[i], NULL, "new", &error), WARD_ERROR_AUTHENTICATION_FAILED);
      assert_works (owner_change (connection, all[i], "right", "right", &error));
      assert_fails (owner_change (connection, all[i], "wrong", "new", &error), WARD_ERROR_AUTHENTICATION_FAILED);
    }
  for (guint i = 0; i < 2; i++)
    assert_works (owner_change (connection, all[i], "right", NULL, &error));
}

static void
test_longest_auth (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      owner_set (connection, all[i], MAX_AUTH);
      assert_works (owner_change (connection, all[i], MAX_AUTH, "short", &error));
      assert_works (owner_change (connection, all[i], "short", MAX_AUTH, &error));
      assert_works (owner_change (connection, all[i], MAX_AUTH, NULL, &error));
    }
}

static void
test_auth_that_is_too_long (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree char *endless = g_strnfill (70000, 'x');

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      assert_fails (owner_change (connection, all[i], NULL, MAX_AUTH "x", &error), WARD_ERROR_INVALID_ARGUMENT);
      assert_fails (owner_change (connection, all[i], NULL, endless, &error), WARD_ERROR_INVALID_ARGUMENT);
      assert_fails (owner_change (connection, all[i], MAX_AUTH "x", "new", &error), WARD_ERROR_INVALID_ARGUMENT);
      g_assert_false (is_set (connection, all[i]));
    }
  assert_fails (owner_provision (connection, endless, &error), WARD_ERROR_INVALID_ARGUMENT);
  assert_fails (owner_clear (connection, endless, &error), WARD_ERROR_INVALID_ARGUMENT);
}

static void
test_auth_with_zero_bytes (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autoptr (WardSecret) inside = ward_secret_new_from ("\0a\0b", 4);
  g_autoptr (WardSecret) trailing = ward_secret_new_from ("ab\0", 3);
  g_autoptr (WardSecret) zero = ward_secret_new (1);
  const WardHierarchy owner = WARD_HIERARCHY_OWNER;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_fails (ward_tpm2_backend.change_auth (connection, owner, NULL, trailing, &error), WARD_ERROR_INVALID_ARGUMENT);
  assert_fails (ward_tpm2_backend.change_auth (connection, owner, NULL, zero, &error), WARD_ERROR_INVALID_ARGUMENT);
  assert_works (ward_tpm2_backend.change_auth (connection, owner, NULL, inside, &error));
  assert_fails (ward_tpm2_backend.change_auth (connection, owner, trailing, NULL, &error), WARD_ERROR_INVALID_ARGUMENT);
  assert_works (ward_tpm2_backend.change_auth (connection, owner, inside, NULL, &error));
}

static void
own_everything (WardConnection *connection)
{
  owner_set (connection, WARD_HIERARCHY_OWNER, "owner");
  owner_set (connection, WARD_HIERARCHY_ENDORSEMENT, "endorsement");
  assert_works (owner_provision (connection, "owner", &error));
}

static void
assert_unowned (WardConnection *connection)
{
  g_autofree WardOwnership *ownership = owner_read (connection);

  g_assert_false (ownership->owner_auth_set);
  g_assert_false (ownership->endorsement_auth_set);
  g_assert_false (ownership->lockout_auth_set);
  g_assert_cmphex (ownership->srk_handle, ==, 0);
}

static void
test_clear (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  own_everything (connection);
  assert_works (owner_clear (connection, NULL, &error));
  assert_unowned (connection);

  own_everything (connection);
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "lockout");
  assert_works (owner_clear (connection, "lockout", &error));
  assert_unowned (connection);
  own_everything (connection);
}

static void
test_clear_with_the_wrong_auth (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  own_everything (connection);
  assert_fails (owner_clear (connection, "owner", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "lockout");
  assert_fails (owner_clear (connection, NULL, &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_fails (owner_clear (connection, "owner", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  ownership = owner_read (connection);
  g_assert_true (ownership->owner_auth_set);
  g_assert_true (ownership->lockout_auth_set);
  g_assert_cmphex (ownership->srk_handle, ==, WARD_SRK_HANDLE);
}

static void
test_clear_that_is_disabled (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_autofree WardOwnership *ownership = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  owner_set (connection, WARD_HIERARCHY_LOCKOUT, "lockout");
  assert_fails (owner_disable_clear (connection, NULL, &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_works (owner_disable_clear (connection, "lockout", &error));
  assert_works (owner_disable_clear (connection, "lockout", &error));
  ownership = owner_read (connection);
  g_assert_true (ownership->clear_disabled);
  assert_fails (owner_clear (connection, "lockout", &error), WARD_ERROR_DISABLED);
  assert_works (owner_change (connection, WARD_HIERARCHY_LOCKOUT, "lockout", NULL, &error));
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/ownership/fresh-tpm", test_fresh_tpm);
  g_test_add_func ("/tpm2/ownership/reset-is-counted", test_reset_is_counted);
  g_test_add_func ("/tpm2/ownership/hierarchy-that-is-off", test_hierarchy_that_is_off);
  g_test_add_func ("/tpm2/change-auth/set-changed-and-removed", test_auth_is_set_changed_and_removed);
  g_test_add_func ("/tpm2/change-auth/of-other-programs", test_auth_of_other_programs);
  g_test_add_func ("/tpm2/change-auth/wrong-changes-nothing", test_wrong_auth_changes_nothing);
  g_test_add_func ("/tpm2/change-auth/longest", test_longest_auth);
  g_test_add_func ("/tpm2/change-auth/too-long", test_auth_that_is_too_long);
  g_test_add_func ("/tpm2/change-auth/zero-bytes", test_auth_with_zero_bytes);
  g_test_add_func ("/tpm2/clear/resets-everything", test_clear);
  g_test_add_func ("/tpm2/clear/wrong-auth", test_clear_with_the_wrong_auth);
  g_test_add_func ("/tpm2/clear/disabled", test_clear_that_is_disabled);
  return g_test_run ();
}
