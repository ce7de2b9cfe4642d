/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gui-fixture.h"

#include <malloc.h>

/* What caches take until they are full is no leak. */
#define WARM_UP 60
#define SWITCHES 500
#define SELF_TESTS 100
#define MAX_GROWTH_KB 512

static const char *const names[] = { "overview", "ownership", "keys", "boot", "storage", "doctor" };

/* What has been allocated and not been freed, of all threads: not what the allocator keeps for later. */
static gint64
get_memory_kb (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return (gint64)((info.uordblks + info.hblkhd) / 1024);
}

static void
switch_pages (GuiFixture *fixture, int n)
{
  for (int i = 0; i < n; i++)
    {
      gui_show_page (fixture, names[i % G_N_ELEMENTS (names)]);
      gui_wait_for_chip (fixture);
    }
}

static void
test_page_switches (GuiFixture *fixture)
{
  gint64 before, growth;

  switch_pages (fixture, WARM_UP);
  before = get_memory_kb ();
  switch_pages (fixture, SWITCHES);
  growth = get_memory_kb () - before;
  g_test_message ("%d page switches: %" G_GINT64_FORMAT " KiB more", SWITCHES, growth);
  g_assert_cmpint (growth, <, MAX_GROWTH_KB);
}

static void
test_self (GuiFixture *fixture, int n)
{
  WardDbusSelfTest *proxy = ward_gui_chip_get_self_test (ward_gui_window_get_chip (fixture->window));
  GtkWidget *window = GTK_WIDGET (fixture->window);

  for (int i = 0; i < n; i++)
    {
      guint64 last = ward_dbus_self_test_get_last_run (proxy);

      gui_wait_until (gtk_widget_is_sensitive (gui_wait_for_button (window, "Full")));
      gui_click (gui_find_button (window, "Full"));
      gui_wait_until (ward_dbus_self_test_get_last_run (proxy) != last);
      gui_wait_for_chip (fixture);
    }
}

static void
test_self_tests (GuiFixture *fixture)
{
  gint64 before, growth;

  test_self (fixture, WARM_UP);
  before = get_memory_kb ();
  test_self (fixture, SELF_TESTS);
  growth = get_memory_kb () - before;
  g_test_message ("%d self-tests: %" G_GINT64_FORMAT " KiB more", SELF_TESTS, growth);
  g_assert_cmpint (growth, <, MAX_GROWTH_KB);
}

/* As many small leaks would be found. */
static void
test_control (GuiFixture *fixture)
{
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 before;

  switch_pages (fixture, WARM_UP);
  before = get_memory_kb ();
  for (int i = 0; i < SWITCHES; i++)
    g_ptr_array_add (kept, g_object_ref_sink (adw_action_row_new ()));
  g_assert_cmpint (get_memory_kb () - before, >, MAX_GROWTH_KB);
}

static void
test_window (GuiFixture *fixture)
{
  WardGuiWindow *window = fixture->window;

  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *)&window);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    gui_show_page (fixture, names[i]);
  gtk_window_destroy (GTK_WINDOW (window));
  gui_wait_until (window == NULL);
}

static void
add (void)
{
  gui_add_test ("/leaks/page-switches", test_page_switches);
  gui_add_test ("/leaks/self-tests", test_self_tests);
  gui_add_test ("/leaks/control", test_control);
  gui_add_test ("/leaks/window", test_window);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
