/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-queue.h"

static const char *
pop_all (WardQueue *queue)
{
  static char order[64];
  gsize n = 0;
  char *item;

  while ((item = ward_queue_pop (queue)))
    order[n++] = *item;
  order[n] = '\0';
  return order;
}

static void
test_one_connection_in_order (void)
{
  WardQueue *queue = ward_queue_new ();

  g_assert_null (ward_queue_pop (queue));
  for (const char *item = "abc"; *item; item++)
    ward_queue_push (queue, 1000, ":1.1", (gpointer)item);
  g_assert_cmpstr (pop_all (queue), ==, "abc");
  ward_queue_free (queue);
}

/* A flood from one user's connection lets another user's only call through after one item. */
static void
test_users_take_turns (void)
{
  WardQueue *queue = ward_queue_new ();

  for (const char *item = "aaaa"; *item; item++)
    ward_queue_push (queue, 1000, ":1.1", (gpointer)item);
  for (const char *item = "bb"; *item; item++)
    ward_queue_push (queue, 1001, ":1.2", (gpointer)item);
  g_assert_cmpstr (pop_all (queue), ==, "ababaa");
  ward_queue_free (queue);
}

/* Many connections are no advantage over another user, only among themselves. */
static void
test_connections_take_turns_within_a_user (void)
{
  WardQueue *queue = ward_queue_new ();

  for (const char *item = "aa"; *item; item++)
    ward_queue_push (queue, 1000, ":1.1", (gpointer)item);
  for (const char *item = "bb"; *item; item++)
    ward_queue_push (queue, 1000, ":1.2", (gpointer)item);
  for (const char *item = "zzzz"; *item; item++)
    ward_queue_push (queue, 1001, ":1.3", (gpointer)item);
  g_assert_cmpstr (pop_all (queue), ==, "azbzazbz");
  ward_queue_free (queue);
}

/* A user who comes while another's turn is on waits for one item at most. */
static void
test_latecomer_is_next (void)
{
  WardQueue *queue = ward_queue_new ();

  for (const char *item = "aaa"; *item; item++)
    ward_queue_push (queue, 1000, ":1.1", (gpointer)item);
  g_assert_nonnull (ward_queue_pop (queue));
  ward_queue_push (queue, 1001, ":1.2", (gpointer) "b");
  g_assert_cmpstr (pop_all (queue), ==, "aba");
  ward_queue_free (queue);
}

static gboolean
is_item (gpointer item, gpointer data)
{
  return item == data;
}

static void
test_take (void)
{
  WardQueue *queue = ward_queue_new ();
  static const char items[] = "abc";

  for (guint i = 0; i < 3; i++)
    ward_queue_push (queue, 1000 + i % 2, ":1.1", (gpointer)&items[i]);
  g_assert_true (ward_queue_take (queue, is_item, (gpointer)&items[1]) == &items[1]);
  g_assert_null (ward_queue_take (queue, is_item, (gpointer)&items[1]));
  g_assert_true (ward_queue_take (queue, is_item, (gpointer)&items[0]) == &items[0]);
  g_assert_cmpstr (pop_all (queue), ==, "c");
  ward_queue_free (queue);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/queue/one-connection-in-order", test_one_connection_in_order);
  g_test_add_func ("/queue/users-take-turns", test_users_take_turns);
  g_test_add_func ("/queue/connections-take-turns-within-a-user", test_connections_take_turns_within_a_user);
  g_test_add_func ("/queue/latecomer-is-next", test_latecomer_is_next);
  g_test_add_func ("/queue/take", test_take);
  return g_test_run ();
}
