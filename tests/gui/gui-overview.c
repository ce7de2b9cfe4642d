/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page Overview, and the self-test; the panel, which has that, too. */
#include "gui-fixture.h"

#include <signal.h>
#include <string.h>

#include "ward-gui-panel.h"
#include "ward-gui-settings.h"

static GtkWidget *
show (GuiFixture *fixture, const char *page)
{
  gui_show_page (fixture, page);
  return GTK_WIDGET (fixture->window);
}

static void
assert_row (GtkWidget *window, const char *title, const char *expected)
{
  GtkWidget *row = gui_wait_for_row (window, title);

  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, expected);
}

static void
test_facts (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (ward_gui_window_get_chip (fixture->window));

  gui_wait_for_text (window, "Your TPM Works");
  assert_row (window, "Firmware", ward_dbus_tpm_get_firmware_version (tpm));
  assert_row (window, "Kind", "Emulated by software, as in a virtual machine");
  assert_row (window, "Kinds of Keys", "rsa2048, rsa3072, ecc-p256, ecc-p384");
  g_assert_nonnull (gui_find_text (window, ward_dbus_tpm_get_spec_revision (tpm)));
  g_assert_nonnull (gui_find_text (window, "Not owned: whoever administers this computer"));
  gui_wait_for_text (window, "lost for good");
}

static void
test_self_test (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  WardDbusSelfTest *test = ward_gui_chip_get_self_test (ward_gui_window_get_chip (fixture->window));

  gui_wait_for_row (window, "Never run");
  gui_click (gui_wait_for_button (window, "Full"));
  gui_wait_for_row (window, "Passed");
  g_assert_cmpstr (ward_dbus_self_test_get_state (test), ==, "passed");
  g_assert_cmpstr (ward_dbus_self_test_get_mode (test), ==, "full");
  gui_wait_for_text (window, "Full test on ");
  gui_click (gui_wait_for_button (window, "Quick"));
  gui_wait_for_text (window, "Quick test on ");
}

/* Whoever runs it, it is seen to run, and nobody can start another. */
static void
test_another_s_self_test (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  g_autoptr (GAsyncResult) result = NULL;

  gui_wait_for_row (window, "Never run");
  gui_wait_for_text (window, "lost for good"); /* nothing else is waiting for the chip */
  gui_signal_part ("swtpm", SIGSTOP);
  g_dbus_connection_call (
      ward_client_get_connection (ward_gui_chip_get_client (ward_gui_window_get_chip (fixture->window))),
      "org.tpmward1", "/org/tpmward1/tpm/tpm0", "org.tpmward1.SelfTest", "Run", g_variant_new ("(s)", "full"), NULL, 0,
      -1, NULL, gui_on_result, &result);
  gui_wait_for_row (window, "The TPM tests itself…");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (window, "Full")));
  gui_signal_part ("swtpm", SIGCONT);
  gui_wait_for_row (window, "Passed");
  gui_wait_until (result != NULL && gtk_widget_is_sensitive (gui_find_button (window, "Full")));
}

static void
test_result_bytes (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  GtkWidget *row = gui_wait_for_row (window, "The TPM’s Own Result");

  /* software has none */
  adw_expander_row_set_expanded (ADW_EXPANDER_ROW (row), TRUE);
  gui_wait_for_text (row, "This TPM gives none.");
}

static void
test_findings_on_the_overview (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");

  gui_wait_for_text (window, "What the Doctor Says");
  gui_wait_for_row (window, "The TPM has no storage root key");
  g_assert_null (gui_find_row (window, "The TPM was never told to test itself"));
  gui_click (gui_wait_for_row (window, "Doctor"));
  gui_wait_for_row (window, "The TPM was never told to test itself");
}

/* As a chip that is not at hand would have it. */
static void
pretend (gpointer proxy, const char *property, GVariant *value)
{
  const char *const none[] = { NULL };
  g_autoptr (GVariant) changed = NULL;
  GVariantDict dict;

  g_variant_ref_sink (value);
  g_dbus_proxy_set_cached_property (proxy, property, value);
  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, property, value);
  changed = g_variant_ref_sink (g_variant_dict_end (&dict));
  g_variant_unref (value);
  g_signal_emit_by_name (proxy, "g-properties-changed", changed, none);
}

static WardGuiChip *
chip_of (GuiFixture *fixture)
{
  return ward_gui_window_get_chip (fixture->window);
}

static char *
sandbox_path (const char *name)
{
  return g_build_filename (g_getenv ("TPMWARD_SANDBOX"), name, NULL);
}

static void
run_part (const char *name)
{
  g_autofree char *path = sandbox_path (name);
  const char *const argv[] = { path, NULL };
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
restart_service (GuiFixture *fixture)
{
  g_autoptr (WardGuiChip) old = g_object_ref (chip_of (fixture));

  gui_signal_part ("daemon", SIGKILL);
  gui_wait_until (chip_of (fixture) != NULL && chip_of (fixture) != old && !ward_gui_chip_is_gone (chip_of (fixture)));
}

/* Of a test that another caller has had it run. */
static void
test_result_bytes_follow (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  GtkWidget *row = gui_wait_for_row (window, "The TPM’s Own Result");
  GtkWidget *value;

  adw_expander_row_set_expanded (ADW_EXPANDER_ROW (row), TRUE);
  gui_wait_for_text (row, "This TPM gives none.");
  value = gui_find_row (row, "This TPM gives none.");
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (value), "old");
  g_variant_unref (gui_call (fixture, "org.tpmward1.SelfTest", "Run", g_variant_new ("(s)", "full")));
  gui_wait_until (gui_find_row (row, "old") == NULL);
  gui_wait_for_text (row, "This TPM gives none.");
}

/* A software TPM passes each test: the service reads from its record that one has failed. */
static void
fail_self_test (GuiFixture *fixture)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *changed = NULL;
  const char *path = "/var/lib/tpmward/tpm0.self-test";

  g_variant_unref (gui_call (fixture, "org.tpmward1.SelfTest", "Run", g_variant_new ("(s)", "full")));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  parts = g_strsplit (text, "Passed=true", 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  changed = g_strjoinv ("Passed=false", parts);
  g_assert_true (g_file_set_contents_full (path, changed, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
  restart_service (fixture);
}

static void
test_failed_self_test (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");

  gui_wait_for_text (window, "Your TPM Works");
  fail_self_test (fixture);
  gui_wait_for_text (window, "Your TPM Has Failed Its Self-Test");
  gui_wait_for_row (window, "Failed");
  gui_wait_for_text (window, "Restart the computer and test again.");
  gui_wait_for_row (window, "The TPM's self-test failed");
  gui_wait_for_text (window, "1 problem, 1 warning");
  /* it has come to its senses */
  gui_click (gui_wait_for_button (window, "Full"));
  gui_wait_for_row (window, "Passed");
  gui_wait_for_text (window, "Your TPM Works");
  gui_wait_until (gui_find_row (window, "The TPM's self-test failed") == NULL);
}

static void
test_states (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (chip_of (fixture));

  pretend (tpm, "StateDetail", g_variant_new_string ("It says 0x101."));
  gui_wait_for_text (window, "It says 0x101.");
  pretend (tpm, "State", g_variant_new_string ("failed"));
  gui_wait_for_text (window, "Your TPM Does Not Work");
  pretend (tpm, "State", g_variant_new_string ("disabled"));
  gui_wait_for_text (window, "Your TPM Is Switched Off");
  pretend (tpm, "State", g_variant_new_string ("unreachable"));
  gui_wait_for_text (window, "Your TPM Does Not Answer");
}

/* What the headline has to say of an instant: the next full minute, and which day, unless it is this one. */
static char *
make_headline (GDateTime *instant)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autoptr (GDateTime) minute = g_date_time_add_seconds (instant, 59);

  if (g_date_time_get_day_of_month (minute) != g_date_time_get_day_of_month (now))
    return g_date_time_format (instant, "Locked Until %Y-");
  return g_date_time_format (minute, "Locked Until %H:%M");
}

static void
wait_for_headline (GuiFixture *fixture, GDateTime *instant)
{
  WardDbusLockout *lockout = ward_gui_chip_get_lockout (chip_of (fixture));
  g_autofree char *headline = make_headline (instant);

  pretend (lockout, "NextRecovery", g_variant_new_uint64 ((guint64)g_date_time_to_unix (instant) * G_USEC_PER_SEC));
  pretend (lockout, "LockedOut", g_variant_new_boolean (TRUE));
  gui_wait_for_text (NULL, headline);
}

static void
test_locked (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  WardDbusLockout *lockout = ward_gui_chip_get_lockout (chip_of (fixture));
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autoptr (GDateTime) soon = g_date_time_add_minutes (now, 5);
  g_autoptr (GDateTime) tomorrow = g_date_time_add_hours (now, 26);

  wait_for_headline (fixture, soon);
  gui_wait_for_text (window, "keys without a password go on working");
  /* the time alone would mislead */
  wait_for_headline (fixture, tomorrow);
  pretend (lockout, "NextRecovery", g_variant_new_uint64 (0));
  gui_wait_for_text (window, "Your TPM Is Locked");
  pretend (lockout, "LockedOut", g_variant_new_boolean (FALSE));
  gui_wait_for_text (window, "Your TPM Works");
}

static void
test_advisories (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (chip_of (fixture));
  GtkWidget *row, *link;

  g_assert_null (gui_find_text (window, "Known Faults"));
  pretend (tpm, "Advisories",
           g_variant_new_parsed ("[{'id': <'CVE-2017-15361'>, 'severity': <'error'>, 'title': <'RSA keys & others'>, "
                                 "'source': <'https://example.org/roca'>}, {'id': <'CVE-2026-6923'>, "
                                 "'severity': <'info'>, 'title': <'To be known'>, 'source': <'no address'>}]"));
  row = gui_wait_for_row (window, "RSA keys & others");
  gui_wait_for_text (row, "CVE-2017-15361");
  link = gui_find_button (row, "Source");
  g_assert_cmpstr (gtk_link_button_get_uri (GTK_LINK_BUTTON (link)), ==, "https://example.org/roca");
  gtk_test_accessible_assert_property (row, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, "Problem");
  row = gui_wait_for_row (window, "To be known");
  gtk_test_accessible_assert_property (row, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, "Note");
  g_assert_null (gui_find_button (row, "Source"));
  pretend (tpm, "Advisories", g_variant_new ("aa{sv}", NULL));
  gui_wait_until (gui_find_text (window, "Known Faults") == NULL);
}

static void
test_all_findings (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");

  gui_wait_for_row (window, "All Findings");
  assert_row (window, "All Findings", "1 warning, 2 notes");
  assert_row (window, "Doctor", "1 warning");
  gui_click (gui_find_row (window, "All Findings"));
  gui_wait_for_row (window, "The TPM was never told to test itself");
}

/* What was found before says nothing about what could be found now. */
static void
test_doctor_refused (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");

  gui_wait_for_row (window, "The TPM has no storage root key");
  gui_signal_part ("polkitd", SIGKILL);
  g_assert_true (gtk_widget_activate_action (window, "win.refresh", NULL));
  gui_wait_until (gui_find_row (window, "The TPM has no storage root key") == NULL);
  g_assert_null (gui_find_row (window, "All Findings"));
  gui_wait_for_text (window, "polkit");
  run_part ("start-polkitd");
  g_assert_true (gtk_widget_activate_action (window, "win.refresh", NULL));
  gui_wait_for_row (window, "The TPM has no storage root key");
}

static gboolean
clipboard_has (GuiFixture *fixture, const char *part)
{
  g_autofree char *text = gui_dup_clipboard (fixture);

  return text != NULL && strstr (text, part) != NULL;
}

static void
test_properties (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");
  GtkWidget *dialog, *row;
  int minimum;

  gui_click (gui_wait_for_row (window, "All _Properties…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("All Properties"));
  row = gui_wait_for_row (dialog, "TPM_PT_MANUFACTURER");
  gtk_widget_measure (dialog, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  g_assert_cmpint (minimum, <=, 360);
  gui_wait_for_text (row, "\"IBM\"");
  gui_wait_for_text (row, "0x49424d00");
  gui_click (gui_find_button (dialog, "Copy All"));
  gui_wait_until (clipboard_has (fixture, "TPM_PT_MANUFACTURER\t0x49424d00\t\"IBM\"\n"));
  g_assert_true (clipboard_has (fixture, "TPM_PT_NV_INDEX_MAX\t"));
}

/* Whoever has changed it. */
static void
test_findings_follow (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture, "overview");

  gui_wait_for_row (window, "The TPM has no storage root key");
  g_variant_unref (gui_call (fixture, "org.tpmward1.Ownership", "ProvisionSrk", g_variant_new ("(a{sv})", NULL)));
  gui_wait_until (gui_find_row (window, "The TPM has no storage root key") == NULL);
  gui_wait_for_text (window, "Nothing is wrong");
}

/* Two, of which the second does not answer. */
static void
arrange_two_tpms (void)
{
  g_autofree char *path = sandbox_path ("daemon.next");
  g_autofree char *arguments = g_strdup_printf (
      "--state-dir\n/var/lib/tpmward\n--no-discovery\n--tpm\ntpm0=swtpm:path=%s/swtpm.sock\n"
      "--tpm\ntpm1=swtpm:path=/nonexistent\n",
      g_getenv ("TPMWARD_SANDBOX"));

  g_assert_true (g_file_set_contents (path, arguments, -1, NULL));
}

static void
test_panel_shows_chosen (GuiFixture *fixture)
{
  g_autoptr (GSettings) settings = ward_gui_settings_new ();
  GtkWidget *panel;

  g_assert_nonnull (settings);
  arrange_two_tpms ();
  restart_service (fixture);
  gui_wait_until (g_list_model_get_n_items (ward_gui_machine_get_chips (fixture->machine)) == 2);
  g_settings_set_string (settings, "tpm", "tpm1");
  panel = GTK_WIDGET (ward_gui_panel_new (NULL, fixture->machine));
  gtk_window_present (GTK_WINDOW (panel));
  gui_wait_for_text (panel, "It does not answer");
  /* chosen in the other window */
  g_settings_set_string (settings, "tpm", "tpm0");
  gui_wait_for_text (panel, "It works");
  gtk_window_destroy (GTK_WINDOW (panel));
}

static void
add (void)
{
  gui_add_test ("/overview/facts", test_facts);
  gui_add_test ("/overview/states", test_states);
  gui_add_test ("/overview/locked", test_locked);
  gui_add_test ("/overview/advisories", test_advisories);
  gui_add_test ("/overview/self-test", test_self_test);
  gui_add_test ("/overview/another-s-self-test", test_another_s_self_test);
  gui_add_test ("/overview/failed-self-test", test_failed_self_test);
  gui_add_test ("/overview/result-bytes", test_result_bytes);
  gui_add_test ("/overview/result-bytes-follow", test_result_bytes_follow);
  gui_add_test ("/overview/findings", test_findings_on_the_overview);
  gui_add_test ("/overview/findings-follow", test_findings_follow);
  gui_add_test ("/overview/all-findings", test_all_findings);
  gui_add_test ("/overview/doctor-refused", test_doctor_refused);
  gui_add_test ("/overview/properties", test_properties);
  gui_add_test ("/overview/panel-shows-chosen", test_panel_shows_chosen);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
