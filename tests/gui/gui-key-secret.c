/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets that are got by a key, and what OpenSSL says that they are. */
#include "gui-key-fixture.h"

#include <glib/gstdio.h>

/* Runs OpenSSL's command in the test's folder. */
static void
openssl (const char *command)
{
  g_autofree char *path = gui_in_folder ("any");
  g_autofree char *folder = g_path_get_dirname (path);
  g_auto (GStrv) argv = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_assert_true (g_shell_parse_argv (command, NULL, &argv, NULL));
  g_spawn_sync (folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_spawn_check_wait_status (status, &error);
  g_assert_no_error (error);
}

static void
save_public (GuiFixture *fixture, const char *label, const char *name)
{
  g_autoptr (GVariant) reply = gui_call (fixture, GUI_KEYS, "GetPublicKey", g_variant_new ("(ss)", label, "pem"));
  g_autoptr (GVariant) bytes = g_variant_get_child_value (reply, 0);
  g_autofree char *path = gui_in_folder (name);

  gui_write_file (path, g_variant_get_data (bytes), (gssize)g_variant_get_size (bytes));
}

/* The dialog that gets a secret by the key from that file. */
static GtkWidget *
open_secret (GuiFixture *fixture, const char *label, const char *row, const char *title, const char *name)
{
  g_autofree char *path = gui_in_folder (name);
  GtkWidget *dialog = gui_open_key (fixture, label);

  gui_click (gui_wait_for_row (dialog, row));
  dialog = GTK_WIDGET (gui_wait_for_dialog (title));
  gui_click (gui_wait_for_button (dialog, "Choose…"));
  gui_choose_file (path, FALSE);
  return dialog;
}

/* As soon as that can be. */
static void
apply (GtkWidget *dialog, const char *label)
{
  GtkWidget *button = gui_wait_for_button (dialog, label);

  gui_wait_until (gtk_widget_is_sensitive (button));
  gui_click (button);
}

static void
assert_saved (GtkWidget *dialog, const char *name, const char *expected, gsize size)
{
  g_autofree char *path = gui_in_folder (name);
  g_autofree char *data = NULL;
  gsize saved_size;
  GStatBuf status;

  gui_click (gui_wait_for_button (dialog, "Save…"));
  gui_choose_file (path, TRUE);
  gui_wait_for_text (NULL, "for you alone");
  g_assert_true (g_file_get_contents (path, &data, &saved_size, NULL));
  g_assert_cmpmem (data, saved_size, expected, size);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmphex (status.st_mode & 0777, ==, 0600);
}

static void
test_decrypt (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("plain");
  g_autofree char *copied = NULL;
  GtkWidget *dialog;

  gui_create_key (fixture, GUI_KEYS, "mail", "rsa2048", "{'usage': <['decrypt']>, 'auth': <'sesame'>}");
  save_public (fixture, "mail", "mail.pem");
  gui_write_file (path, "the secret", -1);
  openssl ("openssl pkeyutl -encrypt -pubin -inkey mail.pem -in plain -out encrypted -pkeyopt rsa_padding_mode:oaep "
           "-pkeyopt rsa_oaep_md:sha256");
  dialog = open_secret (fixture, "mail", "_Decrypt a File…", "Decrypt a File", "encrypted");
  apply (dialog, "Decrypt");
  gui_answer ("Password of “mail”", "sesame");
  gui_wait_for_text (dialog, "10 bytes");
  gui_click (gui_wait_for_button (dialog, "Copy the Text"));
  copied = gui_dup_clipboard (fixture);
  g_assert_cmpstr (copied, ==, "the secret");
  assert_saved (dialog, "decrypted", "the secret", strlen ("the secret"));
}

/* In another way than it was encrypted. */
static void
test_decrypt_wrongly (GuiFixture *fixture)
{
  g_autofree char *path = gui_in_folder ("plain");
  GtkWidget *dialog;

  gui_create_key (fixture, GUI_KEYS, "mail", "rsa2048", "{'usage': <['decrypt']>}");
  save_public (fixture, "mail", "mail.pem");
  gui_write_file (path, "\1\2\3", 3);
  openssl ("openssl pkeyutl -encrypt -pubin -inkey mail.pem -in plain -out encrypted");
  dialog = open_secret (fixture, "mail", "_Decrypt a File…", "Decrypt a File", "encrypted");
  apply (dialog, "Decrypt");
  gui_wait_for_text (dialog, "Something about the input is wrong");
  g_object_set (gui_wait_for_row (dialog, "How It Was Encrypted"), "selected", 2u, NULL);
  g_assert_null (gui_find_text (dialog, "Something about the input is wrong"));
  apply (dialog, "Decrypt");
  gui_wait_for_text (dialog, "3 bytes");
  g_assert_null (gui_find_button (dialog, "Copy the Text"));
}

static void
test_agree (GuiFixture *fixture)
{
  g_autofree char *no_key = gui_in_folder ("no-key");
  g_autofree char *theirs = gui_in_folder ("theirs.pem");
  g_autofree char *path = gui_in_folder ("expected");
  g_autofree char *expected = NULL;
  GtkWidget *dialog;
  gsize size;

  gui_create_key (fixture, GUI_KEYS, "partner", "ecc-p256", "{'usage': <['agree']>}");
  save_public (fixture, "partner", "ours.pem");
  openssl ("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out theirs.key");
  openssl ("openssl pkey -in theirs.key -pubout -out theirs.pem");
  openssl ("openssl pkeyutl -derive -inkey theirs.key -peerkey ours.pem -out expected");
  gui_write_file (no_key, "nothing", -1);

  dialog = open_secret (fixture, "partner", "_Agree on a Secret…", "Agree on a Secret", "no-key");
  apply (dialog, "Agree");
  gui_wait_for_text (dialog, "The file has no public key.");
  gui_click (gui_wait_for_button (dialog, "Choose…"));
  gui_choose_file (theirs, FALSE);
  gui_wait_for_text (dialog, "theirs.pem");
  apply (dialog, "Agree");
  gui_wait_for_text (dialog, "32 bytes");
  g_assert_true (g_file_get_contents (path, &expected, &size, NULL));
  assert_saved (dialog, "agreed", expected, size);
}

static void
add (void)
{
  gui_add_test ("/key-secret/decrypt", test_decrypt);
  gui_add_test ("/key-secret/decrypt-wrongly", test_decrypt_wrongly);
  gui_add_test ("/key-secret/agree", test_agree);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
