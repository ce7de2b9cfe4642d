/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ownership: what state it is in, and taking, changing and releasing it. */
#include "gui-fixture.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#include "ward-gui-sheet.h"

#define LOCKOUT "org.tpmward1.Lockout"
#define OWNERSHIP "org.tpmward1.Ownership"

static WardDbusOwnership *
ownership_of (GuiFixture *fixture)
{
  return ward_gui_chip_get_ownership (ward_gui_window_get_chip (fixture->window));
}

static void
call (GuiFixture *fixture, const char *interface, const char *method, const char *parameters)
{
  g_autoptr (GVariant) reply = gui_call (fixture, interface, method, g_variant_new_parsed (parameters));

  g_assert_nonnull (reply);
}

/* That it opens the lockout hierarchy. */
static void
assert_lockout_auth (GuiFixture *fixture, const char *auth)
{
  GVariantDict options;
  g_autoptr (GVariant) reply = NULL;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "auth", "s", auth);
  reply = gui_call (fixture, LOCKOUT, "Reset", g_variant_new ("(@a{sv})", g_variant_dict_end (&options)));
  g_assert_nonnull (reply);
}

static void
wait_for_no_dialog (void)
{
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static GtkWidget *
open_own_dialog (GuiFixture *fixture)
{
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Take Ownership…"));
  return GTK_WIDGET (gui_wait_for_dialog ("Take Ownership"));
}

static gboolean
is_checked (GtkWidget *dialog, const char *title)
{
  GtkWidget *row = gui_wait_for_row (dialog, title);
  GtkWidget *button = adw_action_row_get_activatable_widget (ADW_ACTION_ROW (row));

  return gtk_check_button_get_active (GTK_CHECK_BUTTON (button));
}

static void
answer (GtkWidget *dialog, const char *password)
{
  gui_type (gui_wait_for_row (dialog, "Password"), password);
  gui_click (gui_wait_for_button (dialog, "Continue"));
}

static void
test_state (GuiFixture *fixture)
{
  gui_show_page (fixture, "ownership");
  gui_wait_for_row (NULL, "Not Owned");
  gui_wait_for_row (NULL, "Not There");
  g_assert_nonnull (gui_find_text (gui_wait_for_row (NULL, "Lockout Auth"), "Not set. "));
  g_assert_null (gui_find_button (NULL, "Release…"));
  g_assert_null (gui_find_row (NULL, "Will Be Cleared at the Next Restart"));

  /* by another program */
  call (fixture, OWNERSHIP, "TakeOwnership", "({'lockout-auth': <'sesame'>},)");
  gui_wait_for_row (NULL, "Owned");
  gui_wait_for_row (NULL, "At 0x81000001");
  g_assert_nonnull (gui_find_text (gui_wait_for_row (NULL, "Lockout Auth"), "Set. "));
  g_assert_nonnull (gui_find_text (gui_wait_for_row (NULL, "Owner Auth"), "Not set. "));
  g_assert_null (gui_find_button (NULL, "Take Ownership…"));
  gui_wait_for_button (NULL, "Release…");
}

/* What is recommended is what happens if a person only goes on. */
static void
test_recommended (GuiFixture *fixture)
{
  GtkWidget *dialog = open_own_dialog (fixture);

  g_assert_true (is_checked (dialog, "Lockout Auth (Recommended)"));
  g_assert_false (is_checked (dialog, "Owner Auth"));
  g_assert_false (is_checked (dialog, "Endorsement Auth"));
  g_assert_true (is_checked (dialog, "Make a Strong One (Recommended)"));
  gui_click (gui_wait_for_row (dialog, "Lockout Auth (Recommended)"));
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Next")));
  gui_click (gui_wait_for_row (dialog, "Lockout Auth (Recommended)"));
  gui_click (gui_wait_for_button (dialog, "Next"));

  /* nothing is set before the sheet is kept */
  gui_wait_for_text (dialog, "Recovery Sheet");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Set")));
  g_assert_false (ward_dbus_ownership_get_owned (ownership_of (fixture)));
  gui_click (gui_wait_for_row (dialog, "I Have Written It Down"));
  gui_click (gui_wait_for_button (dialog, "Set"));
  wait_for_no_dialog ();
  gui_wait_for_text (NULL, "tpm0 is owned now");
  gui_wait_for_row (NULL, "Owned");
  g_assert_false (ward_dbus_ownership_get_owner_auth_set (ownership_of (fixture)));
}

/* The value after its title; a new string. */
static char *
find_value (const char *sheet, const char *title)
{
  g_autofree char *head = g_strdup_printf ("\n%s\n    ", title);
  const char *at = strstr (sheet, head);

  g_assert_nonnull (at);
  at += strlen (head);
  return g_strndup (at, strcspn (at, "\n"));
}

static gboolean
has_chosen (GtkWindow *chooser)
{
  g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser));

  return file != NULL;
}

/* Where the sheet says that it is; a new string. */
static char *
read_path (GtkWidget *dialog)
{
  const char *text = gtk_label_get_text (GTK_LABEL (gui_wait_for_text (dialog, "Saved in "))) + strlen ("Saved in ");
  const char *end = strstr (text, ". Print it");

  g_assert_nonnull (end);
  return g_strndup (text, (gsize)(end - text));
}

static void
test_saved_sheet (GuiFixture *fixture)
{
  GtkWidget *dialog = open_own_dialog (fixture);
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  g_autofree char *value = NULL;
  GtkWindow *chooser;
  struct stat status;

  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_click (gui_wait_for_button (dialog, "Save…"));
  chooser = gui_wait_for_dialog ("Save the Recovery Sheet");
  gui_wait_until (has_chosen (chooser));
  gtk_dialog_response (GTK_DIALOG (chooser), GTK_RESPONSE_ACCEPT);
  path = read_path (dialog);
  g_assert_true (g_str_has_suffix (path, "/recovery-sheet-tpm0.txt"));

  g_assert_no_errno (stat (path, &status));
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "TPM recovery sheet"));
  g_assert_nonnull (strstr (text, "TPM: tpm0\n"));
  value = find_value (text, "The lockout auth");
  g_assert_cmpuint (strlen (value), ==, 31);
  g_assert_nonnull (gui_find_text (dialog, value));

  gui_click (gui_wait_for_button (dialog, "Set"));
  wait_for_no_dialog ();
  assert_lockout_auth (fixture, value);
  g_unlink (path);
}

static GtkWidget *
find_sheet (GtkWidget *widget)
{
  while (!WARD_GUI_IS_SHEET (widget))
    widget = gtk_widget_get_parent (widget);
  return widget;
}

static void
test_printed_sheet (GuiFixture *fixture)
{
  GtkWidget *dialog = open_own_dialog (fixture);
  g_autofree char *folder = g_dir_make_tmp ("sheet-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "sheet.pdf", NULL);
  g_autoptr (GtkPrintOperation) print = NULL;
  g_autofree char *pdf = NULL;
  gsize size;

  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_wait_for_button (dialog, "Print…");
  print = ward_gui_sheet_new_print (WARD_GUI_SHEET (find_sheet (gui_wait_for_row (dialog, "I Have Written It Down"))));
  gtk_print_operation_set_export_filename (print, path);
  gtk_print_operation_run (print, GTK_PRINT_OPERATION_ACTION_EXPORT, GTK_WINDOW (dialog), NULL);
  gui_wait_for_text (dialog, "It was sent to the printer");
  g_assert_true (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Set")));
  g_assert_true (g_file_get_contents (path, &pdf, &size, NULL));
  g_assert_true (g_str_has_prefix (pdf, "%PDF-"));
  /* there is text on it: its fonts are in the file */
  g_assert_nonnull (memmem (pdf, size, "/FontFile", strlen ("/FontFile")));
  gtk_window_close (GTK_WINDOW (dialog));
  wait_for_no_dialog ();
  g_assert_false (ward_dbus_ownership_get_owned (ownership_of (fixture)));
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_own_password (GuiFixture *fixture)
{
  GtkWidget *dialog = open_own_dialog (fixture);
  GtkWidget *button;

  gui_click (gui_wait_for_row (dialog, "Choose One Myself"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_type (gui_wait_for_row (dialog, "New Password"), "sesame");
  button = gui_wait_for_button (dialog, "Set");
  g_assert_false (gtk_widget_is_sensitive (button));
  gui_type (gui_wait_for_row (dialog, "Repeat the Password"), "sesamee");
  gui_wait_for_text (dialog, "What was typed the second time is something else.");
  g_assert_false (gtk_widget_is_sensitive (button));
  gui_type (gui_wait_for_row (dialog, "Repeat the Password"), "sesame");
  g_assert_true (gtk_widget_is_sensitive (button));
  gui_click (button);
  wait_for_no_dialog ();
  gui_wait_for_row (NULL, "Owned");
  assert_lockout_auth (fixture, "sesame");
}

static void
test_too_long_a_password (GuiFixture *fixture)
{
  GtkWidget *dialog = open_own_dialog (fixture);
  g_autofree char *text = g_strnfill (65, 'x');

  gui_click (gui_wait_for_row (dialog, "Choose One Myself"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_type (gui_wait_for_row (dialog, "New Password"), text);
  gui_type (gui_wait_for_row (dialog, "Repeat the Password"), text);
  gui_wait_for_text (dialog, "This TPM takes at most ");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Set")));
  gtk_window_close (GTK_WINDOW (dialog));
  wait_for_no_dialog ();
}

/* Where the helper cannot look, or finds something, an owner auth takes a person who insists. */
static void
test_owner_auth_that_may_break (GuiFixture *fixture)
{
  g_autofree char *file = g_build_filename (g_getenv ("TPMWARD_SANDBOX"), "services/org.tpmward1.Helper.service", NULL);
  g_autofree char *hidden = g_strconcat (file, ".hidden", NULL);
  const char *const reload[] = {
    "busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ReloadConfig", NULL
  };
  GtkWidget *dialog = open_own_dialog (fixture);

  g_assert_no_errno (g_rename (file, hidden));
  g_assert_true (g_spawn_sync (NULL, (char **)reload, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  gui_click (gui_wait_for_row (dialog, "Owner Auth"));
  gui_click (gui_wait_for_row (dialog, "Choose One Myself"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_wait_for_row (dialog, "Set It All the Same");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Next")));
  g_assert_null (gui_find_row (dialog, "New Password"));
  gui_click (gui_wait_for_row (dialog, "Set It All the Same"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_wait_for_row (dialog, "New Password");
  gui_wait_for_text (dialog, "The owner auth");
  g_assert_false (ward_dbus_ownership_get_owner_auth_set (ownership_of (fixture)));
  gtk_window_close (GTK_WINDOW (dialog));
  wait_for_no_dialog ();
  g_assert_no_errno (g_rename (hidden, file));
  g_assert_true (g_spawn_sync (NULL, (char **)reload, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
}

static void
choose_own (GtkWidget *dialog, const char *password)
{
  gui_click (gui_wait_for_row (dialog, "Choose One Myself"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_type (gui_wait_for_row (dialog, "New Password"), password);
  gui_type (gui_wait_for_row (dialog, "Repeat the Password"), password);
  gui_click (gui_wait_for_button (dialog, "Set"));
}

static void
test_change_of_the_lockout_auth (GuiFixture *fixture)
{
  GtkWidget *dialog;

  call (fixture, OWNERSHIP, "TakeOwnership", "({'lockout-auth': <'first'>},)");
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Change the Lockout Auth"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Lockout Auth"));
  choose_own (dialog, "second");
  gui_wait_for_text (NULL, "To change the lockout auth the present one is needed.");
  gui_type (gui_wait_for_row (NULL, "Password"), "first");
  gui_click (gui_wait_for_button (NULL, "Continue"));
  wait_for_no_dialog ();
  gui_wait_for_text (NULL, "tpm0 has a new lockout auth");
  assert_lockout_auth (fixture, "second");
}

static void
test_change_of_the_owner_auth (GuiFixture *fixture)
{
  GtkWidget *dialog;

  call (fixture, OWNERSHIP, "ChangeAuth", "('owner', {'new': <'first'>, 'force': <true>})");
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Change the Owner Auth"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Owner Auth"));
  choose_own (dialog, "second");
  gui_type (gui_wait_for_row (NULL, "Password"), "wrong");
  gui_click (gui_wait_for_button (NULL, "Continue"));
  gui_wait_for_text (NULL, "The password is wrong");
  gui_type (gui_wait_for_row (NULL, "Password"), "first");
  gui_click (gui_wait_for_button (NULL, "Continue"));
  wait_for_no_dialog ();
  call (fixture, OWNERSHIP, "ChangeAuth", "('owner', {'old': <'second'>})");
}

static void
test_release (GuiFixture *fixture)
{
  GtkWidget *dialog;

  call (fixture, OWNERSHIP, "TakeOwnership", "({'lockout-auth': <'one'>, 'owner-auth': <'two'>, 'force': <true>},)");
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Release…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Release the TPM?"));
  gui_click (gui_wait_for_button (dialog, "Release…"));
  answer (GTK_WIDGET (gui_wait_for_dialog ("The owner auth")), "two");
  answer (GTK_WIDGET (gui_wait_for_dialog ("The lockout auth")), "one");
  wait_for_no_dialog ();
  gui_wait_for_text (NULL, "tpm0 is released");
  gui_wait_for_row (NULL, "Not Owned");
  g_assert_false (ward_dbus_ownership_get_owner_auth_set (ownership_of (fixture)));
  g_assert_false (ward_dbus_ownership_get_lockout_auth_set (ownership_of (fixture)));
  /* the keys stay */
  g_assert_true (ward_dbus_ownership_get_srk_present (ownership_of (fixture)));
}

/* What was removed before a person gave up stays removed, and they are told. */
static void
test_release_in_part (GuiFixture *fixture)
{
  GtkWidget *dialog;

  call (fixture, OWNERSHIP, "TakeOwnership", "({'lockout-auth': <'one'>, 'owner-auth': <'two'>, 'force': <true>},)");
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Release…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Release the TPM?"));
  gui_click (gui_wait_for_button (dialog, "Release…"));
  answer (GTK_WIDGET (gui_wait_for_dialog ("The owner auth")), "two");
  gtk_window_close (gui_wait_for_dialog ("The lockout auth"));
  gui_wait_for_text (NULL, "Removed before that: owner auth");
  g_assert_false (ward_dbus_ownership_get_owner_auth_set (ownership_of (fixture)));
  g_assert_true (ward_dbus_ownership_get_lockout_auth_set (ownership_of (fixture)));
}

static void
test_storage_root_key (GuiFixture *fixture)
{
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Make"));
  gui_wait_for_text (NULL, "The TPM has a storage root key now");
  gui_wait_for_row (NULL, "At 0x81000001");
  g_assert_null (gui_find_button (NULL, "Make"));
}

static void
test_clearing_is_switched_off (GuiFixture *fixture)
{
  GtkWidget *dialog;

  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Switch Off…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Switch Clearing Off?"));
  gui_wait_for_text (dialog, "This goes one way");
  gui_click (gui_wait_for_button (dialog, "Cancel"));
  wait_for_no_dialog ();
  g_assert_false (ward_dbus_ownership_get_clear_disabled (ownership_of (fixture)));

  gui_click (gui_wait_for_button (NULL, "Switch Off…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Switch Clearing Off?"));
  gui_click (gui_wait_for_button (dialog, "Switch Off"));
  gui_wait_for_row (NULL, "By the Lockout Auth: Switched Off");
  g_assert_true (ward_dbus_ownership_get_clear_disabled (ownership_of (fixture)));
  g_assert_null (gui_find_button (NULL, "Switch Off…"));
}

/* As where a clear waits for the firmware, which the sandbox has none of. */
static void
test_withdrawal (GuiFixture *fixture)
{
  g_dbus_proxy_set_cached_property (G_DBUS_PROXY (ownership_of (fixture)), "ClearPending",
                                    g_variant_new_boolean (TRUE));
  gui_show_page (fixture, "ownership");
  gui_wait_for_row (NULL, "Will Be Cleared at the Next Restart");
  gui_click (gui_wait_for_button (NULL, "Withdraw"));
  gui_wait_for_dialog ("The Request Was Not Withdrawn");
}

static void
wait_for_firmware (GuiFixture *fixture, const char *presence, const char *text)
{
  GtkWidget *row = gui_wait_for_row (NULL, "By the Firmware");

  if (presence != NULL)
    g_dbus_proxy_set_cached_property (G_DBUS_PROXY (ownership_of (fixture)), "PhysicalPresence",
                                      g_variant_new_string (presence));
  g_signal_emit_by_name (ward_gui_window_get_chip (fixture->window), "changed");
  gui_wait_for_text (row, text);
}

/* Where it takes no requests, as with a TPM that no firmware knows of, and where it does. */
static void
test_clearing_by_the_firmware (GuiFixture *fixture)
{
  gui_show_page (fixture, "ownership");
  wait_for_firmware (fixture, NULL, "It takes no request to clear the TPM from here.");
  wait_for_firmware (fixture, "prompt", "and then asks whoever is at the machine.");
  wait_for_firmware (fixture, "immediate", "and does so without asking again.");
  wait_for_firmware (fixture, "none", "It takes no request to clear the TPM from here.");
}

static void
add (void)
{
  gui_add_test ("/ownership/state", test_state);
  gui_add_test ("/ownership/recommended", test_recommended);
  gui_add_test ("/ownership/saved-sheet", test_saved_sheet);
  gui_add_test ("/ownership/printed-sheet", test_printed_sheet);
  gui_add_test ("/ownership/own-password", test_own_password);
  gui_add_test ("/ownership/too-long-a-password", test_too_long_a_password);
  gui_add_test ("/ownership/owner-auth-that-may-break", test_owner_auth_that_may_break);
  gui_add_test ("/ownership/change-of-the-lockout-auth", test_change_of_the_lockout_auth);
  gui_add_test ("/ownership/change-of-the-owner-auth", test_change_of_the_owner_auth);
  gui_add_test ("/ownership/release", test_release);
  gui_add_test ("/ownership/release-in-part", test_release_in_part);
  gui_add_test ("/ownership/storage-root-key", test_storage_root_key);
  gui_add_test ("/ownership/clearing-is-switched-off", test_clearing_is_switched_off);
  gui_add_test ("/ownership/clearing-by-the-firmware", test_clearing_by_the_firmware);
  gui_add_test ("/ownership/withdrawal", test_withdrawal);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
