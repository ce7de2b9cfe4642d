/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-output.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ward-client-error.h"

static void
fail (GError **error)
{
  g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED,
               "The result cannot be taken from the TPM Ward service: %s.", g_strerror (errno));
}

int
ward_client_output_new (GError **error)
{
  int fd = memfd_create ("tpmward-output", MFD_CLOEXEC);

  if (fd < 0)
    fail (error);
  return fd;
}

gboolean
ward_client_output_add (int fd, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  int handle = g_unix_fd_list_append (fds, fd, error);

  if (handle >= 0)
    g_variant_dict_insert (options, "output", "h", handle);
  return handle >= 0;
}

WardSecret *
ward_client_output_read (int fd, GError **error)
{
  g_autoptr (WardSecret) secret = NULL;
  struct stat status;
  gsize size, done = 0;

  if (fstat (fd, &status) != 0)
    {
      fail (error);
      return NULL;
    }
  size = (gsize)status.st_size;
  secret = ward_secret_new (size);
  while (done < size)
    {
      gssize n = pread (fd, ward_secret_get_data (secret) + done, size - done, (off_t)done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          fail (error);
          return NULL;
        }
      done += (gsize)n;
    }
  return g_steal_pointer (&secret);
}
