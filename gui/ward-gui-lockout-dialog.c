/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-lockout-dialog.h"

#include <glib/gi18n.h>

#include "ward-client-text.h"
#include "ward-gui-auth.h"
#include "ward-gui-notice.h"

#define HOUR (60 * 60)
#define DAY (24 * HOUR)

/* Below this somebody who can try at all soon has tried a PIN's worth. */
#define QUICK_RECOVERY 10

struct _WardGuiLockoutDialog
{
  WardGuiDialog parent;

  GtkSpinButton *max_spin;
  GtkAdjustment *max_adjustment;
  AdwComboRow *recovery_row, *penalty_row;

  WardGuiChip *chip;
  GArray *recoveries, *penalties; /* guint32, seconds: of the rows' items, in their order */
};

G_DEFINE_FINAL_TYPE (WardGuiLockoutDialog, ward_gui_lockout_dialog, WARD_GUI_TYPE_DIALOG)

/* What is sane; what is set now is offered beside them. */
static const guint32 recovery_choices[] = { 10, 60, 10 * 60, HOUR, 2 * HOUR, 12 * HOUR, DAY, 7 * DAY };
static const guint32 penalty_choices[] = { 0, 60, HOUR, 12 * HOUR, DAY, 7 * DAY };

static guint32
get_selected (AdwComboRow *row, const GArray *seconds)
{
  guint selected = adw_combo_row_get_selected (row);

  return selected < seconds->len ? g_array_index (seconds, guint32, selected) : 0;
}

/* What is typed, which is the button's value only once the focus leaves it. */
static guint
get_max (WardGuiLockoutDialog *self)
{
  guint64 max;

  if (g_ascii_string_to_unsigned (gtk_editable_get_text (GTK_EDITABLE (self->max_spin)), 10,
                                  (guint64)gtk_adjustment_get_lower (self->max_adjustment),
                                  (guint64)gtk_adjustment_get_upper (self->max_adjustment), &max, NULL))
    return (guint)max;
  return (guint)gtk_spin_button_get_value_as_int (self->max_spin);
}

/* A sentence on what the person may not see coming; NULL for nothing. */
static char *
warn_of (WardGuiLockoutDialog *self)
{
  guint failures = ward_dbus_lockout_get_failures (ward_gui_chip_get_lockout (self->chip));
  guint max = get_max (self);

  if (failures > 0 && max <= failures)
    return g_strdup_printf (ngettext ("%u failed try is counted now, so that this locks the TPM at once. Resetting "
                                      "forgives it.",
                                      "%u failed tries are counted now, so that this locks the TPM at once. Resetting "
                                      "forgives them.",
                                      failures),
                            failures);
  if (get_selected (self->recovery_row, self->recoveries) < QUICK_RECOVERY)
    return g_strdup (_ ("With so short a wait passwords and PINs can be guessed."));
  if (max < 3)
    return g_strdup (_ ("With so few tries a slip of the fingers locks the TPM for everybody."));
  if (get_selected (self->penalty_row, self->penalties) == 0)
    return g_strdup (_ ("One wrong lockout auth then bars the lockout hierarchy until the machine is restarted."));
  return NULL;
}

static void
follow_input (WardGuiLockoutDialog *self)
{
  g_autofree char *warning = NULL;

  /* while the rows are being filled */
  if (self->chip == NULL)
    return;
  warning = warn_of (self);
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), warning);
}

static void
on_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiLockoutDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  if (gtk_window_get_transient_for (GTK_WINDOW (self)) != NULL)
    ward_gui_notice_toast (GTK_WIDGET (gtk_window_get_transient_for (GTK_WINDOW (self))),
                           _ ("The TPM has taken the new rules"));
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
ward_gui_lockout_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiLockoutDialog *self = WARD_GUI_LOCKOUT_DIALOG (dialog);
  const WardGuiAuth auth = {
    .option = "auth",
    .title = _ ("Change the Rules"),
    .body = _ ("The lockout auth is needed to change the rules of the protection against guessing."),
    .is_lockout = TRUE,
  };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (
      GTK_WIDGET (self), ward_gui_chip_get_lockout (self->chip), "SetParameters",
      g_variant_new ("(uuu)", get_max (self), get_selected (self->recovery_row, self->recoveries),
                     get_selected (self->penalty_row, self->penalties)),
      _ ("The TPM takes the new rules…"));

  ward_gui_dialog_set_busy (dialog, TRUE);
  ward_gui_auth_call_async (call, self->chip, &auth, on_set, g_object_ref (self));
}

static void
ward_gui_lockout_dialog_dispose (GObject *object)
{
  WardGuiLockoutDialog *self = WARD_GUI_LOCKOUT_DIALOG (object);

  g_clear_object (&self->chip);
  G_OBJECT_CLASS (ward_gui_lockout_dialog_parent_class)->dispose (object);
}

static void
ward_gui_lockout_dialog_finalize (GObject *object)
{
  WardGuiLockoutDialog *self = WARD_GUI_LOCKOUT_DIALOG (object);

  g_array_unref (self->recoveries);
  g_array_unref (self->penalties);
  G_OBJECT_CLASS (ward_gui_lockout_dialog_parent_class)->finalize (object);
}

static void
ward_gui_lockout_dialog_class_init (WardGuiLockoutDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_lockout_dialog_dispose;
  G_OBJECT_CLASS (klass)->finalize = ward_gui_lockout_dialog_finalize;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_lockout_dialog_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-lockout-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutDialog, max_spin);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutDialog, max_adjustment);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutDialog, recovery_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutDialog, penalty_row);
  gtk_widget_class_bind_template_callback (widget_class, follow_input);
}

static void
ward_gui_lockout_dialog_init (WardGuiLockoutDialog *self)
{
  self->recoveries = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->penalties = g_array_new (FALSE, FALSE, sizeof (guint32));
  gtk_widget_init_template (GTK_WIDGET (self));
}

static char *
describe_choice (guint32 seconds)
{
  return seconds == 0 ? g_strdup (_ ("Until a Restart")) : ward_client_text_span (seconds);
}

/* The choices with the present value among them, in order, of which the present one is selected. */
static void
fill (AdwComboRow *row, GArray *seconds, const guint32 *choices, gsize n_choices, guint32 present)
{
  g_autoptr (GtkStringList) model = gtk_string_list_new (NULL);
  guint selected = 0;

  g_array_append_vals (seconds, choices, (guint)n_choices);
  while (selected < seconds->len && g_array_index (seconds, guint32, selected) < present)
    selected++;
  if (selected == seconds->len || g_array_index (seconds, guint32, selected) != present)
    g_array_insert_val (seconds, selected, present);
  for (guint i = 0; i < seconds->len; i++)
    gtk_string_list_take (model, describe_choice (g_array_index (seconds, guint32, i)));
  adw_combo_row_set_model (row, G_LIST_MODEL (model));
  adw_combo_row_set_selected (row, selected);
}

WardGuiDialog *
ward_gui_lockout_dialog_new (WardGuiChip *chip)
{
  WardGuiLockoutDialog *self = g_object_new (WARD_GUI_TYPE_LOCKOUT_DIALOG, NULL);
  WardDbusLockout *lockout = ward_gui_chip_get_lockout (chip);
  guint max = ward_dbus_lockout_get_max_failures (lockout);

  if ((double)max > gtk_adjustment_get_upper (self->max_adjustment))
    gtk_adjustment_set_upper (self->max_adjustment, (double)MIN (max, (guint)G_MAXINT));
  gtk_spin_button_set_value (self->max_spin, (double)max);
  fill (self->recovery_row, self->recoveries, recovery_choices, G_N_ELEMENTS (recovery_choices),
        ward_dbus_lockout_get_recovery_seconds (lockout));
  fill (self->penalty_row, self->penalties, penalty_choices, G_N_ELEMENTS (penalty_choices),
        ward_dbus_lockout_get_lockout_recovery_seconds (lockout));
  self->chip = g_object_ref (chip);
  g_signal_connect_object (chip, "changed", G_CALLBACK (follow_input), self, G_CONNECT_SWAPPED);
  follow_input (self);
  return WARD_GUI_DIALOG (self);
}
