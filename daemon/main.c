/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "ward-config.h"
#include "ward-inventory.h"
#include "ward-keyring-tpms.h"
#include "ward-openssl-memory.h"
#include "ward-service.h"
#ifdef WARD_WITH_TPM12
#include "ward-tpm12.h"
#endif
#ifdef WARD_WITH_TPM2
#include "ward-tpm2.h"
#endif

/* How long a command that a TPM is at may hold up the end of the process, in microseconds: none is lost by ending
 * earlier. */
#define GRACE_USEC (2 * G_USEC_PER_SEC)

/* How many events are still taken in at the end: replies are among them, and so may be a hostile caller's calls without
 * end. */
#define LAST_SOURCES 10000

static const WardBackend *const backends[] = {
#ifdef WARD_WITH_TPM2
  &ward_tpm2_backend,
#endif
#ifdef WARD_WITH_TPM12
  &ward_tpm12_backend,
#endif
  NULL,
};

typedef struct
{
  char **tpms;
  char *config_path;
  char *state_dir;
  int idle_exit;
  gboolean no_discovery;
  gboolean version;
} Options;

static void
options_clear (Options *options)
{
  g_strfreev (options->tpms);
  g_free (options->config_path);
  g_free (options->state_dir);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  const GOptionEntry entries[] = {
    { "tpm", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->tpms,
      "Serve the TPM 2.0 at TCTI, or the TPM 1.2 of tcsd, under NAME (repeatable)", "NAME=TCTI|tcsd" },
    { "no-discovery", 0, 0, G_OPTION_ARG_NONE, &options->no_discovery, "Do not look for this machine's TPMs", NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config_path, "Read FILE instead of " WARD_CONFIG_FILE, "FILE" },
    { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->state_dir, "Keep state in DIR instead of " WARD_STATE_DIR,
      "DIR" },
    { "idle-exit", 0, 0, G_OPTION_ARG_INT, &options->idle_exit, "End after so long without a client", "SECONDS" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version and end", NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context, "Serves this machine's TPMs on the system bus as org.tpmward1.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;

  if (*argc > 1)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "“%s” is an argument too many", (*argv)[1]);
  else if (options->idle_exit < 0)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--idle-exit takes seconds from 0 upwards");
  else
    return TRUE;
  return FALSE;
}

static WardConfig *
read_config (const Options *options, GError **error)
{
  g_autoptr (WardConfig) config = ward_config_load (options->config_path ? options->config_path : WARD_CONFIG_FILE,
                                                    error);

  if (!config)
    return NULL;

  for (char **tpm = options->tpms; tpm && *tpm; tpm++)
    if (!ward_config_add_tpm (config, *tpm, error))
      return NULL;
  if (options->no_discovery)
    config->discover = FALSE;
  return g_steal_pointer (&config);
}

/* systemd also sends SIGTERM when the idle service gives its name back: calls that it still answers are not cut off by
 * that. */
static gboolean
on_signal (gpointer service)
{
  ward_service_leave (service);
  return G_SOURCE_CONTINUE;
}

/* Serves until there is nothing more to do, a signal ends it, or the bus does; then with error set. */
static gboolean
serve (const WardConfig *config, const Options *options, GError **error)
{
  g_autoptr (GDBusConnection) connection = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  const char *state_dir = options->state_dir ? options->state_dir : WARD_STATE_DIR;
  g_autoptr (WardKeyring) keyring = NULL;
  g_autoptr (WardInventory) inventory = NULL;
  g_autoptr (WardService) service = NULL;
  gboolean workers_left;
  gboolean ok = TRUE;

  if (!connection)
    return FALSE;

  g_dbus_connection_set_exit_on_close (connection, FALSE);
  keyring = ward_keyring_new (state_dir, NULL);
  inventory = ward_inventory_new (backends, state_dir);
  ward_keyring_follow (keyring, inventory);
  ward_inventory_start (inventory, config);
  service = ward_service_new (connection, inventory, keyring, options->idle_exit);
  g_unix_signal_add (SIGTERM, on_signal, service);
  g_unix_signal_add (SIGINT, on_signal, service);
  g_signal_connect_swapped (service, "ended", G_CALLBACK (g_main_loop_quit), loop);
  g_main_loop_run (loop);

  if (ward_service_get_trouble (service))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, ward_service_get_trouble (service));
      ok = FALSE;
    }
  ward_inventory_stop (inventory);
  workers_left = !ward_worker_wait_all (GRACE_USEC);
  for (guint i = 0; i < LAST_SOURCES && g_main_context_iteration (NULL, FALSE); i++)
    ;
  ward_keyring_save_uses (keyring);
  g_dbus_connection_flush_sync (connection, NULL, NULL);
  if (workers_left)
    {
      /* its thread must not find the libraries torn down */
      g_message ("A TPM is still at a command; it is left to it");
      _exit (ok ? 0 : 1);
    }
  return ok;
}

int
main (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (WardConfig) config = NULL;
  g_autoptr (GError) error = NULL;

  if (!ward_openssl_wipe_memory ())
    g_warning ("OpenSSL does not wipe its memory");
  setlocale (LC_ALL, "");
  /* before there are threads: GLib makes itself a locale when it first reads a number, and a thread that waits for
   * another one to do so may be told that its number is none */
  g_ascii_strtoull ("0", NULL, 10);
  /* a TPM's socket that closes is an error of the call, not the end of the service */
  signal (SIGPIPE, SIG_IGN);
  /* the library's own log repeats our errors in words that are no help to anybody; before there are threads */
  g_setenv ("TSS2_LOG", "all+none", FALSE);

  if (!parse_options (&options, &argc, &argv, &error))
    {
      g_printerr ("tpmward-daemon: %s\n", error->message);
      return 2;
    }
  if (options.version)
    {
      g_print ("tpmward-daemon %s\n", WARD_VERSION);
      return 0;
    }

  config = read_config (&options, &error);
  if (!config || !serve (config, &options, &error))
    {
      g_printerr ("tpmward-daemon: %s\n", error->message);
      return 1;
    }
  return 0;
}
