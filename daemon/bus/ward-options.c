/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-options.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ward-error.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What is given for one option; by its kind one of these. */
typedef struct
{
  gboolean boolean;
  guint32 uint;
  WardSecret *secret;
  char *string;
  GBytes *bytes;
  GStrv strings;
  GPtrArray *pcrs;
  int output; /* -1 when there is none */
} Value;

struct _WardOptions
{
  GHashTable *values; /* name → Value */
};

static void
value_free (gpointer data)
{
  Value *value = data;

  g_clear_pointer (&value->secret, ward_secret_unref);
  g_clear_pointer (&value->pcrs, g_ptr_array_unref);
  g_clear_pointer (&value->bytes, g_bytes_unref);
  g_strfreev (value->strings);
  g_free (value->string);
  if (value->output >= 0)
    close (value->output);
  g_free (value);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Value, value_free)

void
ward_options_free (WardOptions *options)
{
  g_hash_table_unref (options->values);
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
read_memfd (int fd, const char *name, gsize max, GError **error)
{
  g_autoptr (WardSecret) secret = NULL;
  struct stat status;
  gsize done = 0;

  if (!is_sealed (fd) || fstat (fd, &status) != 0)
    {
      fail (error, name, "must be a memfd that is sealed against shrinking, growing and writing");
      return NULL;
    }
  if ((gsize)status.st_size > max)
    {
      fail (error, name, max == WARD_AUTH_FD_MAX ? "is longer than 64 KiB" : "is longer than 1 MiB");
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

/* The descriptor that value stands for, the message's own; -1 with error set. */
static int
get_descriptor (GVariant *value, GUnixFDList *fds, const char *name, GError **error)
{
  int handle, n_fds;
  const int *fd = fds ? g_unix_fd_list_peek_fds (fds, &n_fds) : NULL;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_HANDLE))
    {
      fail (error, name, "must be of type h");
      return -1;
    }
  /* GLib does not check it */
  handle = g_variant_get_handle (value);
  if (!fd || handle < 0 || handle >= n_fds)
    {
      fail (error, name, "names a file descriptor that the message does not carry");
      return -1;
    }
  return fd[handle];
}

static WardSecret *
read_secret (GVariant *value, GUnixFDList *fds, const char *name, GError **error)
{
  const void *bytes;
  gsize size;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_HANDLE))
    {
      int fd = get_descriptor (value, fds, name, error);

      return fd >= 0 ? read_memfd (fd, name, WARD_AUTH_FD_MAX, error) : NULL;
    }
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
take_auth (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  gsize size;

  taken->secret = read_secret (value, fds, name, error);
  if (!taken->secret)
    return FALSE;
  size = ward_secret_get_size (taken->secret);
  if (size > 0 && ward_secret_get_data (taken->secret)[size - 1] == 0)
    return fail (error, name, "ends in a zero byte, which the TPM would drop");
  return TRUE;
}

static gboolean
take_secret (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  taken->secret = read_secret (value, fds, name, error);
  return taken->secret != NULL;
}

static gboolean
take_bytes (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_BYTESTRING))
    return fail (error, name, "must be of type ay");

  taken->bytes = g_variant_get_data_as_bytes (value);
  return TRUE;
}

static gboolean
take_strings (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_STRING_ARRAY))
    return fail (error, name, "must be of type as");

  taken->strings = g_variant_dup_strv (value, NULL);
  return TRUE;
}

static gboolean
take_boolean (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    return fail (error, name, "must be of type b");

  taken->boolean = g_variant_get_boolean (value);
  return TRUE;
}

static gboolean
take_uint (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    return fail (error, name, "must be of type u");

  taken->uint = g_variant_get_uint32 (value);
  return TRUE;
}

static gboolean
take_string (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return fail (error, name, "must be of type s");

  taken->string = g_variant_dup_string (value, NULL);
  return TRUE;
}

static gboolean
take_data (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  int fd = get_descriptor (value, fds, name, error);

  if (fd >= 0)
    taken->secret = read_memfd (fd, name, WARD_DATA_FD_MAX, error);
  return taken->secret != NULL;
}

/* Whether a file lies where writing to it is nothing but that. In /proc and its like it is an act, done with the rights
 * of who writes: the service must not lend its own. */
static gboolean
is_plain_file (int fd)
{
  static const guint32 magics[] = { BTRFS_SUPER_MAGIC,     EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC,
                                    OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC,      XFS_SUPER_MAGIC };
  struct statfs system;

  if (fstatfs (fd, &system) != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++)
    if ((guint32)system.f_type == magics[i])
      return TRUE;
  return FALSE;
}

/* Whether the service may write to it. Only files in memory have seals. */
static gboolean
takes_output (int fd)
{
  struct stat status;
  int seals = fcntl (fd, F_GET_SEALS);

  if (fstat (fd, &status) != 0 || (fcntl (fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
    return FALSE;
  if (seals >= 0)
    return (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) == 0;
  return S_ISFIFO (status.st_mode) || (S_ISREG (status.st_mode) && is_plain_file (fd));
}

static gboolean
take_output (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  int fd = get_descriptor (value, fds, name, error);

  if (fd < 0)
    return FALSE;
  if (!takes_output (fd))
    return fail (error, name, "must be a memfd, a pipe or a file on a disk, open for writing");

  taken->output = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  return taken->output >= 0 || fail (error, name, "could not be kept open, as the service has too many files open");
}

static gboolean
take_bank (GPtrArray *pcrs, const char *name, const char *bank, GVariant *indices, GError **error)
{
  g_autoptr (WardPcrBank) taken = ward_pcr_bank_new (bank);
  gsize n_indices;
  const guint32 *index = g_variant_get_fixed_array (indices, &n_indices, sizeof *index);

  if (!ward_bank_is_known (bank))
    return fail (error, name, "names a bank that does not exist; “sha256” is one");
  for (guint i = 0; i < pcrs->len; i++)
    if (g_str_equal (((WardPcrBank *)g_ptr_array_index (pcrs, i))->bank, bank))
      return fail (error, name, "names a bank twice");
  if (n_indices == 0 || n_indices > WARD_N_PCRS)
    return fail (error, name, "must name 1 to 24 PCRs of each bank");

  for (gsize i = 0; i < n_indices; i++)
    {
      if (index[i] >= WARD_N_PCRS)
        return fail (error, name, "names a PCR that does not exist; they are numbered from 0 to 23");
      taken->values.mask |= 1u << index[i];
    }
  g_ptr_array_add (pcrs, g_steal_pointer (&taken));
  return TRUE;
}

static gboolean
take_pcrs (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error)
{
  GVariantIter iter;
  const char *bank;
  GVariant *indices;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE ("a{sau}")))
    return fail (error, name, "must be of type a{sau}");

  taken->pcrs = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_pcr_bank_free);
  g_variant_iter_init (&iter, value);
  while (g_variant_iter_next (&iter, "{&s@au}", &bank, &indices))
    {
      g_autoptr (GVariant) owned = indices;

      if (!take_bank (taken->pcrs, name, bank, owned, error))
        return FALSE;
    }
  return taken->pcrs->len > 0 || fail (error, name, "names no PCR");
}

typedef gboolean (*TakeFunc) (Value *taken, const char *name, GVariant *value, GUnixFDList *fds, GError **error);

static const TakeFunc take_funcs[] = {
  [WARD_OPTION_BOOLEAN] = take_boolean, [WARD_OPTION_AUTH] = take_auth,     [WARD_OPTION_STRING] = take_string,
  [WARD_OPTION_DATA] = take_data,       [WARD_OPTION_OUTPUT] = take_output, [WARD_OPTION_PCRS] = take_pcrs,
  [WARD_OPTION_SECRET] = take_secret,   [WARD_OPTION_BYTES] = take_bytes,   [WARD_OPTION_STRINGS] = take_strings,
  [WARD_OPTION_UINT] = take_uint,
};

static gboolean
take (WardOptions *self, const char *name, GVariant *value, GUnixFDList *fds, const WardOption *known, GError **error)
{
  g_autoptr (Value) taken = NULL;

  if (g_hash_table_contains (self->values, name))
    return fail (error, name, "is given twice");
  while (known->name && !g_str_equal (known->name, name))
    known++;
  if (!known->name)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, "There is no option “%.32s” here.", name);
      return FALSE;
    }

  taken = g_new0 (Value, 1);
  taken->output = -1;
  if (!take_funcs[known->kind](taken, name, value, fds, error))
    return FALSE;
  g_hash_table_insert (self->values, g_strdup (name), g_steal_pointer (&taken));
  return TRUE;
}

WardOptions *
ward_options_new (GVariant *dictionary, GUnixFDList *fds, const WardOption *known, GError **error)
{
  g_autoptr (WardOptions) self = g_new0 (WardOptions, 1);
  GVariantIter iter;
  const char *name;
  GVariant *value;
  int n_handles = 0;

  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, value_free);

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
ward_options_has (WardOptions *options, const char *name)
{
  return g_hash_table_contains (options->values, name);
}

gboolean
ward_options_get_boolean (WardOptions *options, const char *name)
{
  const Value *value = g_hash_table_lookup (options->values, name);

  return value && value->boolean;
}

guint32
ward_options_get_uint (WardOptions *options, const char *name, guint32 fallback)
{
  const Value *value = g_hash_table_lookup (options->values, name);

  return value ? value->uint : fallback;
}

WardSecret *
ward_options_get_secret (WardOptions *options, const char *name)
{
  const Value *value = g_hash_table_lookup (options->values, name);

  return value ? value->secret : NULL;
}

const char *
ward_options_get_string (WardOptions *options, const char *name)
{
  const Value *value = g_hash_table_lookup (options->values, name);

  return value ? value->string : NULL;
}

GBytes *
ward_options_get_bytes (WardOptions *options, const char *name)
{
  const Value *value = g_hash_table_lookup (options->values, name);

  return value ? value->bytes : NULL;
}

const char *const *
ward_options_get_strings (WardOptions *options, const char *name)
{
  const Value *value = g_hash_table_lookup (options->values, name);

  return value ? (const char *const *)value->strings : NULL;
}

GPtrArray *
ward_options_get_pcrs (WardOptions *options, const char *name)
{
  const Value *value = g_hash_table_lookup (options->values, name);

  return value ? value->pcrs : NULL;
}

int
ward_options_take_output (WardOptions *options, const char *name)
{
  Value *value = g_hash_table_lookup (options->values, name);
  int fd = value ? value->output : -1;

  if (value)
    value->output = -1;
  return fd;
}
