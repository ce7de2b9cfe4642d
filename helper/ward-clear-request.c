/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-clear-request.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ward-error.h"
#include "ward-presence.h"

/* The operation that stands for none: asking for it withdraws what was asked for. */
#define NOTHING 0

static gboolean
check_tpm (const char *root, const char *tpm, GError **error)
{
  g_autofree char *path = g_strconcat (root, "/sys/class/tpm/", tpm, NULL);

  if (!ward_presence_is_tpm_name (tpm))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "“%.40s” is no name of a TPM. The kernel calls them tpm0, tpm1 and so on.", tpm);
      return FALSE;
    }
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
               "The kernel drives no TPM “%s” now. /sys/class/tpm shows which it does.", tpm);
  return FALSE;
}

static gboolean
fail_to_ask (const char *tpm, int number, GError **error)
{
  if (number == EPERM) /* the kernel's word for the firmware's “not implemented” */
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "The firmware does not take this request for %s. Clear the TPM in the firmware's setup instead.", tpm);
  else if (number == EROFS) /* what the unit lets the helper write to is settled at its start */
    g_set_error (error, WARD_ERROR, WARD_ERROR_BUSY, "%s has appeared just now. Try again in a minute.", tpm);
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
                 "The firmware could not be asked about %s: %s. Clear the TPM in the firmware's setup instead.", tpm,
                 g_strerror (number));
  return FALSE;
}

/* Whether the descriptor leads to the kernel, and to no file that was put in the way. */
static gboolean
is_kernels (int fd)
{
  struct statfs is;

  return fstatfs (fd, &is) == 0 && is.f_type == SYSFS_MAGIC;
}

static gboolean
ask (const char *root, const char *tpm, guint32 operation, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%u\n", operation);
  int fd = ward_presence_open (root, tpm, "request", O_WRONLY);
  gssize written;
  int number;

  if (fd < 0)
    return fail_to_ask (tpm, errno, error);
  if (*root == '\0' && !is_kernels (fd))
    {
      close (fd);
      return fail_to_ask (tpm, ENOTSUP, error);
    }
  written = TEMP_FAILURE_RETRY (write (fd, text, strlen (text)));
  number = errno;
  close (fd);
  return written >= 0 || fail_to_ask (tpm, number, error);
}

/* Asks, and looks whether it is what waits now. If it is not, nothing is left waiting. */
static gboolean
ask_and_verify (const char *root, const char *tpm, guint32 operation, GError **error)
{
  if (!ask (root, tpm, operation, error))
    return FALSE;
  if (ward_presence_read_pending (root, tpm) == operation)
    {
      g_message ("Physical presence: asked the firmware for operation %u on %s", operation, tpm);
      return TRUE;
    }
  if (operation != NOTHING)
    ask (root, tpm, NOTHING, NULL);
  g_set_error (error, WARD_ERROR, WARD_ERROR_FAILED,
               "The firmware took the request for %s, but does not show it. Look into the firmware's setup at the next "
               "restart.",
               tpm);
  return FALSE;
}

guint32
ward_clear_request_make (const char *root, const char *tpm, GError **error)
{
  g_autoptr (WardPresenceState) state = NULL;
  guint32 pending;

  if (!check_tpm (root, tpm, error))
    return 0;

  state = ward_presence_read (root, tpm);
  pending = ward_presence_read_pending (root, tpm);
  if (state->clear == WARD_PRESENCE_NONE)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "The firmware of this machine takes no request to clear %s. Clear the TPM in the firmware's setup "
                 "instead.",
                 tpm);
  else if (pending != NOTHING && !ward_presence_operation_clears (pending))
    g_set_error (error, WARD_ERROR, WARD_ERROR_BUSY,
                 "Another request to the firmware (operation %u) waits for the restart, and there can be but one. "
                 "Restart the machine first.",
                 pending);
  else if (ask_and_verify (root, tpm, state->clear_operation, error))
    return state->clear_operation;
  return 0;
}

gboolean
ward_clear_request_withdraw (const char *root, const char *tpm, GError **error)
{
  if (!check_tpm (root, tpm, error))
    return FALSE;
  if (ward_presence_operation_clears (ward_presence_read_pending (root, tpm)))
    return ask_and_verify (root, tpm, NOTHING, error);
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND, "No request to clear %s waits for the restart.", tpm);
  return FALSE;
}
