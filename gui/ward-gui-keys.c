/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-keys.h"

/* The two sets. */
enum
{
  OWN,
  SYSTEM,
  N_SETS
};

struct _WardGuiKeys
{
  GObject parent;

  WardGuiChip *chip;
  GPtrArray *sets[N_SETS]; /* WardGuiKey, as the service sorts them; NULL before they were read */
  GPtrArray *shown;        /* WardGuiKey */
  GHashTable *hidden;      /* “set id”s */
  GError *error;
  GCancellable *cancellable;
  guint n_pending; /* readings under way */
  gboolean is_stale;
};

static GType
get_item_type (GListModel *model)
{
  return WARD_GUI_TYPE_KEY;
}

static guint
get_n_items (GListModel *model)
{
  return WARD_GUI_KEYS (model)->shown->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  GPtrArray *shown = WARD_GUI_KEYS (model)->shown;

  return position < shown->len ? g_object_ref (shown->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WardGuiKeys, ward_gui_keys, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static guint loaded_signal;

static void
ward_gui_keys_dispose (GObject *object)
{
  WardGuiKeys *self = WARD_GUI_KEYS (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (ward_gui_keys_parent_class)->dispose (object);
}

static void
ward_gui_keys_finalize (GObject *object)
{
  WardGuiKeys *self = WARD_GUI_KEYS (object);

  for (guint i = 0; i < N_SETS; i++)
    g_clear_pointer (&self->sets[i], g_ptr_array_unref);
  g_ptr_array_unref (self->shown);
  g_hash_table_unref (self->hidden);
  g_object_unref (self->cancellable);
  g_clear_object (&self->chip);
  G_OBJECT_CLASS (ward_gui_keys_parent_class)->finalize (object);
}

static void
ward_gui_keys_class_init (WardGuiKeysClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_gui_keys_dispose;
  G_OBJECT_CLASS (klass)->finalize = ward_gui_keys_finalize;
  loaded_signal = g_signal_new ("loaded", WARD_GUI_TYPE_KEYS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
ward_gui_keys_init (WardGuiKeys *self)
{
  self->shown = g_ptr_array_new_with_free_func (g_object_unref);
  self->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->cancellable = g_cancellable_new ();
}

static char *
hidden_name (WardGuiKey *key)
{
  return g_strdup_printf ("%d %s", ward_gui_key_is_system (key), ward_gui_key_get_id (key));
}

static gboolean
is_hidden (WardGuiKeys *self, WardGuiKey *key)
{
  g_autofree char *name = hidden_name (key);

  return g_hash_table_contains (self->hidden, name);
}

/* Only what is between those that stay is another: a list keeps its place and its focus. */
static void
show (WardGuiKeys *self)
{
  g_autoptr (GPtrArray) shown = g_ptr_array_new_with_free_func (g_object_unref);
  GPtrArray *before = self->shown;
  guint n_same = 0, n_same_after = 0, n_least;

  for (guint set = 0; set < N_SETS; set++)
    for (guint i = 0; self->sets[set] != NULL && i < self->sets[set]->len; i++)
      if (!is_hidden (self, self->sets[set]->pdata[i]))
        g_ptr_array_add (shown, g_object_ref (self->sets[set]->pdata[i]));

  n_least = MIN (before->len, shown->len);
  while (n_same < n_least && before->pdata[n_same] == shown->pdata[n_same])
    n_same++;
  while (n_same_after < n_least - n_same
         && before->pdata[before->len - 1 - n_same_after] == shown->pdata[shown->len - 1 - n_same_after])
    n_same_after++;
  self->shown = g_ptr_array_ref (shown);
  if (n_same < before->len || n_same < shown->len)
    g_list_model_items_changed (G_LIST_MODEL (self), n_same, before->len - n_same - n_same_after,
                                shown->len - n_same - n_same_after);
  g_ptr_array_unref (before);
}

/* By id, for those that were there before. */
static GHashTable *
index_keys (GPtrArray *keys)
{
  GHashTable *index = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; keys != NULL && i < keys->len; i++)
    g_hash_table_insert (index, (gpointer)ward_gui_key_get_id (keys->pdata[i]), keys->pdata[i]);
  return index;
}

static GPtrArray *
make_set (GPtrArray *before, GVariant *descriptions)
{
  GPtrArray *keys = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GHashTable) index = index_keys (before);
  gsize n = g_variant_n_children (descriptions);

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) description = g_variant_get_child_value (descriptions, i);
      g_autoptr (WardGuiKey) key = ward_gui_key_new (description);
      WardGuiKey *old = g_hash_table_lookup (index, ward_gui_key_get_id (key));

      g_ptr_array_add (keys, g_object_ref (old != NULL && ward_gui_key_equal (old, key) ? old : key));
    }
  return keys;
}

static void
take (WardGuiKeys *self, guint set, GVariant *reply)
{
  g_autoptr (GVariant) descriptions = g_variant_get_child_value (reply, 0);
  GPtrArray *keys = make_set (self->sets[set], descriptions);

  g_clear_pointer (&self->sets[set], g_ptr_array_unref);
  self->sets[set] = keys;
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiKeys) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reply != NULL)
    take (self,
          g_str_equal (g_dbus_proxy_get_interface_name (G_DBUS_PROXY (source)), "org.tpmward1.Keys") ? OWN : SYSTEM,
          reply);
  else if (self->error == NULL)
    self->error = g_steal_pointer (&error);
  if (--self->n_pending > 0)
    return;
  if (self->is_stale)
    {
      ward_gui_keys_load (self);
      return;
    }
  show (self);
  g_signal_emit (self, loaded_signal, 0);
}

static void
on_signal (WardGuiKeys *self, const char *sender, const char *signal)
{
  if (g_str_equal (signal, "Changed") && self->n_pending + (self->sets[OWN] != NULL) > 0)
    ward_gui_keys_load (self);
}

WardGuiKeys *
ward_gui_keys_new (WardGuiChip *chip)
{
  WardGuiKeys *self = g_object_new (WARD_GUI_TYPE_KEYS, NULL);

  self->chip = g_object_ref (chip);
  g_signal_connect_object (ward_gui_chip_get_keys (chip), "g-signal", G_CALLBACK (on_signal), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_gui_chip_get_system_keys (chip), "g-signal", G_CALLBACK (on_signal), self,
                           G_CONNECT_SWAPPED);
  return self;
}

void
ward_gui_keys_load (WardGuiKeys *keys)
{
  gpointer proxies[N_SETS] = { ward_gui_chip_get_keys (keys->chip), ward_gui_chip_get_system_keys (keys->chip) };

  keys->is_stale = keys->n_pending > 0;
  if (keys->is_stale)
    return;
  g_clear_error (&keys->error);
  keys->n_pending = N_SETS;
  for (guint i = 0; i < N_SETS; i++)
    ward_client_call_async (proxies[i], "List", NULL, NULL, WARD_CLIENT_CALL_NONE, keys->cancellable, on_listed,
                            g_object_ref (keys));
}

gboolean
ward_gui_keys_is_loaded (WardGuiKeys *keys)
{
  return keys->sets[OWN] != NULL || keys->sets[SYSTEM] != NULL;
}

const GError *
ward_gui_keys_get_error (WardGuiKeys *keys)
{
  return keys->error;
}

WardGuiKey *
ward_gui_keys_find (WardGuiKeys *keys, const char *id, gboolean is_system)
{
  GPtrArray *set = keys->sets[is_system ? SYSTEM : OWN];

  for (guint i = 0; set != NULL && i < set->len; i++)
    if (g_str_equal (ward_gui_key_get_id (set->pdata[i]), id))
      return g_object_ref (set->pdata[i]);
  return NULL;
}

gboolean
ward_gui_keys_has_label (WardGuiKeys *keys, const char *label, gboolean is_system)
{
  GPtrArray *set = keys->sets[is_system ? SYSTEM : OWN];

  for (guint i = 0; set != NULL && i < set->len; i++)
    if (g_str_equal (ward_gui_key_get_label (set->pdata[i]), label))
      return TRUE;
  return FALSE;
}

void
ward_gui_keys_set_hidden (WardGuiKeys *keys, WardGuiKey *key, gboolean hidden)
{
  g_autofree char *name = hidden_name (key);

  if (hidden)
    g_hash_table_add (keys->hidden, g_steal_pointer (&name));
  else
    g_hash_table_remove (keys->hidden, name);
  show (keys);
}

WardGuiChip *
ward_gui_keys_get_chip (WardGuiKeys *keys)
{
  return keys->chip;
}
