/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-fixture.h"

static const char *const names[] = { "overview", "ownership", "keys", "boot", "storage", "doctor" };

/* What a person does something with. */
static gboolean
is_control (GtkWidget *widget)
{
  return GTK_IS_BUTTON (widget) || GTK_IS_CHECK_BUTTON (widget) || GTK_IS_SWITCH (widget) || GTK_IS_TEXT (widget)
         || GTK_IS_DROP_DOWN (widget)
         || (ADW_IS_ACTION_ROW (widget) && gtk_list_box_row_get_activatable (GTK_LIST_BOX_ROW (widget)));
}

static void
collect (GtkWidget *widget, GHashTable *controls)
{
  if (!gtk_widget_get_mapped (widget) || !gtk_widget_is_sensitive (widget) || GTK_IS_POPOVER (widget)
      || !gtk_widget_get_can_focus (widget))
    return;
  if (is_control (widget) && gtk_widget_get_focusable (widget))
    g_hash_table_add (controls, widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    collect (child, controls);
}

static void
forget_what_has_focus (GtkWindow *window, GHashTable *controls)
{
  for (GtkWidget *widget = gtk_window_get_focus (window); widget != NULL; widget = gtk_widget_get_parent (widget))
    g_hash_table_remove (controls, widget);
}

static void
tell (GHashTable *controls)
{
  GHashTableIter iter;
  gpointer widget;

  g_hash_table_iter_init (&iter, controls);
  while (g_hash_table_iter_next (&iter, &widget, NULL))
    g_test_message ("not reached: %s “%s” in %s", G_OBJECT_TYPE_NAME (widget),
                    gtk_widget_get_tooltip_text (widget) != NULL ? gtk_widget_get_tooltip_text (widget) : "",
                    G_OBJECT_TYPE_NAME (gtk_widget_get_parent (widget)));
}

/* Tab comes to all that is there, without a way round or a trap. */
static void
test_tab (GuiFixture *fixture)
{
  GtkWindow *window = GTK_WINDOW (fixture->window);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GHashTable) controls = g_hash_table_new (NULL, NULL);
      int n;

      gui_show_page (fixture, names[i]);
      gui_wait_for_chip (fixture);
      gtk_window_set_focus (window, NULL);
      collect (GTK_WIDGET (window), controls);
      n = (int)g_hash_table_size (controls);
      g_assert_cmpint (n, >, 0);
      for (int steps = 0; steps < 4 * n && gtk_widget_child_focus (GTK_WIDGET (window), GTK_DIR_TAB_FORWARD); steps++)
        forget_what_has_focus (window, controls);
      g_test_message ("%s: %d controls", names[i], n);
      tell (controls);
      g_assert_cmpuint (g_hash_table_size (controls), ==, 0);
    }
}

static void
on_drawn (GdkFrameClock *clock, gpointer user_data)
{
  (*(int *)user_data)++;
}

/* Shows all pages; what is wrong with how they are laid out is a warning of GTK's, which ends the test. */
static void
show_all (GuiFixture *fixture)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (GTK_WIDGET (fixture->window));

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      int drawn = 0;
      gulong handler = g_signal_connect (clock, "after-paint", G_CALLBACK (on_drawn), &drawn);

      gui_show_page (fixture, names[i]);
      gui_wait_for_chip (fixture);
      gtk_widget_queue_resize (GTK_WIDGET (fixture->window));
      gui_wait_until (drawn > 0);
      g_signal_handler_disconnect (clock, handler);
    }
}

static gboolean
is_in_the_start_half (GtkWidget *widget, GtkWidget *window)
{
  graphene_rect_t bounds;

  g_assert_true (gtk_widget_compute_bounds (widget, window, &bounds));
  return bounds.origin.x + bounds.size.width / 2 < (float)gtk_widget_get_width (window) / 2;
}

static void
test_right_to_left (GuiFixture *fixture)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  GtkWidget *row = gui_wait_for_row (window, "Storage");

  gui_wait_until (is_in_the_start_half (row, window));
  gtk_widget_set_default_direction (GTK_TEXT_DIR_RTL);
  show_all (fixture);
  gui_wait_until (!is_in_the_start_half (row, window));
}

/* As narrow as the smallest screen that the application is made for. */
static void
test_narrow (GuiFixture *fixture)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);

  /* what comes before the window has its first size is lost */
  gui_wait_until (gtk_widget_get_width (window) > 360);
  gtk_window_set_default_size (GTK_WINDOW (window), 360, 640);
  gui_wait_until (gtk_widget_get_width (window) <= 360);
  show_all (fixture);
  g_assert_cmpint (gtk_widget_get_width (window), <=, 360);
}

static void
add (void)
{
  gui_add_test ("/audit/tab", test_tab);
  gui_add_test ("/audit/right-to-left", test_right_to_left);
  gui_add_test ("/audit/narrow", test_narrow);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
