/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done with a key, where something is in the way. */
#include "gui-key-fixture.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <unistd.h>

#define SYSTEM_KEYS "org.tpmward1.SystemKeys"

static void
create (GuiFixture *fixture, const char *label, const char *options)
{
  gui_create_key (fixture, GUI_KEYS, label, "ecc-p256", options);
}

static guint
count_keys (GuiFixture *fixture)
{
  g_autoptr (GVariant) reply = gui_call (fixture, GUI_KEYS, "List", NULL);
  g_autoptr (GVariant) keys = g_variant_get_child_value (reply, 0);

  return (guint)g_variant_n_children (keys);
}

/* The dialog to sign with the key, with that file. */
static GtkWidget *
open_file (GuiFixture *fixture, const char *label, const char *path)
{
  GtkWidget *dialog = gui_open_key (fixture, label);

  gui_click (gui_wait_for_row (dialog, "S_ign or Verify a File…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Sign or Verify a File"));
  gui_click (gui_wait_for_button (dialog, "Choose…"));
  gui_choose_file (path, FALSE);
  gui_wait_until (gtk_widget_is_sensitive (gui_find_button (dialog, "Sign…")));
  return dialog;
}

static void
sign_to (GtkWidget *dialog, const char *signature)
{
  gui_click (gui_find_button (dialog, "Sign…"));
  gui_choose_file (signature, TRUE);
}

/* Without scrolling. */
static gboolean
is_in_sight (GtkWidget *dialog, GtkWidget *widget)
{
  graphene_rect_t bounds;

  return gtk_widget_get_height (widget) > 0 && gtk_widget_compute_bounds (widget, dialog, &bounds)
         && bounds.origin.y + bounds.size.height <= (float)gtk_widget_get_height (dialog);
}

static void
verify (GtkWidget *dialog, const char *signature, const char *expected)
{
  gui_click (gui_wait_for_button (dialog, "Verify…"));
  gui_choose_file (signature, FALSE);
  gui_wait_for_text (dialog, expected);
  gui_wait_until (is_in_sight (dialog, gui_wait_for_text (dialog, expected)));
}

/* The command that a person is given to pass on, with the files that it names. */
static void
assert_openssl_agrees (GuiFixture *fixture, GtkWidget *dialog, const char *label)
{
  GtkWidget *row = gui_wait_for_row (dialog, "Verify It Anywhere");
  g_autoptr (GVariant) reply = gui_call (fixture, GUI_KEYS, "GetPublicKey", g_variant_new ("(ss)", label, "pem"));
  g_autoptr (GVariant) bytes = g_variant_get_child_value (reply, 0);
  g_autofree char *name = g_strconcat (label, ".pem", NULL);
  g_autofree char *pem = gui_in_folder (name);
  g_autofree char *folder = g_path_get_dirname (pem);
  g_autofree char *command = NULL, *said = NULL;
  g_auto (GStrv) argv = NULL;
  gsize size;
  const char *data = g_variant_get_fixed_array (bytes, &size, 1);
  int status = -1;

  gui_write_file (pem, data, (gssize)size);
  gui_click (gui_wait_for_button (row, "Copy the Command"));
  command = gui_dup_clipboard (fixture);
  g_assert_true (g_shell_parse_argv (command, NULL, &argv, NULL));
  g_assert_true (g_spawn_sync (folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, NULL, &status, NULL));
  g_assert_cmpstr (said, ==, "Verified OK\n");
  g_assert_cmpint (status, ==, 0);
}

static void
assert_file_is_signed (GuiFixture *fixture, const char *label, guint scheme, guint hash)
{
  g_autofree char *path = gui_in_folder ("it’s a letter");
  g_autofree char *signature = gui_in_folder ("it’s a letter.sig");
  GtkWidget *dialog;

  gui_write_file (path, "Dear all\n", -1);
  dialog = open_file (fixture, label, path);
  gui_click (gui_wait_for_row (dialog, "How It Is Signed"));
  adw_combo_row_set_selected (ADW_COMBO_ROW (gui_wait_for_row (dialog, "Hash")), hash);
  if (scheme != 0)
    adw_combo_row_set_selected (ADW_COMBO_ROW (gui_wait_for_row (dialog, "Scheme")), scheme);
  sign_to (dialog, signature);
  gui_wait_for_row (dialog, "Signed");
  assert_openssl_agrees (fixture, dialog, label);
  verify (dialog, signature, "The Signature Is Good");
  adw_combo_row_set_selected (ADW_COMBO_ROW (gui_wait_for_row (dialog, "Hash")), hash == 0 ? 1 : 0);
  verify (dialog, signature, "The Signature Is Not Good");
}

static void
test_ecdsa (GuiFixture *fixture)
{
  create (fixture, "k", "@a{sv} {}");
  assert_file_is_signed (fixture, "k", 0, 1);
}

static void
test_rsa_pss (GuiFixture *fixture)
{
  gui_create_key (fixture, GUI_KEYS, "rsa key", "rsa2048", "@a{sv} {}");
  assert_file_is_signed (fixture, "rsa key", 1, 0);
}

static void
test_rsassa (GuiFixture *fixture)
{
  gui_create_key (fixture, GUI_KEYS, "rsa key", "rsa2048", "@a{sv} {}");
  assert_file_is_signed (fixture, "rsa key", 0, 2);
}

/* In base64, as other programs write it, with line ends. */
static void
test_base64 (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *signature = gui_in_folder ("letter.sig"),
                  *text = gui_in_folder ("letter.b64");
  g_autofree char *raw = NULL, *encoded = NULL, *copied = NULL, *line = NULL;
  GtkWidget *dialog;
  gsize size;

  gui_write_file (path, "Dear all\n", -1);
  create (fixture, "k", "@a{sv} {}");
  dialog = open_file (fixture, "k", path);
  sign_to (dialog, signature);
  gui_wait_for_row (dialog, "Signed");
  g_assert_true (g_file_get_contents (signature, &raw, &size, NULL));
  encoded = g_base64_encode ((const guchar *)raw, size);
  gui_click (gui_wait_for_button (dialog, "Copy the Signature as Base64"));
  copied = gui_dup_clipboard (fixture);
  g_assert_cmpstr (copied, ==, encoded);
  line = g_strdup_printf ("%.40s\n%s\n", encoded, encoded + 40);
  gui_write_file (text, line, -1);
  verify (dialog, text, "The Signature Is Good");
}

/* What cannot be a signature is none; it is no crash. */
static void
test_no_signature (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *empty = gui_in_folder ("empty"), *large = gui_in_folder ("large");
  g_autofree char *zeros = g_malloc0 (10000);
  GtkWidget *dialog;

  gui_write_file (path, "Dear all\n", -1);
  gui_write_file (empty, "", 0);
  gui_write_file (large, zeros, 10000);
  create (fixture, "k", "@a{sv} {}");
  dialog = open_file (fixture, "k", path);
  verify (dialog, empty, "The Signature Is Not Good");
  verify (dialog, path, "The Signature Is Not Good");
  verify (dialog, large, "The file is too large");
}

static void
test_file_is_gone (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *signature = gui_in_folder ("letter.sig");
  GtkWidget *dialog;

  gui_write_file (path, "Dear all\n", -1);
  create (fixture, "k", "@a{sv} {}");
  dialog = open_file (fixture, "k", path);
  g_unlink (path);
  sign_to (dialog, signature);
  gui_wait_for_text (dialog, "No such file");
  g_assert_false (g_file_test (signature, G_FILE_TEST_EXISTS));
  g_assert_true (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Sign…")));
}

static void
test_wrong_password (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *signature = gui_in_folder ("letter.sig");
  GtkWidget *dialog, *label;

  gui_write_file (path, "Dear all\n", -1);
  create (fixture, "k", "{'auth': <'right'>}");
  dialog = open_file (fixture, "k", path);
  sign_to (dialog, signature);
  gui_answer ("Password of “k”", "wrong");
  gui_wait_for_text (NULL, "2 tries are left");
  gui_answer ("Password of “k”", "wrong");
  label = gui_wait_for_text (NULL, "This is the last try");
  g_assert_true (gtk_widget_has_css_class (label, "error"));
  g_assert_false (g_file_test (signature, G_FILE_TEST_EXISTS));
  gui_answer ("Password of “k”", "right");
  gui_wait_for_row (dialog, "Signed");
  verify (dialog, signature, "The Signature Is Good");
}

/* No error: the person knows. */
static void
test_password_is_not_told (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *signature = gui_in_folder ("letter.sig");
  GtkWidget *dialog;

  gui_write_file (path, "Dear all\n", -1);
  create (fixture, "k", "{'auth': <'right'>}");
  dialog = open_file (fixture, "k", path);
  sign_to (dialog, signature);
  gui_wait_for_dialog ("Password of “k”");
  gui_click (gui_wait_for_button (GTK_WIDGET (gui_find_dialog ("Password of “k”")), "Cancel"));
  gui_wait_until (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Sign…")));
  g_assert_null (gui_find_button (dialog, "Copy Details"));
  g_assert_false (g_file_test (signature, G_FILE_TEST_EXISTS));
}

static void
test_bound (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *signature = gui_in_folder ("letter.sig");
  GtkWidget *dialog;

  gui_write_file (path, "Dear all\n", -1);
  create (fixture, "k", "{'pcrs': <{'sha256': [uint32 16]}>}");
  dialog = open_file (fixture, "k", path);
  gui_wait_for_text (NULL, "Debugging (PCR 16, sha256)");
  sign_to (dialog, signature);
  gui_wait_for_row (dialog, "Signed");
}

/* Something was measured since. */
static void
test_boot_state_is_another (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *signature = gui_in_folder ("letter.sig");
  GtkWidget *dialog;

  gui_write_file (path, "Dear all\n", -1);
  dialog = open_file (fixture, "k", path);
  sign_to (dialog, signature);
  gui_wait_for_text (dialog, "The boot state is another one. ");
  g_assert_nonnull (gui_find_text (dialog, "16"));
  g_assert_false (g_file_test (signature, G_FILE_TEST_EXISTS));
}

/* Before the chip has answered. */
static void
test_closed_while_signing (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("letter"), *signature = gui_in_folder ("letter.sig");
  GtkWidget *dialog;

  gui_write_file (path, "Dear all\n", -1);
  create (fixture, "k", "@a{sv} {}");
  dialog = open_file (fixture, "k", path);
  gui_signal_part ("swtpm", SIGSTOP);
  sign_to (dialog, signature);
  gui_wait_for_text (NULL, "Signing…");
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog ("Sign or Verify a File") == NULL);
  gui_signal_part ("swtpm", SIGCONT);
  gui_wait_for_chip (fixture);
}

/* A file that takes long, which has nothing in it. */
static void
test_closed_while_hashing (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("zero"), *signature = gui_in_folder ("zero.sig");
  GtkWidget *dialog;

  gui_write_file (path, "", 0);
  g_assert_cmpint (truncate (path, G_GINT64_CONSTANT (1) << 40), ==, 0);
  create (fixture, "k", "@a{sv} {}");
  dialog = open_file (fixture, "k", path);
  sign_to (dialog, signature);
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_button (dialog, "Sign…")));
  gtk_window_close (GTK_WINDOW (dialog));
  gui_wait_until (gui_find_dialog ("Sign or Verify a File") == NULL);
  gui_wait_for_chip (fixture);
  g_assert_false (g_file_test (signature, G_FILE_TEST_EXISTS));
}

static void
test_details_closed_at_once (GuiFixture *fixture)
{
  create (fixture, "k", "@a{sv} {}");
  gui_show_page (fixture, "keys");
  gui_wait_for_text (GTK_WIDGET (fixture->window), "k");
  gui_wait_for_chip (fixture);
  gui_signal_part ("daemon", SIGSTOP);
  gtk_window_close (GTK_WINDOW (gui_open_key (fixture, "k")));
  gui_signal_part ("daemon", SIGCONT);
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  gui_wait_for_chip (fixture);
}

static void
set_password (const char *password)
{
  GtkWidget *dialog = GTK_WIDGET (gui_wait_for_dialog ("Password of the Key"));

  gui_type (gui_wait_for_row (dialog, "New Password"), password);
  gui_type (gui_wait_for_row (dialog, "New Password Once More"), password);
  gui_click (gui_wait_for_button (dialog, *password != '\0' ? "Set" : "Remove"));
}

static void
sign_by_hand (GuiFixture *fixture, const char *password)
{
  const guint8 digest[32] = { 1 };
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  if (password != NULL)
    g_variant_dict_insert (&options, "auth", "s", password);
  g_variant_unref (gui_call (fixture, GUI_KEYS, "Sign",
                             g_variant_new ("(ss@ay@a{sv})", "k", "sha256",
                                            g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, digest, sizeof digest, 1),
                                            g_variant_dict_end (&options))));
}

static void
test_password_is_changed_and_removed (GuiFixture *fixture)
{
  GtkWidget *dialog;

  create (fixture, "k", "{'auth': <'old'>}");
  dialog = gui_open_key (fixture, "k");
  gui_click (gui_wait_for_row (dialog, "Change _Password…"));
  set_password ("new");
  gui_answer ("Present Password of “k”", "old");
  gui_wait_until (gui_find_dialog ("Password of the Key") == NULL);
  sign_by_hand (fixture, "new");

  gui_click (gui_wait_for_row (dialog, "Change _Password…"));
  set_password ("");
  gui_answer ("Present Password of “k”", "new");
  gui_wait_until (gui_find_dialog ("Password of the Key") == NULL);
  gui_wait_for_row (dialog, "Set _Password…");
  sign_by_hand (fixture, NULL);
}

/* For good: that is told before, not after somebody has typed one. */
static void
test_password_that_cannot_be (GuiFixture *fixture)
{
  GtkWidget *dialog;

  create (fixture, "k", "{'no-da': <true>}");
  dialog = gui_open_key (fixture, "k");
  gui_wait_for_text (dialog, "It was made without one");
  g_assert_false (gtk_widget_is_sensitive (gui_wait_for_row (dialog, "Set _Password…")));
}

/* One that counts wrong passwords can be given one later. */
static void
test_password_is_set (GuiFixture *fixture)
{
  GtkWidget *dialog;

  create (fixture, "k", "{'no-da': <false>}");
  dialog = gui_open_key (fixture, "k");
  gui_click (gui_wait_for_row (dialog, "Set _Password…"));
  set_password ("sesame");
  gui_wait_for_row (dialog, "Change _Password…");
  gui_wait_for_text (dialog, "Are counted: after too many");
  sign_by_hand (fixture, "sesame");
}

static void
test_delete_is_done_with_the_window (GuiFixture *fixture)
{
  GtkWindow *window = GTK_WINDOW (fixture->window);

  create (fixture, "k", "@a{sv} {}");
  gui_click (gui_wait_for_row (gui_open_key (fixture, "k"), "_Delete…"));
  gui_wait_for_button (GTK_WIDGET (window), "Undo");
  g_assert_cmpuint (count_keys (fixture), ==, 1);
  /* another one, for what is called meanwhile */
  fixture->window = ward_gui_window_new (NULL, fixture->machine);
  gtk_window_present (GTK_WINDOW (fixture->window));
  gui_wait_until (ward_gui_window_get_chip (fixture->window) != NULL);
  gtk_window_close (window);
  gui_wait_until (count_keys (fixture) == 0);
}

/* Also when it was used only since the details were shown. */
static void
test_delete_after_a_use_is_asked_about (GuiFixture *fixture)
{
  GtkWidget *dialog;

  create (fixture, "k", "@a{sv} {}");
  dialog = gui_open_key (fixture, "k");
  gui_wait_for_text (dialog, "Never used");
  sign_by_hand (fixture, NULL);
  gui_click (gui_wait_for_row (dialog, "_Delete…"));
  gui_wait_for_dialog ("Delete “k” for Good?");
  g_assert_cmpuint (count_keys (fixture), ==, 1);
}

static guint n_rows_shown;

static void
on_row (GListModel *model, guint position, guint removed, guint added, gpointer user_data)
{
  n_rows_shown += added;
}

/* It is gone from the list at once, and stays away. */
static void
test_delete_is_done_after_a_while (GuiFixture *fixture)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  GtkWidget *list;
  GListModel *model;

  create (fixture, "k", "@a{sv} {}");
  create (fixture, "l", "@a{sv} {}");
  gui_click (gui_wait_for_row (gui_open_key (fixture, "k"), "_Delete…"));
  list = gtk_widget_get_ancestor (gui_wait_for_text (window, "l"), GTK_TYPE_LIST_VIEW);
  model = G_LIST_MODEL (gtk_list_view_get_model (GTK_LIST_VIEW (list)));
  gui_wait_until (g_list_model_get_n_items (model) == 1);
  g_signal_connect (model, "items-changed", G_CALLBACK (on_row), NULL);
  gui_wait_until (count_keys (fixture) == 1);
  gui_wait_for_chip (fixture);
  g_assert_cmpuint (n_rows_shown, ==, 0);
}

static void
test_system_key_is_kept_in_the_tpm (GuiFixture *fixture)
{
  GtkWidget *dialog;
  g_autoptr (GVariant) reply = NULL;
  g_autofree char *text = NULL;

  gui_create_key (fixture, SYSTEM_KEYS, "host", "ecc-p256", "@a{sv} {}");
  dialog = gui_open_key (fixture, "host");
  gui_click (gui_wait_for_row (dialog, "_Keep in the TPM…"));
  dialog = GTK_WIDGET (gui_wait_for_dialog ("Keep"));
  gui_click (gui_wait_for_button (dialog, "Keep"));
  gui_wait_for_text (NULL, "The TPM keeps the key at 0x81");
  reply = gui_call (fixture, SYSTEM_KEYS, "ListPersistent", NULL);
  text = g_variant_print (reply, FALSE);
  g_assert_nonnull (strstr (text, "host"));
}

static void
add (void)
{
  if (g_getenv ("BOOT_CHANGE") != NULL)
    {
      gui_add_test ("/key-use/bound", test_bound);
      gui_add_test ("/key-use/boot-state-is-another", test_boot_state_is_another);
      return;
    }
  gui_add_test ("/key-use/ecdsa", test_ecdsa);
  gui_add_test ("/key-use/rsa-pss", test_rsa_pss);
  gui_add_test ("/key-use/rsassa", test_rsassa);
  gui_add_test ("/key-use/base64", test_base64);
  gui_add_test ("/key-use/no-signature", test_no_signature);
  gui_add_test ("/key-use/file-is-gone", test_file_is_gone);
  gui_add_test ("/key-use/wrong-password", test_wrong_password);
  gui_add_test ("/key-use/password-is-not-told", test_password_is_not_told);
  gui_add_test ("/key-use/closed-while-signing", test_closed_while_signing);
  gui_add_test ("/key-use/closed-while-hashing", test_closed_while_hashing);
  gui_add_test ("/key-use/details-closed-at-once", test_details_closed_at_once);
  gui_add_test ("/key-use/password-is-changed-and-removed", test_password_is_changed_and_removed);
  gui_add_test ("/key-use/password-is-set", test_password_is_set);
  gui_add_test ("/key-use/password-that-cannot-be", test_password_that_cannot_be);
  gui_add_test ("/key-use/delete-is-done-with-the-window", test_delete_is_done_with_the_window);
  gui_add_test ("/key-use/delete-after-a-use-is-asked-about", test_delete_after_a_use_is_asked_about);
  gui_add_test ("/key-use/delete-is-done-after-a-while", test_delete_is_done_after_a_while);
  gui_add_test ("/key-use/system-key-is-kept-in-the-tpm", test_system_key_is_kept_in_the_tpm);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
