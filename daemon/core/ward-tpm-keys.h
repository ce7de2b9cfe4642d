/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-key-use.h"
#include "ward-tpm.h"

/* What the chip does with keys, on behalf of a caller. Where a key is kept, and whose it is, is not known here. Keys,
 * templates and auths that are given stay the caller's. A try that the chip would count goes through the caller's
 * budget: see ward-budget.h. */

/* A key that has come to be. */
typedef struct
{
  WardWrappedKey *key;
  WardKeyFacts *facts;
  GBytes *public_key; /* SubjectPublicKeyInfo in DER */
} WardMadeKey;

void ward_made_key_free (WardMadeKey *made);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardMadeKey, ward_made_key_free)

/* What is on record about a key, without asking the chip, on any thread. Fails as WardBackend's describe_key, and with
 * WARD_ERROR_NOT_SUPPORTED for a family without keys. */
WardKeyFacts *ward_tpm_key_describe (WardTpm *tpm, const WardWrappedKey *key, GError **error);
GBytes *ward_tpm_key_get_public (WardTpm *tpm, const WardWrappedKey *key, GError **error);

void ward_tpm_key_create_async (WardTpm *tpm, const WardTicket *ticket, const WardKeyTemplate *template,
                                const WardKeyAuths *auths, GAsyncReadyCallback callback, gpointer user_data);
/* data: as ward_key_import_parse () takes it; passphrase: of that, or NULL. template: its algorithm is not looked at,
 * and none of it for a TSS2 PRIVATE KEY, whose auth value stays what it is. */
void ward_tpm_key_import_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *data, WardSecret *passphrase,
                                const WardKeyTemplate *template, const WardKeyAuths *auths,
                                GAsyncReadyCallback callback, gpointer user_data);
/* The same key with another auth value. */
void ward_tpm_key_change_auth_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key,
                                     const WardKeyFacts *facts, const WardKeyAuths *auths, WardSecret *new_auth,
                                     GAsyncReadyCallback callback, gpointer user_data);
/* Of these three. */
WardMadeKey *ward_tpm_key_make_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* facts: the key's. signing, decryption, peer: taken over; of these facts. */
void ward_tpm_key_sign_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key,
                              const WardKeyFacts *facts, const WardKeyAuths *auths, WardSigning *signing,
                              GAsyncReadyCallback callback, gpointer user_data);
GBytes *ward_tpm_key_sign_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
void ward_tpm_key_decrypt_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key,
                                 const WardKeyFacts *facts, const WardKeyAuths *auths, WardDecryption *decryption,
                                 GAsyncReadyCallback callback, gpointer user_data);
void ward_tpm_key_agree_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key,
                               const WardKeyFacts *facts, const WardKeyAuths *auths, WardPoint *peer,
                               GAsyncReadyCallback callback, gpointer user_data);
/* Of both. */
WardSecret *ward_tpm_key_reveal_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* handle: see WardBackend. */
void ward_tpm_key_persist_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key, guint32 handle,
                                 const WardKeyAuths *auths, GAsyncReadyCallback callback, gpointer user_data);
void ward_tpm_evict_async (WardTpm *tpm, const WardTicket *ticket, guint32 handle, WardSecret *owner_auth,
                           GAsyncReadyCallback callback, gpointer user_data);
/* Of both. */
gboolean ward_tpm_persist_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Names of what keys can lie beneath now, as WardSealed's parent_name, to be freed by g_strfreev: of the storage root
 * key; with_owner: and of the owner hierarchy's primary key of the default template, which is made for the moment for
 * it. Neither need be there. */
void ward_tpm_find_parents_async (WardTpm *tpm, gboolean with_owner, GAsyncReadyCallback callback, gpointer user_data);
char **ward_tpm_find_parents_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
