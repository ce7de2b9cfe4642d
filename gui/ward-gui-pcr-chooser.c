/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-pcr-chooser.h"

#include <glib/gi18n.h>

#include "ward-client-pcr.h"

struct _WardGuiPcrChooser
{
  AdwPreferencesGroup parent;

  AdwComboRow *choice_row, *bank_row;
  AdwActionRow *meaning_row;
  AdwExpanderRow *registers_row;
  GtkStringList *banks;
  GtkCheckButton *checks[WARD_CLIENT_N_PCRS];

  WardGuiChip *chip;
};

G_DEFINE_FINAL_TYPE (WardGuiPcrChooser, ward_gui_pcr_chooser, ADW_TYPE_PREFERENCES_GROUP)

enum
{
  PROP_SELECTION = 1,
  PROP_CHIP,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

#define PCR(index) (1u << (index))

typedef struct
{
  const char *title;
  const char *explanation;
  guint32 mask; /* of PCRs */
} Choice;

/* The last one is that of single registers. */
static const Choice choices[] = {
  { N_ ("Nothing"), N_ ("The key can always be used on this computer."), 0 },
  { N_ ("Secure Boot"),
    N_ ("The key can be used while Secure Boot stays as it is now, on or off, with the same keys. Ordinary updates of "
        "the system do not matter."),
    PCR (7) },
  { N_ ("Firmware"),
    N_ ("The key can be used with the firmware and the Secure Boot of now. After an update of the firmware it cannot "
        "be "
        "used any more."),
    PCR (0) | PCR (7) },
  { N_ ("Boot Loader"),
    N_ ("The key can be used with the boot loader, the firmware and the Secure Boot of now. Updates of the system "
        "replace the boot loader now and then; after one the key cannot be used any more."),
    PCR (0) | PCR (4) | PCR (7) },
  { N_ ("Own Choice"), N_ ("For experts: the key can be used while these registers have their values of now."), 0 },
};

#define CUSTOM (G_N_ELEMENTS (choices) - 1)

static gboolean
is_custom (WardGuiPcrChooser *self)
{
  return adw_combo_row_get_selected (self->choice_row) == CUSTOM;
}

static guint32
get_checked (WardGuiPcrChooser *self)
{
  guint32 mask = 0;

  for (guint i = 0; i < WARD_CLIENT_N_PCRS; i++)
    if (gtk_check_button_get_active (self->checks[i]))
      mask |= PCR (i);
  return mask;
}

static const char *
get_bank (WardGuiPcrChooser *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->banks));

  if (is_custom (self))
    return gtk_string_list_get_string (self->banks, adw_combo_row_get_selected (self->bank_row));
  for (guint i = 0; i < n; i++)
    if (g_str_equal (gtk_string_list_get_string (self->banks, i), WARD_CLIENT_PCR_BANK))
      return WARD_CLIENT_PCR_BANK;
  return gtk_string_list_get_string (self->banks, 0);
}

GVariant *
ward_gui_pcr_chooser_dup_selection (WardGuiPcrChooser *chooser)
{
  guint choice = adw_combo_row_get_selected (chooser->choice_row);
  guint32 mask = choice == CUSTOM ? get_checked (chooser) : choice < CUSTOM ? choices[choice].mask : 0;
  const char *bank = get_bank (chooser);
  g_auto (GVariantBuilder) indices = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("au"));

  if (mask == 0 || bank == NULL)
    return NULL;
  for (guint32 i = 0; i < WARD_CLIENT_N_PCRS; i++)
    if (mask & PCR (i))
      g_variant_builder_add (&indices, "u", i);
  return g_variant_ref_sink (g_variant_new_parsed ("{%s: %@au}", bank, g_variant_builder_end (&indices)));
}

static void
on_registers_changed (WardGuiPcrChooser *self)
{
  g_autoptr (GVariant) selection = ward_gui_pcr_chooser_dup_selection (self);
  g_autofree char *text = selection != NULL ? ward_client_pcrs_format (selection) : NULL;

  adw_expander_row_set_subtitle (self->registers_row, text != NULL ? text : _ ("None yet: the key would not be bound"));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SELECTION]);
}

static void
on_choice_changed (WardGuiPcrChooser *self)
{
  guint choice = MIN (adw_combo_row_get_selected (self->choice_row), CUSTOM);
  gboolean has_banks = g_list_model_get_n_items (G_LIST_MODEL (self->banks)) > 1;

  adw_action_row_set_subtitle (self->meaning_row, _ (choices[choice].explanation));
  gtk_widget_set_visible (GTK_WIDGET (self->registers_row), is_custom (self));
  gtk_widget_set_visible (GTK_WIDGET (self->bank_row), is_custom (self) && has_banks);
  adw_expander_row_set_expanded (self->registers_row, is_custom (self));
  on_registers_changed (self);
}

/* The banks of the chip, with the preferred one selected. */
static void
set_chip (WardGuiPcrChooser *self, WardGuiChip *chip)
{
  const char *const fallback[] = { WARD_CLIENT_PCR_BANK, NULL };
  const char *const *names = NULL;
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->banks));

  if (!g_set_object (&self->chip, chip))
    return;
  if (chip != NULL)
    names = ward_dbus_pcrs_get_banks (ward_gui_chip_get_pcrs (chip));
  if (names == NULL || names[0] == NULL)
    names = fallback;
  gtk_string_list_splice (self->banks, 0, n, names);
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], WARD_CLIENT_PCR_BANK))
      adw_combo_row_set_selected (self->bank_row, i);
  on_choice_changed (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CHIP]);
}

static void
add_register (WardGuiPcrChooser *self, guint32 index)
{
  g_autofree char *number = g_strdup_printf (_ ("PCR %u"), index);
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *check = gtk_check_button_new ();
  GtkWidget *label = gtk_label_new (number);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), ward_client_pcr_get_title (index));
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), ward_client_pcr_get_content (index));
  gtk_widget_set_valign (check, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (check), GTK_ACCESSIBLE_PROPERTY_LABEL, number, -1);
  gtk_widget_add_css_class (label, "dim-label");
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), check);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), check);
  g_signal_connect_object (check, "toggled", G_CALLBACK (on_registers_changed), self, G_CONNECT_SWAPPED);
  adw_expander_row_add_row (self->registers_row, row);
  self->checks[index] = GTK_CHECK_BUTTON (check);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WardGuiPcrChooser *self = WARD_GUI_PCR_CHOOSER (object);

  switch (id)
    {
    case PROP_SELECTION:
      g_value_take_variant (value, ward_gui_pcr_chooser_dup_selection (self));
      break;
    case PROP_CHIP:
      g_value_set_object (value, self->chip);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_CHIP)
    set_chip (WARD_GUI_PCR_CHOOSER (object), g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ward_gui_pcr_chooser_dispose (GObject *object)
{
  g_clear_object (&WARD_GUI_PCR_CHOOSER (object)->chip);
  G_OBJECT_CLASS (ward_gui_pcr_chooser_parent_class)->dispose (object);
}

static void
ward_gui_pcr_chooser_class_init (WardGuiPcrChooserClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_pcr_chooser_dispose;

  properties[PROP_SELECTION] = g_param_spec_variant ("selection", NULL, NULL, G_VARIANT_TYPE ("a{sau}"), NULL,
                                                     G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_CHIP] = g_param_spec_object ("chip", NULL, NULL, WARD_GUI_TYPE_CHIP,
                                               G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-pcr-chooser.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiPcrChooser, choice_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPcrChooser, meaning_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPcrChooser, bank_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPcrChooser, registers_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiPcrChooser, banks);
  gtk_widget_class_bind_template_callback (widget_class, on_choice_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_registers_changed);
}

static void
ward_gui_pcr_chooser_init (WardGuiPcrChooser *self)
{
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);

  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < WARD_CLIENT_N_PCRS; i++)
    add_register (self, i);
  for (guint i = 0; i < G_N_ELEMENTS (choices); i++)
    gtk_string_list_append (titles, _ (choices[i].title));
  adw_combo_row_set_model (self->choice_row, G_LIST_MODEL (titles));
  on_choice_changed (self);
}

GtkWidget *
ward_gui_pcr_chooser_new (void)
{
  return g_object_new (WARD_GUI_TYPE_PCR_CHOOSER, NULL);
}
