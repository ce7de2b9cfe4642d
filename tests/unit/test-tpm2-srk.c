/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-owner.h"

#include <signal.h>
#include <string.h>

/* API.md's template once more, in numbers, so that a change of the service's own does not go unnoticed. */
static const TPM2B_PUBLIC ecc_srk = {
  .publicArea = {
      .type = 0x0023,
      .nameAlg = 0x000b,
      .objectAttributes = 0x00030472,
      .parameters.eccDetail = {
          .symmetric = { .algorithm = 0x0006, .keyBits.sym = 128, .mode.sym = 0x0043 },
          .scheme.scheme = 0x0010,
          .curveID = 0x0003,
          .kdf.scheme = 0x0010,
      },
  },
};

static const TPM2B_PUBLIC rsa_srk = {
  .publicArea = {
      .type = 0x0001,
      .nameAlg = 0x000b,
      .objectAttributes = 0x00030472,
      .parameters.rsaDetail = {
          .symmetric = { .algorithm = 0x0006, .keyBits.sym = 128, .mode.sym = 0x0043 },
          .scheme.scheme = 0x0010,
          .keyBits = 2048,
      },
  },
};

static TPM2B_NAME *
get_name (WardConnection *connection, ESYS_TR key)
{
  TPM2B_NAME *name = NULL;

  g_assert_cmphex (Esys_TR_GetName (connection->esys, key, &name), ==, TSS2_RC_SUCCESS);
  return name;
}

static ESYS_TR
find_srk (WardConnection *connection)
{
  ESYS_TR key;

  g_assert_cmphex (
      Esys_TR_FromTPMPublic (connection->esys, WARD_SRK_HANDLE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &key), ==,
      TSS2_RC_SUCCESS);
  return key;
}

/* The names are the same only if the keys and all of their public areas are. */
static void
assert_srk_is_made_by (WardConnection *connection, const TPM2B_PUBLIC *template)
{
  ESYS_TR srk = find_srk (connection);
  ESYS_TR primary = owner_make_key (connection, template, "");
  WARD_ESYS_AUTOFREE TPM2B_NAME *name = get_name (connection, srk);
  WARD_ESYS_AUTOFREE TPM2B_NAME *expected = get_name (connection, primary);

  g_assert_cmpmem (name->name, name->size, expected->name, expected->size);
  g_assert_cmphex (Esys_FlushContext (connection->esys, primary), ==, TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_TR_Close (connection->esys, &srk), ==, TSS2_RC_SUCCESS);
}

static void
assert_has_srk (WardConnection *connection, gboolean has)
{
  g_autofree WardOwnership *ownership = owner_read (connection);

  g_assert_cmphex (ownership->srk_handle, ==, has ? WARD_SRK_HANDLE : 0);
}

static void
put_at_srk_handle (WardConnection *connection, const TPM2B_PUBLIC *template)
{
  ESYS_TR key = owner_make_key (connection, template, "");

  owner_persist (connection, key, WARD_SRK_HANDLE);
  g_assert_cmphex (Esys_FlushContext (connection->esys, key), ==, TSS2_RC_SUCCESS);
}

static void
test_provision (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_has_srk (connection, FALSE);
  assert_works (owner_provision (connection, NULL, &error));
  assert_has_srk (connection, TRUE);
  assert_srk_is_made_by (connection, &ecc_srk);
}

static void
test_provision_with_owner_auth (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  owner_set (connection, WARD_HIERARCHY_OWNER, "owner");
  assert_fails (owner_provision (connection, NULL, &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_fails (owner_provision (connection, "wrong", &error), WARD_ERROR_AUTHENTICATION_FAILED);
  assert_has_srk (connection, FALSE);
  assert_works (owner_provision (connection, "owner", &error));
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, "owner", NULL, &error));
  assert_srk_is_made_by (connection, &ecc_srk);
}

static void
test_provision_twice (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  assert_works (owner_provision (connection, NULL, &error));
  assert_fails (owner_provision (connection, NULL, &error), WARD_ERROR_EXISTS);
  assert_fails (owner_provision (connection, "wrong", &error), WARD_ERROR_EXISTS);
}

/* Windows makes an RSA one. */
static void
test_srk_of_others_is_respected (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  put_at_srk_handle (connection, &rsa_srk);
  assert_has_srk (connection, TRUE);
  assert_fails (owner_provision (connection, NULL, &error), WARD_ERROR_EXISTS);
  owner_set (connection, WARD_HIERARCHY_OWNER, "owner");
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, "owner", NULL, &error));
  assert_srk_is_made_by (connection, &rsa_srk);
}

static void
test_handle_taken_by_something_else (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  TPM2B_PUBLIC signer = ecc_srk;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  signer.publicArea.objectAttributes ^= TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT | TPMA_OBJECT_SIGN_ENCRYPT;
  signer.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
  put_at_srk_handle (connection, &signer);
  assert_has_srk (connection, FALSE);
  assert_fails (owner_provision (connection, NULL, &error), WARD_ERROR_EXISTS);
  owner_set (connection, WARD_HIERARCHY_OWNER, "owner");
  assert_works (owner_change (connection, WARD_HIERARCHY_OWNER, "owner", NULL, &error));
}

static void
test_srk_is_known_by_its_attributes (void)
{
  static const TPMA_OBJECT required[] = { TPMA_OBJECT_FIXEDTPM, TPMA_OBJECT_FIXEDPARENT, TPMA_OBJECT_RESTRICTED,
                                          TPMA_OBJECT_DECRYPT, TPMA_OBJECT_SENSITIVEDATAORIGIN };
  TPMT_PUBLIC without_noda = ecc_srk.publicArea;
  TPMT_PUBLIC hmac = { .type = TPM2_ALG_KEYEDHASH, .objectAttributes = ecc_srk.publicArea.objectAttributes };

  g_assert_true (ward_tpm2_srk_qualifies (&ecc_srk.publicArea));
  g_assert_true (ward_tpm2_srk_qualifies (&rsa_srk.publicArea));
  without_noda.objectAttributes &= ~TPMA_OBJECT_NODA;
  g_assert_true (ward_tpm2_srk_qualifies (&without_noda));
  g_assert_false (ward_tpm2_srk_qualifies (&hmac));
  for (guint i = 0; i < G_N_ELEMENTS (required); i++)
    {
      TPMT_PUBLIC public = ecc_srk.publicArea;

      public.objectAttributes &= ~required[i];
      g_assert_false (ward_tpm2_srk_qualifies (&public));
    }
}

static Reply *
lack_ecc (Middleman *middleman, guint32 command, const guint8 *bytes, gsize size)
{
  /* handle, authorization area of an empty password or a session, empty sensitive area, size of the public area */
  gsize type = 10 + 4 + 4 + (command == TPM2_CC_CreatePrimary ? read_u32 (bytes + 14) : 0) + 2 + 4 + 2;

  if (command == TPM2_CC_CreatePrimary && read_u16 (bytes + type) == TPM2_ALG_ECC)
    return reply_new (middleman->limit);
  return NULL;
}

static void
test_rsa_where_there_is_no_curve (void)
{
  static const TPM2_RC refusals[] = { TPM2_RC_TYPE | TPM2_RC_P | TPM2_RC_2, TPM2_RC_CURVE | TPM2_RC_P | TPM2_RC_2,
                                      TPM2_RC_VALUE | TPM2_RC_P | TPM2_RC_2 };

  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
      g_autoptr (Middleman) middleman = NULL;
      g_autoptr (WardConnection) connection = NULL;

      if (swtpm == NULL)
        return;
      middleman = middleman_new (swtpm->transport);
      middleman->answer = lack_ecc;
      middleman->limit = refusals[i];
      connection = middleman_connect (middleman);
      assert_works (owner_provision (connection, NULL, &error));
      assert_srk_is_made_by (connection, &rsa_srk);
    }
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tpm2/srk/provision", test_provision);
  g_test_add_func ("/tpm2/srk/provision-with-owner-auth", test_provision_with_owner_auth);
  g_test_add_func ("/tpm2/srk/provision-twice", test_provision_twice);
  g_test_add_func ("/tpm2/srk/of-others-is-respected", test_srk_of_others_is_respected);
  g_test_add_func ("/tpm2/srk/handle-taken-by-something-else", test_handle_taken_by_something_else);
  g_test_add_func ("/tpm2/srk/known-by-its-attributes", test_srk_is_known_by_its_attributes);
  g_test_add_func ("/tpm2/srk/rsa-where-there-is-no-curve", test_rsa_where_there_is_no_curve);
  return g_test_run ();
}
