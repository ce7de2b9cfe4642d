/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-pcr-row.h"

#include <glib/gi18n.h>

#include "ward-client-pcr.h"
#include "ward-gui-notice.h"
#include "ward-hex.h"

/* Digits are read in groups of so many bytes; so many of them show what value it is. */
#define GROUP_BYTES 4
#define N_GROUPS_SHOWN 3

/* As an AdwActionRow has it. */
#define ROW_MARGIN 12

struct _WardGuiPcrRow
{
  AdwExpanderRow parent;

  guint32 index;
  GBytes *value;

  /* Made when it is unfolded for the first time: most rows never are. */
  GtkLabel *value_label, *state_label;
};

G_DEFINE_FINAL_TYPE (WardGuiPcrRow, ward_gui_pcr_row, ADW_TYPE_EXPANDER_ROW)

static WardClientPcrState
get_state (WardGuiPcrRow *self)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (self->value, &size);

  return ward_client_pcr_get_state (bytes, size);
}

static char *
format_value (WardGuiPcrRow *self, gsize max_size, gsize group)
{
  gsize size;
  const guint8 *bytes = g_bytes_get_data (self->value, &size);

  return ward_hex (bytes, MIN (size, max_size), group);
}

static const char *
describe_state (WardGuiPcrRow *self)
{
  switch (get_state (self))
    {
    case WARD_CLIENT_PCR_ZEROS:
      return _ ("All zeros: nothing has been measured into it since the computer started.");
    case WARD_CLIENT_PCR_ONES:
      return _ ("All ones: there was no dynamic launch since the computer started.");
    case WARD_CLIENT_PCR_MEASURED:
    default:
      return _ ("The value stands for all that was measured, in its order. What that was cannot be told from it.");
    }
}

static void
follow_details (WardGuiPcrRow *self)
{
  g_autofree char *text = NULL;

  if (self->value_label == NULL)
    return;
  text = self->value != NULL ? format_value (self, G_MAXSIZE, GROUP_BYTES) : g_strdup ("");
  gtk_label_set_label (self->value_label, text);
  gtk_label_set_label (self->state_label, self->value != NULL ? describe_state (self) : "");
}

static void
follow_summary (WardGuiPcrRow *self)
{
  g_autofree char *start = NULL;
  g_autofree char *markup = NULL;
  g_autofree char *full = NULL;
  gboolean is_measured = self->value != NULL && get_state (self) == WARD_CLIENT_PCR_MEASURED;

  if (self->value != NULL)
    full = format_value (self, G_MAXSIZE, GROUP_BYTES);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self), full);
  if (self->value == NULL)
    markup = g_strdup (_ ("Not known"));
  else if (is_measured)
    {
      start = format_value (self, GROUP_BYTES * N_GROUPS_SHOWN, GROUP_BYTES);
      markup = g_strdup_printf ("<tt>%s…</tt>", start);
    }
  else if (get_state (self) == WARD_CLIENT_PCR_ZEROS)
    markup = g_strdup (_ ("Nothing was measured"));
  else
    markup = g_strdup (_ ("Not used"));
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), markup);
}

static void
on_copy_clicked (WardGuiPcrRow *self)
{
  g_autofree char *text = NULL;
  g_autofree char *note = NULL;

  if (self->value == NULL)
    return;
  text = format_value (self, G_MAXSIZE, 0);
  note = g_strdup_printf (_ ("The value of PCR %u was copied"), self->index);
  ward_gui_notice_copy (GTK_WIDGET (self), text, note);
}

static GtkLabel *
new_label (void)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_hexpand (label, TRUE);
  return GTK_LABEL (label);
}

static void
add_text (WardGuiPcrRow *self, const char *title, const char *text)
{
  GtkWidget *row = adw_action_row_new ();

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), text);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), row);
}

static GtkWidget *
new_copy_button (WardGuiPcrRow *self)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("edit-copy-symbolic");
  g_autofree char *name = g_strdup_printf (_ ("Copy the Value of PCR %u"), self->index);

  gtk_widget_set_tooltip_text (button, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (button, "flat");
  g_signal_connect_object (button, "clicked", G_CALLBACK (on_copy_clicked), self, G_CONNECT_SWAPPED);
  return button;
}

static void
add_value (WardGuiPcrRow *self)
{
  GtkWidget *row = adw_preferences_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *texts = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  self->value_label = new_label ();
  gtk_label_set_selectable (self->value_label, TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->value_label), "monospace");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->value_label), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Value"), -1);
  self->state_label = new_label ();
  gtk_widget_add_css_class (GTK_WIDGET (self->state_label), "dim-label");
  gtk_widget_add_css_class (GTK_WIDGET (self->state_label), "caption");

  gtk_box_append (GTK_BOX (texts), GTK_WIDGET (self->value_label));
  gtk_box_append (GTK_BOX (texts), GTK_WIDGET (self->state_label));
  gtk_box_append (GTK_BOX (box), texts);
  gtk_box_append (GTK_BOX (box), new_copy_button (self));
  gtk_widget_set_margin_top (box, ROW_MARGIN);
  gtk_widget_set_margin_bottom (box, ROW_MARGIN);
  gtk_widget_set_margin_start (box, ROW_MARGIN);
  gtk_widget_set_margin_end (box, ROW_MARGIN);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _ ("Value"));
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), row);
}

static void
on_expanded (WardGuiPcrRow *self)
{
  if (self->value_label != NULL || !adw_expander_row_get_expanded (ADW_EXPANDER_ROW (self)))
    return;
  add_text (self, _ ("What Is Measured"), ward_client_pcr_get_content (self->index));
  add_text (self, _ ("When It Has Changed"), ward_client_pcr_get_cause (self->index));
  add_value (self);
  follow_details (self);
}

static void
ward_gui_pcr_row_finalize (GObject *object)
{
  g_clear_pointer (&WARD_GUI_PCR_ROW (object)->value, g_bytes_unref);
  G_OBJECT_CLASS (ward_gui_pcr_row_parent_class)->finalize (object);
}

static void
ward_gui_pcr_row_class_init (WardGuiPcrRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_pcr_row_finalize;
}

static void
ward_gui_pcr_row_init (WardGuiPcrRow *self)
{
  g_signal_connect (self, "notify::expanded", G_CALLBACK (on_expanded), NULL);
}

WardGuiPcrRow *
ward_gui_pcr_row_new (guint32 index)
{
  WardGuiPcrRow *self = g_object_new (WARD_GUI_TYPE_PCR_ROW, NULL);
  g_autofree char *number = g_strdup_printf ("%u", index);
  g_autofree char *title = g_markup_escape_text (ward_client_pcr_get_title (index), -1);
  g_autofree char *name = g_strdup_printf (_ ("PCR %u: %s"), index, ward_client_pcr_get_title (index));
  GtkWidget *label = gtk_label_new (number);

  self->index = index;
  gtk_label_set_width_chars (GTK_LABEL (label), 2);
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_add_css_class (label, "numeric");
  gtk_widget_add_css_class (label, "dim-label");
  adw_expander_row_add_prefix (ADW_EXPANDER_ROW (self), label);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), title);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  follow_summary (self);
  return self;
}

void
ward_gui_pcr_row_set_value (WardGuiPcrRow *row, GBytes *value)
{
  if (row->value == value)
    return;
  g_clear_pointer (&row->value, g_bytes_unref);
  row->value = value != NULL ? g_bytes_ref (value) : NULL;
  follow_summary (row);
  follow_details (row);
}
