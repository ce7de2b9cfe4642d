/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "ward-error.h"

struct _WardConnection
{
  int dummy;
};

TestChip test_chip;

/* Of test_chip, since the worker's thread plays the chip's part. */
static GMutex lock;
static GCond changed;

void
test_chip_set (gboolean *flag, gboolean value)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  *flag = value;
  g_cond_broadcast (&changed);
}

void
test_chip_await_busy (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  while (!test_chip.busy)
    g_cond_wait (&changed, &lock);
}

/* A command, and connecting. The lock is held. */
static gboolean
do_command (GError **error)
{
  test_chip.busy = TRUE;
  g_cond_broadcast (&changed);
  while (test_chip.held)
    g_cond_wait (&changed, &lock);
  test_chip.busy = FALSE;
  if (!test_chip.gone)
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_UNREACHABLE, "The chip is out.");
  return FALSE;
}

WardConnection *
test_chip_open (const char *transport, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (!do_command (error))
    return NULL;
  test_chip.n_open++;
  return g_new0 (WardConnection, 1);
}

void
test_chip_close (WardConnection *connection)
{
  g_free (connection);
}

WardIdentity *
test_chip_identify (WardConnection *connection, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  WardIdentity *identity;

  if (!do_command (error))
    return NULL;
  identity = ward_identity_new ();
  g_free (identity->manufacturer);
  identity->manufacturer = g_strdup ("TEST");
  g_free (identity->failure);
  identity->failure = g_strdup (test_chip.in_failure ? "It is broken." : "");
  return identity;
}

gboolean
test_chip_probe (WardConnection *connection, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return do_command (error);
}

gboolean
test_chip_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_string_append_c (test_chip.order, (char)('a' + count));
  if (!do_command (error))
    return FALSE;
  if (test_chip.refuses)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED, "The chip refuses (0x101).");
      return FALSE;
    }
  memset (bytes, 7, count);
  return TRUE;
}

WardTestResult *
test_chip_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  WardTestResult *result;

  if (!do_command (error))
    return NULL;
  result = g_new0 (WardTestResult, 1);
  result->passed = !test_chip.in_failure;
  result->code = test_chip.in_failure ? 0x101 : 0;
  result->text = g_strdup (result->passed ? "Fine." : "It is broken.");
  result->data = g_bytes_new_static ("xy", 2);
  return result;
}

WardOwnership *
test_chip_read_ownership (WardConnection *connection, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return do_command (error) ? g_memdup2 (&test_chip.ownership, sizeof test_chip.ownership) : NULL;
}

void
test_tpm_make (TestTpm *fixture)
{
  test_chip = (TestChip){ .order = g_string_new (NULL) };
  fixture->state_dir = g_dir_make_tmp ("tpmward-test-XXXXXX", NULL);
  g_assert_nonnull (fixture->state_dir);
}

WardTpm *
test_tpm_start (TestTpm *fixture, const WardBackend *backend, const char *transport)
{
  g_assert_null (fixture->tpm);
  fixture->tpm = ward_tpm_new ("tpm7", "2.0", transport, "", "", backend, fixture->state_dir);
  test_tpm_await_state (fixture->tpm, WARD_TPM_READY);
  return fixture->tpm;
}

void
test_tpm_let_go (TestTpm *fixture)
{
  if (fixture->tpm)
    ward_tpm_stop (fixture->tpm);
  g_clear_object (&fixture->tpm);
  g_assert_true (ward_worker_wait_all (10 * G_USEC_PER_SEC));
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

void
test_tpm_remove (TestTpm *fixture, const char *const *names)
{
  test_tpm_let_go (fixture);
  for (; *names; names++)
    {
      g_autofree char *path = g_build_filename (fixture->state_dir, *names, NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (fixture->state_dir), ==, 0);
  g_free (fixture->state_dir);
  g_string_free (test_chip.order, TRUE);
}

void
test_tpm_await_state (WardTpm *tpm, WardTpmState state)
{
  while (!ward_tpm_has_been_seen (tpm) || ward_tpm_get_state (tpm) != state)
    g_main_context_iteration (NULL, TRUE);
}

void
test_keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

GAsyncResult *
test_await_result (GAsyncResult **slot)
{
  while (!*slot)
    g_main_context_iteration (NULL, TRUE);
  return *slot;
}

GBytes *
test_tpm_get_random (WardTpm *tpm, gsize count, GError **error)
{
  WardTicket ticket = { 1000, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_get_random_async (tpm, &ticket, count, test_keep_result, &result);
  return ward_tpm_get_random_finish (tpm, test_await_result (&result), error);
}
