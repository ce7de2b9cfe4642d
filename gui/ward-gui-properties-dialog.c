/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-properties-dialog.h"

#include <glib/gi18n.h>

#include "ward-client-tpm-properties.h"
#include "ward-gui-notice.h"

struct _WardGuiPropertiesDialog
{
  WardGuiDialog parent;

  GtkListBox *box;
  GtkLabel *placeholder;
  GtkWidget *copy_button;

  GVariant *properties; /* NULL until they are read */
};

G_DEFINE_FINAL_TYPE (WardGuiPropertiesDialog, ward_gui_properties_dialog, WARD_GUI_TYPE_DIALOG)

static GtkWidget *
new_row (const char *name, const char *hex, const char *text)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *label = gtk_label_new (hex);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), name);
  adw_preferences_row_set_title_selectable (ADW_PREFERENCES_ROW (row), TRUE);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 0);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_widget_add_css_class (label, "monospace");
  gtk_widget_add_css_class (label, "dim-label");
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  return row;
}

static void
show_properties (WardGuiPropertiesDialog *self)
{
  g_autoptr (GPtrArray) names = ward_client_tpm_properties_sort (self->properties);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *hex = NULL;
      g_autofree char *text = NULL;

      ward_client_tpm_properties_format (self->properties, names->pdata[i], &hex, &text);
      gtk_list_box_append (self->box, new_row (names->pdata[i], hex, text));
    }
  gtk_widget_set_sensitive (self->copy_button, names->len > 0);
}

/* One on a line, for a spreadsheet or a mail. */
static void
on_copy_clicked (WardGuiPropertiesDialog *self)
{
  g_autoptr (GPtrArray) names = ward_client_tpm_properties_sort (self->properties);
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *hex = NULL;
      g_autofree char *text = NULL;

      ward_client_tpm_properties_format (self->properties, names->pdata[i], &hex, &text);
      g_string_append_printf (lines, "%s\t%s\t%s\n", (const char *)names->pdata[i], hex, text);
    }
  ward_gui_notice_copy (GTK_WIDGET (self), lines->str, _ ("Properties copied"));
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiPropertiesDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);

  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
  gtk_label_set_label (self->placeholder, _ ("There are none to show."));
  if (reply == NULL)
    return;
  self->properties = g_variant_get_child_value (reply, 0);
  show_properties (self);
}

static void
ward_gui_properties_dialog_finalize (GObject *object)
{
  g_clear_pointer (&WARD_GUI_PROPERTIES_DIALOG (object)->properties, g_variant_unref);
  G_OBJECT_CLASS (ward_gui_properties_dialog_parent_class)->finalize (object);
}

static void
ward_gui_properties_dialog_class_init (WardGuiPropertiesDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ward_gui_properties_dialog_finalize;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-properties-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiPropertiesDialog, box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPropertiesDialog, placeholder);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPropertiesDialog, copy_button);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_clicked);
}

static void
ward_gui_properties_dialog_init (WardGuiPropertiesDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_properties_dialog_present (GtkWidget *widget, WardGuiChip *chip)
{
  WardGuiPropertiesDialog *self = g_object_new (WARD_GUI_TYPE_PROPERTIES_DIALOG, NULL);

  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
  ward_client_call_async (ward_gui_chip_get_tpm (chip), "GetProperties", NULL, NULL, WARD_CLIENT_CALL_NONE, NULL,
                          on_read, g_object_ref (self));
}
