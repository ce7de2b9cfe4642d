/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-key-parser.h"

#include "ward-error.h"
#include "ward-queue.h"

typedef struct
{
  GTask *task; /* the caller's */
  const WardTicket *ticket;
  WardSecret *data;
  WardSecret *passphrase;
  gboolean is_withdrawn;
} Item;

struct _WardKeyParser
{
  GObject parent_instance;

  WardQueue *queue; /* of Item */
  Item *current;    /* which the thread is at; or NULL */
};

G_DEFINE_FINAL_TYPE (WardKeyParser, ward_key_parser, G_TYPE_OBJECT)

static void
item_wipe (Item *item)
{
  g_clear_pointer (&item->data, ward_secret_unref);
  g_clear_pointer (&item->passphrase, ward_secret_unref);
}

static void
item_free (Item *item)
{
  item_wipe (item);
  g_object_unref (item->task);
  g_free (item);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Item, item_free)

/* Each item's task keeps the parser: by now there is none. */
static void
ward_key_parser_finalize (GObject *object)
{
  ward_queue_free (WARD_KEY_PARSER (object)->queue);
  G_OBJECT_CLASS (ward_key_parser_parent_class)->finalize (object);
}

static void
ward_key_parser_class_init (WardKeyParserClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_key_parser_finalize;
}

static void
ward_key_parser_init (WardKeyParser *self)
{
  self->queue = ward_queue_new ();
}

WardKeyParser *
ward_key_parser_new (void)
{
  return g_object_new (WARD_TYPE_KEY_PARSER, NULL);
}

static void
return_withdrawn (const Item *item)
{
  g_task_return_new_error (item->task, WARD_ERROR, WARD_ERROR_CANCELLED,
                           "The call was withdrawn before the TPM started on it. Nothing has been done.");
}

static void
parse_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Item *item = data;
  GError *error = NULL;
  WardKeyImport *import = ward_key_import_parse (item->data, item->passphrase, &error);

  if (import)
    g_task_return_pointer (task, import, (GDestroyNotify)ward_key_import_free);
  else
    g_task_return_error (task, error);
}

static void go_on (WardKeyParser *parser);

static void
on_parsed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardKeyParser *parser = WARD_KEY_PARSER (source);
  g_autoptr (Item) item = g_steal_pointer (&parser->current);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardKeyImport) import = g_task_propagate_pointer (G_TASK (result), &error);

  item_wipe (item); /* before anybody hears of it */
  if (item->is_withdrawn)
    return_withdrawn (item);
  else if (import)
    g_task_return_pointer (item->task, g_steal_pointer (&import), (GDestroyNotify)ward_key_import_free);
  else
    g_task_return_error (item->task, g_steal_pointer (&error));
  go_on (parser);
}

/* Begins with the one whose turn it is. */
static void
go_on (WardKeyParser *parser)
{
  g_autoptr (GTask) task = NULL;

  if (parser->current)
    return;
  parser->current = ward_queue_pop (parser->queue);
  if (!parser->current)
    return;
  task = g_task_new (parser, NULL, on_parsed, NULL);
  g_task_set_task_data (task, parser->current, NULL);
  g_task_run_in_thread (task, parse_in_thread);
}

void
ward_key_parser_run_async (WardKeyParser *parser, const WardTicket *ticket, WardSecret *data, WardSecret *passphrase,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  Item *item = g_new0 (Item, 1);

  item->task = g_task_new (parser, NULL, callback, user_data);
  item->ticket = ticket;
  item->data = ward_secret_ref (data);
  item->passphrase = passphrase ? ward_secret_ref (passphrase) : NULL;
  ward_queue_push (parser->queue, ticket->uid, ticket->connection, item);
  go_on (parser);
}

WardKeyImport *
ward_key_parser_run_finish (WardKeyParser *parser, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
has_ticket (gpointer item, gpointer ticket)
{
  return ((const Item *)item)->ticket == ticket;
}

gboolean
ward_key_parser_withdraw (WardKeyParser *parser, const WardTicket *ticket)
{
  g_autoptr (Item) item = NULL;

  if (parser->current && parser->current->ticket == ticket && !parser->current->is_withdrawn)
    {
      parser->current->is_withdrawn = TRUE;
      return TRUE;
    }
  item = ward_queue_take (parser->queue, has_ticket, (gpointer)ticket);
  if (!item)
    return FALSE;
  return_withdrawn (item);
  return TRUE;
}
