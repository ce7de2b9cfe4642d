/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* On a TPM 1.2: what it has, and nothing that it has not. */
#include "gui-key-fixture.h"

#define OWNERSHIP "org.tpmward1.Ownership"

static WardDbusOwnership *
ownership_of (GuiFixture *fixture)
{
  return ward_gui_chip_get_ownership (ward_gui_window_get_chip (fixture->window));
}

static void
wait_for_no_dialog (void)
{
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

/* secrets: an a{sv} in GVariant's text format. */
static void
take_ownership (GuiFixture *fixture, const char *secrets)
{
  g_autoptr (GVariant) reply = gui_call (fixture, OWNERSHIP, "TakeOwnership",
                                         g_variant_new ("(@a{sv})", g_variant_new_parsed (secrets)));

  gui_wait_until (ward_dbus_ownership_get_owned (ownership_of (fixture)));
}

/* That it is the owner's secret: it takes it to enable what is enabled. */
static void
assert_owner_secret (GuiFixture *fixture, const char *secret)
{
  g_autoptr (GVariant) reply = gui_call (fixture, OWNERSHIP, "SetEnabled",
                                         g_variant_new_parsed ("(true, {'auth': <%s>})", secret));

  g_assert_nonnull (reply);
}

/* In a dialog that sets a secret. */
static void
type_new_secret (GtkWidget *dialog, const char *secret)
{
  gui_type (gui_wait_for_row (dialog, "New Password"), secret);
  gui_type (gui_wait_for_row (dialog, "Repeat the Password"), secret);
}

static void
test_what_it_has_not (GuiFixture *fixture)
{
  gui_wait_for_text (NULL, "TPM 1.2, revision 2.3");
  g_assert_null (gui_find_text (NULL, "()"));
  gui_wait_for_text (NULL, "Not owned: until it has an owner");
  g_assert_null (gui_find_button (NULL, "Quick"));

  gui_show_page (fixture, "ownership");
  gui_wait_for_row (NULL, "Not Owned");
  g_assert_null (gui_find_row (NULL, "Lockout Auth"));
  g_assert_null (gui_find_row (NULL, "Endorsement Auth"));
  g_assert_null (gui_find_row (NULL, "Not There"));
  g_assert_null (gui_find_row (NULL, "The Storage Root Key’s"));
  g_assert_null (gui_find_row (NULL, "Failed Tries"));
  g_assert_null (gui_find_text (NULL, "lockout auth"));
  /* without an owner there is nobody who could */
  g_assert_null (gui_find_button (NULL, "Disable…"));
  g_assert_null (gui_find_button (NULL, "Release…"));

  gui_show_page (fixture, "boot");
  gui_wait_for_row (NULL, "Firmware Settings");
  g_assert_null (gui_find_text (NULL, "sha1"));
  gui_show_page (fixture, "storage");
  gui_wait_for_text (NULL, "Nobody keeps data in this TPM.");
  g_assert_null (gui_find_text (NULL, "persistent handles"));

  gui_show_page (fixture, "keys");
  gui_wait_for_text (NULL, "The TPM Has No Owner");
  gui_click (gui_wait_for_button (NULL, "Go to Ownership"));
  gui_wait_for_row (NULL, "Not Owned");
}

/* What is recommended is what happens if a person only goes on; others can use the storage root key then. */
static void
test_recommended (GuiFixture *fixture)
{
  GtkWidget *dialog;

  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Take Ownership…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Take Ownership"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  gui_wait_for_text (dialog, "The owner's secret");
  g_assert_null (gui_find_text (dialog, "The secret of the storage root key"));
  g_assert_false (ward_dbus_ownership_get_owned (ownership_of (fixture)));
  gui_click (gui_wait_for_row (dialog, "I Have Written It Down"));
  gui_click (gui_wait_for_button (dialog, "Set"));
  wait_for_no_dialog ();
  gui_wait_for_row (NULL, "Owned");
  g_assert_null (gui_find_button (NULL, "Take Ownership…"));
  gui_create_key (fixture, GUI_KEYS, "by the well-known secret", "rsa2048", "@a{sv} {}");
}

/* Both secrets are asked for, and that of the storage root key again when a key is made. */
static void
test_secret_of_the_storage_root_key (GuiFixture *fixture)
{
  GtkWidget *dialog, *question;

  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Take Ownership…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Take Ownership"));
  gui_click (gui_wait_for_row (dialog, "Give It a Secret of Its Own"));
  gui_click (gui_wait_for_row (dialog, "Choose One Myself"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  type_new_secret (
      gtk_widget_get_ancestor (gui_wait_for_text (dialog, "The owner's secret"), ADW_TYPE_PREFERENCES_GROUP), "own");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Set")));
  type_new_secret (gtk_widget_get_ancestor (gui_wait_for_text (dialog, "The secret of the storage root key"),
                                            ADW_TYPE_PREFERENCES_GROUP),
                   "root");
  gui_click (gui_wait_for_button (dialog, "Set"));
  wait_for_no_dialog ();
  gui_wait_for_row (NULL, "Owned");
  assert_owner_secret (fixture, "own");

  gui_show_page (fixture, "keys");
  gui_click (gui_wait_for_button (NULL, "Make a Key…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Make a Key"));
  gui_wait_for_text (dialog, "Signing Files");
  g_assert_null (gui_find_text (dialog, "SSH"));
  g_assert_null (gui_find_text (dialog, "P-256"));
  g_assert_null (gui_find_row (dialog, "Bound To"));
  gui_type (gui_wait_for_row (dialog, "Name"), "mine");
  gui_click (gui_wait_for_button (dialog, "Make"));
  question = gtk_widget_get_ancestor (gui_wait_for_row (NULL, "Secret of the Storage Root Key"), GTK_TYPE_WINDOW);
  g_assert_null (gui_find_row (question, "Password"));
  gui_type (gui_wait_for_row (question, "Secret of the Storage Root Key"), "wrong");
  gui_click (gui_wait_for_button (question, "Continue"));
  gui_wait_for_text (question, "The secret is wrong");
  gui_type (gui_wait_for_row (question, "Secret of the Storage Root Key"), "root");
  gui_click (gui_wait_for_button (question, "Continue"));
  gui_wait_for_text (dialog, "“mine” Was Made");
}

static void
test_secrets_are_changed (GuiFixture *fixture)
{
  GtkWidget *dialog;

  take_ownership (fixture, "{'owner-auth': <'own'>, 'srk-auth': <'root'>}");
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Change the Secret of the Storage Root Key"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Secret of the Storage Root Key"));
  gui_click (gui_wait_for_button (dialog, "Set"));
  dialog = gtk_widget_get_ancestor (gui_wait_for_text (NULL, "the owner’s secret is needed"), GTK_TYPE_WINDOW);
  gui_type (gui_wait_for_row (dialog, "Password"), "own");
  gui_click (gui_wait_for_button (dialog, "Continue"));
  wait_for_no_dialog ();
  gui_create_key (fixture, GUI_KEYS, "by the well-known secret", "rsa2048", "@a{sv} {}");

  gui_click (gui_wait_for_button (NULL, "Change the Owner’s Secret"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("The Owner’s Secret"));
  gui_click (gui_wait_for_row (dialog, "Choose One Myself"));
  gui_click (gui_wait_for_button (dialog, "Next"));
  type_new_secret (dialog, "new");
  gui_click (gui_wait_for_button (dialog, "Set"));
  dialog = gtk_widget_get_ancestor (gui_wait_for_text (NULL, "the present one is needed"), GTK_TYPE_WINDOW);
  gui_type (gui_wait_for_row (dialog, "Password"), "own");
  gui_click (gui_wait_for_button (dialog, "Continue"));
  wait_for_no_dialog ();
  assert_owner_secret (fixture, "new");
}

/* Also an owner whose secret everybody has is asked, as a wrong one is counted; and who is at the machine is not us. */
static void
test_on_and_off (GuiFixture *fixture)
{
  GtkWidget *dialog;

  take_ownership (fixture, "{'owner-auth': <''>}");
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Disable…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Disable the TPM?"));
  gui_wait_for_text (dialog, "none of its keys can be used");
  gui_click (gui_wait_for_button (dialog, "Disable…"));
  dialog = gtk_widget_get_ancestor (gui_wait_for_row (NULL, "It Is the Well-Known One"), GTK_TYPE_WINDOW);
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Continue")));
  gui_click (gui_wait_for_row (dialog, "It Is the Well-Known One"));
  gui_click (gui_wait_for_button (dialog, "Continue"));
  gui_wait_for_row (NULL, "Disabled");
  g_assert_null (gui_find_row (NULL, "Active"));
  gui_click (gui_wait_for_button (NULL, "Enable…"));
  dialog = gtk_widget_get_ancestor (gui_wait_for_row (NULL, "It Is the Well-Known One"), GTK_TYPE_WINDOW);
  gui_type (gui_wait_for_row (dialog, "Password"), "wrong");
  gui_click (gui_wait_for_button (dialog, "Continue"));
  gui_wait_for_text (dialog, "The secret is wrong");
  gui_click (gui_wait_for_row (dialog, "It Is the Well-Known One"));
  gui_click (gui_wait_for_button (dialog, "Continue"));
  gui_wait_for_row (NULL, "Enabled");

  gui_click (gui_wait_for_button (NULL, "Deactivate…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Deactivate the TPM?"));
  gui_click (gui_wait_for_button (dialog, "Deactivate"));
  gui_wait_for_text (NULL, "The TPM wants somebody to be present");
  g_assert_true (ward_dbus_ownership_get_active (ownership_of (fixture)));
}

/* Afterwards it is off, and without an owner only the firmware can change that. */
static void
test_clear (GuiFixture *fixture)
{
  GtkWidget *dialog, *question;

  take_ownership (fixture, "{'owner-auth': <'own'>}");
  gui_show_page (fixture, "ownership");
  gui_click (gui_wait_for_button (NULL, "Clear the TPM…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Clear the TPM"));
  gui_wait_for_text (dialog, "If tpm0 is cleared: ");
  gui_type (gui_wait_for_row (dialog, "Type “tpm0” to Clear It"), "tpm0");
  gui_click (gui_wait_for_button (dialog, "Clear"));
  question = gtk_widget_get_ancestor (gui_wait_for_text (NULL, "The owner’s secret is needed to clear"),
                                      GTK_TYPE_WINDOW);
  gui_type (gui_wait_for_row (question, "Password"), "own");
  gui_click (gui_wait_for_button (question, "Continue"));
  gui_click (gui_wait_for_button (GTK_WIDGET (gui_wait_for_dialog ("tpm0 Was Cleared")), "Close"));
  gui_wait_for_row (NULL, "Not Owned");
  gui_wait_for_row (NULL, "Disabled");
  g_assert_null (gui_find_button (NULL, "Enable…"));
  g_assert_null (gui_find_button (NULL, "Take Ownership…"));
  gui_show_page (fixture, "overview");
  gui_wait_for_text (NULL, "Your TPM Is Switched Off");
}

static void
test_nv (GuiFixture *fixture)
{
  GtkWidget *dialog;

  take_ownership (fixture, "{'owner-auth': <'own'>}");
  gui_show_page (fixture, "storage");
  gui_wait_for_text (NULL, "Nobody keeps data in this TPM.");
  gui_click (gui_wait_for_button (NULL, "Define…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Define an NV Index"));
  gui_click (gui_wait_for_row (dialog, "More"));
  gui_wait_for_row (dialog, "Written as a Whole Only");
  g_assert_null (gui_find_row (dialog, "In Volatile Memory"));
  gui_type (gui_wait_for_row (dialog, "Number"), "0xf000");
  gui_wait_for_text (dialog, "This number is reserved for a certificate");
  gui_type (gui_wait_for_row (dialog, "Number"), "0x1234");
  gui_click (gui_wait_for_button (dialog, "Define"));
  gui_answer ("The Owner’s Password", "own");
  gui_wait_for_text (NULL, "0x00001234, 32 bytes");
}

static void
add (void)
{
  gui_add_test ("/tpm12/what-it-has-not", test_what_it_has_not);
  gui_add_test ("/tpm12/recommended", test_recommended);
  gui_add_test ("/tpm12/secret-of-the-storage-root-key", test_secret_of_the_storage_root_key);
  gui_add_test ("/tpm12/secrets-are-changed", test_secrets_are_changed);
  gui_add_test ("/tpm12/on-and-off", test_on_and_off);
  gui_add_test ("/tpm12/clear", test_clear);
  gui_add_test ("/tpm12/nv", test_nv);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
