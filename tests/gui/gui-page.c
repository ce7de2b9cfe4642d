/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-fixture.h"

#include "ward-gui-page.h"

#define TEST_TYPE_PAGE (test_page_get_type ())
G_DECLARE_FINAL_TYPE (TestPage, test_page, TEST, PAGE, WardGuiPage)

/* Counts what it is told. */
struct _TestPage
{
  WardGuiPage parent;

  int updates, resets, loads, refreshes;
};

G_DEFINE_FINAL_TYPE (TestPage, test_page, WARD_GUI_TYPE_PAGE)

static void
test_page_update (WardGuiPage *page)
{
  g_assert_nonnull (ward_gui_page_get_chip (page));
  TEST_PAGE (page)->updates++;
}

static void
test_page_reset (WardGuiPage *page)
{
  TEST_PAGE (page)->resets++;
}

static void
test_page_load (WardGuiPage *page, gboolean is_refresh)
{
  g_assert_nonnull (ward_gui_page_get_chip (page));
  if (is_refresh)
    TEST_PAGE (page)->refreshes++;
  else
    TEST_PAGE (page)->loads++;
}

static void
test_page_class_init (TestPageClass *klass)
{
  WARD_GUI_PAGE_CLASS (klass)->update = test_page_update;
  WARD_GUI_PAGE_CLASS (klass)->reset = test_page_reset;
  WARD_GUI_PAGE_CLASS (klass)->load = test_page_load;
}

static void
test_page_init (TestPage *self)
{
}

static void
assert_told (TestPage *page, int updates, int resets, int loads, int refreshes)
{
  g_assert_cmpint (page->updates, ==, updates);
  g_assert_cmpint (page->resets, ==, resets);
  g_assert_cmpint (page->loads, ==, loads);
  g_assert_cmpint (page->refreshes, ==, refreshes);
}

/* A window with the page and another one, which is seen first. */
static GtkWindow *
show_stack (TestPage *page, GtkStack **stack)
{
  GtkWindow *window = GTK_WINDOW (gtk_window_new ());

  *stack = GTK_STACK (gtk_stack_new ());
  gtk_stack_add_named (*stack, gtk_label_new ("Another one"), "other");
  gtk_stack_add_named (*stack, GTK_WIDGET (page), "page");
  gtk_window_set_child (window, GTK_WIDGET (*stack));
  gtk_window_present (window);
  gui_wait_for_text (GTK_WIDGET (window), "Another one");
  return window;
}

/* Nobody looks: nothing is done. */
static void
test_unseen (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  TestPage *page = g_object_new (TEST_TYPE_PAGE, NULL);
  GtkStack *stack;

  show_stack (page, &stack);
  g_object_set (page, "chip", chip, NULL);
  assert_told (page, 0, 1, 0, 0);
  g_signal_emit_by_name (chip, "changed");
  ward_gui_page_update (WARD_GUI_PAGE (page));
  ward_gui_page_refresh (WARD_GUI_PAGE (page));
  assert_told (page, 0, 1, 0, 0);

  gtk_stack_set_visible_child_name (stack, "page");
  gui_wait_until (gtk_widget_get_mapped (GTK_WIDGET (page)));
  assert_told (page, 1, 1, 1, 0);

  gtk_stack_set_visible_child_name (stack, "other");
  gui_wait_until (!gtk_widget_get_mapped (GTK_WIDGET (page)));
  g_signal_emit_by_name (chip, "changed");
  assert_told (page, 1, 1, 1, 0);
}

static void
test_seen (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  TestPage *page = g_object_new (TEST_TYPE_PAGE, NULL);
  GtkStack *stack;

  show_stack (page, &stack);
  gtk_stack_set_visible_child_name (stack, "page");
  gui_wait_until (gtk_widget_get_mapped (GTK_WIDGET (page)));
  assert_told (page, 0, 0, 0, 0);

  g_object_set (page, "chip", chip, NULL);
  g_assert_true (ward_gui_page_get_chip (WARD_GUI_PAGE (page)) == chip);
  assert_told (page, 1, 1, 1, 0);
  g_object_set (page, "chip", chip, NULL);
  assert_told (page, 1, 1, 1, 0);

  g_signal_emit_by_name (chip, "changed");
  assert_told (page, 2, 1, 1, 0);
  ward_gui_page_refresh (WARD_GUI_PAGE (page));
  assert_told (page, 2, 1, 1, 1);

  g_object_set (page, "chip", NULL, NULL);
  assert_told (page, 2, 2, 1, 1);
  g_signal_emit_by_name (chip, "changed");
  assert_told (page, 2, 2, 1, 1);
}

/* What changes of the chip at once comes as one signal, from the service. */
static void
test_changed (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  TestPage *page = g_object_new (TEST_TYPE_PAGE, NULL);
  g_autoptr (GVariant) reply = NULL;
  GtkStack *stack;

  show_stack (page, &stack);
  g_object_set (page, "chip", chip, NULL);
  gtk_stack_set_visible_child_name (stack, "page");
  gui_wait_until (gtk_widget_get_mapped (GTK_WIDGET (page)));
  g_assert_cmpint (page->updates, ==, 1);
  reply = gui_call (fixture, "org.tpmward1.SelfTest", "Run", g_variant_new ("(s)", "full"));
  gui_wait_until (ward_dbus_self_test_get_last_run (ward_gui_chip_get_self_test (chip)) != 0);
  gui_wait_until (page->updates > 1);
}

/* A page that goes while it is seen is not told any more. */
static void
test_destroyed (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  TestPage *page = g_object_ref_sink (g_object_new (TEST_TYPE_PAGE, NULL));
  GtkStack *stack;
  GtkWindow *window = show_stack (page, &stack);

  g_object_set (page, "chip", chip, NULL);
  gtk_stack_set_visible_child_name (stack, "page");
  gui_wait_until (gtk_widget_get_mapped (GTK_WIDGET (page)));
  gtk_window_destroy (window);
  g_signal_emit_by_name (chip, "changed");
  assert_told (page, 1, 1, 1, 0);
  g_object_add_weak_pointer (G_OBJECT (page), (gpointer *)&page);
  g_object_unref (page);
  gui_wait_until (page == NULL);
}

static void
add (void)
{
  gui_add_test ("/page/unseen", test_unseen);
  gui_add_test ("/page/seen", test_seen);
  gui_add_test ("/page/changed", test_changed);
  gui_add_test ("/page/destroyed", test_destroyed);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
