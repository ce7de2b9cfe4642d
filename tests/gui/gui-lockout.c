/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The protection against guessing: how it stands, its reset, and its rules. */
#include "gui-fixture.h"

#include "ward-gui-lockout-group.h"

#define KEYS "org.tpmward1.Keys"
#define LOCKOUT "org.tpmward1.Lockout"
#define OWNERSHIP "org.tpmward1.Ownership"

static WardDbusLockout *
lockout_of (GuiFixture *fixture)
{
  return ward_gui_chip_get_lockout (ward_gui_window_get_chip (fixture->window));
}

/* n wrong passwords for a key. */
static void
fail_tries (GuiFixture *fixture, guint n)
{
  g_autoptr (GVariant) made = gui_call (fixture, KEYS, "Create",
                                        g_variant_new_parsed ("('k', 'ecc-p256', {'auth': <'right'>})"));
  WardDbusKeys *keys = ward_gui_chip_get_keys (ward_gui_window_get_chip (fixture->window));
  const guint8 digest[32] = { 1 };

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      GVariantDict options;

      g_variant_dict_init (&options, NULL);
      g_variant_dict_insert (&options, "auth", "s", "wrong");
      g_assert_null (ward_client_call_sync (
          keys, "Sign",
          g_variant_new ("(ss@ay@a{sv})", "k", "sha256",
                         g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, digest, sizeof digest, 1),
                         g_variant_dict_end (&options)),
          NULL, WARD_CLIENT_CALL_NONE, NULL, &error));
      g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED);
    }
}

static GtkWidget *
wait_for_subtitle (GtkWidget *root, const char *title, const char *part)
{
  GtkWidget *row = gui_wait_for_row (root, title);

  gui_wait_until (gui_find_text (row, part) != NULL);
  return row;
}

static void
test_countdown (GuiFixture *fixture)
{
  g_autofree char *before = NULL;
  GtkWidget *row;

  gui_show_page (fixture, "ownership");
  gui_wait_for_row (NULL, "Not Locked");
  g_assert_nonnull (gui_find_text (gui_wait_for_row (NULL, "Failed Tries"), "0 of 3"));
  g_assert_null (gui_find_button (NULL, "Reset…"));

  fail_tries (fixture, 1);
  row = wait_for_subtitle (NULL, "Failed Tries", "1 of 3");
  gui_wait_until (gui_find_text (row, "One is forgiven in ") != NULL);
  before = g_strdup (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)));
  gui_wait_until (!g_str_equal (before, adw_action_row_get_subtitle (ADW_ACTION_ROW (row))));
  g_assert_nonnull (gui_find_text (row, "One is forgiven in "));
}

/* What nobody sees costs nothing, and is right when it is seen again. */
static void
test_rests_while_it_is_not_seen (GuiFixture *fixture)
{
  GtkWidget *row;
  g_autofree char *before = NULL;
  gint64 until;

  fail_tries (fixture, 1);
  gui_show_page (fixture, "ownership");
  row = wait_for_subtitle (NULL, "Failed Tries", "One is forgiven in ");
  gui_show_page (fixture, "storage");
  gui_wait_until (!gtk_widget_get_mapped (row));
  before = g_strdup (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)));
  until = g_get_monotonic_time () + 2 * G_USEC_PER_SEC;
  gui_wait_until (g_get_monotonic_time () > until);
  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, before);

  gui_show_page (fixture, "ownership");
  gui_wait_until (!g_str_equal (before, adw_action_row_get_subtitle (ADW_ACTION_ROW (row))));
}

static void
test_lockout_and_reset (GuiFixture *fixture)
{
  gui_show_page (fixture, "ownership");
  fail_tries (fixture, 3);
  gui_wait_for_row (NULL, "Locked");
  wait_for_subtitle (NULL, "Failed Tries", "The TPM takes one more try in ");
  gui_click (gui_wait_for_button (NULL, "Reset…"));
  gui_wait_for_text (NULL, "The TPM has forgiven all failed tries");
  gui_wait_for_row (NULL, "Not Locked");
  wait_for_subtitle (NULL, "Failed Tries", "0 of 3");
  g_assert_cmpuint (ward_dbus_lockout_get_failures (lockout_of (fixture)), ==, 0);
}

static void
test_reset_by_its_auth (GuiFixture *fixture)
{
  g_autoptr (GVariant) owned = gui_call (fixture, OWNERSHIP, "TakeOwnership",
                                         g_variant_new_parsed ("({'lockout-auth': <'sesame'>},)"));
  GtkWidget *dialog;

  fail_tries (fixture, 1);
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Reset…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Reset the Lockout"));
  gui_type (gui_wait_for_row (dialog, "Password"), "sesame");
  gui_click (gui_wait_for_button (dialog, "Continue"));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  wait_for_subtitle (NULL, "Failed Tries", "0 of 3");
}

static void
test_bar_is_told (GuiFixture *fixture)
{
  g_autoptr (GVariant) owned = gui_call (fixture, OWNERSHIP, "TakeOwnership",
                                         g_variant_new_parsed ("({'lockout-auth': <'sesame'>},)"));
  g_autoptr (GError) error = NULL;

  gui_show_page (fixture, "ownership");
  g_assert_null (gui_find_row (NULL, "The Lockout Auth Is Barred"));
  g_assert_null (ward_client_call_sync (lockout_of (fixture), "Reset", g_variant_new_parsed ("({'auth': <'wrong'>},)"),
                                        NULL, WARD_CLIENT_CALL_NONE, NULL, &error));
  g_assert_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED);
  wait_for_subtitle (NULL, "The Lockout Auth Is Barred", "Even the right one is refused for ");
}

static void
test_rules (GuiFixture *fixture)
{
  WardDbusLockout *lockout = lockout_of (fixture);
  GtkWidget *dialog, *combo;
  guint before = ward_dbus_lockout_get_recovery_seconds (lockout);

  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Change the rules of the protection against guessing"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Rules"));
  gui_type (gui_wait_for_row (dialog, "Lock After"), "32");
  combo = gui_wait_for_row (dialog, "Bar For");
  adw_combo_row_set_selected (ADW_COMBO_ROW (combo), 0);
  gui_wait_for_text (dialog, "until the machine is restarted");
  gui_click (gui_wait_for_button (dialog, "Set"));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  gui_wait_for_text (NULL, "The TPM has taken the new rules");
  g_assert_cmpuint (ward_dbus_lockout_get_max_failures (lockout), ==, 32);
  g_assert_cmpuint (ward_dbus_lockout_get_lockout_recovery_seconds (lockout), ==, 0);
  /* what was not changed stays, though it is none of the usual choices */
  g_assert_cmpuint (ward_dbus_lockout_get_recovery_seconds (lockout), ==, before);
  wait_for_subtitle (NULL, "Rules", "Locks after 32 failed tries");
}

static void
test_rules_that_lock_at_once (GuiFixture *fixture)
{
  GtkWidget *dialog;

  fail_tries (fixture, 2);
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Change the rules of the protection against guessing"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Rules"));
  g_assert_null (gui_find_text (dialog, "locks the TPM at once"));
  gui_type (gui_wait_for_row (dialog, "Lock After"), "2");
  gui_wait_for_text (dialog, "locks the TPM at once");
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  g_assert_cmpuint (ward_dbus_lockout_get_max_failures (lockout_of (fixture)), ==, 3);
}

static void
test_compact (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  GtkWidget *group = g_object_new (WARD_GUI_TYPE_LOCKOUT_GROUP, "chip", chip, "compact", TRUE, NULL);
  GtkWidget *window = g_object_new (ADW_TYPE_WINDOW, "title", "Compact", "content", group, NULL);

  gtk_window_present (GTK_WINDOW (window));
  gui_wait_for_row (window, "Not Locked");
  g_assert_nonnull (gui_find_text (window, "No wrong password was given."));
  g_assert_null (gui_find_row (window, "Rules"));
  fail_tries (fixture, 1);
  gui_wait_for_text (window, "Wrong passwords were given.");
  g_object_set (group, "chip", NULL, NULL);
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
add (void)
{
  gui_add_test ("/lockout/countdown", test_countdown);
  gui_add_test ("/lockout/rests-while-it-is-not-seen", test_rests_while_it_is_not_seen);
  gui_add_test ("/lockout/lockout-and-reset", test_lockout_and_reset);
  gui_add_test ("/lockout/reset-by-its-auth", test_reset_by_its_auth);
  gui_add_test ("/lockout/bar-is-told", test_bar_is_told);
  gui_add_test ("/lockout/rules", test_rules);
  gui_add_test ("/lockout/rules-that-lock-at-once", test_rules_that_lock_at_once);
  gui_add_test ("/lockout/compact", test_compact);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
