/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "test-key-fixture.h"
#include "test-tpm2-owner.h"
#include "ward-key-pair.h"
#include "ward-key-use.h"

/* The backend's operations on keys, with auth values as strings; NULL: none. Each asserts that it has left nothing in
 * the TPM. */
WardWrappedKey *key_create (WardConnection *connection, const char *algorithm, guint usage, const char *auth);
WardWrappedKey *key_create_as (WardConnection *connection, const WardKeyTemplate *template, const char *auth,
                               const char *owner_auth, GError **error);
WardWrappedKey *key_import (WardConnection *connection, EVP_PKEY *pkey, guint usage, const char *auth, gboolean no_da);
GBytes *key_get_public (const WardWrappedKey *key);
/* The digest of “sign me”. */
GBytes *key_sign (WardConnection *connection, const WardWrappedKey *key, const char *auth, const char *scheme,
                  const char *hash, GError **error);
WardSecret *key_decrypt (WardConnection *connection, const WardWrappedKey *key, const char *auth, const char *scheme,
                         const char *hash, GBytes *label, GBytes *ciphertext, GError **error);
WardSecret *key_agree (WardConnection *connection, const WardWrappedKey *key, const char *auth, GBytes *peer,
                       GError **error);
WardWrappedKey *key_change_auth (WardConnection *connection, const WardWrappedKey *key, const char *old,
                                 const char *new, GError **error);
WardSecret *secret_of_text (const char *text);

void assert_signs (WardConnection *connection, const WardWrappedKey *key, const char *auth);
void assert_does_not_sign (WardConnection *connection, const WardWrappedKey *key, const char *auth, int code,
                           const char *word);

#define WITH_TPM                                                                                                       \
  g_autoptr (Swtpm) swtpm = swtpm_new (TRUE);                                                                          \
  g_autoptr (WardConnection) connection = NULL;                                                                        \
  if (!swtpm)                                                                                                          \
    return;                                                                                                            \
  connection = swtpm_connect (swtpm)
