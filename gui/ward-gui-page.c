/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-page.h"

typedef struct
{
  WardGuiChip *chip;
  GtkWidget *header_widget;
} WardGuiPagePrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (WardGuiPage, ward_gui_page, ADW_TYPE_BIN)

enum
{
  PROP_CHIP = 1,
  PROP_HEADER_WIDGET,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static gboolean
is_seen (WardGuiPage *self)
{
  WardGuiPagePrivate *priv = ward_gui_page_get_instance_private (self);

  return priv->chip != NULL && gtk_widget_get_mapped (GTK_WIDGET (self));
}

void
ward_gui_page_update (WardGuiPage *page)
{
  WardGuiPageClass *klass = WARD_GUI_PAGE_GET_CLASS (page);

  if (is_seen (page) && klass->update != NULL)
    klass->update (page);
}

static void
load (WardGuiPage *self, gboolean is_refresh)
{
  WardGuiPageClass *klass = WARD_GUI_PAGE_GET_CLASS (self);

  if (is_seen (self) && klass->load != NULL)
    klass->load (self, is_refresh);
}

void
ward_gui_page_refresh (WardGuiPage *page)
{
  load (page, TRUE);
}

static void
set_chip (WardGuiPage *self, WardGuiChip *chip)
{
  WardGuiPagePrivate *priv = ward_gui_page_get_instance_private (self);
  WardGuiPageClass *klass = WARD_GUI_PAGE_GET_CLASS (self);

  if (!ward_gui_chip_follow (&priv->chip, chip, self, G_CALLBACK (ward_gui_page_update)))
    return;
  if (klass->reset != NULL)
    klass->reset (self);
  ward_gui_page_update (self);
  load (self, FALSE);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHIP]);
}

static void
ward_gui_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (ward_gui_page_parent_class)->map (widget);
  ward_gui_page_update (WARD_GUI_PAGE (widget));
  load (WARD_GUI_PAGE (widget), FALSE);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WardGuiPagePrivate *priv = ward_gui_page_get_instance_private (WARD_GUI_PAGE (object));

  switch (id)
    {
    case PROP_CHIP:
      g_value_set_object (value, priv->chip);
      break;
    case PROP_HEADER_WIDGET:
      g_value_set_object (value, priv->header_widget);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WardGuiPagePrivate *priv = ward_gui_page_get_instance_private (WARD_GUI_PAGE (object));

  switch (id)
    {
    case PROP_CHIP:
      set_chip (WARD_GUI_PAGE (object), g_value_get_object (value));
      break;
    case PROP_HEADER_WIDGET:
      g_set_object (&priv->header_widget, g_value_get_object (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ward_gui_page_dispose (GObject *object)
{
  WardGuiPagePrivate *priv = ward_gui_page_get_instance_private (WARD_GUI_PAGE (object));

  g_clear_object (&priv->chip);
  g_clear_object (&priv->header_widget);
  G_OBJECT_CLASS (ward_gui_page_parent_class)->dispose (object);
}

static void
ward_gui_page_class_init (WardGuiPageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_page_dispose;
  GTK_WIDGET_CLASS (klass)->map = ward_gui_page_map;

  properties[PROP_CHIP] = g_param_spec_object ("chip", NULL, NULL, WARD_GUI_TYPE_CHIP,
                                               G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  properties[PROP_HEADER_WIDGET] = g_param_spec_object ("header-widget", NULL, NULL, GTK_TYPE_WIDGET,
                                                        G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ward_gui_page_init (WardGuiPage *self)
{
}

WardGuiChip *
ward_gui_page_get_chip (WardGuiPage *page)
{
  WardGuiPagePrivate *priv = ward_gui_page_get_instance_private (page);

  return priv->chip;
}

GtkWidget *
ward_gui_page_get_header_widget (WardGuiPage *page)
{
  WardGuiPagePrivate *priv = ward_gui_page_get_instance_private (page);

  return priv->header_widget;
}
