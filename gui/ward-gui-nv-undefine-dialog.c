/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-nv-undefine-dialog.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-nv-access.h"

struct _WardGuiNvUndefineDialog
{
  WardGuiDialog parent;

  GtkLabel *loss_label, *purpose_label;
  GtkWidget *number_group;
  AdwPreferencesRow *number_row;

  WardGuiNvList *list;
  WardGuiNvItem *item;
};

G_DEFINE_FINAL_TYPE (WardGuiNvUndefineDialog, ward_gui_nv_undefine_dialog, WARD_GUI_TYPE_DIALOG)

static gboolean
is_reserved (WardGuiNvUndefineDialog *self)
{
  return *ward_gui_nv_item_get_purpose (self->item) != '\0';
}

static void
follow_number (WardGuiNvUndefineDialog *self)
{
  g_autofree char *number = ward_gui_nv_item_dup_number (self->item);
  const char *typed = gtk_editable_get_text (GTK_EDITABLE (self->number_row));

  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self),
                                 !is_reserved (self) || g_ascii_strcasecmp (typed, number) == 0);
}

static void
on_undefined (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiNvUndefineDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  ward_gui_nv_list_load (self->list);
  gtk_window_close (GTK_WINDOW (self));
}

static void
ward_gui_nv_undefine_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiNvUndefineDialog *self = WARD_GUI_NV_UNDEFINE_DIALOG (dialog);
  WardGuiChip *chip = ward_gui_nv_list_get_chip (self->list);
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_nv (chip), "Undefine",
                                                    g_variant_new ("(u)", ward_gui_nv_item_get_index (self->item)),
                                                    _ ("Undefining…"));

  ward_gui_call_set_has_options (call);
  if (is_reserved (self))
    ward_gui_call_set_option (call, "force", g_variant_new_boolean (TRUE));
  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_nv_owner_call_async (call, chip, on_undefined, g_object_ref (self));
}

static void
ward_gui_nv_undefine_dialog_finalize (GObject *object)
{
  WardGuiNvUndefineDialog *self = WARD_GUI_NV_UNDEFINE_DIALOG (object);

  g_clear_object (&self->list);
  g_clear_object (&self->item);
  G_OBJECT_CLASS (ward_gui_nv_undefine_dialog_parent_class)->finalize (object);
}

static void
ward_gui_nv_undefine_dialog_class_init (WardGuiNvUndefineDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ward_gui_nv_undefine_dialog_finalize;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_nv_undefine_dialog_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-nv-undefine-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvUndefineDialog, loss_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvUndefineDialog, purpose_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvUndefineDialog, number_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiNvUndefineDialog, number_row);
  gtk_widget_class_bind_template_callback (widget_class, follow_number);
}

static void
ward_gui_nv_undefine_dialog_init (WardGuiNvUndefineDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
show_item (WardGuiNvUndefineDialog *self)
{
  guint32 size = ward_gui_nv_item_get_size (self->item);
  const char *purpose = ward_gui_nv_item_get_purpose (self->item);
  g_autofree char *number = ward_gui_nv_item_dup_number (self->item);
  g_autofree char *title = g_strdup_printf (_ ("Undefine %s"), number);
  g_autofree char *loss = NULL;
  g_autofree char *convention = NULL;
  g_autofree char *entry_title = g_strdup_printf (_ ("Type %s to Go On"), number);

  if (ward_gui_nv_item_is_written (self->item))
    loss = g_strdup_printf (ngettext ("The index has %u byte, which is lost for good. If a program needs it, that "
                                      "program stops working; the TPM does not tell which one that is.",
                                      "The index has %u bytes, which are lost for good. If a program needs them, "
                                      "that program stops working; the TPM does not tell which one that is.",
                                      size),
                            size);
  else
    loss = g_strdup (_ ("Nothing was written to the index yet, so no data is lost. A program that has just defined it "
                        "would have to do so again."));
  convention = g_strdup_printf (_ ("By convention it is %s. Programs that need it cannot work without it, and nothing "
                                   "brings it back."),
                                purpose);
  gtk_window_set_title (GTK_WINDOW (self), title);
  gtk_label_set_label (self->loss_label, loss);
  gtk_label_set_label (self->purpose_label, convention);
  adw_preferences_row_set_title (self->number_row, entry_title);
  gtk_widget_set_visible (GTK_WIDGET (self->purpose_label), is_reserved (self));
  gtk_widget_set_visible (self->number_group, is_reserved (self));
  follow_number (self);
}

void
ward_gui_nv_undefine_dialog_present (GtkWidget *widget, WardGuiNvList *list, WardGuiNvItem *item)
{
  WardGuiNvUndefineDialog *self = g_object_new (WARD_GUI_TYPE_NV_UNDEFINE_DIALOG, NULL);

  self->list = g_object_ref (list);
  self->item = g_object_ref (item);
  show_item (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
