/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A queue in which callers take turns: first by uid, then by connection, so that neither a user with many connections
 * nor a connection with many calls keeps others waiting for more than one item of theirs. Items of one connection stay
 * in order. Owns no item. Not safe for threads: its user locks. */
typedef struct _WardQueue WardQueue;

WardQueue *ward_queue_new (void);
/* Frees an empty queue. */
void ward_queue_free (WardQueue *queue);

/* connection: the bus's unique name, copied. */
void ward_queue_push (WardQueue *queue, guint uid, const char *connection, gpointer item);

/* The item whose turn it is, or NULL when the queue is empty. */
gpointer ward_queue_pop (WardQueue *queue);

/* Takes the first item for which matches (item, data) holds out of the queue and returns it; NULL when there is none.
 */
gpointer ward_queue_take (WardQueue *queue, gboolean (*matches) (gpointer item, gpointer data), gpointer data);
