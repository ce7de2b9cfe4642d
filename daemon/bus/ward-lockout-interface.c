/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-object.h"

#include "ward-error.h"
#include "ward-options.h"

static const WardOption lockout_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

typedef struct
{
  guint32 max_failures;
  guint32 recovery;
  guint32 lockout_recovery;
  WardOptions *options;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->options, ward_options_free);
  g_free (request);
}

static gboolean
parse_reset (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 0);
  WardOptions *options = ward_options_new (dictionary, fds, lockout_options, error);
  Request *reset;

  if (!options)
    return FALSE;

  reset = g_new0 (Request, 1);
  reset->options = options;
  *request = reset;
  return TRUE;
}

static void
on_reset (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_reset_lockout_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
run_reset (WardCall *call)
{
  Request *request = call->request;

  ward_tpm_reset_lockout_async (call->tpm, &call->ticket, ward_options_get_secret (request->options, "auth"),
                                ward_options_get_boolean (request->options, "force"), on_reset, call);
}

static gboolean
check_parameters (guint32 max_failures, guint32 recovery, GError **error)
{
  if (max_failures == 0)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                         "With 0 failures allowed the TPM would be locked for good. Allow at least 1.");
  else if (recovery == 0)
    g_set_error_literal (
        error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
        "With a recovery of 0 seconds the TPM would allow any number of wrong tries. Give at least 1.");
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse_set_parameters (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = NULL;
  guint32 max_failures, recovery, lockout_recovery;
  WardOptions *options;
  Request *set;

  g_variant_get (parameters, "(uuu@a{sv})", &max_failures, &recovery, &lockout_recovery, &dictionary);
  if (!check_parameters (max_failures, recovery, error)
      || !(options = ward_options_new (dictionary, fds, lockout_options, error)))
    return FALSE;

  set = g_new0 (Request, 1);
  set->max_failures = max_failures;
  set->recovery = recovery;
  set->lockout_recovery = lockout_recovery;
  set->options = options;
  *request = set;
  return TRUE;
}

static void
on_parameters_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_set_lockout_parameters_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
run_set_parameters (WardCall *call)
{
  Request *request = call->request;

  ward_tpm_set_lockout_parameters_async (call->tpm, &call->ticket, request->max_failures, request->recovery,
                                         request->lockout_recovery, ward_options_get_secret (request->options, "auth"),
                                         ward_options_get_boolean (request->options, "force"), on_parameters_set, call);
}

static const WardMethod methods[] = {
  { .name = "Reset",
    .signal = "handle-reset",
    .takes_descriptors = TRUE,
    .parse = parse_reset,
    .request_free = request_free,
    .run = run_reset },
  { .name = "SetParameters",
    .signal = "handle-set-parameters",
    .takes_descriptors = TRUE,
    .parse = parse_set_parameters,
    .request_free = request_free,
    .needs = G_STRUCT_OFFSET (WardBackend, set_lockout_parameters),
    .run = run_set_parameters },
  { .name = NULL },
};

static void
on_ownership_changed (WardTpm *tpm, WardDbusLockout *skeleton)
{
  const WardOwnership *ownership = ward_tpm_get_ownership (tpm);

  if (!ownership)
    return;
  ward_dbus_lockout_set_locked_out (skeleton, ownership->locked_out);
  ward_dbus_lockout_set_failures (skeleton, ownership->failures);
  ward_dbus_lockout_set_max_failures (skeleton, ownership->max_failures);
  ward_dbus_lockout_set_recovery_seconds (skeleton, ownership->recovery_seconds);
  ward_dbus_lockout_set_lockout_recovery_seconds (skeleton, ownership->lockout_recovery_seconds);
  ward_dbus_lockout_set_next_recovery (skeleton, ward_tpm_get_next_recovery (tpm));
  ward_dbus_lockout_set_lockout_auth_barred_until (skeleton, ward_tpm_get_barred_until (tpm));
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (skeleton));
}

WardDbusLockout *
ward_lockout_interface_new (WardGate *gate, WardTpm *tpm)
{
  WardDbusLockout *skeleton = ward_dbus_lockout_skeleton_new ();

  g_signal_connect_object (tpm, "ownership-changed", G_CALLBACK (on_ownership_changed), skeleton, 0);
  on_ownership_changed (tpm, skeleton);
  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (skeleton), methods, tpm);
  return skeleton;
}
