/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-store.h"
#include "ward-store-folder.h"

#define WARD_STORE_META ".meta"
#define WARD_STORE_PRIVATE ".pem"
#define WARD_STORE_NEW ".new"
#define WARD_STORE_GONE ".gone"
#define WARD_STORE_SYSTEM "system"
#define WARD_STORE_USES "uses"

struct _WardStore
{
  char *state_dir;
  GMutex uses_lock; /* at the end, two threads may write that file */
  int lock;         /* of the state_dir: who holds its lock has the store; -1 before the load */
};

/* The folder's name for an owner. Freed by the caller. */
char *ward_store_owner_to_name (guint32 uid);

/* The private half in the key's file of that suffix. WARD_ERROR_CORRUPT, whose message is the reason alone, for what is
 * not the key's. */
GBytes *ward_store_read_private (int folder, const WardKey *key, const char *suffix, GError **error);

/* The end of a put: ID.pem.new becomes ID.pem. What cannot be done now is done by the next load. */
void ward_store_end_put (int folder, const char *id);
/* The end of a remove: ID.meta.gone, and all others. Likewise. */
void ward_store_end_remove (int folder, const char *id);
