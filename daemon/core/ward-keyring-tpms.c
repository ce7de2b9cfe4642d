/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys lie beneath what is in a TPM now. The Name of a storage root key is seen at every look. That of the owner
 * hierarchy's primary key, of which keys are where there is no storage root key, costs a chip up to seconds: it is
 * asked for only when there are keys that may be beneath it, and once until something has happened to the TPM. Until it
 * is known they are not told to be unusable, unless they were made before a clear. */
#include "ward-keyring-tpms.h"

#include "ward-error.h"
#include "ward-keyring-private.h"
#include "ward-tpm-keys.h"

/* One TPM, as it was when it was looked at last. A question that is under way holds a reference. */
typedef struct
{
  WardKeyring *keyring; /* NULL: nobody wants to know any more */
  WardTpm *tpm;
  gulong handler;
  gboolean is_seen;
  gboolean is_ready;
  gboolean owner_auth_set;
  char srk_name[WARD_NAME_SIZE];
  guint32 reset_count;
  guint64 clock;
  guint64 change_noticed_at;

  char *owner_name;  /* Name of the owner hierarchy's primary key; NULL: not known */
  gboolean is_asked; /* for it, since something has happened to the TPM */
  gboolean is_asking;
  GHashTable *dead; /* Names of what lay in it before a clear */
} Sight;

struct _WardFollower
{
  WardKeyring *keyring;
  WardInventory *inventory;
  GHashTable *sights; /* WardTpm → Sight */
};

static void
sight_clear (gpointer data)
{
  Sight *sight = data;

  g_object_unref (sight->tpm);
  g_free (sight->owner_name);
  g_hash_table_unref (sight->dead);
}

static void
sight_release (Sight *sight)
{
  g_rc_box_release_full (sight, sight_clear);
}

static void
sight_end (gpointer data)
{
  Sight *sight = data;

  g_clear_signal_handler (&sight->handler, sight->tpm);
  sight->keyring = NULL;
  sight_release (sight);
}

/* What keys of the TPM lie beneath that is not its storage root key: Names, once each. only_owner: that may be the
 * owner hierarchy's primary key, which a TPM 1.2 has not. */
static GHashTable *
find_names (const Sight *sight, gboolean only_owner)
{
  GHashTable *names = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, sight->keyring->owners);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const GPtrArray *keys = ((const WardOwner *)value)->keys->by_id;

      for (guint i = 0; i < keys->len; i++)
        {
          const WardKey *key = keys->pdata[i];

          if (!g_str_equal (key->parent_name, sight->srk_name)
              && (!only_owner || key->parent == WARD_OWNER_PARENT
                  || (!*sight->srk_name && key->parent != WARD_TPM12_SRK_HANDLE))
              && g_str_equal (ward_keyring_get_tpm (sight->keyring, key), ward_tpm_get_name (sight->tpm)))
            g_hash_table_add (names, key->parent_name);
        }
    }
  return names;
}

static void on_found (GObject *source, GAsyncResult *result, gpointer user_data);

/* The keyring, of what is known of the TPM. */
static void
tell (Sight *sight)
{
  g_autoptr (GHashTable) assumed = find_names (sight, TRUE);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name;
  gboolean is_wanted = FALSE;

  if (*sight->srk_name)
    g_ptr_array_add (names, sight->srk_name);
  if (sight->owner_name)
    g_ptr_array_add (names, sight->owner_name);
  g_hash_table_iter_init (&iter, assumed);
  while (!sight->owner_name && g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (sight->dead, name))
      {
        g_ptr_array_add (names, name);
        is_wanted = TRUE;
      }
  g_ptr_array_add (names, NULL);
  ward_keyring_set_parents (sight->keyring, ward_tpm_get_name (sight->tpm), (const char *const *)names->pdata);
  if (!is_wanted || sight->is_asked || sight->is_asking || sight->owner_auth_set)
    return;
  sight->is_asked = TRUE;
  sight->is_asking = TRUE;
  ward_tpm_find_parents_async (sight->tpm, TRUE, on_found, g_rc_box_acquire (sight));
}

static void
on_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Sight *sight = user_data;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) names = ward_tpm_find_parents_finish (WARD_TPM (source), result, &error);
  guint n_names = names ? g_strv_length (names) : 0;
  /* without an owner auth that does there is but the storage root key's */
  gboolean has_owner = n_names > 1 || (n_names == 1 && !g_str_equal (names[0], sight->srk_name));

  sight->is_asking = FALSE;
  if (has_owner && sight->is_asked)
    {
      g_free (sight->owner_name);
      sight->owner_name = g_strdup (names[n_names - 1]);
    }
  if (error && sight->keyring)
    {
      g_message ("Which keys lie in %s is not known: %s", ward_tpm_get_name (sight->tpm), error->message);
      /* the next look tries again, if that is of any use */
      sight->is_asked = g_error_matches (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED);
    }
  else if (sight->keyring && sight->is_ready)
    tell (sight);
  sight_release (sight);
}

/* Keys that there are can never be used again in the TPM, but for those beneath its storage root key. */
static void
bury (Sight *sight)
{
  g_autoptr (GHashTable) names = find_names (sight, FALSE);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (sight->dead, g_strdup (name));
}

/* Whether it was cleared or replaced since the last look (TPM 2.0 Library, Part 3, 24.6). The service's own clear is
 * told by the counters alone. */
static gboolean
has_begun_anew (const Sight *sight, const WardOwnership *now)
{
  guint64 noticed_at = sight->change_noticed_at;
  WardChange change = ward_tpm_get_change (sight->tpm, &noticed_at, NULL);

  if (!sight->is_seen || (*now->srk_name && g_str_equal (now->srk_name, sight->srk_name)))
    return FALSE;
  if ((change == WARD_CHANGE_CLEARED || change == WARD_CHANGE_REPLACED) && noticed_at != sight->change_noticed_at)
    return TRUE;
  return now->reset_count < sight->reset_count || (now->reset_count == sight->reset_count && now->clock < sight->clock);
}

/* A TPM 1.2 tells whether it has a storage root key also while it is disabled, as it is after a clear. */
static gboolean
tells_what_it_has (WardTpm *tpm)
{
  WardTpmState state = ward_tpm_get_state (tpm);

  return state == WARD_TPM_READY || (state == WARD_TPM_DISABLED && ward_tpm_is_tpm12 (tpm));
}

static void
on_tpm_changed (WardTpm *tpm, Sight *sight)
{
  const WardOwnership *now = ward_tpm_get_ownership (tpm);
  gboolean is_anew, is_other;

  if (!tells_what_it_has (tpm) || !now)
    {
      sight->is_ready = FALSE;
      return;
    }
  is_anew = has_begun_anew (sight, now);
  /* what cannot be reached, or was off, may come back as another one */
  is_other = is_anew || !sight->is_ready || now->reset_count != sight->reset_count
             || !g_str_equal (sight->srk_name, now->srk_name);
  g_strlcpy (sight->srk_name, now->srk_name, sizeof sight->srk_name);
  sight->reset_count = now->reset_count;
  sight->clock = now->clock;
  sight->owner_auth_set = now->owner_auth_set;
  sight->is_seen = TRUE;
  sight->is_ready = TRUE;
  sight->change_noticed_at = 0;
  ward_tpm_get_change (tpm, &sight->change_noticed_at, NULL);
  if (is_anew)
    bury (sight);
  if (is_other)
    {
      g_clear_pointer (&sight->owner_name, g_free);
      sight->is_asked = FALSE;
    }
  tell (sight);
}

static void
on_tpm_added (WardInventory *inventory, WardTpm *tpm, WardFollower *follower)
{
  Sight *sight = g_rc_box_new0 (Sight);

  sight->keyring = follower->keyring;
  sight->tpm = g_object_ref (tpm);
  sight->dead = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  sight->handler = g_signal_connect (tpm, "changed", G_CALLBACK (on_tpm_changed), sight);
  g_hash_table_insert (follower->sights, tpm, sight);
  /* which may be another than the one that had its name before */
  ward_keyring_set_parents (follower->keyring, ward_tpm_get_name (tpm), NULL);
  on_tpm_changed (tpm, sight);
}

/* What was seen of it stays true. */
static void
on_tpm_removed (WardInventory *inventory, WardTpm *tpm, WardFollower *follower)
{
  g_hash_table_remove (follower->sights, tpm);
}

void
ward_keyring_follow (WardKeyring *keyring, WardInventory *inventory)
{
  WardFollower *follower = g_new0 (WardFollower, 1);
  const GPtrArray *tpms = ward_inventory_get_tpms (inventory);

  follower->keyring = keyring;
  follower->inventory = g_object_ref (inventory);
  follower->sights = g_hash_table_new_full (NULL, NULL, NULL, sight_end);
  keyring->follower = follower;
  g_signal_connect (inventory, "added", G_CALLBACK (on_tpm_added), follower);
  g_signal_connect (inventory, "removed", G_CALLBACK (on_tpm_removed), follower);
  for (guint i = 0; i < tpms->len; i++)
    on_tpm_added (inventory, tpms->pdata[i], follower);
}

void
ward_follower_free (WardFollower *follower)
{
  g_signal_handlers_disconnect_by_data (follower->inventory, follower);
  g_hash_table_unref (follower->sights);
  g_object_unref (follower->inventory);
  g_free (follower);
}

void
ward_follower_take_keys (WardFollower *follower)
{
  GHashTableIter iter;
  gpointer sight;

  g_hash_table_iter_init (&iter, follower->sights);
  while (g_hash_table_iter_next (&iter, NULL, &sight))
    if (((Sight *)sight)->is_ready)
      tell (sight);
}

void
ward_follower_take_key (WardFollower *follower, const WardKey *key)
{
  GHashTableIter iter;
  gpointer tpm, sight;

  g_hash_table_iter_init (&iter, follower->sights);
  while (g_hash_table_iter_next (&iter, &tpm, &sight))
    {
      if (!g_str_equal (ward_tpm_get_name (tpm), key->tpm) || !((Sight *)sight)->is_ready)
        continue;
      /* a storage root key that the last look has not shown */
      if (key->parent != WARD_OWNER_PARENT)
        ward_tpm_refresh_async (tpm, NULL, NULL, NULL);
      else
        tell (sight);
    }
}
