/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-call.h"

#include "ward-bus-error.h"

WardCall *
ward_call_new (WardGate *gate, GDBusMethodInvocation *invocation, WardClient *client, const WardMethod *method,
               const char *action, WardTpm *tpm)
{
  WardCall *call = g_new0 (WardCall, 1);

  call->gate = gate;
  call->invocation = invocation;
  call->client = ward_client_ref (client);
  call->method = method;
  call->action = action;
  call->tpm = tpm ? g_object_ref (tpm) : NULL;
  call->authorization = g_cancellable_new ();
  g_queue_push_tail (&client->calls, call);
  return call;
}

/* What came with the call is wiped before its caller hears of its end, so that the invocation, which is returned, is
 * what is left. */
static GDBusMethodInvocation *
call_end (WardCall *call)
{
  GDBusMethodInvocation *invocation = call->invocation;

  g_queue_remove (&call->client->calls, call);
  if (call->is_counted)
    call->client->user->n_calls--;
  if (call->has_dialog)
    call->client->user->n_dialogs--;

  if (call->request && call->method->request_free)
    call->method->request_free (call->request);
  g_object_unref (call->authorization);
  g_clear_object (&call->tpm);
  g_clear_object (&call->keyring);
  ward_client_unref (call->client);
  g_free (call);
  return invocation;
}

guint32
ward_call_get_serial (WardCall *call)
{
  return g_dbus_message_get_serial (g_dbus_method_invocation_get_message (call->invocation));
}

void
ward_call_return (WardCall *call, GVariant *value)
{
  g_dbus_method_invocation_return_value (call_end (call), value);
}

void
ward_call_fail (WardCall *call, GError *error)
{
  ward_bus_error_return (call_end (call), error);
}

void
ward_call_end_replied (WardCall *call)
{
  g_object_unref (call_end (call));
}

void
ward_call_conclude (WardCall *call, gboolean ok, GError *error)
{
  if (ok)
    ward_call_return (call, NULL);
  else
    ward_call_fail (call, error);
}
