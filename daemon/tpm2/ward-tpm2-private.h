/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <tss2/tss2_esys.h>

#include "ward-backend.h"
#include "ward-tpm2.h"

/* What the parts of the TPM 2.0 backend share, and what its tests look into. */

/* How long a TPM that says "try again" is asked again before it is believed to have hung, in microseconds. */
#define WARD_TPM2_PATIENCE (60 * G_USEC_PER_SEC)

/* The keys, and the session, that stay in the TPM because they were used: see ward-tpm2-cache.c. */
typedef struct _WardTpm2Cache WardTpm2Cache;

/* From opening to its end, at one place in memory. */
struct _WardConnection
{
  ESYS_CONTEXT *esys;
  TSS2_TCTI_CONTEXT *tcti; /* to be finalized with the connection; NULL when it is a test's own */
  char *transport;         /* the TCTI configuration, for messages */
  char manufacturer[5];    /* the TCG's vendor id, "" while unknown: it tells how to read failure data */
  gint64 patience;         /* see WARD_TPM2_PATIENCE; tests shorten it */
  char *endorsement;       /* as WardIdentity has it; NULL until it was read */
  WardTpm2Cache *cache;    /* of all connections that serve one */
};

/* Memory that ESYS gave us is freed with its own function. */
static inline void
ward_tpm2_free_esys_memory (void *location)
{
  void **memory = location;

  Esys_Free (*memory);
}
#define WARD_ESYS_AUTOFREE __attribute__ ((cleanup (ward_tpm2_free_esys_memory)))

/* tpm2-tss's TPM2_TRANSIENT_FIRST and TPM2_PERSISTENT_FIRST shift a bit out of an int. */
#define WARD_TPM2_TRANSIENT_FIRST ((guint32)TPM2_HT_TRANSIENT << TPM2_HR_SHIFT)
#define WARD_TPM2_PERSISTENT_FIRST ((guint32)TPM2_HT_PERSISTENT << TPM2_HR_SHIFT)

#define WARD_TPM2_NO_SESSIONS ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE

/* ward-tpm2.c */
WardConnection *ward_tpm2_connection_new_for_tcti (TSS2_TCTI_CONTEXT *tcti, const char *transport, GError **error);
WardConnection *ward_tpm2_connection_open_beside (WardConnection *connection);
void ward_tpm2_connection_free (WardConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardConnection, ward_tpm2_connection_free)

/* ward-tpm2-rc.c */
TSS2_RC ward_tpm2_rc_get_meaning (TSS2_RC rc);
gboolean ward_tpm2_rc_is_from_tpm (TSS2_RC rc);
gboolean ward_tpm2_rc_is_lost (TSS2_RC rc);
char *ward_tpm2_rc_to_string (TSS2_RC rc);
void ward_tpm2_set_error (GError **error, WardConnection *connection, TSS2_RC rc, const char *what);

/* A command that is asked again while the TPM says so; all zero to begin with. */
typedef struct
{
  gint64 deadline;
  gulong pause;
} WardTpm2Wait;

gboolean ward_tpm2_wait_again (WardConnection *connection, WardTpm2Wait *wait, TSS2_RC rc);

/* ward-tpm2-transport.c */
gboolean ward_tpm2_transport_is_unshared (const char *transport);
gboolean ward_tpm2_transport_is_simulator (const char *transport);
gboolean ward_tpm2_transport_is_managed (const char *transport);
char *ward_tpm2_transport_explain (const char *transport);

/* ward-tpm2-flush.c */
gboolean ward_tpm2_flush_stale (WardConnection *connection, GError **error);

/* ward-tpm2-capability.c */
GArray *ward_tpm2_read_properties (WardConnection *connection, guint32 first, guint32 last, GError **error);
gboolean ward_tpm2_properties_lookup (GArray *properties, guint32 tag, guint32 *value);
GArray *ward_tpm2_read_algorithms (WardConnection *connection, GError **error);
GArray *ward_tpm2_read_curves (WardConnection *connection, GError **error);
GArray *ward_tpm2_read_handles (WardConnection *connection, guint32 first, GError **error);
GStrv ward_tpm2_read_banks (WardConnection *connection, GError **error);

/* ward-tpm2-public.c */
TSS2_RC ward_tpm2_read_public (WardConnection *connection, TPM2_HANDLE handle, TPM2B_PUBLIC *public, TPM2B_NAME *name);
TSS2_RC ward_tpm2_nv_read_public (WardConnection *connection, TPM2_HANDLE index, TPM2B_NV_PUBLIC *public,
                                  TPM2B_NAME *name);
char *ward_tpm2_name_to_string (const TPM2B_NAME *name);
char *ward_tpm2_public_to_string (const TPMT_PUBLIC *public);

/* ward-tpm2-purpose.c */
const char *ward_tpm2_handle_get_purpose (TPM2_HANDLE handle);

/* ward-tpm2-endorsement.c */
gboolean ward_tpm2_ek_qualifies (const TPMT_PUBLIC *public);
const char *ward_tpm2_get_endorsement (WardConnection *connection, GError **error);

/* ward-tpm2-algorithm.c */
const char *ward_tpm2_bank_to_string (TPM2_ALG_ID hash);
TPM2_ALG_ID ward_tpm2_bank_from_string (const char *name);
char *ward_tpm2_algorithm_to_string (TPM2_ALG_ID algorithm);
gsize ward_tpm2_hash_get_size (TPM2_ALG_ID hash);

/* ward-tpm2-vendor.c */
char *ward_tpm2_firmware_to_string (const char *manufacturer, guint32 first, guint32 second);
gboolean ward_tpm2_vendor_is_emulated (const char *manufacturer, const char *vendor_string);

/* ward-tpm2-test-result.c */
gboolean ward_tpm2_test_result_is_failure (TPM2_RC result);
char *ward_tpm2_explain_failure (const char *manufacturer, TPM2_RC result, const guint8 *data, gsize size);
TSS2_RC ward_tpm2_read_test_result (WardConnection *connection, TPM2_RC *result, GBytes **data);
WardTestResult *ward_tpm2_get_test_result (WardConnection *connection, GError **error);

/* An object or a session that ESYS knows, released with the scope that holds it: what is transient is flushed from the
 * chip, what is persistent only forgotten. */
typedef struct
{
  WardConnection *connection;
  ESYS_TR tr; /* ESYS_TR_NONE while there is none */
} WardTpm2Handle;

#define WARD_TPM2_HANDLE_INIT(connection)                                                                              \
  {                                                                                                                    \
    (connection), ESYS_TR_NONE                                                                                         \
  }

void ward_tpm2_handle_clear (WardTpm2Handle *handle);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardTpm2Handle, ward_tpm2_handle_clear)

/* ward-tpm2-srk.c */
gboolean ward_tpm2_srk_qualifies (const TPMT_PUBLIC *public);
gboolean ward_tpm2_srk_find (WardConnection *connection, WardOwnership *ownership, GError **error);
TSS2_RC ward_tpm2_srk_create (WardConnection *connection, ESYS_TR hierarchy, ESYS_TR session, WardTpm2Handle *key);

/* ward-tpm2-session.c */
gboolean ward_tpm2_session_start (WardConnection *connection, guint32 srk_handle, TPMA_SESSION attributes,
                                  WardTpm2Handle *session, GError **error);
gboolean ward_tpm2_session_start_for_key (WardConnection *connection, ESYS_TR salt_key, TPM2_SE type,
                                          TPMA_SESSION attributes, WardTpm2Handle *session, GError **error);
void ward_tpm2_session_forget_auth (const WardTpm2Handle *session);

/* ward-tpm2-parent.c */
gboolean ward_tpm2_parent_open_persistent (WardConnection *connection, WardTpm2Handle *parent, GError **error);
gboolean ward_tpm2_parent_open_transient (WardConnection *connection, WardSecret *owner_auth, WardTpm2Handle *parent,
                                          GError **error);
gboolean ward_tpm2_parent_open (WardConnection *connection, WardSecret *owner_auth, WardTpm2Handle *parent,
                                WardSealed *beneath, GError **error);
gboolean ward_tpm2_parent_tell (WardTpm2Handle *parent, WardSealed *beneath, GError **error);
GStrv ward_tpm2_find_parents (WardConnection *connection, gboolean with_owner, GError **error);

/* ward-tpm2-blob.c */
GBytes *ward_tpm2_public_to_bytes (const TPM2B_PUBLIC *public);
GBytes *ward_tpm2_private_to_bytes (const TPM2B_PRIVATE *private);
gboolean ward_tpm2_public_from_bytes (GBytes *bytes, TPM2B_PUBLIC *public);
gboolean ward_tpm2_private_from_bytes (GBytes *bytes, TPM2B_PRIVATE *private);

/* What is said when an object is not loaded. */
typedef struct
{
  const char *refused; /* the beginning of a sentence: the TPM does not take it */
  const char *why;     /* what that can mean, and what next */
  const char *failed;  /* the beginning of a sentence: it could not be loaded */
} WardTpm2LoadWords;

/* ward-tpm2-object.c */
void ward_tpm2_forget_buffer (WardConnection *connection);
gboolean ward_tpm2_object_load (WardConnection *connection, const WardSealed *wrapped, const WardTpm2LoadWords *words,
                                WardSecret *owner_auth, WardTpm2Handle *parent, WardTpm2Handle *object, GError **error);

/* ward-tpm2-policy.c */
gboolean ward_tpm2_policy_read_pcrs (WardConnection *connection, GPtrArray *wanted, GPtrArray *pcrs, GError **error);
void ward_tpm2_policy_get_digest (GPtrArray *pcrs, gboolean has_auth, TPM2B_DIGEST *digest);
gboolean ward_tpm2_policy_check_pcrs (WardConnection *connection, GPtrArray *pcrs, GError **error);
gboolean ward_tpm2_policy_satisfy (WardConnection *connection, ESYS_TR session, GPtrArray *pcrs, gboolean has_auth,
                                   GError **error);

/* The right to a command that a hierarchy's auth value gives: the value, which ESYS keeps for as long, and a session
 * that proves it. Both are gone with the scope. */
typedef struct
{
  WardConnection *connection;
  WardHierarchy hierarchy;
  ESYS_TR tr;               /* of the hierarchy */
  WardTpm2Handle session;   /* to be the command's first */
  gboolean has_auth;        /* the value is not empty */
  WardOwnership *ownership; /* as it was before the command */
} WardTpm2Authorization;

/* ward-tpm2-authorization.c */
gboolean ward_tpm2_authorize (WardConnection *connection, WardHierarchy hierarchy, WardSecret *auth,
                              TPMA_SESSION attributes, WardTpm2Authorization *authorization, GError **error);
void ward_tpm2_authorization_clear (WardTpm2Authorization *authorization);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardTpm2Authorization, ward_tpm2_authorization_clear)
gboolean ward_tpm2_authorization_conclude (WardTpm2Authorization *authorization, TSS2_RC rc, const char *what,
                                           GError **error);
gboolean ward_tpm2_auth_set (TPM2B_AUTH *auth, WardSecret *secret, gsize max_size, GError **error);
void ward_tpm2_auth_wipe (TPM2B_AUTH *auth);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TPM2B_AUTH, ward_tpm2_auth_wipe)

/* ward-tpm2-self-test.c, -identity.c, -properties.c, -random.c, -pcrs.c, -ownership.c, -items.c, -hierarchy.c, -srk.c,
 * -lockout.c: members of the table */
WardTestResult *ward_tpm2_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error);
WardIdentity *ward_tpm2_identify (WardConnection *connection, GError **error);
GVariant *ward_tpm2_get_properties (WardConnection *connection, GError **error);
const char *ward_tpm2_property_get_name (guint32 tag);
gboolean ward_tpm2_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error);
gboolean ward_tpm2_read_pcrs (WardConnection *connection, const char *bank, guint32 mask, WardPcrValues *values,
                              GError **error);
WardOwnership *ward_tpm2_read_ownership (WardConnection *connection, GError **error);
GPtrArray *ward_tpm2_list_items (WardConnection *connection, GError **error);
gboolean ward_tpm2_change_auth (WardConnection *connection, WardHierarchy hierarchy, WardSecret *old_auth,
                                WardSecret *new_auth, GError **error);
gboolean ward_tpm2_provision_srk (WardConnection *connection, WardSecret *owner_auth, GError **error);
gboolean ward_tpm2_reset_lockout (WardConnection *connection, WardSecret *lockout_auth, GError **error);
gboolean ward_tpm2_set_lockout_parameters (WardConnection *connection, guint32 max_failures, guint32 recovery_seconds,
                                           guint32 lockout_recovery_seconds, WardSecret *lockout_auth, GError **error);
gboolean ward_tpm2_clear (WardConnection *connection, WardSecret *lockout_auth, GError **error);
gboolean ward_tpm2_disable_clear (WardConnection *connection, WardSecret *lockout_auth, GError **error);

/* ward-tpm2-seal.c: members of the table */
WardSealed *ward_tpm2_seal (WardConnection *connection, WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs,
                            gboolean no_da, GError **error);
gboolean ward_tpm2_check_sealed (const WardSealed *sealed, gboolean *counts, GError **error);
WardSecret *ward_tpm2_unseal (WardConnection *connection, const WardSealed *sealed, const WardKeyAuths *auths,
                              GError **error);

/* A key that stays loaded. */
typedef struct
{
  WardConnection *connection; /* over which it is: the cache's, or one of its own */
  GBytes *public_area;        /* as WardSealed has them: by both it is known */
  GBytes *private_area;
  WardTpm2Handle object;
  gboolean is_beneath_srk; /* the one that the TPM keeps */
  WardTpm2Handle salt;     /* that, on a connection of the key's own; else none */
  gint64 trusted_at;       /* when it was last known to be there, in microseconds of CLOCK_BOOTTIME */
  gboolean in_use;         /* by the job that is under way */
} WardTpm2CachedKey;

/* ward-tpm2-cache.c */
WardTpm2Cache *ward_tpm2_cache_new (WardConnection *connection);
void ward_tpm2_cache_free (WardTpm2Cache *cache);
gboolean ward_tpm2_cache_serves (WardTpm2Cache *cache, const WardConnection *connection);
void ward_tpm2_cache_set_managed (WardTpm2Cache *cache);
void ward_tpm2_cache_set_trust (WardTpm2Cache *cache, gint64 trust);
gboolean ward_tpm2_cache_open_key (WardTpm2Cache *cache, const WardWrappedKey *key, WardTpm2CachedKey **cached,
                                   GError **error);
void ward_tpm2_cache_close_key (WardTpm2Cache *cache, WardTpm2CachedKey *cached);
gboolean ward_tpm2_cache_open_session (WardTpm2Cache *cache, const WardTpm2CachedKey *cached, TPM2_SE type,
                                       gboolean is_salted, TPMA_SESSION attributes, WardTpm2Handle *own,
                                       const WardTpm2Handle **session, GError **error);
void ward_tpm2_cache_make_room (WardTpm2Cache *cache);
gboolean ward_tpm2_cache_yield (WardTpm2Cache *cache);
void ward_tpm2_cache_drop (WardTpm2Cache *cache);
void ward_tpm2_cache_rest (WardConnection *connection);
void ward_tpm2_cache_count (WardTpm2Cache *cache, guint *objects, guint *sessions);

/* A key, loaded, and the right to use it. Gone with the scope, but for what stays in the TPM. */
typedef struct
{
  WardConnection *connection; /* over which the key is loaded; NULL when there is nothing to clear */
  WardTpm2Cache *cache;
  WardTpm2CachedKey *cached; /* NULL when it is loaded for this alone: then there are */
  WardTpm2Handle parent;
  WardTpm2Handle object;
  WardTpm2Handle own_session;    /* for this alone; or none */
  const WardTpm2Handle *session; /* that is used: own_session, or the one that is kept; NULL: none */
  ESYS_TR key;                   /* the command's handle for it */
  ESYS_TR authorization;         /* to be the command's first session: session's, or that of the empty password */
  gboolean has_auth;             /* the value is not empty */
} WardTpm2KeyUse;

/* Whom a use is authorized as, and what of it is secret. */
typedef struct
{
  TPMA_SESSION secrets; /* TPMA_SESSION_DECRYPT, TPMA_SESSION_ENCRYPT: as for ward_tpm2_session_start */
  gboolean as_admin;    /* the command is of the ADMIN role (TPM 2.0 Library, Part 1, 19.2) */
} WardTpm2KeyRole;

/* ward-tpm2-key-use.c */
gboolean ward_tpm2_key_use_begin (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                                  WardTpm2KeyRole role, WardTpm2KeyUse *use, GError **error);
/* Sends the command, with use->key and use->authorization. */
typedef TSS2_RC (*WardTpm2KeyCommand) (WardTpm2KeyUse *use, gpointer data);

gboolean ward_tpm2_key_use_run (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                                TPMA_SESSION secrets, WardTpm2KeyCommand command, gpointer data, TSS2_RC *rc,
                                GError **error);
void ward_tpm2_key_use_clear (WardTpm2KeyUse *use);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WardTpm2KeyUse, ward_tpm2_key_use_clear)
extern const WardTpm2LoadWords ward_tpm2_key_load_words;

/* ward-tpm2-key.c */
gboolean ward_tpm2_key_fill_template (const WardKeyTemplate *template, GPtrArray *pcrs, gboolean has_auth,
                                      TPMT_PUBLIC *public, GError **error);
gboolean ward_tpm2_key_conclude_make (WardConnection *connection, TSS2_RC rc, const char *algorithm, GError **error);
gboolean ward_tpm2_key_keep (WardConnection *connection, WardWrappedKey *key, const TPM2B_PUBLIC *public,
                             const TPM2B_PRIVATE *private, GError **error);

/* ward-tpm2-key.c, -key-facts.c, -key-import.c, -key-use.c, -key-change.c, -key-persist.c: members of the table */
WardWrappedKey *ward_tpm2_create_key (WardConnection *connection, const WardKeyTemplate *template,
                                      const WardKeyAuths *auths, GError **error);
WardWrappedKey *ward_tpm2_import_key (WardConnection *connection, const WardKeyPair *pair,
                                      const WardKeyTemplate *template, const WardKeyAuths *auths, GError **error);
WardKeyFacts *ward_tpm2_describe_key (const WardWrappedKey *key, GError **error);
GBytes *ward_tpm2_get_public_key (const WardWrappedKey *key, GError **error);
GBytes *ward_tpm2_public_get_key (const TPMT_PUBLIC *public);
gboolean ward_tpm2_check_key (WardConnection *connection, WardWrappedKey *key, const WardKeyAuths *auths,
                              GError **error);
GBytes *ward_tpm2_sign (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                        const WardSigning *signing, GError **error);
WardSecret *ward_tpm2_decrypt (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                               const WardDecryption *decryption, GError **error);
WardSecret *ward_tpm2_agree (WardConnection *connection, const WardWrappedKey *key, const WardKeyAuths *auths,
                             const WardPoint *peer, GError **error);
WardWrappedKey *ward_tpm2_change_key_auth (WardConnection *connection, const WardWrappedKey *key,
                                           const WardKeyAuths *auths, WardSecret *new_auth, GError **error);
gboolean ward_tpm2_persist_key (WardConnection *connection, const WardWrappedKey *key, guint32 handle,
                                const WardKeyAuths *auths, GError **error);
gboolean ward_tpm2_evict (WardConnection *connection, guint32 handle, WardSecret *owner_auth, GError **error);

/* ward-tpm2-nv-attributes.c */
GStrv ward_tpm2_nv_attributes_to_names (TPMA_NV attributes);
gboolean ward_tpm2_nv_attributes_from_names (const char *const *names, TPMA_NV *attributes, GError **error);

/* ward-tpm2-nv.c, -nv-access.c */
gboolean ward_tpm2_nv_find (WardConnection *connection, guint32 index, TPMS_NV_PUBLIC *public, const char *what,
                            GError **error);
guint32 ward_tpm2_nv_get_limit (WardConnection *connection, guint32 tag, guint32 fallback);
gboolean ward_tpm2_nv_open (WardConnection *connection, guint32 index, WardTpm2Handle *handle, const char *what,
                            GError **error);
void ward_tpm2_nv_set_error (GError **error, WardConnection *connection, TSS2_RC rc, const char *what);

/* ward-tpm2-nv.c, -nv-access.c: members of the table */
GPtrArray *ward_tpm2_list_nv (WardConnection *connection, GError **error);
gboolean ward_tpm2_check_nv_index (guint32 index, GError **error);
gboolean ward_tpm2_check_nv_template (const WardNvTemplate *template, GError **error);
gboolean ward_tpm2_define_nv (WardConnection *connection, const WardNvTemplate *template, WardSecret *owner_auth,
                              GError **error);
gboolean ward_tpm2_undefine_nv (WardConnection *connection, guint32 index, WardSecret *owner_auth, gboolean force,
                                GError **error);
gboolean ward_tpm2_prepare_nv (WardConnection *connection, WardNvAccess *access, gboolean is_write, gboolean *counts,
                               GError **error);
WardSecret *ward_tpm2_read_nv (WardConnection *connection, const WardNvAccess *access, GError **error);
gboolean ward_tpm2_write_nv (WardConnection *connection, const WardNvAccess *access, WardSecret *data, GError **error);
