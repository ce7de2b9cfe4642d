/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-store.h"

/* The keys of all users and of the machine, in memory, above the store. Lives on the main thread and never waits for
 * the disk there: what is asked is answered from memory, and a change is told of as done once it is on the disk.
 * Changes of one owner's keys are made in the order in which they are asked for, those of different owners side by
 * side.
 *
 * An owner is a uid, or WARD_UID_SYSTEM. Of a TPM, by its name as “tpm0”, are the keys beneath its parents, and those
 * of no TPM's parent that were made when a TPM had that name.
 *
 * Before anything else is asked about an owner, the keyring must be ready for that one: ward_keyring_prepare_async ().
 *
 * Signal: "changed" (guint uid), when keys of that owner have come, gone or changed, or may be usable now or not any
 * more; before the callback of the call that did it. */
#define WARD_TYPE_KEYRING (ward_keyring_get_type ())
G_DECLARE_FINAL_TYPE (WardKeyring, ward_keyring, WARD, KEYRING, GObject)

/* The name of the user with a uid, "" if there is none, freed by the caller; NULL with error when it cannot be found
 * out. Called on other threads. */
typedef char *(*WardUserNameFunc) (guint32 uid, GError **error);

/* Begins to load. get_user_name: NULL for the system's. */
WardKeyring *ward_keyring_new (const char *state_dir, WardUserNameFunc get_user_name);

/* Writes down how often keys were used, without waiting for a minute to pass. Blocks; for the end of the service. */
void ward_keyring_save_uses (WardKeyring *keyring);

/* What lies in a TPM now, beneath which keys can be used: Names in hexadecimal digits, NULL-terminated. NULL when that
 * is not known: then keys are not told to be unusable. */
void ward_keyring_set_parents (WardKeyring *keyring, const char *tpm, const char *const *parent_names);

/* Loaded, and the owner's user name known and not older than a minute. */
gboolean ward_keyring_is_ready (WardKeyring *keyring, guint32 uid);
void ward_keyring_prepare_async (WardKeyring *keyring, guint32 uid, GAsyncReadyCallback callback, gpointer user_data);
/* Those that follow fail as it does: WARD_ERROR_FAILED when there is no store, WARD_ERROR_NOT_SUPPORTED for owners who
 * have no keys (ward_key_check_uid ()). */
gboolean ward_keyring_prepare_finish (WardKeyring *keyring, GAsyncResult *result, GError **error);

/* Of WardKey, sorted by label, by the numbers of its characters in Unicode. Freed by the caller. */
GPtrArray *ward_keyring_list (WardKeyring *keyring, const char *tpm, guint32 uid, GError **error);
/* Everybody's: sorted by owner, the system's last, and then by label. */
GPtrArray *ward_keyring_list_all (WardKeyring *keyring, const char *tpm, GError **error);
/* The key with an id or label. WARD_ERROR_NOT_FOUND. A reference for the caller. */
WardKey *ward_keyring_find (WardKeyring *keyring, const char *tpm, guint32 uid, const char *id_or_label,
                            GError **error);
/* Whether the key can be used, by what is known without asking the chip. WARD_ERROR_CORRUPT when it was made by another
 * TPM or before a clear, or its private half is damaged; WARD_ERROR_NOT_AUTHORIZED when its uid has passed to another
 * user; WARD_ERROR_FAILED when that cannot be found out. */
gboolean ward_keyring_check_usable (WardKeyring *keyring, const WardKey *key, GError **error);

/* Whether the key lies beneath what is in its TPM now, or that is not known. */
gboolean ward_keyring_is_in_tpm (WardKeyring *keyring, const WardKey *key);

/* The name of the TPM that the key is of, which need not be here. Valid until ward_keyring_set_parents (). */
const char *ward_keyring_get_tpm (WardKeyring *keyring, const WardKey *key);

/* What in the store is damaged: of WardDamage, owned by the keyring. */
const GPtrArray *ward_keyring_get_damages (WardKeyring *keyring);

/* A place for a key that is being made: its label is taken, and it is counted. */
typedef struct _WardReservation WardReservation;

/* WARD_ERROR_INVALID_ARGUMENT for a label that cannot be one, WARD_ERROR_EXISTS when another key of the owner's in this
 * TPM has it, WARD_ERROR_NO_SPACE when there are too many keys, WARD_ERROR_FAILED when the owner's user name cannot be
 * found out. */
WardReservation *ward_keyring_reserve (WardKeyring *keyring, const char *tpm, guint32 uid, const char *label,
                                       GError **error);
void ward_reservation_free (WardReservation *reservation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardReservation, ward_reservation_free)

/* Keeps a key that was made. reservation: taken over; its label, owner and TPM become the key's, and so do the owner's
 * user name, the time and the digest; the rest of the key is filled by the caller, who leaves it alone then.
 * WARD_ERROR_EXISTS when the owner has the same key in this TPM already. */
void ward_keyring_add_async (WardKeyring *keyring, WardReservation *reservation, WardKey *key, GBytes *private_half,
                             GAsyncReadyCallback callback, gpointer user_data);
/* As by ward_keyring_reserve (). */
void ward_keyring_set_label_async (WardKeyring *keyring, WardKey *key, const char *label, GAsyncReadyCallback callback,
                                   gpointer user_data);
void ward_keyring_set_comment_async (WardKeyring *keyring, WardKey *key, const char *comment,
                                     GAsyncReadyCallback callback, gpointer user_data);
/* Another private half of the same key, after a change of its auth value. WARD_ERROR_AUTHENTICATION_FAILED when it was
 * replaced by another one meanwhile. */
void ward_keyring_set_private_async (WardKeyring *keyring, WardKey *key, GBytes *private_half, gboolean has_auth,
                                     GAsyncReadyCallback callback, gpointer user_data);
void ward_keyring_remove_async (WardKeyring *keyring, WardKey *key, GAsyncReadyCallback callback, gpointer user_data);
/* Of all these: the key as it is now, or was when it was removed; a reference for the caller. WARD_ERROR_NO_SPACE when
 * the disk is full; WARD_ERROR_NOT_FOUND when the key has been removed meanwhile. What failed has changed nothing. */
WardKey *ward_keyring_change_finish (WardKeyring *keyring, GAsyncResult *result, GError **error);

/* The private half, from the disk; as it is now, where a change of it is under way. WARD_ERROR_CORRUPT when it is
 * damaged, which is then among the damages; WARD_ERROR_NOT_FOUND as above. */
void ward_keyring_read_async (WardKeyring *keyring, WardKey *key, GAsyncReadyCallback callback, gpointer user_data);
GBytes *ward_keyring_read_finish (WardKeyring *keyring, GAsyncResult *result, GError **error);

/* The key as a TPM loads it, its PCRs with it. The 256 keys used last are in memory: of others peek returns NULL. For
 * the caller to free. */
WardWrappedKey *ward_keyring_peek (WardKeyring *keyring, const WardKey *key);
/* The same of any key, from the disk where it must be. Fails as ward_keyring_read_finish (). */
void ward_keyring_open_async (WardKeyring *keyring, WardKey *key, GAsyncReadyCallback callback, gpointer user_data);
WardWrappedKey *ward_keyring_open_finish (WardKeyring *keyring, GAsyncResult *result, GError **error);

/* Counts a use of the key, now. Written down within a minute. */
void ward_keyring_note_use (WardKeyring *keyring, const WardKey *key);
