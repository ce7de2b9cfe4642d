/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ward-cli-progress.h"
#include "ward-cli-term.h"

#define CHUNK_SIZE (256 * 1024)
#define MAX_DIGEST_SIZE 64

/* An open input; nothing but fd is owned. */
typedef struct
{
  int fd;
  const char *path; /* NULL for standard input */
  const char *what;
} Input;

static void
input_close (Input *input)
{
  if (input->fd > STDERR_FILENO)
    close (input->fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Input, input_close)

static gboolean
fail (WardCli *cli, const Input *input, int number)
{
  if (input->path != NULL)
    ward_cli_print_error ("tpmward: The %s cannot be read from “%s”: %s.", input->what, input->path,
                          g_strerror (number));
  else
    ward_cli_print_error ("tpmward: The %s cannot be read from standard input: %s.", input->what, g_strerror (number));
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static gboolean
open_input (WardCli *cli, Input *input)
{
  if (g_strcmp0 (input->path, "-") == 0)
    input->path = NULL;
  if (input->path == NULL)
    {
      input->fd = STDIN_FILENO;
      if (!isatty (STDIN_FILENO))
        return TRUE;
      cli->status = ward_cli_fail_usage (
          cli, NULL, "The %s is missing: give a file, or pass it to standard input by a pipe.", input->what);
      return FALSE;
    }
  input->fd = open (input->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  return input->fd >= 0 || fail (cli, input, errno);
}

static gssize
read_some (int fd, guint8 *buffer, gsize size)
{
  gssize n;

  do
    n = read (fd, buffer, size);
  while (n < 0 && errno == EINTR);
  return n;
}

WardSecret *
ward_cli_input_read (WardCli *cli, const char *path, gsize max_size, const char *what)
{
  g_auto (Input) input = { .fd = -1, .path = path, .what = what };
  g_autoptr (WardSecret) buffer = NULL;
  gsize size = 0;
  gssize n = 1;

  if (!open_input (cli, &input))
    return NULL;
  buffer = ward_secret_new (max_size + 1);
  while (n > 0 && size <= max_size)
    {
      n = read_some (input.fd, ward_secret_get_data (buffer) + size, max_size + 1 - size);
      size += n > 0 ? (gsize)n : 0;
    }
  if (n < 0)
    {
      fail (cli, &input, errno);
      return NULL;
    }
  if (size <= max_size)
    return ward_secret_new_from (ward_secret_get_data (buffer), size);

  ward_cli_print_error ("tpmward: The %s is too long: at most %" G_GSIZE_FORMAT " bytes are taken.", what, max_size);
  cli->status = WARD_CLI_FAILURE;
  return NULL;
}

static guint64
size_of (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 && S_ISREG (status.st_mode) ? (guint64)status.st_size : 0;
}

GBytes *
ward_cli_input_hash (WardCli *cli, const char *path, GChecksumType type, const char *what)
{
  g_auto (Input) input = { .fd = -1, .path = path, .what = what };
  g_autoptr (GChecksum) checksum = g_checksum_new (type);
  g_autoptr (WardCliProgress) progress = NULL;
  g_autofree guint8 *buffer = NULL;
  guint8 digest[MAX_DIGEST_SIZE];
  gsize digest_size = sizeof digest;
  guint64 done = 0;
  gssize n;

  if (!open_input (cli, &input))
    return NULL;
  progress = ward_cli_progress_new ("Hashing", size_of (input.fd));
  buffer = g_malloc (CHUNK_SIZE);
  while ((n = read_some (input.fd, buffer, CHUNK_SIZE)) > 0)
    {
      g_checksum_update (checksum, buffer, n);
      done += (guint64)n;
      ward_cli_progress_update (progress, done);
    }
  if (n < 0)
    {
      int number = errno;

      g_clear_pointer (&progress, ward_cli_progress_free);
      fail (cli, &input, number);
      return NULL;
    }
  g_checksum_get_digest (checksum, digest, &digest_size);
  return g_bytes_new (digest, digest_size);
}
