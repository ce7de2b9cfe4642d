/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-lockout-panel.h"

#define SECOND ((guint64)G_USEC_PER_SEC)
/* 2026-11-22 12:00:00 UTC */
#define NOW ((gint64)(1795348800 * SECOND))

static void
assert_and_free (char *actual, const char *expected)
{
  g_assert_cmpstr (actual, ==, expected);
  g_free (actual);
}

/* A TPM as it comes: nothing has failed. */
static WardDbusLockout *
new_lockout (void)
{
  WardDbusLockout *lockout = ward_dbus_lockout_skeleton_new ();

  ward_dbus_lockout_set_max_failures (lockout, 32);
  ward_dbus_lockout_set_recovery_seconds (lockout, 600);
  ward_dbus_lockout_set_lockout_recovery_seconds (lockout, 86400);
  return lockout;
}

static void
test_nothing_is_said_while_all_is_well (void)
{
  g_autoptr (WardDbusLockout) lockout = new_lockout ();

  assert_and_free (ward_cli_lockout_summary (lockout, NOW), NULL);
  assert_and_free (ward_cli_lockout_next (lockout, NOW), NULL);
  assert_and_free (ward_cli_lockout_bar (lockout, NOW), NULL);
  assert_and_free (ward_cli_lockout_failures (lockout), "none of 32");
}

static void
test_failures (void)
{
  g_autoptr (WardDbusLockout) lockout = new_lockout ();

  ward_dbus_lockout_set_failures (lockout, 2);
  ward_dbus_lockout_set_next_recovery (lockout, NOW + 3900 * SECOND - 1);
  assert_and_free (ward_cli_lockout_failures (lockout), "2 of 32");
  assert_and_free (ward_cli_lockout_next (lockout, NOW), "at 2026-11-22 13:04:59, in 1 hour 5 minutes at the latest");
  assert_and_free (ward_cli_lockout_next (lockout, NOW + 86400 * SECOND), "any moment now");
  assert_and_free (ward_cli_lockout_summary (lockout, NOW),
                   "2 of 32 failures · one is forgiven at 2026-11-22 13:04:59, in 1 hour 5 minutes at the latest "
                   "(“tpmward lockout” tells more)");
}

static void
test_locked_out (void)
{
  g_autoptr (WardDbusLockout) lockout = new_lockout ();

  ward_dbus_lockout_set_locked_out (lockout, TRUE);
  ward_dbus_lockout_set_failures (lockout, 32);
  assert_and_free (ward_cli_lockout_summary (lockout, NOW),
                   "locked out · 32 of 32 failures (“tpmward lockout” tells more)");
}

static void
test_locked_out_tpm_1_2 (void)
{
  g_autoptr (WardDbusLockout) lockout = ward_dbus_lockout_skeleton_new ();

  assert_and_free (ward_cli_lockout_summary (lockout, NOW), NULL);
  ward_dbus_lockout_set_locked_out (lockout, TRUE);
  assert_and_free (ward_cli_lockout_summary (lockout, NOW), "locked out (“tpmward lockout” tells more)");
}

static void
test_bar (void)
{
  g_autoptr (WardDbusLockout) lockout = new_lockout ();

  ward_dbus_lockout_set_lockout_auth_barred_until (lockout, NOW + 90 * SECOND);
  assert_and_free (ward_cli_lockout_bar (lockout, NOW), "until 2026-11-22 12:01:30, in 1 minute 30 seconds");
  assert_and_free (ward_cli_lockout_bar (lockout, NOW + 90 * SECOND), NULL);
  ward_dbus_lockout_set_lockout_auth_barred_until (lockout, G_MAXUINT64);
  assert_and_free (ward_cli_lockout_bar (lockout, NOW), "until the TPM is reset, at the next restart of the machine");
}

static void
test_penalty (void)
{
  assert_and_free (ward_cli_lockout_penalty (86400), "for 1 day");
  assert_and_free (ward_cli_lockout_penalty (0), "until the machine is restarted");
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli-lockout/nothing-is-said-while-all-is-well", test_nothing_is_said_while_all_is_well);
  g_test_add_func ("/cli-lockout/failures", test_failures);
  g_test_add_func ("/cli-lockout/locked-out", test_locked_out);
  g_test_add_func ("/cli-lockout/locked-out-tpm-1.2", test_locked_out_tpm_1_2);
  g_test_add_func ("/cli-lockout/bar", test_bar);
  g_test_add_func ("/cli-lockout/penalty", test_penalty);
  return g_test_run ();
}
