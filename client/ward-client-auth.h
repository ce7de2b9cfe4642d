/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-dbus.h"

/* The auth values of a TPM's hierarchies; a TPM 1.2 has no hierarchies, but an owner and a storage root key. */
typedef enum
{
  WARD_CLIENT_AUTH_SRK,         /* of TPM 1.2 alone */
  WARD_CLIENT_AUTH_ENDORSEMENT, /* of TPM 2.0 alone */
  WARD_CLIENT_AUTH_OWNER,
  WARD_CLIENT_AUTH_LOCKOUT, /* of TPM 2.0 alone; the last one: with it there is a way back from the others */
  WARD_CLIENT_N_AUTHS,
} WardClientAuth;

/* What there is to know of each of them. */
typedef struct
{
  const char *name;     /* as ChangeAuth takes it */
  const char *what;     /* in a sentence */
  const char *title;    /* "The lockout auth" */
  const char *option;   /* as TakeOwnership takes it */
  const char *protects; /* sentences */
} WardClientAuthInfo;

/* Of a TPM of that family, which need not have it. The strings are translated. */
WardClientAuthInfo ward_client_auth_info (WardClientAuth auth, gboolean is_tpm12);

/* Whether TPMs of that family have it. */
gboolean ward_client_auth_exists (WardClientAuth auth, gboolean is_tpm12);

/* That of a TPM 1.2's storage root key is when there is one: the TPM does not tell whether it is the well-known one. */
gboolean ward_client_auth_is_set (WardDbusOwnership *ownership, WardClientAuth auth);

/* How long an auth value of a hierarchy can be, in bytes, by what GetProperties gives; 0 when not known. */
gsize ward_client_auth_max_size (GVariant *properties);
