/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-state-bar.h"

#include <glib/gi18n.h>

struct _WardGuiStateBar
{
  AdwBin parent;

  GtkRevealer *revealer;
  GtkWidget *box;
  GtkImage *image;
  GtkLabel *title;
  GtkLabel *detail;

  WardGuiChip *chip;
  gboolean is_told_below;
};

G_DEFINE_FINAL_TYPE (WardGuiStateBar, ward_gui_state_bar, ADW_TYPE_BIN)

enum
{
  PROP_CHIP = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

typedef struct
{
  const char *state; /* the service's word for it */
  const char *title;
  gboolean is_error;
} State;

static const State states[] = {
  { "disabled", N_ ("The TPM is switched off"), FALSE },
  { "failed", N_ ("The TPM has failed its own test"), TRUE },
  { "unreachable", N_ ("The TPM does not answer"), TRUE },
};

static const State changed_state = { "ready", N_ ("Something was done to the TPM"), FALSE };

/* NULL for one of which there is nothing to say. */
static const State *
find_state (WardGuiChip *chip)
{
  const char *state = ward_dbus_tpm_get_state (ward_gui_chip_get_tpm (chip));
  const char *detail = ward_dbus_tpm_get_state_detail (ward_gui_chip_get_tpm (chip));

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    if (g_strcmp0 (state, states[i].state) == 0)
      return &states[i];
  return detail != NULL && *detail != '\0' ? &changed_state : NULL;
}

static void
set_class (GtkWidget *widget, const char *name, gboolean is_set)
{
  if (is_set)
    gtk_widget_add_css_class (widget, name);
  else
    gtk_widget_remove_css_class (widget, name);
}

static void
update (WardGuiStateBar *self)
{
  const State *state = self->chip != NULL ? find_state (self->chip) : NULL;

  if (self->is_told_below && state != &changed_state)
    state = NULL;
  gtk_revealer_set_reveal_child (self->revealer, state != NULL);
  if (state == NULL)
    return;
  gtk_image_set_from_icon_name (self->image, state->is_error ? "dialog-error-symbolic" : "dialog-warning-symbolic");
  gtk_label_set_label (self->title, _ (state->title));
  gtk_label_set_label (self->detail, ward_dbus_tpm_get_state_detail (ward_gui_chip_get_tpm (self->chip)));
  set_class (self->box, "ward-error-bar", state->is_error);
  set_class (self->box, "ward-warning-bar", !state->is_error);
}

static void
set_chip (WardGuiStateBar *self, WardGuiChip *chip)
{
  if (!ward_gui_chip_follow (&self->chip, chip, self, G_CALLBACK (update)))
    return;
  update (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CHIP)
    g_value_set_object (value, WARD_GUI_STATE_BAR (object)->chip);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CHIP)
    set_chip (WARD_GUI_STATE_BAR (object), g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ward_gui_state_bar_dispose (GObject *object)
{
  g_clear_object (&WARD_GUI_STATE_BAR (object)->chip);
  G_OBJECT_CLASS (ward_gui_state_bar_parent_class)->dispose (object);
}

static void
ward_gui_state_bar_class_init (WardGuiStateBarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_state_bar_dispose;

  properties[PROP_CHIP] = g_param_spec_object ("chip", NULL, NULL, WARD_GUI_TYPE_CHIP,
                                               G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-state-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiStateBar, revealer);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStateBar, box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStateBar, image);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStateBar, title);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStateBar, detail);
}

static void
ward_gui_state_bar_init (WardGuiStateBar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_state_bar_set_is_told_below (WardGuiStateBar *bar, gboolean is_told_below)
{
  bar->is_told_below = is_told_below;
  update (bar);
}
