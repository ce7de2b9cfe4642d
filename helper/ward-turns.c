/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-turns.h"

typedef struct
{
  GQueue waiting; /* of GTask; the first is under way */
  const WardAct *remembered_act;
  GVariant *remembered; /* what that returned last, or NULL */
  gint64 time;          /* when; of the monotonic clock */
} Turn;

struct _WardTurns
{
  Turn turns[WARD_N_TURNS];
};

/* One that is asked for. */
typedef struct
{
  const WardAct *act;
  GVariant *parameters;
} Job;

static void
job_free (Job *job)
{
  g_variant_unref (job->parameters);
  g_free (job);
}

WardTurns *
ward_turns_new (void)
{
  WardTurns *turns = g_new0 (WardTurns, 1);

  for (guint i = 0; i < WARD_N_TURNS; i++)
    g_queue_init (&turns->turns[i].waiting);
  return turns;
}

void
ward_turns_free (WardTurns *turns)
{
  for (guint i = 0; i < WARD_N_TURNS; i++)
    g_clear_pointer (&turns->turns[i].remembered, g_variant_unref);
  g_free (turns);
}

static void
run (GTask *thread, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  const Job *job = task_data;
  GError *error = NULL;
  GVariant *returned = job->act->act (job->parameters, &error);

  if (returned)
    g_task_return_pointer (thread, g_variant_ref_sink (returned), (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (thread, error);
}

static GVariant *
recall (const Turn *turn, const WardAct *act)
{
  if (!turn->remembered || turn->remembered_act != act || g_get_monotonic_time () - turn->time > act->memory_usec)
    return NULL;
  return g_variant_ref (turn->remembered);
}

static void
remember (Turn *turn, const WardAct *act, GVariant *returned)
{
  if (act->memory_usec == 0)
    return;
  g_clear_pointer (&turn->remembered, g_variant_unref);
  turn->remembered = g_variant_ref (returned);
  turn->remembered_act = act;
  turn->time = g_get_monotonic_time ();
}

static void begin (Turn *turn);

static void
on_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Turn *turn = user_data;
  g_autoptr (GTask) task = g_queue_pop_head (&turn->waiting);
  const Job *job = g_task_get_task_data (task);
  GError *error = NULL;
  GVariant *returned = g_task_propagate_pointer (G_TASK (result), &error);

  if (returned)
    remember (turn, job->act, returned);
  begin (turn); /* before the reply, by which all may end */
  if (returned)
    g_task_return_pointer (task, returned, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

/* Has the next that waits done, if there is one. */
static void
begin (Turn *turn)
{
  GTask *task;

  while ((task = g_queue_peek_head (&turn->waiting)))
    {
      Job *job = g_task_get_task_data (task);
      GVariant *recalled = recall (turn, job->act);
      g_autoptr (GTask) thread = NULL;

      if (!recalled)
        {
          thread = g_task_new (NULL, NULL, on_run, turn);
          g_task_set_task_data (thread, job, NULL); /* the waiting task's, which outlives it */
          g_task_run_in_thread (thread, run);
          return;
        }
      g_queue_pop_head (&turn->waiting);
      g_task_return_pointer (task, recalled, (GDestroyNotify)g_variant_unref);
      g_object_unref (task);
    }
}

void
ward_turns_take_async (WardTurns *turns, const WardAct *act, GVariant *parameters, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Turn *turn = &turns->turns[act->turn];
  Job *job = g_new0 (Job, 1);

  job->act = act;
  job->parameters = g_variant_ref_sink (parameters);
  g_task_set_task_data (task, job, (GDestroyNotify)job_free);
  g_queue_push_tail (&turn->waiting, task);
  if (turn->waiting.length == 1)
    begin (turn);
}

GVariant *
ward_turns_take_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
