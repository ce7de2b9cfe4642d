/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <tss2/tss2_esys.h>

#include "ward-backend.h"
#include "ward-tpm2.h"

/* What the parts of the TPM 2.0 backend share, and what its tests look into. */

/* How long a TPM that says "try again" is asked again before it is believed to have hung, in microseconds. */
#define WARD_TPM2_PATIENCE (60 * G_USEC_PER_SEC)

struct _WardConnection
{
  ESYS_CONTEXT *esys;
  TSS2_TCTI_CONTEXT *tcti; /* to be finalized with the connection; NULL when it is a test's own */
  char *transport;         /* the TCTI configuration, for messages */
  char manufacturer[5];    /* the TCG's vendor id, "" while unknown: it tells how to read failure data */
  gint64 patience;         /* see WARD_TPM2_PATIENCE; tests shorten it */
  char *endorsement;       /* as WardIdentity has it; NULL until it was read */
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
void ward_tpm2_connection_free (WardConnection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardConnection, ward_tpm2_connection_free)

/* ward-tpm2-rc.c */
TSS2_RC ward_tpm2_rc_get_meaning (TSS2_RC rc);
gboolean ward_tpm2_rc_is_from_tpm (TSS2_RC rc);
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
const char *ward_tpm2_manufacturer_get_name (const char *manufacturer);
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
void ward_tpm2_session_forget_auth (WardTpm2Handle *session);

/* ward-tpm2-parent.c */
gboolean ward_tpm2_parent_open_persistent (WardConnection *connection, WardTpm2Handle *parent, GError **error);
gboolean ward_tpm2_parent_open_transient (WardConnection *connection, WardTpm2Handle *parent, GError **error);
gboolean ward_tpm2_parent_open (WardConnection *connection, WardTpm2Handle *parent, guint32 *number, GError **error);

/* ward-tpm2-blob.c */
GBytes *ward_tpm2_public_to_bytes (const TPM2B_PUBLIC *public);
GBytes *ward_tpm2_private_to_bytes (const TPM2B_PRIVATE *private);
gboolean ward_tpm2_public_from_bytes (GBytes *bytes, TPM2B_PUBLIC *public);
gboolean ward_tpm2_private_from_bytes (GBytes *bytes, TPM2B_PRIVATE *private);

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
WardSealed *ward_tpm2_seal (WardConnection *connection, WardSecret *data, WardSecret *auth, GPtrArray *pcrs,
                            gboolean no_da, GError **error);
gboolean ward_tpm2_check_sealed (const WardSealed *sealed, gboolean *counts, GError **error);
WardSecret *ward_tpm2_unseal (WardConnection *connection, const WardSealed *sealed, WardSecret *auth, GError **error);
