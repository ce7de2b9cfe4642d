/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods that tell of keys, and ask the TPM nothing: List, ListAll, Describe and GetPublicKey. */
#include "ward-error.h"
#include "ward-key-public.h"
#include "ward-keys-interface.h"

/* The most bytes of a reply, so that the bus, which takes 32 MiB, does not take it for an attack. */
#define MAX_REPLY (24 * 1024 * 1024)

/* How many keys are described on the main thread, where nothing else goes on meanwhile. */
#define MAX_AT_ONCE 100

/* The reply to a long list, which is made and sent on another thread. */
typedef struct
{
  WardKeyRows *rows;
  GDBusMethodInvocation *invocation;
} Reply;

static void
reply_free (gpointer data)
{
  Reply *reply = data;

  ward_key_rows_free (reply->rows);
  g_object_unref (reply->invocation);
  g_free (reply);
}

static GVariant *
print_rows (const WardKeyRows *rows, GError **error)
{
  g_autoptr (GVariant) list = NULL;

  /* what is too long by far is not made first */
  if (ward_key_rows_measure (rows) <= MAX_REPLY)
    list = g_variant_ref_sink (g_variant_new ("(@aa{sv})", ward_key_rows_print (rows)));
  if (list && g_variant_get_size (list) <= MAX_REPLY)
    return g_steal_pointer (&list);
  g_set_error (error, WARD_ERROR, WARD_ERROR_NO_SPACE,
               "The descriptions of these %u keys are longer than what the bus carries at once. Give the keys shorter "
               "comments, delete some, or describe them one by one.",
               ward_key_rows_get_length (rows));
  return NULL;
}

static void
reply_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Reply *reply = data;
  GError *error = NULL;
  g_autoptr (GVariant) list = print_rows (reply->rows, &error);
  g_autoptr (GDBusMessage) message = NULL;

  if (!list)
    {
      g_task_return_error (task, error);
      return;
    }
  message = g_dbus_message_new_method_reply (g_dbus_method_invocation_get_message (reply->invocation));
  g_dbus_message_set_body (message, list);
  /* it fails when the bus is gone, and then nobody waits */
  g_dbus_connection_send_message (g_dbus_method_invocation_get_connection (reply->invocation), message,
                                  G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  g_task_return_boolean (task, TRUE);
}

static void take_turns (WardUser *user);

static void
on_replied (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  WardUser *user = call->client->user;
  GError *error = NULL;

  g_queue_pop_head (&user->lists);
  if (g_task_propagate_boolean (G_TASK (result), &error))
    ward_call_end_replied (call);
  else
    ward_call_fail (call, error);
  take_turns (user);
}

/* rows: taken over. */
static void
begin_long_reply (WardCall *call, WardKeyRows *rows)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_replied, call);
  Reply *reply = g_new (Reply, 1);

  *reply = (Reply){ rows, g_object_ref (call->invocation) };
  g_task_set_task_data (task, reply, reply_free);
  g_task_run_in_thread (task, reply_in_thread);
}

/* Whether the reply takes a while: else the call has ended. */
static gboolean
begin_reply (WardCall *call)
{
  const WardKeysRequest *request = call->request;
  const char *tpm = ward_tpm_get_name (call->tpm);
  GError *error = NULL;
  GPtrArray *keys = request->is_of_all ? ward_keyring_list_all (call->keyring, tpm, &error)
                                       : ward_keyring_list (call->keyring, tpm, ward_keys_get_owner (call), &error);
  g_autoptr (WardKeyRows) rows = keys ? ward_key_rows_new (call->keyring, keys) : NULL;
  g_autoptr (GVariant) list = NULL;

  if (rows && ward_key_rows_get_length (rows) > MAX_AT_ONCE)
    {
      begin_long_reply (call, g_steal_pointer (&rows));
      return TRUE;
    }
  list = rows ? print_rows (rows, &error) : NULL;
  if (list)
    ward_call_return (call, list);
  else
    ward_call_fail (call, error);
  return FALSE;
}

/* One list at a time for each user, and nothing done for the others until then: together they could fill the memory,
 * and keep the main thread from everybody else. */
static void
take_turns (WardUser *user)
{
  WardCall *call;

  while ((call = g_queue_peek_head (&user->lists)) != NULL && !begin_reply (call))
    g_queue_pop_head (&user->lists);
}

static void
run_list (WardCall *call)
{
  WardUser *user = call->client->user;

  g_queue_push_tail (&user->lists, call);
  if (user->lists.length == 1)
    take_turns (user);
}

static void
on_named (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  WardKeysRequest *request = call->request;

  /* keys of an owner whose name is not known are listed, and say so */
  ward_keyring_prepare_finish (WARD_KEYRING (source), result, NULL);
  if (--request->n_waiting == 0)
    run_list (call);
}

/* Whether keys are usable depends on whose their owners' uids are by now. */
static void
run_list_all (WardCall *call)
{
  WardKeysRequest *request = call->request;
  g_autoptr (GPtrArray) keys = ward_keyring_list_all (call->keyring, ward_tpm_get_name (call->tpm), NULL);
  guint32 last = WARD_UID_SYSTEM;

  request->is_of_all = TRUE;
  for (guint i = 0; keys && i < keys->len; i++)
    {
      const WardKey *key = keys->pdata[i];

      if (key->uid == last || ward_keyring_is_ready (call->keyring, key->uid))
        continue;
      last = key->uid;
      request->n_waiting++;
      ward_keyring_prepare_async (call->keyring, key->uid, on_named, call);
    }
  if (request->n_waiting == 0)
    run_list (call);
}

static gboolean
parse_list (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  *request = g_new0 (WardKeysRequest, 1);
  return TRUE;
}

static void
run_describe (WardCall *call)
{
  const WardKeysRequest *request = call->request;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_key_unref);
  g_autoptr (WardKeyRows) rows = NULL;
  g_autoptr (GVariant) list = NULL;

  g_ptr_array_add (keys, ward_key_ref (request->key));
  rows = ward_key_rows_new (call->keyring, g_steal_pointer (&keys));
  list = g_variant_ref_sink (ward_key_rows_print (rows));
  ward_call_return (call, g_variant_new_tuple (&(GVariant *){ g_variant_get_child_value (list, 0) }, 1));
}

static gboolean
parse_get_public_key (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (WardKeysRequest) get = ward_keys_request_new (parameters, fds, NULL, error);

  g_variant_get_child (parameters, 1, "s", &get->text);
  if (!ward_key_public_format_is_known (get->text))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "“%.32s” is no format of public keys. There are “pem”, “der” and “ssh”.", get->text);
      return FALSE;
    }
  *request = g_steal_pointer (&get);
  return TRUE;
}

static void
run_get_public_key (WardCall *call)
{
  const WardKeysRequest *request = call->request;
  GError *error = NULL;
  g_autoptr (GBytes) bytes = ward_key_public_print (request->key->public_key, request->text, request->key->label,
                                                    &error);

  if (bytes)
    ward_call_return (call, g_variant_new ("(@ay)", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE)));
  else
    ward_call_fail (call, error);
}

const WardMethod ward_keys_list_methods[] = {
  { .name = "List",
    .signal = "handle-list",
    .parse = parse_list,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .run = run_list },
  { .name = "Describe",
    .signal = "handle-describe",
    .parse = ward_keys_parse,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = ward_keys_find,
    .run = run_describe },
  { .name = "GetPublicKey",
    .signal = "handle-get-public-key",
    .parse = parse_get_public_key,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = ward_keys_find,
    .run = run_get_public_key },
  { .name = NULL },
};

const WardMethod ward_keys_list_all_methods[] = {
  { .name = "ListAll",
    .signal = "handle-list-all",
    .parse = parse_list,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .run = run_list_all },
  { .name = NULL },
};
