/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What in the store is not as the service has left it, and which keys cannot be used for that. */
#include "ward-keyring-private.h"

static guint
hash_place (gconstpointer data)
{
  return g_str_hash (((const WardKey *)data)->id);
}

/* Also when one of them has another label by now. */
static gboolean
is_same_place (gconstpointer a, gconstpointer b)
{
  const WardKey *first = a, *second = b;

  return first->uid == second->uid && g_str_equal (first->id, second->id)
         && g_str_equal (first->parent_name, second->parent_name);
}

void
ward_keyring_init_damages (WardKeyring *keyring)
{
  keyring->damages = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_damage_free);
  keyring->damaged = g_hash_table_new (hash_place, is_same_place);
}

void
ward_keyring_clear_damages (WardKeyring *keyring)
{
  g_hash_table_unref (keyring->damaged);
  g_ptr_array_unref (keyring->damages);
}

gboolean
ward_keyring_add_damage (WardKeyring *keyring, WardDamage *damage)
{
  if (damage->key && g_hash_table_contains (keyring->damaged, damage->key))
    {
      ward_damage_free (damage);
      return FALSE;
    }
  g_ptr_array_add (keyring->damages, damage);
  if (damage->key)
    g_hash_table_insert (keyring->damaged, damage->key, damage);
  return TRUE;
}

void
ward_keyring_forget_damage (WardKeyring *keyring, const WardKey *key)
{
  WardDamage *damage = g_hash_table_lookup (keyring->damaged, key);

  if (!damage)
    return;
  g_hash_table_remove (keyring->damaged, key);
  g_ptr_array_remove (keyring->damages, damage);
}

gboolean
ward_keyring_check_damage (WardKeyring *keyring, const WardKey *key, GError **error)
{
  const WardDamage *damage = g_hash_table_lookup (keyring->damaged, key);

  if (!damage)
    return TRUE;
  ward_store_set_damage_error (error, keyring->store, key, damage->reason);
  return FALSE;
}

const GPtrArray *
ward_keyring_get_damages (WardKeyring *keyring)
{
  return keyring->damages;
}
