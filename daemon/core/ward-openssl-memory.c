/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-openssl-memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void *
allocate (size_t size, const char *file, int line)
{
  return malloc (size);
}

static void
wipe_and_free (void *memory, const char *file, int line)
{
  if (!memory)
    return;
  explicit_bzero (memory, malloc_usable_size (memory));
  free (memory);
}

/* As realloc (), which would leave what it moves away from. */
static void *
reallocate (void *memory, size_t size, const char *file, int line)
{
  size_t old_size = memory ? malloc_usable_size (memory) : 0;
  void *larger;

  if (size > 0 && size <= old_size && size >= old_size / 2)
    return memory;
  larger = size > 0 ? malloc (size) : NULL;
  if (larger && memory)
    memcpy (larger, memory, MIN (old_size, size));
  if (larger || size == 0)
    wipe_and_free (memory, file, line);
  return larger;
}

gboolean
ward_openssl_wipe_memory (void)
{
  return CRYPTO_set_mem_functions (allocate, reallocate, wipe_and_free) == 1
         && OPENSSL_init_crypto (OPENSSL_INIT_NO_ATEXIT, NULL) == 1;
}
