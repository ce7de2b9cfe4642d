/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ward-polkit-agent PID UID [ANSWER…]: asks in the place of a person, for that process. Each dialog takes the next
 * ANSWER: a password, CANCEL (dismissed) or HANG (left open); after the last one, dialogs are dismissed. It says on
 * stdout what happens, a line each. */
#define POLKIT_AGENT_I_KNOW_API_IS_SUBJECT_TO_CHANGE 1
#include <polkit/polkit.h>
#include <polkitagent/polkitagent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARD_TYPE_TEST_AGENT (ward_test_agent_get_type ())
G_DECLARE_FINAL_TYPE (WardTestAgent, ward_test_agent, WARD, TEST_AGENT, PolkitAgentListener)

struct _WardTestAgent
{
  PolkitAgentListener parent_instance;

  char **answers; /* the next one first */
};

G_DEFINE_FINAL_TYPE (WardTestAgent, ward_test_agent, POLKIT_AGENT_TYPE_LISTENER)

typedef struct
{
  const char *answer;
  PolkitAgentSession *session;
  gulong cancelled_handler;
} Dialog;

static void
dialog_free (gpointer data)
{
  Dialog *dialog = data;

  g_clear_object (&dialog->session);
  g_free (dialog);
}

static void
on_request (PolkitAgentSession *session, const char *request, gboolean echo_on, GTask *task)
{
  Dialog *dialog = g_task_get_task_data (task);

  if (!g_str_equal (dialog->answer, "HANG"))
    polkit_agent_session_response (session, dialog->answer);
}

static void
finish (GTask *task)
{
  Dialog *dialog = g_task_get_task_data (task);

  if (dialog->cancelled_handler)
    g_signal_handler_disconnect (g_task_get_cancellable (task), dialog->cancelled_handler);
  g_object_unref (task);
}

static void
on_completed (PolkitAgentSession *session, gboolean gained, GTask *task)
{
  g_print ("completed %s\n", gained ? "gained" : "refused");
  g_task_return_boolean (task, TRUE);
  finish (task);
}

static void
on_cancelled (GCancellable *cancellable, PolkitAgentSession *session)
{
  g_print ("withdrawn\n");
  polkit_agent_session_cancel (session);
}

static void
print_dialog (const char *action, const char *message, PolkitDetails *details, GList *identities)
{
  g_auto (GStrv) keys = details ? polkit_details_get_keys (details) : NULL;

  g_print ("dialog %s message=%s", action, message);
  for (char **key = keys; key && *key; key++)
    g_print (" %s=%s", *key, polkit_details_lookup (details, *key));
  for (GList *l = identities; l; l = l->next)
    {
      g_autofree char *identity = polkit_identity_to_string (l->data);
      g_print (" identity=%s", identity);
    }
  g_print ("\n");
}

static void
initiate_authentication (PolkitAgentListener *listener, const char *action, const char *message, const char *icon,
                         PolkitDetails *details, const char *cookie, GList *identities, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  WardTestAgent *self = WARD_TEST_AGENT (listener);
  GTask *task = g_task_new (listener, cancellable, callback, user_data);
  Dialog *dialog = g_new0 (Dialog, 1);

  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, dialog, dialog_free);
  dialog->answer = *self->answers ? *self->answers++ : "CANCEL";
  print_dialog (action, message, details, identities);
  if (g_str_equal (dialog->answer, "CANCEL"))
    {
      g_task_return_new_error (task, POLKIT_ERROR, POLKIT_ERROR_CANCELLED, "Dismissed");
      g_object_unref (task);
      return;
    }

  dialog->session = polkit_agent_session_new (identities->data, cookie);
  g_signal_connect (dialog->session, "request", G_CALLBACK (on_request), task);
  g_signal_connect (dialog->session, "completed", G_CALLBACK (on_completed), task);
  if (cancellable)
    dialog->cancelled_handler = g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled), dialog->session);
  polkit_agent_session_initiate (dialog->session);
}

static gboolean
initiate_authentication_finish (PolkitAgentListener *listener, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
ward_test_agent_class_init (WardTestAgentClass *klass)
{
  PolkitAgentListenerClass *listener_class = POLKIT_AGENT_LISTENER_CLASS (klass);

  listener_class->initiate_authentication = initiate_authentication;
  listener_class->initiate_authentication_finish = initiate_authentication_finish;
}

static void
ward_test_agent_init (WardTestAgent *self)
{
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (WardTestAgent) agent = g_object_new (WARD_TYPE_TEST_AGENT, NULL);
  g_autoptr (PolkitSubject) subject = NULL;
  g_autoptr (GError) error = NULL;

  setvbuf (stdout, NULL, _IOLBF, 0);
  if (argc < 3)
    return 2;

  agent->answers = argv + 3;
  subject = polkit_unix_process_new_for_owner (atoi (argv[1]), 0, atoi (argv[2]));
  if (!polkit_agent_listener_register (POLKIT_AGENT_LISTENER (agent), POLKIT_AGENT_REGISTER_FLAGS_NONE, subject, NULL,
                                       NULL, &error))
    {
      g_printerr ("ward-polkit-agent: %s\n", error->message);
      return 1;
    }
  g_print ("registered\n");
  g_main_loop_run (loop);
  return 0;
}
