/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-keys-page.h"

#include <glib/gi18n.h>

#include "ward-gui-key-create-dialog.h"
#include "ward-gui-key-dialog.h"
#include "ward-gui-key-import-dialog.h"
#include "ward-gui-key-row.h"
#include "ward-gui-keys.h"
#include "ward-gui-notice.h"

struct _WardGuiKeysPage
{
  WardGuiPage parent;

  GtkSearchBar *search_bar;
  GtkEditable *search_entry;
  GtkWidget *search_button, *add_button;
  GtkStack *stack;
  GtkSpinner *spinner;
  AdwStatusPage *empty_page, *error_page;
  GtkListView *list;

  WardGuiKeys *keys; /* NULL without a chip */
  GtkFilterListModel *found;
  GtkCustomFilter *filter;
};

G_DEFINE_FINAL_TYPE (WardGuiKeysPage, ward_gui_keys_page, WARD_GUI_TYPE_PAGE)

static gboolean
is_found (gpointer item, gpointer user_data)
{
  const char *words = gtk_editable_get_text (WARD_GUI_KEYS_PAGE (user_data)->search_entry);

  return *words == '\0' || ward_gui_key_matches (item, words);
}

static void
show_error (WardGuiKeysPage *self, const GError *error)
{
  g_autofree char *escaped = g_markup_escape_text (error->message, -1);

  adw_status_page_set_title (self->error_page, ward_gui_notice_headline (error));
  adw_status_page_set_description (self->error_page, escaped);
  gtk_stack_set_visible_child_name (self->stack, "error");
}

/* A TPM 1.2 that has no owner can have no keys. */
static gboolean
lacks_owner (WardGuiKeysPage *self)
{
  WardGuiChip *chip = ward_gui_keys_get_chip (self->keys);

  return ward_gui_chip_is_tpm12 (chip) && !ward_dbus_ownership_get_owned (ward_gui_chip_get_ownership (chip));
}

static void
show_empty (WardGuiKeysPage *self)
{
  /* there is no SSH agent for its keys */
  if (ward_gui_chip_is_tpm12 (ward_gui_keys_get_chip (self->keys)))
    adw_status_page_set_description (self->empty_page,
                                     _ ("A key in the TPM never leaves this computer: nobody can copy it, not even a "
                                        "program that has taken over your account. You sign files with it, or have "
                                        "others encrypt to you."));
  else
    adw_status_page_set_description (self->empty_page,
                                     _ ("A key in the TPM never leaves this computer: nobody can copy it, not even a "
                                        "program that has taken over your account. You log in with it by SSH, sign "
                                        "files or have others encrypt to you."));
  gtk_stack_set_visible_child_name (self->stack, lacks_owner (self) ? "no-owner" : "empty");
}

/* Which of the page's faces is to be seen. */
static void
show (WardGuiKeysPage *self)
{
  const GError *error = self->keys != NULL ? ward_gui_keys_get_error (self->keys) : NULL;
  gboolean is_loading = self->keys == NULL || (error == NULL && !ward_gui_keys_is_loaded (self->keys));

  gtk_spinner_set_spinning (self->spinner, is_loading);
  if (is_loading)
    gtk_stack_set_visible_child_name (self->stack, "loading");
  else if (error != NULL && !ward_gui_keys_is_loaded (self->keys))
    show_error (self, error);
  else if (g_list_model_get_n_items (G_LIST_MODEL (self->keys)) == 0)
    show_empty (self);
  else if (g_list_model_get_n_items (G_LIST_MODEL (self->found)) == 0)
    gtk_stack_set_visible_child_name (self->stack, "nothing-found");
  else
    gtk_stack_set_visible_child_name (self->stack, "list");
}

static void
on_search_changed (WardGuiKeysPage *self)
{
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  show (self);
}

static void
on_activated (WardGuiKeysPage *self, guint position)
{
  g_autoptr (WardGuiKey) key = g_list_model_get_item (G_LIST_MODEL (self->found), position);

  if (key != NULL)
    ward_gui_key_dialog_present (GTK_WIDGET (self), self->keys, key);
}

static void
create (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  WardGuiKeysPage *self = user_data;

  if (self->keys != NULL)
    ward_gui_key_create_dialog_present (GTK_WIDGET (self), self->keys);
}

static void
import (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  WardGuiKeysPage *self = user_data;

  if (self->keys != NULL)
    ward_gui_key_import_dialog_choose (GTK_WIDGET (self), self->keys);
}

/* Also for the menu, which is in the window's header bar. */
static void
add_actions (WardGuiKeysPage *self)
{
  static const GActionEntry entries[] = {
    { .name = "create", .activate = create },
    { .name = "import", .activate = import },
  };
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();

  g_action_map_add_action_entries (G_ACTION_MAP (group), entries, G_N_ELEMENTS (entries), self);
  gtk_widget_insert_action_group (GTK_WIDGET (self), "keys", G_ACTION_GROUP (group));
  gtk_widget_insert_action_group (self->add_button, "keys", G_ACTION_GROUP (group));
}

static gboolean
on_drop (GtkDropTarget *target, const GValue *value, double x, double y, gpointer user_data)
{
  WardGuiKeysPage *self = user_data;

  if (self->keys == NULL || !G_VALUE_HOLDS (value, G_TYPE_FILE))
    return FALSE;
  ward_gui_key_import_dialog_present (GTK_WIDGET (self), self->keys, g_value_get_object (value));
  return TRUE;
}

static void
on_row_setup (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  gtk_list_item_set_child (item, g_object_new (WARD_GUI_TYPE_KEY_ROW, NULL));
}

/* What has the focus is the list's own widget around the row, which GTK 4.8 gives no name. */
static void
on_row_bind (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  GtkWidget *row = gtk_list_item_get_child (item);
  WardGuiKey *key = gtk_list_item_get_item (item);

  g_object_set (row, "key", key, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (gtk_widget_get_parent (row)), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  ward_gui_key_get_label (key), -1);
}

static GtkListItemFactory *
new_factory (void)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();

  g_signal_connect (factory, "setup", G_CALLBACK (on_row_setup), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (on_row_bind), NULL);
  return factory;
}

static void
ward_gui_keys_page_update (WardGuiPage *page)
{
  show (WARD_GUI_KEYS_PAGE (page));
}

static void
ward_gui_keys_page_load (WardGuiPage *page, gboolean is_refresh)
{
  WardGuiKeysPage *self = WARD_GUI_KEYS_PAGE (page);

  ward_gui_keys_load (self->keys);
  show (self);
}

static void
ward_gui_keys_page_reset (WardGuiPage *page)
{
  WardGuiKeysPage *self = WARD_GUI_KEYS_PAGE (page);
  WardGuiChip *chip = ward_gui_page_get_chip (page);

  if (self->keys != NULL)
    g_signal_handlers_disconnect_by_data (self->keys, self);
  gtk_filter_list_model_set_model (self->found, NULL);
  g_clear_object (&self->keys);
  gtk_widget_set_sensitive (self->add_button, chip != NULL);
  if (chip != NULL)
    {
      self->keys = ward_gui_keys_new (chip);
      gtk_filter_list_model_set_model (self->found, G_LIST_MODEL (self->keys));
      g_signal_connect_object (self->keys, "loaded", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (self->keys, "items-changed", G_CALLBACK (show), self,
                               G_CONNECT_SWAPPED | G_CONNECT_AFTER);
    }
  show (self);
}

static void
ward_gui_keys_page_dispose (GObject *object)
{
  WardGuiKeysPage *self = WARD_GUI_KEYS_PAGE (object);

  /* it asks this page what is searched for */
  if (self->filter != NULL)
    gtk_custom_filter_set_filter_func (self->filter, NULL, NULL, NULL);
  g_clear_object (&self->filter);
  g_clear_object (&self->keys);
  G_OBJECT_CLASS (ward_gui_keys_page_parent_class)->dispose (object);
}

static void
ward_gui_keys_page_class_init (WardGuiKeysPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_keys_page_dispose;
  WARD_GUI_PAGE_CLASS (klass)->reset = ward_gui_keys_page_reset;
  WARD_GUI_PAGE_CLASS (klass)->update = ward_gui_keys_page_update;
  WARD_GUI_PAGE_CLASS (klass)->load = ward_gui_keys_page_load;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-keys-page.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, search_bar);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, search_entry);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, search_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, add_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, stack);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, empty_page);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, error_page);
  gtk_widget_class_bind_template_child (widget_class, WardGuiKeysPage, list);
  gtk_widget_class_bind_template_callback (widget_class, on_search_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_activated);
}

static void
ward_gui_keys_page_init (WardGuiKeysPage *self)
{
  GtkDropTarget *drop_target;

  gtk_widget_init_template (GTK_WIDGET (self));
  add_actions (self);
  gtk_search_bar_connect_entry (self->search_bar, self->search_entry);
  self->filter = gtk_custom_filter_new (is_found, self, NULL);
  self->found = gtk_filter_list_model_new (NULL, g_object_ref (GTK_FILTER (self->filter)));
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (gtk_no_selection_new (G_LIST_MODEL (self->found))));
  gtk_list_view_set_factory (self->list, new_factory ());

  drop_target = gtk_drop_target_new (G_TYPE_FILE, GDK_ACTION_COPY);
  g_signal_connect (drop_target, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop_target));
}
