/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-key.h"

/* Keys of one owner, in two orders. Looking for one takes a time that grows with the logarithm of their number. */
typedef struct
{
  GPtrArray *by_label; /* of WardKey: by the bytes of the label, which is by its characters' numbers in Unicode; those
                        * with the same label by id and parent_name */
  GPtrArray *by_id;    /* the same keys, by id and parent_name */
} WardKeySet;

WardKeySet *ward_key_set_new (void);
void ward_key_set_free (WardKeySet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardKeySet, ward_key_set_free)

/* Adds many at once. */
void ward_key_set_fill (WardKeySet *set, GPtrArray *keys);
void ward_key_set_add (WardKeySet *set, WardKey *key);
/* The very key, which must be in it. */
void ward_key_set_remove (WardKeySet *set, WardKey *key);

/* Where in by_label those with the label begin, and in by_id those with the id; or where they would. */
guint ward_key_set_find_label (const WardKeySet *set, const char *label);
guint ward_key_set_find_id (const WardKeySet *set, const char *id);
/* The key with this id beneath this parent, or NULL. */
WardKey *ward_key_set_get (const WardKeySet *set, const char *id, const char *parent_name);
