/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-severity.h"

#include <glib/gi18n.h>

static const WardGuiSeverity severities[] = {
  { "error", "dialog-error-symbolic", "error", N_ ("Problem"), TRUE },
  { "warning", "dialog-warning-symbolic", "warning", N_ ("Warning"), TRUE },
  { "info", "dialog-information-symbolic", "accent", N_ ("Note"), FALSE },
  { "ok", "emblem-ok-symbolic", "success", N_ ("All right"), FALSE },
};

const WardGuiSeverity *
ward_gui_severity_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (severities); i++)
    if (g_strcmp0 (severities[i].name, name) == 0)
      return &severities[i];
  return &severities[1];
}

void
ward_gui_severity_show (const char *name, GtkImage *image, GtkWidget *row)
{
  const WardGuiSeverity *severity = ward_gui_severity_find (name);

  gtk_image_set_from_icon_name (image, severity->icon_name);
  gtk_widget_add_css_class (GTK_WIDGET (image), severity->css_class);
  gtk_widget_set_tooltip_text (GTK_WIDGET (image), _ (severity->text));
  gtk_accessible_update_property (GTK_ACCESSIBLE (image), GTK_ACCESSIBLE_PROPERTY_LABEL, _ (severity->text), -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, _ (severity->text), -1);
}
