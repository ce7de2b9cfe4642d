/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-data-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-file.h"
#include "ward-gui-notice.h"

/* In a line, so that it fits into a narrow window. */
#define LINE_BYTES 8u

struct _WardGuiNvDataDialog
{
  WardGuiDialog parent;

  GtkLabel *summary_label;
  GtkTextView *view;

  WardGuiNvItem *item;
  WardSecret *data;
};

G_DEFINE_FINAL_TYPE (WardGuiNvDataDialog, ward_gui_nv_data_dialog, WARD_GUI_TYPE_DIALOG)

/* “0008  68 65 6c 6c 6f           hello”: what is no character of ASCII's is a dot. */
static void
append_line (GString *text, const guint8 *bytes, gsize offset, gsize size)
{
  gsize n = MIN (size - offset, LINE_BYTES);

  g_string_append_printf (text, "%s%04" G_GSIZE_MODIFIER "x ", offset > 0 ? "\n" : "", offset);
  for (gsize i = 0; i < LINE_BYTES; i++)
    if (i < n)
      g_string_append_printf (text, " %02x", bytes[offset + i]);
    else
      g_string_append (text, "   ");
  g_string_append (text, "  ");
  for (gsize i = 0; i < n; i++)
    g_string_append_c (text, g_ascii_isprint (bytes[offset + i]) ? (char)bytes[offset + i] : '.');
}

static void
show_data (WardGuiNvDataDialog *self)
{
  gsize size = ward_secret_get_size (self->data);
  const guint8 *bytes = ward_secret_get_data (self->data);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *summary = g_strdup_printf (ngettext ("It holds %lu byte.", "It holds %lu bytes.", size),
                                              (gulong)size);

  for (gsize offset = 0; offset < size; offset += LINE_BYTES)
    append_line (text, bytes, offset, size);
  gtk_label_set_label (self->summary_label, summary);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->view), text->str, (int)text->len);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDataDialog) self = user_data;
  g_autoptr (GError) error = NULL;

  if (ward_gui_file_write_finish (result, &error))
    ward_gui_notice_toast (GTK_WIDGET (self), _ ("The data was saved"));
  else
    ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
}

void
ward_gui_nv_data_dialog_save (WardGuiNvDataDialog *dialog, GFile *file)
{
  WardSecret *data = dialog->data;
  g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (ward_secret_get_data (data), ward_secret_get_size (data),
                                                         (GDestroyNotify)ward_secret_unref, ward_secret_ref (data));

  ward_gui_dialog_set_error (WARD_GUI_DIALOG (dialog), NULL);
  ward_gui_file_write_async (file, bytes, TRUE, NULL, on_written, g_object_ref (dialog));
}

static void
on_file_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvDataDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = ward_gui_file_choose_finish (result, &error);

  if (file != NULL)
    ward_gui_nv_data_dialog_save (self, file);
  else
    ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
}

static void
on_save_clicked (WardGuiNvDataDialog *self)
{
  g_autofree char *number = ward_gui_nv_item_dup_number (self->item);
  g_autofree char *name = g_strconcat ("nv-", number, ".bin", NULL);

  ward_gui_file_choose_async (GTK_WIDGET (self), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("Save the Data"), name,
                              on_file_chosen, g_object_ref (self));
}

static void
ward_gui_nv_data_dialog_finalize (GObject *object)
{
  WardGuiNvDataDialog *self = WARD_GUI_NV_DATA_DIALOG (object);

  g_clear_object (&self->item);
  g_clear_pointer (&self->data, ward_secret_unref);
  G_OBJECT_CLASS (ward_gui_nv_data_dialog_parent_class)->finalize (object);
}

static void
ward_gui_nv_data_dialog_class_init (WardGuiNvDataDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ward_gui_nv_data_dialog_finalize;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-nv-data-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDataDialog, summary_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvDataDialog, view);
  gtk_widget_class_bind_template_callback (widget_class, on_save_clicked);
}

static void
ward_gui_nv_data_dialog_init (WardGuiNvDataDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_nv_data_dialog_present (GtkWidget *widget, WardGuiNvItem *item, WardSecret *data)
{
  WardGuiNvDataDialog *self = g_object_new (WARD_GUI_TYPE_NV_DATA_DIALOG, NULL);
  g_autofree char *number = ward_gui_nv_item_dup_number (item);
  g_autofree char *title = g_strdup_printf (_ ("Content of NV Index %s"), number);

  self->item = g_object_ref (item);
  self->data = ward_secret_ref (data);
  gtk_window_set_title (GTK_WINDOW (self), title);
  show_data (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
