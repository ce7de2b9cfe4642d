/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-overview-page.h"

#include <glib/gi18n.h>

#include "ward-client-findings.h"
#include "ward-client-ledger.h"
#include "ward-client-text.h"
#include "ward-gui-advisory-row.h"
#include "ward-gui-finding-row.h"
#include "ward-gui-lockout-group.h"
#include "ward-gui-properties-dialog.h"
#include "ward-gui-self-test.h"
#include "ward-gui-text.h"

/* So many of the doctor's findings; the doctor's own page has all. */
#define N_FINDINGS 3

struct _WardGuiOverviewPage
{
  WardGuiPage parent;

  GtkImage *health_icon, *doctor_icon;
  GtkLabel *health_label, *health_detail;
  GtkWidget *advisories_group, *findings_group;
  GtkListBox *advisories_box, *findings_box;
  AdwActionRow *doctor_row, *all_row, *ownership_row, *dependents_row;
  AdwActionRow *model_row, *kind_row, *firmware_row, *specification_row, *device_row, *algorithms_row;
  GtkWidget *self_test, *lockout_group;

  WardGuiFindings *findings;     /* NULL without a chip */
  gboolean has_changed_findings; /* since they were shown */
  GVariant *advisories;          /* those that are shown */
  GCancellable *cancellable;     /* of the ledger's reading under way, or NULL */
};

G_DEFINE_FINAL_TYPE (WardGuiOverviewPage, ward_gui_overview_page, WARD_GUI_TYPE_PAGE)

static void
set_health (WardGuiOverviewPage *self, const char *icon_name, const char *css_class, const char *title,
            const char *detail)
{
  static const char *const classes[] = { "success", "warning", "error" };

  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (self->health_icon), classes[i]);
  gtk_widget_add_css_class (GTK_WIDGET (self->health_icon), css_class);
  gtk_image_set_from_icon_name (self->health_icon, icon_name);
  gtk_label_set_label (self->health_label, title);
  gtk_label_set_label (self->health_detail, detail);
  gtk_widget_set_visible (GTK_WIDGET (self->health_detail), *detail != '\0');
}

/* As a clock shows it where that is enough: the next full minute, as it is not over before. */
static char *
make_instant (guint64 microseconds)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autoptr (GDateTime) then = g_date_time_new_from_unix_local ((gint64)(microseconds / G_USEC_PER_SEC) + 59);

  if (then == NULL || g_date_time_get_day_of_year (then) != g_date_time_get_day_of_year (now)
      || g_date_time_get_year (then) != g_date_time_get_year (now))
    return ward_client_text_instant (microseconds);
  /* Translators: a time of the day, as hour and minute */
  return g_date_time_format (then, _ ("%H:%M"));
}

/* By what the service can tell, which is when one more try is taken. */
static void
show_locked (WardGuiOverviewPage *self, WardDbusLockout *lockout)
{
  guint64 until = ward_dbus_lockout_get_next_recovery (lockout);
  g_autofree char *instant = NULL;
  g_autofree char *title = NULL;

  if (until > (guint64)g_get_real_time ())
    {
      instant = make_instant (until);
      /* Translators: an instant, such as “14:05” */
      title = g_strdup_printf (_ ("Locked Until %s"), instant);
    }
  set_health (self, "changes-prevent-symbolic", "warning", title != NULL ? title : _ ("Your TPM Is Locked"),
              _ ("Too many wrong passwords were tried. Until it is unlocked, it takes no password, not even a right "
                 "one; keys without a password go on working."));
}

/* The worst of it in one sentence. */
static void
show_health (WardGuiOverviewPage *self, WardGuiChip *chip)
{
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (chip);
  const char *state = ward_dbus_tpm_get_state (tpm);
  const char *detail = ward_dbus_tpm_get_state_detail (tpm);

  if (g_strcmp0 (state, "ready") != 0)
    set_health (self, "dialog-error-symbolic", "error",
                g_strcmp0 (state, "disabled") == 0 ? _ ("Your TPM Is Switched Off")
                : g_strcmp0 (state, "failed") == 0 ? _ ("Your TPM Does Not Work")
                                                   : _ ("Your TPM Does Not Answer"),
                detail);
  else if (g_strcmp0 (ward_dbus_self_test_get_state (ward_gui_chip_get_self_test (chip)), "failed") == 0)
    set_health (self, "dialog-error-symbolic", "error", _ ("Your TPM Has Failed Its Self-Test"),
                _ ("It may be broken. What that means, and what to do, stands with the self-test below."));
  else if (ward_dbus_lockout_get_locked_out (ward_gui_chip_get_lockout (chip)))
    show_locked (self, ward_gui_chip_get_lockout (chip));
  else if (detail != NULL && *detail != '\0')
    set_health (self, "dialog-warning-symbolic", "warning", _ ("Your TPM Works"), detail);
  else
    set_health (self, "security-high-symbolic", "success", _ ("Your TPM Works"),
                _ ("It is there, it answers, and it is not locked."));
}

static void
set_row (AdwActionRow *row, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text != NULL ? text : "", -1);

  adw_action_row_set_subtitle (row, escaped);
  gtk_widget_set_visible (GTK_WIDGET (row), *escaped != '\0');
}

/* Makers of processors have their TPMs in the firmware; the chip itself does not say. */
static const char *
kind_text (WardDbusTpm *tpm)
{
  static const char *const of_processors[] = { "AMD", "INTC", "QCOM", NULL };

  if (ward_dbus_tpm_get_emulated (tpm))
    return _ ("Emulated by software, as in a virtual machine");
  if (g_strv_contains (of_processors, ward_dbus_tpm_get_manufacturer (tpm)))
    return _ ("Part of the processor’s firmware");
  return _ ("A chip of its own");
}

/* A TPM 1.2 tells no date. */
static char *
make_specification (WardDbusTpm *tpm)
{
  const char *family = ward_dbus_tpm_get_family (tpm);
  const char *revision = ward_dbus_tpm_get_spec_revision (tpm);
  const char *date = ward_dbus_tpm_get_spec_date (tpm);

  if (date == NULL || *date == '\0')
    /* Translators: a TPM's family and its specification's revision, such as “TPM 1.2, revision 2.3” */
    return g_strdup_printf (_ ("TPM %s, revision %s"), family, revision);
  /* Translators: a TPM's family and its specification's revision and date, such as “TPM 2.0, revision 1.59
   * (2019-11-08)” */
  return g_strdup_printf (_ ("TPM %s, revision %s (%s)"), family, revision, date);
}

static char *
make_device (WardDbusTpm *tpm)
{
  const char *path = ward_dbus_tpm_get_device_path (tpm);
  const char *driver = ward_dbus_tpm_get_driver (tpm);

  if (path == NULL || *path == '\0')
    return g_strdup (ward_dbus_tpm_get_transport (tpm));
  if (driver == NULL || *driver == '\0')
    return g_strdup (path);
  /* Translators: a device node, and the name of its driver */
  return g_strdup_printf (_ ("%s, by the driver %s"), path, driver);
}

static void
show_facts (WardGuiOverviewPage *self, WardGuiChip *chip)
{
  WardDbusTpm *tpm = ward_gui_chip_get_tpm (chip);
  const char *const *names = ward_dbus_tpm_get_key_algorithms (tpm);
  g_autofree char *model = ward_gui_chip_dup_model (chip);
  g_autofree char *specification = make_specification (tpm);
  g_autofree char *device = make_device (tpm);
  g_autofree char *algorithms = names != NULL ? g_strjoinv (", ", (GStrv)names) : NULL;

  set_row (self->model_row, model);
  set_row (self->kind_row, kind_text (tpm));
  set_row (self->firmware_row, ward_dbus_tpm_get_firmware_version (tpm));
  set_row (self->specification_row, specification);
  set_row (self->device_row, device);
  set_row (self->algorithms_row, algorithms);
}

static const char *
ownership_text (WardGuiChip *chip)
{
  WardDbusOwnership *ownership = ward_gui_chip_get_ownership (chip);

  if (ward_dbus_ownership_get_clear_pending (ownership))
    return _ ("The firmware clears the TPM at the next restart, unless that is withdrawn");
  if (ward_gui_chip_is_tpm12 (chip))
    return ward_dbus_ownership_get_owned (ownership)
               ? _ ("Owned: who knows the owner’s secret may clear it")
               : _ ("Not owned: until it has an owner there are no keys in it, and nothing can be sealed");
  if (!ward_dbus_ownership_get_owned (ownership))
    return _ ("Not owned: whoever administers this computer may clear it without a password");
  if (ward_dbus_ownership_get_lockout_auth_set (ownership))
    return _ ("Owned: its lockout auth is set");
  return _ ("Owned, but its lockout auth is not set: it may be cleared without a password");
}

static void
show_advisories (WardGuiOverviewPage *self, WardGuiChip *chip)
{
  GVariant *advisories = ward_dbus_tpm_get_advisories (ward_gui_chip_get_tpm (chip));
  gsize n = advisories != NULL ? g_variant_n_children (advisories) : 0;
  GtkWidget *row;

  gtk_widget_set_visible (self->advisories_group, n > 0);
  if (advisories == NULL || (self->advisories != NULL && g_variant_equal (advisories, self->advisories)))
    return;
  g_clear_pointer (&self->advisories, g_variant_unref);
  self->advisories = g_variant_ref (advisories);
  while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->advisories_box))) != NULL)
    gtk_list_box_remove (self->advisories_box, row);
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GVariant) advisory = g_variant_get_child_value (advisories, i);

      gtk_list_box_append (self->advisories_box, ward_gui_advisory_row_new (advisory));
    }
}

static void
ward_gui_overview_page_update (WardGuiPage *page)
{
  WardGuiOverviewPage *self = WARD_GUI_OVERVIEW_PAGE (page);
  WardGuiChip *chip = ward_gui_page_get_chip (page);

  show_health (self, chip);
  show_advisories (self, chip);
  show_facts (self, chip);
  set_row (self->ownership_row, ownership_text (chip));
}

static void
show_doctor (WardGuiOverviewPage *self, const char *icon_name, const char *css_class, const char *text)
{
  static const char *const classes[] = { "success", "warning", "error", "dim-label" };

  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (self->doctor_icon), classes[i]);
  gtk_widget_add_css_class (GTK_WIDGET (self->doctor_icon), css_class);
  gtk_image_set_from_icon_name (self->doctor_icon, icon_name);
  set_row (self->doctor_row, text);
}

static void
remove_findings (WardGuiOverviewPage *self)
{
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->findings_box))) != GTK_WIDGET (self->all_row))
    gtk_list_box_remove (self->findings_box, row);
}

static void
on_findings_changed (WardGuiOverviewPage *self)
{
  self->has_changed_findings = TRUE;
}

/* The worst ones, which come first; the last row leads to all. */
static void
show_findings (WardGuiOverviewPage *self)
{
  GListModel *model = G_LIST_MODEL (self->findings);
  guint n = g_list_model_get_n_items (model);
  int n_shown = 0;

  if (!self->has_changed_findings)
    return;
  self->has_changed_findings = FALSE;
  remove_findings (self);
  for (guint i = 0; i < n && n_shown < N_FINDINGS; i++)
    {
      g_autoptr (WardGuiFinding) finding = g_list_model_get_item (model, i);

      if (ward_gui_finding_is_bad (finding))
        gtk_list_box_insert (self->findings_box, ward_gui_finding_row_new (self->findings, finding), n_shown++);
    }
  gtk_widget_set_visible (self->findings_group, n_shown > 0);
}

static void
on_diagnosed (WardGuiOverviewPage *self)
{
  const GError *error = ward_gui_findings_get_error (self->findings);
  g_autofree char *counts = NULL;
  g_autofree char *all_counts = NULL;

  show_findings (self);
  if (error != NULL)
    {
      show_doctor (self, "dialog-warning-symbolic", "warning", error->message);
      return;
    }
  counts = ward_gui_findings_dup_counts (self->findings, FALSE);
  all_counts = ward_gui_findings_dup_counts (self->findings, TRUE);
  set_row (self->all_row, all_counts);
  gtk_widget_show (GTK_WIDGET (self->all_row));
  if (counts == NULL)
    show_doctor (self, "emblem-ok-symbolic", "success", _ ("Nothing is wrong"));
  else if (ward_client_findings_count (ward_gui_findings_get_variant (self->findings), "error") > 0)
    show_doctor (self, "dialog-error-symbolic", "error", counts);
  else
    show_doctor (self, "dialog-warning-symbolic", "warning", counts);
}

static void
on_properties_activated (WardGuiOverviewPage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));

  if (chip != NULL)
    ward_gui_properties_dialog_present (GTK_WIDGET (self), chip);
}

static void
cancel (WardGuiOverviewPage *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
}

static void
on_previewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiOverviewPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);
  g_autoptr (GVariant) dependents = NULL;
  g_autofree char *summary = NULL;
  g_autofree char *text = NULL;

  /* the page is another chip's now, or reads again */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_clear_object (&self->cancellable);
  if (reply == NULL)
    {
      set_row (self->dependents_row, error->message);
      return;
    }
  dependents = g_variant_get_child_value (reply, 0);
  summary = ward_client_ledger_summary (dependents);
  text = ward_gui_text_capitalize (summary);
  if (g_variant_n_children (dependents) == 0)
    set_row (self->dependents_row, _ ("Nothing on this computer is known to need this TPM"));
  else
    set_row (self->dependents_row, text);
}

static void
ward_gui_overview_page_load (WardGuiPage *page, gboolean is_refresh)
{
  WardGuiOverviewPage *self = WARD_GUI_OVERVIEW_PAGE (page);
  WardGuiChip *chip = ward_gui_page_get_chip (page);

  ward_gui_findings_reload (self->findings);
  ward_gui_findings_set_following (self->findings, TRUE);
  cancel (self);
  self->cancellable = g_cancellable_new ();
  ward_client_call_async (ward_gui_chip_get_ownership (chip), "PreviewClear", NULL, NULL, WARD_CLIENT_CALL_NONE,
                          self->cancellable, on_previewed, g_object_ref (self));
}

static void
ward_gui_overview_page_reset (WardGuiPage *page)
{
  WardGuiOverviewPage *self = WARD_GUI_OVERVIEW_PAGE (page);
  WardGuiChip *chip = ward_gui_page_get_chip (page);

  cancel (self);
  if (self->findings != NULL)
    g_signal_handlers_disconnect_by_data (self->findings, self);
  g_clear_object (&self->findings);
  g_clear_pointer (&self->advisories, g_variant_unref);
  gtk_widget_hide (self->findings_group);
  remove_findings (self);
  show_doctor (self, "system-search-symbolic", "dim-label", _ ("The doctor is looking…"));
  set_row (self->dependents_row, _ ("Looking what needs this TPM…"));
  g_object_set (self->self_test, "chip", chip, NULL);
  g_object_set (self->lockout_group, "chip", chip, NULL);
  if (chip == NULL)
    return;
  self->findings = ward_gui_findings_new (ward_gui_chip_get_client (chip));
  g_signal_connect_object (self->findings, "items-changed", G_CALLBACK (on_findings_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->findings, "loaded", G_CALLBACK (on_diagnosed), self, G_CONNECT_SWAPPED);
}

static void
ward_gui_overview_page_unmap (GtkWidget *widget)
{
  WardGuiOverviewPage *self = WARD_GUI_OVERVIEW_PAGE (widget);

  if (self->findings != NULL)
    ward_gui_findings_set_following (self->findings, FALSE);
  GTK_WIDGET_CLASS (ward_gui_overview_page_parent_class)->unmap (widget);
}

static void
ward_gui_overview_page_dispose (GObject *object)
{
  WardGuiOverviewPage *self = WARD_GUI_OVERVIEW_PAGE (object);

  cancel (self);
  g_clear_object (&self->findings);
  g_clear_pointer (&self->advisories, g_variant_unref);
  G_OBJECT_CLASS (ward_gui_overview_page_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, health_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, health_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, health_detail);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, advisories_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, advisories_box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, doctor_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, doctor_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, all_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, ownership_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, dependents_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, findings_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, findings_box);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, self_test);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, lockout_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, model_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, kind_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, firmware_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, specification_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, device_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOverviewPage, algorithms_row);
}

static void
ward_gui_overview_page_class_init (WardGuiOverviewPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_overview_page_dispose;
  widget_class->unmap = ward_gui_overview_page_unmap;
  WARD_GUI_PAGE_CLASS (klass)->update = ward_gui_overview_page_update;
  WARD_GUI_PAGE_CLASS (klass)->reset = ward_gui_overview_page_reset;
  WARD_GUI_PAGE_CLASS (klass)->load = ward_gui_overview_page_load;

  g_type_ensure (WARD_GUI_TYPE_LOCKOUT_GROUP);
  g_type_ensure (WARD_GUI_TYPE_SELF_TEST);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-overview-page.ui");
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, on_properties_activated);
}

static void
ward_gui_overview_page_init (WardGuiOverviewPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
