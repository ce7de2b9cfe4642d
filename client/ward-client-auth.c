/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-auth.h"

#include <glib/gi18n-lib.h>

WardClientAuthInfo
ward_client_auth_info (WardClientAuth auth, gboolean is_tpm12)
{
  static const WardClientAuthInfo owner_of_tpm12 = {
    "owner", N_ ("owner's secret"), N_ ("The owner's secret"), "owner-auth",
    N_ ("Who knows it owns the TPM: it takes it to change secrets, to lift a lockout, and to disable and to clear "
        "the TPM. No program needs it in daily use.")
  };
  static const WardClientAuthInfo infos[] = {
    [WARD_CLIENT_AUTH_SRK]
    = { "srk", N_ ("secret of the storage root key"), N_ ("The secret of the storage root key"), "srk-auth",
        N_ ("It is asked for when keys are made and used. Other programs expect the well-known one, which everybody "
            "has.") },
    [WARD_CLIENT_AUTH_ENDORSEMENT]
    = { "endorsement", N_ ("endorsement auth"), N_ ("The endorsement auth"), "endorsement-auth",
        N_ ("It protects the endorsement hierarchy: the keys by which this TPM proves to others that it is genuine. "
            "Most programs expect it to be empty.") },
    [WARD_CLIENT_AUTH_OWNER]
    = { "owner", N_ ("owner auth"), N_ ("The owner auth"), "owner-auth",
        N_ ("It protects the storage hierarchy: making primary keys, persistent handles and NV indices. Other programs "
            "expect it to be empty: with one, systemd before version 256 and clevis can no longer unlock disks.") },
    [WARD_CLIENT_AUTH_LOCKOUT]
    = { "lockout", N_ ("lockout auth"), N_ ("The lockout auth"), "lockout-auth",
        N_ ("Who knows it may lift a lockout and clear the TPM. No program needs it in daily use, and disks that the "
            "TPM unlocks with a PIN are safe from guessing only if there is one.") },
  };
  WardClientAuthInfo info = is_tpm12 && auth == WARD_CLIENT_AUTH_OWNER ? owner_of_tpm12 : infos[auth];

  info.what = _ (info.what);
  info.title = _ (info.title);
  info.protects = _ (info.protects);
  return info;
}

gboolean
ward_client_auth_exists (WardClientAuth auth, gboolean is_tpm12)
{
  return auth == WARD_CLIENT_AUTH_OWNER || is_tpm12 == (auth == WARD_CLIENT_AUTH_SRK);
}

gboolean
ward_client_auth_is_set (WardDbusOwnership *ownership, WardClientAuth auth)
{
  switch (auth)
    {
    case WARD_CLIENT_AUTH_SRK:
      /* that of a TPM 2.0 lies at a handle, and has none */
      return ward_dbus_ownership_get_srk_present (ownership) && ward_dbus_ownership_get_srk_handle (ownership) == 0;
    case WARD_CLIENT_AUTH_ENDORSEMENT:
      return ward_dbus_ownership_get_endorsement_auth_set (ownership);
    case WARD_CLIENT_AUTH_OWNER:
      return ward_dbus_ownership_get_owner_auth_set (ownership);
    case WARD_CLIENT_AUTH_LOCKOUT:
    case WARD_CLIENT_N_AUTHS:
    default:
      return ward_dbus_ownership_get_lockout_auth_set (ownership);
    }
}

/* TPM 2.0 Library, Part 1, 19.4.4.1: a hierarchy's auth value is as long as the hash that protects contexts. */
static gsize
get_digest_size (guint32 hash)
{
  static const struct
  {
    guint32 hash; /* TPM_ALG_ID */
    gsize size;
  } digests[] = { { 0x0004, 20 }, { 0x000b, 32 }, { 0x000c, 48 }, { 0x000d, 64 }, { 0x0012, 32 } };

  for (gsize i = 0; i < G_N_ELEMENTS (digests); i++)
    if (digests[i].hash == hash)
      return digests[i].size;
  return 0;
}

gsize
ward_client_auth_max_size (GVariant *properties)
{
  guint32 hash;

  return g_variant_lookup (properties, "TPM_PT_CONTEXT_HASH", "u", &hash) ? get_digest_size (hash) : 0;
}
