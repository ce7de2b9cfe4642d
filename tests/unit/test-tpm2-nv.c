/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NV indices on a software TPM. */
#include "test-tpm2-nv-fixture.h"

#include <string.h>

#define ATTRIBUTES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static guint
count_failures (WardConnection *connection)
{
  g_autofree WardOwnership *ownership = owner_read (connection);

  return ownership->failures;
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
  static const gsize sizes[] = { 1, 1008, 1009, 1024, 1025, 2048 };
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (WardSecret) data = nv_data_new (sizes[i]);

      assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = sizes[i] }, NULL, NULL, &error));
      assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
      nv_assert_reads (connection, (WardNvAccess){ .index = INDEX }, NULL, data, 0);
      assert_works (nv_undefine (connection, INDEX, NULL, FALSE, &error));
    }
}

static void
test_sizes_that_no_index_has (void)
{
  static const guint32 sizes[] = { 0, 2049, 65536, G_MAXUINT32 };
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    assert_fails (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = sizes[i] }, NULL, NULL, &error),
                  WARD_ERROR_INVALID_ARGUMENT);
  g_assert_null (nv_find (connection, INDEX));
}

static void
test_list (void)
{
  g_autoptr (WardSecret) data = nv_data_new (3);
  g_autoptr (WardNvIndex) before = NULL;
  g_autoptr (WardNvIndex) after = NULL;
  g_autofree char *names_before = NULL;
  g_autofree char *names_after = NULL;
  WITH_TPM;

  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 8 }, NULL, NULL, &error));
  before = nv_find (connection, INDEX);
  g_assert_cmpuint (before->size, ==, 8);
  g_assert_false (before->written);
  g_assert_cmpstr (before->purpose, ==, "");
  names_before = g_strjoinv (" ", before->attributes);
  g_assert_cmpstr (names_before, ==, "ownerwrite ownerread no_da");

  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
  after = nv_find (connection, INDEX);
  g_assert_true (after->written);
  names_after = g_strjoinv (" ", after->attributes);
  g_assert_cmpstr (names_after, ==, "ownerwrite ownerread no_da written");
}

static void
test_offsets (void)
{
  g_autoptr (WardSecret) data = nv_data_new (LONG);
  g_autoptr (WardSecret) few = nv_data_new (4);
  WITH_TPM;

  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = LONG }, NULL, NULL, &error));
  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX, .offset = 1200 }, NULL, data, 1200);
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX, .offset = 7, .size = 1300 }, NULL, data, 7);
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX, .offset = LONG - 1, .size = 1 }, NULL, data, LONG - 1);

  memcpy (ward_secret_get_data (data) + 1100, ward_secret_get_data (few), 4);
  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX, .offset = 1100 }, few, NULL, &error));
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX }, NULL, data, 0);
}

static void
test_bytes_beyond_the_end (void)
{
  static const guint32 ranges[][2] = { { 8, 0 },           { 8, 1 },           { 7, 2 },
                                       { 0, 9 },           { G_MAXUINT32, 0 }, { G_MAXUINT32, 1 },
                                       { 1, G_MAXUINT32 }, { 65536, 1 },       { G_MAXUINT32 - 3, 8 } };
  g_autoptr (WardSecret) data = nv_data_new (8);
  g_autoptr (WardSecret) more = nv_data_new (9);
  WITH_TPM;

  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 8 }, NULL, NULL, &error));
  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX, .offset = ranges[i][0], .size = ranges[i][1] },
                            NULL, WARD_ERROR_INVALID_ARGUMENT, "has 8 bytes");
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX }, more, WARD_ERROR_INVALID_ARGUMENT,
                           "has 8 bytes");
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX, .offset = 1 }, data, WARD_ERROR_INVALID_ARGUMENT,
                           "has 8 bytes");
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX }, NULL, data, 0);
}

static void
test_auth (void)
{
  const char *longest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  const WardNvAccess by_auth = { .index = INDEX, .right = WARD_NV_BY_INDEX };
  WardNvAccess open = { .index = INDEX };
  gboolean counts = FALSE;
  g_autoptr (WardSecret) data = nv_data_new (LONG);
  WITH_TPM;

  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = LONG }, AUTH, NULL, &error));
  assert_works (nv_write (connection, by_auth, data, AUTH, &error));
  nv_assert_reads (connection, by_auth, AUTH, data, 0);
  g_assert_true (ward_tpm2_backend.prepare_nv (connection, &open, FALSE, &counts, NULL));
  g_assert_true (counts);
  g_assert_cmpint (open.right, ==, WARD_NV_BY_INDEX);

  g_assert_cmpuint (count_failures (connection), ==, 0);
  nv_assert_refuses_read (connection, by_auth, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "counted");
  g_assert_cmpuint (count_failures (connection), ==, 1);
  nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX, .right = WARD_NV_BY_OWNER }, NULL,
                          WARD_ERROR_NOT_SUPPORTED, "its own auth value");
  g_assert_cmpuint (count_failures (connection), ==, 1);

  assert_works (nv_define (connection, (WardNvTemplate){ .index = OTHER, .size = 16 }, longest, NULL, &error));
  g_clear_pointer (&data, ward_secret_unref);
  data = nv_data_new (16);
  assert_works (
      nv_write (connection, (WardNvAccess){ .index = OTHER, .right = WARD_NV_BY_INDEX }, data, longest, &error));
  nv_assert_reads (connection, (WardNvAccess){ .index = OTHER, .right = WARD_NV_BY_INDEX }, longest, data, 0);
}

static void
test_auth_that_is_not_counted (void)
{
  const WardNvAccess by_auth = { .index = INDEX, .right = WARD_NV_BY_INDEX };
  WardNvAccess open = { .index = INDEX };
  gboolean counts = TRUE;
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_TPM;

  assert_works (nv_define (
      connection,
      (WardNvTemplate){ .index = INDEX, .size = 4, .attributes = ATTRIBUTES ("authread", "authwrite", "no_da") }, AUTH,
      NULL, &error));
  assert_works (nv_write (connection, by_auth, data, AUTH, &error));
  g_assert_true (ward_tpm2_backend.prepare_nv (connection, &open, FALSE, &counts, NULL));
  g_assert_false (counts);
  nv_assert_refuses_read (connection, by_auth, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "does not count");
  g_assert_cmpuint (count_failures (connection), ==, 0);
  nv_assert_reads (connection, by_auth, AUTH, data, 0);
}

static void
test_owner_auth (void)
{
  const WardNvAccess by_owner = { .index = INDEX, .right = WARD_NV_BY_OWNER };
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_TPM;

  owner_set (connection, WARD_HIERARCHY_OWNER, OWNER_AUTH);
  assert_fails (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4 }, NULL, NULL, &error),
                WARD_ERROR_AUTHENTICATION_FAILED);
  assert_fails (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4 }, NULL, "wrong", &error),
                WARD_ERROR_AUTHENTICATION_FAILED);
  g_assert_null (nv_find (connection, INDEX));
  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4 }, NULL, OWNER_AUTH, &error));
  assert_works (nv_write (connection, by_owner, data, OWNER_AUTH, &error));
  nv_assert_reads (connection, by_owner, OWNER_AUTH, data, 0);
  nv_assert_refuses_read (connection, by_owner, "wrong", WARD_ERROR_AUTHENTICATION_FAILED, "owner authorization value");
  nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX }, NULL, WARD_ERROR_AUTHENTICATION_FAILED,
                          "owner authorization value");
  nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX, .right = WARD_NV_BY_INDEX }, NULL,
                          WARD_ERROR_NOT_SUPPORTED, "the owner's auth value");
  g_assert_cmpuint (count_failures (connection), ==, 0);
  assert_fails (nv_undefine (connection, INDEX, "wrong", FALSE, &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_works (nv_undefine (connection, INDEX, OWNER_AUTH, FALSE, &error));
}

/* Of both rights the owner's is taken while there is no value to guess; then the index's. */
static void
test_either_right (void)
{
  WardNvAccess access = { .index = INDEX };
  gboolean counts;
  WITH_TPM;

  assert_works (nv_define (
      connection,
      (WardNvTemplate){
          .index = INDEX, .size = 4, .attributes = ATTRIBUTES ("authread", "authwrite", "ownerread", "ownerwrite") },
      NULL, NULL, &error));
  access.size = 4;
  g_assert_true (ward_tpm2_backend.prepare_nv (connection, &access, TRUE, &counts, NULL));
  g_assert_cmpint (access.right, ==, WARD_NV_BY_OWNER);
  g_assert_false (counts);
  owner_set (connection, WARD_HIERARCHY_OWNER, OWNER_AUTH);
  access.right = WARD_NV_BY_ANY;
  g_assert_true (ward_tpm2_backend.prepare_nv (connection, &access, TRUE, &counts, NULL));
  g_assert_cmpint (access.right, ==, WARD_NV_BY_INDEX);
  g_assert_true (counts);
}

static void
test_numbers (void)
{
  static const guint32 none[] = { 0, 0x00ffffff, 0x02000000, 0x81000001, G_MAXUINT32 };
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (none); i++)
    {
      const WardNvAccess access = { .index = none[i] };

      assert_fails (
          nv_define (connection, (WardNvTemplate){ .index = none[i], .size = 4, .force = TRUE }, NULL, NULL, &error),
          WARD_ERROR_INVALID_ARGUMENT);
      assert_fails (nv_undefine (connection, none[i], NULL, TRUE, &error), WARD_ERROR_INVALID_ARGUMENT);
      nv_assert_refuses_read (connection, access, NULL, WARD_ERROR_INVALID_ARGUMENT, "no NV index");
      nv_assert_refuses_write (connection, access, data, WARD_ERROR_INVALID_ARGUMENT, "no NV index");
    }
}

static void
test_reserved_numbers (void)
{
  static const guint32 reserved[] = {
    0x01000000, 0x013fffff, 0x01400000, 0x017fffff, RESERVED, 0x01c90000, 0x01ffffff
  };
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (reserved); i++)
    assert_fails (nv_define (connection, (WardNvTemplate){ .index = reserved[i], .size = 4 }, NULL, NULL, &error),
                  WARD_ERROR_WOULD_BREAK);

  assert_works (
      nv_define (connection, (WardNvTemplate){ .index = RESERVED, .size = 4, .force = TRUE }, NULL, NULL, &error));
  assert_works (nv_write (connection, (WardNvAccess){ .index = RESERVED }, data, NULL, &error));
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = RESERVED }, data, WARD_ERROR_WOULD_BREAK,
                           "endorsement key (RSA)");
  assert_works (nv_write (connection, (WardNvAccess){ .index = RESERVED, .force = TRUE }, data, NULL, &error));
  assert_fails (nv_undefine (connection, RESERVED, NULL, FALSE, &error), WARD_ERROR_WOULD_BREAK);
  nv_assert_reads (connection, (WardNvAccess){ .index = RESERVED }, NULL, data, 0);
  assert_works (nv_undefine (connection, RESERVED, NULL, TRUE, &error));

  assert_works (nv_define (connection, (WardNvTemplate){ .index = 0x01800000, .size = 4 }, NULL, NULL, &error));
  assert_works (nv_define (connection, (WardNvTemplate){ .index = 0x01bfffff, .size = 4 }, NULL, NULL, &error));
}

static void
test_what_is_and_is_not_there (void)
{
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_TPM;

  nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX }, NULL, WARD_ERROR_NOT_FOUND,
                          "no NV index of that number");
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX }, data, WARD_ERROR_NOT_FOUND,
                           "no NV index of that number");
  assert_fails (nv_undefine (connection, INDEX, NULL, FALSE, &error), WARD_ERROR_NOT_FOUND);
  assert_works (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4 }, NULL, NULL, &error));
  assert_fails (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 8 }, NULL, NULL, &error),
                WARD_ERROR_EXISTS);
  nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX }, NULL, WARD_ERROR_NOT_FOUND,
                          "nothing was written");
}

static void
test_attributes (void)
{
  static const struct
  {
    const char *names[4];
    int code;
  } refused[] = {
    { { "ownerread", "ownerwrite", "written" }, WARD_ERROR_INVALID_ARGUMENT },
    { { "ownerread", "ownerwrite", "readlocked" }, WARD_ERROR_INVALID_ARGUMENT },
    { { "ownerread", "ownerwrite", "platformcreate" }, WARD_ERROR_INVALID_ARGUMENT },
    { { "ownerread", "ownerwrite", "anything" }, WARD_ERROR_INVALID_ARGUMENT },
    { { "ownerread", "ownerwrite", "" }, WARD_ERROR_INVALID_ARGUMENT },
    { { "ownerread" }, WARD_ERROR_INVALID_ARGUMENT },
    { { "authwrite", "no_da" }, WARD_ERROR_INVALID_ARGUMENT },
    { { "ownerread", "ownerwrite", "policyread" }, WARD_ERROR_NOT_SUPPORTED },
    { { "ownerread", "ownerwrite", "policydelete" }, WARD_ERROR_NOT_SUPPORTED },
    { { "ownerread", "ownerwrite", "nt=0x1" }, WARD_ERROR_NOT_SUPPORTED },
    /* what only the TPM refuses */
    { { "clear_stclear", "writedefine", "ppread" }, WARD_ERROR_INVALID_ARGUMENT },
  };
  WITH_TPM;

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      const char *names[6] = { refused[i].names[0], refused[i].names[1], refused[i].names[2] };

      if (i == G_N_ELEMENTS (refused) - 1)
        names[3] = "ppwrite";
      assert_fails (nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4, .attributes = names }, NULL,
                               NULL, &error),
                    refused[i].code);
      g_assert_null (nv_find (connection, INDEX));
    }
}

static void
test_all_at_once (void)
{
  const char *const *names = ATTRIBUTES ("ownerread", "ownerwrite", "writeall");
  g_autoptr (WardSecret) data = nv_data_new (8);
  g_autoptr (WardSecret) few = nv_data_new (7);
  WITH_TPM;

  assert_fails (
      nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = LONG, .attributes = names }, NULL, NULL, &error),
      WARD_ERROR_INVALID_ARGUMENT);
  assert_works (
      nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 8, .attributes = names }, NULL, NULL, &error));
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX }, few, WARD_ERROR_INVALID_ARGUMENT,
                           "all of its 8 bytes");
  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
}

/* What another program does with an index, by ESYS. */
typedef TSS2_RC (*Act) (ESYS_CONTEXT *esys, ESYS_TR auth, ESYS_TR index, ESYS_TR s1, ESYS_TR s2, ESYS_TR s3);

static void
act (WardConnection *connection, guint32 number, ESYS_TR auth, Act func)
{
  ESYS_TR index;

  g_assert_cmphex (Esys_TR_FromTPMPublic (connection->esys, number, WARD_TPM2_NO_SESSIONS, &index), ==,
                   TSS2_RC_SUCCESS);
  g_assert_cmphex (func (connection->esys, auth, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE), ==,
                   TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_TR_Close (connection->esys, &index), ==, TSS2_RC_SUCCESS);
}

static void
define_foreign (WardConnection *connection, ESYS_TR hierarchy, guint32 number, TPMA_NV attributes, gsize size)
{
  TPM2B_NV_PUBLIC public = { .nvPublic = { number, TPM2_ALG_SHA256, attributes, { 0 }, size } };
  ESYS_TR index;

  /* the digest of some policy */
  if (attributes & (TPMA_NV_POLICYREAD | TPMA_NV_POLICY_DELETE))
  public.nvPublic.authPolicy.size = 32;
  g_assert_cmphex (Esys_NV_DefineSpace (connection->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
                                        &public, &index),
                   ==, TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_TR_Close (connection->esys, &index), ==, TSS2_RC_SUCCESS);
}

static void
test_locked (void)
{
  const char *const *names = ATTRIBUTES ("ownerread", "ownerwrite", "read_stclear", "write_stclear");
  const char *const *for_good = ATTRIBUTES ("ownerread", "ownerwrite", "writedefine");
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_TPM;

  assert_works (
      nv_define (connection, (WardNvTemplate){ .index = INDEX, .size = 4, .attributes = names }, NULL, NULL, &error));
  assert_works (nv_write (connection, (WardNvAccess){ .index = INDEX }, data, NULL, &error));
  act (connection, INDEX, ESYS_TR_RH_OWNER, Esys_NV_WriteLock);
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX }, data, WARD_ERROR_DISABLED, "restarted");
  nv_assert_reads (connection, (WardNvAccess){ .index = INDEX }, NULL, data, 0);
  act (connection, INDEX, ESYS_TR_RH_OWNER, Esys_NV_ReadLock);
  nv_assert_refuses_read (connection, (WardNvAccess){ .index = INDEX }, NULL, WARD_ERROR_DISABLED, "restarted");

  assert_works (nv_define (connection, (WardNvTemplate){ .index = OTHER, .size = 4, .attributes = for_good }, NULL,
                           NULL, &error));
  assert_works (nv_write (connection, (WardNvAccess){ .index = OTHER }, data, NULL, &error));
  act (connection, OTHER, ESYS_TR_RH_OWNER, Esys_NV_WriteLock);
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = OTHER }, data, WARD_ERROR_DISABLED,
                           "as long as it is defined");
}

static void
test_counter (void)
{
  const TPMA_NV counter = TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT | TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE;
  g_autoptr (WardSecret) data = nv_data_new (8);
  g_autoptr (WardSecret) count = NULL;
  g_autoptr (WardNvIndex) index = NULL;
  g_autofree char *names = NULL;
  WITH_TPM;

  define_foreign (connection, ESYS_TR_RH_OWNER, INDEX, counter, 8);
  act (connection, INDEX, ESYS_TR_RH_OWNER, Esys_NV_Increment);
  index = nv_find (connection, INDEX);
  names = g_strjoinv (" ", index->attributes);
  g_assert_cmpstr (names, ==, "ownerwrite nt=0x1 ownerread written");
  count = nv_read (connection, (WardNvAccess){ .index = INDEX }, NULL, NULL);
  g_assert_cmpuint (ward_secret_get_size (count), ==, 8);
  g_assert_cmpuint (ward_secret_get_data (count)[7], ==, 1);
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = INDEX }, data, WARD_ERROR_NOT_SUPPORTED, "counter");
  assert_works (nv_undefine (connection, INDEX, NULL, FALSE, &error));
}

static void
test_indices_that_are_not_the_owner_s (void)
{
  g_autoptr (WardSecret) data = nv_data_new (4);
  WITH_TPM;

  define_foreign (connection, ESYS_TR_RH_PLATFORM, RESERVED,
                  TPMA_NV_PLATFORMCREATE | TPMA_NV_PPWRITE | TPMA_NV_PPREAD | TPMA_NV_OWNERREAD, 4);
  nv_assert_refuses_write (connection, (WardNvAccess){ .index = RESERVED }, data, WARD_ERROR_NOT_SUPPORTED, "firmware");
  assert_fails (nv_undefine (connection, RESERVED, NULL, TRUE, &error), WARD_ERROR_NOT_SUPPORTED);

  define_foreign (connection, ESYS_TR_RH_PLATFORM, OTHER,
                  TPMA_NV_PLATFORMCREATE | TPMA_NV_POLICY_DELETE | TPMA_NV_AUTHWRITE | TPMA_NV_POLICYREAD, 4);
  assert_works (nv_write (connection, (WardNvAccess){ .index = OTHER }, data, NULL, &error));
  nv_assert_refuses_read (connection, (WardNvAccess){ .index = OTHER }, NULL, WARD_ERROR_NOT_SUPPORTED, "policy");
  assert_fails (nv_undefine (connection, OTHER, NULL, TRUE, &error), WARD_ERROR_NOT_SUPPORTED);
}

/* Until the TPM has no room left: nothing is lost, and there is room again once one has gone. */
static void
test_full_memory (void)
{
  g_autoptr (GError) full = NULL;
  guint32 next = INDEX;
  WITH_TPM;

  while (nv_define (connection, (WardNvTemplate){ .index = next, .size = 2048 }, NULL, NULL, &full))
    {
      next++;
      g_assert_cmpuint (next, <, INDEX + 1000);
    }
  g_assert_error (full, WARD_ERROR, WARD_ERROR_NO_SPACE);
  g_assert_null (nv_find (connection, next));
  g_assert_cmpuint (next, >, INDEX);
  assert_works (nv_undefine (connection, INDEX, NULL, FALSE, &error));
  assert_works (nv_define (connection, (WardNvTemplate){ .index = next, .size = 2048 }, NULL, NULL, &error));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/nv/sizes", test_sizes);
  g_test_add_func ("/tpm2/nv/sizes-that-no-index-has", test_sizes_that_no_index_has);
  g_test_add_func ("/tpm2/nv/list", test_list);
  g_test_add_func ("/tpm2/nv/offsets", test_offsets);
  g_test_add_func ("/tpm2/nv/bytes-beyond-the-end", test_bytes_beyond_the_end);
  g_test_add_func ("/tpm2/nv/auth", test_auth);
  g_test_add_func ("/tpm2/nv/auth-that-is-not-counted", test_auth_that_is_not_counted);
  g_test_add_func ("/tpm2/nv/owner-auth", test_owner_auth);
  g_test_add_func ("/tpm2/nv/either-right", test_either_right);
  g_test_add_func ("/tpm2/nv/numbers", test_numbers);
  g_test_add_func ("/tpm2/nv/reserved-numbers", test_reserved_numbers);
  g_test_add_func ("/tpm2/nv/what-is-and-is-not-there", test_what_is_and_is_not_there);
  g_test_add_func ("/tpm2/nv/attributes", test_attributes);
  g_test_add_func ("/tpm2/nv/all-at-once", test_all_at_once);
  g_test_add_func ("/tpm2/nv/locked", test_locked);
  g_test_add_func ("/tpm2/nv/counter", test_counter);
  g_test_add_func ("/tpm2/nv/not-the-owner-s", test_indices_that_are_not_the_owner_s);
  g_test_add_func ("/tpm2/nv/full-memory", test_full_memory);
  return g_test_run ();
}
