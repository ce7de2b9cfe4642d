/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-room-group.h"

#include <glib/gi18n.h>

/* TPM 2.0 Library, Part 2, 8.8 (TPMA_MEMORY). */
#define SHARED_NV (1u << 1)

struct _WardGuiRoomGroup
{
  AdwPreferencesGroup parent;

  AdwActionRow *keys_row, *data_row, *largest_row, *counters_row;
};

G_DEFINE_FINAL_TYPE (WardGuiRoomGroup, ward_gui_room_group, ADW_TYPE_PREFERENCES_GROUP)

/* FALSE for what the TPM does not tell. */
static gboolean
lookup (GVariant *properties, const char *name, guint32 *value)
{
  return properties != NULL && g_variant_lookup (properties, name, "u", value);
}

/* Takes text; NULL for what the TPM does not tell. */
static void
show (AdwActionRow *row, char *text)
{
  g_autofree char *owned = text;

  gtk_widget_set_visible (GTK_WIDGET (row), text != NULL);
  adw_action_row_set_subtitle (row, text);
}

static void
show_keys (WardGuiRoomGroup *self, GVariant *properties)
{
  guint32 n, room;

  if (!lookup (properties, "TPM_PT_HR_PERSISTENT", &n))
    show (self->keys_row, NULL);
  else if (!lookup (properties, "TPM_PT_HR_PERSISTENT_AVAIL", &room))
    show (self->keys_row,
          g_strdup_printf (ngettext ("%u is kept. The TPM does not tell for how many more there is room.",
                                     "%u are kept. The TPM does not tell for how many more there is room.", n),
                           n));
  else if (room == 0)
    show (self->keys_row, g_strdup_printf (ngettext ("%u is kept, and there is no room for another one.",
                                                     "%u are kept, and there is no room for another one.", n),
                                           n));
  else
    show (self->keys_row, g_strdup_printf (_ ("In use: %u. The TPM estimates that it has room for %u more."), n, room));
}

static void
show_data (WardGuiRoomGroup *self, GVariant *properties)
{
  guint32 n;
  guint32 memory = 0;

  lookup (properties, "TPM_PT_MEMORY", &memory);
  if (!lookup (properties, "TPM_PT_HR_NV_INDEX", &n))
    show (self->data_row, NULL);
  else if (memory & SHARED_NV)
    show (self->data_row,
          g_strdup_printf (ngettext ("%u NV index. Keys take from the same memory; how many bytes of it are free the "
                                     "TPM does not tell.",
                                     "%u NV indices. Keys take from the same memory; how many bytes of it are free "
                                     "the TPM does not tell.",
                                     n),
                           n));
  else
    show (self->data_row,
          g_strdup_printf (ngettext ("%u NV index. How many bytes are free the TPM does not tell.",
                                     "%u NV indices. How many bytes are free the TPM does not tell.", n),
                           n));
}

static void
show_largest (WardGuiRoomGroup *self, GVariant *properties)
{
  guint32 size;

  if (lookup (properties, "TPM_PT_NV_INDEX_MAX", &size))
    show (self->largest_row, g_strdup_printf (ngettext ("%u byte", "%u bytes", size), size));
  else
    show (self->largest_row, NULL);
}

/* Most TPMs give 0 as the number of counters there may be, for no limit but the memory. */
static void
show_counters (WardGuiRoomGroup *self, GVariant *properties)
{
  guint32 n, room;

  if (lookup (properties, "TPM_PT_NV_COUNTERS", &n) && lookup (properties, "TPM_PT_NV_COUNTERS_AVAIL", &room))
    show (self->counters_row,
          g_strdup_printf (_ ("In use: %u. The TPM estimates that it has room for %u more."), n, room));
  else
    show (self->counters_row, NULL);
}

void
ward_gui_room_group_set_properties (WardGuiRoomGroup *group, GVariant *properties)
{
  show_keys (group, properties);
  show_data (group, properties);
  show_largest (group, properties);
  show_counters (group, properties);
}

static void
ward_gui_room_group_class_init (WardGuiRoomGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-room-group.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiRoomGroup, keys_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiRoomGroup, data_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiRoomGroup, largest_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiRoomGroup, counters_row);
}

static void
ward_gui_room_group_init (WardGuiRoomGroup *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  ward_gui_room_group_set_properties (self, NULL);
}
