/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-keyring.h"

/* Keys as they are at one moment, so that they can be described on any thread. */
typedef struct _WardKeyRows WardKeyRows;

/* keys: of WardKey; taken over. */
WardKeyRows *ward_key_rows_new (WardKeyring *keyring, GPtrArray *keys);
void ward_key_rows_free (WardKeyRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardKeyRows, ward_key_rows_free)

guint ward_key_rows_get_length (const WardKeyRows *rows);
/* Bytes that the printed keys have at the least. On any thread. */
gsize ward_key_rows_measure (const WardKeyRows *rows);

/* Each as the method Describe tells it: a new floating aa{sv}. */
GVariant *ward_key_rows_print (const WardKeyRows *rows);

/* Adds whose key it is to an a{sv}: “scope” and “uid”. */
void ward_key_print_owner (GVariantBuilder *builder, const WardKey *key);
