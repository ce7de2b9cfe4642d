/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-key-fixture.h"

static char *folder; /* of the test's files */

char *
gui_in_folder (const char *name)
{
  if (folder == NULL)
    folder = g_dir_make_tmp ("key-use-XXXXXX", NULL);
  return g_build_filename (folder, name, NULL);
}

void
gui_write_file (const char *path, const char *data, gssize size)
{
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, data, size, &error);
  g_assert_no_error (error);
}

void
gui_create_key (GuiFixture *fixture, const char *interface, const char *label, const char *algorithm,
                const char *options)
{
  g_autoptr (GVariant) parsed = g_variant_ref_sink (g_variant_new_parsed (options));
  g_autoptr (GVariant) reply = gui_call (fixture, interface, "Create",
                                         g_variant_new ("(ss@a{sv})", label, algorithm, parsed));

  g_assert_nonnull (reply);
}

GtkWidget *
gui_open_key (GuiFixture *fixture, const char *label)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);

  gui_show_page (fixture, "keys");
  g_signal_emit_by_name (gtk_widget_get_ancestor (gui_wait_for_text (window, label), GTK_TYPE_LIST_VIEW), "activate",
                         0u);
  return GTK_WIDGET (gui_wait_for_dialog ("Key"));
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

void
gui_choose_file (const char *path, gboolean to_write)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GtkFileChooser *chooser;

  gui_wait_until (find_chooser () != NULL);
  chooser = find_chooser ();
  if (to_write)
    gtk_file_chooser_set_current_name (chooser, path);
  else
    g_assert_true (gtk_file_chooser_set_file (chooser, file, NULL));
  gui_wait_until (has_chosen (chooser, file));
  gtk_dialog_response (GTK_DIALOG (chooser), GTK_RESPONSE_ACCEPT);
  gui_wait_until (find_chooser () == NULL);
}

void
gui_answer (const char *title, const char *password)
{
  GtkWidget *dialog = GTK_WIDGET (gui_wait_for_dialog (title));
  GtkWidget *row = gui_wait_for_row (dialog, "Password");

  /* the number of tries may come before the answer */
  gui_wait_until (gtk_widget_is_sensitive (row));
  gui_type (row, password);
  gui_click (gui_wait_for_button (dialog, "Continue"));
}
