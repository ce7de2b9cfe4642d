/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-doctor-page.h"

#include <glib/gi18n.h>

#include "ward-client-findings.h"
#include "ward-gui-finding-row.h"
#include "ward-gui-notice.h"
#include "ward-gui-report.h"

struct _WardGuiDoctorPage
{
  WardGuiPage parent;

  AdwActionRow *summary_row;
  GtkImage *summary_icon;
  GtkSpinner *spinner;
  GtkWidget *failure_box, *findings_group;
  GtkListBox *findings_box;
  GtkWidget *report_row;

  WardGuiFindings *findings; /* NULL without a chip */
};

G_DEFINE_FINAL_TYPE (WardGuiDoctorPage, ward_gui_doctor_page, WARD_GUI_TYPE_PAGE)

static GtkWidget *
make_row (gpointer item, gpointer user_data)
{
  return ward_gui_finding_row_new (WARD_GUI_DOCTOR_PAGE (user_data)->findings, item);
}

static void
show_summary (WardGuiDoctorPage *self, const char *icon_name, const char *css_class, const char *title,
              const char *subtitle)
{
  static const char *const classes[] = { "success", "warning", "error", "dim-label" };
  g_autofree char *escaped = g_markup_escape_text (subtitle, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (self->summary_icon), classes[i]);
  gtk_widget_add_css_class (GTK_WIDGET (self->summary_icon), css_class);
  gtk_image_set_from_icon_name (self->summary_icon, icon_name);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->summary_row), title);
  adw_action_row_set_subtitle (self->summary_row, escaped);
}

static void
show_findings (WardGuiDoctorPage *self)
{
  g_autofree char *counts = ward_gui_findings_dup_counts (self->findings, FALSE);
  gboolean is_error = ward_client_findings_count (ward_gui_findings_get_variant (self->findings), "error") > 0;

  if (counts == NULL)
    show_summary (self, "emblem-ok-symbolic", "success", _ ("Nothing Is Wrong"),
                  _ ("The doctor has found no error and nothing to warn of."));
  else
    show_summary (self, is_error ? "dialog-error-symbolic" : "dialog-warning-symbolic", is_error ? "error" : "warning",
                  counts, _ ("Each finding says why, and where something can be done about it, a button does it."));
}

static void
look (WardGuiDoctorPage *self)
{
  gtk_spinner_start (self->spinner);
  ward_gui_findings_reload (self->findings);
}

static void
on_loaded (WardGuiDoctorPage *self)
{
  const GError *error = ward_gui_findings_get_error (self->findings);
  gboolean is_loaded = ward_gui_findings_is_loaded (self->findings);

  gtk_spinner_stop (self->spinner);
  if (is_loaded)
    show_findings (self);
  else if (ward_gui_notice_is_cancelled (error))
    look (self); /* an administrator was to look before anybody had */
  else
    show_summary (self, "dialog-warning-symbolic", "warning", _ ("The Doctor Could Not Look"), error->message);
  gtk_widget_set_visible (self->findings_group, is_loaded);
  gtk_widget_set_visible (self->failure_box, !is_loaded && !gtk_spinner_get_spinning (self->spinner));
  gtk_widget_set_sensitive (self->report_row, is_loaded);
  if (is_loaded && error != NULL && gtk_widget_get_mapped (GTK_WIDGET (self)))
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The Doctor Did Not Look as Administrator"), error);
}

static void
on_try_again (WardGuiDoctorPage *self)
{
  if (self->findings != NULL)
    look (self);
}

/* As a person sees it, for somebody who helps. */
static void
on_copy_details (WardGuiDoctorPage *self)
{
  const GError *error = self->findings != NULL ? ward_gui_findings_get_error (self->findings) : NULL;
  g_autofree char *text = NULL;

  if (error == NULL)
    return;
  text = g_strdup_printf ("%s\n%s\n(%s, %d)", ward_gui_notice_headline (error), error->message,
                          g_quark_to_string (error->domain), error->code);
  ward_gui_notice_copy (GTK_WIDGET (self), text, _ ("Details copied"));
}

static void
on_look_at_all (WardGuiDoctorPage *self)
{
  if (self->findings == NULL)
    return;
  gtk_spinner_start (self->spinner);
  ward_gui_findings_load (self->findings, TRUE);
}

static void
on_copy_report (WardGuiDoctorPage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));
  g_autofree char *report = NULL;

  if (chip == NULL || !ward_gui_findings_is_loaded (self->findings))
    return;
  report = ward_gui_report_make (chip, ward_gui_findings_get_variant (self->findings));
  ward_gui_notice_copy (GTK_WIDGET (self), report, _ ("Report copied"));
}

static void
ward_gui_doctor_page_load (WardGuiPage *page, gboolean is_refresh)
{
  WardGuiDoctorPage *self = WARD_GUI_DOCTOR_PAGE (page);

  look (self);
  ward_gui_findings_set_following (self->findings, TRUE);
}

static void
ward_gui_doctor_page_unmap (GtkWidget *widget)
{
  WardGuiDoctorPage *self = WARD_GUI_DOCTOR_PAGE (widget);

  if (self->findings != NULL)
    ward_gui_findings_set_following (self->findings, FALSE);
  GTK_WIDGET_CLASS (ward_gui_doctor_page_parent_class)->unmap (widget);
}

static void
ward_gui_doctor_page_reset (WardGuiPage *page)
{
  WardGuiDoctorPage *self = WARD_GUI_DOCTOR_PAGE (page);
  WardGuiChip *chip = ward_gui_page_get_chip (page);

  gtk_list_box_bind_model (self->findings_box, NULL, NULL, NULL, NULL);
  if (self->findings != NULL)
    g_signal_handlers_disconnect_by_data (self->findings, self);
  g_clear_object (&self->findings);
  gtk_spinner_stop (self->spinner);
  gtk_widget_hide (self->findings_group);
  gtk_widget_hide (self->failure_box);
  gtk_widget_set_sensitive (self->report_row, FALSE);
  show_summary (self, "system-search-symbolic", "dim-label", _ ("The Doctor Is Looking…"),
                _ ("At encrypted disks and keys of programs, too. This takes a moment."));
  if (chip == NULL)
    return;
  self->findings = ward_gui_findings_new (ward_gui_chip_get_client (chip));
  g_signal_connect_object (self->findings, "loaded", G_CALLBACK (on_loaded), self, G_CONNECT_SWAPPED);
  gtk_list_box_bind_model (self->findings_box, G_LIST_MODEL (self->findings), make_row, self, NULL);
}

static void
ward_gui_doctor_page_dispose (GObject *object)
{
  g_clear_object (&WARD_GUI_DOCTOR_PAGE (object)->findings);
  G_OBJECT_CLASS (ward_gui_doctor_page_parent_class)->dispose (object);
}

static void
ward_gui_doctor_page_class_init (WardGuiDoctorPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_doctor_page_dispose;
  widget_class->unmap = ward_gui_doctor_page_unmap;
  WARD_GUI_PAGE_CLASS (klass)->reset = ward_gui_doctor_page_reset;
  WARD_GUI_PAGE_CLASS (klass)->load = ward_gui_doctor_page_load;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-doctor-page.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiDoctorPage, summary_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiDoctorPage, summary_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiDoctorPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, WardGuiDoctorPage, failure_box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiDoctorPage, findings_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiDoctorPage, findings_box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiDoctorPage, report_row);
  gtk_widget_class_bind_template_callback (widget_class, on_look_at_all);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_report);
  gtk_widget_class_bind_template_callback (widget_class, on_copy_details);
  gtk_widget_class_bind_template_callback (widget_class, on_try_again);
}

static void
ward_gui_doctor_page_init (WardGuiDoctorPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
