/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-agent.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOTIFY_FD 3
#define READY_TIMEOUT_MS 10000
#define LOGIND "org.freedesktop.login1"
#define LOGIND_TIMEOUT_MS 5000

struct _WardCliAgent
{
  GSubprocess *process;
};

gboolean
ward_cli_agent_is_useful (void)
{
  return geteuid () != 0 && isatty (STDIN_FILENO);
}

/* Field 22 of /proc/self/stat (proc(5)), by which polkit tells this process from a later one of the same number. */
static char *
get_start_time (GError **error)
{
  g_autofree char *stat = NULL;
  g_auto (GStrv) fields = NULL;
  const char *name_end;

  if (!g_file_get_contents ("/proc/self/stat", &stat, NULL, error))
    return NULL;

  /* The name, in parentheses, may hold spaces; field 3 follows it. */
  name_end = strrchr (stat, ')');
  fields = g_strsplit (name_end != NULL ? name_end + 2 : "", " ", 21);
  if (g_strv_length (fields) < 21)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "/proc/self/stat is not understood");
      return NULL;
    }
  return g_strdup (fields[19]);
}

static void
end_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

/* Whether polkit, for which a user's main session stands in where a process has none, finds a session. */
static gboolean
has_session (GDBusConnection *connection)
{
  g_autoptr (GVariant) user = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) display = NULL;
  const char *path, *id;

  user = g_dbus_connection_call_sync (connection, LOGIND, "/org/freedesktop/login1", LOGIND ".Manager", "GetUser",
                                      g_variant_new ("(u)", getuid ()), G_VARIANT_TYPE ("(o)"),
                                      G_DBUS_CALL_FLAGS_NO_AUTO_START, LOGIND_TIMEOUT_MS, NULL, NULL);
  if (user == NULL)
    return FALSE;

  g_variant_get (user, "(&o)", &path);
  reply = g_dbus_connection_call_sync (connection, LOGIND, path, "org.freedesktop.DBus.Properties", "Get",
                                       g_variant_new ("(ss)", LOGIND ".User", "Display"), G_VARIANT_TYPE ("(v)"),
                                       G_DBUS_CALL_FLAGS_NO_AUTO_START, LOGIND_TIMEOUT_MS, NULL, NULL);
  if (reply == NULL)
    return FALSE;

  g_variant_get (reply, "(v)", &display);
  if (!g_variant_is_of_type (display, G_VARIANT_TYPE ("(so)")))
    return FALSE;
  g_variant_get (display, "(&s&o)", &id, &path);
  return *id != '\0';
}

/* The agent closes its end of the pipe when it is registered, or has failed. */
static void
wait_until_ready (int fd)
{
  struct pollfd closed = { .fd = fd, .events = POLLIN };
  int n;

  do
    n = poll (&closed, 1, READY_TIMEOUT_MS);
  while (n < 0 && errno == EINTR);
}

WardCliAgent *
ward_cli_agent_start (GDBusConnection *connection, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GSubprocess) process = NULL;
  g_autofree char *start_time = get_start_time (error);
  g_autofree char *subject = NULL;
  /* A desktop's dialog comes first. But polkit 122 only ever uses a fallback agent for a subject that has a session. */
  const char *fallback = has_session (connection) ? "--fallback" : NULL;
  WardCliAgent *agent;
  int fds[2];

  if (start_time == NULL || !g_unix_open_pipe (fds, FD_CLOEXEC, error))
    return NULL;

  /* It prompts on the terminal itself; on standard error it would only complain that there is an agent already. */
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_INHERIT | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  subject = g_strdup_printf ("%d,%s", (int)getpid (), start_time);
  g_subprocess_launcher_take_fd (launcher, fds[1], NOTIFY_FD);
  g_subprocess_launcher_set_child_setup (launcher, end_with_parent, NULL, NULL);
  process = g_subprocess_launcher_spawn (launcher, error, "pkttyagent", "--process", subject, "--notify-fd",
                                         G_STRINGIFY (NOTIFY_FD), fallback, NULL);
  g_subprocess_launcher_close (launcher);
  if (process != NULL)
    wait_until_ready (fds[0]);
  close (fds[0]);
  if (process == NULL)
    return NULL;

  agent = g_new0 (WardCliAgent, 1);
  agent->process = g_steal_pointer (&process);
  return agent;
}

void
ward_cli_agent_free (WardCliAgent *agent)
{
  g_subprocess_send_signal (agent->process, SIGTERM);
  g_subprocess_wait (agent->process, NULL, NULL);
  g_object_unref (agent->process);
  g_free (agent);
}
