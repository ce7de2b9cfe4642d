/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The companion's life, and what is said to it. */
#include "ward-tpm12-private.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ward-error.h"

#define PROGRAM "tpmward-tspi"
#define DEFAULT_PORT "30003"

/* glibc then keeps nothing of what is freed, and overwrites it: libtspi copies secrets, and does not wipe all copies.
 */
#define TUNABLES "glibc.malloc.tcache_count=0:glibc.malloc.perturb=90"

/* The companion lies beside the service, where both were built or installed. */
static char *
find_program (GError **error)
{
  g_autofree char *own = g_file_read_link ("/proc/self/exe", error);
  g_autofree char *folder = own ? g_path_get_dirname (own) : NULL;

  return folder ? g_build_filename (folder, PROGRAM, NULL) : NULL;
}

/* "tcsd" or "tcsd:port=NUMBER", which has been checked. */
static GStrv
make_environment (const char *transport)
{
  const char *port = strchr (transport, '=');
  GStrv environment = NULL;

  environment = g_environ_setenv (environment, "LC_ALL", "C.UTF-8", TRUE);
  environment = g_environ_setenv (environment, "GLIBC_TUNABLES", TUNABLES, TRUE);
  environment = g_environ_setenv (environment, "TSS_TCSD_HOSTNAME", "127.0.0.1", TRUE);
  return g_environ_setenv (environment, "TSS_TCSD_PORT", port ? port + 1 : DEFAULT_PORT, TRUE);
}

static gboolean
spawn (WardConnection *connection, const char *transport, int socket, GError **error)
{
  g_autofree char *program = find_program (error);
  g_auto (GStrv) environment = make_environment (transport);
  const char *const arguments[] = { program, NULL };

  return program
         && g_spawn_async_with_pipes_and_fds ("/", arguments, (const char *const *)environment,
                                              G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, socket, STDERR_FILENO,
                                              STDERR_FILENO, NULL, NULL, 0, &connection->pid, NULL, NULL, NULL, error);
}

WardConnection *
ward_tpm12_start (const char *transport, GError **error)
{
  g_autoptr (WardConnection) connection = g_new0 (WardConnection, 1);
  g_autoptr (GError) local_error = NULL;
  int sockets[2];
  gboolean ok;

  connection->socket = -1;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE, "There is no socket for what speaks to tcsd: %s",
                   g_strerror (errno));
      return NULL;
    }
  connection->socket = sockets[0];
  ok = spawn (connection, transport, sockets[1], &local_error);
  close (sockets[1]);
  if (ok)
    return g_steal_pointer (&connection);
  g_set_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE,
               "The program that speaks to tcsd could not be started (%s). Reinstall TPM Ward with support for TPM "
               "1.2.",
               local_error->message);
  return NULL;
}

static void
end (WardConnection *connection)
{
  if (connection->pid)
    {
      kill (connection->pid, SIGKILL);
      while (waitpid (connection->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    }
  connection->pid = 0;
  if (connection->socket >= 0)
    close (connection->socket);
  connection->socket = -1;
}

void
ward_tpm12_stop (WardConnection *connection)
{
  end (connection);
  g_free (connection);
}

static gboolean
is_error_code (guint32 code)
{
  return code <= WARD_ERROR_FAILED;
}

/* What the companion says next, if it is what belongs here: of the kind that is expected and of that type, or a
 * refusal, which becomes the error. */
static WardTpm12Message *
receive (WardConnection *connection, WardTpm12Answer kind, const char *type, gint64 patience, GError **error)
{
  g_autoptr (WardTpm12Message) message = ward_tpm12_message_receive (connection->socket, patience, error);
  const char *text;
  guint32 code;

  if (!message)
    return NULL;
  if (message->kind == kind && g_variant_is_of_type (message->body, G_VARIANT_TYPE (type)))
    return g_steal_pointer (&message);
  if (message->kind == WARD_TPM12_REFUSED && g_variant_is_of_type (message->body, G_VARIANT_TYPE ("(us)")))
    {
      g_variant_get (message->body, "(u&s)", &code, &text);
      if (is_error_code (code))
        {
          g_set_error_literal (error, WARD_ERROR, (int)code, text);
          return NULL;
        }
    }
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "What was received is no answer");
  return NULL;
}

static WardTpm12Message *
exchange (WardConnection *connection, const WardTpm12Message *request, const char *type, gint64 patience,
          GError **error)
{
  g_autoptr (WardTpm12Message) connected = NULL;

  if (!ward_tpm12_message_send (request, connection->socket, error))
    return NULL;
  connected = receive (connection, WARD_TPM12_CONNECTED, "()", WARD_TPM12_CONNECT_PATIENCE, error);
  return connected ? receive (connection, WARD_TPM12_DONE, type, patience, error) : NULL;
}

/* error: NULL for success. Of a call by secrets. */
static void
note_lockout (WardConnection *connection, const GError *error)
{
  if (!error || g_error_matches (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED))
    connection->locked_out = FALSE;
  else if (g_error_matches (error, WARD_ERROR, WARD_ERROR_LOCKED_OUT))
    connection->locked_out = TRUE;
}

WardTpm12Message *
ward_tpm12_call (WardConnection *connection, WardTpm12Act act, GVariant *arguments, WardSecret *const *secrets, guint n,
                 const char *type, gint64 patience, GError **error)
{
  g_autoptr (WardTpm12Message) request = ward_tpm12_message_new (act, arguments);
  g_autoptr (GError) local_error = NULL;
  WardTpm12Message *done;

  for (guint i = 0; i < n; i++)
    request->secrets[i] = secrets[i] ? ward_secret_ref (secrets[i]) : NULL;

  done = exchange (connection, request, type, patience, &local_error);
  if (n > 0)
    note_lockout (connection, local_error);
  if (done)
    return done;
  if (local_error->domain == WARD_ERROR)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  end (connection);
  if (g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_UNREACHABLE,
                         "tcsd, the daemon through which a TPM 1.2 is used, does not answer. See what it is at, with "
                         "“systemctl status tcsd”; “systemctl restart tcsd” starts it anew.");
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_UNREACHABLE,
                 "The program that speaks to tcsd has ended in the middle (%s). Try again.", local_error->message);
  return NULL;
}

gboolean
ward_tpm12_change (WardConnection *connection, WardTpm12Act act, GVariant *arguments, WardSecret *first,
                   WardSecret *second, GError **error)
{
  WardSecret *const secrets[] = { first, second };
  g_autoptr (WardTpm12Message) answer = ward_tpm12_call (connection, act, arguments, secrets, G_N_ELEMENTS (secrets),
                                                         "()", WARD_TPM12_LONG_PATIENCE, error);

  return answer != NULL;
}

WardSecret *
ward_tpm12_reveal (WardConnection *connection, WardTpm12Act act, GVariant *arguments, WardSecret *first,
                   WardSecret *second, GError **error)
{
  WardSecret *const secrets[] = { first, second };
  g_autoptr (WardTpm12Message) answer = ward_tpm12_call (connection, act, arguments, secrets, G_N_ELEMENTS (secrets),
                                                         "()", WARD_TPM12_LONG_PATIENCE, error);

  if (!answer)
    return NULL;
  if (answer->secrets[0])
    return ward_secret_ref (answer->secrets[0]);
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_FAILED, "The TPM has answered nothing. Try again.");
  return NULL;
}
