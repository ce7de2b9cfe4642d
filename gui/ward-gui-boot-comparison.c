/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-boot-comparison.h"

#include <glib/gi18n.h>

#include "ward-client-text.h"

struct _WardGuiBootComparison
{
  AdwPreferencesGroup parent;

  GPtrArray *rows; /* GtkWidget, shown at the moment */
  WardGuiBootState *saved, *current;
};

G_DEFINE_FINAL_TYPE (WardGuiBootComparison, ward_gui_boot_comparison, ADW_TYPE_PREFERENCES_GROUP)

static void
add_row (WardGuiBootComparison *self, const char *icon, const char *style, const char *title, const char *subtitle)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  if (icon != NULL)
    {
      GtkWidget *image = gtk_image_new_from_icon_name (icon);

      gtk_accessible_update_state (GTK_ACCESSIBLE (image), GTK_ACCESSIBLE_STATE_HIDDEN, TRUE, -1);
      gtk_widget_add_css_class (image, style);
      adw_action_row_add_prefix (ADW_ACTION_ROW (row), image);
    }
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), row);
  g_ptr_array_add (self->rows, row);
}

/* “0, 2, 7”; a new string. */
static char *
list_registers (guint32 mask)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < WARD_CLIENT_N_PCRS; i++)
    if (mask & 1u << i)
      g_string_append_printf (text, "%s%u", text->len > 0 ? ", " : "", i);
  return g_string_free (text, FALSE);
}

static guint
count (guint32 mask)
{
  return (guint)__builtin_popcount (mask);
}

/* They change while the computer is used: by programs that are run, and by any that likes to. */
#define ORDINARY (1u << 10 | 1u << 16 | 1u << 23)

static void
add_summary (WardGuiBootComparison *self, const WardGuiBootDifference *difference)
{
  guint n = count (difference->changed);
  g_autofree char *title = g_strdup_printf (ngettext ("%u register has changed", "%u registers have changed", n), n);

  if (n == 0)
    add_row (self, "emblem-ok-symbolic", "success", _ ("Nothing has changed"),
             _ ("As far as it was measured, the computer has started with the same as when the state was saved."));
  else if ((difference->changed & ~ORDINARY) == 0)
    add_row (
        self, "emblem-ok-symbolic", "success", title,
        _ ("Only such as change in ordinary use. As far as it was measured, the computer has started with the same "
           "as when the state was saved."));
  else
    add_row (self, "dialog-warning-symbolic", "warning", title,
             _ ("The computer has started with something else than when the state was saved. Keys and disks that are "
                "bound to these registers do not open now."));
}

static void
add_changes (WardGuiBootComparison *self, const WardGuiBootDifference *difference)
{
  for (guint i = 0; i < WARD_CLIENT_N_PCRS; i++)
    {
      g_autofree char *title = NULL;

      if ((difference->changed & 1u << i) == 0)
        continue;
      title = g_strdup_printf (_ ("PCR %u: %s"), i, ward_client_pcr_get_title (i));
      add_row (self, NULL, NULL, title, ward_client_pcr_get_cause (i));
    }
}

static void
add_same (WardGuiBootComparison *self, const WardGuiBootDifference *difference)
{
  guint n = count (difference->same);
  g_autofree char *numbers = list_registers (difference->same);
  g_autofree char *title = NULL;
  g_autofree char *subtitle = NULL;

  if (n == 0)
    return;
  title = g_strdup_printf (ngettext ("%u register is the same", "%u registers are the same", n), n);
  subtitle = g_strdup_printf (_ ("PCR %s"), numbers);
  add_row (self, NULL, NULL, title, subtitle);
}

/* A saved state of another TPM may be compared, but says little. */
static void
add_other_tpm (WardGuiBootComparison *self)
{
  const char *model = ward_gui_boot_state_get_model (self->saved);
  g_autofree char *text = NULL;

  if (g_str_equal (model, ward_gui_boot_state_get_model (self->current)))
    return;
  text = g_strdup_printf (_ ("It is of %s. Another computer has other values, whatever it starts with."), model);
  add_row (self, "dialog-information-symbolic", "dim-label", _ ("This state was saved of another TPM"), text);
}

static void
show_difference (WardGuiBootComparison *self)
{
  WardGuiBootDifference difference;
  g_autoptr (GError) error = NULL;

  if (!ward_gui_boot_state_compare (self->saved, self->current, &difference, &error))
    {
      add_row (self, "dialog-warning-symbolic", "warning", _ ("The states cannot be compared"), error->message);
      return;
    }
  add_summary (self, &difference);
  add_other_tpm (self);
  add_changes (self, &difference);
  add_same (self, &difference);
}

static void
update (WardGuiBootComparison *self)
{
  for (guint i = 0; i < self->rows->len; i++)
    adw_preferences_group_remove (ADW_PREFERENCES_GROUP (self), self->rows->pdata[i]);
  g_ptr_array_set_size (self->rows, 0);
  gtk_widget_set_visible (GTK_WIDGET (self), self->saved != NULL && self->current != NULL);
  if (self->saved != NULL && self->current != NULL)
    show_difference (self);
}

static void
on_close_clicked (WardGuiBootComparison *self)
{
  ward_gui_boot_comparison_set_saved (self, NULL, NULL);
}

static void
ward_gui_boot_comparison_finalize (GObject *object)
{
  WardGuiBootComparison *self = WARD_GUI_BOOT_COMPARISON (object);

  g_ptr_array_unref (self->rows);
  g_clear_object (&self->saved);
  g_clear_object (&self->current);
  G_OBJECT_CLASS (ward_gui_boot_comparison_parent_class)->finalize (object);
}

static void
ward_gui_boot_comparison_class_init (WardGuiBootComparisonClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = ward_gui_boot_comparison_finalize;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-boot-comparison.ui");
  gtk_widget_class_bind_template_callback (widget_class, on_close_clicked);
}

static void
ward_gui_boot_comparison_init (WardGuiBootComparison *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
ward_gui_boot_comparison_set_saved (WardGuiBootComparison *comparison, WardGuiBootState *saved, const char *name)
{
  g_autofree char *title = NULL;
  g_autofree char *instant = NULL;
  g_autofree char *description = NULL;

  g_set_object (&comparison->saved, saved);
  if (saved != NULL)
    {
      g_autofree char *escaped = g_markup_escape_text (name, -1);
      gint64 then = g_date_time_to_unix (ward_gui_boot_state_get_time (saved)) * G_USEC_PER_SEC;

      instant = ward_client_text_instant ((guint64)MAX (then, 0));
      title = g_strdup_printf (_ ("Compared with “%s”"), escaped);
      description = g_strdup_printf (_ ("Saved on %s"), instant);
      adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (comparison), title);
      adw_preferences_group_set_description (ADW_PREFERENCES_GROUP (comparison), description);
    }
  update (comparison);
}

void
ward_gui_boot_comparison_set_current (WardGuiBootComparison *comparison, WardGuiBootState *current)
{
  g_set_object (&comparison->current, current);
  update (comparison);
}
