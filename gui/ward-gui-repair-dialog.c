/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-repair-dialog.h"

#include <glib/gi18n.h>

struct _WardGuiRepairDialog
{
  WardGuiDialog parent;

  AdwActionRow *finding_row, *repair_row;
  GtkWidget *steps_button;
  GtkListBox *steps_box;
  GtkLabel *steps_placeholder;

  WardGuiFindings *findings;
  WardGuiFinding *finding;
};

G_DEFINE_FINAL_TYPE (WardGuiRepairDialog, ward_gui_repair_dialog, WARD_GUI_TYPE_DIALOG)

static void
show_steps (WardGuiRepairDialog *self, const char *const *steps, const char *icon_name)
{
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->steps_box))) != NULL && GTK_IS_LIST_BOX_ROW (row))
    gtk_list_box_remove (self->steps_box, row);
  for (guint i = 0; steps[i] != NULL; i++)
    {
      row = adw_action_row_new ();
      adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), steps[i]);
      adw_preferences_row_set_title_selectable (ADW_PREFERENCES_ROW (row), TRUE);
      adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 0);
      adw_action_row_add_prefix (ADW_ACTION_ROW (row), gtk_image_new_from_icon_name (icon_name));
      gtk_list_box_append (self->steps_box, row);
    }
}

static void
on_repaired (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiRepairDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);
  g_autofree const char **steps = NULL;

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  g_variant_get (reply, "(^a&s)", &steps);
  show_steps (self, steps, "emblem-ok-symbolic");
  gtk_label_set_label (self->steps_placeholder, _ ("Nothing had to be done."));
  gtk_widget_hide (self->steps_button);
  g_object_set (self, "apply-label", NULL, "title", _ ("Repaired"), NULL);
  ward_gui_findings_reload (self->findings);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiRepairDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);
  g_autofree const char **steps = NULL;

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
  if (reply == NULL)
    return;
  g_variant_get (reply, "(^a&s)", &steps);
  show_steps (self, steps, "go-next-symbolic");
}

static void
call_repair (WardGuiRepairDialog *self, gboolean dry_run, GAsyncReadyCallback callback)
{
  WardDbusManager *manager = ward_client_get_manager (ward_gui_findings_get_client (self->findings));
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (self), manager, "Repair",
                                                    g_variant_new ("(s)", ward_gui_finding_get (self->finding, "id")),
                                                    dry_run ? _ ("Looking what is to be done…") : _ ("Repairing…"));

  ward_gui_call_set_has_options (call);
  if (dry_run)
    ward_gui_call_set_option (call, "dry-run", g_variant_new_boolean (TRUE));
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), TRUE);
  ward_gui_call_start_async (call, callback, g_object_ref (self));
}

static void
on_steps_clicked (WardGuiRepairDialog *self)
{
  call_repair (self, TRUE, on_listed);
}

static void
ward_gui_repair_dialog_apply (WardGuiDialog *dialog)
{
  call_repair (WARD_GUI_REPAIR_DIALOG (dialog), FALSE, on_repaired);
}

static void
ward_gui_repair_dialog_dispose (GObject *object)
{
  WardGuiRepairDialog *self = WARD_GUI_REPAIR_DIALOG (object);

  g_clear_object (&self->findings);
  g_clear_object (&self->finding);
  G_OBJECT_CLASS (ward_gui_repair_dialog_parent_class)->dispose (object);
}

static void
ward_gui_repair_dialog_class_init (WardGuiRepairDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_repair_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_repair_dialog_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-repair-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiRepairDialog, finding_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiRepairDialog, repair_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiRepairDialog, steps_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiRepairDialog, steps_box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiRepairDialog, steps_placeholder);
  gtk_widget_class_bind_template_callback (widget_class, on_steps_clicked);
}

static void
ward_gui_repair_dialog_init (WardGuiRepairDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_repair_dialog_present (GtkWidget *widget, WardGuiFindings *findings, WardGuiFinding *finding)
{
  WardGuiRepairDialog *self = g_object_new (WARD_GUI_TYPE_REPAIR_DIALOG, NULL);
  g_autofree char *repair = g_markup_escape_text (ward_gui_finding_get (finding, "repair"), -1);

  self->findings = g_object_ref (findings);
  self->finding = g_object_ref (finding);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->finding_row), ward_gui_finding_get (finding, "title"));
  adw_action_row_set_subtitle (self->finding_row, ward_gui_finding_get (finding, "detail"));
  adw_action_row_set_subtitle (self->repair_row, repair);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
}
