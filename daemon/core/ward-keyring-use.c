/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What it takes to use a key: its private half, from the disk, and that it is counted. */
#include "ward-keyring-private.h"

#include "ward-error.h"

/* Seconds after which uses are written down. */
#define USES_DELAY 60

static void on_read (GObject *source, GAsyncResult *result, gpointer user_data);

static void
read_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  GBytes *bytes = ward_store_read (WARD_KEYRING (source)->store, data, &error);

  if (bytes)
    g_task_return_pointer (task, bytes, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

/* task: the caller's, taken over. */
static void
begin_read (WardKeyring *keyring, WardKey *key, GTask *task)
{
  g_autoptr (GTask) inner = g_task_new (keyring, NULL, on_read, task);

  g_task_set_task_data (inner, ward_key_ref (key), (GDestroyNotify)ward_key_unref);
  g_task_run_in_thread (inner, read_in_thread);
}

/* It was sound at the start. */
static void
take_damage (WardKeyring *keyring, WardKey *key)
{
  g_autofree char *path = ward_store_get_path (keyring->store, key, ".pem");

  if (!ward_keyring_add_damage (
          keyring, ward_damage_new (path, "it is not any more what the service has written", key->uid, key)))
    return;
  g_warning ("%s is damaged, and the key cannot be used. It is kept", path);
  ward_keyring_emit_changed (keyring, key->uid);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardKeyring *keyring = WARD_KEYRING (source);
  g_autoptr (GTask) task = user_data;
  const WardKey *key = g_task_get_task_data (G_TASK (result));
  GError *error = NULL;
  GBytes *bytes = g_task_propagate_pointer (G_TASK (result), &error);
  WardKey *now = ward_key_set_get (ward_keyring_get_owner (keyring, key->uid)->keys, key->id, key->parent_name);

  if (bytes)
    g_task_return_pointer (task, bytes, (GDestroyNotify)g_bytes_unref);
  else if (now && !g_str_equal (now->digest, key->digest))
    {
      /* it was replaced while it was read */
      g_error_free (error);
      begin_read (keyring, now, g_steal_pointer (&task));
    }
  else if (!now)
    {
      g_autofree char *name = ward_key_to_string (key);

      g_error_free (error);
      g_task_return_new_error (task, WARD_ERROR, WARD_ERROR_NOT_FOUND, "The key %s has been deleted meanwhile.", name);
    }
  else
    {
      if (g_error_matches (error, WARD_ERROR, WARD_ERROR_CORRUPT))
        take_damage (keyring, now);
      g_task_return_error (task, error);
    }
}

void
ward_keyring_read_async (WardKeyring *keyring, WardKey *key, GAsyncReadyCallback callback, gpointer user_data)
{
  begin_read (keyring, key, g_task_new (keyring, NULL, callback, user_data));
}

GBytes *
ward_keyring_read_finish (WardKeyring *keyring, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

typedef void (*PutFunc) (WardKeyring *keyring, WardOwner *owner, const char *parent_name);

static void
put_all_uses (WardKeyring *keyring, PutFunc put)
{
  g_autoptr (GList) owners = g_hash_table_get_values (keyring->owners);

  for (const GList *link = owners; link; link = link->next)
    {
      WardOwner *owner = link->data;
      GHashTableIter iter;
      gpointer parent_name;

      g_hash_table_iter_init (&iter, owner->used);
      while (g_hash_table_iter_next (&iter, &parent_name, NULL))
        put (keyring, owner, parent_name);
      g_hash_table_remove_all (owner->used);
    }
}

static void
put_now (WardKeyring *keyring, WardOwner *owner, const char *parent_name)
{
  g_autofree char *text = ward_store_print_uses (owner->keys->by_id, parent_name);
  g_autoptr (GError) error = NULL;

  if (!ward_store_put_uses (keyring->store, parent_name, owner->uid, text, &error))
    g_warning ("How often keys were used is not written down: %s", error->message);
}

void
ward_keyring_save_uses (WardKeyring *keyring)
{
  g_clear_handle_id (&keyring->uses_source, g_source_remove);
  put_all_uses (keyring, put_now);
}

static gboolean
on_uses_due (gpointer user_data)
{
  WardKeyring *keyring = user_data;

  keyring->uses_source = 0;
  put_all_uses (keyring, ward_keyring_put_uses);
  return G_SOURCE_REMOVE;
}

void
ward_keyring_note_use (WardKeyring *keyring, const WardKey *key)
{
  WardOwner *owner = ward_keyring_get_owner (keyring, key->uid);
  WardKey *now = ward_key_set_get (owner->keys, key->id, key->parent_name);

  if (!now)
    return;
  now->uses++;
  now->last_used = (guint64)g_get_real_time ();
  if (!g_hash_table_contains (owner->used, now->parent_name))
    g_hash_table_add (owner->used, g_strdup (now->parent_name));
  if (!keyring->uses_source)
    keyring->uses_source = g_timeout_add_seconds (USES_DELAY, on_uses_due, keyring);
}
