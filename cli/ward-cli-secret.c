/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-secret.h"

#include <fcntl.h>
#include <unistd.h>

#include "ward-cli-term.h"
#include "ward-cli-text.h"
#include "ward-client-prompt.h"

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
  return secret;
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

WardSecret *
ward_cli_secret_ask (WardCli *cli, const char *what, const char *option)
{
  g_autofree char *prompt = localize (g_strdup_printf ("The %s, which is not shown: ", what));
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) secret = ward_client_prompt_secret (prompt, &error);

  if (secret == NULL)
    return fail (cli, error, what, option);
  if (ward_secret_get_size (secret) > 0)
    return g_steal_pointer (&secret);

  ward_cli_print_error ("tpmward: No %s was typed, so nothing was done.", what);
  cli->status = WARD_CLI_AUTH_FAILED;
  return NULL;
}

gboolean
ward_cli_confirm (const char *question)
{
  g_autofree char *prompt = localize (g_strdup_printf ("%s Type “yes” to go on: ", question));

  return isatty (STDIN_FILENO) && ward_client_prompt_confirm (prompt, NULL);
}
