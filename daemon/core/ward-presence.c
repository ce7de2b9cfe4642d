/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-presence.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What a file of sysfs holds at most is a page; the largest of Linux' is 64 KiB. */
#define MAX_SIZE 65536

#define CLEAR 5
#define CLEAR_ENABLE_ACTIVATE 14
#define ENABLE_ACTIVATE_CLEAR_ENABLE_ACTIVATE 22

/* The TCG's words for what the firmware says to an operation, as numbers of tcg_operations. */
#define USER_REQUIRED 3
#define USER_NOT_REQUIRED 4

/* The TCG's answers of the firmware that are none of the TPM's. */
#define USER_ABORT 0xFFFFFFF0
#define FIRMWARE_FAILURE 0xFFFFFFF1
#define MAX_TPM_ERROR 0xFFF

const char *
ward_presence_to_string (WardPresence presence)
{
  static const char *const names[] = { "none", "prompt", "immediate" };

  return names[presence];
}

gboolean
ward_presence_is_tpm_name (const char *name)
{
  const char *number = g_str_has_prefix (name, "tpm") ? name + strlen ("tpm") : "";
  gsize length = strlen (number);

  return length >= 1 && length <= 4 && strspn (number, "0123456789") == length;
}

/* The folder of the TPM. Its name in /sys/class/tpm is a link of the kernel's. */
static int
open_folder (const char *root, const char *tpm)
{
  g_autofree char *path = g_strconcat (root, "/sys/class/tpm/", tpm, NULL);

  if (ward_presence_is_tpm_name (tpm))
    return open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  errno = EINVAL;
  return -1;
}

int
ward_presence_open (const char *root, const char *tpm, const char *file, int flags)
{
  g_autofree char *path = g_strconcat ("ppi/", file, NULL);
  int folder = open_folder (root, tpm);
  int fd, number;

  if (folder < 0)
    return -1;
  fd = openat (folder, path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  number = errno;
  close (folder);
  errno = number;
  return fd;
}

/* All that the descriptor, which is closed, has to say; "" if nothing, too much, or what is no text. */
static char *
read_fd (int fd)
{
  g_autofree char *buffer = NULL;
  gsize size = 0;
  gssize got = 1;

  if (fd < 0)
    return g_strdup ("");
  buffer = g_malloc (MAX_SIZE + 1);
  while (got > 0 && size < MAX_SIZE)
    {
      got = TEMP_FAILURE_RETRY (read (fd, buffer + size, MAX_SIZE - size));
      if (got > 0)
        size += (gsize)got;
    }
  close (fd);
  buffer[size] = '\0';
  return g_strdup (got == 0 && strlen (buffer) == size ? buffer : "");
}

static char *
read_file (const char *root, const char *tpm, const char *file)
{
  return read_fd (ward_presence_open (root, tpm, file, O_RDONLY));
}

static gboolean
is_family_1_2 (const char *root, const char *tpm)
{
  int folder = open_folder (root, tpm);
  g_autofree char *major = NULL;

  if (folder < 0)
    return FALSE;
  major = read_fd (openat (folder, "tpm_version_major", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  close (folder);
  return strcmp (major, "1\n") == 0;
}

/* Takes a number, decimal or with 0x, and what ends it off the text: what is behind. NULL if it is something else. */
static const char *
take_number (const char *text, char ends_with, guint64 *number)
{
  char *end = NULL;

  if (!text || !g_ascii_isdigit (*text))
    return NULL;
  *number = g_ascii_strtoull (text, &end, g_str_has_prefix (text, "0x") ? 16 : 10);
  return *end == ends_with ? end + 1 : NULL;
}

/* What the lines of tcg_operations, such as "5 3: User required", say of the operation. */
static WardPresence
find_operation (char **lines, guint32 wanted)
{
  for (guint i = 0; lines[i]; i++)
    {
      guint64 operation, answer;
      const char *at = take_number (lines[i], ' ', &operation);

      if (!take_number (at, ':', &answer) || operation != wanted)
        continue;
      if (answer == USER_REQUIRED)
        return WARD_PRESENCE_PROMPT;
      return answer == USER_NOT_REQUIRED ? WARD_PRESENCE_IMMEDIATE : WARD_PRESENCE_NONE;
    }
  return WARD_PRESENCE_NONE;
}

/* On a TPM 1.2 a clear alone leaves it switched off (5). */
static void
read_operations (const char *root, const char *tpm, WardPresenceState *state)
{
  static const guint32 of_2_0[] = { CLEAR, 0 };
  static const guint32 of_1_2[] = { ENABLE_ACTIVATE_CLEAR_ENABLE_ACTIVATE, CLEAR_ENABLE_ACTIVATE, 0 };
  const guint32 *wanted = is_family_1_2 (root, tpm) ? of_1_2 : of_2_0;
  g_autofree char *text = read_file (root, tpm, "tcg_operations");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (; *wanted && state->clear == WARD_PRESENCE_NONE; wanted++)
    {
      state->clear = find_operation (lines, *wanted);
      state->clear_operation = state->clear == WARD_PRESENCE_NONE ? 0 : *wanted;
    }
}

guint32
ward_presence_read_pending (const char *root, const char *tpm)
{
  g_autofree char *text = read_file (root, tpm, "request");
  guint64 operation;

  /* some operations are followed by a parameter */
  if (!take_number (text, '\n', &operation) && !take_number (text, ' ', &operation))
    return 0;
  return operation <= G_MAXUINT32 ? (guint32)operation : 0;
}

gboolean
ward_presence_operation_clears (guint32 operation)
{
  static const guint32 clears[] = { CLEAR, CLEAR_ENABLE_ACTIVATE, 21, ENABLE_ACTIVATE_CLEAR_ENABLE_ACTIVATE };

  for (guint i = 0; i < G_N_ELEMENTS (clears); i++)
    if (operation == clears[i])
      return TRUE;
  return FALSE;
}

/* The text is "0: No Recent Request", or like "5 0: Success" or "5 0xFFFFFFF0: User Abort". */
static void
read_response (const char *root, const char *tpm, WardPresenceState *state)
{
  g_autofree char *text = read_file (root, tpm, "response");
  g_autofree char *what = NULL;
  guint64 operation, answer;
  const char *at = take_number (text, ' ', &operation);

  if (!take_number (at, ':', &answer) || operation == 0)
    return;

  if (operation <= G_MAXUINT32 && ward_presence_operation_clears ((guint32)operation))
    what = g_strdup_printf ("to clear the TPM (operation %" G_GUINT64_FORMAT ")", operation);
  else
    what = g_strdup_printf ("for operation %" G_GUINT64_FORMAT, operation);
  state->response_is_failure = answer != 0;
  if (answer == 0)
    state->response = g_strdup_printf ("The firmware has done what the last request %s asked of it.", what);
  else if (answer == USER_ABORT)
    state->response = g_strdup_printf ("The last request %s was not confirmed at the machine, so the firmware did "
                                       "nothing. Ask again, and confirm it during the restart.",
                                       what);
  else if (answer == FIRMWARE_FAILURE)
    state->response = g_strdup_printf ("The firmware failed at the last request %s. Try it in the firmware's setup, "
                                       "or look for an update of the firmware.",
                                       what);
  else if (answer <= MAX_TPM_ERROR)
    state->response = g_strdup_printf (
        "The TPM refused the last request %s to the firmware: error 0x%" G_GINT64_MODIFIER
        "x. Try it in the firmware's setup.",
        what, answer);
  else
    state->response = g_strdup_printf ("The firmware answered the last request %s with an error that has no name: "
                                       "0x%" G_GINT64_MODIFIER "x. Try it in the firmware's setup.",
                                       what, answer);
}

WardPresenceState *
ward_presence_read (const char *root, const char *tpm)
{
  WardPresenceState *state = g_new0 (WardPresenceState, 1);

  read_operations (root, tpm, state);
  state->clear_pending = ward_presence_operation_clears (ward_presence_read_pending (root, tpm));
  read_response (root, tpm, state);
  return state;
}

void
ward_presence_state_free (WardPresenceState *state)
{
  g_free (state->response);
  g_free (state);
}
