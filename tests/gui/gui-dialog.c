/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-fixture.h"

#include <signal.h>

#include "ward-gui-dialog.h"

#define TEST_TYPE_DIALOG (test_dialog_get_type ())
G_DECLARE_FINAL_TYPE (TestDialog, test_dialog, TEST, DIALOG, WardGuiDialog)

/* A dialog with one entry, which counts how often it was told to do it. */
struct _TestDialog
{
  WardGuiDialog parent;

  int applied;
};

G_DEFINE_FINAL_TYPE (TestDialog, test_dialog, WARD_GUI_TYPE_DIALOG)

static void
test_dialog_apply (WardGuiDialog *dialog)
{
  TEST_DIALOG (dialog)->applied++;
}

static void
test_dialog_class_init (TestDialogClass *klass)
{
  WARD_GUI_DIALOG_CLASS (klass)->apply = test_dialog_apply;
}

static void
test_dialog_init (TestDialog *self)
{
  GtkWidget *entry = gtk_entry_new ();

  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  g_object_set (self, "title", "One Thing", "content-child", entry, NULL);
}

static TestDialog *
present (GuiFixture *fixture, const char *apply_label, gboolean is_destructive)
{
  TestDialog *dialog = g_object_new (TEST_TYPE_DIALOG, "apply-label", apply_label, "destructive", is_destructive, NULL);

  ward_gui_dialog_present (WARD_GUI_DIALOG (dialog), GTK_WIDGET (fixture->window));
  gui_wait_for_dialog ("One Thing");
  g_assert_true (gtk_window_get_transient_for (GTK_WINDOW (dialog)) == GTK_WINDOW (fixture->window));
  g_assert_true (gtk_window_get_modal (GTK_WINDOW (dialog)));
  return dialog;
}

static void
test_escape (GuiFixture *fixture)
{
  TestDialog *dialog = g_object_ref (present (fixture, "_Do It", FALSE));

  g_assert_true (gui_press_key (GTK_WIDGET (dialog), GDK_KEY_Escape, 0));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  g_assert_cmpint (dialog->applied, ==, 0);
  g_object_unref (dialog);
}

static void
test_cancel (GuiFixture *fixture)
{
  TestDialog *dialog = present (fixture, "_Do It", FALSE);

  gui_click (gui_find_button (GTK_WIDGET (dialog), "Cancel"));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
test_apply (GuiFixture *fixture)
{
  TestDialog *dialog = present (fixture, "_Do It", FALSE);
  GtkWidget *button = gui_find_button (GTK_WIDGET (dialog), "Do It");

  g_assert_true (gtk_widget_has_css_class (button, "suggested-action"));
  gui_click (button);
  g_assert_cmpint (dialog->applied, ==, 1);

  /* Enter does it too */
  gui_press_key (GTK_WIDGET (dialog), GDK_KEY_Return, 0);
  gui_wait_until (dialog->applied == 2);

  /* but not what cannot be done now: the next one is the third */
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (dialog), FALSE);
  g_assert_false (gtk_widget_is_sensitive (button));
  gui_press_key (GTK_WIDGET (dialog), GDK_KEY_Return, 0);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (dialog), TRUE);
  gui_press_key (GTK_WIDGET (dialog), GDK_KEY_Return, 0);
  gui_wait_until (dialog->applied > 2);
  g_assert_cmpint (dialog->applied, ==, 3);
}

static void
test_destructive (GuiFixture *fixture)
{
  TestDialog *dialog = present (fixture, "_Clear", TRUE);
  GtkWidget *button = gui_find_button (GTK_WIDGET (dialog), "Clear");

  g_assert_true (gtk_widget_has_css_class (button, "destructive-action"));
  g_assert_false (gtk_widget_has_css_class (button, "suggested-action"));
  g_assert_null (gtk_window_get_default_widget (GTK_WINDOW (dialog)));
  gui_click (button);
  g_assert_cmpint (dialog->applied, ==, 1);
}

/* What is typed goes into the entry, and Enter presses no Cancel. */
static void
test_focus (GuiFixture *fixture)
{
  TestDialog *dialog = present (fixture, "_Do It", FALSE);

  g_assert_true (GTK_IS_TEXT (gtk_window_get_focus (GTK_WINDOW (dialog))));
  gui_press_key (GTK_WIDGET (dialog), GDK_KEY_Return, 0);
  gui_wait_until (dialog->applied == 1);
}

static void
test_only_shows (GuiFixture *fixture)
{
  TestDialog *dialog = present (fixture, NULL, FALSE);

  g_assert_null (gui_find_button (GTK_WIDGET (dialog), "Cancel"));
  gui_click (gui_find_button (GTK_WIDGET (dialog), "Close"));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
test_busy (GuiFixture *fixture)
{
  TestDialog *dialog = present (fixture, "_Do It", FALSE);
  GtkWidget *button = gui_find_button (GTK_WIDGET (dialog), "Do It");
  GtkWidget *entry = NULL;
  gboolean is_busy = FALSE;

  g_object_get (dialog, "content-child", &entry, NULL);
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (dialog), TRUE);
  g_object_get (dialog, "busy", &is_busy, NULL);
  g_assert_true (is_busy);
  g_assert_false (gtk_widget_is_sensitive (button));
  g_assert_false (gtk_widget_is_sensitive (entry));
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (dialog), FALSE);
  g_assert_true (gtk_widget_is_sensitive (button));
  g_assert_true (gtk_widget_is_sensitive (entry));
  g_object_unref (entry);
}

static void
test_error (GuiFixture *fixture)
{
  g_autoptr (GError) error = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_EXISTS, "“ssh” is there. Take another.");
  g_autoptr (GError) cancelled = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CANCELLED, "Gone back.");
  WardGuiDialog *dialog = WARD_GUI_DIALOG (present (fixture, "_Do It", FALSE));
  GtkWidget *root = GTK_WIDGET (dialog);
  g_autofree char *copied = NULL;

  g_assert_null (gui_find_button (root, "Copy Details"));
  ward_gui_dialog_set_error (dialog, error);
  gui_wait_for_text (root, "There is one of that name already");
  gui_wait_for_text (root, "“ssh” is there. Take another.");
  gui_click (gui_wait_for_button (root, "Copy Details"));
  copied = gui_dup_clipboard (fixture);
  g_assert_nonnull (strstr (copied, "“ssh” is there. Take another."));
  gui_wait_for_text (root, "The details were copied");

  /* the next try takes it away */
  gui_click (gui_find_button (root, "Do It"));
  gui_wait_until (gui_find_button (root, "Copy Details") == NULL);

  /* and who goes back has no error */
  ward_gui_dialog_set_error (dialog, error);
  gui_wait_for_button (root, "Copy Details");
  ward_gui_dialog_set_error (dialog, cancelled);
  gui_wait_until (gui_find_button (root, "Copy Details") == NULL);
}

/* A long error does not take the place of what it is about. */
static void
test_room_for_error (GuiFixture *fixture)
{
  g_autoptr (GError) error = g_error_new_literal (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED,
                                                  "The TPM did not sign (0x98e, tpm:session(1):the authorization HMAC "
                                                  "check failed and DA counter incremented). The "
                                                  "authorization value is wrong, and the TPM has counted a failed try. "
                                                  "You have 1 more tries now, and the TPM has 9 "
                                                  "for all users together before it locks itself.");
  WardGuiDialog *dialog = WARD_GUI_DIALOG (present (fixture, "_Do It", FALSE));
  g_autoptr (GtkWidget) entry = NULL;
  GtkWidget *scroller;
  int needed;

  g_object_get (dialog, "content-child", &entry, NULL);
  scroller = gtk_widget_get_ancestor (entry, GTK_TYPE_SCROLLED_WINDOW);
  gtk_widget_measure (entry, GTK_ORIENTATION_VERTICAL, -1, &needed, NULL, NULL, NULL);
  ward_gui_dialog_set_error (dialog, error);
  gui_wait_for_button (GTK_WIDGET (dialog), "Copy Details");
  gui_wait_until (gtk_widget_get_height (scroller) >= needed);
}

/* Of words as long as paths and digests are, which have no place to break at. */
static char *
make_long_text (void)
{
  GString *text = g_string_new (NULL);

  for (int i = 0; i < 4; i++)
    {
      for (int j = 0; j < 150; j++)
        g_string_append_c (text, (char)('a' + (i + j) % 26));
      g_string_append_c (text, i % 2 == 0 ? ' ' : '/');
    }
  return g_string_free (text, FALSE);
}

static gboolean
is_in_sight (GtkWidget *content)
{
  GtkWidget *scroller = gtk_widget_get_ancestor (content, GTK_TYPE_SCROLLED_WINDOW);
  int needed;

  gtk_widget_measure (content, GTK_ORIENTATION_VERTICAL, gtk_widget_get_width (content), &needed, NULL, NULL, NULL);
  return gtk_widget_get_width (content) > 0 && gtk_widget_get_height (scroller) >= needed;
}

/* Whenever it is that there is more to show: before the dialog is on the screen, while it gets there, and later. */
static void
test_grows (GuiFixture *fixture)
{
  g_autofree char *text = make_long_text ();
  g_autoptr (GError) error = g_error_new_literal (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED, text);

  for (int turns = 0; turns < 10; turns++)
    {
      TestDialog *dialog = g_object_new (TEST_TYPE_DIALOG, "apply-label", "_Do It", NULL);
      GtkWidget *content = gtk_button_new_with_label ("Tall");
      GtkWidget *root = GTK_WIDGET (dialog);

      gtk_widget_set_size_request (content, -1, 400);
      g_object_set (dialog, "content-child", content, NULL);
      ward_gui_dialog_present (WARD_GUI_DIALOG (dialog), GTK_WIDGET (fixture->window));
      for (int i = 0; i < turns; i++)
        g_main_context_iteration (NULL, FALSE);
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (dialog), error);
      ward_gui_dialog_set_hint (WARD_GUI_DIALOG (dialog), text);
      gui_wait_for_button (root, "Copy Details");
      gui_wait_until (is_in_sight (content));
      g_assert_cmpint (gtk_widget_get_width (root), <, 600);
      gtk_window_destroy (GTK_WINDOW (dialog));
    }
}

static void
test_hint (GuiFixture *fixture)
{
  WardGuiDialog *dialog = WARD_GUI_DIALOG (present (fixture, "_Do It", FALSE));

  ward_gui_dialog_set_hint (dialog, "The name is too long.");
  gui_wait_for_text (GTK_WIDGET (dialog), "The name is too long.");
  ward_gui_dialog_set_hint (dialog, NULL);
  gui_wait_until (gui_find_text (GTK_WIDGET (dialog), "The name is too long.") == NULL);
}

/* What is started in a dialog is shown in it, and is no matter of its life. */
static void
test_activity (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  TestDialog *dialog = present (fixture, "_Do It", FALSE);
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (dialog), ward_gui_chip_get_tpm (chip), "GetRandom",
                                                    g_variant_new ("(u)", 8), "Something slow…");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) reply = NULL;

  gui_signal_part ("swtpm", SIGSTOP);
  ward_gui_call_start_async (call, gui_on_result, &result);
  gui_wait_for_text (GTK_WIDGET (dialog), "Something slow…");
  g_assert_null (gui_find_text (GTK_WIDGET (fixture->window), "Something slow…"));
  gtk_window_destroy (GTK_WINDOW (dialog));
  g_assert_null (ward_gui_call_get_widget (call));
  gui_signal_part ("swtpm", SIGCONT);
  gui_wait_until (result != NULL);
  reply = ward_gui_call_start_finish (call, result, NULL);
  g_assert_nonnull (reply);
}

static void
add (void)
{
  gui_add_test ("/dialog/escape", test_escape);
  gui_add_test ("/dialog/cancel", test_cancel);
  gui_add_test ("/dialog/apply", test_apply);
  gui_add_test ("/dialog/destructive", test_destructive);
  gui_add_test ("/dialog/focus", test_focus);
  gui_add_test ("/dialog/only-shows", test_only_shows);
  gui_add_test ("/dialog/busy", test_busy);
  gui_add_test ("/dialog/error", test_error);
  gui_add_test ("/dialog/room-for-error", test_room_for_error);
  gui_add_test ("/dialog/grows", test_grows);
  gui_add_test ("/dialog/hint", test_hint);
  gui_add_test ("/dialog/activity", test_activity);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
