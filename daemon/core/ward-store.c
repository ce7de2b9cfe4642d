/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "ward-error.h"

/* What one name of a key's is. */
#define NAME(id, suffix) g_strconcat ((id), suffix, NULL)

WardDamage *
ward_damage_new (const char *path, const char *reason, guint32 uid, WardKey *key)
{
  WardDamage *damage = g_new (WardDamage, 1);

  damage->path = g_strdup (path);
  damage->reason = g_strdup (reason);
  damage->uid = uid;
  damage->key = key ? ward_key_ref (key) : NULL;
  return damage;
}

WardDamage *
ward_damage_copy (const WardDamage *damage)
{
  return ward_damage_new (damage->path, damage->reason, damage->uid, damage->key);
}

void
ward_damage_free (WardDamage *damage)
{
  g_free (damage->path);
  g_free (damage->reason);
  g_clear_pointer (&damage->key, ward_key_unref);
  g_free (damage);
}

WardStore *
ward_store_new (const char *state_dir)
{
  WardStore *store = g_new0 (WardStore, 1);

  store->state_dir = g_strdup (state_dir);
  g_mutex_init (&store->uses_lock);
  store->lock = -1;
  return store;
}

void
ward_store_free (WardStore *store)
{
  if (store->lock >= 0)
    close (store->lock);
  g_mutex_clear (&store->uses_lock);
  g_free (store->state_dir);
  g_free (store);
}

char *
ward_store_owner_to_name (guint32 uid)
{
  return uid == WARD_UID_SYSTEM ? g_strdup (WARD_STORE_SYSTEM) : g_strdup_printf ("%u", uid);
}

char *
ward_store_get_path (WardStore *store, const WardKey *key, const char *suffix)
{
  g_autofree char *owner = ward_store_owner_to_name (key->uid);

  return g_strdup_printf ("%s/%s/%s/%s%s", store->state_dir, key->parent_name, owner, key->id, suffix);
}

char *
ward_store_get_digest (GBytes *private_half)
{
  return g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, private_half);
}

static int
open_parent (WardStore *store, const char *parent_name, const char *owner, gboolean make, GError **error)
{
  g_auto (WardFd) parent = make ? ward_store_folder_make (store->lock, parent_name, error)
                                : ward_store_folder_open (store->lock, parent_name, NULL, error);

  if (parent < 0)
    return -1;
  return make ? ward_store_folder_make (parent, owner, error) : ward_store_folder_open (parent, owner, NULL, error);
}

/* An owner's folder; -1 on error. make: where it is missing. */
static int
open_owner (WardStore *store, const char *parent_name, guint32 uid, gboolean make, GError **error)
{
  g_autofree char *owner = ward_store_owner_to_name (uid);
  GError *local_error = NULL;
  int fd;

  if (store->lock < 0)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                   "There is no store of keys: %s could not be opened when the service was started. See that it is "
                   "there and the service's, and restart the service.",
                   store->state_dir);
      return -1;
    }
  fd = open_parent (store, parent_name, owner, make, &local_error);
  if (fd >= 0 || !g_error_matches (local_error, WARD_ERROR, WARD_ERROR_CORRUPT))
    {
      if (local_error)
        g_propagate_error (error, local_error);
      return fd;
    }
  g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
               "The folder %s/%s/%s, where these keys are, is not used: %s. Restore it, and restart the service.",
               store->state_dir, parent_name, owner, local_error->message);
  g_error_free (local_error);
  return -1;
}

void
ward_store_end_put (int folder, const char *id)
{
  g_autofree char *name = NAME (id, WARD_STORE_PRIVATE);
  g_autofree char *new_name = NAME (id, WARD_STORE_PRIVATE WARD_STORE_NEW);
  g_autoptr (GError) error = NULL;

  if (!ward_store_folder_rename (folder, new_name, name, &error))
    g_warning ("The key %s is stored, and will be tidied at the next start: %s", id, error->message);
}

/* A folder in the file's place is not the service's, and is kept. */
static gboolean
remove_own (int folder, const char *name, GError **error)
{
  GError *local_error = NULL;

  if (ward_store_folder_remove (folder, name, &local_error))
    return TRUE;
  if (!g_error_matches (local_error, WARD_ERROR, WARD_ERROR_CORRUPT))
    {
      g_propagate_error (error, local_error);
      return FALSE;
    }
  g_error_free (local_error);
  return TRUE;
}

void
ward_store_end_remove (int folder, const char *id)
{
  g_autofree char *name = NAME (id, WARD_STORE_PRIVATE);
  g_autofree char *new_name = NAME (id, WARD_STORE_PRIVATE WARD_STORE_NEW);
  g_autofree char *gone = NAME (id, WARD_STORE_META WARD_STORE_GONE);
  g_autoptr (GError) error = NULL;

  /* a private half without any .meta beside it would be taken for a key that has lost it */
  if (!remove_own (folder, name, &error) || !remove_own (folder, new_name, &error)
      || !ward_store_folder_sync (folder, &error) || !ward_store_folder_remove (folder, gone, &error))
    g_warning ("The key %s is deleted, and what is left of it will be removed at the next start: %s", id,
               error->message);
}

/* Before anything was renamed. */
static void
drop_new (int folder, const char *id)
{
  g_autofree char *private_name = NAME (id, WARD_STORE_PRIVATE WARD_STORE_NEW);
  g_autofree char *meta_name = NAME (id, WARD_STORE_META WARD_STORE_NEW);

  ward_store_folder_remove (folder, private_name, NULL);
  ward_store_folder_remove (folder, meta_name, NULL);
}

static gboolean
write_new (int folder, const WardKey *key, GBytes *private_half, GError **error)
{
  g_autofree char *private_name = NAME (key->id, WARD_STORE_PRIVATE WARD_STORE_NEW);
  g_autofree char *meta_name = NAME (key->id, WARD_STORE_META WARD_STORE_NEW);
  gsize size, private_size;
  g_autofree char *text = ward_key_print (key, &size);
  const char *private_text = private_half ? g_bytes_get_data (private_half, &private_size) : NULL;

  if (private_half
      && (!ward_store_folder_write (folder, private_name, private_text, private_size, error)
          || !ward_store_folder_sync (folder, error)))
    return FALSE;
  return ward_store_folder_write (folder, meta_name, text, size, error);
}

/* Takes the rename back whose end could not be brought to the disk. */
static void
take_back (int folder, const WardKey *key, GBytes *old)
{
  g_autofree char *meta = NAME (key->id, WARD_STORE_META);
  g_autofree char *new_meta = NAME (key->id, WARD_STORE_META WARD_STORE_NEW);
  g_autoptr (GError) error = NULL;
  gboolean done;

  if (old)
    done = ward_store_folder_write (folder, new_meta, g_bytes_get_data (old, NULL), g_bytes_get_size (old), &error)
           && ward_store_folder_rename (folder, new_meta, meta, &error);
  else
    done = ward_store_folder_remove (folder, meta, &error);
  if (!done)
    g_warning ("A change of the key %s failed, and may come to be at the next start all the same: %s", key->id,
               error->message);
}

gboolean
ward_store_put (WardStore *store, const WardKey *key, GBytes *private_half, GError **error)
{
  g_autofree char *meta = NAME (key->id, WARD_STORE_META);
  g_autofree char *new_meta = NAME (key->id, WARD_STORE_META WARD_STORE_NEW);
  g_auto (WardFd) folder = -1;
  g_autoptr (GBytes) old = NULL;

  if (private_half && g_bytes_get_size (private_half) > WARD_MAX_PRIVATE_SIZE)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                   "The key is not stored: it has %" G_GSIZE_FORMAT " bytes, and %d are the most. This is a fault of "
                   "the service; please report it.",
                   g_bytes_get_size (private_half), WARD_MAX_PRIVATE_SIZE);
      return FALSE;
    }
  folder = open_owner (store, key->parent_name, key->uid, private_half != NULL, error);
  if (folder < 0)
    return FALSE;
  old = ward_store_folder_read (folder, meta, WARD_MAX_META_SIZE, NULL);
  if (!write_new (folder, key, private_half, error) || !ward_store_folder_rename (folder, new_meta, meta, error))
    {
      drop_new (folder, key->id);
      return FALSE;
    }
  if (!ward_store_folder_sync (folder, error))
    {
      take_back (folder, key, old);
      drop_new (folder, key->id);
      return FALSE;
    }
  if (private_half)
    ward_store_end_put (folder, key->id);
  return TRUE;
}

gboolean
ward_store_remove (WardStore *store, const WardKey *key, GError **error)
{
  g_autofree char *meta = NAME (key->id, WARD_STORE_META);
  g_autofree char *gone = NAME (key->id, WARD_STORE_META WARD_STORE_GONE);
  g_auto (WardFd) folder = open_owner (store, key->parent_name, key->uid, FALSE, error);

  if (folder < 0 || !ward_store_folder_rename (folder, meta, gone, error))
    return FALSE;
  if (!ward_store_folder_sync (folder, error))
    {
      ward_store_folder_rename (folder, gone, meta, NULL);
      return FALSE;
    }
  ward_store_end_remove (folder, key->id);
  return TRUE;
}

GBytes *
ward_store_read_private (int folder, const WardKey *key, const char *suffix, GError **error)
{
  g_autofree char *name = NAME (key->id, suffix);
  g_autoptr (GBytes) bytes = ward_store_folder_read (folder, name, WARD_MAX_PRIVATE_SIZE, error);
  g_autofree char *digest = bytes ? ward_store_get_digest (bytes) : NULL;

  if (digest && g_str_equal (digest, key->digest))
    return g_steal_pointer (&bytes);
  if (digest)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_CORRUPT, "it is not what the service has written");
  return NULL;
}

void
ward_store_set_damage_error (GError **error, WardStore *store, const WardKey *key, const char *reason)
{
  g_autofree char *path = ward_store_get_path (store, key, WARD_STORE_PRIVATE);
  g_autofree char *name = ward_key_to_string (key);

  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
               "The key %s cannot be used, as its file %s is damaged: %s. Restore that from a backup and restart the "
               "service, or delete the key and make another one.",
               name, path, reason);
}

GBytes *
ward_store_read (WardStore *store, const WardKey *key, GError **error)
{
  g_auto (WardFd) folder = open_owner (store, key->parent_name, key->uid, FALSE, error);
  g_autoptr (GError) reason = NULL;
  GBytes *bytes;

  if (folder < 0)
    return NULL;
  bytes = ward_store_read_private (folder, key, WARD_STORE_PRIVATE, &reason);
  if (!bytes)
    bytes = ward_store_read_private (folder, key, WARD_STORE_PRIVATE WARD_STORE_NEW, NULL);
  if (!bytes)
    ward_store_set_damage_error (error, store, key, reason->message);
  return bytes;
}

char *
ward_store_print_uses (const GPtrArray *keys, const char *parent_name)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < keys->len; i++)
    {
      const WardKey *key = keys->pdata[i];

      if (key->uses > 0 && g_str_equal (key->parent_name, parent_name))
        g_string_append_printf (text, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", key->id, key->uses,
                                key->last_used);
    }
  return g_string_free (text, FALSE);
}

gboolean
ward_store_put_uses (WardStore *store, const char *parent_name, guint32 uid, const char *text, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->uses_lock);
  g_auto (WardFd) folder = open_owner (store, parent_name, uid, FALSE, error);

  return folder >= 0 && ward_store_folder_write (folder, WARD_STORE_USES WARD_STORE_NEW, text, strlen (text), error)
         && ward_store_folder_rename (folder, WARD_STORE_USES WARD_STORE_NEW, WARD_STORE_USES, error);
}
