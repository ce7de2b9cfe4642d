/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-key.h"

/* Keys on disk: STATE_DIR/PARENT_NAME/UID/ID.pem, a wrapped private half as its makers write it, which is not looked
 * into here, and ID.meta, what is known of it. UID is “system” for the machine's keys.
 *
 * What a function has reported as done is on the disk. At whatever moment the service or the machine ends, the next
 * load finds each key as it was before a change or as it is after it, and leaves nothing half. For that a change goes
 * from one state to the next by the renaming of one file, the .meta:
 *
 *   put     ID.pem.new and ID.meta.new are written, ID.meta.new becomes ID.meta, ID.pem.new becomes ID.pem. A .pem.new
 *           is a key's private half if the .meta has its digest, else it is a leftover.
 *   remove  ID.meta becomes ID.meta.gone, then all of them go.
 *
 * Everything blocks. May be used on any thread, but not by two at a time for keys of one owner. Only one process has a
 * store at a time: ward_store_load () waits for the one before. */
typedef struct _WardStore WardStore;

/* The most bytes of a private half. */
#define WARD_MAX_PRIVATE_SIZE (16 * 1024)
/* The most keys of all owners that are loaded. */
#define WARD_STORE_MAX_KEYS 100000

/* A file or folder that is not as the service has left it. It is kept. */
typedef struct
{
  char *path;
  char *reason; /* “it is a symbolic link” */
  guint32 uid;  /* of whose keys it is; WARD_UID_SYSTEM also for what is nobody's */
  WardKey *key; /* which cannot be used for that, and is among the keys all the same; NULL: none */
} WardDamage;

/* key: referred to; or NULL. */
WardDamage *ward_damage_new (const char *path, const char *reason, guint32 uid, WardKey *key);
WardDamage *ward_damage_copy (const WardDamage *damage);
void ward_damage_free (WardDamage *damage);

typedef struct
{
  GPtrArray *keys;    /* of WardKey, in no order */
  GPtrArray *damages; /* of WardDamage */
} WardStoreContents;

void ward_store_contents_free (WardStoreContents *contents);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardStoreContents, ward_store_contents_free)

WardStore *ward_store_new (const char *state_dir);
void ward_store_free (WardStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardStore, ward_store_free)

/* All that is in the store, after what was half done has been cleaned. Comes before everything else. Fails with
 * WARD_ERROR_FAILED when there is no state_dir. */
WardStoreContents *ward_store_load (WardStore *store, GError **error);

/* The digest that a key with this private half has. Freed by the caller. */
char *ward_store_get_digest (GBytes *private_half);

/* Writes a key, new or in place of the one with its id. private_half: of key->digest; NULL to leave the one that is
 * there. Fails with WARD_ERROR_NO_SPACE or WARD_ERROR_FAILED, and has then changed nothing. */
gboolean ward_store_put (WardStore *store, const WardKey *key, GBytes *private_half, GError **error);
/* Likewise. */
gboolean ward_store_remove (WardStore *store, const WardKey *key, GError **error);
/* The private half. WARD_ERROR_CORRUPT when it is not what was put. */
GBytes *ward_store_read (WardStore *store, const WardKey *key, GError **error);

/* Says that the key cannot be used since its private half is damaged, for that reason: WARD_ERROR_CORRUPT. */
void ward_store_set_damage_error (GError **error, WardStore *store, const WardKey *key, const char *reason);

/* How often keys were used is kept in a file for each folder, which may be lost without harm: nothing else is written
 * when a key is used. The text for those of the keys that lie beneath the parent; freed by the caller. */
char *ward_store_print_uses (const GPtrArray *keys, const char *parent_name);
gboolean ward_store_put_uses (WardStore *store, const char *parent_name, guint32 uid, const char *text, GError **error);

/* STATE_DIR/PARENT_NAME/UID/ID and the suffix, for messages. Freed by the caller. */
char *ward_store_get_path (WardStore *store, const WardKey *key, const char *suffix);
