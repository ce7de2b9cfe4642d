/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-openssl-memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>

/* Long enough that the allocator writes nothing of its own over what is looked at. */
#define SIZE 4000
#define AT 1000

/* What was freed is still mapped, if the allocator is not one that looks for such reading. */
static gboolean
can_look (void)
{
#if defined(__SANITIZE_ADDRESS__)
  g_test_skip ("AddressSanitizer lets nobody look at what was freed");
  return FALSE;
#else
  return TRUE;
#endif
}

static char *
secret_new (void)
{
  char *bytes = OPENSSL_malloc (SIZE);

  memset (bytes, 's', SIZE);
  return bytes;
}

/* Where it was is read by an address that the compiler knows nothing of. */
static guint
count_left (guintptr at)
{
  volatile const char *bytes = (volatile const char *)at;
  guint n = 0;

  for (gsize i = AT; i < SIZE - AT; i++)
    n += bytes[i] == 's';
  return n;
}

static void
test_freed (void)
{
  guintptr at;
  char *bytes, *behind;

  if (!can_look ())
    return;
  bytes = secret_new ();
  behind = OPENSSL_malloc (SIZE); /* keeps the end of the heap where it is */
  at = (guintptr)bytes;
  g_assert_cmpuint (count_left (at), ==, SIZE - 2 * AT);
  OPENSSL_free (bytes);
  g_assert_cmpuint (count_left (at), ==, 0);
  OPENSSL_free (behind);
}

static void
test_moved (void)
{
  guintptr at;
  char *bytes, *larger, *behind;

  if (!can_look ())
    return;
  bytes = secret_new ();
  behind = OPENSSL_malloc (SIZE);
  at = (guintptr)bytes;
  larger = OPENSSL_realloc (bytes, 4 * SIZE);
  g_assert_true ((guintptr)larger != at);
  g_assert_cmpuint (count_left (at), ==, 0);
  for (gsize i = 0; i < SIZE; i++)
    g_assert_true (larger[i] == 's');
  OPENSSL_free (larger);
  OPENSSL_free (behind);
}

/* As realloc () does it. */
static void
test_realloc (void)
{
  char *bytes = OPENSSL_realloc (NULL, 10);

  memcpy (bytes, "012345678", 10);
  bytes = OPENSSL_realloc (bytes, 100000);
  g_assert_cmpstr (bytes, ==, "012345678");
  bytes = OPENSSL_realloc (bytes, 11);
  g_assert_cmpstr (bytes, ==, "012345678");
  g_assert_cmpuint (malloc_usable_size (bytes), <, 1000);
  OPENSSL_free (bytes);
  OPENSSL_free (NULL);
}

int
main (int argc, char **argv)
{
  g_assert_true (ward_openssl_wipe_memory ());
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openssl-memory/freed", test_freed);
  g_test_add_func ("/openssl-memory/moved", test_moved);
  g_test_add_func ("/openssl-memory/realloc", test_realloc);
  return g_test_run ();
}
