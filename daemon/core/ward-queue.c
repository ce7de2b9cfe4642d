/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-queue.h"

/* What one connection has waiting. */
typedef struct
{
  char *connection;
  GQueue items;
} Line;

/* What one user has waiting: the connections in the order of their turns. */
typedef struct
{
  guint uid;
  GQueue lines;
} User;

struct _WardQueue
{
  GQueue users; /* in the order of their turns */
};

WardQueue *
ward_queue_new (void)
{
  return g_new0 (WardQueue, 1);
}

void
ward_queue_free (WardQueue *queue)
{
  g_return_if_fail (g_queue_is_empty (&queue->users));

  g_free (queue);
}

static User *
get_user (WardQueue *queue, guint uid)
{
  User *user;

  for (GList *l = queue->users.head; l; l = l->next)
    {
      user = l->data;
      if (user->uid == uid)
        return user;
    }

  user = g_new0 (User, 1);
  user->uid = uid;
  g_queue_push_tail (&queue->users, user);
  return user;
}

static Line *
get_line (User *user, const char *connection)
{
  Line *line;

  for (GList *l = user->lines.head; l; l = l->next)
    {
      line = l->data;
      if (g_str_equal (line->connection, connection))
        return line;
    }

  line = g_new0 (Line, 1);
  line->connection = g_strdup (connection);
  g_queue_push_tail (&user->lines, line);
  return line;
}

/* Frees the line if nothing is left in it; says whether it did. */
static gboolean
line_release (Line *line)
{
  if (!g_queue_is_empty (&line->items))
    return FALSE;

  g_free (line->connection);
  g_free (line);
  return TRUE;
}

static gboolean
user_release (User *user)
{
  if (!g_queue_is_empty (&user->lines))
    return FALSE;

  g_free (user);
  return TRUE;
}

void
ward_queue_push (WardQueue *queue, guint uid, const char *connection, gpointer item)
{
  g_queue_push_tail (&get_line (get_user (queue, uid), connection)->items, item);
}

gpointer
ward_queue_pop (WardQueue *queue)
{
  User *user = g_queue_pop_head (&queue->users);
  Line *line;
  gpointer item;

  if (!user)
    return NULL;

  line = g_queue_pop_head (&user->lines);
  item = g_queue_pop_head (&line->items);

  if (!line_release (line))
    g_queue_push_tail (&user->lines, line);
  if (!user_release (user))
    g_queue_push_tail (&queue->users, user);
  return item;
}

static gpointer
line_take (Line *line, gboolean (*matches) (gpointer item, gpointer data), gpointer data)
{
  for (GList *l = line->items.head; l; l = l->next)
    if (matches (l->data, data))
      {
        gpointer item = l->data;

        g_queue_delete_link (&line->items, l);
        return item;
      }
  return NULL;
}

static gpointer
user_take (User *user, gboolean (*matches) (gpointer item, gpointer data), gpointer data)
{
  for (GList *l = user->lines.head; l; l = l->next)
    {
      gpointer item = line_take (l->data, matches, data);

      if (!item)
        continue;
      if (line_release (l->data))
        g_queue_delete_link (&user->lines, l);
      return item;
    }
  return NULL;
}

gpointer
ward_queue_take (WardQueue *queue, gboolean (*matches) (gpointer item, gpointer data), gpointer data)
{
  for (GList *l = queue->users.head; l; l = l->next)
    {
      gpointer item = user_take (l->data, matches, data);

      if (!item)
        continue;
      if (user_release (l->data))
        g_queue_delete_link (&queue->users, l);
      return item;
    }
  return NULL;
}
