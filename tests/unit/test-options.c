/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-options.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ward-error.h"

static const WardOption known[] = {
  { "auth", WARD_OPTION_AUTH },
  { "new", WARD_OPTION_AUTH },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

/* text: in GVariant's notation; floating, and freed. */
static WardOptions *
parse (const char *text, GUnixFDList *fds, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

  g_assert_nonnull (dictionary);
  return ward_options_new (dictionary, fds, known, error);
}

static void
assert_refused (const char *text, GUnixFDList *fds, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (text, fds, &error));
  g_assert_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, word));
}

static void
assert_secret (WardOptions *options, const char *name, const char *expected, gsize size)
{
  WardSecret *secret = ward_options_get_secret (options, name);

  g_assert_nonnull (secret);
  g_assert_cmpmem (ward_secret_get_data (secret), ward_secret_get_size (secret), expected, size);
}

/* A list of one memfd with so many bytes; seals: of F_ADD_SEALS. */
static GUnixFDList *
memfd (const char *bytes, gsize size, int seals)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  int fd = memfd_create ("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  g_assert_cmpint (ftruncate (fd, size), ==, 0);
  if (bytes)
    g_assert_cmpint (pwrite (fd, bytes, size, 0), ==, size);
  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, seals), ==, 0);
  g_assert_cmpint (g_unix_fd_list_append (fds, fd, NULL), ==, 0);
  close (fd);
  return g_steal_pointer (&fds);
}

#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void
test_none (void)
{
  g_autoptr (WardOptions) options = parse ("{}", NULL, NULL);

  g_assert_nonnull (options);
  g_assert_false (ward_options_get_boolean (options, "force"));
  g_assert_null (ward_options_get_secret (options, "auth"));
}

static void
test_values (void)
{
  g_autoptr (WardOptions) options = parse ("{'auth': <'ä \\n'>, 'new': <[byte 0, 255, 1]>, 'force': <true>}", NULL,
                                           NULL);

  assert_secret (options, "auth", "ä \n", 4);
  assert_secret (options, "new", "\0\xff\1", 3);
  g_assert_true (ward_options_get_boolean (options, "force"));
}

static void
test_empty_is_not_absent (void)
{
  g_autoptr (WardOptions) options = parse ("{'auth': <''>, 'new': <@ay []>}", NULL, NULL);

  assert_secret (options, "auth", "", 0);
  assert_secret (options, "new", "", 0);
}

static void
test_nonsense (void)
{
  assert_refused ("{'atuh': <'x'>}", NULL, "atuh");
  assert_refused ("{'auth': <1>}", NULL, "h, ay or s");
  assert_refused ("{'force': <'yes'>}", NULL, "of type b");
  assert_refused ("{'auth': <'x'>, 'auth': <'y'>}", NULL, "twice");
  assert_refused ("{'auth': <[byte 1, 0]>}", NULL, "zero byte");
  assert_refused ("{'auth': <b''>}", NULL, "zero byte"); /* GVariant's notation adds it */
}

static void
test_descriptor (void)
{
  g_autoptr (GUnixFDList) fds = memfd ("from a memfd\n", 13, ALL_SEALS);
  g_autoptr (WardOptions) options = parse ("{'auth': <handle 0>}", fds, NULL);

  assert_secret (options, "auth", "from a memfd\n", 13);
}

static void
test_descriptor_sizes (void)
{
  g_autoptr (GUnixFDList) empty = memfd (NULL, 0, ALL_SEALS);
  g_autoptr (GUnixFDList) too_long = memfd (NULL, WARD_AUTH_FD_MAX + 1, ALL_SEALS);
  g_autoptr (WardOptions) options = parse ("{'auth': <handle 0>}", empty, NULL);

  assert_secret (options, "auth", "", 0);
  assert_refused ("{'auth': <handle 0>}", too_long, "64 KiB");
}

static void
test_descriptor_that_can_change (void)
{
  static const int seals[] = { 0, F_SEAL_WRITE, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_GROW | F_SEAL_WRITE };

  for (guint i = 0; i < G_N_ELEMENTS (seals); i++)
    {
      g_autoptr (GUnixFDList) fds = memfd ("x", 1, seals[i]);

      assert_refused ("{'auth': <handle 0>}", fds, "sealed");
    }
}

/* A pipe would block, a file could be anybody's. */
static void
test_descriptor_that_is_no_memfd (void)
{
  g_autoptr (GUnixFDList) pipes = g_unix_fd_list_new ();
  g_autoptr (GUnixFDList) files = g_unix_fd_list_new ();
  int ends[2];
  int file = open ("/proc/self/exe", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_unix_fd_list_append (pipes, ends[0], NULL);
  g_unix_fd_list_append (files, file, NULL);
  close (ends[0]);
  close (ends[1]);
  close (file);
  assert_refused ("{'auth': <handle 0>}", pipes, "sealed");
  assert_refused ("{'auth': <handle 0>}", files, "sealed");
}

static void
test_descriptor_that_is_missing (void)
{
  g_autoptr (GUnixFDList) fds = memfd ("x", 1, ALL_SEALS);

  assert_refused ("{'auth': <handle 0>}", NULL, "does not carry");
  assert_refused ("{'auth': <handle 1>}", fds, "does not carry");
  assert_refused ("{'auth': <handle -1>}", fds, "does not carry");
  assert_refused ("{'auth': <handle 2147483647>}", fds, "does not carry");
}

static void
test_surplus_descriptor (void)
{
  g_autoptr (GUnixFDList) fds = memfd ("x", 1, ALL_SEALS);

  assert_refused ("{}", fds, "more file descriptors");
  assert_refused ("{'force': <true>, 'auth': <'x'>}", fds, "more file descriptors");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/options/none", test_none);
  g_test_add_func ("/options/values", test_values);
  g_test_add_func ("/options/empty-is-not-absent", test_empty_is_not_absent);
  g_test_add_func ("/options/nonsense", test_nonsense);
  g_test_add_func ("/options/descriptor", test_descriptor);
  g_test_add_func ("/options/descriptor-sizes", test_descriptor_sizes);
  g_test_add_func ("/options/descriptor-that-can-change", test_descriptor_that_can_change);
  g_test_add_func ("/options/descriptor-that-is-no-memfd", test_descriptor_that_is_no_memfd);
  g_test_add_func ("/options/descriptor-that-is-missing", test_descriptor_that_is_missing);
  g_test_add_func ("/options/surplus-descriptor", test_surplus_descriptor);
  return g_test_run ();
}
