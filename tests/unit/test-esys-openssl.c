/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-esys-openssl.h"

#include <openssl/crypto.h>

#include "test-tpm2-fixture.h"

/* ESYS hashes and draws random numbers for this. */
static void
test_esys_shares_one (void)
{
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);
  g_autoptr (WardConnection) connection = NULL;
  g_auto (WardTpm2Handle) session = { 0 };
  g_autoptr (GError) error = NULL;
  guint count;

  if (swtpm == NULL)
    return;
  connection = swtpm_connect (swtpm);
  session = (WardTpm2Handle)WARD_TPM2_HANDLE_INIT (connection);
  count = ward_esys_openssl_get_count ();
  g_assert_true (ward_tpm2_session_start (connection, 0, 0, &session, &error));
  g_assert_cmpuint (ward_esys_openssl_get_count (), >, count);
}

/* Who is not ESYS gets a new one each time, which it can free. */
static void
test_others_get_their_own (void)
{
  guint count = ward_esys_openssl_get_count ();
  OSSL_LIB_CTX *one = OSSL_LIB_CTX_new ();
  OSSL_LIB_CTX *other = OSSL_LIB_CTX_new ();

  g_assert_nonnull (one);
  g_assert_true (one != other);
  g_assert_cmpuint (ward_esys_openssl_get_count (), ==, count);
  OSSL_LIB_CTX_free (one);
  OSSL_LIB_CTX_free (other);
  OSSL_LIB_CTX_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/esys-openssl/esys-shares-one", test_esys_shares_one);
  g_test_add_func ("/esys-openssl/others-get-their-own", test_others_get_their_own);
  return g_test_run ();
}
