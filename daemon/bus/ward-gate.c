/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gate.h"

#include "ward-authority.h"
#include "ward-bus-error.h"
#include "ward-error.h"

#define ACTION_ANNOTATION "org.tpmward1.Action"

/* What one uid may have in the service at a time. */
#define MAX_CALLS 64
#define MAX_DIALOGS 4

struct _WardGate
{
  WardClients *clients;
  WardAuthority *authority;
  WardTcsd *tcsd;
  gboolean is_closed;
};

/* What stands at the gate for one method of one object. */
typedef struct
{
  GClosure closure;
  WardGate *gate;
  const WardMethod *method;
  const char *action;
  WardTpm *tpm;
  WardKeyring *keyring;
} Post;

static GError *
too_many_calls (void)
{
  return g_error_new (
      WARD_ERROR, WARD_ERROR_BUSY,
      "You have %d calls waiting in the service, which is the most that one user may have. Wait for some "
      "of them to end, and try again.",
      MAX_CALLS);
}

/* Of a call that nobody has authorized yet. */
static GError *
withdrawn (WardCall *call)
{
  if (call->gate->is_closed)
    return g_error_new (WARD_ERROR, WARD_ERROR_CANCELLED,
                        "The service is ending, and it was not known yet whether you may do this. Nothing has been "
                        "done. Call again: that starts the service anew.");
  return g_error_new (WARD_ERROR, WARD_ERROR_CANCELLED,
                      "The call was withdrawn before it was authorized. Nothing has been done.");
}

static GError *
explain_refusal (WardCall *call, WardVerdict verdict, gboolean interactive)
{
  if (verdict == WARD_VERDICT_DISMISSED)
    return g_error_new (WARD_ERROR, WARD_ERROR_CANCELLED, "The password dialog was dismissed. Nothing has been done.");
  if (verdict == WARD_VERDICT_CHALLENGE && interactive)
    return g_error_new (WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                        "This needs an administrator's password (action %s), and no program is there to ask for it. In "
                        "a terminal, “pkttyagent --process $$” asks; or run it as root.",
                        call->action);
  if (verdict == WARD_VERDICT_CHALLENGE)
    return g_error_new (WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                        "This needs an administrator's password (action %s), and the call did not allow to ask for it. "
                        "Call with interactive authorization, or as root.",
                        call->action);
  if (interactive)
    return g_error_new (WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                        "The password was not right, or asking for it was broken off (action %s). Try again.",
                        call->action);
  return g_error_new (WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                      "You may not do this (action %s): a rule of this machine's administrator or polkit's default "
                      "forbids it. Ask the administrator.",
                      call->action);
}

static void
begin (WardCall *call)
{
  call->stage = WARD_CALL_RUNNING;
  call->method->run (call);
}

/* What the call is about may have gone meanwhile. */
static void
begin_now (WardCall *call)
{
  GError *error = NULL;

  if (call->method->find && !call->method->find (call, &error))
    ward_call_fail (call, error);
  else
    begin (call);
}

static void
on_tcsd_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  g_autoptr (GError) error = NULL;
  gboolean ok = ward_tcsd_start_finish (WARD_TCSD (source), result, &error);

  if (g_cancellable_is_cancelled (call->authorization))
    ward_call_fail (call, g_error_new (WARD_ERROR, WARD_ERROR_CANCELLED,
                                       "The call was withdrawn before the TPM was reached. Nothing has been done."));
  else if (ok || g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED))
    begin_now (call); /* without systemd, tcsd is somebody else's business */
  else
    ward_call_fail (call, g_error_new (WARD_ERROR, WARD_ERROR_UNREACHABLE,
                                       "tcsd, the daemon through which this TPM is used, does not run and could not be "
                                       "started. %s “tpmward doctor” tells why, and what repairs it.",
                                       error->message));
}

/* Has tcsd started for the call, if that may help; FALSE if not. */
static gboolean
needs_tcsd (WardCall *call)
{
  if (!call->tpm || call->method->is_instant || !ward_tcsd_may_help (call->gate->tcsd, call->tpm))
    return FALSE;
  ward_tcsd_start_async (call->gate->tcsd, call->tpm, FALSE, on_tcsd_started, call);
  return TRUE;
}

static void
run (WardCall *call)
{
  if (!needs_tcsd (call))
    begin (call);
}

/* After polkit was asked, which may have taken a while. */
static void
run_now (WardCall *call)
{
  if (!needs_tcsd (call))
    begin_now (call);
}

/* What polkit's rules and dialogs are told of the call. */
static GVariant *
describe (WardCall *call)
{
  GVariantBuilder details;

  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  if (call->tpm)
    g_variant_builder_add (&details, "{ss}", "tpm", ward_tpm_get_name (call->tpm));
  if (call->method->describe)
    call->method->describe (call->request, &details);
  return g_variant_ref_sink (g_variant_builder_end (&details));
}

/* Takes polkit's answer; ends the call and returns FALSE if there is none, or it is not wanted any more. */
static gboolean
take_answer (WardCall *call, GObject *source, GAsyncResult *result, WardVerdict *verdict)
{
  g_autoptr (GError) error = NULL;
  gboolean answered = ward_authority_check_finish (WARD_AUTHORITY (source), result, verdict, &error);

  /* a yes that was on its way when the call was withdrawn comes too late */
  if (g_cancellable_is_cancelled (call->authorization))
    ward_call_fail (call, withdrawn (call));
  else if (!answered)
    ward_call_fail (call, g_steal_pointer (&error));
  else
    return TRUE;
  return FALSE;
}

static void
on_dialog_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  WardVerdict verdict;

  call->has_dialog = FALSE;
  call->client->user->n_dialogs--;

  if (!take_answer (call, source, result, &verdict))
    return;
  if (verdict == WARD_VERDICT_YES)
    run_now (call);
  else
    ward_call_fail (call, explain_refusal (call, verdict, TRUE));
}

static void
open_dialog (WardCall *call)
{
  g_autoptr (GVariant) details = describe (call);

  if (call->client->user->n_dialogs >= MAX_DIALOGS)
    {
      ward_call_fail (call, g_error_new (WARD_ERROR, WARD_ERROR_BUSY,
                                         "You have %d password dialogs open, which is the most that one user may have. "
                                         "Answer one of them, and try again.",
                                         MAX_DIALOGS));
      return;
    }

  call->has_dialog = TRUE;
  call->client->user->n_dialogs++;
  ward_authority_check_async (call->gate->authority, call->client->user->uid, call->client->sender, call->action,
                              details, TRUE, call->authorization, on_dialog_ended, call);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);
  WardVerdict verdict;

  if (!take_answer (call, source, result, &verdict))
    return;
  if (verdict == WARD_VERDICT_YES)
    run_now (call);
  else if (verdict == WARD_VERDICT_CHALLENGE
           && (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION))
    open_dialog (call);
  else
    ward_call_fail (call, explain_refusal (call, verdict, FALSE));
}

static void
authorize (WardCall *call)
{
  g_autoptr (GVariant) details = describe (call);

  if (g_str_equal (call->action, WARD_ACTION_PUBLIC)
      || ward_authority_remembers (call->gate->authority, call->client->sender, call->action, details))
    run (call);
  else
    ward_authority_check_async (call->gate->authority, call->client->user->uid, call->client->sender, call->action,
                                details, FALSE, call->authorization, on_checked, call);
}

/* Takes a call that is prepared. */
static void
look (WardCall *call)
{
  GError *error = NULL;

  if ((call->method->needs && !ward_tpm_can (call->tpm, call->method->needs, &error))
      || (call->method->find && !call->method->find (call, &error))
      || (call->method->check && !call->method->check (call->tpm, call->request, &error)))
    ward_call_fail (call, error);
  else
    authorize (call);
}

void
ward_gate_go_on (WardCall *call, GError *error)
{
  g_autoptr (GError) owned = error;

  if (g_cancellable_is_cancelled (call->authorization))
    ward_call_fail (call, withdrawn (call));
  else if (owned)
    ward_call_fail (call, g_steal_pointer (&owned));
  else
    look (call);
}

/* Takes in a call whose caller is known. */
static void
admit (WardCall *call)
{
  GVariant *parameters = g_dbus_method_invocation_get_parameters (call->invocation);
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (message);
  GError *error = NULL;

  if (call->client->user->n_calls >= MAX_CALLS && !call->method->is_instant)
    {
      ward_call_fail (call, too_many_calls ());
      return;
    }
  call->is_counted = TRUE;
  call->client->user->n_calls++;
  call->ticket.uid = call->client->user->uid;
  call->ticket.connection = call->client->sender;

  if (!call->method->takes_descriptors && fds && g_unix_fd_list_get_length (fds) > 0)
    {
      ward_call_fail (call, g_error_new (WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                                         "The message carries file descriptors, and %s takes none. Leave them out.",
                                         call->method->name));
      return;
    }
  if (call->method->parse && !call->method->parse (parameters, fds, &call->request, &error))
    {
      ward_call_fail (call, error);
      return;
    }
  call->stage = WARD_CALL_AUTHORIZING;
  if (!call->method->prepare || call->method->prepare (call))
    look (call);
}

/* Takes a call that has arrived. In the main context and in the order of arrival: that is why the gate stands at the
 * skeleton's handle signals, and not at g-authorize-method, which GDBus emits in threads of a pool. */
static void
on_handle_method (GClosure *closure, GValue *return_value, guint n_param_values, const GValue *param_values,
                  gpointer invocation_hint, gpointer marshal_data)
{
  Post *post = (Post *)closure;
  GDBusMethodInvocation *invocation = g_value_get_object (&param_values[1]);
  WardClient *client = ward_clients_get (post->gate->clients, g_dbus_method_invocation_get_sender (invocation));
  WardCall *call = ward_call_new (post->gate, invocation, client, post->method, post->action, post->tpm);

  call->keyring = post->keyring ? g_object_ref (post->keyring) : NULL;
  if (post->gate->is_closed)
    ward_call_fail (call, withdrawn (call));
  else if (client->user)
    admit (call);
  else if (client->calls.length > MAX_CALLS && !call->method->is_instant)
    ward_call_fail (call, too_many_calls ());
  g_value_set_boolean (return_value, TRUE);
}

static void
post_clear (gpointer data, GClosure *closure)
{
  g_clear_object (&((Post *)closure)->tpm);
  g_clear_object (&((Post *)closure)->keyring);
}

static void
guard_method (WardGate *gate, GDBusInterfaceSkeleton *skeleton, const WardMethod *method, WardTpm *tpm,
              WardKeyring *keyring)
{
  const GDBusMethodInfo *info = g_dbus_interface_info_lookup_method (g_dbus_interface_skeleton_get_info (skeleton),
                                                                     method->name);
  GClosure *closure = g_closure_new_simple (sizeof (Post), NULL);
  Post *post = (Post *)closure;

  post->gate = gate;
  post->method = method;
  post->action = g_dbus_annotation_info_lookup (info->annotations, ACTION_ANNOTATION);
  post->tpm = tpm ? g_object_ref (tpm) : NULL;
  post->keyring = keyring ? g_object_ref (keyring) : NULL;
  g_closure_add_finalize_notifier (closure, NULL, post_clear);
  g_closure_set_marshal (closure, on_handle_method);

  /* without an action nobody may call it: GDBus then says that the method is not implemented */
  if (post->action)
    g_signal_connect_closure (skeleton, method->signal, closure, FALSE);
  else
    g_closure_sink (closure);
}

void
ward_gate_guard (WardGate *gate, GDBusInterfaceSkeleton *skeleton, const WardMethod *methods, WardTpm *tpm)
{
  ward_gate_guard_keys (gate, skeleton, methods, tpm, NULL);
}

void
ward_gate_guard_keys (WardGate *gate, GDBusInterfaceSkeleton *skeleton, const WardMethod *methods, WardTpm *tpm,
                      WardKeyring *keyring)
{
  for (const WardMethod *method = methods; method->name; method++)
    guard_method (gate, skeleton, method, tpm, keyring);
}

WardClients *
ward_gate_get_clients (WardGate *gate)
{
  return gate->clients;
}

WardTcsd *
ward_gate_get_tcsd (WardGate *gate)
{
  return gate->tcsd;
}

/* The first call that waits to be taken in. Looked up anew each time, since taking in one may end others: it may be
 * Manager.Cancel. */
static WardCall *
next_arrived (WardClient *client)
{
  for (GList *l = client->calls.head; l; l = l->next)
    if (((WardCall *)l->data)->stage == WARD_CALL_ARRIVED)
      return l->data;
  return NULL;
}

static void
on_client_identified (WardClients *clients, gpointer data, WardGate *gate)
{
  WardCall *call;

  while ((call = next_arrived (data)))
    admit (call);
}

/* Drops the call unless the TPM has started on it. */
static gboolean
withdraw (WardCall *call)
{
  switch (call->stage)
    {
    case WARD_CALL_ARRIVED:
      ward_call_fail (call, withdrawn (call));
      return TRUE;
    case WARD_CALL_AUTHORIZING:
      g_cancellable_cancel (call->authorization);
      return TRUE;
    case WARD_CALL_RUNNING:
    default:
      return call->tpm && ward_tpm_withdraw (call->tpm, &call->ticket);
    }
}

static void
on_client_left (WardClients *clients, gpointer data, WardGate *gate)
{
  WardClient *client = data;
  g_autoptr (GList) calls = g_list_copy (client->calls.head);

  for (GList *l = calls; l; l = l->next)
    withdraw (l->data);
  ward_authority_forget (gate->authority, client->sender);
}

gboolean
ward_gate_withdraw (WardGate *gate, WardClient *client, guint32 serial)
{
  for (GList *l = client->calls.head; l; l = l->next)
    if (ward_call_get_serial (l->data) == serial)
      return withdraw (l->data);
  return FALSE;
}

void
ward_gate_close (WardGate *gate)
{
  g_autoptr (GList) calls = ward_clients_list_calls (gate->clients);

  gate->is_closed = TRUE;
  for (GList *l = calls; l; l = l->next)
    if (((WardCall *)l->data)->stage != WARD_CALL_RUNNING)
      withdraw (l->data);
}

WardGate *
ward_gate_new (GDBusConnection *connection, WardClients *clients, WardTcsd *tcsd)
{
  WardGate *gate = g_new0 (WardGate, 1);

  gate->clients = g_object_ref (clients);
  gate->authority = ward_authority_new (connection);
  gate->tcsd = g_object_ref (tcsd);
  g_signal_connect (clients, "identified", G_CALLBACK (on_client_identified), gate);
  g_signal_connect (clients, "left", G_CALLBACK (on_client_left), gate);
  return gate;
}

void
ward_gate_free (WardGate *gate)
{
  g_signal_handlers_disconnect_by_data (gate->clients, gate);
  g_object_unref (gate->clients);
  g_object_unref (gate->authority);
  g_object_unref (gate->tcsd);
  g_free (gate);
}
