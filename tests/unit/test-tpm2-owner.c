/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-tpm2-owner.h"

#include <string.h>

static WardSecret *
secret_new (const char *auth)
{
  return auth != NULL ? ward_secret_new_from (auth, strlen (auth)) : NULL;
}

static gboolean
conclude (WardConnection *connection, WardSecret *secret, gboolean worked, GError **error)
{
  g_assert_cmpint (worked, ==, error == NULL || *error == NULL);
  if (secret != NULL)
    ward_secret_unref (secret);
  if (worked || !g_error_matches (*error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    assert_nothing_left (connection);
  return worked;
}

gboolean
owner_change (WardConnection *connection, WardHierarchy hierarchy, const char *old, const char *new, GError **error)
{
  WardSecret *old_auth = secret_new (old);
  g_autoptr (WardSecret) new_auth = secret_new (new);
  gboolean worked = ward_tpm2_backend.change_auth (connection, hierarchy, old_auth, new_auth, error);

  return conclude (connection, old_auth, worked, error);
}

gboolean
owner_provision (WardConnection *connection, const char *auth, GError **error)
{
  WardSecret *secret = secret_new (auth);

  return conclude (connection, secret, ward_tpm2_backend.provision_srk (connection, secret, error), error);
}

gboolean
owner_reset (WardConnection *connection, const char *auth, GError **error)
{
  WardSecret *secret = secret_new (auth);

  return conclude (connection, secret, ward_tpm2_backend.reset_lockout (connection, secret, error), error);
}

gboolean
owner_set_lockout (WardConnection *connection, guint32 max, guint32 recovery, guint32 lockout_recovery,
                   const char *auth, GError **error)
{
  WardSecret *secret = secret_new (auth);
  gboolean worked = ward_tpm2_backend.set_lockout_parameters (connection, max, recovery, lockout_recovery, secret,
                                                              error);

  return conclude (connection, secret, worked, error);
}

gboolean
owner_clear (WardConnection *connection, const char *auth, GError **error)
{
  WardSecret *secret = secret_new (auth);

  return conclude (connection, secret, ward_tpm2_backend.clear (connection, secret, error), error);
}

gboolean
owner_disable_clear (WardConnection *connection, const char *auth, GError **error)
{
  WardSecret *secret = secret_new (auth);

  return conclude (connection, secret, ward_tpm2_backend.disable_clear (connection, secret, error), error);
}

void
owner_set (WardConnection *connection, WardHierarchy hierarchy, const char *auth)
{
  assert_works (owner_change (connection, hierarchy, NULL, auth, &error));
}

WardOwnership *
owner_read (WardConnection *connection)
{
  g_autoptr (GError) error = NULL;
  WardOwnership *ownership = ward_tpm2_backend.read_ownership (connection, &error);

  g_assert_no_error (error);
  return ownership;
}

ESYS_TR
owner_make_key (WardConnection *connection, const TPM2B_PUBLIC *template, const char *auth)
{
  TPM2B_SENSITIVE_CREATE sensitive = { .sensitive.userAuth.size = strlen (auth) };
  guint8 *bytes = sensitive.sensitive.userAuth.buffer;
  TPML_PCR_SELECTION pcrs = { 0 };
  ESYS_TR key;

  memcpy (bytes, auth, strlen (auth));
  g_assert_cmphex (Esys_CreatePrimary (connection->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                       &sensitive, template, NULL, &pcrs, &key, NULL, NULL, NULL, NULL),
                   ==, TSS2_RC_SUCCESS);
  return key;
}

void
owner_persist (WardConnection *connection, ESYS_TR key, TPM2_HANDLE handle)
{
  ESYS_TR kept;

  g_assert_cmphex (Esys_EvictControl (connection->esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                      ESYS_TR_NONE, handle, &kept),
                   ==, TSS2_RC_SUCCESS);
  g_assert_cmphex (Esys_TR_Close (connection->esys, &kept), ==, TSS2_RC_SUCCESS);
}
