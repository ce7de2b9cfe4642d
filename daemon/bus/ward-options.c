/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ward-error.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct _WardOptions
{
  GHashTable *booleans; /* name → gboolean */
  GHashTable *secrets;  /* name → WardSecret */
};

void
ward_options_free (WardOptions *options)
{
  g_hash_table_unref (options->booleans);
  g_hash_table_unref (options->secrets);
  g_free (options);
}

static gboolean
fail (GError **error, const char *name, const char *why)
{
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, "The option “%s” %s.", name, why);
  return FALSE;
}

/* Whether it is a memfd whose content nobody can change any more. */
static gboolean
is_sealed (int fd)
{
  int seals = fcntl (fd, F_GET_SEALS);

  return seals >= 0 && (seals & SEALS) == SEALS;
}

static WardSecret *
read_memfd (int fd, const char *name, GError **error)
{
  g_autoptr (WardSecret) secret = NULL;
  struct stat status;
  gsize done = 0;

  if (!is_sealed (fd) || fstat (fd, &status) != 0)
    {
      fail (error, name, "must be a memfd that is sealed against shrinking, growing and writing");
      return NULL;
    }
  if (status.st_size > WARD_AUTH_FD_MAX)
    {
      fail (error, name, "is longer than 64 KiB");
      return NULL;
    }

  secret = ward_secret_new (status.st_size);
  while (done < ward_secret_get_size (secret))
    {
      gssize n = pread (fd, ward_secret_get_data (secret) + done, ward_secret_get_size (secret) - done, done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          fail (error, name, "could not be read from its memfd");
          return NULL;
        }
      done += n;
    }
  return g_steal_pointer (&secret);
}

static WardSecret *
read_handle (GVariant *value, GUnixFDList *fds, const char *name, GError **error)
{
  int handle = g_variant_get_handle (value);
  int n_fds;
  const int *fd = fds ? g_unix_fd_list_peek_fds (fds, &n_fds) : NULL;

  /* GLib does not check it */
  if (!fd || handle < 0 || handle >= n_fds)
    {
      fail (error, name, "names a file descriptor that the message does not carry");
      return NULL;
    }
  return read_memfd (fd[handle], name, error);
}

static WardSecret *
read_secret (GVariant *value, GUnixFDList *fds, const char *name, GError **error)
{
  const void *bytes;
  gsize size;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_HANDLE))
    return read_handle (value, fds, name, error);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    bytes = g_variant_get_string (value, &size);
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    bytes = g_variant_get_fixed_array (value, &size, 1);
  else
    {
      fail (error, name, "must be of type h, ay or s");
      return NULL;
    }
  return ward_secret_new_from (bytes, size);
}

static gboolean
take_auth (WardOptions *self, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  g_autoptr (WardSecret) secret = read_secret (value, fds, name, error);
  gsize size;

  if (!secret)
    return FALSE;
  size = ward_secret_get_size (secret);
  if (size > 0 && ward_secret_get_data (secret)[size - 1] == 0)
    return fail (error, name, "ends in a zero byte, which the TPM would drop");

  g_hash_table_insert (self->secrets, g_strdup (name), g_steal_pointer (&secret));
  return TRUE;
}

static gboolean
take_boolean (WardOptions *self, const char *name, GVariant *value, GError **error)
{
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return fail (error, name, "must be of type b");

  g_hash_table_insert (self->booleans, g_strdup (name), GINT_TO_POINTER (g_variant_get_boolean (value)));
  return TRUE;
}

static gboolean
take (WardOptions *self, const char *name, GVariant *value, GUnixFDList *fds, const WardOption *known, GError **error)
{
  if (g_hash_table_contains (self->booleans, name) || g_hash_table_contains (self->secrets, name))
    return fail (error, name, "is given twice");

  for (; known->name; known++)
    if (g_str_equal (known->name, name))
      return known->kind == WARD_OPTION_AUTH ? take_auth (self, name, value, fds, error)
                                             : take_boolean (self, name, value, error);

  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, "There is no option “%.32s” here.", name);
  return FALSE;
}

WardOptions *
ward_options_new (GVariant *dictionary, GUnixFDList *fds, const WardOption *known, GError **error)
{
  g_autoptr (WardOptions) self = g_new0 (WardOptions, 1);
  GVariantIter iter;
  const char *name;
  GVariant *value;
  int n_handles = 0;

  self->booleans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->secrets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)ward_secret_unref);

  g_variant_iter_init (&iter, dictionary);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      g_autoptr (GVariant) owned = value;

      n_handles += g_variant_is_of_type (value, G_VARIANT_TYPE_HANDLE);
      if (!take (self, name, value, fds, known, error))
        return NULL;
    }
  if (fds && g_unix_fd_list_get_length (fds) > n_handles)
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                           "The message carries more file descriptors than its options name. Leave them out.");
      return NULL;
    }
  return g_steal_pointer (&self);
}

gboolean
ward_options_get_boolean (WardOptions *options, const char *name)
{
  return GPOINTER_TO_INT (g_hash_table_lookup (options->booleans, name));
}

WardSecret *
ward_options_get_secret (WardOptions *options, const char *name)
{
  return g_hash_table_lookup (options->secrets, name);
}
