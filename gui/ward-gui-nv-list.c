/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-list.h"

struct _WardGuiNvList
{
  GObject parent;

  WardGuiChip *chip;
  GPtrArray *items; /* WardGuiNvItem */
  gboolean is_loaded;
  GError *error;
  GCancellable *cancellable; /* of the reading under way, or NULL */
};

static GType
get_item_type (GListModel *model)
{
  return WARD_GUI_TYPE_NV_ITEM;
}

static guint
get_n_items (GListModel *model)
{
  return WARD_GUI_NV_LIST (model)->items->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  GPtrArray *items = WARD_GUI_NV_LIST (model)->items;

  return position < items->len ? g_object_ref (items->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = get_item_type;
  interface->get_n_items = get_n_items;
  interface->get_item = get_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WardGuiNvList, ward_gui_nv_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

static guint loaded_signal;

static void
ward_gui_nv_list_dispose (GObject *object)
{
  WardGuiNvList *self = WARD_GUI_NV_LIST (object);

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (ward_gui_nv_list_parent_class)->dispose (object);
}

static void
ward_gui_nv_list_finalize (GObject *object)
{
  WardGuiNvList *self = WARD_GUI_NV_LIST (object);

  g_clear_object (&self->chip);
  g_ptr_array_unref (self->items);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (ward_gui_nv_list_parent_class)->finalize (object);
}

static void
ward_gui_nv_list_class_init (WardGuiNvListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ward_gui_nv_list_dispose;
  G_OBJECT_CLASS (klass)->finalize = ward_gui_nv_list_finalize;
  loaded_signal = g_signal_new ("loaded", WARD_GUI_TYPE_NV_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                0);
}

static void
ward_gui_nv_list_init (WardGuiNvList *self)
{
  self->items = g_ptr_array_new_with_free_func (g_object_unref);
}

WardGuiNvList *
ward_gui_nv_list_new (WardGuiChip *chip)
{
  WardGuiNvList *self = g_object_new (WARD_GUI_TYPE_NV_LIST, NULL);

  self->chip = g_object_ref (chip);
  return self;
}

static gboolean
is_same (GPtrArray *a, GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!ward_gui_nv_item_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

/* Widgets of what has not changed stay, with the focus. */
static void
take (WardGuiNvList *self, GVariant *indices)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_before = self->items->len;

  for (gsize i = 0; i < g_variant_n_children (indices); i++)
    {
      g_autoptr (GVariant) description = g_variant_get_child_value (indices, i);

      g_ptr_array_add (items, ward_gui_nv_item_new (description));
    }
  if (is_same (items, self->items))
    return;
  g_ptr_array_unref (self->items);
  self->items = g_steal_pointer (&items);
  g_list_model_items_changed (G_LIST_MODEL (self), 0, n_before, self->items->len);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);
  g_autoptr (GVariant) indices = NULL;
  WardGuiNvList *self = user_data;

  /* then the list may be no more, or reads again */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->cancellable);
  g_clear_error (&self->error);
  self->error = g_steal_pointer (&error);
  self->is_loaded = TRUE;
  if (reply != NULL)
    {
      indices = g_variant_get_child_value (reply, 0);
      take (self, indices);
    }
  g_signal_emit (self, loaded_signal, 0);
}

void
ward_gui_nv_list_load (WardGuiNvList *list)
{
  if (list->cancellable != NULL)
    g_cancellable_cancel (list->cancellable);
  g_clear_object (&list->cancellable);
  list->cancellable = g_cancellable_new ();
  ward_client_call_async (ward_gui_chip_get_nv (list->chip), "List", NULL, NULL, WARD_CLIENT_CALL_NONE,
                          list->cancellable, on_listed, list);
}

gboolean
ward_gui_nv_list_is_loaded (WardGuiNvList *list)
{
  return list->is_loaded;
}

const GError *
ward_gui_nv_list_get_error (WardGuiNvList *list)
{
  return list->error;
}

WardGuiChip *
ward_gui_nv_list_get_chip (WardGuiNvList *list)
{
  return list->chip;
}

WardGuiNvItem *
ward_gui_nv_list_find (WardGuiNvList *list, guint32 index)
{
  for (guint i = 0; i < list->items->len; i++)
    if (ward_gui_nv_item_get_index (list->items->pdata[i]) == index)
      return list->items->pdata[i];
  return NULL;
}
