/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame of the application: the window, its pages, what it remembers, About and help. */
#include "gui-fixture.h"

#include <signal.h>

#include "ward-gui-about.h"
#include "ward-gui-help.h"
#include "ward-gui-page.h"
#include "ward-gui-panel.h"
#include "ward-gui-settings.h"
#include "ward-gui-sidebar.h"
#include "ward-gui-state-bar.h"

static const struct
{
  const char *name;
  const char *title;
} pages[] = {
  { "overview", "Overview" }, { "ownership", "Ownership" }, { "keys", "Keys" },
  { "boot", "Boot State" },   { "storage", "Storage" },     { "doctor", "Doctor" },
};

static GtkWidget *
find_type (GtkWidget *widget, GType type)
{
  GtkWidget *found = g_type_is_a (G_OBJECT_TYPE (widget), type) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_type (child, type);
  return found;
}

static GtkWidget *
find_sidebar (GuiFixture *fixture)
{
  return find_type (GTK_WIDGET (fixture->window), WARD_GUI_TYPE_SIDEBAR);
}

static GtkWidget *
find_row (GuiFixture *fixture, const char *title)
{
  return gui_find_row (find_sidebar (fixture), title);
}

/* What is beside the sidebar. */
static GtkWidget *
find_place (GuiFixture *fixture)
{
  return gtk_widget_get_parent (find_type (GTK_WIDGET (fixture->window), WARD_GUI_TYPE_STATE_BAR));
}

static gboolean
shows (GuiFixture *fixture, gsize i)
{
  GtkWidget *header_title = find_type (find_place (fixture), ADW_TYPE_WINDOW_TITLE);
  GtkWidget *row = find_row (fixture, pages[i].title);

  return g_strcmp0 (adw_window_title_get_title (ADW_WINDOW_TITLE (header_title)), pages[i].title) == 0
         && (row == NULL || gtk_list_box_row_is_selected (GTK_LIST_BOX_ROW (row)));
}

static void
test_pages_by_row (GuiFixture *fixture)
{
  for (gsize i = G_N_ELEMENTS (pages); i > 0; i--)
    {
      gui_click (find_row (fixture, pages[i - 1].title));
      gui_wait_until (shows (fixture, i - 1));
    }
}

static void
test_pages_by_action (GuiFixture *fixture)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      g_assert_true (gtk_widget_activate_action (GTK_WIDGET (fixture->window), "win.page", "s", pages[i].name));
      gui_wait_until (shows (fixture, i));
    }
}

static void
assert_icons (GtkWidget *widget)
{
  GtkIconTheme *theme = gtk_icon_theme_get_for_display (gtk_widget_get_display (widget));
  const char *name = GTK_IS_IMAGE (widget) ? gtk_image_get_icon_name (GTK_IMAGE (widget)) : NULL;

  if (name != NULL && !gtk_icon_theme_has_icon (theme, name))
    g_error ("There is no icon “%s”.", name);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    assert_icons (child);
}

static void
test_icons (GuiFixture *fixture)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      gui_show_page (fixture, pages[i].name);
      assert_icons (GTK_WIDGET (fixture->window));
    }
}

static int
get_width (GuiFixture *fixture)
{
  return gtk_widget_get_width (GTK_WIDGET (fixture->window));
}

/* But for the frame that GTK draws where there are no shadows. */
static gboolean
has_width (GuiFixture *fixture, int width)
{
  return get_width (fixture) <= width && get_width (fixture) >= width - 10;
}

/* What comes before the window has its first size is lost. */
static void
resize (GuiFixture *fixture, int width, int height)
{
  gui_wait_until (has_width (fixture, 960));
  gtk_window_set_default_size (GTK_WINDOW (fixture->window), width, height);
  gui_wait_until (has_width (fixture, width));
}

/* From the narrowest on, one part is seen at a time, and both can be reached. */
static void
test_narrow (GuiFixture *fixture)
{
  GtkWidget *window = GTK_WIDGET (fixture->window);
  AdwLeaflet *leaflet = ADW_LEAFLET (find_type (window, ADW_TYPE_LEAFLET));

  gui_show_page (fixture, "storage");
  g_assert_false (adw_leaflet_get_folded (leaflet));
  resize (fixture, 360, 600);
  gui_wait_until (adw_leaflet_get_folded (leaflet));
  g_assert_true (adw_leaflet_get_visible_child (leaflet) == find_place (fixture));

  gui_click (gui_wait_for_button (NULL, "Back"));
  gui_wait_until (gtk_widget_is_ancestor (find_sidebar (fixture), adw_leaflet_get_visible_child (leaflet)));
  gui_click (gui_wait_for_row (NULL, "Doctor"));
  gui_wait_until (adw_leaflet_get_visible_child (leaflet) == find_place (fixture));
  gui_wait_until (shows (fixture, 5));

  gui_press_key (window, GDK_KEY_F10, 0);
  gui_wait_for_text (window, "Keyboard Shortcuts");
}

/* No page is wider than the narrowest window. */
static void
test_pages_are_narrow (GuiFixture *fixture)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      GtkWidget *content = adw_application_window_get_content (ADW_APPLICATION_WINDOW (fixture->window));
      int minimum;

      gui_show_page (fixture, pages[i].name);
      gtk_widget_measure (content, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
      if (minimum > 360)
        g_error ("The page “%s” needs %d pixels.", pages[i].name, minimum);
    }
}

static void
test_remembers (GuiFixture *fixture)
{
  g_autoptr (GSettings) settings = ward_gui_settings_new ();
  g_autofree char *page = NULL;
  int width;

  g_assert_nonnull (settings);
  gui_show_page (fixture, "keys");
  resize (fixture, 700, 500);
  width = get_width (fixture);
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  page = g_settings_get_string (settings, "page");
  g_assert_cmpstr (page, ==, "keys");
  g_assert_cmpint (g_settings_get_int (settings, "width"), ==, 700);
  g_assert_cmpint (g_settings_get_int (settings, "height"), ==, 500);
  g_assert_false (g_settings_get_boolean (settings, "maximized"));

  fixture->window = ward_gui_window_new (NULL, fixture->machine);
  gtk_window_present (GTK_WINDOW (fixture->window));
  gui_wait_until (get_width (fixture) == width);
  gui_wait_until (shows (fixture, 2));
}

/* What was asked for then is answered when nobody is there any more. */
static void
test_closed_while_loading (GuiFixture *fixture)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      gui_signal_part ("swtpm", SIGSTOP);
      gui_show_page (fixture, pages[i].name);
      g_assert_true (gtk_widget_activate_action (GTK_WIDGET (fixture->window), "win.refresh", NULL));
      gtk_window_destroy (GTK_WINDOW (fixture->window));
      gui_signal_part ("swtpm", SIGCONT);

      fixture->window = ward_gui_window_new (NULL, fixture->machine);
      gtk_window_present (GTK_WINDOW (fixture->window));
      gui_wait_until (ward_gui_window_get_chip (fixture->window) != NULL);
      gui_wait_for_chip (fixture);
      gui_wait_until (shows (fixture, i));
    }
}

static void
test_remembers_tpm (GuiFixture *fixture)
{
  g_autoptr (GSettings) settings = ward_gui_settings_new ();
  g_autofree char *tpm = NULL;

  /* one that is not there now is not forgotten */
  g_settings_set_string (settings, "tpm", "tpm7");
  gtk_window_destroy (GTK_WINDOW (fixture->window));
  fixture->window = ward_gui_window_new (NULL, fixture->machine);
  gtk_window_present (GTK_WINDOW (fixture->window));
  gui_wait_until (ward_gui_window_get_chip (fixture->window) != NULL);
  g_assert_cmpstr (ward_gui_chip_get_name (ward_gui_window_get_chip (fixture->window)), ==, "tpm0");
  tpm = g_settings_get_string (settings, "tpm");
  g_assert_cmpstr (tpm, ==, "tpm7");
}

/* It takes as long as the chip does, which can be seen. */
static void
test_refresh (GuiFixture *fixture)
{
  gui_signal_part ("swtpm", SIGSTOP);
  g_assert_true (gtk_widget_activate_action (GTK_WIDGET (fixture->window), "win.refresh", NULL));
  gui_wait_for_text (NULL, "Reading the TPM…");
  gui_signal_part ("swtpm", SIGCONT);
  gui_wait_until (gui_find_text (NULL, "Reading the TPM…") == NULL);
  g_assert_null (gui_find_dialog (NULL));
}

/* On a page that has one, and without harm on one that has none. */
static void
test_search (GuiFixture *fixture)
{
  GtkWidget *focus;

  gui_show_page (fixture, "overview");
  g_assert_true (gtk_widget_activate_action (GTK_WIDGET (fixture->window), "win.search", NULL));
  gui_show_page (fixture, "keys");
  g_assert_true (gtk_widget_activate_action (GTK_WIDGET (fixture->window), "win.search", NULL));
  focus = gtk_window_get_focus (GTK_WINDOW (fixture->window));
  g_assert_nonnull (focus);
  g_assert_nonnull (gtk_widget_get_ancestor (focus, GTK_TYPE_SEARCH_ENTRY));
  gui_wait_until (gtk_widget_get_mapped (focus));
}

static void
on_ignored (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GVariant) reply = g_dbus_proxy_call_finish (G_DBUS_PROXY (source), result, NULL);

  *(gboolean *)user_data = TRUE;
}

static GVariant *
options_with_auth (const char *auth)
{
  GVariantBuilder options;

  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "auth", g_variant_new_string (auth));
  return g_variant_builder_end (&options);
}

/* As somebody does who guesses passwords. */
static void
lock (GuiFixture *fixture)
{
  WardGuiChip *chip = ward_gui_window_get_chip (fixture->window);
  GVariant *key = g_variant_new ("(ss@a{sv})", "guessed", "ecc-p256", options_with_auth ("right"));
  guint8 digest[32] = { 1 };

  g_variant_unref (gui_call (fixture, "org.tpmward1.Keys", "Create", key));
  while (!ward_dbus_lockout_get_locked_out (ward_gui_chip_get_lockout (chip)))
    {
      GVariant *bytes = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, digest, sizeof digest, 1);
      gboolean is_done = FALSE;

      g_dbus_proxy_call (G_DBUS_PROXY (ward_gui_chip_get_keys (chip)), "Sign",
                         g_variant_new ("(ss@ay@a{sv})", "guessed", "sha256", bytes, options_with_auth ("wrong")),
                         G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_ignored, &is_done);
      gui_wait_until (is_done);
    }
}

/* A dot tells where to look, as long as there is something to see. */
static void
test_attention (GuiFixture *fixture)
{
  GtkWidget *row = find_row (fixture, "Ownership");
  GtkWidget *dot = gtk_widget_get_last_child (gtk_list_box_row_get_child (GTK_LIST_BOX_ROW (row)));

  g_assert_true (gtk_widget_has_css_class (dot, "ward-dot"));
  g_assert_false (gtk_widget_get_mapped (dot));
  lock (fixture);
  gui_wait_until (gtk_widget_get_mapped (dot));
  g_assert_cmpstr (
      gtk_test_accessible_check_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, "Needs attention"),
      ==, NULL);
  g_variant_unref (gui_call (fixture, "org.tpmward1.Lockout", "Reset", g_variant_new ("(a{sv})", NULL)));
  gui_wait_until (!gtk_widget_get_mapped (dot));
}

/* What somebody who helps wants to know, and no more. */
static void
test_about (GuiFixture *fixture)
{
  const char *details;
  GtkWidget *about;

  ward_gui_about_present (GTK_WINDOW (fixture->window), fixture->machine);
  about = GTK_WIDGET (gui_wait_for_dialog (NULL));
  g_assert_true (ADW_IS_ABOUT_WINDOW (about));
  g_assert_cmpstr (adw_about_window_get_application_name (ADW_ABOUT_WINDOW (about)), ==, "TPM Manager");
  g_assert_cmpint (adw_about_window_get_license_type (ADW_ABOUT_WINDOW (about)), ==, GTK_LICENSE_LGPL_2_1);
  details = adw_about_window_get_debug_info (ADW_ABOUT_WINDOW (about));
  g_assert_nonnull (strstr (details, "tpm0: IBM SW TPM\n"));
  g_assert_nonnull (strstr (details, "- Family: TPM 2.0"));
  g_assert_nonnull (strstr (details, "- State: ready\n"));
  g_assert_null (strstr (details, g_get_user_name ()));
  g_assert_null (strstr (details, "(null)"));
}

static void
test_help (GuiFixture *fixture)
{
  GtkWindow *help;

  ward_gui_help_present (GTK_WINDOW (fixture->window));
  help = gui_wait_for_dialog ("What the Words Mean");
  gui_wait_for_row (GTK_WIDGET (help), "TPM");
  gui_wait_for_row (GTK_WIDGET (help), "PCR (platform configuration register)");
  g_assert_true (gui_press_key (GTK_WIDGET (help), GDK_KEY_Escape, 0));
  gui_wait_until (gui_find_dialog (NULL) == NULL);
}

/* It is there at once with what is known, and follows what happens. */
static void
test_panel (GuiFixture *fixture)
{
  GtkWidget *panel = GTK_WIDGET (ward_gui_panel_new (NULL, fixture->machine));

  gtk_window_present (GTK_WINDOW (panel));
  gui_wait_for_row (panel, "IBM SW TPM");
  gui_wait_for_text (panel, "It works");
  gui_wait_for_text (panel, "Not locked: 0 of");
  gui_wait_for_text (panel, "Never run");
  g_variant_unref (gui_call (fixture, "org.tpmward1.SelfTest", "Run", g_variant_new ("(s)", "full")));
  gui_wait_for_text (panel, "Passed");
  lock (fixture);
  gui_wait_for_text (panel, "The TPM is locked");
  gui_signal_part ("swtpm", SIGKILL);
  gui_wait_for_text (panel, "It does not answer");
  gtk_window_destroy (GTK_WINDOW (panel));
}

static void
add (void)
{
  gui_add_test ("/shell/pages-by-row", test_pages_by_row);
  gui_add_test ("/shell/pages-by-action", test_pages_by_action);
  gui_add_test ("/shell/icons", test_icons);
  gui_add_test ("/shell/narrow", test_narrow);
  gui_add_test ("/shell/pages-are-narrow", test_pages_are_narrow);
  gui_add_test ("/shell/remembers", test_remembers);
  gui_add_test ("/shell/remembers-tpm", test_remembers_tpm);
  gui_add_test ("/shell/closed-while-loading", test_closed_while_loading);
  gui_add_test ("/shell/refresh", test_refresh);
  gui_add_test ("/shell/search", test_search);
  gui_add_test ("/shell/attention", test_attention);
  gui_add_test ("/shell/about", test_about);
  gui_add_test ("/shell/help", test_help);
  gui_add_test ("/shell/panel", test_panel);
}

int
main (int argc, char **argv)
{
  return gui_main (argc, argv, add);
}
