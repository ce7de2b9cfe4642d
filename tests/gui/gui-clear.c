/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clearing: what it would cost is shown first, nothing happens by accident, and what has happened is told. */
#include "gui-fixture.h"

#include <signal.h>

#include "ward-gui-clear-dialog.h"
#include "ward-gui-ledger.h"

#define KEYS "org.tpmward1.Keys"
#define OWNERSHIP "org.tpmward1.Ownership"
#define NAME "Type “tpm0” to Clear It"

static GtkWidget *
open_dialog (GuiFixture *fixture)
{
  GtkWidget *dialog;

  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Clear the TPM…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Clear the TPM"));
  gui_wait_for_text (dialog, "If tpm0 is cleared: ");
  return dialog;
}

static WardDbusOwnership *
ownership_of (GuiFixture *fixture)
{
  return ward_gui_chip_get_ownership (ward_gui_window_get_chip (fixture->window));
}

static void
take_ownership (GuiFixture *fixture)
{
  g_autoptr (GVariant) reply = gui_call (fixture, OWNERSHIP, "TakeOwnership",
                                         g_variant_new_parsed ("({'lockout-auth': <'sesame'>},)"));

  gui_wait_until (ward_dbus_ownership_get_lockout_auth_set (ownership_of (fixture)));
}

/* As where the firmware is another one. */
static void
pretend (GuiFixture *fixture, const char *property, GVariant *value)
{
  g_dbus_proxy_set_cached_property (G_DBUS_PROXY (ownership_of (fixture)), property, value);
}

static GVariant *
parse_ledger (void)
{
  return g_variant_ref_sink (g_variant_new_parsed (
      "[{'kind': <'luks-volume'>, 'subject': <'/dev/sda3'>, 'owner': <'root'>, 'detail': <'Unlocked by systemd.'>, "
      "  'recoverable': <'no'>, 'reason': <'No other key slot opens it.'>},"
      " {'kind': <'key'>, 'subject': <'/srv/<b>.tpm'>, 'owner': <'alice'>, 'confidence': <'likely'>, "
      "  'recoverable': <'no'>, 'reason': <'It is wrapped by this TPM.'>},"
      " {'kind': <'other-users'>, 'subject': <''>, 'count': <uint32 12>, 'recoverable': <'unknown'>},"
      " {'kind': <'persistent-handle'>, 'subject': <'0x81000001'>, 'recoverable': <'yes'>, "
      "  'reason': <'It is made again.'>}]"));
}

static GtkWidget *
show_in_window (GtkWidget *ledger)
{
  GtkWidget *window = g_object_new (ADW_TYPE_WINDOW, "title", "Ledger", "content", ledger, NULL);

  gtk_window_present (GTK_WINDOW (window));
  gui_wait_for_dialog ("Ledger");
  return window;
}

static void
assert_row (GtkWidget *root, const char *title, const char *subtitle)
{
  GtkWidget *row = gui_wait_for_row (root, title);

  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (row)), ==, subtitle);
}

static void
test_ledger_in_groups (GuiFixture *fixture)
{
  GtkWidget *ledger = g_object_new (WARD_GUI_TYPE_LEDGER, NULL);
  g_autoptr (GVariant) dependents = parse_ledger ();
  GtkWidget *window;

  ward_gui_ledger_show_fates (WARD_GUI_LEDGER (ledger), dependents);
  window = show_in_window (ledger);
  gui_wait_for_text (window, "Lost for good (2)");
  gui_wait_for_text (window, "Perhaps lost (12)");
  gui_wait_for_text (window, "Not lost: there is another way in, or it is made again by itself (1)");
  assert_row (window, "/dev/sda3", "encrypted disk\nUnlocked by systemd.\nNo other key slot opens it.");
  /* a name is no markup */
  assert_row (window, "/srv/<b>.tpm", "probably a key of alice\nIt is wrapped by this TPM.");
  gui_wait_for_text (window, "/srv/<b>.tpm");
  assert_row (window, "other users", "");
  assert_row (window, "0x81000001", "persistent handle\nIt is made again.");

  ward_gui_ledger_show_list (WARD_GUI_LEDGER (ledger), dependents, "All");
  gui_wait_for_text (window, "All");
  g_assert_null (gui_find_text (window, "Lost for good"));
  gui_wait_for_row (window, "/dev/sda3");
  gtk_window_destroy (GTK_WINDOW (window));
}

/* A machine may have thousands of keys. */
static void
test_long_ledger (GuiFixture *fixture)
{
  GtkWidget *ledger = g_object_new (WARD_GUI_TYPE_LEDGER, NULL);
  GVariantBuilder builder;
  g_autoptr (GVariant) dependents = NULL;
  GtkWidget *window;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < 60; i++)
    {
      g_autofree char *name = g_strdup_printf ("key-%u", i);

      g_variant_builder_add_parsed (&builder, "{'kind': <'key'>, 'subject': <%s>, 'recoverable': <'no'>}", name);
    }
  dependents = g_variant_ref_sink (g_variant_builder_end (&builder));
  ward_gui_ledger_show_fates (WARD_GUI_LEDGER (ledger), dependents);
  window = show_in_window (ledger);
  gui_wait_for_text (window, "Lost for good (60)");
  g_assert_null (gui_find_row (window, "key-25"));
  gui_click (gui_wait_for_row (window, "Show 35 More"));
  gui_wait_for_row (window, "key-49");
  gui_click (gui_wait_for_row (window, "Show 10 More"));
  gui_wait_for_row (window, "key-59");
  g_assert_null (gui_find_text (window, "Show "));
  gtk_window_destroy (GTK_WINDOW (window));
}

static void
test_name_is_typed_first (GuiFixture *fixture)
{
  GtkWidget *dialog = open_dialog (fixture);
  GtkWidget *button = gui_wait_for_button (dialog, "Clear");
  GtkWidget *entry = gui_wait_for_row (dialog, NAME);

  g_assert_true (gtk_widget_has_css_class (button, "destructive-action"));
  g_assert_null (gtk_window_get_default_widget (GTK_WINDOW (dialog)));
  g_assert_false (gtk_widget_is_sensitive (button));
  gui_type (entry, "tpm");
  g_assert_false (gtk_widget_is_sensitive (button));
  gui_type (entry, "tpm0");
  g_assert_true (gtk_widget_is_sensitive (button));
  gui_type (entry, "tpm01");
  g_assert_false (gtk_widget_is_sensitive (button));
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

/* What the TPM tells then is for nobody. */
static void
test_closed_while_looking (GuiFixture *fixture)
{
  WardGuiDialog *dialog;

  gui_signal_part ("swtpm", SIGSTOP);
  dialog = ward_gui_clear_dialog_new (ward_gui_window_get_chip (fixture->window));
  ward_gui_dialog_present (dialog, GTK_WIDGET (fixture->window));
  gui_wait_for_dialog ("Clear the TPM");
  gtk_window_destroy (GTK_WINDOW (dialog));
  gui_signal_part ("swtpm", SIGCONT);
  gui_wait_for_chip (fixture);
}

/* The machine does not wait for the person to make up their mind. */
static void
test_ledger_follows (GuiFixture *fixture)
{
  GtkWidget *dialog = open_dialog (fixture);

  g_assert_null (gui_find_row (dialog, "made-later"));
  g_variant_unref (gui_call (fixture, KEYS, "Create", g_variant_new_parsed ("('made-later', 'ecc-p256', @a{sv} {})")));
  gui_wait_for_row (dialog, "made-later");

  /* what else changes leaves the choice of the way alone */
  pretend (fixture, "PhysicalPresence", g_variant_new_string ("prompt"));
  g_signal_emit_by_name (ward_gui_window_get_chip (fixture->window), "changed");
  gui_wait_until (gtk_widget_is_sensitive (gui_find_row (dialog, "At the Next Restart")));
  gui_click (gui_find_row (dialog, "At the Next Restart"));
  g_variant_unref (gui_call (fixture, KEYS, "Delete", g_variant_new_parsed ("('made-later',)")));
  gui_wait_until (gui_find_row (dialog, "made-later") == NULL);
  gui_type (gui_wait_for_row (dialog, NAME), "tpm0");
  gui_click (gui_wait_for_button (dialog, "Clear"));
  gui_wait_for_text (dialog, "This TPM cannot do that");
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

/* What is gone cannot be cleared, whatever was typed. */
static void
test_gone (GuiFixture *fixture)
{
  GtkWidget *dialog = open_dialog (fixture);
  GtkWidget *button = gui_wait_for_button (dialog, "Clear");

  gui_type (gui_wait_for_row (dialog, NAME), "tpm0");
  g_assert_true (gtk_widget_is_sensitive (button));
  gui_signal_part ("daemon", SIGKILL);
  gui_wait_for_text (dialog, "Try again when tpm0 is back.");
  g_assert_false (gtk_widget_is_sensitive (button));
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
test_clear (GuiFixture *fixture)
{
  g_autoptr (GVariant) made = gui_call (fixture, KEYS, "Create",
                                        g_variant_new_parsed ("('mine', 'ecc-p256', @a{sv} {})"));
  GtkWidget *dialog;

  take_ownership (fixture);
  dialog = open_dialog (fixture);
  gui_wait_for_row (dialog, "mine");
  gui_wait_for_row (dialog, "0x81000001");
  gui_type (gui_wait_for_row (dialog, NAME), "tpm0");
  gui_click (gui_wait_for_button (dialog, "Clear"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Clear the TPM"));
  gui_type (gui_wait_for_row (NULL, "Password"), "sesame");
  gui_click (gui_wait_for_button (NULL, "Continue"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("tpm0 Was Cleared"));
  gui_click (gui_wait_for_button (dialog, "Close"));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  gui_wait_for_row (NULL, "Not Owned");
  g_assert_false (ward_dbus_ownership_get_owned (ownership_of (fixture)));
  g_assert_false (ward_dbus_ownership_get_srk_present (ownership_of (fixture)));
}

static void
test_wrong_auth_clears_nothing (GuiFixture *fixture)
{
  GtkWidget *dialog;

  take_ownership (fixture);
  dialog = open_dialog (fixture);
  gui_type (gui_wait_for_row (dialog, NAME), "tpm0");
  gui_click (gui_wait_for_button (dialog, "Clear"));
  gui_type (gui_wait_for_row (NULL, "Password"), "wrong");
  gui_click (gui_wait_for_button (NULL, "Continue"));
  gui_wait_for_text (NULL, "The password is wrong");
  gui_click (gui_wait_for_row (NULL, "Try All the Same"));
  gui_click (
      gui_wait_for_button (gtk_widget_get_ancestor (gui_find_row (NULL, "Password"), GTK_TYPE_WINDOW), "Cancel"));
  gui_wait_until (gui_find_row (NULL, "Password") == NULL);
  /* that is no error */
  g_assert_null (gui_find_text (dialog, "The password"));
  g_assert_true (ward_dbus_ownership_get_owned (ownership_of (fixture)));
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

/* The service counts other people's things in an entry of their own, and names them for administrators. */
static void
test_other_peoples_things (GuiFixture *fixture)
{
  const char *const make[] = {
    "runuser", "-u",      "ward-alice", "--",       "busctl", "call", "org.tpmward1", "/org/tpmward1/tpm/tpm0", KEYS,
    "Create",  "ssa{sv}", "alices-own", "ecc-p256", "0",      NULL
  };
  g_autoptr (GError) error = NULL;
  GtkWidget *dialog;
  int status;

  g_spawn_sync (NULL, (char **)make, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, 0);
  dialog = open_dialog (fixture);
  g_assert_null (gui_find_row (dialog, "alices-own"));
  gui_click (gui_wait_for_button (dialog, "Name Other People’s Things Too…"));
  gui_wait_for_row (dialog, "alices-own");
  g_assert_null (gui_find_button (dialog, "Name Other People’s Things Too…"));
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
test_ways (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  WardGuiDialog *dialog;
  GtkWidget *now, *firmware;

  pretend (fixture, "PhysicalPresence", g_variant_new_string ("none"));
  dialog = ward_gui_clear_dialog_new (chip);
  ward_gui_dialog_present (dialog, GTK_WIDGET (fixture->window));
  now = gui_wait_for_row (GTK_WIDGET (dialog), "Now");
  firmware = gui_wait_for_row (GTK_WIDGET (dialog), "At the Next Restart");
  g_assert_true (gtk_widget_is_sensitive (now));
  g_assert_false (gtk_widget_is_sensitive (firmware));
  gui_wait_for_text (firmware, "takes no request");
  gtk_window_close (GTK_WINDOW (dialog));

  pretend (fixture, "PhysicalPresence", g_variant_new_string ("prompt"));
  pretend (fixture, "ClearDisabled", g_variant_new_boolean (TRUE));
  dialog = ward_gui_clear_dialog_new (chip);
  ward_gui_dialog_present (dialog, GTK_WIDGET (fixture->window));
  now = gui_wait_for_row (GTK_WIDGET (dialog), "Now");
  firmware = gui_wait_for_row (GTK_WIDGET (dialog), "At the Next Restart");
  g_assert_false (gtk_widget_is_sensitive (now));
  g_assert_true (gtk_widget_is_sensitive (firmware));
  gui_wait_for_text (firmware, "it asks on the screen");

  /* the service knows better what this firmware takes, and it asks for no lockout auth first */
  gui_wait_for_text (GTK_WIDGET (dialog), "If tpm0 is cleared: ");
  gui_type (gui_wait_for_row (GTK_WIDGET (dialog), NAME), "tpm0");
  gui_click (gui_wait_for_button (GTK_WIDGET (dialog), "Clear"));
  gui_wait_for_text (GTK_WIDGET (dialog), "This TPM cannot do that");
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
test_no_way (GuiFixture *fixture)
{
  WardGuiDialog *dialog;

  pretend (fixture, "PhysicalPresence", g_variant_new_string ("none"));
  pretend (fixture, "ClearDisabled", g_variant_new_boolean (TRUE));
  dialog = ward_gui_clear_dialog_new (ward_gui_window_get_chip (fixture->window));
  ward_gui_dialog_present (dialog, GTK_WIDGET (fixture->window));
  gui_wait_for_text (GTK_WIDGET (dialog), "If tpm0 is cleared: ");
  g_assert_null (gui_find_row (GTK_WIDGET (dialog), NAME));
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (GTK_WIDGET (dialog), "Clear")));
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
add (void)
{
  gui_add_test ("/clear/ledger-in-groups", test_ledger_in_groups);
  gui_add_test ("/clear/long-ledger", test_long_ledger);
  gui_add_test ("/clear/name-is-typed-first", test_name_is_typed_first);
  gui_add_test ("/clear/closed-while-looking", test_closed_while_looking);
  gui_add_test ("/clear/ledger-follows", test_ledger_follows);
  gui_add_test ("/clear/gone", test_gone);
  gui_add_test ("/clear/clear", test_clear);
  gui_add_test ("/clear/wrong-auth-clears-nothing", test_wrong_auth_clears_nothing);
  gui_add_test ("/clear/other-peoples-things", test_other_peoples_things);
  gui_add_test ("/clear/ways", test_ways);
  gui_add_test ("/clear/no-way", test_no_way);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
