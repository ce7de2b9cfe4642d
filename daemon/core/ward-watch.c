/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-watch.h"

/* A source whose ready time any thread may set; G_MAXINT64 stands for never. */
struct _WardWatch
{
  GSource source;

  WardWatchFunc func;
  gpointer user_data;

  /* by lock; in microseconds of the monotonic clock */
  GMutex lock;
  gint64 deadline; /* of the work; never when there is none */
  gint64 ready;    /* when the source will be; at or before the deadline */
  gint64 patience;
  gint64 since; /* in microseconds of CLOCK_REALTIME */
  gboolean overdue;
};

static void
set_ready (WardWatch *watch, gint64 ready)
{
  watch->ready = ready;
  g_source_set_ready_time (&watch->source, ready == G_MAXINT64 ? -1 : ready);
}

/* The work for which the timer was set may have ended long ago, and other work begun since. */
static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  WardWatch *watch = (WardWatch *)source;
  gboolean overdue;
  gint64 since;
  gint64 patience;

  g_mutex_lock (&watch->lock);
  overdue = watch->deadline <= g_get_monotonic_time ();
  if (overdue)
    {
      watch->overdue = TRUE;
      watch->deadline = G_MAXINT64;
    }
  set_ready (watch, watch->deadline);
  since = watch->since;
  patience = watch->patience;
  g_mutex_unlock (&watch->lock);

  if (overdue)
    watch->func (since, patience, watch->user_data);
  return G_SOURCE_CONTINUE;
}

static void
finalize (GSource *source)
{
  g_mutex_clear (&((WardWatch *)source)->lock);
}

WardWatch *
ward_watch_new (WardWatchFunc func, gpointer user_data)
{
  static GSourceFuncs funcs = { .dispatch = dispatch, .finalize = finalize };
  WardWatch *watch = (WardWatch *)g_source_new (&funcs, sizeof (WardWatch));

  watch->func = func;
  watch->user_data = user_data;
  g_mutex_init (&watch->lock);
  watch->deadline = watch->ready = G_MAXINT64;
  g_source_set_static_name (&watch->source, "watch");
  g_source_attach (&watch->source, NULL);
  return watch;
}

void
ward_watch_stop (WardWatch *watch)
{
  g_source_destroy (&watch->source);
}

void
ward_watch_free (WardWatch *watch)
{
  g_source_unref (&watch->source);
}

void
ward_watch_begin (WardWatch *watch, gint64 patience)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->lock);

  watch->deadline = patience ? g_get_monotonic_time () + patience : G_MAXINT64;
  watch->patience = patience;
  watch->since = g_get_real_time ();
  watch->overdue = FALSE;
  if (watch->deadline < watch->ready)
    set_ready (watch, watch->deadline);
}

gboolean
ward_watch_end (WardWatch *watch)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->lock);
  gboolean overdue = watch->overdue;

  watch->deadline = G_MAXINT64;
  watch->overdue = FALSE;
  return overdue;
}

gboolean
ward_watch_is_overdue (WardWatch *watch)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->lock);

  return watch->overdue;
}
