/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ward-client-error.h"

/* A descriptor from which size bytes of data can be read. */
static int
new_source (const void *data, gsize size)
{
  int fd = memfd_create ("source", MFD_CLOEXEC);

  g_assert_cmpint (write (fd, data, size), ==, size);
  g_assert_cmpint (lseek (fd, 0, SEEK_SET), ==, 0);
  return fd;
}

static void
assert_read (const void *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  int fd = new_source (data, size);
  g_autoptr (WardSecret) secret = ward_client_secret_read (fd, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (ward_secret_get_data (secret), ward_secret_get_size (secret), data, size);
  close (fd);
}

static void
test_every_byte_is_read (void)
{
  g_autofree char *longest = g_strnfill (WARD_CLIENT_AUTH_MAX, 'x');

  assert_read ("sesame", 6);
  assert_read ("sesame\n", 7);
  assert_read ("a\0b\xff\n\n", 6);
  assert_read ("", 0);
  assert_read (longest, WARD_CLIENT_AUTH_MAX);
}

static void
test_a_pipe_in_pieces (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) secret = NULL;
  int fds[2];
  pid_t child;

  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  child = fork ();
  if (child == 0)
    {
      gssize n = 0;

      for (const char *p = "open"; *p != '\0'; p++)
        n += write (fds[1], p, 1);
      _exit (n == 4 ? 0 : 1);
    }
  close (fds[1]);
  secret = ward_client_secret_read (fds[0], &error);
  g_assert_no_error (error);
  g_assert_cmpmem (ward_secret_get_data (secret), ward_secret_get_size (secret), "open", 4);
  close (fds[0]);
}

static void
test_too_long (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strnfill (WARD_CLIENT_AUTH_MAX + 1, 'x');
  int fd = new_source (text, WARD_CLIENT_AUTH_MAX + 1);

  g_assert_null (ward_client_secret_read (fd, &error));
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT);
  close (fd);
}

static void
test_not_readable (void)
{
  g_autoptr (GError) error = NULL;
  int fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  g_assert_null (ward_client_secret_read (fd, &error));
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED);
  close (fd);
}

static void
test_the_memfd_cannot_change (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) secret = ward_secret_new_from ("sesame", 6);
  int fd = ward_client_secret_to_memfd (secret, &error);
  char bytes[8];

  g_assert_no_error (error);
  g_assert_cmpint (fcntl (fd, F_GET_SEALS), ==, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  g_assert_cmpint (pread (fd, bytes, sizeof bytes, 0), ==, 6);
  g_assert_cmpmem (bytes, 6, "sesame", 6);
  g_assert_cmpint (pwrite (fd, "x", 1, 0), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);
  close (fd);
}

static void
test_options (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) old = ward_secret_new_from ("sesame", 6);
  g_autoptr (WardSecret) new = ward_secret_new (0);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) options = NULL;
  gint32 handle;

  g_assert_true (ward_client_secret_add (old, "old", &dict, fds, &error));
  g_assert_true (ward_client_secret_add (new, "new", &dict, fds, &error));
  options = g_variant_ref_sink (g_variant_dict_end (&dict));
  g_assert_cmpint (g_unix_fd_list_get_length (fds), ==, 2);
  g_assert_true (g_variant_lookup (options, "old", "h", &handle));
  g_assert_cmpint (handle, ==, 0);
  g_assert_true (g_variant_lookup (options, "new", "h", &handle));
  g_assert_cmpint (handle, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-secret/every-byte-is-read", test_every_byte_is_read);
  g_test_add_func ("/client-secret/a-pipe-in-pieces", test_a_pipe_in_pieces);
  g_test_add_func ("/client-secret/too-long", test_too_long);
  g_test_add_func ("/client-secret/not-readable", test_not_readable);
  g_test_add_func ("/client-secret/the-memfd-cannot-change", test_the_memfd_cannot_change);
  g_test_add_func ("/client-secret/options", test_options);
  return g_test_run ();
}
