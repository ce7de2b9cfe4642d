/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ward-cli-term.h"

void
ward_cli_output_clear (WardCliOutput *self)
{
  g_clear_pointer (&self->path, g_free);
}

gboolean
ward_cli_output_check (WardCli *cli, const WardCliOutput *self)
{
  if (self->raw + self->base64 + self->hex + cli->json > 1)
    cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --raw, --base64, --hex and --json can be given.");
  else if (cli->json && self->path != NULL)
    cli->status = ward_cli_fail_usage (cli, NULL, "Only one of --json and --output can be given.");
  else
    return TRUE;
  return FALSE;
}

static guint8 *
append (guint8 *end, gconstpointer bytes, gsize size)
{
  memcpy (end, bytes, size);
  return end + size;
}

/* Bytes with text before and after them; a new reference. */
static WardSecret *
enclose (const char *before, const guint8 *bytes, gsize size, const char *after)
{
  gsize n_before = strlen (before), n_after = strlen (after);
  WardSecret *whole = ward_secret_new (n_before + size + n_after);
  guint8 *end = append (ward_secret_get_data (whole), before, n_before);

  end = append (end, bytes, size);
  append (end, after, n_after);
  return whole;
}

static WardSecret *
to_hex (WardSecret *bytes, const char *before, const char *after)
{
  static const char digits[] = "0123456789abcdef";
  gsize size = ward_secret_get_size (bytes);
  const guint8 *data = ward_secret_get_data (bytes);
  g_autoptr (WardSecret) hex = ward_secret_new (2 * size);
  guint8 *out = ward_secret_get_data (hex);

  for (gsize i = 0; i < size; i++)
    {
      out[2 * i] = (guint8)digits[data[i] >> 4];
      out[2 * i + 1] = (guint8)digits[data[i] & 0xf];
    }
  return enclose (before, out, 2 * size, after);
}

static WardSecret *
to_base64 (WardSecret *bytes)
{
  gsize size = ward_secret_get_size (bytes);
  /* what g_base64_encode_step () asks for, and g_base64_encode_close () */
  g_autoptr (WardSecret) text = ward_secret_new ((size / 3 + 1) * 4 + 4 + 8);
  char *out = (char *)ward_secret_get_data (text);
  int state = 0, save = 0;
  gsize n = g_base64_encode_step (ward_secret_get_data (bytes), size, FALSE, out, &state, &save);

  n += g_base64_encode_close (FALSE, out + n, &state, &save);
  return enclose ("", (const guint8 *)out, n, "\n");
}

/* Text that does nothing to a terminal but to be read. */
static gboolean
is_text (WardSecret *bytes)
{
  const char *text = (const char *)ward_secret_get_data (bytes);
  const char *end = text + ward_secret_get_size (bytes);

  if (text == end || !g_utf8_validate (text, end - text, NULL))
    return FALSE;
  for (const char *p = text; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c != '\n' && c != '\t' && (g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT))
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_stdout (const WardCliOutput *self)
{
  return self->path == NULL || g_str_equal (self->path, "-");
}

/* As it goes out; a new reference. */
static WardSecret *
format (WardCli *cli, const WardCliOutput *self, WardCliOutputKind kind, WardSecret *bytes)
{
  gboolean on_terminal = is_stdout (self) && isatty (STDOUT_FILENO);
  const guint8 *data = ward_secret_get_data (bytes);
  gsize size = ward_secret_get_size (bytes);

  if (cli->json)
    return to_hex (bytes, "{\n  \"hex\" : \"", "\"\n}\n");
  if (self->hex)
    return to_hex (bytes, "", "\n");
  if (self->base64)
    return to_base64 (bytes);
  if (self->raw || !on_terminal || kind == WARD_CLI_OUTPUT_TEXT)
    return ward_secret_ref (bytes);
  if (kind == WARD_CLI_OUTPUT_SECRET && is_text (bytes))
    return enclose ("", data, size, data[size - 1] == '\n' ? "" : "\n");
  return to_base64 (bytes);
}

static gboolean
write_all (int fd, WardSecret *bytes)
{
  const guint8 *data = ward_secret_get_data (bytes);
  gsize size = ward_secret_get_size (bytes);

  while (size > 0)
    {
      gssize n = write (fd, data, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      size -= (gsize)n;
    }
  return TRUE;
}

static gboolean
fail (WardCli *cli, const char *target, const char *reason)
{
  ward_cli_print_error ("tpmward: Cannot write to %s: %s.", target, reason);
  cli->status = WARD_CLI_FAILURE;
  return FALSE;
}

static gboolean
write_to_stdout (WardCli *cli, WardSecret *bytes)
{
  if (fflush (stdout) != 0 || !write_all (STDOUT_FILENO, bytes))
    return fail (cli, "standard output", g_strerror (errno));
  return TRUE;
}

/* A device or a pipe, which must not be replaced by a file. */
static gboolean
write_to_special (WardCli *cli, const char *path, const char *target, WardSecret *bytes)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  gboolean ok = fd >= 0 && write_all (fd, bytes);
  int number = errno;

  if (fd >= 0)
    close (fd);
  return ok || fail (cli, target, g_strerror (number));
}

static gboolean
write_to_file (WardCli *cli, const char *path, int mode, WardSecret *bytes)
{
  g_autofree char *target = g_strdup_printf ("“%s”", path);
  /* a link stays, and what it points to is replaced */
  g_autofree char *resolved = realpath (path, NULL);
  const char *file = resolved != NULL ? resolved : path;
  g_autoptr (GError) error = NULL;
  const char *reason;
  struct stat status;

  if (stat (file, &status) == 0 && !S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode))
    return write_to_special (cli, file, target, bytes);
  if (g_file_set_contents_full (file, (const char *)ward_secret_get_data (bytes), (gssize)ward_secret_get_size (bytes),
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, mode, &error))
    return TRUE;
  /* GLib names the temporary file first, which nobody knows */
  reason = g_strrstr (error->message, ": ");
  return fail (cli, target, reason != NULL ? reason + 2 : error->message);
}

gboolean
ward_cli_output_write (WardCli *cli, const WardCliOutput *self, WardCliOutputKind kind, WardSecret *bytes)
{
  g_autoptr (WardSecret) formatted = format (cli, self, kind, bytes);

  if (is_stdout (self))
    return write_to_stdout (cli, formatted);
  return write_to_file (cli, self->path, kind == WARD_CLI_OUTPUT_SECRET ? 0600 : 0666, formatted);
}

gboolean
ward_cli_output_write_variant (WardCli *cli, const WardCliOutput *self, WardCliOutputKind kind, GVariant *bytes)
{
  gsize size;
  gconstpointer data = g_variant_get_fixed_array (bytes, &size, 1);
  g_autoptr (WardSecret) copy = ward_secret_new_from (data, size);

  return ward_cli_output_write (cli, self, kind, copy);
}
