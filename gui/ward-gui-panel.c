/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-panel.h"

#include <glib/gi18n.h>

#include "ward-gui-activity.h"
#include "ward-gui-moments.h"
#include "ward-gui-self-test.h"
#include "ward-gui-settings.h"
#include "ward-gui-switcher.h"

struct _WardGuiPanel
{
  AdwApplicationWindow parent;

  WardGuiMoments *moments;
  WardGuiSwitcher *switcher;
  AdwPreferencesRow *chip_row;
  GtkImage *state_image;
  AdwActionRow *lockout_row;
  WardGuiSelfTest *self_test;

  WardGuiChip *chip;
  GSettings *settings; /* NULL where nothing is remembered */
};

G_DEFINE_FINAL_TYPE (WardGuiPanel, ward_gui_panel, ADW_TYPE_APPLICATION_WINDOW)

static const char *
state_text (const char *state)
{
  static const struct
  {
    const char *state; /* the service's word for it */
    const char *text;
  } texts[] = {
    { "ready", N_ ("It works") },
    { "disabled", N_ ("It is switched off") },
    { "failed", N_ ("It has failed its own test") },
    { "unreachable", N_ ("It does not answer") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_strcmp0 (texts[i].state, state) == 0)
      return _ (texts[i].text);
  return "";
}

static void
show_state (WardGuiPanel *self)
{
  g_autofree char *model = ward_gui_chip_dup_model (self->chip);
  const char *state = ward_dbus_tpm_get_state (ward_gui_chip_get_tpm (self->chip));
  gboolean is_ready = g_strcmp0 (state, "ready") == 0;

  adw_preferences_row_set_title (self->chip_row, model);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->chip_row), state_text (state));
  gtk_image_set_from_icon_name (self->state_image, is_ready ? "emblem-ok-symbolic" : "dialog-warning-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (self->state_image), is_ready ? "warning" : "success");
  gtk_widget_add_css_class (GTK_WIDGET (self->state_image), is_ready ? "success" : "warning");
}

static void
show_lockout (WardGuiPanel *self)
{
  WardDbusLockout *lockout = ward_gui_chip_get_lockout (self->chip);
  guint failures = ward_dbus_lockout_get_failures (lockout);
  guint max = ward_dbus_lockout_get_max_failures (lockout);
  g_autofree char *text = NULL;

  if (ward_dbus_lockout_get_locked_out (lockout))
    text = g_strdup (_ ("The TPM is locked: too many wrong passwords were tried"));
  else if (max == 0)
    text = g_strdup (_ ("The TPM is not locked"));
  else
    text = g_strdup_printf (
        ngettext ("Not locked: %u of %u wrong try counted", "Not locked: %u of %u wrong tries counted", max), failures,
        max);
  adw_action_row_set_subtitle (self->lockout_row, text);
}

static void
update (WardGuiPanel *self)
{
  show_state (self);
  show_lockout (self);
}

static void
on_chip_changed (WardGuiPanel *self)
{
  WardGuiChip *chip = ward_gui_moments_get_chip (self->moments);

  ward_gui_chip_follow (&self->chip, chip, self, G_CALLBACK (update));
  ward_gui_switcher_set_chip (self->switcher, chip);
  g_object_set (self->self_test, "chip", chip, NULL);
  if (chip != NULL)
    update (self);
}

/* The one that was chosen last, in this window or another. */
static void
follow_choice (WardGuiPanel *self)
{
  g_autofree char *name = g_settings_get_string (self->settings, "tpm");

  ward_gui_moments_prefer (self->moments, name);
}

static void
on_chosen (WardGuiPanel *self, WardGuiChip *chip)
{
  const char *name = ward_gui_chip_get_name (chip);

  ward_gui_moments_prefer (self->moments, name);
  if (self->settings != NULL)
    g_settings_set_string (self->settings, "tpm", name);
}

static void
ward_gui_panel_dispose (GObject *object)
{
  g_clear_object (&WARD_GUI_PANEL (object)->chip);
  g_clear_object (&WARD_GUI_PANEL (object)->settings);
  G_OBJECT_CLASS (ward_gui_panel_parent_class)->dispose (object);
}

static void
ward_gui_panel_class_init (WardGuiPanelClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_panel_dispose;

  g_type_ensure (WARD_GUI_TYPE_ACTIVITY);
  g_type_ensure (WARD_GUI_TYPE_MOMENTS);
  g_type_ensure (WARD_GUI_TYPE_SELF_TEST);
  g_type_ensure (WARD_GUI_TYPE_SWITCHER);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-panel.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiPanel, moments);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPanel, switcher);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPanel, chip_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPanel, state_image);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPanel, lockout_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPanel, self_test);
  gtk_widget_class_bind_template_callback (widget_class, on_chip_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_chosen);
}

static void
ward_gui_panel_init (WardGuiPanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->settings = ward_gui_settings_new ();
  if (self->settings == NULL)
    return;
  g_signal_connect_object (self->settings, "changed::tpm", G_CALLBACK (follow_choice), self, G_CONNECT_SWAPPED);
  follow_choice (self);
}

WardGuiPanel *
ward_gui_panel_new (GtkApplication *application, WardGuiMachine *machine)
{
  WardGuiPanel *self = g_object_new (WARD_GUI_TYPE_PANEL, "application", application, NULL);

  ward_gui_switcher_set_machine (self->switcher, machine);
  ward_gui_moments_set_machine (self->moments, machine);
  return self;
}
