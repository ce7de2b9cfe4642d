/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-inventory.h"

#include "ward-absence.h"
#include "ward-finder.h"

struct _WardInventory
{
  GObject parent_instance;

  const WardBackend *const *backends;
  char *state_dir;
  WardFinder *finder; /* NULL when only named TPMs are wanted */
  GPtrArray *tpms;
};

G_DEFINE_FINAL_TYPE (WardInventory, ward_inventory, G_TYPE_OBJECT)

enum
{
  ADDED,
  REMOVED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
ward_inventory_dispose (GObject *object)
{
  ward_inventory_stop (WARD_INVENTORY (object));
  G_OBJECT_CLASS (ward_inventory_parent_class)->dispose (object);
}

static void
ward_inventory_finalize (GObject *object)
{
  WardInventory *self = WARD_INVENTORY (object);

  g_ptr_array_unref (self->tpms);
  g_free (self->state_dir);
  G_OBJECT_CLASS (ward_inventory_parent_class)->finalize (object);
}

static void
ward_inventory_class_init (WardInventoryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = ward_inventory_dispose;
  object_class->finalize = ward_inventory_finalize;

  signals[ADDED] = g_signal_new ("added", WARD_TYPE_INVENTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                 WARD_TYPE_TPM);
  signals[REMOVED] = g_signal_new ("removed", WARD_TYPE_INVENTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                   1, WARD_TYPE_TPM);
}

static void
ward_inventory_init (WardInventory *self)
{
  self->tpms = g_ptr_array_new_with_free_func (g_object_unref);
}

WardInventory *
ward_inventory_new (const WardBackend *const *backends, const char *state_dir)
{
  WardInventory *self = g_object_new (WARD_TYPE_INVENTORY, NULL);

  self->backends = backends;
  self->state_dir = g_strdup (state_dir);
  return self;
}

static const WardBackend *
find_backend (WardInventory *self, const char *family)
{
  for (const WardBackend *const *b = self->backends; *b; b++)
    if (g_str_equal ((*b)->family, family))
      return *b;
  return NULL;
}

static WardTpm *
find_tpm (WardInventory *self, const char *name, guint *index)
{
  for (guint i = 0; i < self->tpms->len; i++)
    {
      WardTpm *tpm = g_ptr_array_index (self->tpms, i);

      if (!g_str_equal (ward_tpm_get_name (tpm), name))
        continue;
      if (index)
        *index = i;
      return tpm;
    }
  return NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (ward_tpm_get_name (*(WardTpm *const *)a), ward_tpm_get_name (*(WardTpm *const *)b));
}

static void
add (WardInventory *self, WardTpm *tpm)
{
  g_message ("%s: a TPM %s, reached by %s", ward_tpm_get_name (tpm), ward_tpm_get_family (tpm),
             ward_tpm_get_transport (tpm));
  g_ptr_array_add (self->tpms, tpm);
  g_ptr_array_sort (self->tpms, compare_names);
  g_signal_emit (self, signals[ADDED], 0, tpm);
}

static void
drop (WardInventory *self, guint index)
{
  g_autoptr (WardTpm) tpm = g_ptr_array_steal_index (self->tpms, index);

  g_message ("%s is let go of", ward_tpm_get_name (tpm));
  ward_tpm_stop (tpm);
  g_signal_emit (self, signals[REMOVED], 0, tpm);
}

static void
on_device_added (WardFinder *finder, WardDevice *device, WardInventory *self)
{
  if (find_tpm (self, device->name, NULL))
    {
      g_warning ("The machine's own %s is left alone: the configuration names another TPM so", device->name);
      return;
    }

  add (self, ward_tpm_new (device->name, device->family, device->transport, device->device_path, device->driver,
                           find_backend (self, device->family), self->state_dir));
}

static void
on_device_removed (WardFinder *finder, const char *name, WardInventory *self)
{
  guint index;
  WardTpm *tpm = find_tpm (self, name, &index);

  /* a named TPM has no device, and stays */
  if (tpm && *ward_tpm_get_device_path (tpm))
    drop (self, index);
}

static void
on_device_changed (WardFinder *finder, const char *name, WardInventory *self)
{
  WardTpm *tpm = find_tpm (self, name, NULL);

  if (tpm && *ward_tpm_get_device_path (tpm))
    ward_tpm_refresh_async (tpm, NULL, NULL, NULL);
}

void
ward_inventory_start (WardInventory *inventory, const WardConfig *config)
{
  for (guint i = 0; i < config->tpms->len; i++)
    {
      const WardConfigTpm *tpm = g_ptr_array_index (config->tpms, i);

      add (inventory, ward_tpm_new (tpm->name, tpm->family, tpm->transport, "", "",
                                    find_backend (inventory, tpm->family), inventory->state_dir));
    }

  if (!config->discover)
    return;

  inventory->finder = ward_finder_new ();
  g_signal_connect_object (inventory->finder, "device-added", G_CALLBACK (on_device_added), inventory, 0);
  g_signal_connect_object (inventory->finder, "device-removed", G_CALLBACK (on_device_removed), inventory, 0);
  g_signal_connect_object (inventory->finder, "device-changed", G_CALLBACK (on_device_changed), inventory, 0);
  ward_finder_start (inventory->finder);
}

void
ward_inventory_stop (WardInventory *inventory)
{
  g_clear_object (&inventory->finder);
  while (inventory->tpms->len > 0)
    drop (inventory, inventory->tpms->len - 1);
}

GPtrArray *
ward_inventory_get_tpms (WardInventory *inventory)
{
  return inventory->tpms;
}

gboolean
ward_inventory_is_discovering (WardInventory *inventory)
{
  return inventory->finder != NULL;
}

char *
ward_inventory_explain_absence (WardInventory *inventory)
{
  if (inventory->tpms->len > 0)
    return g_strdup ("");
  if (!inventory->finder)
    return g_strdup ("The service was told not to look for this machine's TPMs, and no other is configured.");
  return ward_absence_explain ("");
}
