/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page Doctor, and how findings follow what they are about. */
#include "gui-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "ward-gui-findings.h"

/* Longer than a change is left alone before the doctor looks again. */
#define QUIET_MS 1500

static GtkWidget *
show (GuiFixture *fixture, const char *page)
{
  gui_show_page (fixture, page);
  return GTK_WIDGET (fixture->window);
}

static void
run_part (const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("TPMWARD_SANDBOX"), name, NULL);
  const char *const argv[] = { path, NULL };
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
restart_service (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (ward_gui_window_get_chip (fixture->window));
  WardGuiChip *chip;

  gui_signal_part ("daemon", SIGKILL);
  gui_wait_until ((chip = ward_gui_window_get_chip (fixture->window)) != NULL && chip != old
                  && !ward_gui_chip_is_gone (chip));
}

static void
provision_srk (GuiFixture *fixture)
{
  g_variant_unref (gui_call (fixture, "org.tpmward1.Ownership", "ProvisionSrk", g_variant_new ("(a{sv})", NULL)));
}

static void
test_doctor_repairs (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "doctor");
  GtkWidget *row = gui_wait_for_row (window, "The TPM has no storage root key");
  GtkWidget *dialog;

  gui_wait_for_row (window, "1 warning");
  gui_click (gui_wait_for_button (row, "Repair…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Repair"));
  gui_click (gui_wait_for_button (dialog, "Show"));
  gui_wait_for_text (dialog, "0x81000001");
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (dialog, "Repair")));
  g_assert_false (
      ward_dbus_ownership_get_srk_present (ward_gui_chip_get_ownership (ward_gui_window_get_chip (fixture->window))));
  gui_click (gui_find_button (dialog, "Repair"));
  gui_wait_until (
      ward_dbus_ownership_get_srk_present (ward_gui_chip_get_ownership (ward_gui_window_get_chip (fixture->window))));
  gui_click (gui_wait_for_button (dialog, "Close"));
  gui_wait_for_row (window, "Nothing Is Wrong");
  gui_wait_until (gui_find_row (window, "The TPM has no storage root key") == NULL);
}

static gboolean
clipboard_has (GuiFixture *fixture, const char *part)
{
  g_autofree char *text = gui_dup_clipboard (fixture);

  return text != NULL && strstr (text, part) != NULL;
}

static void
test_report (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "doctor");
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (ward_gui_window_get_chip (fixture->window));

  gui_wait_for_row (window, "1 warning");
  gui_click (gui_wait_for_row (window, "_Copy a Report"));
  gui_wait_until (clipboard_has (fixture, "srk-missing@tpm0"));
  g_assert_true (clipboard_has (fixture, ward_dbus_tpm_get_firmware_version (tpm)));
  g_assert_true (clipboard_has (fixture, "Lockout: not locked"));
}

/* Where all is well that says so, and nothing is to be repaired. */
static void
test_all_is_well (GuiFixture *fixture)
{
  GtkWidget *window;

  provision_srk (fixture);
  g_variant_unref (gui_call (fixture, "org.tpmward1.SelfTest", "Run", g_variant_new ("(s)", "full")));
  window = show (fixture, "doctor");
  gui_wait_for_row (window, "Nothing Is Wrong");
  g_assert_null (gui_find_button (window, "Repair…"));
  g_assert_null (gui_find_button (window, "Try Again"));
}

/* Words beside the icon, for who sees neither its shape nor its colour; and no word on which TPM, as there is one. */
static void
test_severity_in_words (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "doctor");
  GtkWidget *row = gui_wait_for_row (window, "The TPM has no storage root key");

  gtk_test_accessible_assert_property (row, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, "Warning");
  g_assert_null (strstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), "tpm0"));
  row = gui_wait_for_row (window, "The TPM was never told to test itself");
  gtk_test_accessible_assert_property (row, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, "Note");
}

static void
test_error (GuiFixture *fixture)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);

  gui_signal_part ("polkitd", SIGKILL);
  gui_show_page (fixture, "doctor");
  gui_wait_for_row (window, "The Doctor Could Not Look");
  g_assert_null (gui_find_text (window, "Findings"));
  g_assert_false (gtk_widget_is_sensitive (gui_find_row (window, "_Copy a Report")));
  gui_click (gui_wait_for_button (window, "Copy Details"));
  gui_wait_until (clipboard_has (fixture, "You may not do this\n"));
  run_part ("start-polkitd");
  gui_click (gui_wait_for_button (window, "Try Again"));
  gui_wait_for_row (window, "The TPM has no storage root key");
  g_assert_null (gui_find_button (window, "Try Again"));
  g_assert_true (gtk_widget_is_sensitive (gui_find_row (window, "_Copy a Report")));
}

/* Somebody's key is damaged, whose name only an administrator may see. */
static void
damage_a_key (GuiFixture *fixture)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  g_variant_unref (
      gui_call (fixture, "org.tpmward1.Keys", "Create", g_variant_new ("(ssa{sv})", "mine", "ecc-p256", NULL)));
  dir = g_dir_open ("/var/lib/tpmward", 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *mine = g_build_filename ("/var/lib/tpmward", name, "0", NULL);
      g_autofree char *theirs = g_build_filename ("/var/lib/tpmward", name, "4711", NULL);

      if (g_file_test (mine, G_FILE_TEST_IS_DIR))
        g_assert_no_errno (g_rename (mine, theirs));
    }
}

/* What only an administrator may see stays when he has repaired something, and when the page is read again. */
static void
test_administrator_s_findings (GuiFixture *fixture)
{
  GtkWidget *window, *dialog;

  damage_a_key (fixture);
  restart_service (fixture);
  window = show (fixture, "doctor");
  gui_wait_for_row (window, "The TPM has no storage root key");
  g_assert_null (gui_find_text (window, "/4711"));
  gui_click (gui_find_row (window, "_Look as Administrator"));
  gui_wait_for_text (window, "/4711");
  gui_click (gui_wait_for_button (gui_find_row (window, "The TPM has no storage root key"), "Repair…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Repair"));
  gui_click (gui_find_button (dialog, "Repair"));
  gui_wait_for_dialog ("Repaired");
  gui_wait_until (gui_find_row (window, "The TPM has no storage root key") == NULL);
  g_assert_nonnull (gui_find_text (window, "/4711"));
}

/* Not to see more is no reason to see less. */
static void
test_administrator_refused (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "doctor");

  gui_wait_for_row (window, "The TPM has no storage root key");
  gui_signal_part ("polkitd", SIGKILL);
  gui_click (gui_find_row (window, "_Look as Administrator"));
  gui_wait_for_dialog ("The Doctor Did Not Look as Administrator");
  g_assert_nonnull (gui_find_row (window, "The TPM has no storage root key"));
  g_assert_null (gui_find_button (window, "Try Again"));
}

static void
test_follows (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "doctor");
  GtkWidget *other = gui_wait_for_row (window, "The TPM was never told to test itself");

  gui_wait_for_row (window, "1 warning");
  provision_srk (fixture);
  gui_wait_for_row (window, "Nothing Is Wrong");
  g_assert_null (gui_find_row (window, "The TPM has no storage root key"));
  /* what is as before is not made anew under the person's hands */
  g_assert_true (gui_find_row (window, "The TPM was never told to test itself") == other);
  restart_service (fixture);
  gui_wait_for_row (window, "Nothing Is Wrong");
}

static void
count (int *n)
{
  (*n)++;
}

static gboolean
on_quiet (gpointer user_data)
{
  *(gboolean *)user_data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_for_quiet (void)
{
  gboolean is_quiet = FALSE;

  g_timeout_add (QUIET_MS, on_quiet, &is_quiet);
  gui_wait_until (is_quiet);
}

/* One look for what comes together; none that a look itself brings about; none while nobody sees it. */
static void
test_looks_no_more_than_needed (GuiFixture *fixture)
{
  g_autoptr (WardGuiFindings) findings = NULL;
  int n_loads = 0;

  gui_show_page (fixture, "keys");
  findings = ward_gui_findings_new (ward_gui_machine_get_client (fixture->machine));
  g_signal_connect_swapped (findings, "loaded", G_CALLBACK (count), &n_loads);
  ward_gui_findings_set_following (findings, TRUE);
  ward_gui_findings_load (findings, FALSE);
  gui_wait_until (n_loads == 1);
  wait_for_quiet ();
  g_assert_cmpint (n_loads, ==, 1);

  provision_srk (fixture);
  g_variant_unref (gui_call (fixture, "org.tpmward1.SelfTest", "Run", g_variant_new ("(s)", "full")));
  wait_for_quiet ();
  g_assert_cmpint (n_loads, ==, 2);

  ward_gui_findings_set_following (findings, FALSE);
  g_variant_unref (gui_call (fixture, "org.tpmward1.Ownership", "TakeOwnership",
                             g_variant_new_parsed ("({'lockout-auth': <'one'>},)")));
  wait_for_quiet ();
  g_assert_cmpint (n_loads, ==, 2);
}

static GDBusMessage *
on_message (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  if (!incoming && g_strcmp0 (g_dbus_message_get_member (message), "Diagnose") == 0)
    g_atomic_int_inc ((int *)user_data);
  return message;
}

/* A page that nobody sees asks nothing, and asks when it is seen again. */
static void
test_not_while_unseen (GuiFixture *fixture)
{
  WardClient *client = ward_gui_machine_get_client (fixture->machine);
  GDBusConnection *connection = ward_client_get_connection (client);
  int n_asked = 0;
  guint filter;

  gui_show_page (fixture, "overview");
  gui_wait_for_row (NULL, "The TPM has no storage root key");
  gui_show_page (fixture, "doctor");
  gui_wait_for_row (NULL, "1 warning");
  gui_show_page (fixture, "keys");
  filter = g_dbus_connection_add_filter (connection, on_message, &n_asked, NULL);
  provision_srk (fixture);
  wait_for_quiet ();
  g_assert_cmpint (g_atomic_int_get (&n_asked), ==, 0);
  gui_show_page (fixture, "doctor");
  gui_wait_for_row (NULL, "Nothing Is Wrong");
  g_assert_cmpint (g_atomic_int_get (&n_asked), ==, 1);
  g_dbus_connection_remove_filter (connection, filter);
}

static void
add (void)
{
  gui_add_test ("/doctor/repairs", test_doctor_repairs);
  gui_add_test ("/doctor/report", test_report);
  gui_add_test ("/doctor/all-is-well", test_all_is_well);
  gui_add_test ("/doctor/severity-in-words", test_severity_in_words);
  gui_add_test ("/doctor/error", test_error);
  gui_add_test ("/doctor/administrator-s-findings", test_administrator_s_findings);
  gui_add_test ("/doctor/administrator-refused", test_administrator_refused);
  gui_add_test ("/doctor/follows", test_follows);
  gui_add_test ("/doctor/looks-no-more-than-needed", test_looks_no_more_than_needed);
  gui_add_test ("/doctor/not-while-unseen", test_not_while_unseen);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
