/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* In what order the helper does what it is called for, with acts of the test's own that count and can be held up. */
#include "ward-error.h"
#include "ward-helper-dbus.h"
#include "ward-turns.h"

typedef struct
{
  GMutex lock;
  GCond changed;
  guint n_begun, n_running, max_running;
  gboolean is_held; /* acts wait in their middle */
  gboolean fails;
} Stage;

static Stage stage;

static GVariant *
act (GVariant *parameters, GError **error)
{
  guint number;

  g_mutex_lock (&stage.lock);
  number = ++stage.n_begun;
  stage.n_running++;
  stage.max_running = MAX (stage.max_running, stage.n_running);
  g_cond_broadcast (&stage.changed);
  while (stage.is_held)
    g_cond_wait (&stage.changed, &stage.lock);
  stage.n_running--;
  g_mutex_unlock (&stage.lock);

  if (!stage.fails)
    return g_variant_new ("(u)", number);
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED, "It fails.");
  return NULL;
}

static const WardAct remembered = { "Remembered", WARD_TURN_SCAN, 600 * G_USEC_PER_SEC, act };
static const WardAct forgotten = { "Forgotten", WARD_TURN_SCAN, 1, act };
static const WardAct plain = { "Plain", WARD_TURN_SCAN, 0, act };
static const WardAct other = { "Other", WARD_TURN_ACCESS, 0, act };

typedef struct
{
  WardTurns *turns;
  GPtrArray *results; /* in the order in which they came */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer user_data)
{
  fixture->turns = ward_turns_new ();
  fixture->results = g_ptr_array_new_with_free_func (g_object_unref);
  stage.n_begun = stage.n_running = stage.max_running = 0;
  stage.is_held = stage.fails = FALSE;
}

static void
tear_down (Fixture *fixture, gconstpointer user_data)
{
  g_ptr_array_unref (fixture->results);
  ward_turns_free (fixture->turns);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_ptr_array_add (fixture->results, g_object_ref (result));
}

static void
ask (Fixture *fixture, const WardAct *asked)
{
  ward_turns_take_async (fixture->turns, asked, g_variant_new ("()"), on_done, fixture);
}

static void
await (Fixture *fixture, guint n_results)
{
  while (fixture->results->len < n_results)
    g_main_context_iteration (NULL, TRUE);
}

/* What the result at the index returned: the number of the act that was done for it. */
static guint
number (Fixture *fixture, guint index)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) returned = ward_turns_take_finish (fixture->results->pdata[index], &error);
  guint value;

  g_assert_no_error (error);
  g_variant_get (returned, "(u)", &value);
  return value;
}

static void
await_begun (guint n_begun)
{
  g_mutex_lock (&stage.lock);
  while (stage.n_begun < n_begun)
    g_cond_wait (&stage.changed, &stage.lock);
  g_mutex_unlock (&stage.lock);
}

static void
set_held (gboolean is_held)
{
  g_mutex_lock (&stage.lock);
  stage.is_held = is_held;
  g_cond_broadcast (&stage.changed);
  g_mutex_unlock (&stage.lock);
}

static void
test_one_after_the_other (Fixture *fixture, gconstpointer user_data)
{
  for (guint i = 0; i < 5; i++)
    ask (fixture, &plain);
  await (fixture, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (number (fixture, i), ==, i + 1);
  g_assert_cmpuint (stage.max_running, ==, 1);
}

static void
test_another_turn_does_not_wait (Fixture *fixture, gconstpointer user_data)
{
  set_held (TRUE);
  ask (fixture, &plain);
  await_begun (1);
  ask (fixture, &other);
  await_begun (2); /* while the first is under way */
  set_held (FALSE);
  await (fixture, 2);
  g_assert_cmpuint (stage.max_running, ==, 2);
}

static void
test_those_who_wait_share_what_is_remembered (Fixture *fixture, gconstpointer user_data)
{
  set_held (TRUE);
  for (guint i = 0; i < 3; i++)
    ask (fixture, &remembered);
  await_begun (1);
  set_held (FALSE);
  await (fixture, 3);
  ask (fixture, &remembered);
  await (fixture, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (number (fixture, i), ==, 1);
  g_assert_cmpuint (stage.n_begun, ==, 1);
}

static void
test_memory_ends (Fixture *fixture, gconstpointer user_data)
{
  gint64 end;

  ask (fixture, &forgotten);
  await (fixture, 1);
  end = g_get_monotonic_time () + 2;
  while (g_get_monotonic_time () < end)
    ;
  ask (fixture, &forgotten);
  await (fixture, 2);
  g_assert_cmpuint (number (fixture, 1), ==, 2);
}

static void
test_an_act_does_not_get_what_another_remembers (Fixture *fixture, gconstpointer user_data)
{
  ask (fixture, &remembered);
  ask (fixture, &plain);
  await (fixture, 2);
  g_assert_cmpuint (number (fixture, 1), ==, 2);
}

static void
test_errors_are_told_and_not_remembered (Fixture *fixture, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  stage.fails = TRUE;
  ask (fixture, &remembered);
  await (fixture, 1);
  g_assert_null (ward_turns_take_finish (fixture->results->pdata[0], &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  stage.fails = FALSE;
  ask (fixture, &remembered);
  await (fixture, 2);
  g_assert_cmpuint (number (fixture, 1), ==, 2);
}

static void
test_each_method_has_an_act (Fixture *fixture, gconstpointer user_data)
{
  GDBusMethodInfo **methods = ward_dbus_helper_interface_info ()->methods;

  for (guint i = 0; methods[i]; i++)
    g_assert_nonnull (ward_act_find (methods[i]->name));
  g_assert_null (ward_act_find ("Reboot"));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer user_data);
  } tests[] = {
    { "/helper-turns/one-after-the-other", test_one_after_the_other },
    { "/helper-turns/another-turn", test_another_turn_does_not_wait },
    { "/helper-turns/shared", test_those_who_wait_share_what_is_remembered },
    { "/helper-turns/memory-ends", test_memory_ends },
    { "/helper-turns/not-anothers", test_an_act_does_not_get_what_another_remembers },
    { "/helper-turns/errors", test_errors_are_told_and_not_remembered },
    { "/helper-turns/each-method", test_each_method_has_an_act },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
