/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-backend.h"
#include "ward-tpm12-message.h"

/* How long, in microseconds, tcsd may take to answer at all, then for what is quick, and for what may make a key. */
#define WARD_TPM12_CONNECT_PATIENCE (8 * G_USEC_PER_SEC)
#define WARD_TPM12_READ_PATIENCE (10 * G_USEC_PER_SEC)
#define WARD_TPM12_LONG_PATIENCE (5 * 60 * G_USEC_PER_SEC)

/* In the number of an NV index, beside who it is for: nobody can undefine it (TPM Main, Part 2, 19.1). */
#define WARD_TPM12_NV_FIXED_BIT 0x10000000u

struct _WardConnection
{
  GPid pid; /* of the companion, or 0: it has ended */
  int socket;
  gboolean locked_out; /* the last secret was refused unheard, from which alone a lockout can be known */
};

/* Has the companion do something. arguments: floating. secrets: NULL, or n of them, each of which may be NULL. type: of
 * the answer's body. When there is no answer in time, the companion is ended, and with it the connection's use. */
WardTpm12Message *ward_tpm12_call (WardConnection *connection, WardTpm12Act act, GVariant *arguments,
                                   WardSecret *const *secrets, guint n, const char *type, gint64 patience,
                                   GError **error);

/* The same of something that takes its time, by one or two secrets or NULL: something that is changed, and something
 * that is a secret itself. */
gboolean ward_tpm12_change (WardConnection *connection, WardTpm12Act act, GVariant *arguments, WardSecret *first,
                            WardSecret *second, GError **error);
WardSecret *ward_tpm12_reveal (WardConnection *connection, WardTpm12Act act, GVariant *arguments, WardSecret *first,
                               WardSecret *second, GError **error);

WardConnection *ward_tpm12_start (const char *transport, GError **error);
void ward_tpm12_stop (WardConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardConnection, ward_tpm12_stop)

WardIdentity *ward_tpm12_identify (WardConnection *connection, GError **error);
gboolean ward_tpm12_probe (WardConnection *connection, GError **error);
GVariant *ward_tpm12_get_properties (WardConnection *connection, GError **error);
gboolean ward_tpm12_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error);
WardTestResult *ward_tpm12_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error);
WardTestResult *ward_tpm12_get_test_result (WardConnection *connection, GError **error);
gboolean ward_tpm12_read_pcrs (WardConnection *connection, const char *bank, guint32 mask, WardPcrValues *values,
                               GError **error);

WardOwnership *ward_tpm12_read_ownership (WardConnection *connection, GError **error);
gboolean ward_tpm12_take_ownership (WardConnection *connection, WardSecret *owner_auth, WardSecret *srk_auth,
                                    GBytes **srk_modulus, GError **error);
gboolean ward_tpm12_change_auth (WardConnection *connection, WardHierarchy hierarchy, WardSecret *old_auth,
                                 WardSecret *new_auth, GError **error);
gboolean ward_tpm12_reset_lockout (WardConnection *connection, WardSecret *owner_auth, GError **error);
gboolean ward_tpm12_clear (WardConnection *connection, WardSecret *owner_auth, GError **error);
gboolean ward_tpm12_disable_clear (WardConnection *connection, WardSecret *owner_auth, GError **error);
gboolean ward_tpm12_set_enabled (WardConnection *connection, gboolean enabled, WardSecret *owner_auth, GError **error);
gboolean ward_tpm12_set_active (WardConnection *connection, gboolean active, GError **error);

WardWrappedKey *ward_tpm12_create_key (WardConnection *connection, const WardKeyTemplate *template,
                                       const WardKeyAuths *auths, GError **error);
WardWrappedKey *ward_tpm12_import_key (WardConnection *connection, const WardKeyPair *pair,
                                       const WardKeyTemplate *template, const WardKeyAuths *auths, GError **error);
WardKeyFacts *ward_tpm12_describe_key (const WardWrappedKey *key, GError **error);
GBytes *ward_tpm12_get_public_key (const WardWrappedKey *key, GError **error);
gboolean ward_tpm12_check_key (WardConnection *connection, WardWrappedKey *key, const WardKeyAuths *auths,
                               GError **error);
GBytes *ward_tpm12_sign (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                         const WardSigning *signing, GError **error);
WardSecret *ward_tpm12_decrypt (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                                const WardDecryption *decryption, GError **error);
WardWrappedKey *ward_tpm12_change_key_auth (WardConnection *connection, const WardWrappedKey *key,
                                            const WardKeyAuths *auths, WardSecret *new_auth, GError **error);

/* Whether the TPM can do as no-da says: it counts wrong secrets by rules of its own. */
gboolean ward_tpm12_check_no_da (gboolean no_da, const WardKeyAuths *auths, GError **error);

WardSealed *ward_tpm12_seal (WardConnection *connection, WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs,
                             gboolean no_da, GError **error);
WardSealed *ward_tpm12_seal_for_tpm_tools (WardConnection *connection, WardSecret *key, const WardKeyAuths *auths,
                                           GPtrArray *pcrs, GError **error);
gboolean ward_tpm12_check_sealed (const WardSealed *sealed, gboolean *counts, GError **error);
WardSecret *ward_tpm12_unseal (WardConnection *connection, const WardSealed *sealed, const WardKeyAuths *auths,
                               GError **error);

GPtrArray *ward_tpm12_list_items (WardConnection *connection, GError **error);
GPtrArray *ward_tpm12_list_nv (WardConnection *connection, GError **error);
gboolean ward_tpm12_check_nv_index (guint32 index, GError **error);
gboolean ward_tpm12_check_nv_template (const WardNvTemplate *template, GError **error);
gboolean ward_tpm12_define_nv (WardConnection *connection, const WardNvTemplate *template, WardSecret *owner_auth,
                               GError **error);
gboolean ward_tpm12_undefine_nv (WardConnection *connection, guint32 index, WardSecret *owner_auth, gboolean force,
                                 GError **error);
gboolean ward_tpm12_prepare_nv (WardConnection *connection, WardNvAccess *access, gboolean is_write, gboolean *counts,
                                GError **error);
WardSecret *ward_tpm12_read_nv (WardConnection *connection, const WardNvAccess *access, GError **error);
gboolean ward_tpm12_write_nv (WardConnection *connection, const WardNvAccess *access, WardSecret *data, GError **error);
