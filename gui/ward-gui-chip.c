/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-chip.h"

struct _WardGuiChip
{
  GObject parent;

  WardClient *client;
  WardDbusObject *object;
  char *name;
  gboolean gone;
  guint changed_id; /* "changed" is to be emitted */
};

G_DEFINE_FINAL_TYPE (WardGuiChip, ward_gui_chip, G_TYPE_OBJECT)

enum
{
  PROP_GONE = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];
static guint changed_signal;

static gboolean
emit_changed (gpointer user_data)
{
  WardGuiChip *self = user_data;

  self->changed_id = 0;
  g_signal_emit (self, changed_signal, 0);
  return G_SOURCE_REMOVE;
}

/* Widgets are not to be drawn before they know. */
static void
on_properties_changed (WardGuiChip *self)
{
  if (self->changed_id == 0)
    self->changed_id = g_idle_add_full (G_PRIORITY_HIGH_IDLE, emit_changed, self, NULL);
}

static void
set_gone (WardGuiChip *self)
{
  if (self->gone)
    return;
  self->gone = TRUE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_GONE]);
}

static void
on_object_removed (WardGuiChip *self, GDBusObject *object)
{
  if (object == G_DBUS_OBJECT (self->object))
    set_gone (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WardGuiChip *self = WARD_GUI_CHIP (object);

  if (id == PROP_GONE)
    g_value_set_boolean (value, self->gone);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ward_gui_chip_finalize (GObject *object)
{
  WardGuiChip *self = WARD_GUI_CHIP (object);

  g_clear_handle_id (&self->changed_id, g_source_remove);
  g_clear_object (&self->object);
  g_clear_object (&self->client);
  g_free (self->name);
  G_OBJECT_CLASS (ward_gui_chip_parent_class)->finalize (object);
}

static void
ward_gui_chip_class_init (WardGuiChipClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = get_property;
  object_class->finalize = ward_gui_chip_finalize;

  properties[PROP_GONE] = g_param_spec_boolean ("gone", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
  changed_signal = g_signal_new ("changed", WARD_GUI_TYPE_CHIP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
ward_gui_chip_init (WardGuiChip *self)
{
}

WardGuiChip *
ward_gui_chip_new (WardClient *client, WardDbusObject *object)
{
  WardGuiChip *self = g_object_new (WARD_GUI_TYPE_CHIP, NULL);
  g_autolist (GDBusInterface) interfaces = g_dbus_object_get_interfaces (G_DBUS_OBJECT (object));

  self->client = g_object_ref (client);
  self->object = g_object_ref (object);
  self->name = g_strdup (ward_dbus_tpm_get_name (ward_dbus_object_peek_tpm (object)));

  for (GList *l = interfaces; l != NULL; l = l->next)
    g_signal_connect_object (l->data, "g-properties-changed", G_CALLBACK (on_properties_changed), self,
                             G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_client_get_objects (client), "object-removed", G_CALLBACK (on_object_removed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_client_get_connection (client), "closed", G_CALLBACK (set_gone), self,
                           G_CONNECT_SWAPPED);
  return self;
}

WardClient *
ward_gui_chip_get_client (WardGuiChip *chip)
{
  return chip->client;
}

WardDbusObject *
ward_gui_chip_get_object (WardGuiChip *chip)
{
  return chip->object;
}

WardDbusTpm *
ward_gui_chip_get_tpm (WardGuiChip *chip)
{
  return ward_dbus_object_peek_tpm (chip->object);
}

WardDbusSelfTest *
ward_gui_chip_get_self_test (WardGuiChip *chip)
{
  return ward_dbus_object_peek_self_test (chip->object);
}

WardDbusOwnership *
ward_gui_chip_get_ownership (WardGuiChip *chip)
{
  return ward_dbus_object_peek_ownership (chip->object);
}

WardDbusLockout *
ward_gui_chip_get_lockout (WardGuiChip *chip)
{
  return ward_dbus_object_peek_lockout (chip->object);
}

WardDbusKeys *
ward_gui_chip_get_keys (WardGuiChip *chip)
{
  return ward_dbus_object_peek_keys (chip->object);
}

WardDbusSystemKeys *
ward_gui_chip_get_system_keys (WardGuiChip *chip)
{
  return ward_dbus_object_peek_system_keys (chip->object);
}

WardDbusSeal *
ward_gui_chip_get_seal (WardGuiChip *chip)
{
  return ward_dbus_object_peek_seal (chip->object);
}

WardDbusPcrs *
ward_gui_chip_get_pcrs (WardGuiChip *chip)
{
  return ward_dbus_object_peek_pcrs (chip->object);
}

WardDbusNv *
ward_gui_chip_get_nv (WardGuiChip *chip)
{
  return ward_dbus_object_peek_nv (chip->object);
}

gboolean
ward_gui_chip_is_tpm12 (WardGuiChip *chip)
{
  return g_strcmp0 (ward_dbus_tpm_get_family (ward_gui_chip_get_tpm (chip)), "1.2") == 0;
}

const char *
ward_gui_chip_get_name (WardGuiChip *chip)
{
  return chip->name;
}

/* Makers fill their names with spaces. */
static char *
tidy (const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) tidied = NULL;

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_strv_builder_add (builder, words[i]);
  tidied = g_strv_builder_end (builder);
  return g_strjoinv (" ", tidied);
}

char *
ward_gui_chip_dup_model (WardGuiChip *chip)
{
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (chip);
  const char *maker = ward_dbus_tpm_get_manufacturer_name (tpm);
  const char *model = ward_dbus_tpm_get_vendor_string (tpm);
  g_autofree char *text = NULL;

  if (maker == NULL || *maker == '\0')
    maker = ward_dbus_tpm_get_manufacturer (tpm);
  text = g_strjoin (" ", maker != NULL ? maker : "", model, NULL);
  return tidy (text);
}

gboolean
ward_gui_chip_is_gone (WardGuiChip *chip)
{
  return chip->gone;
}

gboolean
ward_gui_chip_follow (WardGuiChip **followed, WardGuiChip *chip, gpointer follower, GCallback changed)
{
  if (*followed == chip)
    return FALSE;
  if (*followed != NULL)
    g_signal_handlers_disconnect_by_data (*followed, follower);
  g_set_object (followed, chip);
  if (chip != NULL)
    g_signal_connect_object (chip, "changed", changed, follower, G_CONNECT_SWAPPED);
  return TRUE;
}
