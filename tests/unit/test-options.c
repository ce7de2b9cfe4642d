/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-options.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ward-error.h"

static const WardOption known[] = {
  { "auth", WARD_OPTION_AUTH },     { "new", WARD_OPTION_AUTH },          { "force", WARD_OPTION_BOOLEAN },
  { "format", WARD_OPTION_STRING }, { "data", WARD_OPTION_DATA },         { "output", WARD_OPTION_OUTPUT },
  { "pcrs", WARD_OPTION_PCRS },     { "passphrase", WARD_OPTION_SECRET }, { "label", WARD_OPTION_BYTES },
  { "usage", WARD_OPTION_STRINGS }, { "offset", WARD_OPTION_UINT },       { NULL, 0 },
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
test_other_kinds (void)
{
  g_autoptr (WardOptions) options = parse (
      "{'passphrase': <[byte 1, 0]>, 'label': <[byte 97, 0]>, 'usage': <['sign', 'agree']>}", NULL, NULL);
  GBytes *label = ward_options_get_bytes (options, "label");
  const char *const *usage = ward_options_get_strings (options, "usage");

  /* a zero byte at its end is a passphrase's own */
  assert_secret (options, "passphrase", "\1\0", 2);
  g_assert_cmpmem (g_bytes_get_data (label, NULL), g_bytes_get_size (label), "a\0", 2);
  g_assert_cmpuint (g_strv_length ((GStrv)usage), ==, 2);
  g_assert_cmpstr (usage[1], ==, "agree");
  assert_refused ("{'passphrase': <true>}", NULL, "h, ay or s");
  assert_refused ("{'label': <'a'>}", NULL, "must be of type ay");
  assert_refused ("{'usage': <'sign'>}", NULL, "must be of type as");
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

static void
test_strings (void)
{
  g_autoptr (WardOptions) options = parse ("{'format': <'ä'>}", NULL, NULL);

  g_assert_cmpstr (ward_options_get_string (options, "format"), ==, "ä");
  g_assert_true (ward_options_has (options, "format"));
  g_assert_false (ward_options_has (options, "force"));
  assert_refused ("{'format': <1>}", NULL, "of type s");
}

static void
test_numbers (void)
{
  g_autoptr (WardOptions) options = parse ("{'offset': <uint32 4294967295>}", NULL, NULL);
  g_autoptr (WardOptions) none = parse ("{}", NULL, NULL);

  g_assert_cmpuint (ward_options_get_uint (options, "offset", 7), ==, G_MAXUINT32);
  g_assert_cmpuint (ward_options_get_uint (none, "offset", 7), ==, 7);
  assert_refused ("{'offset': <1>}", NULL, "of type u");
  assert_refused ("{'offset': <'1'>}", NULL, "of type u");
}

static void
test_data (void)
{
  g_autofree char *bytes = g_strnfill (WARD_DATA_FD_MAX, 'x');
  g_autoptr (GUnixFDList) largest = memfd (bytes, WARD_DATA_FD_MAX, ALL_SEALS);
  g_autoptr (GUnixFDList) too_long = memfd (NULL, WARD_DATA_FD_MAX + 1, ALL_SEALS);
  g_autoptr (GUnixFDList) with_zero = memfd ("a\0", 2, ALL_SEALS);
  g_autoptr (GUnixFDList) unsealed = memfd ("a", 1, 0);
  g_autoptr (WardOptions) options = parse ("{'data': <handle 0>}", largest, NULL);
  g_autoptr (WardOptions) zero_options = parse ("{'data': <handle 0>}", with_zero, NULL);

  assert_secret (options, "data", bytes, WARD_DATA_FD_MAX);
  assert_secret (zero_options, "data", "a\0", 2);
  assert_refused ("{'data': <handle 0>}", too_long, "1 MiB");
  assert_refused ("{'data': <handle 0>}", unsealed, "sealed");
  assert_refused ("{'data': <'in the message'>}", NULL, "of type h");
  assert_refused ("{'data': <[byte 1]>}", NULL, "of type h");
}

static void
test_pcrs (void)
{
  g_autoptr (WardOptions) options = parse ("{'pcrs': <{'sha256': [uint32 7, 0, 7], 'sha1': [uint32 23]}>}", NULL, NULL);
  GPtrArray *pcrs = ward_options_get_pcrs (options, "pcrs");
  const WardPcrBank *first = g_ptr_array_index (pcrs, 0), *second = g_ptr_array_index (pcrs, 1);

  g_assert_cmpuint (pcrs->len, ==, 2);
  g_assert_cmpstr (first->bank, ==, "sha256");
  g_assert_cmphex (first->values.mask, ==, 0x81);
  g_assert_cmpstr (second->bank, ==, "sha1");
  g_assert_cmphex (second->values.mask, ==, 0x800000);
}

static void
test_pcrs_that_are_none (void)
{
  assert_refused ("{'pcrs': <@a{sau} {}>}", NULL, "names no PCR");
  assert_refused ("{'pcrs': <{'sha256': @au []}>}", NULL, "1 to 24");
  assert_refused ("{'pcrs': <{'sha256': [uint32 24]}>}", NULL, "0 to 23");
  assert_refused ("{'pcrs': <{'md5': [uint32 1]}>}", NULL, "bank");
  assert_refused ("{'pcrs': <{'sha1': [uint32 1], 'sha256': [uint32 1], 'sha1': [uint32 2]}>}", NULL, "twice");
  assert_refused ("{'pcrs': <'sha256:7'>}", NULL, "a{sau}");
}

/* fd: taken over. */
static GUnixFDList *
list_of (int fd)
{
  GUnixFDList *fds = g_unix_fd_list_new ();

  g_assert_cmpint (g_unix_fd_list_append (fds, fd, NULL), ==, 0);
  close (fd);
  return fds;
}

static void
test_output (void)
{
  g_autoptr (GUnixFDList) file = memfd (NULL, 0, 0);
  g_autoptr (WardOptions) options = parse ("{'output': <handle 0>}", file, NULL);
  g_autoptr (WardOptions) dropped = parse ("{'output': <handle 0>}", file, NULL);
  int fd = ward_options_take_output (options, "output");
  int ends[2];
  g_autoptr (GUnixFDList) pipe_fds = NULL;
  g_autoptr (WardOptions) with_pipe = NULL;

  g_assert_cmpint (write (fd, "x", 1), ==, 1);
  g_assert_cmpint (close (fd), ==, 0);
  g_assert_cmpint (ward_options_take_output (options, "output"), ==, -1);
  g_assert_cmpint (ward_options_take_output (options, "auth"), ==, -1);
  g_assert_true (ward_options_has (dropped, "output"));

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  pipe_fds = list_of (ends[1]);
  with_pipe = parse ("{'output': <handle 0>}", pipe_fds, NULL);
  g_assert_nonnull (with_pipe);
  close (ends[0]);
}

/* With any other the service would write, with its own rights, to what the caller chose. */
static void
test_output_that_is_refused (void)
{
  g_autoptr (GUnixFDList) sealed = memfd ("x", 1, ALL_SEALS);
  g_autoptr (GUnixFDList) for_reading = list_of (open ("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  g_autoptr (GUnixFDList) device = list_of (open ("/dev/null", O_WRONLY | O_CLOEXEC));
  g_autoptr (GUnixFDList) setting = list_of (open ("/proc/self/comm", O_WRONLY | O_CLOEXEC));
  int ends[2];
  g_autoptr (GUnixFDList) wrong_end = NULL;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  wrong_end = list_of (ends[0]);
  close (ends[1]);
  assert_refused ("{'output': <handle 0>}", sealed, "memfd, a pipe or a file");
  assert_refused ("{'output': <handle 0>}", for_reading, "memfd, a pipe or a file");
  assert_refused ("{'output': <handle 0>}", device, "memfd, a pipe or a file");
  assert_refused ("{'output': <handle 0>}", setting, "memfd, a pipe or a file");
  assert_refused ("{'output': <handle 0>}", wrong_end, "memfd, a pipe or a file");
  assert_refused ("{'output': <handle 1>}", sealed, "does not carry");
  assert_refused ("{'output': <'file'>}", NULL, "of type h");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/options/none", test_none);
  g_test_add_func ("/options/values", test_values);
  g_test_add_func ("/options/other-kinds", test_other_kinds);
  g_test_add_func ("/options/empty-is-not-absent", test_empty_is_not_absent);
  g_test_add_func ("/options/nonsense", test_nonsense);
  g_test_add_func ("/options/descriptor", test_descriptor);
  g_test_add_func ("/options/descriptor-sizes", test_descriptor_sizes);
  g_test_add_func ("/options/descriptor-that-can-change", test_descriptor_that_can_change);
  g_test_add_func ("/options/descriptor-that-is-no-memfd", test_descriptor_that_is_no_memfd);
  g_test_add_func ("/options/descriptor-that-is-missing", test_descriptor_that_is_missing);
  g_test_add_func ("/options/surplus-descriptor", test_surplus_descriptor);
  g_test_add_func ("/options/strings", test_strings);
  g_test_add_func ("/options/numbers", test_numbers);
  g_test_add_func ("/options/data", test_data);
  g_test_add_func ("/options/pcrs", test_pcrs);
  g_test_add_func ("/options/pcrs-that-are-none", test_pcrs_that_are_none);
  g_test_add_func ("/options/output", test_output);
  g_test_add_func ("/options/output-that-is-refused", test_output_that_is_refused);
  return g_test_run ();
}
