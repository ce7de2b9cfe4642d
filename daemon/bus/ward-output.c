/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ward-error.h"

typedef struct
{
  int fd;
  int patience;
  WardSecret *secret;
} Output;

static void
output_release (Output *output)
{
  if (output->fd >= 0)
    close (output->fd);
  output->fd = -1;
  g_clear_pointer (&output->secret, ward_secret_unref);
}

static void
output_free (gpointer data)
{
  Output *output = data;

  output_release (output);
  g_free (output);
}

/* Waits until the descriptor takes something. 0 in errno: it did not within the time. */
static gboolean
wait_for_room (const Output *output)
{
  struct pollfd descriptor = { .fd = output->fd, .events = POLLOUT };
  int n;

  do
    n = poll (&descriptor, 1, output->patience);
  while (n < 0 && errno == EINTR);
  if (n == 0)
    errno = 0;
  return n > 0;
}

/* No more at a time than a pipe that has room takes without blocking (pipe(7)). */
static gboolean
write_all (const Output *output)
{
  const guint8 *next = ward_secret_get_data (output->secret);
  gsize left = ward_secret_get_size (output->secret);

  while (left > 0)
    {
      gssize n;

      if (!wait_for_room (output))
        return FALSE;
      n = write (output->fd, next, MIN (left, PIPE_BUF));
      if (n < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (n <= 0)
        return FALSE;
      next += n;
      left -= n;
    }
  return TRUE;
}

static gpointer
output_main (gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Output *output = g_task_get_task_data (task);
  gboolean ok = write_all (output);
  int failure = errno;

  /* closed and wiped before anybody hears of it */
  output_release (output);
  if (ok)
    g_task_return_boolean (task, TRUE);
  else if (failure == 0)
    g_task_return_new_error (task, WARD_ERROR, WARD_ERROR_FAILED,
                             "The descriptor “output” took nothing for a while, so the result was not passed on. Read "
                             "from the pipe while the call is under way.");
  else
    g_task_return_new_error (task, WARD_ERROR, WARD_ERROR_FAILED,
                             "The result could not be written to the descriptor “output” (%s). Try again with another.",
                             g_strerror (failure));
  return NULL;
}

void
ward_output_write_async (GObject *source, int fd, WardSecret *secret, int patience, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (source, NULL, callback, user_data);
  Output *output = g_new (Output, 1);
  g_autoptr (GError) error = NULL;
  GThread *thread;

  output->fd = fd;
  output->patience = patience;
  output->secret = ward_secret_ref (secret);
  g_task_set_task_data (task, output, output_free);
  thread = g_thread_try_new ("output", output_main, task, &error);
  if (!thread)
    {
      g_task_return_new_error (task, WARD_ERROR, WARD_ERROR_FAILED,
                               "The service has no thread left to write the result with (%s). Try again later.",
                               error->message);
      return;
    }
  g_steal_pointer (&task); /* the thread's */
  g_thread_unref (thread);
}

gboolean
ward_output_write_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
