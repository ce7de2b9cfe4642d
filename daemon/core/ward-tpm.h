/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-backend.h"
#include "ward-presence.h"
#include "ward-record.h"
#include "ward-self-test.h"
#include "ward-worker.h"

typedef enum
{
  WARD_TPM_READY,
  WARD_TPM_DISABLED,
  WARD_TPM_FAILED,
  WARD_TPM_UNREACHABLE,
} WardTpmState;

const char *ward_tpm_state_to_string (WardTpmState state);

/* One TPM: a snapshot of what is known of it, and operations on it, which its worker does one after the other. Lives on
 * the main thread; nothing here waits for the chip.
 *
 * Signals: "changed" when the state or the identity has, "self-test-changed" when the record of the last self-test has.
 * All come before the callback of the operation that changed it. */
#define WARD_TYPE_TPM (ward_tpm_get_type ())
G_DECLARE_FINAL_TYPE (WardTpm, ward_tpm, WARD, TPM, GObject)

/* backend: NULL for a family that this build cannot speak to: every operation is then WARD_ERROR_NOT_SUPPORTED.
 * transport: a TCTI configuration. device_path and driver: "" when unknown. state_dir: where the record of the last
 * self-test is kept. Connecting begins at once; "changed" tells what came of it. */
WardTpm *ward_tpm_new (const char *name, const char *family, const char *transport, const char *device_path,
                       const char *driver, const WardBackend *backend, const char *state_dir);

/* Ends the worker; what waits for it fails with WARD_ERROR_UNREACHABLE. For a TPM that has gone. */
void ward_tpm_stop (WardTpm *tpm);

const char *ward_tpm_get_name (WardTpm *tpm);
const char *ward_tpm_get_family (WardTpm *tpm);
gboolean ward_tpm_is_tpm12 (WardTpm *tpm);
/* Whether there is such an operation for TPMs of this family. member: its offset in WardBackend.
 * WARD_ERROR_NOT_SUPPORTED; WARD_ERROR_UNREACHABLE for a TPM that was taken away. */
gboolean ward_tpm_can (WardTpm *tpm, gsize member, GError **error);
const char *ward_tpm_get_transport (WardTpm *tpm);
const char *ward_tpm_get_device_path (WardTpm *tpm);
const char *ward_tpm_get_driver (WardTpm *tpm);

/* "tpm0" of /sys/class/tpm if it is the kernel's device that is used; "" for a simulator and any other transport,
 * whatever name the TPM was given. */
const char *ward_tpm_get_kernel_name (WardTpm *tpm);

/* Whether the worker has looked at the TPM for the first time, or there is none to look. */
gboolean ward_tpm_has_been_seen (WardTpm *tpm);
WardTpmState ward_tpm_get_state (WardTpm *tpm);
const char *ward_tpm_get_state_detail (WardTpm *tpm);
/* What was known when the TPM was last reached; all empty when it never was. Valid until the next "changed". */
const WardIdentity *ward_tpm_get_identity (WardTpm *tpm);
/* Valid until the next "self-test-changed". */
const WardSelfTest *ward_tpm_get_self_test (WardTpm *tpm);

/* NULL until it is known. Valid until the next "ownership-changed". */
const WardOwnership *ward_tpm_get_ownership (WardTpm *tpm);
/* What is kept in the chip, and how much room there is. NULL until it is known; valid as the ownership is. */
const WardRoom *ward_tpm_get_room (WardTpm *tpm);
/* What the machine's firmware would do with a request to clear the TPM. NULL until it is known, and where the kernel
 * does not drive the TPM. Valid until the next "changed". */
const WardPresenceState *ward_tpm_get_presence (WardTpm *tpm);

/* What was done to the TPM behind the service's back, and is not acknowledged. noticed_at, in microseconds of
 * CLOCK_REALTIME, and text, sentences for a person, valid until the next "changed": set only if there is something. */
WardChange ward_tpm_get_change (WardTpm *tpm, guint64 *noticed_at, const char **text);
/* Forgets it on disk, and emits "changed". */
void ward_tpm_acknowledge_change (WardTpm *tpm);

/* The machine's firmware has been asked to clear the TPM at the restart, by the service, or not any more: see
 * ward_record_expect_firmware_clear (). */
void ward_tpm_expect_firmware_clear (WardTpm *tpm, gboolean expected);

/* When the next failure will be forgiven at the latest, in microseconds of CLOCK_REALTIME; 0: none waits for it. */
guint64 ward_tpm_get_next_recovery (WardTpm *tpm);
/* See ward_guard_get_barred_until (). */
guint64 ward_tpm_get_barred_until (WardTpm *tpm);
/* See ward_guard_is_damaged (). */
gboolean ward_tpm_is_guard_damaged (WardTpm *tpm);

/* The operations. ticket: lives until the callback; see WardTicket. Errors are WARD_ERROR's. */

/* Drops the operation of that ticket if the TPM has not started on it: it fails with WARD_ERROR_CANCELLED. */
gboolean ward_tpm_withdraw (WardTpm *tpm, const WardTicket *ticket);

/* count: 1 to WARD_MAX_RANDOM bytes. */
void ward_tpm_get_random_async (WardTpm *tpm, const WardTicket *ticket, gsize count, GAsyncReadyCallback callback,
                                gpointer user_data);
GBytes *ward_tpm_get_random_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Every property by its TCG name: an a{sv} that the caller owns. */
void ward_tpm_get_properties_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback,
                                    gpointer user_data);
GVariant *ward_tpm_get_properties_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Reads the TPM again; it is no error if it cannot be reached. ticket: NULL for the service's own wish. */
void ward_tpm_refresh_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_tpm_refresh_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

void ward_tpm_run_self_test_async (WardTpm *tpm, const WardTicket *ticket, WardSelfTestMode mode,
                                   GAsyncReadyCallback callback, gpointer user_data);
WardTestResult *ward_tpm_run_self_test_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

void ward_tpm_get_test_result_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback,
                                     gpointer user_data);
WardTestResult *ward_tpm_get_test_result_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* bank: a hash name. mask: bit i for PCR i, not 0. The caller frees the values with g_free. */
void ward_tpm_read_pcrs_async (WardTpm *tpm, const WardTicket *ticket, const char *bank, guint32 mask,
                               GAsyncReadyCallback callback, gpointer user_data);
WardPcrValues *ward_tpm_read_pcrs_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* What is kept in the chip, as WardChipItem, by their handles. */
void ward_tpm_list_items_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback,
                                gpointer user_data);
GPtrArray *ward_tpm_list_items_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Operations that use the lockout auth (NULL: the empty one) go through the guard: see ward-guard.h for force. */

void ward_tpm_reset_lockout_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *auth, gboolean force,
                                   GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_tpm_reset_lockout_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* max_failures and recovery_seconds: at least 1. */
void ward_tpm_set_lockout_parameters_async (WardTpm *tpm, const WardTicket *ticket, guint32 max_failures,
                                            guint32 recovery_seconds, guint32 lockout_recovery_seconds,
                                            WardSecret *auth, gboolean force, GAsyncReadyCallback callback,
                                            gpointer user_data);
gboolean ward_tpm_set_lockout_parameters_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* TPM 2.0 Library, Part 3, 24.6: what PreviewClear lists is gone, and all auth values with it. WARD_ERROR_DISABLED
 * where that is switched off, before the auth is tried. */
void ward_tpm_clear_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *auth, gboolean force,
                           GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_tpm_clear_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Whether a TPM of that ownership lets itself be cleared by its lockout auth, else WARD_ERROR_DISABLED. NULL: nothing
 * is known against it. */
gboolean ward_tpm_check_clear (const WardOwnership *ownership, GError **error);

/* Switches ward_tpm_clear_async () off; only the platform's firmware can switch it on again. */
void ward_tpm_disable_clear_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *auth, gboolean force,
                                   GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_tpm_disable_clear_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* hierarchy's auth value, from old_auth to new_auth (NULL: the empty one). */
void ward_tpm_change_auth_async (WardTpm *tpm, const WardTicket *ticket, WardHierarchy hierarchy, WardSecret *old_auth,
                                 WardSecret *new_auth, gboolean force, GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean ward_tpm_change_auth_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* WARD_ERROR_EXISTS when something is at the storage root key's handle. */
void ward_tpm_provision_srk_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *owner_auth,
                                   GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_tpm_provision_srk_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Sets the auth values that are not NULL, of hierarchies that have none, and provisions the storage root key if there
 * is none. When a step fails, what was set before is unset again; the error says what could not be.
 * WARD_ERROR_ALREADY_OWNED when one is set. Of a TPM 1.2, those of the owner and of the storage root key are used, and
 * NULL is the well-known one. */
void ward_tpm_take_ownership_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *const auths[WARD_N_HIERARCHIES],
                                    gboolean force, GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_tpm_take_ownership_finish (WardTpm *tpm, GAsyncResult *result, GError **error);

/* Of a TPM 1.2. What is changed of its activation shows after a restart of the machine. */
void ward_tpm_set_enabled_async (WardTpm *tpm, const WardTicket *ticket, gboolean enabled, WardSecret *owner_auth,
                                 GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_tpm_set_enabled_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
void ward_tpm_set_active_async (WardTpm *tpm, const WardTicket *ticket, gboolean active, GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean ward_tpm_set_active_finish (WardTpm *tpm, GAsyncResult *result, GError **error);
