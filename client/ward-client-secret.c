/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ward-client-error.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

WardSecret *
ward_client_secret_read (int fd, GError **error)
{
  g_autoptr (WardSecret) buffer = ward_secret_new (WARD_CLIENT_AUTH_MAX + 1);
  gsize size = 0;
  gssize n;

  do
    {
      n = read (fd, ward_secret_get_data (buffer) + size, WARD_CLIENT_AUTH_MAX + 1 - size);
      size += n > 0 ? (gsize)n : 0;
    }
  while ((n > 0 && size <= WARD_CLIENT_AUTH_MAX) || (n < 0 && errno == EINTR));

  if (n < 0)
    {
      g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED,
                   "The secret cannot be read from the file descriptor %d: %s.", fd, g_strerror (errno));
      return NULL;
    }
  if (size > WARD_CLIENT_AUTH_MAX)
    {
      g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT,
                   "What the file descriptor %d gives is longer than 64 KiB: no secret is.", fd);
      return NULL;
    }
  return ward_secret_new_from (ward_secret_get_data (buffer), size);
}

static gboolean
write_all (int fd, const guint8 *data, gsize size)
{
  while (size > 0)
    {
      gssize n = write (fd, data, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      size -= (gsize)n;
    }
  return TRUE;
}

int
ward_client_secret_to_memfd (WardSecret *secret, GError **error)
{
  int fd = memfd_create ("tpmward-secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0 || !write_all (fd, ward_secret_get_data (secret), ward_secret_get_size (secret))
      || fcntl (fd, F_ADD_SEALS, SEALS) != 0)
    {
      g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED,
                   "The secret cannot be handed to the TPM Ward service: %s.", g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return -1;
    }
  return fd;
}

gboolean
ward_client_secret_add (WardSecret *secret, const char *option, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  int fd = ward_client_secret_to_memfd (secret, error);
  int handle;

  if (fd < 0)
    return FALSE;

  handle = g_unix_fd_list_append (fds, fd, error);
  close (fd);
  if (handle < 0)
    return FALSE;
  g_variant_dict_insert (options, option, "h", handle);
  return TRUE;
}
