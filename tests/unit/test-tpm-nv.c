/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an access to an NV index costs whom, and what is known of the TPM after one was defined, over a backend whose
 * chip this test plays. */
#include "ward-tpm-nv.h"

#include <string.h>

#include "test-tpm-fixture.h"
#include "ward-error.h"

#define INDEX 0x01800001u
#define ALICE 1000
#define BOB 1001

/* Read by the test while the worker has nothing to do. */
static struct
{
  gboolean counts;
  guint n_accesses;
  guint n_changes;
  int breaks;       /* the transport, at so many of the next commands */
  WardSecret *data; /* that is in the index, or NULL */
  char *attributes; /* with which it was defined */
  char *budgets;    /* the record's path */
} chip;

static gboolean
breaks (GError **error)
{
  if (chip.breaks-- <= 0)
    return FALSE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_UNREACHABLE, "The chip is away.");
  return TRUE;
}

static GPtrArray *
chip_list_nv (WardConnection *connection, GError **error)
{
  GPtrArray *indices = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_nv_index_free);
  WardNvIndex *index = g_new0 (WardNvIndex, 1);

  index->index = INDEX;
  index->attributes = g_new0 (char *, 1);
  index->purpose = g_strdup ("");
  g_ptr_array_add (indices, index);
  return indices;
}

static gboolean
chip_check_nv_index (guint32 index, GError **error)
{
  if (index == INDEX)
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, "No index.");
  return FALSE;
}

static gboolean
chip_check_nv_template (const WardNvTemplate *template, GError **error)
{
  return chip_check_nv_index (template->index, error);
}

static gboolean
chip_prepare_nv (WardConnection *connection, WardNvAccess *access, gboolean is_write, gboolean *counts, GError **error)
{
  /* a second time it is what the caller has asked for, and not what was made of it */
  g_assert_cmpuint (access->size, ==, is_write ? 4 : 0);
  if (!is_write)
    access->size = 4;
  if (access->right == WARD_NV_BY_ANY)
    access->right = WARD_NV_BY_INDEX;
  *counts = chip.counts;
  return TRUE;
}

static gboolean
allows (const WardNvAccess *access, GError **error)
{
  WardSecret *auth = access->auth;

  chip.n_accesses++;
  g_assert_cmpuint (access->size, ==, 4);
  /* a counted try is on disk by now */
  g_assert_true (g_file_test (chip.budgets, G_FILE_TEST_EXISTS) || !chip.counts);
  if (breaks (error))
    return FALSE;
  if (auth && ward_secret_get_size (auth) == 5 && memcmp (ward_secret_get_data (auth), "right", 5) == 0)
    return TRUE;
  test_chip.ownership.failures += chip.counts;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED, "The chip refuses it.");
  return FALSE;
}

static WardSecret *
chip_read_nv (WardConnection *connection, const WardNvAccess *access, GError **error)
{
  return allows (access, error) ? ward_secret_ref (chip.data) : NULL;
}

static gboolean
chip_write_nv (WardConnection *connection, const WardNvAccess *access, WardSecret *data, GError **error)
{
  if (!allows (access, error))
    return FALSE;
  g_clear_pointer (&chip.data, ward_secret_unref);
  chip.data = ward_secret_ref (data);
  return TRUE;
}

static gboolean
chip_define_nv (WardConnection *connection, const WardNvTemplate *template, WardSecret *owner_auth, GError **error)
{
  chip.n_changes++;
  if (breaks (error))
    return FALSE;
  chip.attributes = g_strjoinv ("|", (GStrv) template->attributes);
  test_chip.ownership.room.nv_indices++;
  return TRUE;
}

static gboolean
chip_undefine_nv (WardConnection *connection, guint32 index, WardSecret *owner_auth, gboolean force, GError **error)
{
  chip.n_changes++;
  g_assert_true (force);
  test_chip.ownership.room.nv_indices--;
  return TRUE;
}

static const WardBackend backend = {
  .family = "2.0",
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .read_ownership = test_chip_read_ownership,
  .list_nv = chip_list_nv,
  .check_nv_index = chip_check_nv_index,
  .check_nv_template = chip_check_nv_template,
  .define_nv = chip_define_nv,
  .undefine_nv = chip_undefine_nv,
  .prepare_nv = chip_prepare_nv,
  .read_nv = chip_read_nv,
  .write_nv = chip_write_nv,
};

static const WardBackend bare_backend = {
  .family = "1.2",
  .open = test_chip_open,
  .close = test_chip_close,
  .identify = test_chip_identify,
  .read_ownership = test_chip_read_ownership,
};

static WardSecret *
secret_new (const char *text)
{
  return text ? ward_secret_new_from (text, strlen (text)) : NULL;
}

static WardSecret *
read_nv (TestTpm *fixture, guint uid, WardNvRight right, const char *auth, GError **error)
{
  WardTicket ticket = { uid, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardSecret) secret = secret_new (auth);
  const WardNvAccess access = { .index = INDEX, .right = right, .auth = secret };

  ward_tpm_nv_read_async (fixture->tpm, &ticket, &access, test_keep_result, &result);
  return ward_tpm_nv_read_finish (fixture->tpm, test_await_result (&result), error);
}

static gboolean
write_nv (TestTpm *fixture, guint uid, const char *text, const char *auth, GError **error)
{
  WardTicket ticket = { uid, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (WardSecret) secret = secret_new (auth);
  g_autoptr (WardSecret) data = secret_new (text);
  const WardNvAccess access = { .index = INDEX, .right = WARD_NV_BY_INDEX, .auth = secret };

  ward_tpm_nv_write_async (fixture->tpm, &ticket, &access, data, test_keep_result, &result);
  return ward_tpm_nv_change_finish (fixture->tpm, test_await_result (&result), error);
}

static void
assert_reads (TestTpm *fixture, guint uid, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = read_nv (fixture, uid, WARD_NV_BY_INDEX, "right", &error);

  g_assert_no_error (error);
  g_assert_cmpmem (ward_secret_get_data (data), ward_secret_get_size (data), expected, strlen (expected));
}

static void
assert_refused (TestTpm *fixture, guint uid, WardNvRight right, const char *auth, int code, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_nv (fixture, uid, right, auth, &error));
  g_assert_error (error, WARD_ERROR, code);
  g_assert_nonnull (strstr (error->message, word));
}

static gboolean
define (TestTpm *fixture, GError **error)
{
  WardTicket ticket = { 0, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_auto (GStrv) names = g_strsplit ("authread|authwrite", "|", -1);
  const WardNvTemplate template = { .index = INDEX, .size = 4, .attributes = (const char *const *)names };

  ward_tpm_nv_define_async (fixture->tpm, &ticket, &template, NULL, test_keep_result, &result);
  /* the names are the caller's, who need not keep them */
  g_clear_pointer (&names, g_strfreev);
  return ward_tpm_nv_change_finish (fixture->tpm, test_await_result (&result), error);
}

static guint
count_indices (TestTpm *fixture)
{
  return ward_tpm_get_ownership (fixture->tpm)->room.nv_indices;
}

static void
set_up (TestTpm *fixture, gconstpointer data)
{
  test_tpm_make (fixture);
  test_chip.ownership.max_failures = 16;
  test_chip.ownership.recovery_seconds = 1000;
  test_chip.ownership.max_auth_size = 32;
  memset (&chip, 0, sizeof (chip));
  chip.counts = TRUE;
  chip.data = secret_new ("data");
  chip.budgets = g_build_filename (fixture->state_dir, "tpm7.budgets", NULL);
  test_tpm_start (fixture, data ? data : &backend, "device:/test");
}

static void
tear_down (TestTpm *fixture, gconstpointer data)
{
  test_tpm_remove (fixture, (const char *const[]){ "tpm7.budgets", "tpm7.chip", NULL });
  g_clear_pointer (&chip.data, ward_secret_unref);
  g_free (chip.attributes);
  g_free (chip.budgets);
}

static void
test_right_auth_costs_nothing (TestTpm *fixture, gconstpointer data)
{
  for (guint i = 0; i < 10; i++)
    {
      g_assert_true (write_nv (fixture, BOB, "more", "right", NULL));
      assert_reads (fixture, BOB, "more");
    }
}

/* Of 16 tries 2 are root's, and of 14 each user has 3: reads and writes alike. */
static void
test_budget (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  assert_refused (fixture, BOB, WARD_NV_BY_INDEX, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "2 more tries");
  g_assert_false (write_nv (fixture, BOB, "else", "wrong", &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED);
  assert_refused (fixture, BOB, WARD_NV_BY_INDEX, NULL, WARD_ERROR_AUTHENTICATION_FAILED, "the TPM has 13");
  assert_refused (fixture, BOB, WARD_NV_BY_INDEX, "right", WARD_ERROR_LOCKED_OUT, "at most 3");
  g_assert_cmpuint (chip.n_accesses, ==, 3);
  assert_reads (fixture, ALICE, "data");
  g_assert_cmpuint (ward_tpm_get_ownership (fixture->tpm)->failures, ==, 3);
}

static void
test_what_nobody_has_given_is_not_tried (TestTpm *fixture, gconstpointer data)
{
  assert_refused (fixture, BOB, WARD_NV_BY_ANY, NULL, WARD_ERROR_AUTHENTICATION_FAILED, "not asked");
  g_assert_cmpuint (chip.n_accesses, ==, 0);
  chip.counts = FALSE;
  assert_refused (fixture, BOB, WARD_NV_BY_ANY, NULL, WARD_ERROR_AUTHENTICATION_FAILED, "refuses");
  g_assert_cmpuint (chip.n_accesses, ==, 1);
}

static void
test_uncounted_is_not_charged (TestTpm *fixture, gconstpointer data)
{
  chip.counts = FALSE;
  for (guint i = 0; i < 10; i++)
    assert_refused (fixture, BOB, WARD_NV_BY_INDEX, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "refuses");
  assert_reads (fixture, BOB, "data");
  g_assert_false (g_file_test (chip.budgets, G_FILE_TEST_EXISTS));
}

static void
test_broken_transport (TestTpm *fixture, gconstpointer data)
{
  chip.counts = FALSE;
  chip.breaks = 1;
  assert_reads (fixture, BOB, "data");
  g_assert_cmpuint (chip.n_accesses, ==, 2);
  chip.breaks = 1;
  g_assert_true (write_nv (fixture, BOB, "more", "right", NULL));
  g_assert_cmpuint (chip.n_accesses, ==, 4);
}

/* The TPM is looked at after a change, so that its room is known. */
static void
test_changes (TestTpm *fixture, gconstpointer data)
{
  WardTicket ticket = { 0, ":1.1" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (count_indices (fixture), ==, 0);
  g_assert_true (define (fixture, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (chip.attributes, ==, "authread|authwrite");
  g_assert_cmpuint (count_indices (fixture), ==, 1);
  ward_tpm_nv_undefine_async (fixture->tpm, &ticket, INDEX, NULL, TRUE, test_keep_result, &result);
  g_assert_true (ward_tpm_nv_change_finish (fixture->tpm, test_await_result (&result), &error));
  g_assert_cmpuint (count_indices (fixture), ==, 0);
}

static void
test_change_is_not_made_twice (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  chip.breaks = 1;
  g_assert_false (define (fixture, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
  g_assert_nonnull (strstr (error->message, "nobody knows"));
  g_assert_cmpuint (chip.n_changes, ==, 1);
}

static GPtrArray *
list (TestTpm *fixture, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_tpm_nv_list_async (fixture->tpm, NULL, test_keep_result, &result);
  return ward_tpm_nv_list_finish (fixture->tpm, test_await_result (&result), error);
}

static void
test_list (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GPtrArray) indices = list (fixture, NULL);

  g_assert_cmpuint (indices->len, ==, 1);
  g_assert_cmphex (((WardNvIndex *)indices->pdata[0])->index, ==, INDEX);
}

static void
test_checks (TestTpm *fixture, gconstpointer data)
{
  const WardNvTemplate template = { .index = INDEX, .size = 4 };
  g_autoptr (GError) error = NULL;

  g_assert_true (ward_tpm_nv_check_index (fixture->tpm, INDEX, NULL));
  g_assert_true (ward_tpm_nv_check_template (fixture->tpm, &template, NULL));
  g_assert_false (ward_tpm_nv_check_index (fixture->tpm, 1, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);

  ward_tpm_stop (fixture->tpm);
  g_assert_false (ward_tpm_nv_check_index (fixture->tpm, INDEX, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE);
}

static void
test_family_without_indices (TestTpm *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (ward_tpm_nv_check_index (fixture->tpm, INDEX, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_null (list (fixture, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
  assert_refused (fixture, BOB, WARD_NV_BY_INDEX, "right", WARD_ERROR_NOT_SUPPORTED, "cannot do this");
}

#define ADD(path, data, func) g_test_add (path, TestTpm, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/tpm-nv/right-auth-costs-nothing", NULL, test_right_auth_costs_nothing);
  ADD ("/tpm-nv/budget", NULL, test_budget);
  ADD ("/tpm-nv/what-nobody-has-given-is-not-tried", NULL, test_what_nobody_has_given_is_not_tried);
  ADD ("/tpm-nv/uncounted-is-not-charged", NULL, test_uncounted_is_not_charged);
  ADD ("/tpm-nv/broken-transport", NULL, test_broken_transport);
  ADD ("/tpm-nv/changes", NULL, test_changes);
  ADD ("/tpm-nv/change-is-not-made-twice", NULL, test_change_is_not_made_twice);
  ADD ("/tpm-nv/list", NULL, test_list);
  ADD ("/tpm-nv/checks", NULL, test_checks);
  ADD ("/tpm-nv/family-without-indices", &bare_backend, test_family_without_indices);
  return g_test_run ();
}
