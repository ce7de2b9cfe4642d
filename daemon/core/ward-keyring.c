/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-keyring-private.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "ward-error.h"

/* How long a user's name is taken to be the same, in microseconds. */
#define NAME_LIFETIME G_TIME_SPAN_MINUTE
/* The longest entry of a user that is read, in bytes. */
#define MAX_PASSWD_SIZE (1024 * 1024)

G_DEFINE_FINAL_TYPE (WardKeyring, ward_keyring, G_TYPE_OBJECT)

static guint changed_signal;

static void
owner_free (gpointer data)
{
  WardOwner *owner = data;

  ward_key_set_free (owner->keys);
  g_hash_table_unref (owner->used);
  g_free (owner->user_name);
  g_free (owner);
}

WardOwner *
ward_keyring_get_owner (WardKeyring *keyring, guint32 uid)
{
  WardOwner *owner = g_hash_table_lookup (keyring->owners, GUINT_TO_POINTER (uid));

  if (owner)
    return owner;
  owner = g_new0 (WardOwner, 1);
  owner->uid = uid;
  owner->keys = ward_key_set_new ();
  owner->used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&owner->reservations);
  g_queue_init (&owner->changes);
  g_queue_init (&owner->waiters);
  g_hash_table_insert (keyring->owners, GUINT_TO_POINTER (uid), owner);
  return owner;
}

static void
ward_keyring_finalize (GObject *object)
{
  WardKeyring *keyring = WARD_KEYRING (object);

  g_clear_handle_id (&keyring->uses_source, g_source_remove);
  g_clear_pointer (&keyring->follower, ward_follower_free);
  g_hash_table_unref (keyring->open);
  g_hash_table_unref (keyring->owners);
  g_hash_table_unref (keyring->parents);
  g_hash_table_unref (keyring->told);
  ward_keyring_clear_damages (keyring);
  g_clear_error (&keyring->load_error);
  ward_store_free (keyring->store);
  G_OBJECT_CLASS (ward_keyring_parent_class)->finalize (object);
}

static void
ward_keyring_class_init (WardKeyringClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_keyring_finalize;
  changed_signal = g_signal_new ("changed", WARD_TYPE_KEYRING, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                 G_TYPE_UINT);
}

static void
ward_keyring_init (WardKeyring *keyring)
{
  keyring->owners = g_hash_table_new_full (NULL, NULL, NULL, owner_free);
  keyring->parents = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  keyring->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ward_keyring_init_damages (keyring);
  g_queue_init (&keyring->waiters);
  keyring->open = ward_keyring_open_new ();
  g_queue_init (&keyring->open_order);
}

void
ward_keyring_emit_changed (WardKeyring *keyring, guint32 uid)
{
  g_signal_emit (keyring, changed_signal, 0, uid);
}

static void
emit_all_changed (WardKeyring *keyring)
{
  g_autofree gpointer *uids = NULL;
  guint n_uids;

  /* who hears of it may ask for an owner who is not among them yet */
  uids = g_hash_table_get_keys_as_array (keyring->owners, &n_uids);
  for (guint i = 0; i < n_uids; i++)
    ward_keyring_emit_changed (keyring, GPOINTER_TO_UINT (uids[i]));
}

/* The system's answer, which may come over the network. */
static char *
look_up_user (guint32 uid, GError **error)
{
  gsize size = 1024;

  for (;;)
    {
      g_autofree char *buffer = g_malloc (size);
      struct passwd entry, *found;
      int code = getpwuid_r (uid, &entry, buffer, size, &found);

      if (code == 0)
        return g_strdup (found ? found->pw_name : "");
      if (code != ERANGE || size >= MAX_PASSWD_SIZE)
        {
          g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED, "The name of the user with the id %u is not known: %s.",
                       uid, g_strerror (code));
          return NULL;
        }
      size *= 2;
    }
}

static void
load_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  WardStoreContents *contents = ward_store_load (WARD_KEYRING (source)->store, &error);

  if (contents)
    g_task_return_pointer (task, contents, (GDestroyNotify)ward_store_contents_free);
  else
    g_task_return_error (task, error);
}

/* Into sets that are sorted once. */
static void
distribute (WardKeyring *keyring, GPtrArray *keys)
{
  g_autoptr (GHashTable) sorted = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
  GHashTableIter iter;
  gpointer uid;
  GPtrArray *owned;

  for (guint i = 0; i < keys->len; i++)
    {
      WardKey *key = keys->pdata[i];

      owned = g_hash_table_lookup (sorted, GUINT_TO_POINTER (key->uid));
      if (!owned)
        {
          owned = g_ptr_array_new ();
          g_hash_table_insert (sorted, GUINT_TO_POINTER (key->uid), owned);
        }
      g_ptr_array_add (owned, key);
    }
  g_hash_table_iter_init (&iter, sorted);
  while (g_hash_table_iter_next (&iter, &uid, (gpointer *)&owned))
    ward_key_set_fill (ward_keyring_get_owner (keyring, GPOINTER_TO_UINT (uid))->keys, owned);
  keyring->n_keys = keys->len;
}

static void wait_for_name (WardKeyring *keyring, GTask *task);

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardKeyring *keyring = WARD_KEYRING (source);
  g_autoptr (WardStoreContents) contents = g_task_propagate_pointer (G_TASK (result), &keyring->load_error);
  GTask *task;

  if (contents)
    {
      distribute (keyring, contents->keys);
      g_ptr_array_set_free_func (contents->damages, NULL);
      for (guint i = 0; i < contents->damages->len; i++)
        ward_keyring_add_damage (keyring, contents->damages->pdata[i]);
    }
  else
    g_warning ("%s", keyring->load_error->message);
  keyring->is_loaded = TRUE;
  if (keyring->follower)
    ward_follower_take_keys (keyring->follower);
  emit_all_changed (keyring);
  while ((task = g_queue_pop_head (&keyring->waiters)) != NULL)
    wait_for_name (keyring, task);
}

WardKeyring *
ward_keyring_new (const char *state_dir, WardUserNameFunc get_user_name)
{
  WardKeyring *keyring = g_object_new (WARD_TYPE_KEYRING, NULL);
  g_autoptr (GTask) task = g_task_new (keyring, NULL, on_loaded, NULL);

  keyring->store = ward_store_new (state_dir);
  keyring->get_user_name = get_user_name ? get_user_name : look_up_user;
  g_task_run_in_thread (task, load_in_thread);
  return keyring;
}

gboolean
ward_keyring_check (WardKeyring *keyring, guint32 uid, GError **error)
{
  if (!ward_key_check_uid (uid, error))
    return FALSE;
  if (!keyring->load_error)
    return TRUE;
  g_propagate_error (error, g_error_copy (keyring->load_error));
  return FALSE;
}

static gboolean
has_name (const WardOwner *owner)
{
  return owner->uid == WARD_UID_SYSTEM
         || (owner->named_at && g_get_monotonic_time () - owner->named_at < NAME_LIFETIME);
}

gboolean
ward_keyring_is_ready (WardKeyring *keyring, guint32 uid)
{
  return keyring->is_loaded && has_name (ward_keyring_get_owner (keyring, uid));
}

static void
end_prepare (WardKeyring *keyring, GTask *task, guint32 uid)
{
  g_autoptr (GTask) owned = task;
  GError *error = NULL;

  if (ward_keyring_check (keyring, uid, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
ask_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const WardOwner *owner = data;
  GError *error = NULL;
  char *name = WARD_KEYRING (source)->get_user_name (owner->uid, &error);

  if (name)
    g_task_return_pointer (task, name, g_free);
  else
    g_task_return_error (task, error);
}

static void
on_named (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardKeyring *keyring = WARD_KEYRING (source);
  WardOwner *owner = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_task_propagate_pointer (G_TASK (result), &error);
  gboolean is_renamed = name && owner->user_name && !g_str_equal (name, owner->user_name);
  GTask *task;

  owner->is_asked = FALSE;
  if (error)
    g_warning ("%s", error->message);
  else
    {
      g_free (owner->user_name);
      owner->user_name = g_steal_pointer (&name);
      owner->named_at = g_get_monotonic_time ();
    }
  if (is_renamed)
    ward_keyring_emit_changed (keyring, owner->uid);
  while ((task = g_queue_pop_head (&owner->waiters)) != NULL)
    end_prepare (keyring, task, owner->uid);
}

/* task: taken over; its data is the uid. */
static void
wait_for_name (WardKeyring *keyring, GTask *task)
{
  guint32 uid = GPOINTER_TO_UINT (g_task_get_task_data (task));
  WardOwner *owner = NULL;
  g_autoptr (GTask) question = NULL;

  if (!ward_keyring_check (keyring, uid, NULL) || ward_keyring_is_ready (keyring, uid))
    {
      end_prepare (keyring, task, uid);
      return;
    }
  owner = ward_keyring_get_owner (keyring, uid);
  g_queue_push_tail (&owner->waiters, task);
  if (owner->is_asked)
    return;
  owner->is_asked = TRUE;
  question = g_task_new (keyring, NULL, on_named, owner);
  g_task_set_task_data (question, owner, NULL);
  g_task_run_in_thread (question, ask_in_thread);
}

void
ward_keyring_prepare_async (WardKeyring *keyring, guint32 uid, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (keyring, NULL, callback, user_data);

  g_task_set_task_data (task, GUINT_TO_POINTER (uid), NULL);
  if (keyring->is_loaded)
    wait_for_name (keyring, task);
  else
    g_queue_push_tail (&keyring->waiters, task);
}

gboolean
ward_keyring_prepare_finish (WardKeyring *keyring, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Whether that is what is known already. */
static gboolean
is_told (WardKeyring *keyring, const char *tpm, const char *const *parent_names)
{
  gboolean was_told = g_hash_table_contains (keyring->told, tpm);
  GHashTableIter iter;
  gpointer name, owner;

  if (!parent_names || !was_told)
    return !parent_names && !was_told;
  for (guint i = 0; parent_names[i]; i++)
    if (g_strcmp0 (g_hash_table_lookup (keyring->parents, parent_names[i]), tpm) != 0)
      return FALSE;
  g_hash_table_iter_init (&iter, keyring->parents);
  while (g_hash_table_iter_next (&iter, &name, &owner))
    if (g_str_equal (owner, tpm) && !g_strv_contains (parent_names, name))
      return FALSE;
  return TRUE;
}

static gboolean
is_parent_of (gpointer parent_name, gpointer tpm, gpointer data)
{
  return g_str_equal (tpm, data);
}

void
ward_keyring_set_parents (WardKeyring *keyring, const char *tpm, const char *const *parent_names)
{
  if (is_told (keyring, tpm, parent_names))
    return;
  g_hash_table_foreach_remove (keyring->parents, is_parent_of, (gpointer)tpm);
  for (guint i = 0; parent_names && parent_names[i]; i++)
    g_hash_table_insert (keyring->parents, g_strdup (parent_names[i]), g_strdup (tpm));
  if (parent_names)
    g_hash_table_add (keyring->told, g_strdup (tpm));
  else
    g_hash_table_remove (keyring->told, tpm);
  emit_all_changed (keyring);
}

const char *
ward_keyring_get_tpm (WardKeyring *keyring, const WardKey *key)
{
  const char *now = g_hash_table_lookup (keyring->parents, key->parent_name);

  return now ? now : key->tpm;
}
