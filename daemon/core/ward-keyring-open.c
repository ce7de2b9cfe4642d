/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys as a TPM loads them. Those used lately are kept in memory: a signature shall not wait for the disk. */
#include "ward-keyring-private.h"

#include <string.h>

#include "ward-error.h"
#include "ward-key-pem.h"

/* How many. Each has about a kilobyte. */
#define MAX_OPEN 256

/* What is in memory is found by what it was on the disk: whose key, and with which private half. */
typedef struct
{
  GList link; /* among keyring->open_order; its data is the entry */
  WardKey *key;
  WardWrappedKey *wrapped;
} Entry;

static guint
entry_hash (gconstpointer data)
{
  const Entry *entry = data;

  return g_str_hash (entry->key->digest) ^ entry->key->uid;
}

static gboolean
entry_equal (gconstpointer first, gconstpointer second)
{
  const WardKey *a = ((const Entry *)first)->key, *b = ((const Entry *)second)->key;

  return a->uid == b->uid && g_str_equal (a->digest, b->digest) && g_str_equal (a->id, b->id)
         && g_str_equal (a->parent_name, b->parent_name);
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  ward_sealed_free (entry->wrapped);
  ward_key_unref (entry->key);
  g_free (entry);
}

GHashTable *
ward_keyring_open_new (void)
{
  return g_hash_table_new_full (entry_hash, entry_equal, entry_free, NULL);
}

WardWrappedKey *
ward_keyring_peek (WardKeyring *keyring, const WardKey *key)
{
  const Entry wanted = { .key = (WardKey *)key }; /* which is only compared */
  Entry *entry = g_hash_table_lookup (keyring->open, &wanted);

  if (!entry)
    return NULL;
  g_queue_unlink (&keyring->open_order, &entry->link);
  g_queue_push_head_link (&keyring->open_order, &entry->link);
  return ward_sealed_copy (entry->wrapped);
}

static void
keep (WardKeyring *keyring, WardKey *key, const WardWrappedKey *wrapped)
{
  Entry *entry = g_new0 (Entry, 1);
  Entry *old;

  entry->link.data = entry;
  entry->key = ward_key_ref (key);
  entry->wrapped = ward_sealed_copy (wrapped);
  /* two calls may have read it at once */
  old = g_hash_table_lookup (keyring->open, entry);
  if (!old && g_hash_table_size (keyring->open) >= MAX_OPEN)
    old = keyring->open_order.tail->data;
  if (old)
    {
      g_queue_unlink (&keyring->open_order, &old->link);
      g_hash_table_remove (keyring->open, old);
    }
  g_queue_push_head_link (&keyring->open_order, &entry->link);
  g_hash_table_add (keyring->open, entry);
}

/* NULL for what the service has not written, although it has its digest. */
static WardWrappedKey *
read_wrapped (const WardKey *key, GBytes *bytes, GError **error)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  WardWrappedKey *wrapped = ward_key_pem_parse (text, error);

  if (!wrapped)
    return NULL;
  g_ptr_array_unref (wrapped->pcrs);
  wrapped->pcrs = g_ptr_array_ref (key->pcrs);
  wrapped->parent = key->parent;
  wrapped->has_auth = key->has_auth;
  wrapped->parent_name = g_strdup (key->parent_name);
  return wrapped;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardKeyring *keyring = WARD_KEYRING (source);
  g_autoptr (GTask) task = user_data;
  const WardKey *key = g_task_get_task_data (task);
  WardKey *now = ward_key_set_get (ward_keyring_get_owner (keyring, key->uid)->keys, key->id, key->parent_name);
  GError *error = NULL;
  g_autoptr (GBytes) bytes = ward_keyring_read_finish (keyring, result, &error);
  g_autofree char *digest = bytes ? ward_store_get_digest (bytes) : NULL;
  WardWrappedKey *wrapped = bytes ? read_wrapped (key, bytes, &error) : NULL;

  if (!wrapped)
    {
      g_task_return_error (task, error);
      return;
    }
  /* it may have been replaced while it was read */
  if (now && g_str_equal (now->digest, digest))
    keep (keyring, now, wrapped);
  g_task_return_pointer (task, wrapped, (GDestroyNotify)ward_sealed_free);
}

void
ward_keyring_open_async (WardKeyring *keyring, WardKey *key, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (keyring, NULL, callback, user_data);
  WardWrappedKey *wrapped = ward_keyring_peek (keyring, key);

  g_task_set_task_data (task, ward_key_ref (key), (GDestroyNotify)ward_key_unref);
  if (wrapped)
    g_task_return_pointer (task, wrapped, (GDestroyNotify)ward_sealed_free);
  else
    ward_keyring_read_async (keyring, key, on_read, g_steal_pointer (&task));
}

WardWrappedKey *
ward_keyring_open_finish (WardKeyring *keyring, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
