/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <locale.h>

#include "ward-config.h"
#include "ward-helper.h"

#define IDLE_EXIT 10

typedef struct
{
  int idle_exit;
  gboolean version;
} Options;

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  const GOptionEntry entries[] = {
    { "idle-exit", 0, 0, G_OPTION_ARG_INT, &options->idle_exit, "End after so long without a call", "SECONDS" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and end", NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context, "Does what needs root for tpmward-daemon, which alone can call it.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;

  if (*argc > 1)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "“%s” is an argument too many", (*argv)[1]);
  else if (options->idle_exit < 1)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--idle-exit takes seconds from 1 upwards");
  else
    return TRUE;
  return FALSE;
}

static gboolean
on_signal (gpointer helper)
{
  ward_helper_leave (helper);
  return G_SOURCE_CONTINUE;
}

/* Serves until there is nothing more to do, a signal ends it, or the bus does; then with error set. */
static gboolean
serve (const Options *options, GError **error)
{
  g_autoptr (GDBusConnection) connection = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (WardHelper) helper = NULL;

  if (!connection)
    return FALSE;

  g_dbus_connection_set_exit_on_close (connection, FALSE);
  helper = ward_helper_new (connection, options->idle_exit);
  g_unix_signal_add (SIGTERM, on_signal, helper);
  g_unix_signal_add (SIGINT, on_signal, helper);
  g_signal_connect_swapped (helper, "ended", G_CALLBACK (g_main_loop_quit), loop);
  g_main_loop_run (loop);

  if (ward_helper_get_trouble (helper))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, ward_helper_get_trouble (helper));
      return FALSE;
    }
  g_dbus_connection_flush_sync (connection, NULL, NULL);
  return TRUE;
}

int
main (int argc, char **argv)
{
  Options options = { .idle_exit = IDLE_EXIT };
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  /* before there are threads: GLib makes itself a locale when it first reads a number, and a thread that waits for
   * another one to do so may be told that its number is none */
  g_ascii_strtoull ("0", NULL, 10);
  if (!parse_options (&options, &argc, &argv, &error))
    {
      g_printerr ("tpmward-helper: %s\n", error->message);
      return 2;
    }
  if (options.version)
    {
      g_print ("tpmward-helper %s\n", WARD_VERSION);
      return 0;
    }
  if (!serve (&options, &error))
    {
      g_printerr ("tpmward-helper: %s\n", error->message);
      return 1;
    }
  return 0;
}
