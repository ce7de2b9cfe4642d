/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-switcher.h"

#include <glib/gi18n.h>

struct _WardGuiSwitcher
{
  AdwBin parent;

  GtkDropDown *drop_down;

  GListModel *chips;
  WardGuiChip *chip;
  gboolean is_following; /* the selection changes, and not by the person */
};

G_DEFINE_FINAL_TYPE (WardGuiSwitcher, ward_gui_switcher, ADW_TYPE_BIN)

static guint chosen_signal;

/* For the labels of the list. */
static char *
make_label (WardGuiChip *chip)
{
  g_autofree char *model = ward_gui_chip_dup_model (chip);

  /* Translators: a TPM’s name, such as tpm0, and its maker and model */
  return g_strdup_printf (C_ ("TPM", "%s: %s"), ward_gui_chip_get_name (chip), model);
}

static void
follow (WardGuiSwitcher *self)
{
  guint n = g_list_model_get_n_items (self->chips);

  gtk_widget_set_visible (GTK_WIDGET (self), n > 1);
  self->is_following = TRUE;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (self->chips, i);

      if (chip == self->chip)
        gtk_drop_down_set_selected (self->drop_down, i);
    }
  self->is_following = FALSE;
}

static gboolean
is_there (WardGuiSwitcher *self, WardGuiChip *wanted)
{
  guint n = g_list_model_get_n_items (self->chips);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (self->chips, i);

      if (chip == wanted)
        return TRUE;
    }
  return FALSE;
}

/* The drop-down selects another one by itself where the selected one goes: that is for the window to decide. */
static void
on_selected (WardGuiSwitcher *self)
{
  WardGuiChip *chip = gtk_drop_down_get_selected_item (self->drop_down);

  if (self->is_following || chip == NULL || chip == self->chip || !is_there (self, self->chip))
    return;
  g_signal_emit (self, chosen_signal, 0, chip);
}

static void
ward_gui_switcher_dispose (GObject *object)
{
  WardGuiSwitcher *self = WARD_GUI_SWITCHER (object);

  g_clear_object (&self->chip);
  g_clear_object (&self->chips);
  G_OBJECT_CLASS (ward_gui_switcher_parent_class)->dispose (object);
}

static void
ward_gui_switcher_class_init (WardGuiSwitcherClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_switcher_dispose;

  chosen_signal = g_signal_new ("chosen", WARD_GUI_TYPE_SWITCHER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                1, WARD_GUI_TYPE_CHIP);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-switcher.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiSwitcher, drop_down);
  gtk_widget_class_bind_template_callback (widget_class, on_selected);
}

static void
ward_gui_switcher_init (WardGuiSwitcher *self)
{
  g_autoptr (GtkExpression) label = NULL;

  gtk_widget_init_template (GTK_WIDGET (self));
  label = gtk_cclosure_expression_new (G_TYPE_STRING, NULL, 0, NULL, G_CALLBACK (make_label), NULL, NULL);
  gtk_drop_down_set_expression (self->drop_down, label);
}

void
ward_gui_switcher_set_machine (WardGuiSwitcher *switcher, WardGuiMachine *machine)
{
  g_return_if_fail (switcher->chips == NULL);

  switcher->chips = g_object_ref (ward_gui_machine_get_chips (machine));
  gtk_drop_down_set_model (switcher->drop_down, switcher->chips);
  g_signal_connect_object (switcher->chips, "items-changed", G_CALLBACK (follow), switcher, G_CONNECT_SWAPPED);
  follow (switcher);
}

void
ward_gui_switcher_set_chip (WardGuiSwitcher *switcher, WardGuiChip *chip)
{
  g_set_object (&switcher->chip, chip);
  if (switcher->chips != NULL)
    follow (switcher);
}
