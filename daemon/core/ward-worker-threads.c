/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-worker-threads.h"

static GMutex lock;
static GCond changed;
static guint n_running;
/* To be joined: such a thread has yet to let go of what libraries keep for it. */
static GSList *ended;

static void
join_ended (void)
{
  g_autoptr (GSList) threads = NULL;

  g_mutex_lock (&lock);
  threads = g_steal_pointer (&ended);
  g_mutex_unlock (&lock);
  for (GSList *thread = threads; thread; thread = thread->next)
    g_thread_join (thread->data);
}

void
ward_worker_thread_start (const char *name, GThreadFunc func, gpointer data)
{
  join_ended ();
  g_mutex_lock (&lock);
  n_running++;
  g_mutex_unlock (&lock);
  g_thread_unref (g_thread_new (name, func, data));
}

void
ward_worker_thread_end (void)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  n_running--;
  ended = g_slist_prepend (ended, g_thread_ref (g_thread_self ()));
  g_cond_broadcast (&changed);
}

gboolean
ward_worker_wait_all (gint64 timeout)
{
  gint64 deadline = g_get_monotonic_time () + timeout;
  gboolean all;

  g_mutex_lock (&lock);
  while (n_running > 0 && g_cond_wait_until (&changed, &lock, deadline))
    ;
  all = n_running == 0;
  g_mutex_unlock (&lock);
  join_ended ();
  return all;
}
