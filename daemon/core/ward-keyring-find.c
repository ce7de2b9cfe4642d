/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of the keys, and answered from memory. */
#include "ward-keyring-private.h"

#include "ward-error.h"

static void
append (WardKeyring *keyring, const WardOwner *owner, const char *tpm, GPtrArray *list)
{
  const GPtrArray *keys = owner->keys->by_label;

  for (guint i = 0; i < keys->len; i++)
    if (g_str_equal (ward_keyring_get_tpm (keyring, keys->pdata[i]), tpm))
      g_ptr_array_add (list, ward_key_ref (keys->pdata[i]));
}

GPtrArray *
ward_keyring_list (WardKeyring *keyring, const char *tpm, guint32 uid, GError **error)
{
  GPtrArray *list;

  if (!ward_keyring_check (keyring, uid, error))
    return NULL;
  list = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_key_unref);
  append (keyring, ward_keyring_get_owner (keyring, uid), tpm, list);
  return list;
}

static int
compare_uids (gconstpointer a, gconstpointer b)
{
  guint first = GPOINTER_TO_UINT (*(const gpointer *)a), second = GPOINTER_TO_UINT (*(const gpointer *)b);

  return first < second ? -1 : first > second;
}

GPtrArray *
ward_keyring_list_all (WardKeyring *keyring, const char *tpm, GError **error)
{
  g_autoptr (GPtrArray) uids = g_ptr_array_new ();
  GPtrArray *list;
  GHashTableIter iter;
  gpointer uid;

  if (!ward_keyring_check (keyring, WARD_UID_SYSTEM, error))
    return NULL;
  g_hash_table_iter_init (&iter, keyring->owners);
  while (g_hash_table_iter_next (&iter, &uid, NULL))
    g_ptr_array_add (uids, uid);
  g_ptr_array_sort (uids, compare_uids);
  list = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_key_unref);
  for (guint i = 0; i < uids->len; i++)
    append (keyring, ward_keyring_get_owner (keyring, GPOINTER_TO_UINT (uids->pdata[i])), tpm, list);
  return list;
}

/* Of several, as they may come to be by a TPM's return or out of a backup, the first that lies in the TPM now. */
static WardKey *
choose (WardKeyring *keyring, const char *tpm, WardKey *best, WardKey *key)
{
  if (!g_str_equal (ward_keyring_get_tpm (keyring, key), tpm))
    return best;
  if (!best)
    return key;
  return !g_hash_table_contains (keyring->parents, best->parent_name)
                 && g_hash_table_contains (keyring->parents, key->parent_name)
             ? key
             : best;
}

static WardKey *
find_by_id (WardKeyring *keyring, const char *tpm, const WardKeySet *set, const char *text)
{
  g_autofree char *id = g_ascii_strdown (text, -1);
  const GPtrArray *keys = set->by_id;
  WardKey *best = NULL;

  for (guint i = ward_key_set_find_id (set, id); i < keys->len; i++)
    {
      WardKey *key = keys->pdata[i];

      if (!g_str_equal (key->id, id))
        break;
      best = choose (keyring, tpm, best, key);
    }
  return best;
}

static WardKey *
find_by_label (WardKeyring *keyring, const char *tpm, const WardKeySet *set, const char *label)
{
  const GPtrArray *keys = set->by_label;
  WardKey *best = NULL;

  for (guint i = ward_key_set_find_label (set, label); i < keys->len; i++)
    {
      WardKey *key = keys->pdata[i];

      if (!g_str_equal (key->label, label))
        break;
      best = choose (keyring, tpm, best, key);
    }
  return best;
}

WardKey *
ward_keyring_find (WardKeyring *keyring, const char *tpm, guint32 uid, const char *id_or_label, GError **error)
{
  gboolean is_id = ward_key_is_id (id_or_label);
  const WardKeySet *set;
  WardKey *key = NULL;

  if (!ward_keyring_check (keyring, uid, error))
    return NULL;
  set = ward_keyring_get_owner (keyring, uid)->keys;
  if (is_id)
    key = find_by_id (keyring, tpm, set, id_or_label);
  else if (ward_label_validate (id_or_label, NULL))
    key = find_by_label (keyring, tpm, set, id_or_label);
  if (key)
    return ward_key_ref (key);
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
               "There is no key with this %s among %s in %s. “tpmward key list%s” tells which there are.",
               is_id ? "id" : "label", uid == WARD_UID_SYSTEM ? "the system's" : "yours", tpm,
               uid == WARD_UID_SYSTEM ? " --system" : "");
  return NULL;
}

gboolean
ward_keyring_is_in_tpm (WardKeyring *keyring, const WardKey *key)
{
  return g_hash_table_contains (keyring->parents, key->parent_name) || !g_hash_table_contains (keyring->told, key->tpm);
}

static gboolean
check_parent (WardKeyring *keyring, const WardKey *key, GError **error)
{
  g_autofree char *name = NULL;

  if (ward_keyring_is_in_tpm (keyring, key))
    return TRUE;
  name = ward_key_to_string (key);
  g_set_error (error, WARD_ERROR, WARD_ERROR_CORRUPT,
               "The key %s was made by another TPM than the %s that is here now, or before that was cleared, and no "
               "other can use it. If that TPM will not come back, delete the key and make another one.",
               name, key->tpm);
  return FALSE;
}

static gboolean
check_user (const WardOwner *owner, const WardKey *key, GError **error)
{
  g_autofree char *name = NULL;

  if (owner->uid == WARD_UID_SYSTEM || g_strcmp0 (owner->user_name, key->user_name) == 0)
    return TRUE;
  name = ward_key_to_string (key);
  if (!owner->user_name)
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                 "Whose the key %s is cannot be found out: the system does not tell the name of the user with the id "
                 "%u. Try again when it does.",
                 name, key->uid);
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_AUTHORIZED,
                 "The key %s is not used for this user: it was made when the user id %u was %s%s%s, and now it is "
                 "%s%s%s. If the user was only renamed, take the former name back, or make another key.",
                 name, key->uid, *key->user_name ? "“" : "", *key->user_name ? key->user_name : "nobody's",
                 *key->user_name ? "”" : "", *owner->user_name ? "“" : "",
                 *owner->user_name ? owner->user_name : "nobody's", *owner->user_name ? "”" : "");
  return FALSE;
}

gboolean
ward_keyring_check_usable (WardKeyring *keyring, const WardKey *key, GError **error)
{
  return check_user (ward_keyring_get_owner (keyring, key->uid), key, error) && check_parent (keyring, key, error)
         && ward_keyring_check_damage (keyring, key, error);
}
