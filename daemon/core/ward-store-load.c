/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in the store when the service starts: keys, what a crash has left half done, which is cleaned, and what is
 * not the service's work, which is told of and kept. */
#include "ward-store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "ward-error.h"

/* The most names in one folder that are looked at. A key has two. */
#define MAX_NAMES (4 * WARD_MAX_KEYS)
/* The most bytes of a file with the uses of a folder's keys: a line has some 70. */
#define MAX_USES_SIZE (4 * 1024 * 1024)
/* So many damaged files are told of in the log. */
#define MAX_WARNINGS 20

/* One owner's folder. */
typedef struct
{
  WardStoreContents *contents;
  int fd;
  const char *path;
  const char *parent_name;
  guint32 uid;
  GHashTable *names;
  GHashTable *keys; /* id → WardKey */
} Folder;

void
ward_store_contents_free (WardStoreContents *contents)
{
  g_ptr_array_unref (contents->keys);
  g_ptr_array_unref (contents->damages);
  g_free (contents);
}

/* key: which cannot be used for that; or NULL. */
static void
report (WardStoreContents *contents, const char *folder, const char *name, const char *reason, guint32 uid,
        WardKey *key)
{
  g_autofree char *shown = g_strescape (name, NULL);
  g_autofree char *path = g_build_filename (folder, shown, NULL);

  g_ptr_array_add (contents->damages, ward_damage_new (path, reason, uid, key));
  if (contents->damages->len <= MAX_WARNINGS)
    g_warning ("%s is not used: %s. It is kept", path, reason);
  if (contents->damages->len == MAX_WARNINGS)
    g_warning ("There may be more in the store of keys that is not used; “tpmward doctor” counts it");
}

static void
report_in (const Folder *folder, const char *name, const char *reason)
{
  report (folder->contents, folder->path, name, reason, folder->uid, NULL);
}

static gboolean
has (const Folder *folder, const char *id, const char *suffix)
{
  g_autofree char *name = g_strconcat (id, suffix, NULL);

  return g_hash_table_contains (folder->names, name);
}

static void
drop (const Folder *folder, const char *name)
{
  g_autoptr (GError) error = NULL;

  if (ward_store_folder_remove (folder->fd, name, &error))
    return;
  if (g_error_matches (error, WARD_ERROR, WARD_ERROR_CORRUPT))
    report_in (folder, name, error->message);
  else
    g_warning ("A temporary file stays in %s: %s", folder->path, error->message);
}

static WardKey *
read_key (const Folder *folder, const char *id, GError **error)
{
  g_autofree char *meta = g_strconcat (id, WARD_STORE_META, NULL);
  g_autoptr (GBytes) bytes = ward_store_folder_read (folder->fd, meta, WARD_MAX_META_SIZE, error);
  g_autoptr (WardKey) key = NULL;
  gsize size;
  const char *text = bytes ? g_bytes_get_data (bytes, &size) : NULL;

  if (text)
    key = ward_key_parse (text, size, error);
  if (!key)
    return NULL;
  if (g_str_equal (key->id, id) && key->uid == folder->uid && g_str_equal (key->parent_name, folder->parent_name))
    return g_steal_pointer (&key);
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_CORRUPT,
                       "it was written for another place, and copied or moved here");
  return NULL;
}

/* The private half that was being put is the key's, or a leftover. */
static gboolean
settle_private (const Folder *folder, const WardKey *key, const char *new_name)
{
  g_autoptr (GBytes) bytes = ward_store_read_private (folder->fd, key, WARD_STORE_PRIVATE WARD_STORE_NEW, NULL);

  if (bytes)
    ward_store_end_put (folder->fd, key->id);
  else
    drop (folder, new_name);
  return bytes != NULL;
}

/* A key that cannot be used is told of as well. */
static void
check_private (const Folder *folder, WardKey *key)
{
  g_autofree char *name = g_strconcat (key->id, WARD_STORE_PRIVATE, NULL);
  g_autofree char *new_name = g_strconcat (name, WARD_STORE_NEW, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  gboolean is_there;

  if (g_hash_table_contains (folder->names, new_name) && settle_private (folder, key, new_name))
    return;
  is_there = g_hash_table_contains (folder->names, name);
  bytes = is_there ? ward_store_read_private (folder->fd, key, WARD_STORE_PRIVATE, &error) : NULL;
  if (!bytes)
    report (folder->contents, folder->path, name, is_there ? error->message : "it is missing", folder->uid, key);
}

static void
load_key (Folder *folder, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKey) key = read_key (folder, id, &error);
  g_autofree char *meta = g_strconcat (id, WARD_STORE_META, NULL);

  if (!key)
    {
      report_in (folder, meta, error->message);
      return;
    }
  if (folder->contents->keys->len >= WARD_STORE_MAX_KEYS)
    {
      report_in (folder, meta, "there are more keys than the service has room for");
      return;
    }
  check_private (folder, key);
  g_hash_table_insert (folder->keys, key->id, key);
  g_ptr_array_add (folder->contents->keys, g_steal_pointer (&key));
}

/* The id of a name that ends so, or NULL. Freed by the caller. */
static char *
match (const char *name, const char *suffix)
{
  g_autofree char *id = NULL;

  if (!g_str_has_suffix (name, suffix))
    return NULL;
  id = g_strndup (name, strlen (name) - strlen (suffix));
  return strlen (id) == WARD_KEY_ID_LENGTH && strspn (id, "0123456789abcdef") == WARD_KEY_ID_LENGTH
             ? g_steal_pointer (&id)
             : NULL;
}

static gboolean
is_uses (const char *name)
{
  return g_str_equal (name, WARD_STORE_USES) || g_str_equal (name, WARD_STORE_USES WARD_STORE_NEW);
}

/* What stays of changes that were under way. Comes before the keys. */
static void
clean (Folder *folder, const char *name)
{
  g_autofree char *new_meta = match (name, WARD_STORE_META WARD_STORE_NEW);
  g_autofree char *gone = match (name, WARD_STORE_META WARD_STORE_GONE);
  g_autofree char *new_private = match (name, WARD_STORE_PRIVATE WARD_STORE_NEW);

  if (gone && !has (folder, gone, WARD_STORE_META))
    ward_store_end_remove (folder->fd, gone);
  else if (gone || new_meta || g_str_equal (name, WARD_STORE_USES WARD_STORE_NEW))
    drop (folder, name);
  else if (new_private && !has (folder, new_private, WARD_STORE_META))
    drop (folder, name);
}

static void
load_name (Folder *folder, const char *name)
{
  g_autofree char *meta = match (name, WARD_STORE_META);
  g_autofree char *private_id = match (name, WARD_STORE_PRIVATE);
  g_autofree char *new_meta = match (name, WARD_STORE_META WARD_STORE_NEW);
  g_autofree char *gone = match (name, WARD_STORE_META WARD_STORE_GONE);
  g_autofree char *new_private = match (name, WARD_STORE_PRIVATE WARD_STORE_NEW);

  if (meta)
    load_key (folder, meta);
  else if (private_id && !has (folder, private_id, WARD_STORE_META)
           && !has (folder, private_id, WARD_STORE_META WARD_STORE_GONE))
    report_in (folder, name, "the file beside it that says what key this is, with the suffix .meta, is missing");
  else if (!private_id && !new_meta && !gone && !new_private && !is_uses (name))
    report_in (folder, name, "it bears no name that the service gives to a file");
}

/* Uses that make no sense are counted anew. */
static void
load_uses (Folder *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *text = NULL;

  if (!has (folder, WARD_STORE_USES, ""))
    return;
  bytes = ward_store_folder_read (folder->fd, WARD_STORE_USES, MAX_USES_SIZE, &error);
  if (!bytes)
    {
      report_in (folder, WARD_STORE_USES, error->message);
      return;
    }
  text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    {
      g_auto (GStrv) parts = g_strsplit (lines[i], " ", 3);
      WardKey *key = parts[0] ? g_hash_table_lookup (folder->keys, parts[0]) : NULL;
      guint64 uses, last_used;

      if (!key || g_strv_length (parts) != 3 || !g_ascii_string_to_unsigned (parts[1], 10, 1, G_MAXINT64, &uses, NULL)
          || !g_ascii_string_to_unsigned (parts[2], 10, 0, G_MAXINT64, &last_used, NULL)
          || last_used < key->created) /* of a key that was deleted, and imported again */
        continue;
      key->uses = uses;
      key->last_used = last_used;
    }
}

static void
load_owner (WardStoreContents *contents, int fd, const char *path, const char *parent_name, guint32 uid)
{
  gboolean more;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = ward_store_folder_list (fd, MAX_NAMES, &more, &error);
  g_autoptr (GHashTable) set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) keys = g_hash_table_new (g_str_hash, g_str_equal);
  Folder folder = { contents, fd, path, parent_name, uid, set, keys };

  if (!names || more)
    {
      report (contents, path, "", names ? "there are too many files in it, of which none is used" : error->message, uid,
              NULL);
      return;
    }
  for (guint i = 0; i < names->len; i++)
    g_hash_table_add (set, g_strdup (names->pdata[i]));
  for (guint i = 0; i < names->len; i++)
    clean (&folder, names->pdata[i]);
  for (guint i = 0; i < names->len; i++)
    load_name (&folder, names->pdata[i]);
  load_uses (&folder);
}

/* “system” or a uid, written in the one way in which the service writes it. */
static gboolean
parse_owner (const char *name, guint32 *uid)
{
  g_autofree char *canonical = NULL;
  guint64 number;

  *uid = WARD_UID_SYSTEM;
  if (g_str_equal (name, WARD_STORE_SYSTEM))
    return TRUE;
  if (!g_ascii_string_to_unsigned (name, 10, 0, WARD_UID_SYSTEM - 1, &number, NULL))
    return FALSE;
  canonical = ward_store_owner_to_name ((guint32)number);
  *uid = g_str_equal (canonical, name) ? (guint32)number : WARD_UID_SYSTEM;
  return *uid != WARD_UID_SYSTEM;
}

static void
load_parent (WardStoreContents *contents, int fd, const char *path, const char *parent_name)
{
  gboolean more;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) names = ward_store_folder_list (fd, MAX_NAMES, &more, &error);

  if (!names || more)
    report (contents, path, "", names ? "there are too many files in it, of which some are not used" : error->message,
            WARD_UID_SYSTEM, NULL);
  for (guint i = 0; names && i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *owner_path = g_build_filename (path, name, NULL);
      g_autoptr (GError) owner_error = NULL;
      g_auto (WardFd) owner = -1;
      guint32 uid;

      if (!parse_owner (name, &uid))
        report (contents, path, name, "it bears no name that the service gives to a file", WARD_UID_SYSTEM, NULL);
      else if ((owner = ward_store_folder_open (fd, name, NULL, &owner_error)) < 0)
        report (contents, path, name, owner_error->message, uid, NULL);
      else
        load_owner (contents, owner, owner_path, parent_name, uid);
    }
}

/* The state_dir has other things in it. */
static gboolean
is_parent_name (const char *name)
{
  gsize length = strlen (name);

  return length >= 8 && length < WARD_NAME_SIZE && length % 2 == 0 && strspn (name, "0123456789abcdef") == length;
}

/* Another process that still has the store is one that ends: the name on the bus is ours already. */
static gboolean
lock (WardStore *store, GError **error)
{
  g_auto (WardFd) fd = open (store->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = fd < 0 ? -1 : flock (fd, LOCK_EX | LOCK_NB);

  if (fd >= 0 && result != 0 && errno == EWOULDBLOCK)
    {
      g_message ("Another process has the store of keys in %s, and is waited for", store->state_dir);
      do
        result = flock (fd, LOCK_EX);
      while (result != 0 && errno == EINTR);
    }
  if (result != 0)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                   "The store of keys in %s cannot be opened (%s), so no keys can be kept or used. See that the folder "
                   "is there and the service's, and restart the service.",
                   store->state_dir, g_strerror (errno));
      return FALSE;
    }
  store->lock = ward_fd_take (&fd);
  return TRUE;
}

WardStoreContents *
ward_store_load (WardStore *store, GError **error)
{
  g_autoptr (WardStoreContents) contents = g_new0 (WardStoreContents, 1);
  g_autoptr (GPtrArray) names = NULL;
  gboolean more;

  contents->keys = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_key_unref);
  contents->damages = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_damage_free);
  if (!lock (store, error))
    return NULL;
  names = ward_store_folder_list (store->lock, MAX_NAMES, &more, error);
  if (!names)
    return NULL;
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *path = g_build_filename (store->state_dir, name, NULL);
      g_autoptr (GError) folder_error = NULL;
      g_auto (WardFd) parent = -1;

      if (!is_parent_name (name))
        continue;
      parent = ward_store_folder_open (store->lock, name, NULL, &folder_error);
      if (parent < 0)
        report (contents, store->state_dir, name, folder_error->message, WARD_UID_SYSTEM, NULL);
      else
        load_parent (contents, parent, path, name);
    }
  return g_steal_pointer (&contents);
}
