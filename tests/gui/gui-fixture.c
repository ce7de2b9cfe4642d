/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-fixture.h"

#include <locale.h>
#include <signal.h>

/* What is waited for comes within a moment, unless the machine is busy with other things. */
#define WAIT_SECONDS 30
#define POLL_MS 10

typedef struct
{
  void (*run) (GuiFixture *fixture);
} Case;
typedef gboolean (*Fits) (GtkWidget *widget, const char *text);

static GtkWidget *
find_within (GtkWidget *widget, Fits fits, const char *text)
{
  if (!gtk_widget_get_mapped (widget))
    return NULL;
  if (fits (widget, text))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_within (child, fits, text);

      if (found != NULL)
        return found;
    }
  return NULL;
}

static GtkWidget *
find (GtkWidget *root, Fits fits, const char *text)
{
  g_autoptr (GList) windows = NULL;
  GtkWidget *found = NULL;

  if (root != NULL)
    return find_within (root, fits, text);
  windows = gtk_window_list_toplevels ();
  for (GList *l = windows; l != NULL && found == NULL; l = l->next)
    found = find_within (l->data, fits, text);
  return found;
}

static gboolean
is_label (GtkWidget *widget, const char *text)
{
  return GTK_IS_LABEL (widget) && g_strcmp0 (gtk_label_get_text (GTK_LABEL (widget)), text) == 0;
}

static gboolean
is_label_with (GtkWidget *widget, const char *part)
{
  return GTK_IS_LABEL (widget) && strstr (gtk_label_get_text (GTK_LABEL (widget)), part) != NULL;
}

static gboolean
is_button (GtkWidget *widget, const char *label)
{
  if (!GTK_IS_BUTTON (widget) && !GTK_IS_MENU_BUTTON (widget) && !GTK_IS_CHECK_BUTTON (widget)
      && !g_str_equal (G_OBJECT_TYPE_NAME (widget), "GtkModelButton"))
    return FALSE;
  return g_strcmp0 (gtk_widget_get_tooltip_text (widget), label) == 0 || find_within (widget, is_label, label) != NULL;
}

static gboolean
is_row (GtkWidget *widget, const char *title)
{
  g_autofree char *markup = NULL;
  const char *own;

  if (!GTK_IS_LIST_BOX_ROW (widget))
    return FALSE;
  if (!ADW_IS_PREFERENCES_ROW (widget))
    return find_within (widget, is_label, title) != NULL;
  own = adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget));
  markup = g_markup_escape_text (title, -1);
  return g_strcmp0 (own, title) == 0 || g_strcmp0 (own, markup) == 0;
}

GtkWidget *
gui_find_button (GtkWidget *root, const char *label)
{
  return find (root, is_button, label);
}

GtkWidget *
gui_find_row (GtkWidget *root, const char *title)
{
  return find (root, is_row, title);
}

GtkWidget *
gui_find_text (GtkWidget *root, const char *part)
{
  return find (root, is_label_with, part);
}

static gboolean
has_title (GtkWindow *window, const char *part)
{
  const char *title = gtk_window_get_title (window);

  if (ADW_IS_MESSAGE_DIALOG (window))
    title = adw_message_dialog_get_heading (ADW_MESSAGE_DIALOG (window));
  return part == NULL || (title != NULL && strstr (title, part) != NULL);
}

GtkWindow *
gui_find_dialog (const char *title_part)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *l = windows; l != NULL; l = l->next)
    if (!WARD_GUI_IS_WINDOW (l->data) && gtk_widget_get_mapped (l->data) && has_title (l->data, title_part))
      return l->data;
  return NULL;
}

GtkWidget *
gui_wait_for_button (GtkWidget *root, const char *label)
{
  GtkWidget *found;

  g_test_message ("waiting for the button “%s”", label);
  gui_wait_until ((found = gui_find_button (root, label)) != NULL);
  return found;
}

GtkWidget *
gui_wait_for_row (GtkWidget *root, const char *title)
{
  GtkWidget *found;

  g_test_message ("waiting for the row “%s”", title);
  gui_wait_until ((found = gui_find_row (root, title)) != NULL);
  return found;
}

GtkWidget *
gui_wait_for_text (GtkWidget *root, const char *part)
{
  GtkWidget *found;

  g_test_message ("waiting for the text “%s”", part);
  gui_wait_until ((found = gui_find_text (root, part)) != NULL);
  return found;
}

GtkWindow *
gui_wait_for_dialog (const char *title_part)
{
  GtkWindow *found;

  g_test_message ("waiting for the dialog “%s”", title_part != NULL ? title_part : "(any)");
  gui_wait_until ((found = gui_find_dialog (title_part)) != NULL);
  return found;
}

void
gui_click (GtkWidget *widget)
{
  g_assert_nonnull (widget);
  g_assert_true (gtk_widget_get_mapped (widget));
  g_assert_true (gtk_widget_is_sensitive (widget));
  if (GTK_IS_BUTTON (widget))
    g_signal_emit_by_name (widget, "clicked");
  else if (ADW_IS_EXPANDER_ROW (widget))
    adw_expander_row_set_expanded (ADW_EXPANDER_ROW (widget),
                                   !adw_expander_row_get_expanded (ADW_EXPANDER_ROW (widget)));
  else
    g_assert_true (gtk_widget_activate (widget));
}

static gboolean
is_editable (GtkWidget *widget, const char *text)
{
  return GTK_IS_EDITABLE (widget) && !GTK_IS_LABEL (widget);
}

void
gui_type (GtkWidget *widget, const char *text)
{
  GtkWidget *editable;

  g_assert_nonnull (widget);
  editable = find_within (widget, is_editable, NULL);
  g_assert_nonnull (editable);
  g_assert_true (gtk_widget_is_sensitive (editable));
  g_assert_true (gtk_editable_get_editable (GTK_EDITABLE (editable)));
  gtk_editable_set_text (GTK_EDITABLE (editable), text);
}

static gboolean
press_key_by (GtkEventController *controller, GtkWidget *widget, guint key, GdkModifierType modifiers)
{
  GListModel *shortcuts = G_LIST_MODEL (controller);

  for (guint i = 0; i < g_list_model_get_n_items (shortcuts); i++)
    {
      g_autoptr (GtkShortcut) shortcut = g_list_model_get_item (shortcuts, i);
      GtkShortcutTrigger *trigger = gtk_shortcut_get_trigger (shortcut);

      if (GTK_IS_KEYVAL_TRIGGER (trigger) && gtk_keyval_trigger_get_keyval (GTK_KEYVAL_TRIGGER (trigger)) == key
          && gtk_keyval_trigger_get_modifiers (GTK_KEYVAL_TRIGGER (trigger)) == modifiers
          && gtk_shortcut_action_activate (gtk_shortcut_get_action (shortcut), GTK_SHORTCUT_ACTION_EXCLUSIVE, widget,
                                           gtk_shortcut_get_arguments (shortcut)))
        return TRUE;
    }
  return FALSE;
}

static gboolean
press_key_in (GtkWidget *widget, guint key, GdkModifierType modifiers)
{
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (widget);

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GtkEventController) controller = g_list_model_get_item (controllers, i);

      if (GTK_IS_SHORTCUT_CONTROLLER (controller) && press_key_by (controller, widget, key, modifiers))
        return TRUE;
    }
  return FALSE;
}

gboolean
gui_press_key (GtkWidget *window, guint key, GdkModifierType modifiers)
{
  GtkWidget *widget = gtk_window_get_focus (GTK_WINDOW (window));

  for (widget = widget != NULL ? widget : window; widget != NULL; widget = gtk_widget_get_parent (widget))
    if (press_key_in (widget, key, modifiers))
      return TRUE;
  return FALSE;
}

GVariant *
gui_call (GuiFixture *fixture, const char *interface, const char *method, GVariant *parameters)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &error);
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  const char *path = WARD_CLIENT_MANAGER_PATH;
  GVariant *reply;

  g_assert_no_error (error);
  if (!g_str_equal (interface, "org.tpmward1.Manager"))
    path = g_dbus_object_get_object_path (G_DBUS_OBJECT (ward_gui_chip_get_object (chip)));
  reply = g_dbus_connection_call_sync (bus, WARD_CLIENT_BUS_NAME, path, interface, method, parameters, NULL,
                                       G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, &error);
  g_assert_no_error (error);
  return reply;
}

void
gui_on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

void
gui_signal_part (const char *part, int number)
{
  g_autofree char *file = g_build_filename (g_getenv ("TPMWARD_SANDBOX"), "pids", part, NULL);
  g_autofree char *pid = NULL;

  g_assert_true (g_file_get_contents (file, &pid, NULL, NULL));
  g_assert_no_errno (kill ((pid_t)g_ascii_strtoll (pid, NULL, 10), number));
}

void
gui_wait_for_chip (GuiFixture *fixture)
{
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (ward_gui_window_get_chip (fixture->window));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  ward_client_call_async (tpm, "GetRandom", g_variant_new ("(u)", 1), NULL, WARD_CLIENT_CALL_NONE, NULL, gui_on_result,
                          &result);
  gui_wait_until (result != NULL);
  reply = ward_client_call_finish (tpm, result, &error);
  g_assert_no_error (error);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

char *
gui_dup_clipboard (GuiFixture *fixture)
{
  GdkClipboard *clipboard = gtk_widget_get_clipboard (GTK_WIDGET (fixture->window));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  char *text;

  gdk_clipboard_read_text_async (clipboard, NULL, gui_on_result, &result);
  gui_wait_until (result != NULL);
  text = gdk_clipboard_read_text_finish (clipboard, result, &error);
  /* there is nothing as yet */
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    g_assert_no_error (error);
  return text;
}

gint64
gui_get_deadline (void)
{
  return g_get_monotonic_time () + WAIT_SECONDS * G_USEC_PER_SEC;
}

static void
tell_texts (GtkWidget *widget)
{
  if (!gtk_widget_get_mapped (widget))
    return;
  if (GTK_IS_LABEL (widget) && *gtk_label_get_text (GTK_LABEL (widget)) != '\0')
    g_test_message ("  “%s”", gtk_label_get_text (GTK_LABEL (widget)));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    tell_texts (child);
}

/* For the person who looks for what has gone wrong; a picture too if they have named a file for it. */
static void
tell_screen (void)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();
  const char *picture = g_getenv ("GUI_PICTURE");

  for (GList *l = windows; l != NULL; l = l->next)
    {
      g_test_message ("%s “%s” shows:", G_OBJECT_TYPE_NAME (l->data), gtk_window_get_title (l->data));
      tell_texts (l->data);
    }
  if (picture != NULL)
    {
      const char *const import[] = { "import", "-window", "root", picture, NULL };

      g_spawn_sync (NULL, (char **)import, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    }
}

static gboolean
on_poll (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* It comes back after a moment even if nothing happens here: other processes are waited for too. */
void
gui_iterate (gint64 deadline, const char *file, int line, const char *function, const char *condition)
{
  guint poll = g_timeout_add (POLL_MS, on_poll, NULL);

  g_main_context_iteration (NULL, TRUE);
  g_source_remove (poll);
  if (g_get_monotonic_time () < deadline)
    return;
  tell_screen ();
  g_assertion_message_expr (G_LOG_DOMAIN, file, line, function, condition);
}

static gboolean
is_type (GtkWidget *widget, const char *type)
{
  return g_str_equal (G_OBJECT_TYPE_NAME (widget), type);
}

void
gui_show_page (GuiFixture *fixture, const char *name)
{
  g_autofree char *type = g_strdup_printf ("WardGui%c%sPage", g_ascii_toupper (*name), name + 1);

  ward_gui_window_show_page (fixture->window, name);
  gui_wait_until (find_within (GTK_WIDGET (fixture->window), is_type, type) != NULL);
}

static void
set_up (GuiFixture *fixture, gconstpointer user_data)
{
  fixture->machine = ward_gui_machine_new ();
  fixture->window = ward_gui_window_new (NULL, fixture->machine);
  gtk_window_present (GTK_WINDOW (fixture->window));
  gui_wait_until (ward_gui_window_get_chip (fixture->window) != NULL
                  && gtk_widget_get_mapped (GTK_WIDGET (fixture->window)));
}

static void
run (GuiFixture *fixture, gconstpointer user_data)
{
  ((const Case *)user_data)->run (fixture);
}

static void
tear_down (GuiFixture *fixture, gconstpointer user_data)
{
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *l = windows; l != NULL; l = l->next)
    g_object_ref (l->data);
  for (GList *l = windows; l != NULL; l = l->next)
    gtk_window_destroy (l->data);
  g_list_free_full (g_steal_pointer (&windows), g_object_unref);
  g_object_unref (fixture->machine);
}

void
gui_add_test (const char *path, void (*test) (GuiFixture *fixture))
{
  static GPtrArray *all;
  Case *one = g_new (Case, 1);

  if (all == NULL)
    all = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (all, one);
  one->run = test;
  g_test_add (path, GuiFixture, one, set_up, run, tear_down);
}

/* Without a window of any kind, where the cases are only listed. */
static gboolean
only_lists (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (g_str_equal (argv[i], "-l"))
      return TRUE;
  return FALSE;
}

int
gui_main (int argc, char **argv, void (*add) (void))
{
  if (only_lists (argc, argv))
    {
      g_test_init (&argc, &argv, NULL);
      add ();
      return g_test_run ();
    }
  gtk_test_init (&argc, &argv, NULL);
  setlocale (LC_ALL, "C.UTF-8"); /* which GTK makes en_US's, if that is there */
  adw_init ();
  g_object_set (gtk_settings_get_default (), "gtk-enable-animations", FALSE, NULL);
  add ();
  return g_test_run ();
}
