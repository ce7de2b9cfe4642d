/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-key-set.h"
#include "ward-keyring.h"

/* What is known of one owner. */
typedef struct
{
  guint32 uid;
  WardKeySet *keys;
  GQueue reservations; /* of WardReservation, which are not owned */
  GQueue changes;      /* of Change, that wait; see ward-keyring-change.c */
  gboolean is_busy;    /* a change is on its way to the disk */
  GHashTable *used;    /* the names of parents beneath which keys were used since that was written down */

  char *user_name;   /* NULL: not known */
  gint64 named_at;   /* monotonic; 0: never */
  gboolean is_asked; /* for the name */
  GQueue waiters;    /* of GTask: for the name */
} WardOwner;

/* See ward-keyring-tpms.c. */
typedef struct _WardFollower WardFollower;

struct _WardKeyring
{
  GObject parent;
  WardStore *store;
  WardUserNameFunc get_user_name;
  GHashTable *owners; /* uid → WardOwner */
  guint n_keys;
  GPtrArray *damages;     /* of WardDamage */
  GHashTable *damaged;    /* of WardDamage, by their key, which cannot be used */
  GHashTable *parents;    /* the Name of what lies in a TPM now → the TPM's name */
  GHashTable *told;       /* the names of the TPMs of which that is known */
  WardFollower *follower; /* who tells that, or NULL */

  gboolean is_loaded;
  GError *load_error;
  GQueue waiters; /* of GTask: for the load */

  guint uses_source; /* after which uses are written down, or 0 */

  GHashTable *open;  /* keys used lately, as they are loaded: see ward-keyring-open.c */
  GQueue open_order; /* of them, the one used last first */
};

/* Made when it is not there. */
WardOwner *ward_keyring_get_owner (WardKeyring *keyring, guint32 uid);

/* Whether the keys of this owner can be told of. */
gboolean ward_keyring_check (WardKeyring *keyring, guint32 uid, GError **error);

/* Writes down how often keys beneath the parent were used, when its turn comes. */
void ward_keyring_put_uses (WardKeyring *keyring, WardOwner *owner, const char *parent_name);

/* See ward-keyring-damage.c. */
void ward_keyring_init_damages (WardKeyring *keyring);
void ward_keyring_clear_damages (WardKeyring *keyring);
/* damage: taken over. FALSE when it is known already that its key is damaged. */
gboolean ward_keyring_add_damage (WardKeyring *keyring, WardDamage *damage);
/* The key's private half was removed, or replaced. */
void ward_keyring_forget_damage (WardKeyring *keyring, const WardKey *key);
gboolean ward_keyring_check_damage (WardKeyring *keyring, const WardKey *key, GError **error);

/* The table of keys used lately. */
GHashTable *ward_keyring_open_new (void);

void ward_follower_free (WardFollower *follower);
/* The keys have been loaded. */
void ward_follower_take_keys (WardFollower *follower);
/* A key has come that lies beneath what was not known to be in its TPM. */
void ward_follower_take_key (WardFollower *follower, const WardKey *key);

void ward_keyring_emit_changed (WardKeyring *keyring, guint32 uid);
