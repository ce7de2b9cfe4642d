/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-window.h"

#include <glib/gi18n.h>

#include "ward-gui-activity.h"
#include "ward-gui-moments.h"
#include "ward-gui-notice.h"
#include "ward-gui-page.h"
#include "ward-gui-settings.h"
#include "ward-gui-sidebar.h"
#include "ward-gui-state-bar.h"
#include "ward-gui-switcher.h"

struct _WardGuiWindow
{
  AdwApplicationWindow parent;

  WardGuiMoments *moments;
  AdwLeaflet *leaflet;
  GtkMenuButton *menu_button; /* beside a narrow page it is not to be seen */
  WardGuiSwitcher *switcher;
  WardGuiSidebar *sidebar;
  GtkStack *pages; /* those that were seen already */
  AdwWindowTitle *page_title;
  AdwBin *header_place;
  WardGuiStateBar *state_bar;

  WardGuiMachine *machine;
  GSettings *settings; /* NULL where nothing is remembered */
  char *tpm;           /* the name of the TPM that is shown, or was last */
};

G_DEFINE_FINAL_TYPE (WardGuiWindow, ward_gui_window, ADW_TYPE_APPLICATION_WINDOW)

static WardGuiPage *
get_visible_page (WardGuiWindow *self)
{
  GtkWidget *child = gtk_stack_get_visible_child (self->pages);

  return child != NULL ? WARD_GUI_PAGE (child) : NULL;
}

/* Which TPM it is goes without saying where there is only one. */
static void
show_subtitle (WardGuiWindow *self)
{
  WardGuiChip *chip = ward_gui_moments_get_chip (self->moments);
  gboolean is_one_of_many = g_list_model_get_n_items (ward_gui_machine_get_chips (self->machine)) > 1;

  adw_window_title_set_subtitle (self->page_title, chip != NULL && is_one_of_many ? ward_gui_chip_get_name (chip) : "");
}

static GtkWidget *
add_page (WardGuiWindow *self, const WardGuiPageKind *kind)
{
  GtkWidget *page = g_object_new (kind->get_type (), "chip", ward_gui_moments_get_chip (self->moments), NULL);

  gtk_stack_add_named (self->pages, page, kind->name);
  return page;
}

static void
show_page (WardGuiWindow *self, const WardGuiPageKind *kind)
{
  GtkWidget *page = gtk_stack_get_child_by_name (self->pages, kind->name);

  if (page == NULL)
    page = add_page (self, kind);
  gtk_stack_set_visible_child (self->pages, page);
  adw_bin_set_child (self->header_place, ward_gui_page_get_header_widget (WARD_GUI_PAGE (page)));
  adw_window_title_set_title (self->page_title, _ (kind->title));
  ward_gui_sidebar_select (self->sidebar, kind->name);
  ward_gui_state_bar_set_is_told_below (self->state_bar, g_str_equal (kind->name, "overview"));
  if (self->settings != NULL)
    g_settings_set_string (self->settings, "page", kind->name);
}

static void
on_page_chosen (WardGuiWindow *self, const char *name)
{
  show_page (self, ward_gui_page_kind_find (name));
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

/* A narrow window shows the page, and not the list, first. */
static void
on_folded (WardGuiWindow *self)
{
  if (adw_leaflet_get_folded (self->leaflet))
    adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

static void
set_actions_enabled (WardGuiWindow *self, gboolean is_enabled)
{
  static const char *const actions[] = { "win.page", "win.refresh", "win.search", "win.sidebar" };

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), actions[i], is_enabled);
}

/* Tells of a change that the person has not made. */
static void
tell_of_another (WardGuiWindow *self, WardGuiChip *chip)
{
  g_autofree char *text = NULL;

  if (self->tpm == NULL || g_str_equal (self->tpm, ward_gui_chip_get_name (chip)))
    return;
  /* Translators: names of TPMs, such as tpm0 */
  text = g_strdup_printf (_ ("%s is gone; this is %s"), self->tpm, ward_gui_chip_get_name (chip));
  ward_gui_notice_toast (GTK_WIDGET (self), text);
}

static void
on_chip_changed (WardGuiWindow *self)
{
  WardGuiChip *chip = ward_gui_moments_get_chip (self->moments);

  for (GtkWidget *page = gtk_widget_get_first_child (GTK_WIDGET (self->pages)); page != NULL;
       page = gtk_widget_get_next_sibling (page))
    g_object_set (page, "chip", chip, NULL);
  ward_gui_switcher_set_chip (self->switcher, chip);
  ward_gui_sidebar_set_chip (self->sidebar, chip);
  g_object_set (self->state_bar, "chip", chip, NULL);
  set_actions_enabled (self, chip != NULL);
  show_subtitle (self);
  if (chip == NULL)
    return;
  tell_of_another (self, chip);
  g_free (self->tpm);
  self->tpm = g_strdup (ward_gui_chip_get_name (chip));
}

static void
prefer (WardGuiWindow *self, const char *name)
{
  g_free (self->tpm);
  self->tpm = g_strdup (name);
  ward_gui_moments_prefer (self->moments, name);
}

/* By the person. */
static void
on_chosen (WardGuiWindow *self, WardGuiChip *chip)
{
  const char *name = ward_gui_chip_get_name (chip);

  prefer (self, name);
  if (self->settings != NULL)
    g_settings_set_string (self->settings, "tpm", name);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);

  if (reply == NULL && gtk_widget_get_mapped (GTK_WIDGET (self)))
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The TPM Was Not Read Again"), error);
}

/* Both what the service knows of the chip, and what the page shows beyond that. */
static void
refresh (GtkWidget *widget, const char *action, GVariant *parameter)
{
  WardGuiWindow *self = WARD_GUI_WINDOW (widget);
  WardGuiChip *chip = ward_gui_moments_get_chip (self->moments);
  WardGuiPage *page = get_visible_page (self);
  g_autoptr (WardGuiCall) call = NULL;

  if (chip == NULL || page == NULL)
    return;
  call = ward_gui_call_new (widget, ward_gui_chip_get_tpm (chip), "Refresh", NULL, _ ("Reading the TPM…"));
  ward_gui_call_start_async (call, on_read, g_object_ref (self));
  ward_gui_page_refresh (page);
}

static void
choose_page (GtkWidget *widget, const char *action, GVariant *parameter)
{
  ward_gui_window_show_page (WARD_GUI_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

static GtkWidget *
find_type (GtkWidget *widget, GType type)
{
  GtkWidget *found = g_type_is_a (G_OBJECT_TYPE (widget), type) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_type (child, type);
  return found;
}

/* On a page that has a search. */
static void
search (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GtkWidget *page = GTK_WIDGET (get_visible_page (WARD_GUI_WINDOW (widget)));
  GtkWidget *bar = find_type (page, GTK_TYPE_SEARCH_BAR);
  GtkWidget *entry = find_type (page, GTK_TYPE_SEARCH_ENTRY);

  if (bar != NULL)
    gtk_search_bar_set_search_mode (GTK_SEARCH_BAR (bar), TRUE);
  if (entry != NULL)
    gtk_widget_grab_focus (entry);
}

static gboolean
open_menu (GtkWidget *button, GdkFrameClock *clock, gpointer user_data)
{
  if (!gtk_widget_get_mapped (button))
    return G_SOURCE_CONTINUE;
  gtk_menu_button_popup (GTK_MENU_BUTTON (button));
  return G_SOURCE_REMOVE;
}

/* On a narrow page the menu is where the person first has to go back to. Else GTK finds it. */
static gboolean
on_menu_key (GtkWidget *widget, GVariant *arguments, gpointer user_data)
{
  WardGuiWindow *self = WARD_GUI_WINDOW (widget);

  if (!adw_leaflet_get_folded (self->leaflet) || gtk_widget_get_mapped (GTK_WIDGET (self->menu_button))
      || !gtk_widget_get_mapped (GTK_WIDGET (self->leaflet)))
    return FALSE;
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
  gtk_widget_add_tick_callback (GTK_WIDGET (self->menu_button), open_menu, NULL, NULL);
  return TRUE;
}

static void
show_sidebar (GtkWidget *widget, const char *action, GVariant *parameter)
{
  WardGuiWindow *self = WARD_GUI_WINDOW (widget);

  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
  gtk_widget_child_focus (GTK_WIDGET (self->sidebar), GTK_DIR_TAB_FORWARD);
}

static void
restore (WardGuiWindow *self)
{
  g_autofree char *page = NULL;
  g_autofree char *tpm = NULL;

  if (self->settings == NULL)
    return;
  page = g_settings_get_string (self->settings, "page");
  tpm = g_settings_get_string (self->settings, "tpm");
  gtk_window_set_default_size (GTK_WINDOW (self), g_settings_get_int (self->settings, "width"),
                               g_settings_get_int (self->settings, "height"));
  if (g_settings_get_boolean (self->settings, "maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
  ward_gui_moments_prefer (self->moments, tpm);
  show_page (self, ward_gui_page_kind_find (page));
}

/* However it ends. */
static void
ward_gui_window_unmap (GtkWidget *widget)
{
  WardGuiWindow *self = WARD_GUI_WINDOW (widget);
  int width, height;

  if (self->settings != NULL)
    {
      gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
      g_settings_set_int (self->settings, "width", MAX (width, 360));
      g_settings_set_int (self->settings, "height", MAX (height, 294));
      g_settings_set_boolean (self->settings, "maximized", gtk_window_is_maximized (GTK_WINDOW (self)));
    }
  GTK_WIDGET_CLASS (ward_gui_window_parent_class)->unmap (widget);
}

static void
ward_gui_window_dispose (GObject *object)
{
  WardGuiWindow *self = WARD_GUI_WINDOW (object);

  g_clear_object (&self->machine);
  g_clear_object (&self->settings);
  g_clear_pointer (&self->tpm, g_free);
  G_OBJECT_CLASS (ward_gui_window_parent_class)->dispose (object);
}

static void
ensure_types (void)
{
  g_type_ensure (WARD_GUI_TYPE_ACTIVITY);
  g_type_ensure (WARD_GUI_TYPE_MOMENTS);
  g_type_ensure (WARD_GUI_TYPE_SIDEBAR);
  g_type_ensure (WARD_GUI_TYPE_STATE_BAR);
  g_type_ensure (WARD_GUI_TYPE_SWITCHER);
}

static void
ward_gui_window_class_init (WardGuiWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_window_dispose;
  widget_class->unmap = ward_gui_window_unmap;

  ensure_types ();
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-window.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, moments);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, leaflet);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, menu_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, switcher);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, sidebar);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, pages);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, page_title);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, header_place);
  gtk_widget_class_bind_template_child (widget_class, WardGuiWindow, state_bar);
  gtk_widget_class_bind_template_callback (widget_class, on_chip_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_chosen);
  gtk_widget_class_bind_template_callback (widget_class, on_folded);
  gtk_widget_class_bind_template_callback (widget_class, on_page_chosen);

  gtk_widget_class_install_action (widget_class, "win.page", "s", choose_page);
  gtk_widget_class_install_action (widget_class, "win.refresh", NULL, refresh);
  gtk_widget_class_install_action (widget_class, "win.search", NULL, search);
  gtk_widget_class_install_action (widget_class, "win.sidebar", NULL, show_sidebar);
  gtk_widget_class_add_binding (widget_class, GDK_KEY_F10, 0, on_menu_key, NULL);
}

static void
ward_gui_window_init (WardGuiWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  set_actions_enabled (self, FALSE);
  self->settings = ward_gui_settings_new ();
}

WardGuiWindow *
ward_gui_window_new (GtkApplication *application, WardGuiMachine *machine)
{
  WardGuiWindow *self = g_object_new (WARD_GUI_TYPE_WINDOW, "application", application, NULL);

  self->machine = g_object_ref (machine);
  restore (self);
  if (get_visible_page (self) == NULL)
    show_page (self, ward_gui_page_kind_find ("overview"));
  ward_gui_switcher_set_machine (self->switcher, machine);
  g_signal_connect_object (ward_gui_machine_get_chips (machine), "items-changed", G_CALLBACK (show_subtitle), self,
                           G_CONNECT_SWAPPED);
  ward_gui_moments_set_machine (self->moments, machine);
  return self;
}

void
ward_gui_window_show_page (WardGuiWindow *window, const char *name)
{
  if (ward_gui_page_kind_find (name) != NULL)
    on_page_chosen (window, name);
}

void
ward_gui_window_show_tpm (WardGuiWindow *window, const char *name)
{
  prefer (window, name);
}

WardGuiChip *
ward_gui_window_get_chip (WardGuiWindow *window)
{
  return ward_gui_moments_get_chip (window->moments);
}
