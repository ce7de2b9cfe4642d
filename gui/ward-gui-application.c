/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-application.h"

#include <glib/gi18n.h>

#include "ward-config.h"
#include "ward-gui-about.h"
#include "ward-gui-help.h"
#include "ward-gui-notifier.h"
#include "ward-gui-panel.h"
#include "ward-gui-sidebar.h"
#include "ward-gui-window.h"

struct _WardGuiApplication
{
  AdwApplication parent;

  WardGuiMachine *machine;
  WardGuiNotifier *notifier;
};

G_DEFINE_FINAL_TYPE (WardGuiApplication, ward_gui_application, ADW_TYPE_APPLICATION)

static const GOptionEntry options[] = {
  { "page", 'p', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, NULL,
    N_ ("Show a page: overview, ownership, keys, boot, storage or doctor"), N_ ("NAME") },
  { "selftest-panel", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, NULL,
    N_ ("Show only a small window with the TPM’s state and its self-test"), NULL },
  { "version", 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, NULL, N_ ("Print the version and exit"), NULL },
  { .long_name = NULL },
};

/* The application has one window of a kind at most; NULL if there is none. */
static GtkWindow *
find_window (WardGuiApplication *self, GType type)
{
  for (GList *l = gtk_application_get_windows (GTK_APPLICATION (self)); l != NULL; l = l->next)
    if (g_type_is_a (G_OBJECT_TYPE (l->data), type))
      return l->data;
  return NULL;
}

static WardGuiWindow *
present_window (WardGuiApplication *self)
{
  GtkWindow *window = find_window (self, WARD_GUI_TYPE_WINDOW);

  if (window == NULL)
    window = GTK_WINDOW (ward_gui_window_new (GTK_APPLICATION (self), self->machine));
  gtk_window_present (window);
  return WARD_GUI_WINDOW (window);
}

static void
present_panel (WardGuiApplication *self)
{
  GtkWindow *panel = find_window (self, WARD_GUI_TYPE_PANEL);

  if (panel == NULL)
    panel = GTK_WINDOW (ward_gui_panel_new (GTK_APPLICATION (self), self->machine));
  gtk_window_present (panel);
}

static void
show_about (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  WardGuiApplication *self = user_data;

  ward_gui_about_present (gtk_application_get_active_window (user_data), self->machine);
}

static void
show_help (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  ward_gui_help_present (gtk_application_get_active_window (user_data));
}

static void
show_panel (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  present_panel (user_data);
}

static void
show_window (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  present_window (user_data);
}

/* What a notification is about. */
static void
show_page (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  WardGuiWindow *window = present_window (user_data);
  const char *tpm, *page;

  g_variant_get (parameter, "(&s&s)", &tpm, &page);
  ward_gui_window_show_tpm (window, tpm);
  ward_gui_window_show_page (window, page);
}

/* One window after the other, as each may have something to remember. */
static void
quit (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  GList *windows;

  while ((windows = gtk_application_get_windows (user_data)) != NULL)
    gtk_window_destroy (windows->data);
}

static void
set_accels (GtkApplication *self)
{
  static const struct
  {
    const char *action;
    const char *accels[3];
  } accels[] = {
    { "app.quit", { "<Ctrl>q" } },          { "app.help", { "F1" } },
    { "window.close", { "<Ctrl>w" } },      { "win.refresh", { "<Ctrl>r", "F5" } },
    { "win.search", { "<Ctrl>f" } },        { "win.sidebar", { "F9", "<Alt>Left" } },
    { "win.page::overview", { "<Alt>1" } }, { "win.page::ownership", { "<Alt>2" } },
    { "win.page::keys", { "<Alt>3" } },     { "win.page::boot", { "<Alt>4" } },
    { "win.page::storage", { "<Alt>5" } },  { "win.page::doctor", { "<Alt>6" } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (accels); i++)
    gtk_application_set_accels_for_action (self, accels[i].action, accels[i].accels);
}

static void
ward_gui_application_startup (GApplication *application)
{
  static const GActionEntry entries[] = {
    { .name = "about", .activate = show_about },
    { .name = "help", .activate = show_help },
    { .name = "panel", .activate = show_panel },
    { .name = "quit", .activate = quit },
    { .name = "show-page", .activate = show_page, .parameter_type = "(ss)" },
    { .name = "window", .activate = show_window },
  };
  WardGuiApplication *self = WARD_GUI_APPLICATION (application);

  G_APPLICATION_CLASS (ward_gui_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (WARD_GUI_ICON_NAME);
  self->machine = ward_gui_machine_new ();
  self->notifier = ward_gui_notifier_new (application, self->machine);
  g_action_map_add_action_entries (G_ACTION_MAP (application), entries, G_N_ELEMENTS (entries), application);
  set_accels (GTK_APPLICATION (application));
}

static void
ward_gui_application_activate (GApplication *application)
{
  present_window (WARD_GUI_APPLICATION (application));
}

/* In the process that was started, which may not be the one that has the windows. */
static int
ward_gui_application_handle_local_options (GApplication *application, GVariantDict *given)
{
  const char *page = NULL;

  if (g_variant_dict_contains (given, "version"))
    {
      g_print ("tpmward-gui %s\n", WARD_VERSION);
      return EXIT_SUCCESS;
    }
  if (g_variant_dict_lookup (given, "page", "&s", &page) && ward_gui_page_kind_find (page) == NULL)
    {
      g_printerr (_ ("tpmward-gui: There is no page “%s”; --help tells which there are.\n"), page);
      return EXIT_FAILURE;
    }
  return -1;
}

static int
ward_gui_application_command_line (GApplication *application, GApplicationCommandLine *command_line)
{
  WardGuiApplication *self = WARD_GUI_APPLICATION (application);
  GVariantDict *given = g_application_command_line_get_options_dict (command_line);
  const char *page = NULL;

  g_variant_dict_lookup (given, "page", "&s", &page);
  if (g_variant_dict_contains (given, "selftest-panel"))
    present_panel (self);
  if (page != NULL)
    ward_gui_window_show_page (present_window (self), page);
  else if (!g_variant_dict_contains (given, "selftest-panel"))
    g_application_activate (application);
  return EXIT_SUCCESS;
}

static void
ward_gui_application_dispose (GObject *object)
{
  WardGuiApplication *self = WARD_GUI_APPLICATION (object);

  g_clear_object (&self->notifier);
  g_clear_object (&self->machine);
  G_OBJECT_CLASS (ward_gui_application_parent_class)->dispose (object);
}

static void
ward_gui_application_class_init (WardGuiApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_application_dispose;
  application_class->startup = ward_gui_application_startup;
  application_class->activate = ward_gui_application_activate;
  application_class->handle_local_options = ward_gui_application_handle_local_options;
  application_class->command_line = ward_gui_application_command_line;
}

static void
ward_gui_application_init (WardGuiApplication *self)
{
  GApplication *application = G_APPLICATION (self);

  g_application_set_option_context_summary (
      application, _ ("TPM Manager shows and manages this computer’s TPM, its security chip."));
  g_application_add_main_option_entries (application, options);
}

WardGuiApplication *
ward_gui_application_new (void)
{
  return g_object_new (WARD_GUI_TYPE_APPLICATION, "application-id", WARD_GUI_APPLICATION_ID, "resource-base-path",
                       "/org/tpmward/Manager", "flags",
                       G_APPLICATION_HANDLES_COMMAND_LINE | G_APPLICATION_CAN_OVERRIDE_APP_ID, NULL);
}
