/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-fixture.h"

#include "ward-gui-notice.h"

static void
test_error (GuiFixture *fixture)
{
  g_autoptr (GError) error = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NO_SPACE, "All <of it> is full.");
  g_autofree char *copied = NULL;
  GtkWindow *dialog;

  ward_gui_notice_error (GTK_WIDGET (fixture->window), "The key was not made", error);
  dialog = gui_wait_for_dialog ("The key was not made");
  gui_wait_for_text (GTK_WIDGET (dialog), "All <of it> is full.");
  gui_wait_for_text (GTK_WIDGET (dialog), "There is no room left");
  g_assert_true (gtk_window_get_transient_for (dialog) == GTK_WINDOW (fixture->window));

  gui_click (gui_find_button (GTK_WIDGET (dialog), "Copy Details"));
  copied = gui_dup_clipboard (fixture);
  g_assert_nonnull (strstr (copied, "The key was not made\n"));
  g_assert_nonnull (strstr (copied, "All <of it> is full.\n"));
  g_assert_nonnull (strstr (copied, "ward-client-error"));
}

static void
test_escape (GuiFixture *fixture)
{
  g_autoptr (GError) error = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED, "It is broken.");

  ward_gui_notice_error (GTK_WIDGET (fixture->window), "The test was not done", error);
  gui_press_key (GTK_WIDGET (gui_wait_for_dialog ("The test was not done")), GDK_KEY_Escape, 0);
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

static void
test_cancelled (GuiFixture *fixture)
{
  g_autoptr (GError) ours = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CANCELLED, "The dialog was closed.");
  g_autoptr (GError) gio = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "The chooser was closed.");
  g_autoptr (GError) other = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_BUSY, "The chip is busy.");
  g_autoptr (GList) windows = NULL;

  ward_gui_notice_error (GTK_WIDGET (fixture->window), "The first thing", ours);
  ward_gui_notice_error (GTK_WIDGET (fixture->window), "The second thing", gio);
  ward_gui_notice_error (GTK_WIDGET (fixture->window), "The third thing", other);
  gui_wait_for_dialog ("The third thing");
  windows = gtk_window_list_toplevels ();
  g_assert_cmpuint (g_list_length (windows), ==, 2);
}

/* Each kind of error that the service or the client has is told in words of its own. */
static void
test_headlines (GuiFixture *fixture)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GError) failed = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_FAILED, "-");
  const char *general = ward_gui_notice_headline (failed);

  for (int code = 0; code <= (int)WARD_CLIENT_ERROR_NO_TPM; code++)
    {
      g_autoptr (GError) error = g_error_new (WARD_CLIENT_ERROR, code, "-");
      const char *headline = ward_gui_notice_headline (error);

      if (code == (int)WARD_CLIENT_ERROR_FAILED || code == (int)WARD_CLIENT_ERROR_CANCELLED)
        continue;
      g_assert_cmpstr (headline, !=, general);
      g_assert_true (g_hash_table_add (seen, (gpointer)headline));
    }
}

/* Starts to ask, and answers by a button, or by a key without one. */
static gboolean
ask (GuiFixture *fixture, gboolean is_destructive, const char *button, guint key)
{
  g_autoptr (GAsyncResult) result = NULL;
  GtkWindow *dialog;

  ward_gui_notice_ask_async (GTK_WIDGET (fixture->window), "Delete it?", "It will be gone.", "_Delete", is_destructive,
                             gui_on_result, &result);
  dialog = gui_wait_for_dialog ("Delete it?");
  gui_wait_for_text (GTK_WIDGET (dialog), "It will be gone.");
  if (button != NULL)
    gui_click (gui_find_button (GTK_WIDGET (dialog), button));
  else
    gui_press_key (GTK_WIDGET (dialog), key, 0);
  gui_wait_until (result != NULL);
  gui_wait_until (gui_find_dialog (NULL) == NULL);
  return ward_gui_notice_ask_finish (result);
}

static void
test_ask (GuiFixture *fixture)
{
  g_assert_true (ask (fixture, TRUE, "Delete", 0));
  g_assert_false (ask (fixture, TRUE, "Cancel", 0));
  g_assert_false (ask (fixture, TRUE, NULL, GDK_KEY_Escape));
  g_assert_false (ask (fixture, FALSE, NULL, GDK_KEY_Escape));
}

/* A question that nobody can answer any more is not left open. */
static void
test_ask_gone (GuiFixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;

  ward_gui_notice_ask_async (GTK_WIDGET (fixture->window), "Delete it?", "It will be gone.", "_Delete", TRUE,
                             gui_on_result, &result);
  gtk_window_destroy (gui_wait_for_dialog ("Delete it?"));
  gui_wait_until (result != NULL);
  g_assert_false (ward_gui_notice_ask_finish (result));
}

/* Nor is one about something that is not in sight any more. */
static void
test_ask_gone_with_window (GuiFixture *fixture)
{
  g_autoptr (GAsyncResult) result = NULL;
  GtkWidget *parent = adw_window_new ();

  gtk_window_present (GTK_WINDOW (parent));
  ward_gui_notice_ask_async (parent, "Delete it?", "It will be gone.", "_Delete", TRUE, gui_on_result, &result);
  gui_wait_for_dialog ("Delete it?");
  gtk_window_destroy (GTK_WINDOW (parent));
  gui_wait_until (result != NULL);
  g_assert_false (ward_gui_notice_ask_finish (result));
  g_assert_null (gui_find_dialog ("Delete it?"));
}

/* Enter does what is harmless only. */
static void
test_ask_default (GuiFixture *fixture)
{
  g_assert_false (ask (fixture, TRUE, NULL, GDK_KEY_Return));
  g_assert_true (ask (fixture, FALSE, NULL, GDK_KEY_Return));
}

static void
test_toast (GuiFixture *fixture)
{
  ward_gui_notice_toast (GTK_WIDGET (fixture->window), "<b>Bold & bad</b>");
  gui_wait_for_text (GTK_WIDGET (fixture->window), "<b>Bold & bad</b>");
}

static void
set_true (GObject *data)
{
  g_object_set_data (data, "pressed", data);
}

static void
set_closed (GObject *data)
{
  g_object_set_data (data, "closed", data);
}

static void
test_toast_with_button (GuiFixture *fixture)
{
  g_autoptr (GObject) data = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GObject) short_lived = g_object_new (G_TYPE_OBJECT, NULL);
  GtkWidget *window = GTK_WIDGET (fixture->window);

  ward_gui_notice_toast_with_button (window, "The key was deleted", "Undo", G_CALLBACK (set_true),
                                     G_CALLBACK (set_closed), data);
  gui_click (gui_wait_for_button (window, "Undo"));
  gui_wait_until (g_object_get_data (data, "closed") != NULL);
  g_assert_nonnull (g_object_get_data (data, "pressed"));

  /* nobody is there any more to be told */
  ward_gui_notice_toast_with_button (window, "Another was deleted", "Undo", G_CALLBACK (set_true),
                                     G_CALLBACK (set_closed), short_lived);
  gui_wait_for_text (window, "Another was deleted");
  g_clear_object (&short_lived);
  gui_click (gui_wait_for_button (window, "Undo"));
  gui_wait_until (gui_find_text (window, "Another was deleted") == NULL);
}

static void
test_copy (GuiFixture *fixture)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  ward_gui_notice_copy (GTK_WIDGET (fixture->window), "ssh-rsa AAAA", "The key was copied");
  gui_wait_for_text (GTK_WIDGET (fixture->window), "The key was copied");
  first = gui_dup_clipboard (fixture);
  g_assert_cmpstr (first, ==, "ssh-rsa AAAA");

  ward_gui_notice_copy (GTK_WIDGET (fixture->window), "other", NULL);
  second = gui_dup_clipboard (fixture);
  g_assert_cmpstr (second, ==, "other");
}

static void
add (void)
{
  gui_add_test ("/notice/error", test_error);
  gui_add_test ("/notice/escape", test_escape);
  gui_add_test ("/notice/cancelled", test_cancelled);
  gui_add_test ("/notice/headlines", test_headlines);
  gui_add_test ("/notice/ask", test_ask);
  gui_add_test ("/notice/ask-gone", test_ask_gone);
  gui_add_test ("/notice/ask-gone-with-window", test_ask_gone_with_window);
  gui_add_test ("/notice/ask-default", test_ask_default);
  gui_add_test ("/notice/toast", test_toast);
  gui_add_test ("/notice/toast-with-button", test_toast_with_button);
  gui_add_test ("/notice/copy", test_copy);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
