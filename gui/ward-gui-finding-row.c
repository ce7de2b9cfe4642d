/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-finding-row.h"

#include <string.h>

#include "ward-gui-repair-dialog.h"
#include "ward-gui-severity.h"

struct _WardGuiFindingRow
{
  AdwActionRow parent;

  GtkImage *icon;
  GtkWidget *repair_button;

  WardGuiFindings *findings;
  WardGuiFinding *finding;
};

G_DEFINE_FINAL_TYPE (WardGuiFindingRow, ward_gui_finding_row, ADW_TYPE_ACTION_ROW)

static void
on_repair_clicked (WardGuiFindingRow *self)
{
  ward_gui_repair_dialog_present (GTK_WIDGET (self), self->findings, self->finding);
}

static void
ward_gui_finding_row_dispose (GObject *object)
{
  WardGuiFindingRow *self = WARD_GUI_FINDING_ROW (object);

  g_clear_object (&self->findings);
  g_clear_object (&self->finding);
  G_OBJECT_CLASS (ward_gui_finding_row_parent_class)->dispose (object);
}

static void
ward_gui_finding_row_class_init (WardGuiFindingRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_finding_row_dispose;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-finding-row.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiFindingRow, icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiFindingRow, repair_button);
  gtk_widget_class_bind_template_callback (widget_class, on_repair_clicked);
}

static void
ward_gui_finding_row_init (WardGuiFindingRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* Which TPM it is about goes without saying where there is only one. */
static gboolean
is_the_only_tpm (WardClient *client, const char *subject)
{
  g_autoptr (GPtrArray) tpms = ward_client_dup_tpms (client);
  WardDbusTpm *tpm;

  if (tpms->len != 1)
    return FALSE;
  tpm = ward_dbus_object_peek_tpm (tpms->pdata[0]);
  return g_strcmp0 (ward_dbus_tpm_get_name (tpm), subject) == 0
         || g_strcmp0 (ward_dbus_tpm_get_device_path (tpm), subject) == 0;
}

/* Why, and what it is about. */
static char *
make_subtitle (WardClient *client, WardGuiFinding *finding)
{
  const char *detail = ward_gui_finding_get (finding, "detail");
  const char *subject = ward_gui_finding_get (finding, "subject");

  if (*subject == '\0' || strstr (detail, subject) != NULL || is_the_only_tpm (client, subject))
    return g_strdup (detail);
  return *detail != '\0' ? g_strconcat (detail, "\n", subject, NULL) : g_strdup (subject);
}

GtkWidget *
ward_gui_finding_row_new (WardGuiFindings *findings, WardGuiFinding *finding)
{
  WardGuiFindingRow *self = g_object_new (WARD_GUI_TYPE_FINDING_ROW, NULL);
  g_autofree char *subtitle = make_subtitle (ward_gui_findings_get_client (findings), finding);

  self->findings = g_object_ref (findings);
  self->finding = g_object_ref (finding);
  ward_gui_severity_show (ward_gui_finding_get (finding, "severity"), self->icon, GTK_WIDGET (self));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), ward_gui_finding_get (finding, "title"));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self), subtitle);
  gtk_widget_set_visible (self->repair_button, ward_gui_finding_is_repairable (finding));
  return GTK_WIDGET (self);
}
