/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-authority.h"

#include "ward-error.h"
#include "ward-queue.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"

/* The flag of CheckAuthorization () that allows a dialog. */
#define ALLOW_USER_INTERACTION 1u

/* As API.md has it. polkit 122 gives its rules 15 s, and now and then waits all of them for nothing: its main thread
 * can miss the signal of the thread that ran them. Then the call fails here, as with a polkitd that hangs. */
#define ANSWER_TIMEOUT_MS 10000

/* The bus lets a connection have 128 calls open. Dialogs, which last, must not take the places of checks, which do not.
 */
#define MAX_CHECKS 64
#define MAX_DIALOGS 32

#define MEMORY_USEC (60 * G_USEC_PER_SEC)
#define MEMORY_MAX 64

/* A check costs polkit 2 ms, more than what these ask of the TPM. All others are asked for each time. */
static const char *const remembered_actions[] = { "org.tpmward.use", "org.tpmward.use-key",
                                                  "org.tpmward.use-system-key", NULL };

struct _WardAuthority
{
  GObject parent_instance;

  GDBusConnection *connection;
  guint changed_watch;
  guint owner_watch;
  GHashTable *memory; /* sender → (action and details → when it is forgotten, as gint64 of the monotonic clock) */
  guint generation;   /* rises whenever all is forgotten: an answer that was asked for before is not remembered */
  guint64 n_interactions; /* makes cancellation ids */

  /* by whether they are interactive */
  WardQueue *waiting[2]; /* of GTask */
  guint n_open[2];       /* questions that polkit has not answered */
};

G_DEFINE_FINAL_TYPE (WardAuthority, ward_authority, G_TYPE_OBJECT)

static void
ward_authority_dispose (GObject *object)
{
  WardAuthority *self = WARD_AUTHORITY (object);

  if (self->connection)
    {
      g_dbus_connection_signal_unsubscribe (self->connection, self->changed_watch);
      g_dbus_connection_signal_unsubscribe (self->connection, self->owner_watch);
    }
  g_clear_object (&self->connection);
  for (guint i = 0; i < G_N_ELEMENTS (self->waiting); i++)
    g_clear_pointer (&self->waiting[i], ward_queue_free);
  g_clear_pointer (&self->memory, g_hash_table_unref);
  G_OBJECT_CLASS (ward_authority_parent_class)->dispose (object);
}

static void
ward_authority_class_init (WardAuthorityClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_authority_dispose;
}

static void
ward_authority_init (WardAuthority *self)
{
  self->memory = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
  for (guint i = 0; i < G_N_ELEMENTS (self->waiting); i++)
    self->waiting[i] = ward_queue_new ();
}

/* polkit's rules, its sessions or polkit itself have changed. */
static void
forget_all (GDBusConnection *connection, const char *sender_name, const char *object_path, const char *interface_name,
            const char *signal_name, GVariant *parameters, gpointer user_data)
{
  WardAuthority *self = user_data;

  self->generation++;
  g_hash_table_remove_all (self->memory);
}

WardAuthority *
ward_authority_new (GDBusConnection *connection)
{
  WardAuthority *self = g_object_new (WARD_TYPE_AUTHORITY, NULL);

  self->connection = g_object_ref (connection);
  self->changed_watch = g_dbus_connection_signal_subscribe (connection, POLKIT_NAME, POLKIT_INTERFACE, "Changed",
                                                            POLKIT_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, forget_all,
                                                            self, NULL);
  self->owner_watch = g_dbus_connection_signal_subscribe (connection, "org.freedesktop.DBus", "org.freedesktop.DBus",
                                                          "NameOwnerChanged", "/org/freedesktop/DBus", POLKIT_NAME,
                                                          G_DBUS_SIGNAL_FLAGS_NONE, forget_all, self, NULL);
  return self;
}

static char *
memory_key (const char *action, GVariant *details)
{
  g_autofree char *text = g_variant_print (details, FALSE);

  return g_strconcat (action, " ", text, NULL);
}

gboolean
ward_authority_remembers (WardAuthority *authority, const char *sender, const char *action, GVariant *details)
{
  GHashTable *remembered = g_hash_table_lookup (authority->memory, sender);
  g_autofree char *key = NULL;
  gint64 *until;

  if (!remembered)
    return FALSE;

  key = memory_key (action, details);
  until = g_hash_table_lookup (remembered, key);
  return until && *until > g_get_monotonic_time ();
}

static gboolean
has_expired (gpointer key, gpointer value, gpointer user_data)
{
  return *(gint64 *)value <= *(gint64 *)user_data;
}

static void
remember (WardAuthority *self, const char *sender, const char *action, GVariant *details)
{
  GHashTable *remembered = g_hash_table_lookup (self->memory, sender);
  gint64 now = g_get_monotonic_time ();
  gint64 until = now + MEMORY_USEC;

  if (!remembered)
    {
      remembered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      g_hash_table_insert (self->memory, g_strdup (sender), remembered);
    }

  g_hash_table_foreach_remove (remembered, has_expired, &now);
  if (g_hash_table_size (remembered) < MEMORY_MAX)
    g_hash_table_replace (remembered, memory_key (action, details), g_memdup2 (&until, sizeof until));
}

void
ward_authority_forget (WardAuthority *authority, const char *sender)
{
  g_hash_table_remove (authority->memory, sender);
}

typedef struct
{
  char *sender;
  char *action;
  GVariant *details;
  guint interactive; /* 0 or 1: the index of its queue */
  guint generation;
  char *cancellation_id; /* "" when not interactive */
} Check;

static void
check_free (gpointer data)
{
  Check *check = data;

  g_free (check->sender);
  g_free (check->action);
  g_variant_unref (check->details);
  g_free (check->cancellation_id);
  g_free (check);
}

/* Why polkit has given no answer, and what that means here. */
static GError *
explain_silence (const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return g_error_new (
        WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
        "polkit, which decides who may do this, has not answered within %d seconds. Until it does, only "
        "what is open to everybody works. Look at it with “systemctl status polkit”.",
        ANSWER_TIMEOUT_MS / 1000);
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
      || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
    return g_error_new (WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                        "polkit, which decides who may do this, is not running. Until it is, only what is open to "
                        "everybody works. Start it with “systemctl start polkit”.");
  return g_error_new (WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                      "polkit, which decides who may do this, could not answer: %s. Look at it with “systemctl status "
                      "polkit”.",
                      error->message);
}

static WardVerdict
interpret (gboolean authorized, gboolean challenge, GVariant *details)
{
  const char *dismissed;

  if (authorized)
    return WARD_VERDICT_YES;
  if (g_variant_lookup (details, "polkit.dismissed", "&s", &dismissed))
    return WARD_VERDICT_DISMISSED;
  return challenge ? WARD_VERDICT_CHALLENGE : WARD_VERDICT_NO;
}

static void ask_next (WardAuthority *self, gboolean interactive);

/* polkit's answer becomes the task's. */
static void
conclude (GTask *task, GVariant *reply)
{
  WardAuthority *self = g_task_get_source_object (task);
  Check *check = g_task_get_task_data (task);
  g_autoptr (GVariant) details = NULL;
  gboolean authorized, challenge;
  const char *temporary;
  WardVerdict verdict;

  g_variant_get (reply, "((bb@a{ss}))", &authorized, &challenge, &details);
  verdict = interpret (authorized, challenge, details);

  /* A right one-time password looks like a plain yes, so the answer of a dialog is never remembered; nor is a yes that
   * ends sooner than the memory of it. */
  if (verdict == WARD_VERDICT_YES && !check->interactive && check->generation == self->generation
      && g_strv_contains (remembered_actions, check->action)
      && !g_variant_lookup (details, "polkit.temporary_authorization_id", "&s", &temporary))
    remember (self, check->sender, check->action, check->details);
  g_task_return_int (task, verdict);
}

/* The call to polkit has been given up; this closes the dialog that it has opened. Not to be called by a handler of the
 * cancellable's: where polkit's answer has just come, GDBus waits for those to end, and lets nobody send meanwhile. */
static void
close_dialog (WardAuthority *self, const Check *check)
{
  g_dbus_connection_call (self->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CancelCheckAuthorization",
                          g_variant_new ("(s)", check->cancellation_id), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL,
                          NULL);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  WardAuthority *self = g_task_get_source_object (task);
  Check *check = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (check->interactive && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    close_dialog (self, check);
  self->n_open[check->interactive]--;
  ask_next (self, check->interactive);

  if (reply)
    conclude (task, reply);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_error (task, g_steal_pointer (&error));
  else
    {
      g_dbus_error_strip_remote_error (error);
      g_task_return_error (task, explain_silence (error));
    }
}

/* Takes the task over. */
static void
ask (WardAuthority *self, GTask *task)
{
  Check *check = g_task_get_task_data (task);
  GVariantBuilder subject;

  self->n_open[check->interactive]++;
  check->generation = self->generation;

  g_variant_builder_init (&subject, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (check->sender));
  g_dbus_connection_call (
      self->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization",
      g_variant_new ("((sa{sv})s@a{ss}us)", "system-bus-name", &subject, check->action, check->details,
                     check->interactive ? ALLOW_USER_INTERACTION : 0, check->cancellation_id),
      G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, check->interactive ? G_MAXINT : ANSWER_TIMEOUT_MS,
      g_task_get_cancellable (task), on_checked, task);
}

static gboolean
has_room (WardAuthority *self, gboolean interactive)
{
  return self->n_open[interactive] < (interactive ? MAX_DIALOGS : MAX_CHECKS);
}

/* A check that was cancelled while it waited ends without a question. */
static void
ask_next (WardAuthority *self, gboolean interactive)
{
  GTask *task;

  while (has_room (self, interactive) && (task = ward_queue_pop (self->waiting[interactive])))
    if (g_task_return_error_if_cancelled (task))
      g_object_unref (task);
    else
      ask (self, task);
}

static gboolean
is_task (gpointer item, gpointer data)
{
  return item == data;
}

/* It shall not wait for its turn to be told. */
static void
on_cancelled_waiting (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  WardAuthority *self = g_task_get_source_object (task);
  Check *check = g_task_get_task_data (task);

  if (!ward_queue_take (self->waiting[check->interactive], is_task, task))
    return;
  g_task_return_error_if_cancelled (task);
  g_object_unref (task);
}

void
ward_authority_check_async (WardAuthority *authority, guint uid, const char *sender, const char *action,
                            GVariant *details, gboolean interactive, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (authority, cancellable, callback, user_data);
  Check *check = g_new0 (Check, 1);

  check->sender = g_strdup (sender);
  check->action = g_strdup (action);
  check->details = g_variant_ref_sink (details);
  check->interactive = !!interactive;
  check->cancellation_id = interactive ? g_strdup_printf ("tpmward-%" G_GUINT64_FORMAT, ++authority->n_interactions)
                                       : g_strdup ("");
  g_task_set_task_data (task, check, check_free);

  if (has_room (authority, check->interactive))
    {
      ask (authority, task);
      return;
    }
  g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (on_cancelled_waiting), task, 0);
  ward_queue_push (authority->waiting[check->interactive], uid, sender, task);
}

gboolean
ward_authority_check_finish (WardAuthority *authority, GAsyncResult *result, WardVerdict *verdict, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  gssize answer = g_task_propagate_int (G_TASK (result), &local_error);

  if (local_error)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  *verdict = answer;
  return TRUE;
}
