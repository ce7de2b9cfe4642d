/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-secret.h"

#include <string.h>
#include <sys/mman.h>

struct _WardSecret
{
  gatomicrefcount ref_count;
  gsize size;
  gsize mapped;
  guint8 *data;
};

WardSecret *
ward_secret_new (gsize size)
{
  WardSecret *secret = g_new0 (WardSecret, 1);

  g_atomic_ref_count_init (&secret->ref_count);
  secret->size = size;
  secret->mapped = MAX (size, 1);
  secret->data = mmap (NULL, secret->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (secret->data == MAP_FAILED)
    g_error ("No memory for a secret of %" G_GSIZE_FORMAT " bytes", size);

  /* beyond the limit of locked memory a secret may be swapped out: that is better than to refuse it */
  if (mlock (secret->data, secret->mapped) != 0)
    g_debug ("A secret of %" G_GSIZE_FORMAT " bytes is not locked into memory", size);
  madvise (secret->data, secret->mapped, MADV_DONTDUMP);
  return secret;
}

WardSecret *
ward_secret_new_from (gconstpointer data, gsize size)
{
  WardSecret *secret = ward_secret_new (size);

  if (size > 0)
    memcpy (secret->data, data, size);
  return secret;
}

WardSecret *
ward_secret_ref (WardSecret *secret)
{
  g_atomic_ref_count_inc (&secret->ref_count);
  return secret;
}

void
ward_secret_unref (WardSecret *secret)
{
  if (!g_atomic_ref_count_dec (&secret->ref_count))
    return;

  explicit_bzero (secret->data, secret->mapped);
  munmap (secret->data, secret->mapped);
  g_free (secret);
}

guint8 *
ward_secret_get_data (WardSecret *secret)
{
  return secret->data;
}

gsize
ward_secret_get_size (WardSecret *secret)
{
  return secret->size;
}
