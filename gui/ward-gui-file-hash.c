/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-file-hash.h"

#define CHUNK_SIZE (256 * 1024)
#define PROGRESS_MS 100
#define DIGEST_MAX 64

typedef struct
{
  GChecksumType type;
  WardGuiFileProgress progress;
  gpointer user_data;
  guint progress_id; /* in the main context */
  guint64 size;      /* of the file; both are shared with the thread, by lock */
  guint64 done;
  GMutex lock;
} Hashing;

static void
hashing_free (gpointer data)
{
  Hashing *hashing = data;

  g_clear_handle_id (&hashing->progress_id, g_source_remove);
  g_mutex_clear (&hashing->lock);
  g_free (hashing);
}

static void
note (Hashing *hashing, guint64 size, guint64 done)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&hashing->lock);

  hashing->size = size;
  hashing->done = done;
}

static gboolean
on_progress (gpointer user_data)
{
  Hashing *hashing = user_data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&hashing->lock);

  if (hashing->size > 0)
    hashing->progress (MIN (1.0, (double)hashing->done / (double)hashing->size), hashing->user_data);
  return G_SOURCE_CONTINUE;
}

static GBytes *
hash (GFile *file, Hashing *hashing, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, error);
  g_autoptr (GFileInfo) info = NULL;
  g_autoptr (GChecksum) checksum = g_checksum_new (hashing->type);
  g_autofree guint8 *buffer = g_malloc (CHUNK_SIZE);
  guint8 digest[DIGEST_MAX];
  gsize digest_size = sizeof digest;
  guint64 size = 0, done = 0;
  gssize n;

  if (stream == NULL)
    return NULL;
  info = g_file_input_stream_query_info (stream, G_FILE_ATTRIBUTE_STANDARD_SIZE, cancellable, NULL);
  size = info != NULL ? (guint64)g_file_info_get_size (info) : 0;
  while ((n = g_input_stream_read (G_INPUT_STREAM (stream), buffer, CHUNK_SIZE, cancellable, error)) > 0)
    {
      g_checksum_update (checksum, buffer, n);
      done += (guint64)n;
      note (hashing, size, done);
    }
  if (n < 0)
    return NULL;
  g_checksum_get_digest (checksum, digest, &digest_size);
  return g_bytes_new (digest, digest_size);
}

static void
hash_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  GBytes *digest = hash (source, data, cancellable, &error);

  if (digest != NULL)
    g_task_return_pointer (task, digest, (GDestroyNotify)g_bytes_unref);
  else
    g_task_return_error (task, error);
}

void
ward_gui_file_hash_async (GFile *file, GChecksumType type, GCancellable *cancellable, WardGuiFileProgress progress,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (file, cancellable, callback, user_data);
  Hashing *hashing = g_new0 (Hashing, 1);

  g_mutex_init (&hashing->lock);
  hashing->type = type;
  hashing->progress = progress;
  hashing->user_data = user_data;
  hashing->progress_id = g_timeout_add (PROGRESS_MS, on_progress, hashing);
  g_task_set_task_data (task, hashing, hashing_free);
  g_task_run_in_thread (task, hash_in_thread);
}

GBytes *
ward_gui_file_hash_finish (GAsyncResult *result, GError **error)
{
  Hashing *hashing = g_task_get_task_data (G_TASK (result));

  g_clear_handle_id (&hashing->progress_id, g_source_remove);
  return g_task_propagate_pointer (G_TASK (result), error);
}
