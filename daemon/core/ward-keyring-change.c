/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of keys. Those of one owner wait for each other: each is checked against the keys as they are when its turn
 * comes, written on another thread, and then made in memory. */
#include "ward-keyring-private.h"

#include "ward-error.h"

struct _WardReservation
{
  WardKeyring *keyring;
  WardOwner *owner;
  char *tpm;
  char *label;
};

typedef enum
{
  ADD,
  SET_LABEL,
  SET_COMMENT,
  SET_PRIVATE,
  REMOVE,
  PUT_USES,
} Kind;

typedef struct
{
  Kind kind;
  WardOwner *owner;
  GTask *task;  /* NULL for PUT_USES */
  WardKey *key; /* which is to be changed; NULL for PUT_USES */
  WardReservation *reservation;
  GBytes *private_half;
  gboolean has_auth;
  char *text;        /* the label, the comment or the uses */
  char *parent_name; /* of PUT_USES */
  WardKey *old;      /* the key as it is; of the owner's set; NULL for ADD */
  WardKey *next;     /* as it is to be; NULL for REMOVE */
} Change;

static void
change_free (Change *change)
{
  g_clear_object (&change->task);
  g_clear_pointer (&change->key, ward_key_unref);
  g_clear_pointer (&change->reservation, ward_reservation_free);
  g_clear_pointer (&change->private_half, g_bytes_unref);
  g_clear_pointer (&change->next, ward_key_unref);
  g_free (change->text);
  g_free (change->parent_name);
  g_free (change);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Change, change_free)

/* Whether no other key has the label, nor will have it. except: the key that may; or NULL. */
static gboolean
check_label (WardKeyring *keyring, WardOwner *owner, const char *tpm, const char *label, const WardKey *except,
             GError **error)
{
  const GPtrArray *keys = owner->keys->by_label;
  gboolean is_taken = FALSE;

  for (guint i = ward_key_set_find_label (owner->keys, label); i < keys->len && !is_taken; i++)
    {
      const WardKey *key = keys->pdata[i];

      if (!g_str_equal (key->label, label))
        break;
      is_taken = key != except && g_str_equal (ward_keyring_get_tpm (keyring, key), tpm);
    }
  for (const GList *link = owner->reservations.head; link && !is_taken; link = link->next)
    {
      const WardReservation *reservation = link->data;

      is_taken = g_str_equal (reservation->label, label) && g_str_equal (reservation->tpm, tpm);
    }
  if (!is_taken)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_EXISTS,
               "There is a key “%s” already, which may be one that cannot be used any more, or is being made. Choose "
               "another label, or rename or delete that key.",
               label);
  return FALSE;
}

WardReservation *
ward_keyring_reserve (WardKeyring *keyring, const char *tpm, guint32 uid, const char *label, GError **error)
{
  WardOwner *owner = ward_keyring_get_owner (keyring, uid);
  WardReservation *reservation;

  if (!ward_label_validate (label, error) || !ward_keyring_check (keyring, uid, error)
      || !check_label (keyring, owner, tpm, label, NULL, error))
    return NULL;
  if (owner->keys->by_id->len + owner->reservations.length >= WARD_MAX_KEYS)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NO_SPACE,
                   "There are %d keys, and more than that one user cannot have. Delete some that are not needed.",
                   WARD_MAX_KEYS);
      return NULL;
    }
  if (keyring->n_keys >= WARD_STORE_MAX_KEYS)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NO_SPACE,
                   "All users of this machine together have %u keys, and there is no room for more than %d. Delete "
                   "some that are not needed.",
                   keyring->n_keys, WARD_STORE_MAX_KEYS);
      return NULL;
    }
  if (uid != WARD_UID_SYSTEM && !owner->user_name)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                   "No key is made for the user with the id %u, as the system does not tell that user's name. Try "
                   "again when it does.",
                   uid);
      return NULL;
    }
  reservation = g_new (WardReservation, 1);
  reservation->keyring = g_object_ref (keyring);
  reservation->owner = owner;
  reservation->tpm = g_strdup (tpm);
  reservation->label = g_strdup (label);
  g_queue_push_tail (&owner->reservations, reservation);
  return reservation;
}

void
ward_reservation_free (WardReservation *reservation)
{
  g_queue_remove (&reservation->owner->reservations, reservation);
  g_object_unref (reservation->keyring);
  g_free (reservation->tpm);
  g_free (reservation->label);
  g_free (reservation);
}

static gboolean
prepare_add (WardKeyring *keyring, Change *change, GError **error)
{
  const WardReservation *reservation = change->reservation;
  const GPtrArray *keys = change->owner->keys->by_id;
  WardKey *key = change->key;

  for (guint i = ward_key_set_find_id (change->owner->keys, key->id); i < keys->len; i++)
    {
      const WardKey *other = keys->pdata[i];
      g_autofree char *name = NULL;

      if (!g_str_equal (other->id, key->id))
        break;
      if (!g_str_equal (ward_keyring_get_tpm (keyring, other), reservation->tpm)
          && !g_str_equal (other->parent_name, key->parent_name))
        continue;
      name = ward_key_to_string (other);
      g_set_error (error, WARD_ERROR, WARD_ERROR_EXISTS,
                   "This key is there already, as %s. Use that one; or delete it first, if it cannot be used any more.",
                   name);
      return FALSE;
    }
  change->next = ward_key_copy (key);
  g_free (change->next->label);
  change->next->label = g_strdup (reservation->label);
  g_free (change->next->tpm);
  change->next->tpm = g_strdup (reservation->tpm);
  g_free (change->next->user_name);
  change->next->user_name = g_strdup (change->owner->uid == WARD_UID_SYSTEM ? "" : change->owner->user_name);
  change->next->uid = change->owner->uid;
  change->next->created = g_get_real_time ();
  return TRUE;
}

static gboolean
prepare_label (WardKeyring *keyring, Change *change, GError **error)
{
  if (!ward_label_validate (change->text, error)
      || !check_label (keyring, change->owner, ward_keyring_get_tpm (keyring, change->old), change->text, change->old,
                       error))
    return FALSE;
  change->next = ward_key_copy (change->old);
  g_free (change->next->label);
  change->next->label = g_strdup (change->text);
  return TRUE;
}

static gboolean
prepare_comment (WardKeyring *keyring, Change *change, GError **error)
{
  if (!ward_comment_validate (change->text, error))
    return FALSE;
  change->next = ward_key_copy (change->old);
  g_free (change->next->comment);
  change->next->comment = g_strdup (change->text);
  return TRUE;
}

static gboolean
prepare_private (WardKeyring *keyring, Change *change, GError **error)
{
  if (!g_str_equal (change->old->digest, change->key->digest))
    {
      g_autofree char *name = ward_key_to_string (change->key);

      g_set_error (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                   "The authorization value of the key %s was changed by another call meanwhile, and is the one that "
                   "was given there. Try again with it as the old one.",
                   name);
      return FALSE;
    }
  change->next = ward_key_copy (change->old);
  change->next->has_auth = change->has_auth;
  return TRUE;
}

/* Checks the change against the keys as they are. */
static gboolean
prepare (WardKeyring *keyring, Change *change, GError **error)
{
  static gboolean (*const functions[]) (WardKeyring * keyring, Change * change, GError * *error) = {
    [ADD] = prepare_add,
    [SET_LABEL] = prepare_label,
    [SET_COMMENT] = prepare_comment,
    [SET_PRIVATE] = prepare_private,
  };

  if (change->kind == PUT_USES)
    {
      change->text = ward_store_print_uses (change->owner->keys->by_id, change->parent_name);
      return TRUE;
    }
  if (!ward_keyring_check (keyring, change->owner->uid, error))
    return FALSE;
  if (change->kind != ADD)
    change->old = ward_key_set_get (change->owner->keys, change->key->id, change->key->parent_name);
  if (change->kind != ADD && !change->old)
    {
      g_autofree char *name = ward_key_to_string (change->key);

      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND, "The key %s has been deleted meanwhile.", name);
      return FALSE;
    }
  if (change->kind != REMOVE && !functions[change->kind](keyring, change, error))
    return FALSE;
  if (change->private_half)
    {
      g_free (change->next->digest);
      change->next->digest = ward_store_get_digest (change->private_half);
    }
  return TRUE;
}

static void
write_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  WardStore *store = WARD_KEYRING (source)->store;
  const Change *change = data;
  GError *error = NULL;
  gboolean done;

  if (change->kind == PUT_USES)
    done = ward_store_put_uses (store, change->parent_name, change->owner->uid, change->text, &error);
  else if (change->kind == REMOVE)
    done = ward_store_remove (store, change->old, &error);
  else
    done = ward_store_put (store, change->next, change->private_half, &error);
  if (done)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* What the chip has just made a key beneath is in it, whatever was known of that. */
static void
learn_parent (WardKeyring *keyring, const WardKey *key)
{
  if (!g_hash_table_contains (keyring->told, key->tpm) || g_hash_table_contains (keyring->parents, key->parent_name))
    return;
  g_hash_table_insert (keyring->parents, g_strdup (key->parent_name), g_strdup (key->tpm));
  if (keyring->follower)
    ward_follower_take_key (keyring->follower, key);
}

/* In memory, once it is on the disk; the key that the caller gets. */
static WardKey *
apply (WardKeyring *keyring, Change *change)
{
  WardKeySet *keys = change->owner->keys;
  WardKey *result = ward_key_ref (change->next ? change->next : change->old);

  if (change->old && change->next)
    {
      change->next->uses = change->old->uses;
      change->next->last_used = change->old->last_used;
    }
  if (change->old && (!change->next || change->private_half))
    ward_keyring_forget_damage (keyring, change->old);
  if (change->old)
    ward_key_set_remove (keys, change->old);
  if (change->next)
    ward_key_set_add (keys, change->next);
  if (change->kind == ADD && change->next)
    learn_parent (keyring, change->next);
  keyring->n_keys += (change->next != NULL) - (change->old != NULL);
  /* the key itself has the label now */
  g_clear_pointer (&change->reservation, ward_reservation_free);
  ward_keyring_emit_changed (keyring, change->owner->uid);
  return result;
}

/* Whoever hears of it may try again with the same label. */
static void
fail (Change *change, GError *error)
{
  g_clear_pointer (&change->reservation, ward_reservation_free);
  g_task_return_error (change->task, error);
}

static void go_on (WardKeyring *keyring, WardOwner *owner);

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardKeyring *keyring = WARD_KEYRING (source);
  g_autoptr (Change) change = user_data;
  WardOwner *owner = change->owner;
  g_autoptr (GError) error = NULL;
  gboolean done = g_task_propagate_boolean (G_TASK (result), &error);

  if (!change->task && !done)
    g_warning ("How often keys were used is not written down: %s", error->message);
  else if (change->task && !done)
    fail (change, g_steal_pointer (&error));
  else if (change->task)
    g_task_return_pointer (change->task, apply (keyring, change), (GDestroyNotify)ward_key_unref);
  owner->is_busy = FALSE;
  go_on (keyring, owner);
}

/* Begins with the next change of the owner's keys. */
static void
go_on (WardKeyring *keyring, WardOwner *owner)
{
  Change *change;

  while (!owner->is_busy && (change = g_queue_pop_head (&owner->changes)) != NULL)
    {
      GError *error = NULL;

      if (prepare (keyring, change, &error))
        {
          g_autoptr (GTask) task = g_task_new (keyring, NULL, on_written, change);

          owner->is_busy = TRUE;
          g_task_set_task_data (task, change, NULL);
          g_task_run_in_thread (task, write_in_thread);
        }
      else
        {
          fail (change, error);
          change_free (change);
        }
    }
}

/* key: referred to; its owner's, unless a reservation says whose it will be. */
static Change *
change_new (WardKeyring *keyring, Kind kind, WardKey *key, WardReservation *reservation, GAsyncReadyCallback callback,
            gpointer user_data)
{
  Change *change = g_new0 (Change, 1);

  change->kind = kind;
  change->key = ward_key_ref (key);
  change->reservation = reservation;
  change->owner = reservation ? reservation->owner : ward_keyring_get_owner (keyring, key->uid);
  change->task = g_task_new (keyring, NULL, callback, user_data);
  return change;
}

/* change: taken over. */
static void
push (WardKeyring *keyring, Change *change)
{
  g_queue_push_tail (&change->owner->changes, change);
  go_on (keyring, change->owner);
}

void
ward_keyring_add_async (WardKeyring *keyring, WardReservation *reservation, WardKey *key, GBytes *private_half,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  Change *change = change_new (keyring, ADD, key, reservation, callback, user_data);

  change->private_half = g_bytes_ref (private_half);
  push (keyring, change);
}

void
ward_keyring_set_label_async (WardKeyring *keyring, WardKey *key, const char *label, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  Change *change = change_new (keyring, SET_LABEL, key, NULL, callback, user_data);

  change->text = g_strdup (label);
  push (keyring, change);
}

void
ward_keyring_set_comment_async (WardKeyring *keyring, WardKey *key, const char *comment, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  Change *change = change_new (keyring, SET_COMMENT, key, NULL, callback, user_data);

  change->text = g_strdup (comment);
  push (keyring, change);
}

void
ward_keyring_set_private_async (WardKeyring *keyring, WardKey *key, GBytes *private_half, gboolean has_auth,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  Change *change = change_new (keyring, SET_PRIVATE, key, NULL, callback, user_data);

  change->private_half = g_bytes_ref (private_half);
  change->has_auth = has_auth;
  push (keyring, change);
}

void
ward_keyring_remove_async (WardKeyring *keyring, WardKey *key, GAsyncReadyCallback callback, gpointer user_data)
{
  push (keyring, change_new (keyring, REMOVE, key, NULL, callback, user_data));
}

void
ward_keyring_put_uses (WardKeyring *keyring, WardOwner *owner, const char *parent_name)
{
  Change *change = g_new0 (Change, 1);

  change->kind = PUT_USES;
  change->owner = owner;
  change->parent_name = g_strdup (parent_name);
  push (keyring, change);
}

WardKey *
ward_keyring_change_finish (WardKeyring *keyring, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
