/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Bytes that nobody else shall see: an auth value, a passphrase, a key. They lie in memory of their own that is not
 * swapped out as far as the process may lock memory, is in no core dump, and is wiped when the last reference goes. May
 * be passed between threads; not changed once it is filled. */
typedef struct _WardSecret WardSecret;

/* size bytes of zero, to be filled through ward_secret_get_data () before it is shared. */
WardSecret *ward_secret_new (gsize size);
WardSecret *ward_secret_new_from (gconstpointer data, gsize size);
WardSecret *ward_secret_ref (WardSecret *secret);
void ward_secret_unref (WardSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardSecret, ward_secret_unref)

/* The secret's own bytes; never NULL. */
guint8 *ward_secret_get_data (WardSecret *secret);
gsize ward_secret_get_size (WardSecret *secret);
