/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

double
bench_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a;
  double y = *(const double *)b;

  return (x > y) - (x < y);
}

void
bench_print (const char *name, double *times, guint count)
{
  qsort (times, count, sizeof times[0], compare_doubles);
  g_print ("%s\t%.1f\t%.1f\t%.1f\t%u\n", name, times[count / 2], times[count * 95 / 100], times[0], count);
}

void
bench_print_one (const char *name, double time)
{
  bench_print (name, &time, 1);
}

gboolean
bench_measure (const char *name, guint count, BenchStep step, gpointer context, GError **error)
{
  g_autofree double *times = g_new (double, count);

  for (guint i = 0; i < count / 10 + 2; i++)
    if (!step (context, error))
      return FALSE;
  for (guint i = 0; i < count; i++)
    {
      double start = bench_now ();

      if (!step (context, error))
        return FALSE;
      times[i] = bench_now () - start;
    }
  bench_print (name, times, count);
  return TRUE;
}

/* Callers wait for each other, so that none is measured while it is alone. */
typedef struct
{
  GMutex mutex;
  GCond changed;
  guint ready;
} Gate;

typedef struct
{
  BenchStep step;
  gpointer context;
  Gate *gate;
  double *times; /* of count calls */
  guint count;
  double start, end;
  GError *error;
} Caller;

static void
wait_for_all (Gate *gate)
{
  g_mutex_lock (&gate->mutex);
  gate->ready++;
  g_cond_broadcast (&gate->changed);
  while (gate->ready < BENCH_CALLERS)
    g_cond_wait (&gate->changed, &gate->mutex);
  g_mutex_unlock (&gate->mutex);
}

static gpointer
run_caller (gpointer data)
{
  Caller *caller = data;

  caller->step (caller->context, &caller->error);
  wait_for_all (caller->gate);
  caller->start = bench_now ();
  for (guint i = 0; i < caller->count && caller->error == NULL; i++)
    {
      double start = bench_now ();

      caller->step (caller->context, &caller->error);
      caller->times[i] = bench_now () - start;
    }
  caller->end = bench_now ();
  return NULL;
}

static double
mean_of (const double *times, guint count)
{
  double sum = 0;

  for (guint i = 0; i < count; i++)
    sum += times[i];
  return sum / count;
}

static void
print_callers (const char *name, const Caller *callers, double *times, guint count)
{
  g_autofree char *turn = g_strconcat (name, "-turn", NULL);
  g_autofree char *wait = g_strconcat (name, "-wait", NULL);
  g_autofree char *longest = g_strconcat (name, "-longest", NULL);
  g_autofree char *slowest = g_strconcat (name, "-slowest", NULL);
  guint total = BENCH_CALLERS * count;
  double start = callers[0].start, end = callers[0].end, most = 0;

  for (guint i = 0; i < BENCH_CALLERS; i++)
    {
      start = MIN (start, callers[i].start);
      end = MAX (end, callers[i].end);
      most = MAX (most, mean_of (callers[i].times, count));
    }
  bench_print_one (turn, (end - start) / total);
  bench_print_one (wait, mean_of (times, total));
  bench_print_one (slowest, most);
  qsort (times, total, sizeof times[0], compare_doubles);
  bench_print_one (longest, times[total - 1]);
}

gboolean
bench_measure_callers (const char *name, guint count, BenchStep step, gpointer *contexts, GError **error)
{
  g_autofree double *times = g_new0 (double, BENCH_CALLERS *count);
  GThread *threads[BENCH_CALLERS];
  Caller callers[BENCH_CALLERS];
  GError *first = NULL;
  Gate gate = { .ready = 0 };

  for (guint i = 0; i < BENCH_CALLERS; i++)
    {
      callers[i] = (Caller){
        .step = step, .context = contexts[i], .gate = &gate, .times = times + i * count, .count = count
      };
      threads[i] = g_thread_new ("caller", run_caller, &callers[i]);
    }
  for (guint i = 0; i < BENCH_CALLERS; i++)
    {
      g_thread_join (threads[i]);
      if (first == NULL)
        first = g_steal_pointer (&callers[i].error);
      g_clear_error (&callers[i].error);
    }
  if (first != NULL)
    {
      g_propagate_error (error, first);
      return FALSE;
    }
  print_callers (name, callers, times, count);
  return TRUE;
}
