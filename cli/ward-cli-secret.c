/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-secret.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ward-cli-input.h"
#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-prompt.h"

/* How often new secrets that do not fit may be typed. */
#define N_TRIES 3

static void
warn_of_line_end (WardSecret *secret, const char *option)
{
  gsize size = ward_secret_get_size (secret);

  if (size > 0 && ward_secret_get_data (secret)[size - 1] == '\n')
    ward_cli_print_error ("Careful: the secret that %s gave ends in a line's end, which counts as part of it.", option);
}

WardSecret *
ward_cli_secret_read (WardCli *cli, const char *option, const char *text)
{
  g_autoptr (GError) error = NULL;
  WardSecret *secret;
  guint64 number;
  int fd;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT, &number, NULL) || fcntl ((int)number, F_GETFD) < 0)
    {
      cli->status = ward_cli_fail_usage (cli, NULL, "%s is the number of an open file descriptor, which “%s” is not.",
                                         option, text);
      return NULL;
    }
  fd = (int)number;
  if (isatty (fd))
    {
      cli->status = ward_cli_fail_usage (
          cli, NULL, "%s names a terminal, which would show the secret. Without %s it is asked for.", option, option);
      return NULL;
    }

  secret = ward_client_secret_read (fd, &error);
  if (fd > STDERR_FILENO)
    close (fd);
  if (secret == NULL)
    cli->status = ward_cli_fail (error);
  else
    warn_of_line_end (secret, option);
  return secret;
}

WardSecret *
ward_cli_secret_read_file (WardCli *cli, const char *option, const char *path)
{
  g_autofree char *what = g_strdup_printf ("secret of %s", option);
  WardSecret *secret = ward_cli_input_read (cli, path, WARD_CLIENT_AUTH_MAX, what);

  if (secret != NULL)
    warn_of_line_end (secret, option);
  return secret;
}

static gboolean
is_stdin (const char *path)
{
  return path == NULL || g_str_equal (path, "-");
}

gboolean
ward_cli_secret_check_stdin (WardCli *cli, const char *password_file, const char *path)
{
  if (password_file == NULL || !is_stdin (password_file) || !is_stdin (path))
    return TRUE;
  cli->status = ward_cli_fail_usage (cli, NULL,
                                     "Not both the password and the data can come from standard input. Give one of "
                                     "them by a file.");
  return FALSE;
}

/* The prompt in the terminal's letters. */
static char *
localize (char *prompt)
{
  g_autofree char *owned = prompt;

  return g_get_charset (NULL) ? g_steal_pointer (&owned) : ward_cli_text_to_ascii (owned);
}

static WardSecret *
fail (WardCli *cli, const GError *error, const char *what, const char *option)
{
  if (g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED))
    ward_cli_print_error ("tpmward: The %s is needed. %s Give it by %s.", what, error->message, option);
  else
    ward_cli_print_error ("tpmward: %s", error->message);
  cli->status = WARD_CLI_AUTH_FAILED;
  return NULL;
}

static WardSecret *
ask (WardCli *cli, char *prompt, const char *what, const char *option)
{
  g_autofree char *localized = localize (prompt);
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) secret = ward_client_prompt_secret (localized, &error);

  if (secret == NULL)
    return fail (cli, error, what, option);
  if (ward_secret_get_size (secret) > 0)
    return g_steal_pointer (&secret);

  ward_cli_print_error ("tpmward: No %s was typed, so nothing was done.", what);
  cli->status = WARD_CLI_AUTH_FAILED;
  return NULL;
}

WardSecret *
ward_cli_secret_ask (WardCli *cli, const char *what, const char *option)
{
  return ask (cli, g_strdup_printf ("The %s, which is not shown: ", what), what, option);
}

static gboolean
are_equal (WardSecret *a, WardSecret *b)
{
  gsize size = ward_secret_get_size (a);

  return size == ward_secret_get_size (b) && memcmp (ward_secret_get_data (a), ward_secret_get_data (b), size) == 0;
}

WardSecret *
ward_cli_secret_ask_new (WardCli *cli, const char *what, const char *option, gsize max_size)
{
  for (guint i = 0; i < N_TRIES; i++)
    {
      g_autoptr (WardSecret) secret = ask (cli, g_strdup_printf ("The new %s, which is not shown: ", what), what,
                                           option);
      g_autoptr (WardSecret) again = NULL;

      if (secret == NULL)
        return NULL;
      if (max_size > 0 && ward_secret_get_size (secret) > max_size)
        {
          ward_cli_print_error ("That is too long: this TPM takes at most %" G_GSIZE_FORMAT " bytes.", max_size);
          continue;
        }
      again = ask (cli, g_strdup_printf ("The new %s once more: ", what), what, option);
      if (again == NULL)
        return NULL;
      if (are_equal (secret, again))
        return g_steal_pointer (&secret);
      ward_cli_print_error ("The two differ.");
    }

  ward_cli_print_error ("tpmward: No %s came of %d tries, so nothing was done.", what, N_TRIES);
  cli->status = WARD_CLI_AUTH_FAILED;
  return NULL;
}

gboolean
ward_cli_secret_pack (WardSecret *secret, const char *name, GVariantDict *options, GUnixFDList *fds, GError **error)
{
  return secret == NULL || ward_secret_get_size (secret) == 0
         || ward_client_secret_add (secret, name, options, fds, error);
}

gboolean
ward_cli_confirm (const char *question)
{
  g_autofree char *prompt = g_strdup_printf ("%s Type “yes” to go on: ", question);

  return ward_cli_confirm_by (prompt, "yes");
}

gboolean
ward_cli_confirm_by (const char *question, const char *answer)
{
  g_autofree char *prompt = localize (g_strdup (question));

  return isatty (STDIN_FILENO) && ward_client_prompt_confirm (prompt, answer, NULL);
}
