/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-advisory-row.h"

#include <glib/gi18n.h>

#include "ward-gui-severity.h"

static const char *
get (GVariant *advisory, const char *key)
{
  const char *value = "";

  g_variant_lookup (advisory, key, "&s", &value);
  return value;
}

static GtkWidget *
make_link (const char *address)
{
  GtkWidget *link = gtk_link_button_new_with_label (address, _ ("Source"));

  gtk_widget_set_valign (link, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (link, address);
  return link;
}

/* Others are decoration to those who hear the screen. */
static GtkImage *
new_image (void)
{
  return g_object_new (GTK_TYPE_IMAGE, "accessible-role", GTK_ACCESSIBLE_ROLE_IMG, NULL);
}

GtkWidget *
ward_gui_advisory_row_new (GVariant *advisory)
{
  GtkWidget *row = adw_action_row_new ();
  GtkImage *image = new_image ();
  const char *source = get (advisory, "source");

  ward_gui_severity_show (get (advisory, "severity"), image, row);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), GTK_WIDGET (image));
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), get (advisory, "title"));
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 0);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), get (advisory, "id"));
  if (g_uri_is_valid (source, G_URI_FLAGS_NONE, NULL))
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), make_link (source));
  return row;
}
