/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-key-row.h"

#include <glib/gi18n.h>

#include "ward-client-key.h"
#include "ward-gui-key-text.h"

struct _WardGuiKeyRow
{
  AdwBin parent;

  GtkImage *icon;
  GtkLabel *label, *detail, *problem;

  WardGuiKey *key;
};

G_DEFINE_FINAL_TYPE (WardGuiKeyRow, ward_gui_key_row, ADW_TYPE_BIN)

enum
{
  PROP_KEY = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static char *
make_detail (WardGuiKey *key)
{
  const char *algorithm = ward_gui_key_text_algorithm (ward_gui_key_get_algorithm (key));
  g_autofree char *usage = ward_gui_key_text_usage (key);
  g_autofree char *protection = ward_gui_key_text_protection (key);
  g_autofree char *last_use = ward_gui_key_text_last_use (key);

  /* Translators: the kind of key, what it does, how it is protected, when it was used */
  if (ward_gui_key_is_system (key))
    return g_strdup_printf (_ ("The machine’s · %s · %s · %s · %s"), algorithm, usage, protection, last_use);
  return g_strdup_printf (_ ("%s · %s · %s · %s"), algorithm, usage, protection, last_use);
}

static void
show (WardGuiKeyRow *self)
{
  g_autofree char *detail = make_detail (self->key);
  gboolean is_usable = ward_gui_key_is_usable (self->key);

  gtk_image_set_from_icon_name (self->icon, !is_usable                           ? "dialog-warning-symbolic"
                                            : ward_gui_key_is_system (self->key) ? "computer-symbolic"
                                                                                 : "dialog-password-symbolic");
  gtk_label_set_label (self->label, ward_gui_key_get_label (self->key));
  gtk_label_set_label (self->detail, detail);
  gtk_widget_set_visible (GTK_WIDGET (self->problem), !is_usable);
  gtk_label_set_label (self->problem, ward_client_key_get_string (ward_gui_key_get_description (self->key), "problem"));
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_KEY)
    g_value_set_object (value, WARD_GUI_KEY_ROW (object)->key);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WardGuiKeyRow *self = WARD_GUI_KEY_ROW (object);

  if (id != PROP_KEY)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  else if (g_set_object (&self->key, g_value_get_object (value)) && self->key != NULL)
    show (self);
}

static void
ward_gui_key_row_dispose (GObject *object)
{
  g_clear_object (&WARD_GUI_KEY_ROW (object)->key);
  G_OBJECT_CLASS (ward_gui_key_row_parent_class)->dispose (object);
}

static void
ward_gui_key_row_class_init (WardGuiKeyRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_key_row_dispose;

  properties[PROP_KEY] = g_param_spec_object ("key", NULL, NULL, WARD_GUI_TYPE_KEY,
                                              G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-key-row.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyRow, icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyRow, label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyRow, detail);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeyRow, problem);
}

static void
ward_gui_key_row_init (WardGuiKeyRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
