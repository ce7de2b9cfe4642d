/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a person sees when the service, the bus or the TPM goes, and when it comes back. */
#include "gui-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ward-gui-call.h"
#include "ward-gui-moments.h"

#define CONNECTING "Looking for the TPM"

static char *
sandbox_path (const char *name)
{
  return g_build_filename (g_getenv ("TPMWARD_SANDBOX"), name, NULL);
}

static void
run (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_spawn_check_wait_status (status, &error);
  g_assert_no_error (error);
}

/* Hides a file of the sandbox's, or shows it again. */
static void
set_hidden (const char *name, gboolean is_hidden)
{
  g_autofree char *path = sandbox_path (name);
  g_autofree char *hidden = g_strconcat (path, ".hidden", NULL);

  g_assert_no_errno (is_hidden ? g_rename (path, hidden) : g_rename (hidden, path));
}

static void
reload_bus (void)
{
  const char *const argv[] = {
    "busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ReloadConfig", NULL
  };

  run (argv);
}

static void
kill_service (void)
{
  gui_signal_part ("daemon", SIGKILL);
}

/* The service's next start is with these arguments, one on a line, instead of the usual ones. */
static void
arrange_next_start (const char *arguments)
{
  g_autofree char *path = sandbox_path ("daemon.next");
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, arguments, -1, &error);
  g_assert_no_error (error);
}

static gboolean
has_new_chip (GuiFixture *fixture, WardGuiChip *old)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);

  return chip != NULL && chip != old && !ward_gui_chip_is_gone (chip);
}

static void
count (int *n)
{
  (*n)++;
}

static GtkWidget *
find_type (GtkWidget *widget, GType type)
{
  GtkWidget *found = g_type_is_a (G_OBJECT_TYPE (widget), type) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_type (child, type);
  return found;
}

/* The page stays, and nothing else is shown in between: the chip becomes the new one at once. */
static void
test_restart (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  GtkWidget *moments = find_type (GTK_WIDGET (fixture->window), WARD_GUI_TYPE_MOMENTS);
  int n_changes = 0;

  gui_show_page (fixture, "storage");
  g_signal_connect_swapped (moments, "notify::chip", G_CALLBACK (count), &n_changes);
  kill_service ();
  gui_wait_until (ward_gui_chip_is_gone (old));
  g_assert_true (ward_gui_window_get_chip (fixture->window) == old);
  gui_wait_until (has_new_chip (fixture, old));
  g_assert_cmpint (n_changes, ==, 1);
  g_assert_nonnull (gui_find_text (NULL, "Storage"));
  g_assert_cmpstr (ward_gui_chip_get_name (ward_gui_window_get_chip (fixture->window)), ==, "tpm0");
  g_signal_handlers_disconnect_by_data (moments, &n_changes);
}

/* How long it takes until there is another one. */
static double
kill_and_wait (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  g_autoptr (GTimer) timer = g_timer_new ();

  kill_service ();
  gui_wait_until (has_new_chip (fixture, old));
  return g_timer_elapsed (timer, NULL);
}

/* One that ends again and again is not started as fast as the machine can. */
static void
test_ends_again_and_again (GuiFixture *fixture)
{
  double first = kill_and_wait (fixture);
  double second = kill_and_wait (fixture);
  double third = kill_and_wait (fixture);

  g_assert_cmpfloat (first, <, second);
  g_assert_cmpfloat (second, >=, 1);
  g_assert_cmpfloat (third, >=, 2);
}

static void
test_call_under_way (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (fixture->window), ward_gui_chip_get_tpm (old),
                                                    "GetRandom", g_variant_new ("(u)", 16), "Waiting…");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  gui_signal_part ("swtpm", SIGSTOP);
  ward_gui_call_start_async (call, gui_on_result, &result);
  gui_wait_for_text (NULL, "Waiting…");
  kill_service ();
  gui_wait_until (result != NULL);
  gui_signal_part ("swtpm", SIGCONT);
  reply = ward_gui_call_start_finish (call, result, &error);
  g_assert_null (reply);
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_SERVICE_FAILED);
  g_assert_nonnull (strstr (error->message, "ended before it answered"));
  gui_wait_until (has_new_chip (fixture, old));
}

/* A page that still has the old chip is not told that the service is not installed. */
static void
test_call_of_gone_chip (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  kill_service ();
  gui_wait_until (has_new_chip (fixture, old));
  ward_client_call_async (ward_gui_chip_get_nv (old), "List", NULL, NULL, WARD_CLIENT_CALL_NONE, NULL, gui_on_result,
                          &result);
  gui_wait_until (result != NULL);
  reply = ward_client_call_finish (ward_gui_chip_get_nv (old), result, &error);
  g_assert_null (reply);
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_SERVICE_FAILED);
}

/* It says so, keeps trying, and tries at once when it is told to. */
static void
test_not_starting (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));

  gui_show_page (fixture, "boot");
  set_hidden ("launch-daemon", TRUE);
  kill_service ();
  gui_wait_for_text (NULL, "The TPM Ward Service Does Not Start");
  gui_wait_for_text (NULL, "journalctl -u tpmward");
  g_assert_null (ward_gui_window_get_chip (fixture->window));
  g_assert_nonnull (gui_find_button (NULL, "Main Menu"));
  gui_click (gui_wait_for_button (NULL, "Copy Details"));
  {
    g_autofree char *copied = gui_dup_clipboard (fixture);

    g_assert_nonnull (strstr (copied, "could not be started"));
  }
  set_hidden ("launch-daemon", FALSE);
  gui_click (gui_wait_for_button (NULL, "Try Again"));
  gui_wait_until (has_new_chip (fixture, old));
  gui_wait_for_text (NULL, "Boot State");
}

static void
test_not_installed (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));

  set_hidden ("services/org.tpmward1.service", TRUE);
  reload_bus ();
  kill_service ();
  gui_wait_for_text (NULL, "TPM Ward Is Not Installed");
  gui_wait_for_text (NULL, "Install the package");
  set_hidden ("services/org.tpmward1.service", FALSE);
  reload_bus ();
  /* without anybody's doing */
  gui_wait_until (has_new_chip (fixture, old));
}

static void
set_denied (gboolean is_denied)
{
  static const char end[] = "</busconfig>";
  static const char rule[]
      = "<policy context=\"mandatory\"><deny send_destination=\"org.tpmward1\"/></policy></busconfig>";
  g_autofree char *path = sandbox_path ("bus.conf");
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *changed = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  parts = g_strsplit (text, is_denied ? end : rule, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  changed = g_strjoinv (is_denied ? rule : end, parts);
  g_assert_true (g_file_set_contents (path, changed, -1, NULL));
  reload_bus ();
}

static void
test_denied (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));

  set_denied (TRUE);
  kill_service ();
  gui_wait_for_text (NULL, "The System Does Not Let You Use TPM Ward");
  set_denied (FALSE);
  gui_click (gui_wait_for_button (NULL, "Try Again"));
  gui_wait_until (has_new_chip (fixture, old));
}

static void
close_connection (GuiFixture *fixture)
{
  WardClient *client = ward_gui_machine_get_client (fixture->machine);

  g_dbus_connection_close (ward_client_get_connection (client), NULL, NULL, NULL);
}

static void
test_bus_lost (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  g_autofree char *address = g_strdup (g_getenv ("DBUS_SYSTEM_BUS_ADDRESS"));

  close_connection (fixture);
  gui_wait_until (ward_gui_chip_is_gone (old));
  g_assert_true (ward_gui_window_get_chip (fixture->window) == old);
  gui_wait_until (has_new_chip (fixture, old));

  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", TRUE);
  close_connection (fixture);
  gui_wait_for_text (NULL, "The System Bus Does Not Answer");
  g_assert_null (ward_gui_machine_get_client (fixture->machine));
  if (address != NULL)
    g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", address, TRUE);
  else
    g_unsetenv ("DBUS_SYSTEM_BUS_ADDRESS");
  gui_click (gui_wait_for_button (NULL, "Try Again"));
  gui_wait_until (has_new_chip (fixture, old));
}

/* A service that takes its time: first what was there stays, and then there is a word of it. */
static void
test_slow_start (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  g_autofree char *path = sandbox_path ("launch-daemon");
  g_autofree char *fifo = g_strconcat (path, ".fifo", NULL);
  const char *script = "#!/bin/sh\ncat \"$0.fifo\"\nexec \"$0.hidden\"\n";
  int fd;

  set_hidden ("launch-daemon", TRUE);
  g_assert_true (g_file_set_contents_full (path, script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_assert_no_errno (mkfifo (fifo, 0600));
  kill_service ();
  gui_wait_until (ward_gui_chip_is_gone (old));
  g_assert_null (gui_find_text (NULL, CONNECTING));
  gui_wait_for_text (NULL, CONNECTING);
  g_assert_null (ward_gui_window_get_chip (fixture->window));
  fd = open (fifo, O_WRONLY | O_CLOEXEC); /* and the script goes on */
  g_assert_no_errno (fd);
  close (fd);
  gui_wait_until (has_new_chip (fixture, old));
  gui_wait_until (gui_find_text (NULL, CONNECTING) == NULL);
  set_hidden ("launch-daemon", FALSE);
  g_assert_no_errno (g_unlink (fifo));
}

static void
test_no_tpm (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));

  arrange_next_start ("--state-dir\n/var/lib/tpmward\n--no-discovery\n");
  kill_service ();
  gui_wait_for_text (NULL, "No TPM Was Found");
  g_assert_cmpint (ward_gui_machine_get_state (fixture->machine), ==, WARD_GUI_MACHINE_NO_TPM);
  gui_wait_for_text (NULL, ward_gui_machine_get_error (fixture->machine)->message);
  g_assert_null (ward_gui_window_get_chip (fixture->window));
  gui_wait_for_text (NULL, "What the Doctor Has Found");
  kill_service ();
  gui_wait_until (has_new_chip (fixture, old));
  gui_wait_until (gui_find_text (NULL, "No TPM Was Found") == NULL);
}

static void
test_tpm_gone_and_back (GuiFixture *fixture)
{
  g_autofree char *start = sandbox_path ("start-swtpm");
  const char *const argv[] = { start, NULL };
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);

  gui_show_page (fixture, "storage");
  gui_signal_part ("swtpm", SIGKILL);
  gui_wait_for_text (NULL, "The TPM does not answer");
  gui_wait_for_text (NULL, "Start it again");
  /* what is known of it stays to be seen */
  g_assert_true (ward_gui_window_get_chip (fixture->window) == chip);
  gui_click (gui_wait_for_button (NULL, "Doctor"));
  gui_wait_until (find_type (GTK_WIDGET (fixture->window), g_type_from_name ("WardGuiDoctorPage")) != NULL);
  /* where the page says it large, it is not said twice */
  gui_show_page (fixture, "overview");
  gui_wait_for_text (NULL, "Your TPM Does Not Answer");
  g_assert_null (gui_find_text (NULL, "The TPM does not answer"));
  gui_show_page (fixture, "keys");
  gui_wait_for_text (NULL, "The TPM does not answer");
  run (argv);
  gui_wait_until (gui_find_text (NULL, "The TPM does not answer") == NULL);
}

/* A second software TPM, with a socket that the service may use. */
static GPid
start_second_tpm (void)
{
  g_autofree char *folder = sandbox_path ("swtpm/second");
  g_autofree char *state = g_strconcat ("dir=", folder, NULL);
  g_autofree char *socket = sandbox_path ("second.sock");
  g_autofree char *server = g_strdup_printf ("type=unixio,path=%s,mode=0666", socket);
  g_autofree char *control = g_strdup_printf ("type=unixio,path=%s.ctrl,mode=0666", socket);
  const char *const argv[] = {
    "swtpm",    "socket", "--tpm2", "--tpmstate", state, "--flags", "not-need-init,startup-clear",
    "--server", server,   "--ctrl", control,      NULL
  };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_assert_no_errno (g_mkdir_with_parents (folder, 0700));
  g_spawn_async (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  gui_wait_until (g_file_test (socket, G_FILE_TEST_EXISTS));
  return pid;
}

static void
arrange_two_tpms (void)
{
  g_autofree char *arguments = g_strdup_printf (
      "--state-dir\n/var/lib/tpmward\n--no-discovery\n--tpm\ntpm0=swtpm:path=%s/swtpm.sock\n"
      "--tpm\ntpm1=swtpm:path=%s/second.sock\n",
      g_getenv ("TPMWARD_SANDBOX"), g_getenv ("TPMWARD_SANDBOX"));

  arrange_next_start (arguments);
}

static gboolean
shows_tpm (GuiFixture *fixture, WardGuiChip *old, const char *name)
{
  return has_new_chip (fixture, old)
         && g_str_equal (ward_gui_chip_get_name (ward_gui_window_get_chip (fixture->window)), name);
}

static void
restart_with_two (GuiFixture *fixture, const char *shown)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));

  arrange_two_tpms ();
  kill_service ();
  gui_wait_until (shows_tpm (fixture, old, shown));
  gui_wait_until (g_list_model_get_n_items (ward_gui_machine_get_chips (fixture->machine)) == 2);
}

static void
test_two_tpms (GuiFixture *fixture)
{
  GPid second = start_second_tpm ();
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  GtkWidget *choice = find_type (GTK_WIDGET (fixture->window), GTK_TYPE_DROP_DOWN);

  g_assert_false (gtk_widget_get_mapped (choice));
  restart_with_two (fixture, "tpm0");
  gui_wait_until (gtk_widget_get_mapped (choice));
  g_assert_cmpuint (gtk_drop_down_get_selected (GTK_DROP_DOWN (choice)), ==, 0);
  gui_wait_for_text (choice, "tpm0: IBM SW TPM");

  gtk_drop_down_set_selected (GTK_DROP_DOWN (choice), 1);
  gui_wait_until (shows_tpm (fixture, old, "tpm1"));

  /* what was chosen is found again */
  restart_with_two (fixture, "tpm1");
  gui_wait_until (gtk_drop_down_get_selected (GTK_DROP_DOWN (choice)) == 1);

  /* it is gone, and there is no choice any more */
  kill_service ();
  gui_wait_until (shows_tpm (fixture, old, "tpm0"));
  gui_wait_for_text (NULL, "tpm1 is gone; this is tpm0");
  gui_wait_until (!gtk_widget_get_mapped (choice));

  /* and comes back */
  restart_with_two (fixture, "tpm1");
  kill (second, SIGKILL);
}

static void
add (void)
{
  gui_add_test ("/moments/restart", test_restart);
  gui_add_test ("/moments/ends-again-and-again", test_ends_again_and_again);
  gui_add_test ("/moments/call-under-way", test_call_under_way);
  gui_add_test ("/moments/call-of-gone-chip", test_call_of_gone_chip);
  gui_add_test ("/moments/not-starting", test_not_starting);
  gui_add_test ("/moments/not-installed", test_not_installed);
  gui_add_test ("/moments/denied", test_denied);
  gui_add_test ("/moments/bus-lost", test_bus_lost);
  gui_add_test ("/moments/slow-start", test_slow_start);
  gui_add_test ("/moments/no-tpm", test_no_tpm);
  gui_add_test ("/moments/tpm-gone-and-back", test_tpm_gone_and_back);
  gui_add_test ("/moments/two-tpms", test_two_tpms);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
