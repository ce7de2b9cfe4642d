/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-object.h"

#include "ward-error.h"

static gboolean
parse_run (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  const char *name;
  WardSelfTestMode mode;

  g_variant_get (parameters, "(&s)", &name);
  if (!ward_self_test_mode_from_string (name, &mode))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "“%.32s” is no mode of a self-test. The modes are “full” and “incremental”.", name);
      return FALSE;
    }
  *request = GINT_TO_POINTER (mode);
  return TRUE;
}

static gboolean
check_run (WardTpm *tpm, gpointer request, GError **error)
{
  if (!ward_tpm_is_tpm12 (tpm) || GPOINTER_TO_INT (request) == WARD_SELF_TEST_FULL)
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                       "A TPM 1.2 tests itself in full only when it is asked by tcsd. Run a full self-test.");
  return FALSE;
}

static void
return_result (WardCall *call, WardTestResult *result, GError *error)
{
  g_autoptr (WardTestResult) owned = result;

  if (result)
    ward_call_return (call, g_variant_new ("(bus@ay)", result->passed, result->code, result->text,
                                           g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, result->data, TRUE)));
  else
    ward_call_fail (call, error);
}

static void
on_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  WardTestResult *test_result = ward_tpm_run_self_test_finish (WARD_TPM (source), result, &error);

  return_result (user_data, test_result, error);
}

static void
run_run (WardCall *call)
{
  ward_tpm_run_self_test_async (call->tpm, &call->ticket, GPOINTER_TO_INT (call->request), on_run, call);
}

static void
on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  WardTestResult *test_result = ward_tpm_get_test_result_finish (WARD_TPM (source), result, &error);

  return_result (user_data, test_result, error);
}

static void
run_get_result (WardCall *call)
{
  ward_tpm_get_test_result_async (call->tpm, &call->ticket, on_result, call);
}

static const WardMethod methods[] = {
  { .name = "Run", .signal = "handle-run", .parse = parse_run, .check = check_run, .run = run_run },
  { .name = "GetResult", .signal = "handle-get-result", .run = run_get_result },
  { .name = NULL },
};

/* Tells the bus at once: a panel shall see that a test runs before its result. */
static void
on_self_test_changed (WardTpm *tpm, WardDbusSelfTest *skeleton)
{
  const WardSelfTest *test = ward_tpm_get_self_test (tpm);

  ward_dbus_self_test_set_state (skeleton, ward_self_test_state_to_string (test->state));
  ward_dbus_self_test_set_mode (
      skeleton, test->state == WARD_SELF_TEST_NEVER_RUN ? "" : ward_self_test_mode_to_string (test->mode));
  ward_dbus_self_test_set_last_run (skeleton, test->last_run);
  ward_dbus_self_test_set_duration (skeleton, test->duration);
  ward_dbus_self_test_set_code (skeleton, test->code);
  ward_dbus_self_test_set_text (skeleton, test->text);
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (skeleton));
}

WardDbusSelfTest *
ward_self_test_interface_new (WardGate *gate, WardTpm *tpm)
{
  WardDbusSelfTest *skeleton = ward_dbus_self_test_skeleton_new ();

  g_signal_connect_object (tpm, "self-test-changed", G_CALLBACK (on_self_test_changed), skeleton, 0);
  on_self_test_changed (tpm, skeleton);
  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (skeleton), methods, tpm);
  return skeleton;
}
