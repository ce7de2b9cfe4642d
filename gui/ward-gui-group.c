/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-group.h"

typedef struct
{
  WardGuiChip *chip;
} WardGuiGroupPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (WardGuiGroup, ward_gui_group, ADW_TYPE_PREFERENCES_GROUP)

enum
{
  PROP_CHIP = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

WardGuiChip *
ward_gui_group_get_chip (WardGuiGroup *group)
{
  WardGuiGroupPrivate *priv = ward_gui_group_get_instance_private (group);

  return priv->chip;
}

static void
update (WardGuiGroup *self)
{
  WARD_GUI_GROUP_GET_CLASS (self)->update (self);
}

static void
set_chip (WardGuiGroup *self, WardGuiChip *chip)
{
  WardGuiGroupPrivate *priv = ward_gui_group_get_instance_private (self);
  WardGuiGroupClass *klass = WARD_GUI_GROUP_GET_CLASS (self);

  if (!ward_gui_chip_follow (&priv->chip, chip, self, G_CALLBACK (update)))
    return;
  if (klass->reset != NULL)
    klass->reset (self);
  update (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHIP]);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CHIP)
    g_value_set_object (value, ward_gui_group_get_chip (WARD_GUI_GROUP (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CHIP)
    set_chip (WARD_GUI_GROUP (object), g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ward_gui_group_dispose (GObject *object)
{
  WardGuiGroupPrivate *priv = ward_gui_group_get_instance_private (WARD_GUI_GROUP (object));

  g_clear_object (&priv->chip);
  G_OBJECT_CLASS (ward_gui_group_parent_class)->dispose (object);
}

static void
ward_gui_group_class_init (WardGuiGroupClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_group_dispose;

  properties[PROP_CHIP] = g_param_spec_object ("chip", NULL, NULL, WARD_GUI_TYPE_CHIP,
                                               G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
ward_gui_group_init (WardGuiGroup *self)
{
}
