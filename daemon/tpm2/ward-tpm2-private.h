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
};

/* Memory that ESYS gave us is freed with its own function. */
static inline void
ward_tpm2_free_esys_memory (void *location)
{
  void **memory = location;

  Esys_Free (*memory);
}
#define WARD_ESYS_AUTOFREE __attribute__ ((cleanup (ward_tpm2_free_esys_memory)))

/* tpm2-tss's TPM2_TRANSIENT_FIRST shifts a bit out of an int. */
#define WARD_TPM2_TRANSIENT_FIRST ((guint32)TPM2_HT_TRANSIENT << TPM2_HR_SHIFT)

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

/* ward-tpm2-algorithm.c */
const char *ward_tpm2_bank_to_string (TPM2_ALG_ID hash);
TPM2_ALG_ID ward_tpm2_bank_from_string (const char *name);
char *ward_tpm2_algorithm_to_string (TPM2_ALG_ID algorithm);

/* ward-tpm2-vendor.c */
const char *ward_tpm2_manufacturer_get_name (const char *manufacturer);
char *ward_tpm2_firmware_to_string (const char *manufacturer, guint32 first, guint32 second);
gboolean ward_tpm2_vendor_is_emulated (const char *manufacturer, const char *vendor_string);

/* ward-tpm2-test-result.c */
gboolean ward_tpm2_test_result_is_failure (TPM2_RC result);
char *ward_tpm2_explain_failure (const char *manufacturer, TPM2_RC result, const guint8 *data, gsize size);
TSS2_RC ward_tpm2_read_test_result (WardConnection *connection, TPM2_RC *result, GBytes **data);
WardTestResult *ward_tpm2_get_test_result (WardConnection *connection, GError **error);

/* ward-tpm2-self-test.c, -identity.c, -properties.c, -random.c, -pcrs.c: members of the table */
WardTestResult *ward_tpm2_self_test (WardConnection *connection, WardSelfTestMode mode, GError **error);
WardIdentity *ward_tpm2_identify (WardConnection *connection, GError **error);
GVariant *ward_tpm2_get_properties (WardConnection *connection, GError **error);
const char *ward_tpm2_property_get_name (guint32 tag);
gboolean ward_tpm2_get_random (WardConnection *connection, guint8 *bytes, gsize count, GError **error);
gboolean ward_tpm2_read_pcrs (WardConnection *connection, const char *bank, guint32 mask, WardPcrValues *values,
                              GError **error);
