/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-clear-dialog.h"

#include <glib/gi18n.h>

#include "ward-client-ledger.h"
#include "ward-gui-auth.h"
#include "ward-gui-ledger.h"
#include "ward-gui-notice.h"

/* Changes come in swarms, and looking takes a moment. */
#define PAUSE_MS 500

struct _WardGuiClearDialog
{
  WardGuiDialog parent;

  GtkWidget *loading_page, *shown_page;
  GtkLabel *warning_label, *summary_label;
  WardGuiLedger *ledger;
  GtkWidget *all_button, *way_group, *name_group;
  AdwActionRow *now_row, *firmware_row;
  GtkCheckButton *now_button, *firmware_button;
  GtkEditable *name_entry;

  WardGuiChip *chip;
  gboolean is_tpm12;
  gboolean has_looked; /* the ledger is shown, or why there is none */
  GVariant *shown;     /* the dependents in the ledger, aa{sv}; else NULL */
  gboolean is_all;     /* with other people's, by name */
  gboolean is_looking;
  gboolean is_stale;   /* something changed while it was looked */
  gboolean is_another; /* the look under way is because of that: it may itself change something */
  guint pause_id;      /* before the next look that a change has made necessary */
};

G_DEFINE_FINAL_TYPE (WardGuiClearDialog, ward_gui_clear_dialog, WARD_GUI_TYPE_DIALOG)

static gboolean
may_clear_now (WardGuiClearDialog *self)
{
  WardDbusOwnership *ownership = ward_gui_chip_get_ownership (self->chip);

  /* it is the owner's secret that clears a TPM 1.2 */
  return !ward_dbus_ownership_get_clear_disabled (ownership)
         && (!self->is_tpm12 || ward_dbus_ownership_get_owned (ownership));
}

static gboolean
may_ask_firmware (WardGuiClearDialog *self)
{
  const char *presence = ward_dbus_ownership_get_physical_presence (ward_gui_chip_get_ownership (self->chip));

  return g_strcmp0 (presence, "prompt") == 0 || g_strcmp0 (presence, "immediate") == 0;
}

static gboolean
is_by_firmware (WardGuiClearDialog *self)
{
  return gtk_check_button_get_active (self->firmware_button);
}

static void
follow_input (WardGuiClearDialog *self)
{
  gboolean is_named, is_possible;

  /* while the template is built */
  if (self->chip == NULL)
    return;
  is_named = g_str_equal (gtk_editable_get_text (self->name_entry), ward_gui_chip_get_name (self->chip));
  is_possible = is_by_firmware (self) ? may_ask_firmware (self) : may_clear_now (self);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self),
                                 self->has_looked && is_named && is_possible && !ward_gui_chip_is_gone (self->chip));
}

/* What is other users' is one entry that counts them, without a name. */
static gboolean
hides_any (GVariant *dependents)
{
  for (gsize i = 0; i < g_variant_n_children (dependents); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);
      g_autoptr (GVariant) count = g_variant_lookup_value (dependent, "count", G_VARIANT_TYPE_UINT32);

      if (count != NULL)
        return TRUE;
    }
  return FALSE;
}

/* One that is the same stays, with the place where the person is in it. */
static void
show_ledger (WardGuiClearDialog *self, GVariant *dependents)
{
  g_autofree char *summary = ward_client_ledger_summary (dependents);
  g_autofree char *text = g_strdup_printf (_ ("If %s is cleared: %s."), ward_gui_chip_get_name (self->chip), summary);

  gtk_widget_set_visible (self->all_button, !self->is_all && hides_any (dependents));
  if (self->shown != NULL && g_variant_equal (self->shown, dependents))
    return;
  g_clear_pointer (&self->shown, g_variant_unref);
  self->shown = g_variant_ref (dependents);
  gtk_label_set_label (self->summary_label, text);
  ward_gui_ledger_show_fates (self->ledger, dependents);
}

static void
show_blindness (WardGuiClearDialog *self, const GError *error)
{
  g_autofree char *text = g_strdup_printf (_ ("It cannot be told what would be lost. %s"), error->message);

  g_clear_pointer (&self->shown, g_variant_unref);
  gtk_label_set_label (self->summary_label, text);
  ward_gui_ledger_clear (self->ledger);
  gtk_widget_set_visible (self->all_button, FALSE);
}

static void look (WardGuiClearDialog *self);
static void look_later (WardGuiClearDialog *self);

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiClearDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);
  g_autoptr (GVariant) dependents = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;

  self->is_looking = FALSE;
  /* an administrator's password is not asked for again */
  if (self->is_all && g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_AUTHORIZED))
    {
      self->is_all = FALSE;
      look (self);
      return;
    }
  if (dependents != NULL)
    show_ledger (self, dependents);
  else
    show_blindness (self, error);
  gtk_widget_set_visible (self->loading_page, FALSE);
  gtk_widget_set_visible (self->shown_page, TRUE);
  ward_gui_dialog_fit (WARD_GUI_DIALOG (self));
  self->has_looked = TRUE;
  follow_input (self);
  if (self->is_stale && !self->is_another)
    look_later (self);
}

static void
look (WardGuiClearDialog *self)
{
  self->is_looking = TRUE;
  self->is_another = self->is_stale;
  self->is_stale = FALSE;
  ward_client_call_async (ward_gui_chip_get_ownership (self->chip), self->is_all ? "PreviewClearAll" : "PreviewClear",
                          NULL, NULL, WARD_CLIENT_CALL_NONE, NULL, on_looked, g_object_ref (self));
}

/* Not while it is being cleared, nor under an administrator's eyes. */
static gboolean
on_pause_over (gpointer user_data)
{
  WardGuiClearDialog *self = user_data;

  if (ward_gui_dialog_is_busy (WARD_GUI_DIALOG (self)))
    return G_SOURCE_CONTINUE;
  self->pause_id = 0;
  look (self);
  return G_SOURCE_REMOVE;
}

static void
look_later (WardGuiClearDialog *self)
{
  if (self->pause_id == 0 && !ward_gui_chip_is_gone (self->chip))
    self->pause_id = g_timeout_add (PAUSE_MS, on_pause_over, self);
}

static void
on_changed (WardGuiClearDialog *self)
{
  if (self->is_looking)
    self->is_stale = TRUE;
  else
    look_later (self);
}

/* The service tells of one's own keys and of the machine's. */
static void
on_keys_signal (WardGuiClearDialog *self, const char *sender, const char *signal)
{
  if (g_str_equal (signal, "Changed"))
    on_changed (self);
}

static void
on_gone (WardGuiClearDialog *self)
{
  g_autoptr (GError) error = g_error_new (WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_FOUND,
                                          _ ("Try again when %s is back."), ward_gui_chip_get_name (self->chip));

  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
  follow_input (self);
}

static void
on_all_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiClearDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);
  g_autoptr (GVariant) dependents = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (dependents == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  self->is_all = TRUE;
  show_ledger (self, dependents);
  ward_gui_dialog_fit (WARD_GUI_DIALOG (self));
}

static void
on_all_clicked (WardGuiClearDialog *self)
{
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_ownership (self->chip),
                                                    "PreviewClearAll", NULL,
                                                    _ ("Looking for what depends on the TPM…"));

  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), NULL);
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), TRUE);
  ward_gui_call_start_async (call, on_all_looked, g_object_ref (self));
}

/* The window that the dialog is over tells it, as the dialog goes. */
static void
tell_outcome (WardGuiClearDialog *self, const char *outcome)
{
  const char *name = ward_gui_chip_get_name (self->chip);
  gboolean is_done = g_str_equal (outcome, "cleared");
  g_autofree char *title = g_strdup_printf (is_done ? _ ("%s Was Cleared") : _ ("Restart to Clear %s"), name);
  const char *body
      = is_done && self->is_tpm12 ? _ (
            "Its keys, sealed data and owner are gone, and it is switched off. Restart the computer, and enable and "
            "activate it in the setup of the firmware; then take ownership of it again.")
        : is_done
            ? _ ("Its keys, sealed data and passwords are gone. Take ownership of it again before you use it anew.")
            : _ ("The firmware clears it at the next restart of the machine. Until then the request can be "
                 "withdrawn on this page.");
  GtkWidget *dialog = adw_message_dialog_new (gtk_window_get_transient_for (GTK_WINDOW (self)), title, body);

  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
on_cleared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiClearDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  const char *outcome;

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  g_variant_get (reply, "(&s)", &outcome);
  tell_outcome (self, outcome);
  gtk_window_destroy (GTK_WINDOW (self));
}

static void
ward_gui_clear_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiClearDialog *self = WARD_GUI_CLEAR_DIALOG (dialog);
  gboolean by_firmware = is_by_firmware (self);
  const char *text = by_firmware ? _ ("The firmware is asked…") : _ ("The TPM is cleared…");
  const WardGuiAuth auth = {
    .option = "auth",
    .title = _ ("Clear the TPM"),
    .body = self->is_tpm12 ? _ ("The owner’s secret is needed to clear the TPM.")
                           : _ ("The lockout auth is needed to clear the TPM."),
    .ask_first = self->is_tpm12,
    .by_owner = self->is_tpm12,
    .is_lockout = !self->is_tpm12,
  };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_ownership (self->chip),
                                                    "Clear", NULL, text);

  ward_gui_call_set_option (call, "confirm", g_variant_new_string (gtk_editable_get_text (self->name_entry)));
  ward_gui_dialog_set_busy (dialog, TRUE);
  if (!by_firmware)
    {
      ward_gui_auth_call_async (call, self->chip, &auth, on_cleared, g_object_ref (self));
      return;
    }
  ward_gui_call_set_option (call, "physical-presence", g_variant_new_boolean (TRUE));
  ward_gui_auth_call_async (call, self->chip, &(WardGuiAuth){ 0 }, on_cleared, g_object_ref (self));
}

static void
ward_gui_clear_dialog_dispose (GObject *object)
{
  WardGuiClearDialog *self = WARD_GUI_CLEAR_DIALOG (object);

  g_clear_handle_id (&self->pause_id, g_source_remove);
  g_clear_pointer (&self->shown, g_variant_unref);
  g_clear_object (&self->chip);
  G_OBJECT_CLASS (ward_gui_clear_dialog_parent_class)->dispose (object);
}

static void
ward_gui_clear_dialog_class_init (WardGuiClearDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_clear_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_clear_dialog_apply;

  g_type_ensure (WARD_GUI_TYPE_LEDGER);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-clear-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, loading_page);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, shown_page);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, warning_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, summary_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, ledger);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, all_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, way_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, name_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, now_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, firmware_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, now_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, firmware_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiClearDialog, name_entry);
  gtk_widget_class_bind_template_callback (widget_class, follow_input);
  gtk_widget_class_bind_template_callback (widget_class, on_all_clicked);
}

static void
ward_gui_clear_dialog_init (WardGuiClearDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static const char *
describe_now (WardGuiClearDialog *self)
{
  if (self->is_tpm12)
    return may_clear_now (self) ? _ ("By the owner’s secret, which you are asked for.")
                                : _ ("It has no owner, by whose secret it would be done.");
  if (!may_clear_now (self))
    return _ ("This TPM was told to refuse to be cleared by its lockout auth.");
  if (ward_dbus_ownership_get_lockout_auth_set (ward_gui_chip_get_ownership (self->chip)))
    return _ ("By the lockout auth, which you are asked for.");
  return _ ("No lockout auth is set, so that none is needed.");
}

static const char *
describe_firmware (WardGuiClearDialog *self)
{
  const char *presence = ward_dbus_ownership_get_physical_presence (ward_gui_chip_get_ownership (self->chip));

  if (!may_ask_firmware (self))
    return _ ("This machine’s firmware takes no request to clear the TPM from the operating system. Its own menu may "
              "offer it.");
  if (self->is_tpm12)
    return g_strcmp0 (presence, "prompt") == 0
               ? _ (
                   "By the firmware, without the owner’s secret: it asks on the screen, and someone at the machine has "
                   "to press the key that it names.")
               : _ ("By the firmware, without the owner’s secret: it does not ask again.");
  if (g_strcmp0 (presence, "prompt") == 0)
    return _ ("By the firmware, without the lockout auth: it asks on the screen, and someone at the machine has to "
              "press the key that it names.");
  return _ ("By the firmware, without the lockout auth: it does not ask again.");
}

static void
show_ways (WardGuiClearDialog *self)
{
  adw_action_row_set_subtitle (self->now_row, describe_now (self));
  adw_action_row_set_subtitle (self->firmware_row, describe_firmware (self));
  gtk_widget_set_sensitive (GTK_WIDGET (self->now_row), may_clear_now (self));
  gtk_widget_set_sensitive (GTK_WIDGET (self->firmware_row), may_ask_firmware (self));
  /* the person's choice stands as long as it can be done */
  if (!may_clear_now (self) && may_ask_firmware (self))
    gtk_check_button_set_active (self->firmware_button, TRUE);
  else if (!may_ask_firmware (self))
    gtk_check_button_set_active (self->now_button, TRUE);
  gtk_widget_set_visible (self->name_group, may_clear_now (self) || may_ask_firmware (self));
}

static void
on_chip_changed (WardGuiClearDialog *self)
{
  if (ward_gui_chip_is_gone (self->chip))
    return;
  show_ways (self);
  follow_input (self);
  on_changed (self);
}

static void
follow (WardGuiClearDialog *self)
{
  g_signal_connect_object (self->chip, "changed", G_CALLBACK (on_chip_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->chip, "notify::gone", G_CALLBACK (on_gone), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_gui_chip_get_keys (self->chip), "g-signal", G_CALLBACK (on_keys_signal), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (ward_gui_chip_get_system_keys (self->chip), "g-signal", G_CALLBACK (on_keys_signal), self,
                           G_CONNECT_SWAPPED);
}

WardGuiDialog *
ward_gui_clear_dialog_new (WardGuiChip *chip)
{
  WardGuiClearDialog *self = g_object_new (WARD_GUI_TYPE_CLEAR_DIALOG, NULL);
  g_autofree char *title = g_strdup_printf (_ ("Type “%s” to Clear It"), ward_gui_chip_get_name (chip));

  self->chip = g_object_ref (chip);
  self->is_tpm12 = ward_gui_chip_is_tpm12 (chip);
  if (self->is_tpm12)
    gtk_label_set_label (
        self->warning_label,
        _ ("Clearing takes away for good all keys and sealed data of this TPM and its owner. It cannot "
           "be undone."));
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->name_entry), title);
  show_ways (self);
  follow (self);
  look (self);
  return WARD_GUI_DIALOG (self);
}
