/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-handles-group.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-handle-item.h"
#include "ward-gui-notice.h"

struct _WardGuiHandlesGroup
{
  AdwPreferencesGroup parent;

  GtkButton *show_button;
  AdwActionRow *state_row;
  GPtrArray *rows; /* AdwExpanderRow */

  WardGuiChip *chip;
};

/* What the person is asked of, or what is being evicted. */
typedef struct
{
  WardGuiHandlesGroup *group;
  WardGuiChip *chip;
  WardGuiHandleItem *item;
} Eviction;

G_DEFINE_FINAL_TYPE (WardGuiHandlesGroup, ward_gui_handles_group, ADW_TYPE_PREFERENCES_GROUP)

static guint changed_signal;

static void
remove_row (WardGuiHandlesGroup *self, GtkWidget *row)
{
  adw_preferences_group_remove (ADW_PREFERENCES_GROUP (self), row);
  g_ptr_array_remove (self->rows, row);
}

static void
remove_rows (WardGuiHandlesGroup *self)
{
  while (self->rows->len > 0)
    remove_row (self, self->rows->pdata[self->rows->len - 1]);
}

static void
show_state (WardGuiHandlesGroup *self, const char *title, const char *subtitle)
{
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->state_row), title);
  adw_action_row_set_subtitle (self->state_row, subtitle);
  gtk_widget_set_visible (GTK_WIDGET (self->state_row), TRUE);
}

static void
show_unknown (WardGuiHandlesGroup *self)
{
  remove_rows (self);
  gtk_button_set_label (self->show_button, _ ("_Show…"));
  show_state (self, _ ("Not Shown Yet"), _ ("Only an administrator may see them, as they belong to all users."));
}

static void
show_number (WardGuiHandlesGroup *self)
{
  if (self->rows->len == 0)
    show_state (self, _ ("None"), _ ("No key lies in this TPM itself."));
  else
    gtk_widget_set_visible (GTK_WIDGET (self->state_row), FALSE);
}

/* The row of the item, or NULL. */
static GtkWidget *
find_row (WardGuiHandlesGroup *self, WardGuiHandleItem *item)
{
  for (guint i = 0; i < self->rows->len; i++)
    if (g_object_get_data (self->rows->pdata[i], "item") == item)
      return self->rows->pdata[i];
  return NULL;
}

static void
eviction_free (Eviction *eviction)
{
  g_object_unref (eviction->group);
  g_object_unref (eviction->chip);
  g_object_unref (eviction->item);
  g_free (eviction);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Eviction, eviction_free)

static void
on_evicted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Eviction) eviction = user_data;
  WardGuiHandlesGroup *self = eviction->group;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  GtkWidget *row = find_row (self, eviction->item);

  if (reply == NULL)
    {
      ward_gui_notice_error (GTK_WIDGET (self), _ ("The Key Was Not Evicted"), error);
      return;
    }
  ward_gui_notice_toast (GTK_WIDGET (self), _ ("The key was evicted"));
  if (row != NULL)
    {
      remove_row (self, row);
      show_number (self);
    }
  g_signal_emit (self, changed_signal, 0);
}

static void
on_evict_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Eviction) eviction = user_data;
  WardGuiHandlesGroup *self = eviction->group;
  WardGuiChip *chip = eviction->chip;
  g_autoptr (WardGuiCall) call = NULL;
  const WardGuiAuth auth = {
    .option = "owner-auth",
    .title = _ ("The Owner’s Password"),
    .body = _ ("The TPM’s memory is the owner’s, and the owner has a password."),
    .by_owner = TRUE,
  };

  if (!ward_gui_notice_ask_finish (result))
    return;
  call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_system_keys (chip), "Evict",
                            g_variant_new ("(u)", ward_gui_handle_item_get_handle (eviction->item)), _ ("Evicting…"));
  ward_gui_call_set_has_options (call);
  ward_gui_auth_call_async (call, chip, &auth, on_evicted, g_steal_pointer (&eviction));
}

static void
on_evict_clicked (GtkWidget *button, WardGuiHandlesGroup *self)
{
  GtkWidget *row = gtk_widget_get_ancestor (button, ADW_TYPE_EXPANDER_ROW);
  WardGuiHandleItem *item = g_object_get_data (G_OBJECT (row), "item");
  g_autofree char *title = g_strdup_printf (_ ("Evict 0x%08x?"), ward_gui_handle_item_get_handle (item));
  g_autofree char *loss = ward_gui_handle_item_dup_loss (item);
  Eviction *eviction = g_new0 (Eviction, 1);

  eviction->group = g_object_ref (self);
  eviction->chip = g_object_ref (self->chip);
  eviction->item = g_object_ref (item);
  ward_gui_notice_ask_async (GTK_WIDGET (self), title, loss, _ ("_Evict"), TRUE, on_evict_answered, eviction);
}

static GtkWidget *
new_fact (const char *title, const char *text)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  return row;
}

static GtkWidget *
new_evict_row (WardGuiHandlesGroup *self, WardGuiHandleItem *item)
{
  const char *why_kept = ward_gui_handle_item_why_kept (item);
  GtkWidget *row = new_fact (_ ("Evict from the TPM"),
                             why_kept != NULL ? why_kept : _ ("Takes it out of the TPM’s memory."));
  GtkWidget *button = gtk_button_new_with_mnemonic (_ ("_Evict…"));

  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "destructive-action");
  gtk_widget_set_visible (button, why_kept == NULL);
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_evict_clicked), self, 0);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  return row;
}

static void
add_item (WardGuiHandlesGroup *self, WardGuiHandleItem *item)
{
  AdwExpanderRow *row = ADW_EXPANDER_ROW (adw_expander_row_new ());
  g_autofree char *title = ward_gui_handle_item_dup_title (item);
  g_autofree char *summary = ward_gui_handle_item_dup_summary (item);
  g_autofree char *maker = ward_gui_handle_item_dup_maker (item);
  g_autofree char *attributes = ward_gui_handle_item_dup_attributes (item);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_expander_row_set_subtitle (row, summary);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  g_object_set_data_full (G_OBJECT (row), "item", g_object_ref (item), g_object_unref);
  adw_expander_row_add_row (row, new_fact (_ ("Who Made It"), maker));
  adw_expander_row_add_row (row, new_fact (_ ("What It Does"), ward_gui_handle_item_get_use (item)));
  adw_expander_row_add_row (row, new_fact (_ ("Attributes"), attributes));
  adw_expander_row_add_row (row, new_fact (_ ("Name"), ward_gui_handle_item_get_name (item)));
  adw_expander_row_add_row (row, new_evict_row (self, item));
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), GTK_WIDGET (row));
  g_ptr_array_add (self->rows, row);
}

static void
make_items (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GVariant) objects = g_variant_get_child_value (data, 0);

  for (gsize i = 0; i < g_variant_n_children (objects); i++)
    {
      g_autoptr (GVariant) description = g_variant_get_child_value (objects, i);

      g_ptr_array_add (items, ward_gui_handle_item_new (description));
    }
  g_task_return_pointer (task, g_steal_pointer (&items), (GDestroyNotify)g_ptr_array_unref);
}

static void
on_items_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardGuiHandlesGroup *self = WARD_GUI_HANDLES_GROUP (source);
  g_autoptr (GPtrArray) items = g_task_propagate_pointer (G_TASK (result), NULL);

  gtk_widget_set_sensitive (GTK_WIDGET (self->show_button), TRUE);
  if (g_task_get_source_tag (G_TASK (result)) != self->chip || items == NULL)
    return;
  remove_rows (self);
  gtk_button_set_label (self->show_button, _ ("_Read Again"));
  for (guint i = 0; i < items->len; i++)
    add_item (self, items->pdata[i]);
  show_number (self);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiHandlesGroup) self = user_data;
  WardGuiCall *call = WARD_GUI_CALL (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (call, result, &error);
  g_autoptr (GTask) task = NULL;

  if (self->chip == NULL || ward_gui_call_get_proxy (call) != ward_gui_chip_get_system_keys (self->chip))
    return;
  if (reply == NULL)
    {
      gtk_widget_set_sensitive (GTK_WIDGET (self->show_button), TRUE);
      ward_gui_notice_error (GTK_WIDGET (self), _ ("The Persistent Handles Were Not Read"), error);
      return;
    }
  task = g_task_new (self, NULL, on_items_made, NULL);
  g_task_set_source_tag (task, self->chip);
  g_task_set_task_data (task, g_steal_pointer (&reply), (GDestroyNotify)g_variant_unref);
  g_task_run_in_thread (task, make_items);
}

static void
on_show_clicked (WardGuiHandlesGroup *self)
{
  g_autoptr (WardGuiCall) call = NULL;

  if (self->chip == NULL)
    return;
  gtk_widget_set_sensitive (GTK_WIDGET (self->show_button), FALSE);
  call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_system_keys (self->chip), "ListPersistent", NULL,
                            _ ("Reading the persistent handles…"));
  ward_gui_call_start_async (call, on_listed, g_object_ref (self));
}

static void
ward_gui_handles_group_dispose (GObject *object)
{
  WardGuiHandlesGroup *self = WARD_GUI_HANDLES_GROUP (object);

  g_clear_object (&self->chip);
  G_OBJECT_CLASS (ward_gui_handles_group_parent_class)->dispose (object);
}

static void
ward_gui_handles_group_finalize (GObject *object)
{
  g_ptr_array_unref (WARD_GUI_HANDLES_GROUP (object)->rows);
  G_OBJECT_CLASS (ward_gui_handles_group_parent_class)->finalize (object);
}

static void
ward_gui_handles_group_class_init (WardGuiHandlesGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_handles_group_dispose;
  G_OBJECT_CLASS (klass)->finalize = ward_gui_handles_group_finalize;

  changed_signal = g_signal_new ("changed", WARD_GUI_TYPE_HANDLES_GROUP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-handles-group.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiHandlesGroup, show_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiHandlesGroup, state_row);
  gtk_widget_class_bind_template_callback (widget_class, on_show_clicked);
}

static void
ward_gui_handles_group_init (WardGuiHandlesGroup *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  show_unknown (self);
}

void
ward_gui_handles_group_set_chip (WardGuiHandlesGroup *group, WardGuiChip *chip)
{
  if (!g_set_object (&group->chip, chip))
    return;
  gtk_widget_set_sensitive (GTK_WIDGET (group->show_button), TRUE);
  show_unknown (group);
}
