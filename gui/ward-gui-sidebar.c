/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-sidebar.h"

#include <glib/gi18n.h>

#include "ward-gui-boot-page.h"
#include "ward-gui-doctor-page.h"
#include "ward-gui-keys-page.h"
#include "ward-gui-overview-page.h"
#include "ward-gui-ownership-page.h"
#include "ward-gui-storage-page.h"

/* In the order of the list, and of Alt+1 to Alt+6. */
static const WardGuiPageKind kinds[] = {
  { "overview", N_ ("Overview"), "go-home-symbolic", ward_gui_overview_page_get_type },
  { "ownership", N_ ("Ownership"), "system-users-symbolic", ward_gui_ownership_page_get_type },
  { "keys", N_ ("Keys"), "dialog-password-symbolic", ward_gui_keys_page_get_type },
  { "boot", N_ ("Boot State"), "view-list-bullet-symbolic", ward_gui_boot_page_get_type },
  { "storage", N_ ("Storage"), "drive-harddisk-symbolic", ward_gui_storage_page_get_type },
  { "doctor", N_ ("Doctor"), "emblem-system-symbolic", ward_gui_doctor_page_get_type },
};

struct _WardGuiSidebar
{
  AdwBin parent;

  GtkListBox *list;
  GtkWidget *dots[G_N_ELEMENTS (kinds)];

  WardGuiChip *chip;
};

G_DEFINE_FINAL_TYPE (WardGuiSidebar, ward_gui_sidebar, ADW_TYPE_BIN)

static guint chosen_signal;

const WardGuiPageKind *
ward_gui_page_kind_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (kinds[i].name, name) == 0)
      return &kinds[i];
  return NULL;
}

static gboolean
needs_attention (WardGuiChip *chip, const char *name)
{
  if (g_str_equal (name, "overview"))
    return g_strcmp0 (ward_dbus_self_test_get_state (ward_gui_chip_get_self_test (chip)), "failed") == 0;
  if (g_str_equal (name, "ownership"))
    return ward_dbus_lockout_get_locked_out (ward_gui_chip_get_lockout (chip));
  return FALSE;
}

static void
update (WardGuiSidebar *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      GtkListBoxRow *row = gtk_list_box_get_row_at_index (self->list, (int)i);
      gboolean is_marked = self->chip != NULL && needs_attention (self->chip, kinds[i].name);

      gtk_widget_set_visible (self->dots[i], is_marked);
      gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                      is_marked ? _ ("Needs attention") : "", -1);
    }
}

static void
on_row_activated (WardGuiSidebar *self, GtkListBoxRow *row)
{
  g_signal_emit (self, chosen_signal, 0, kinds[gtk_list_box_row_get_index (row)].name);
}

static void
add_row (WardGuiSidebar *self, const WardGuiPageKind *kind, GtkWidget **dot)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *label = gtk_label_new (_ (kind->title));

  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_hexpand (label, TRUE);
  *dot = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_set_valign (*dot, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (*dot, "ward-dot");

  gtk_box_append (GTK_BOX (box), gtk_image_new_from_icon_name (kind->icon_name));
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), *dot);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_widget_set_name (row, kind->name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, _ (kind->title), -1);
  gtk_list_box_append (self->list, row);
}

static void
ward_gui_sidebar_dispose (GObject *object)
{
  g_clear_object (&WARD_GUI_SIDEBAR (object)->chip);
  G_OBJECT_CLASS (ward_gui_sidebar_parent_class)->dispose (object);
}

static void
ward_gui_sidebar_class_init (WardGuiSidebarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_sidebar_dispose;

  chosen_signal = g_signal_new ("chosen", WARD_GUI_TYPE_SIDEBAR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                G_TYPE_STRING);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-sidebar.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiSidebar, list);
  gtk_widget_class_bind_template_callback (widget_class, on_row_activated);
}

static void
ward_gui_sidebar_init (WardGuiSidebar *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    add_row (self, &kinds[i], &self->dots[i]);
  update (self);
}

void
ward_gui_sidebar_select (WardGuiSidebar *sidebar, const char *name)
{
  const WardGuiPageKind *kind = ward_gui_page_kind_find (name);

  g_return_if_fail (kind != NULL);
  gtk_list_box_select_row (sidebar->list, gtk_list_box_get_row_at_index (sidebar->list, (int)(kind - kinds)));
}

void
ward_gui_sidebar_set_chip (WardGuiSidebar *sidebar, WardGuiChip *chip)
{
  ward_gui_chip_follow (&sidebar->chip, chip, sidebar, G_CALLBACK (update));
  update (sidebar);
}
