/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Notices that work on another thread takes longer than it may. Costs the main thread nothing while all is well: it has
 * one timer, which is set when work begins and left alone when it ends. */
typedef struct _WardWatch WardWatch;

/* Called on the main thread, once for work that is overdue. since: when it was begun, in microseconds of
 * CLOCK_REALTIME. patience: what it was given. */
typedef void (*WardWatchFunc) (gint64 since, gint64 patience, gpointer user_data);

WardWatch *ward_watch_new (WardWatchFunc func, gpointer user_data);

/* On the main thread: func is not called any more. */
void ward_watch_stop (WardWatch *watch);
/* On any thread, after the stop. */
void ward_watch_free (WardWatch *watch);

/* On any thread: work begins, which may take so many microseconds; 0: any time. */
void ward_watch_begin (WardWatch *watch, gint64 patience);
/* It has ended. Returns whether it was overdue, and func was called or is just being. */
gboolean ward_watch_end (WardWatch *watch);

/* On the main thread: whether there is work that is overdue. */
gboolean ward_watch_is_overdue (WardWatch *watch);
