/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-storage-page.h"

#include <glib/gi18n.h>

#include "ward-gui-handles-group.h"
#include "ward-gui-nv-define-dialog.h"
#include "ward-gui-nv-dialog.h"
#include "ward-gui-room-group.h"

struct _WardGuiStoragePage
{
  WardGuiPage parent;

  GtkWidget *error_group, *define_button;
  AdwActionRow *error_row;
  WardGuiRoomGroup *room_group;
  GtkListBox *nv_box;
  GtkLabel *nv_placeholder;
  WardGuiHandlesGroup *handles_group;

  WardGuiNvList *list;       /* NULL without a chip */
  guint32 max_size;          /* of an NV index, in bytes; 0 if it is not known */
  GCancellable *cancellable; /* of the properties' reading under way, or NULL */
};

G_DEFINE_FINAL_TYPE (WardGuiStoragePage, ward_gui_storage_page, WARD_GUI_TYPE_PAGE)

static GtkWidget *
make_nv_row (gpointer item, gpointer user_data)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *arrow = gtk_image_new_from_icon_name ("go-next-symbolic");
  g_autofree char *title = ward_gui_nv_item_dup_title (item);
  g_autofree char *summary = ward_gui_nv_item_dup_summary (item);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), summary);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  gtk_accessible_update_state (GTK_ACCESSIBLE (arrow), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), arrow);
  return row;
}

static void
on_nv_activated (WardGuiStoragePage *self, GtkListBoxRow *row)
{
  g_autoptr (WardGuiNvItem) item = g_list_model_get_item (G_LIST_MODEL (self->list),
                                                          (guint)gtk_list_box_row_get_index (row));

  if (item != NULL)
    ward_gui_nv_dialog_present (GTK_WIDGET (self), self->list, item);
}

static void
on_define_clicked (WardGuiStoragePage *self)
{
  ward_gui_nv_define_dialog_present (GTK_WIDGET (self), self->list, self->max_size);
}

static void
show_error (WardGuiStoragePage *self, const GError *error)
{
  if (error != NULL)
    {
      g_autofree char *text = g_markup_escape_text (error->message, -1);

      adw_action_row_set_subtitle (self->error_row, text);
    }
  gtk_widget_set_visible (self->error_group, error != NULL);
}

static void
on_properties (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiStoragePage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);
  g_autoptr (GVariant) properties = NULL;

  /* the page is another chip's now, or reads again */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->cancellable);
  /* where this fails, so does the list, which says why */
  if (reply == NULL)
    return;
  properties = g_variant_get_child_value (reply, 0);
  g_variant_lookup (properties, "TPM_PT_NV_INDEX_MAX", "u", &self->max_size);
  ward_gui_room_group_set_properties (self->room_group, properties);
}

static void
cancel (WardGuiStoragePage *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static void
load_properties (WardGuiStoragePage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));

  cancel (self);
  if (chip == NULL)
    return;
  self->cancellable = g_cancellable_new ();
  ward_client_call_async (ward_gui_chip_get_tpm (chip), "GetProperties", NULL, NULL, WARD_CLIENT_CALL_NONE,
                          self->cancellable, on_properties, g_object_ref (self));
}

/* Also after a dialog has changed something: then there is more room, or less.
 */
static void
on_list_loaded (WardGuiStoragePage *self)
{
  const GError *error = ward_gui_nv_list_get_error (self->list);

  show_error (self, error);
  gtk_label_set_label (self->nv_placeholder, error == NULL ? _ ("Nobody keeps data in this TPM.") : "");
  gtk_widget_set_sensitive (self->define_button, error == NULL);
  load_properties (self);
}

static void
ward_gui_storage_page_load (WardGuiPage *page, gboolean is_refresh)
{
  ward_gui_nv_list_load (WARD_GUI_STORAGE_PAGE (page)->list);
}

/* A TPM 1.2 keeps no keys in itself, and does not tell how much it has room for. */
static void
show_family (WardGuiStoragePage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));
  gboolean is_tpm12 = chip != NULL && ward_gui_chip_is_tpm12 (chip);

  gtk_widget_set_visible (GTK_WIDGET (self->room_group), !is_tpm12);
  gtk_widget_set_visible (GTK_WIDGET (self->handles_group), !is_tpm12);
}

static void
ward_gui_storage_page_reset (WardGuiPage *page)
{
  WardGuiStoragePage *self = WARD_GUI_STORAGE_PAGE (page);
  WardGuiChip *chip = ward_gui_page_get_chip (page);

  cancel (self);
  show_error (self, NULL);
  if (self->list != NULL)
    g_signal_handlers_disconnect_by_data (self->list, self);
  g_clear_object (&self->list);
  if (chip != NULL)
    {
      self->list = ward_gui_nv_list_new (chip);
      g_signal_connect_object (self->list, "loaded", G_CALLBACK (on_list_loaded), self, G_CONNECT_SWAPPED);
    }
  gtk_list_box_bind_model (self->nv_box, self->list != NULL ? G_LIST_MODEL (self->list) : NULL, make_nv_row, NULL,
                           NULL);
  gtk_label_set_label (self->nv_placeholder, _ ("Reading…"));
  gtk_widget_set_sensitive (self->define_button, FALSE);
  self->max_size = 0;
  ward_gui_room_group_set_properties (self->room_group, NULL);
  ward_gui_handles_group_set_chip (self->handles_group, chip);
  show_family (self);
}

static void
ward_gui_storage_page_dispose (GObject *object)
{
  WardGuiStoragePage *self = WARD_GUI_STORAGE_PAGE (object);

  cancel (self);
  g_clear_object (&self->list);
  G_OBJECT_CLASS (ward_gui_storage_page_parent_class)->dispose (object);
}

static void
ward_gui_storage_page_class_init (WardGuiStoragePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_storage_page_dispose;
  WARD_GUI_PAGE_CLASS (klass)->reset = ward_gui_storage_page_reset;
  WARD_GUI_PAGE_CLASS (klass)->load = ward_gui_storage_page_load;

  g_type_ensure (WARD_GUI_TYPE_HANDLES_GROUP);
  g_type_ensure (WARD_GUI_TYPE_ROOM_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-storage-page.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiStoragePage, error_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStoragePage, error_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStoragePage, room_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStoragePage, define_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStoragePage, nv_box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStoragePage, nv_placeholder);
  gtk_widget_class_bind_template_child (widget_class, WardGuiStoragePage, handles_group);
  gtk_widget_class_bind_template_callback (widget_class, on_define_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_nv_activated);
  gtk_widget_class_bind_template_callback (widget_class, load_properties);
}

static void
ward_gui_storage_page_init (WardGuiStoragePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
