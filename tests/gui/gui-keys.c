/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page Keys, and what is done with a key. */
#include "gui-fixture.h"

#include <glib/gstdio.h>

#include "ward-gui-key-import-dialog.h"
#include "ward-gui-keys.h"

#define KEYS "org.tpmward1.Keys"

static GtkWidget *
show (GuiFixture *fixture)
{
  gui_show_page (fixture, "keys");
  return GTK_WIDGET (fixture->window);
}

/* Returns its id. */
static char *
create (GuiFixture *fixture, const char *label)
{
  g_autoptr (GVariant) reply = gui_call (fixture, KEYS, "Create",
                                         g_variant_new_parsed ("(%s, 'ecc-p256', @a{sv} {})", label));
  char *id;

  g_variant_get (reply, "(s)", &id);
  return id;
}

static char *
get_public (GuiFixture *fixture, const char *key, const char *format)
{
  g_autoptr (GVariant) reply = gui_call (fixture, KEYS, "GetPublicKey", g_variant_new ("(ss)", key, format));
  g_autoptr (GVariant) bytes = g_variant_get_child_value (reply, 0);
  gsize size;
  const char *data = g_variant_get_fixed_array (bytes, &size, 1);

  return g_strndup (data, size);
}

static guint
count_keys (GuiFixture *fixture)
{
  g_autoptr (GVariant) reply = gui_call (fixture, KEYS, "List", NULL);
  g_autoptr (GVariant) keys = g_variant_get_child_value (reply, 0);

  return (guint)g_variant_n_children (keys);
}

static gboolean
clipboard_is (GuiFixture *fixture, const char *text)
{
  g_autofree char *there = gui_dup_clipboard (fixture);

  return g_strcmp0 (there, text) == 0;
}

static void
test_empty (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);

  gui_wait_for_text (window, "No Keys Yet");
  g_assert_nonnull (gui_find_button (window, "Make a Key…"));
  g_assert_nonnull (gui_find_button (window, "Import a Key…"));
}

/* From nothing to a line in the clipboard, with what is suggested. */
static void
test_ssh_key (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *dialog;
  g_autofree char *line = NULL;

  gui_click (gui_wait_for_button (window, "Make a Key…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Make a Key"));
  gui_click (gui_wait_for_button (dialog, "Make"));
  gui_wait_for_text (dialog, "“ssh” Was Made");
  gui_click (gui_wait_for_button (dialog, "Copy Public Key for SSH"));
  line = get_public (fixture, "ssh", "ssh");
  g_assert_true (g_str_has_prefix (line, "ecdsa-sha2-nistp256 "));
  gui_wait_until (clipboard_is (fixture, line));
  gui_click (gui_wait_for_button (dialog, "Close"));
  gui_wait_for_text (window, "ECC P-256 · signs · no password");
}

static void
assert_refused (GtkWidget *dialog, const char *label, const char *reason)
{
  gui_type (gui_wait_for_row (dialog, "Name"), label);
  gui_wait_for_text (dialog, reason);
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Make")));
}

static void
test_bad_names (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  g_autofree char *id = create (fixture, "not free");
  g_autofree char *too_long = g_strnfill (129, 'x');
  GtkWidget *dialog;

  gui_wait_for_text (window, "not free");
  g_assert_true (gtk_widget_activate_action (gui_wait_for_button (window, "Add a Key"), "keys.create", NULL));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Make a Key"));
  assert_refused (dialog, "", "Give the key a name");
  assert_refused (dialog, "not free", "There is a key with the name “not free” already");
  assert_refused (dialog, too_long, "The name is too long");
  assert_refused (dialog, id, "32 hexadecimal digits");
  gui_type (gui_wait_for_row (dialog, "Name"), "free");
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (dialog, "Make")));
}

static void
test_password_is_typed_twice (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  GtkWidget *dialog, *row;

  gui_click (gui_wait_for_button (window, "Make a Key…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Make a Key"));
  row = gui_wait_for_row (dialog, "Protect by a Password");
  adw_expander_row_set_enable_expansion (ADW_EXPANDER_ROW (row), TRUE);
  adw_expander_row_set_expanded (ADW_EXPANDER_ROW (row), TRUE);
  gui_type (gui_wait_for_row (dialog, "Password"), "sesame");
  gui_wait_for_text (dialog, "The two passwords are not the same yet");
  gui_type (gui_wait_for_row (dialog, "Password Once More"), "sesame");
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (dialog, "Make")));
  gui_click (gui_find_button (dialog, "Make"));
  gui_wait_for_text (dialog, "“ssh” Was Made");
  gui_wait_for_text (NULL, "Was Made");
  g_assert_null (gui_find_text (dialog, "no password"));
}

static void
test_others_keys_appear_and_are_searched (GuiFixture *fixture)
{
  GtkWidget *window = show (fixture);
  g_autofree char *one = NULL, *two = NULL;

  gui_wait_for_text (window, "No Keys Yet");
  one = create (fixture, "alpha");
  two = create (fixture, "beta");
  gui_wait_for_text (window, "alpha");
  gui_wait_for_text (window, "beta");
  gtk_widget_activate_action (window, "win.search", NULL);
  gui_wait_until (gtk_window_get_focus (GTK_WINDOW (window)) != NULL
                  && GTK_IS_TEXT (gtk_window_get_focus (GTK_WINDOW (window))));
  gtk_editable_set_text (GTK_EDITABLE (gtk_window_get_focus (GTK_WINDOW (window))), "ALPH");
  gui_wait_until (gui_find_text (window, "beta") == NULL);
  g_assert_nonnull (gui_find_text (window, "alpha"));
  gtk_editable_set_text (GTK_EDITABLE (gtk_window_get_focus (GTK_WINDOW (window))), "nothing like it");
  gui_wait_for_text (window, "No Key Found");
}

/* The details of the key with that name. */
static GtkWidget *
open_key (GuiFixture *fixture, const char *label)
{
  GtkWidget *window = show (fixture);
  GtkWidget *list = gtk_widget_get_ancestor (gui_wait_for_text (window, label), GTK_TYPE_LIST_VIEW);

  g_signal_emit_by_name (list, "activate", 0u);
  return GTK_WIDGET (gui_wait_for_dialog ("Key"));
}

static gboolean
has_comment (GuiFixture *fixture, const char *label, const char *expected)
{
  g_autoptr (GVariant) reply = gui_call (fixture, KEYS, "Describe", g_variant_new ("(s)", label));
  g_autoptr (GVariant) description = g_variant_get_child_value (reply, 0);
  const char *comment = "";

  g_variant_lookup (description, "comment", "&s", &comment);
  return g_str_equal (comment, expected);
}

static void
test_rename (GuiFixture *fixture)
{
  g_autofree char *id = create (fixture, "old");
  GtkWidget *dialog = open_key (fixture, "old");
  GtkWidget *row = gui_wait_for_row (dialog, "Name");

  gui_type (row, "new");
  g_signal_emit_by_name (row, "apply");
  gui_wait_for_text (GTK_WIDGET (fixture->window), "new");
  row = gui_wait_for_row (dialog, "Comment");
  gui_type (row, "for the tests");
  g_signal_emit_by_name (row, "apply");
  gui_wait_until (has_comment (fixture, "new", "for the tests"));
}

static void
test_pem_is_copied (GuiFixture *fixture)
{
  g_autofree char *id = create (fixture, "mine");
  g_autofree char *pem = get_public (fixture, id, "pem");
  GtkWidget *dialog = open_key (fixture, "mine");

  gui_click (gui_wait_for_row (dialog, "Copy Public Key as _PEM"));
  gui_wait_until (clipboard_is (fixture, pem));
}

static void
test_delete_is_undone (GuiFixture *fixture)
{
  g_autofree char *id = create (fixture, "dear");
  GtkWidget *dialog = open_key (fixture, "dear");
  GtkWidget *window = GTK_WIDGET (fixture->window);

  gui_click (gui_wait_for_row (dialog, "_Delete…"));
  gui_wait_for_text (window, "No Keys Yet");
  g_assert_cmpuint (count_keys (fixture), ==, 1);
  gui_click (gui_wait_for_button (window, "Undo"));
  gui_wait_for_text (window, "dear");
  g_assert_cmpuint (count_keys (fixture), ==, 1);
}

/* A key that was used is not gone by one wrong click. */
static void
test_delete_of_a_used_key_is_asked_about (GuiFixture *fixture)
{
  g_autofree char *id = create (fixture, "in use");
  GtkWidget *dialog, *question;
  guint8 digest[32] = { 1 };

  g_variant_unref (
      gui_call (fixture, KEYS, "Sign",
                g_variant_new ("(ss@aya{sv})", id, "sha256",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, digest, sizeof digest, 1), NULL)));
  dialog = open_key (fixture, "in use");
  gui_wait_for_text (dialog, "1 time");
  gui_click (gui_wait_for_row (dialog, "_Delete…"));
  question = GTK_WIDGET (gui_wait_for_dialog ("Delete “in use” for Good?"));
  g_assert_cmpstr (adw_message_dialog_get_default_response (ADW_MESSAGE_DIALOG (question)), ==, "cancel");
  g_assert_cmpuint (count_keys (fixture), ==, 1);
  gui_click (gui_wait_for_button (question, "Delete"));
  gui_wait_for_text (GTK_WIDGET (fixture->window), "No Keys Yet");
  g_assert_cmpuint (count_keys (fixture), ==, 0);
}

static GtkFileChooser *
find_chooser (void)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *l = windows; l != NULL; l = l->next)
    if (GTK_IS_FILE_CHOOSER_DIALOG (l->data) && gtk_widget_get_mapped (l->data))
      return l->data;
  return NULL;
}

static gboolean
has_chosen (GtkFileChooser *chooser, GFile *file)
{
  g_autoptr (GFile) chosen = gtk_file_chooser_get_file (chooser);

  return chosen != NULL && g_file_equal (chosen, file);
}

/* Chooses a file in the dialog that comes, to be read or written. The dialog follows in its own time. */
static void
choose (const char *path, gboolean to_write)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GtkFileChooser *chooser;

  gui_wait_until (find_chooser () != NULL);
  chooser = find_chooser ();
  if (to_write)
    gtk_file_chooser_set_current_name (chooser, path); /* as one may type it */
  else
    g_assert_true (gtk_file_chooser_set_file (chooser, file, NULL));
  gui_wait_until (has_chosen (chooser, file));
  gtk_dialog_response (GTK_DIALOG (chooser), GTK_RESPONSE_ACCEPT);
  gui_wait_until (find_chooser () == NULL);
}

static void
write_file (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
test_sign_and_verify (GuiFixture *fixture)
{
  g_autofree char *id = create (fixture, "signer");
  g_autofree char *folder = g_dir_make_tmp ("keys-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "letter", NULL);
  g_autofree char *signature = g_build_filename (folder, "letter.sig", NULL);
  GtkWidget *dialog = open_key (fixture, "signer");
  GtkWidget *file_dialog;

  write_file (path, "Dear all\n");
  gui_click (gui_wait_for_row (dialog, "S_ign or Verify a File…"));
  file_dialog = GTK_WIDGET (gui_wait_for_dialog ("Sign or Verify a File"));
  gui_click (gui_wait_for_button (file_dialog, "Choose…"));
  choose (path, FALSE);
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (file_dialog, "Sign…")));
  gui_click (gui_find_button (file_dialog, "Sign…"));
  choose (signature, TRUE);
  gui_wait_for_row (file_dialog, "Signed");
  g_assert_true (g_file_test (signature, G_FILE_TEST_EXISTS));
  gui_wait_for_text (file_dialog, "openssl dgst -sha256 -verify 'signer.pem' -signature 'letter.sig' 'letter'");

  gui_click (gui_find_button (file_dialog, "Verify…"));
  choose (signature, FALSE);
  gui_wait_for_text (file_dialog, "The Signature Is Good");
  write_file (path, "Dear all?\n");
  gui_click (gui_find_button (file_dialog, "Verify…"));
  choose (signature, FALSE);
  gui_wait_for_text (file_dialog, "The Signature Is Not Good");
  g_unlink (signature);
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_password_is_set_and_asked_for (GuiFixture *fixture)
{
  g_autoptr (GVariant) reply = gui_call (fixture, KEYS, "Create",
                                         g_variant_new_parsed ("('guarded', 'ecc-p256', {'no-da': <false>})"));
  GtkWidget *dialog = open_key (fixture, "guarded");
  GtkWidget *password;

  gui_click (gui_wait_for_row (dialog, "Set _Password…"));
  password = GTK_WIDGET (gui_wait_for_dialog ("Password of the Key"));
  gui_type (gui_wait_for_row (password, "New Password"), "sesame");
  gui_type (gui_wait_for_row (password, "New Password Once More"), "sesame");
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (password, "Set")));
  gui_click (gui_find_button (password, "Set"));
  gui_wait_for_row (dialog, "Change _Password…");
}

static void
test_export (GuiFixture *fixture)
{
  g_autofree char *id = create (fixture, "traveller");
  g_autofree char *folder = g_dir_make_tmp ("keys-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "traveller.tss.pem", NULL);
  g_autofree char *pem = NULL;
  GtkWidget *dialog = open_key (fixture, "traveller");
  GStatBuf status;

  gui_click (gui_wait_for_row (dialog, "_Export…"));
  choose (path, TRUE);
  gui_wait_for_text (dialog, "Key exported to “traveller.tss.pem”");
  g_assert_true (g_file_get_contents (path, &pem, NULL, NULL));
  g_assert_true (g_str_has_prefix (pem, "-----BEGIN TSS2 PRIVATE KEY-----"));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0077, ==, 0);
  g_unlink (path);
  g_rmdir (folder);
}

/* As by a drop on the page. */
static void
test_import (GuiFixture *fixture)
{
  static const char pkcs8[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZtc3FxQtTgfJ665e\n"
                              "Y7fcmAcSPpy2ffEXmkpCO9nCu26hRANCAAT9SIJA702YfxFElfrIY0mIUd+t3ARK\n"
                              "X6Z0gLnAMj7KPOvTItjcD1TCRXfClSMHI7upgkFZkSyTNMPQb/LcE/7b\n"
                              "-----END PRIVATE KEY-----\n";
  g_autofree char *folder = g_dir_make_tmp ("keys-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "found.pem", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GtkWidget *window = show (fixture);
  g_autoptr (WardGuiKeys) keys = ward_gui_keys_new (ward_gui_window_get_chip (fixture->window));
  GtkWidget *dialog;

  write_file (path, pkcs8);
  gui_wait_for_text (window, "No Keys Yet");
  ward_gui_key_import_dialog_present (window, keys, file);
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Import a Key"));
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (dialog, "Import")));
  gui_click (gui_find_button (dialog, "Import"));
  gui_wait_for_text (window, "“found” imported");
  gui_wait_for_text (window, "ECC P-256 · signs");
  g_assert_cmpuint (count_keys (fixture), ==, 1);
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_import_of_what_is_no_key (GuiFixture *fixture)
{
  g_autofree char *folder = g_dir_make_tmp ("keys-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "letter.txt", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GtkWidget *window = show (fixture);
  g_autoptr (WardGuiKeys) keys = ward_gui_keys_new (ward_gui_window_get_chip (fixture->window));
  GtkWidget *dialog;

  write_file (path, "Dear all\n");
  ward_gui_key_import_dialog_present (window, keys, file);
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Import a Key"));
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (dialog, "Import")));
  gui_click (gui_find_button (dialog, "Import"));
  gui_wait_for_button (dialog, "Copy Details");
  g_assert_cmpuint (count_keys (fixture), ==, 0);
  g_unlink (path);
  g_rmdir (folder);
}

static void
add (void)
{
  gui_add_test ("/keys/empty", test_empty);
  gui_add_test ("/keys/ssh-key", test_ssh_key);
  gui_add_test ("/keys/bad-names", test_bad_names);
  gui_add_test ("/keys/password-is-typed-twice", test_password_is_typed_twice);
  gui_add_test ("/keys/others-keys-appear-and-are-searched", test_others_keys_appear_and_are_searched);
  gui_add_test ("/keys/rename", test_rename);
  gui_add_test ("/keys/pem-is-copied", test_pem_is_copied);
  gui_add_test ("/keys/delete-is-undone", test_delete_is_undone);
  gui_add_test ("/keys/delete-of-a-used-key-is-asked-about", test_delete_of_a_used_key_is_asked_about);
  gui_add_test ("/keys/sign-and-verify", test_sign_and_verify);
  gui_add_test ("/keys/password-is-set-and-asked-for", test_password_is_set_and_asked_for);
  gui_add_test ("/keys/export", test_export);
  gui_add_test ("/keys/import", test_import);
  gui_add_test ("/keys/import-of-what-is-no-key", test_import_of_what_is_no_key);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
