/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ward-client-error.h"

/* Those that a terminal sends, and what ends a process in an orderly way. After SIGCONT a shell may have changed the
 * terminal. */
static const int caught[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT };

typedef struct
{
  int fd;
  gboolean hide;
  struct termios modes; /* to be restored */
  struct sigaction actions[G_N_ELEMENTS (caught)];
} Terminal;

/* GDBus has threads, and a signal may come to any of them: a pipe wakes the one that waits. */
static int signal_pipe[2] = { -1, -1 };

static void
on_signal (int number)
{
  int saved_errno = errno;
  guint8 byte = (guint8)number;
  gssize ignored = write (signal_pipe[1], &byte, 1);

  (void)ignored;
  errno = saved_errno;
}

static gboolean
fail (GError **error, WardClientErrorCode code, const char *message)
{
  g_set_error_literal (error, WARD_CLIENT_ERROR, (int)code, message);
  return FALSE;
}

static void
clear_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
terminal_close (Terminal *terminal)
{
  clear_fd (&terminal->fd);
  clear_fd (&signal_pipe[0]);
  clear_fd (&signal_pipe[1]);
}

static gboolean
terminal_open (Terminal *terminal, gboolean hide, GError **error)
{
  terminal->hide = hide;
  terminal->fd = open ("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal->fd < 0 || tcgetattr (terminal->fd, &terminal->modes) != 0)
    {
      terminal_close (terminal);
      return fail (error, WARD_CLIENT_ERROR_FAILED, "There is no terminal to ask on.");
    }
  if (pipe2 (signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
    {
      g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED, "There is no way to ask on the terminal: %s.",
                   g_strerror (errno));
      terminal_close (terminal);
      return FALSE;
    }
  return TRUE;
}

static void
terminal_write (Terminal *terminal, const char *text)
{
  gsize size = strlen (text);

  while (size > 0)
    {
      gssize n = write (terminal->fd, text, size);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return;
      text += n;
      size -= (gsize)n;
    }
}

static void
set_modes (Terminal *terminal, int when, const struct termios *modes)
{
  while (tcsetattr (terminal->fd, when, modes) != 0 && errno == EINTR)
    continue;
}

/* Signals first: from here on none leaves the terminal without its echo. */
static void
terminal_enter (Terminal *terminal)
{
  struct termios modes = terminal->modes;
  struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

  sigemptyset (&action.sa_mask);
  for (gsize i = 0; i < G_N_ELEMENTS (caught); i++)
    {
      sigaction (caught[i], NULL, &terminal->actions[i]);
      if (terminal->actions[i].sa_handler != SIG_IGN)
        sigaction (caught[i], &action, NULL);
    }
  if (terminal->hide)
    modes.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
  set_modes (terminal, TCSAFLUSH, &modes);
}

static void
terminal_leave (Terminal *terminal)
{
  /* in the background it is somebody else's terminal, and to change it would stop us */
  if (tcgetpgrp (terminal->fd) == getpgrp ())
    set_modes (terminal, TCSADRAIN, &terminal->modes);
  for (gsize i = 0; i < G_N_ELEMENTS (caught); i++)
    sigaction (caught[i], &terminal->actions[i], NULL);
}

/* Waits until a line can be read, and returns 0, or a signal has come, and returns its number. */
static int
terminal_wait (Terminal *terminal)
{
  struct pollfd fds[] = { { .fd = terminal->fd, .events = POLLIN }, { .fd = signal_pipe[0], .events = POLLIN } };
  guint8 number;

  while (poll (fds, G_N_ELEMENTS (fds), -1) < 0 && errno == EINTR)
    continue;
  return fds[1].revents != 0 && read (signal_pipe[0], &number, 1) == 1 ? number : 0;
}

/* What came of waiting for a line. */
typedef enum
{
  LINE,
  END_OF_INPUT,
  TOO_LONG,
  SIGNAL,
} Outcome;

/* Fills buffer, of WARD_CLIENT_PROMPT_MAX + 1 bytes, with a line without its end. */
static Outcome
read_line (Terminal *terminal, guint8 *buffer, gsize *length, int *number)
{
  gsize size = 0;

  while (size <= WARD_CLIENT_PROMPT_MAX)
    {
      gssize n;

      *number = terminal_wait (terminal);
      if (*number != 0)
        return SIGNAL;
      n = read (terminal->fd, buffer + size, WARD_CLIENT_PROMPT_MAX + 1 - size);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0 && size == 0)
        return END_OF_INPUT;
      size += n > 0 ? (gsize)n : 0;
      if (n > 0 && buffer[size - 1] != '\n')
        continue;
      *length = n > 0 ? size - 1 : size;
      return LINE;
    }
  tcflush (terminal->fd, TCIFLUSH);
  return TOO_LONG;
}

/* Sends the signal, if there was one, once more, and those that came after it, now that they do what they always did.
 */
static void
deliver (int number)
{
  guint8 next;

  if (number != 0 && number != SIGCONT)
    raise (number);
  while (read (signal_pipe[0], &next, 1) == 1)
    if (next != SIGCONT)
      raise (next);
}

static Outcome
ask_until_continued (Terminal *terminal, const char *prompt, guint8 *buffer, gsize *length)
{
  Outcome outcome;
  int number;

  do
    {
      number = 0;
      terminal_enter (terminal);
      terminal_write (terminal, prompt);
      outcome = read_line (terminal, buffer, length, &number);
      if (terminal->hide || outcome != LINE)
        terminal_write (terminal, "\n");
      terminal_leave (terminal);
      deliver (number);
    }
  while (outcome == SIGNAL && (number == SIGTSTP || number == SIGCONT));
  return outcome;
}

static WardSecret *
ask (const char *prompt, gboolean hide, GError **error)
{
  g_autoptr (WardSecret) buffer = ward_secret_new (WARD_CLIENT_PROMPT_MAX + 1);
  Terminal terminal = { 0 };
  gsize length = 0;
  Outcome outcome;

  if (!terminal_open (&terminal, hide, error))
    return NULL;
  outcome = ask_until_continued (&terminal, prompt, ward_secret_get_data (buffer), &length);
  terminal_close (&terminal);

  switch (outcome)
    {
    case LINE:
      return ward_secret_new_from (ward_secret_get_data (buffer), length);
    case TOO_LONG:
      fail (error, WARD_CLIENT_ERROR_INVALID_ARGUMENT, "That is too long: at most 1024 bytes can be typed.");
      return NULL;
    case END_OF_INPUT:
    case SIGNAL:
    default:
      fail (error, WARD_CLIENT_ERROR_CANCELLED, "The question on the terminal was not answered.");
      return NULL;
    }
}

WardSecret *
ward_client_prompt_secret (const char *prompt, GError **error)
{
  return ask (prompt, TRUE, error);
}

gboolean
ward_client_prompt_confirm (const char *question, const char *answer, GError **error)
{
  g_autoptr (WardSecret) typed = ask (question, FALSE, error);

  return typed != NULL && ward_secret_get_size (typed) == strlen (answer)
         && memcmp (ward_secret_get_data (typed), answer, strlen (answer)) == 0;
}
