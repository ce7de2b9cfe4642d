/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-file.h"
#include "ward-gui-notice.h"
#include "ward-gui-nv-access.h"
#include "ward-gui-nv-attributes.h"
#include "ward-gui-nv-data-dialog.h"
#include "ward-gui-nv-undefine-dialog.h"
#include "ward-gui-text.h"

struct _WardGuiNvDialog
{
  WardGuiDialog parent;

  AdwActionRow *purpose_row, *size_row, *read_rights_row, *write_rights_row, *read_row, *write_row, *undefine_row;
  AdwExpanderRow *attributes_row;
  AdwComboRow *access_row;
  GPtrArray *attribute_rows; /* GtkWidget */
  GArray *accesses;          /* WardGuiNvAccess, by the position in access_row */

  WardGuiNvList *list;
  WardGuiNvItem *item;
  WardSecret *data; /* read from a file, while the person is asked whether to write it */
};

G_DEFINE_FINAL_TYPE (WardGuiNvDialog, ward_gui_nv_dialog, WARD_GUI_TYPE_DIALOG)

static WardGuiNvAccess
get_access (WardGuiNvDialog *self)
{
  guint selected = adw_combo_row_get_selected (self->access_row);

  return selected < self->accesses->len ? g_array_index (self->accesses, WardGuiNvAccess, selected)
                                        : WARD_GUI_NV_BY_ITSELF;
}

static void
follow_access (WardGuiNvDialog *self)
{
  const char *text = NULL;

  switch (get_access (self))
    {
    case WARD_GUI_NV_BY_OWNER:
      text = _ ("It is asked for if the TPM has an owner with a password.");
      break;
    case WARD_GUI_NV_BY_NOTHING:
      text = _ ("If it has one all the same, the TPM counts this as a wrong try.");
      break;
    case WARD_GUI_NV_BY_ITSELF:
    default:
      text = _ ("It is asked for if it is needed.");
    }
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->access_row), text);
}

static void
show_access (WardGuiNvDialog *self)
{
  g_autoptr (GtkStringList) titles = NULL;

  g_array_set_size (self->accesses, 0);
  titles = ward_gui_nv_access_list (self->item, self->accesses);
  adw_combo_row_set_model (self->access_row, G_LIST_MODEL (titles));
  gtk_widget_set_visible (GTK_WIDGET (self->access_row), self->accesses->len > 1);
  follow_access (self);
}

static void
show_attributes (WardGuiNvDialog *self)
{
  const char *const *names = ward_gui_nv_item_get_attributes (self->item);

  for (guint i = 0; i < self->attribute_rows->len; i++)
    adw_expander_row_remove (self->attributes_row, self->attribute_rows->pdata[i]);
  g_ptr_array_set_size (self->attribute_rows, 0);
  for (guint i = 0; names[i] != NULL; i++)
    {
      GtkWidget *row = adw_action_row_new ();

      adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), ward_gui_nv_attribute_describe (names[i]));
      adw_action_row_set_subtitle (ADW_ACTION_ROW (row), names[i]);
      gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
      adw_expander_row_add_row (self->attributes_row, row);
      g_ptr_array_add (self->attribute_rows, row);
    }
}

static void
set_possible (AdwActionRow *row, const char *why_not, const char *subtitle)
{
  gtk_widget_set_sensitive (GTK_WIDGET (row), why_not == NULL);
  adw_action_row_set_subtitle (row, why_not != NULL ? why_not : subtitle);
}

static void
show_actions (WardGuiNvDialog *self)
{
  set_possible (self->read_row, ward_gui_nv_item_why_not (self->item, WARD_GUI_NV_READ),
                _ ("Shows what it holds, to look at or to save."));
  set_possible (self->write_row, ward_gui_nv_item_why_not (self->item, WARD_GUI_NV_WRITE),
                ward_gui_nv_item_is_written (self->item) ? _ ("What it holds now is overwritten.")
                                                         : _ ("It holds nothing yet."));
  set_possible (self->undefine_row, ward_gui_nv_item_why_kept (self->item),
                _ ("Takes the index out of the TPM, with what it holds."));
}

static void
set_item (WardGuiNvDialog *self, WardGuiNvItem *item)
{
  g_autofree char *purpose = ward_gui_text_capitalize (ward_gui_nv_item_get_purpose (item));
  guint32 size = ward_gui_nv_item_get_size (item);
  g_autofree char *number = ward_gui_nv_item_dup_number (item);
  g_autofree char *title = g_strdup_printf (_ ("NV Index %s"), number);
  g_autofree char *size_text = g_strdup_printf (ngettext ("%u byte", "%u bytes", size), size);
  g_autofree char *readers = ward_gui_nv_item_dup_rights (item, WARD_GUI_NV_READ);
  g_autofree char *writers = ward_gui_nv_item_dup_rights (item, WARD_GUI_NV_WRITE);

  g_set_object (&self->item, item);
  gtk_window_set_title (GTK_WINDOW (self), title);
  adw_action_row_set_subtitle (
      self->purpose_row, *purpose != '\0' ? purpose : _ ("Data of a program. The TPM does not tell of which one."));
  adw_action_row_set_subtitle (self->size_row, size_text);
  adw_action_row_set_subtitle (self->read_rights_row, readers);
  adw_action_row_set_subtitle (self->write_rights_row, writers);
  show_attributes (self);
  show_access (self);
  show_actions (self);
}

static void
close_as_gone (WardGuiNvDialog *self)
{
  GtkWindow *parent = gtk_window_get_transient_for (GTK_WINDOW (self));

  if (parent != NULL)
    ward_gui_notice_toast (GTK_WIDGET (parent), _ ("The NV index is no more"));
  gtk_window_close (GTK_WINDOW (self));
}

/* What was shown may have been changed, by us or by another program. */
static void
on_list_loaded (WardGuiNvDialog *self)
{
  WardGuiNvItem *item = ward_gui_nv_list_find (self->list, ward_gui_nv_item_get_index (self->item));

  if (ward_gui_nv_list_get_error (self->list) != NULL)
    return;
  if (item == NULL)
    close_as_gone (self);
  else if (!ward_gui_nv_item_equal (item, self->item))
    set_item (self, item);
}

static WardGuiChip *
get_chip (WardGuiNvDialog *self)
{
  return ward_gui_nv_list_get_chip (self->list);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDialog) self = user_data;
  WardGuiCall *call = WARD_GUI_CALL (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (call, result, &error);

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  /* who has closed it meanwhile does not want to see that any more */
  if (reply != NULL && gtk_widget_get_mapped (GTK_WIDGET (self)))
    ward_gui_nv_data_dialog_present (GTK_WIDGET (self), self->item, ward_gui_call_get_output (call));
  else if (error != NULL)
    ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
}

static void
on_read_activated (WardGuiNvDialog *self)
{
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_nv (get_chip (self)), "Read",
                                                    g_variant_new ("(u)", ward_gui_nv_item_get_index (self->item)),
                                                    _ ("Reading…"));

  ward_gui_call_set_takes_output (call);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), NULL);
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), TRUE);
  ward_gui_nv_access_call_async (call, get_chip (self), self->item, WARD_GUI_NV_READ, get_access (self), on_read,
                                 g_object_ref (self));
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
  else
    ward_gui_notice_toast (GTK_WIDGET (self), _ ("The file was written to the NV index"));
  /* a part may have been written also when it failed */
  ward_gui_nv_list_load (self->list);
}

static void
write_data (WardGuiNvDialog *self)
{
  g_autoptr (WardSecret) data = g_steal_pointer (&self->data);
  GVariant *none = g_variant_new_array (G_VARIANT_TYPE_BYTE, NULL, 0);
  g_autoptr (WardGuiCall) call = ward_gui_call_new (
      GTK_WIDGET (self), ward_gui_chip_get_nv (get_chip (self)), "Write",
      g_variant_new ("(u@ay)", ward_gui_nv_item_get_index (self->item), none), _ ("Writing…"));

  ward_gui_call_set_secret (call, "data", data);
  /* the person has read what the number is reserved for */
  if (*ward_gui_nv_item_get_purpose (self->item) != '\0')
    ward_gui_call_set_option (call, "force", g_variant_new_boolean (TRUE));
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), TRUE);
  ward_gui_nv_access_call_async (call, get_chip (self), self->item, WARD_GUI_NV_WRITE, get_access (self), on_written,
                                 g_object_ref (self));
}

static void
on_overwrite_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDialog) self = user_data;

  if (ward_gui_notice_ask_finish (result))
    write_data (self);
  else
    g_clear_pointer (&self->data, ward_secret_unref);
}

static void
ask_to_overwrite (WardGuiNvDialog *self)
{
  const char *purpose = ward_gui_nv_item_get_purpose (self->item);
  g_autofree char *body = NULL;

  if (*purpose != '\0')
    body = g_strdup_printf (_ ("By convention it is %s. Programs that need it cannot work with something else, and "
                               "nothing brings it back."),
                            purpose);
  else
    body = g_strdup (_ ("What it holds now is lost. If a program needs it, that program stops working."));
  ward_gui_notice_ask_async (GTK_WIDGET (self), _ ("Overwrite the NV Index?"), body, _ ("_Overwrite"), TRUE,
                             on_overwrite_answered, g_object_ref (self));
}

static gboolean
check_size (WardGuiNvDialog *self, WardSecret *data, GError **error)
{
  gsize size = ward_secret_get_size (data);
  guint32 room = ward_gui_nv_item_get_size (self->item);

  if (size == 0)
    g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT,
                 _ ("The file is empty, and there is nothing to write."));
  else if (size > room)
    g_set_error (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_INVALID_ARGUMENT,
                 _ ("The file is larger than the NV index, which takes %u bytes. Choose a smaller one."), room);
  else
    return TRUE;
  return FALSE;
}

static void
on_file_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (WardSecret) data = ward_gui_file_read_finish (result, &error);

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (data == NULL || !check_size (self, data, &error))
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  g_clear_pointer (&self->data, ward_secret_unref);
  self->data = g_steal_pointer (&data);
  if (ward_gui_nv_item_is_written (self->item) || *ward_gui_nv_item_get_purpose (self->item) != '\0')
    ask_to_overwrite (self);
  else
    write_data (self);
}

void
ward_gui_nv_dialog_write (WardGuiNvDialog *dialog, GFile *file)
{
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (dialog), NULL);
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (dialog), TRUE);
  /* no index is larger */
  ward_gui_file_read_async (file, G_MAXUINT16, NULL, on_file_read, g_object_ref (dialog));
}

static void
on_file_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, &error);

  if (file != NULL)
    ward_gui_nv_dialog_write (self, file);
  else
    ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
}

static void
on_write_activated (WardGuiNvDialog *self)
{
  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("Choose a File to Write"), NULL,
                              on_file_chosen, g_object_ref (self));
}

static void
on_undefine_activated (WardGuiNvDialog *self)
{
  ward_gui_nv_undefine_dialog_present (GTK_WIDGET (self), self->list, self->item);
}

static void
ward_gui_nv_dialog_finalize (GObject *object)
{
  WardGuiNvDialog *self = WARD_GUI_NV_DIALOG (object);

  g_clear_object (&self->item);
  g_clear_object (&self->list);
  g_clear_pointer (&self->data, ward_secret_unref);
  g_ptr_array_unref (self->attribute_rows);
  g_array_unref (self->accesses);
  G_OBJECT_CLASS (ward_gui_nv_dialog_parent_class)->finalize (object);
}

static void
ward_gui_nv_dialog_class_init (WardGuiNvDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ward_gui_nv_dialog_finalize;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-nv-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, purpose_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, size_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, read_rights_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, write_rights_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, attributes_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, access_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, read_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, write_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDialog, undefine_row);
  gtk_widget_class_bind_template_callback (widget_class, follow_access);
  gtk_widget_class_bind_template_callback (widget_class, on_read_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_write_activated);
  gtk_widget_class_bind_template_callback (widget_class, on_undefine_activated);
}

static void
ward_gui_nv_dialog_init (WardGuiNvDialog *self)
{
  self->attribute_rows = g_ptr_array_new ();
  self->accesses = g_array_new (FALSE, FALSE, sizeof (WardGuiNvAccess));
  gtk_widget_init_template (GTK_WIDGET (self));
}

WardGuiNvDialog *
ward_gui_nv_dialog_present (GtkWidget *widget, WardGuiNvList *list, WardGuiNvItem *item)
{
  WardGuiNvDialog *self = g_object_new (WARD_GUI_TYPE_NV_DIALOG, NULL);

  self->list = g_object_ref (list);
  set_item (self, item);
  g_signal_connect_object (list, "loaded", G_CALLBACK (on_list_loaded), self, G_CONNECT_SWAPPED);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
  return self;
}
