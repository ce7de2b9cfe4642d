/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ward-error.h"

/* More than a pipe holds. */
#define SIZE (300 * 1024)

static WardSecret *
some_secret (void)
{
  WardSecret *secret = ward_secret_new (SIZE);

  for (gsize i = 0; i < SIZE; i++)
    ward_secret_get_data (secret)[i] = (guint8)(i * 13);
  return secret;
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static gboolean
finish (GAsyncResult **result, GError **error)
{
  while (!*result)
    g_main_context_iteration (NULL, TRUE);
  return ward_output_write_finish (*result, error);
}

static void
assert_is_closed (int fd)
{
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
  g_assert_cmpint (errno, ==, EBADF);
}

static void
test_memfd (void)
{
  g_autoptr (WardSecret) secret = some_secret ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *bytes = g_malloc (SIZE + 1);
  int ours = memfd_create ("test", MFD_CLOEXEC);
  int theirs = fcntl (ours, F_DUPFD_CLOEXEC, 3);

  ward_output_write_async (NULL, theirs, secret, WARD_OUTPUT_PATIENCE, keep_result, &result);
  g_assert_true (finish (&result, &error));
  g_assert_no_error (error);
  g_assert_cmpint (pread (ours, bytes, SIZE + 1, 0), ==, SIZE);
  g_assert_cmpmem (bytes, SIZE, ward_secret_get_data (secret), SIZE);
  g_clear_object (&result);
  assert_is_closed (theirs);
  close (ours);
}

typedef struct
{
  GByteArray *bytes;
  gboolean at_end;
} Reader;

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  Reader *reader = user_data;
  guint8 bytes[1000];
  gssize n = read (fd, bytes, sizeof bytes);

  g_assert_cmpint (n, >=, 0);
  g_byte_array_append (reader->bytes, bytes, n);
  reader->at_end = n == 0;
  return n > 0;
}

/* The reader is on the main thread, which goes on meanwhile. */
static void
test_pipe (void)
{
  g_autoptr (WardSecret) secret = some_secret ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  Reader reader = { .bytes = bytes };
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_unix_fd_add (ends[0], G_IO_IN | G_IO_HUP, on_readable, &reader);
  ward_output_write_async (NULL, ends[1], secret, WARD_OUTPUT_PATIENCE, keep_result, &result);
  g_assert_true (finish (&result, NULL));
  g_clear_object (&result);
  assert_is_closed (ends[1]);
  while (!reader.at_end)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpmem (bytes->data, bytes->len, ward_secret_get_data (secret), SIZE);
  close (ends[0]);
}

static void
test_pipe_that_nobody_reads (void)
{
  g_autoptr (WardSecret) secret = some_secret ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  ward_output_write_async (NULL, ends[1], secret, 20, keep_result, &result);
  g_assert_false (finish (&result, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "took nothing"));
  g_clear_object (&result);
  assert_is_closed (ends[1]);
  close (ends[0]);
}

static void
test_pipe_without_a_reader (void)
{
  g_autoptr (WardSecret) secret = some_secret ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  close (ends[0]);
  ward_output_write_async (NULL, ends[1], secret, WARD_OUTPUT_PATIENCE, keep_result, &result);
  g_assert_false (finish (&result, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, g_strerror (EPIPE)));
}

static void
test_memfd_that_does_not_grow (void)
{
  g_autoptr (WardSecret) secret = some_secret ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  int fd = memfd_create ("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, F_SEAL_GROW), ==, 0);
  ward_output_write_async (NULL, fd, secret, WARD_OUTPUT_PATIENCE, keep_result, &result);
  g_assert_false (finish (&result, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN); /* as the daemon */
  g_test_add_func ("/output/memfd", test_memfd);
  g_test_add_func ("/output/pipe", test_pipe);
  g_test_add_func ("/output/pipe-that-nobody-reads", test_pipe_that_nobody_reads);
  g_test_add_func ("/output/pipe-without-a-reader", test_pipe_without_a_reader);
  g_test_add_func ("/output/memfd-that-does-not-grow", test_memfd_that_does_not_grow);
  return g_test_run ();
}
