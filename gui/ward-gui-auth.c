/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-auth.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ward-client-text.h"
#include "ward-gui-dialog.h"

/* Asks for one secret of one call, again and again until the call has ended or the person gives up. */
#define WARD_GUI_TYPE_AUTH_DIALOG (ward_gui_auth_dialog_get_type ())
G_DECLARE_FINAL_TYPE (WardGuiAuthDialog, ward_gui_auth_dialog, WARD_GUI, AUTH_DIALOG, WardGuiDialog)

/* The data of a task whose source is the call. */
typedef struct
{
  WardGuiChip *chip;
  char *option, *title, *body;
  gboolean is_needed, by_owner, by_srk, is_lockout;

  GtkWindow *dialog;    /* weak; NULL while nobody was asked */
  gboolean was_asked;   /* then without a dialog the person has given up */
  gboolean is_on_guard; /* the service refused before the chip saw the secret */
  gboolean is_refused;  /* a secret was wrong, be it none */
  guint own_tries;      /* that the person has left; G_MAXUINT when not known */
} Attempt;

struct _WardGuiAuthDialog
{
  WardGuiDialog parent;

  GtkLabel *body_label, *tries_label;
  GtkWidget *entry_group, *entry, *known_row, *srk_group, *srk_entry, *force_group;
  AdwActionRow *force_row;
  GtkCheckButton *known_button, *force_button;

  GTask *task; /* NULL once nothing is to be asked any more */
};

G_DEFINE_FINAL_TYPE (WardGuiAuthDialog, ward_gui_auth_dialog, WARD_GUI_TYPE_DIALOG)

static void try_call (GTask *task);

static void
attempt_free (gpointer data)
{
  Attempt *attempt = data;

  g_clear_weak_pointer (&attempt->dialog);
  g_object_unref (attempt->chip);
  g_free (attempt->option);
  g_free (attempt->title);
  g_free (attempt->body);
  g_free (attempt);
}

WardSecret *
ward_gui_auth_dup_secret (GtkEditable *editable)
{
  const char *text = gtk_editable_get_text (editable);

  return ward_secret_new_from (text, strlen (text));
}

static WardDbusLockout *
lockout_of (const Attempt *attempt)
{
  return ward_gui_chip_get_lockout (attempt->chip);
}

/* The lockout hierarchy has no auth value: nothing is to be typed. */
static gboolean
is_needless (const Attempt *attempt)
{
  return attempt->is_lockout && !ward_dbus_ownership_get_lockout_auth_set (ward_gui_chip_get_ownership (attempt->chip));
}

/* A key of a TPM 1.2 has a secret or none, and what was refused for one that has none was the storage root key's. */
static gboolean
takes_secret (const Attempt *attempt)
{
  return attempt->option != NULL && !is_needless (attempt) && (attempt->is_needed || !attempt->by_srk);
}

/* The person is asked for the secret of the storage root key: it can be what was refused. */
static gboolean
wants_srk (const Attempt *attempt)
{
  return attempt->by_srk && attempt->is_refused;
}

/* By the service's record; its clock tells when it is over, at its next look. */
static gboolean
is_barred (const Attempt *attempt)
{
  return attempt->is_lockout
         && ward_dbus_lockout_get_lockout_auth_barred_until (lockout_of (attempt)) > (guint64)g_get_real_time ();
}

static void
follow_input (WardGuiAuthDialog *self)
{
  gboolean is_known = gtk_check_button_get_active (self->known_button);
  gboolean has_srk = *gtk_editable_get_text (GTK_EDITABLE (self->srk_entry)) != '\0';
  gboolean has_text = is_known || *gtk_editable_get_text (GTK_EDITABLE (self->entry)) != '\0';
  /* a key's own secret is one more beside that of the storage root key, which may be the well-known one */
  gboolean has_secret = gtk_widget_get_visible (self->entry_group)
                            ? has_text
                            : has_srk || !gtk_widget_get_visible (self->srk_group);
  gboolean insists = !gtk_widget_get_visible (self->force_group) || gtk_check_button_get_active (self->force_button);

  gtk_widget_set_sensitive (self->entry, !is_known);
  if (has_text || has_srk)
    ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), NULL);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), has_secret && insists);
}

static char *
describe_lock (const Attempt *attempt)
{
  guint64 then = ward_dbus_lockout_get_next_recovery (lockout_of (attempt));
  g_autofree char *instant = NULL;

  if (ward_gui_chip_is_tpm12 (attempt->chip))
    return g_strdup (
        _ ("The TPM is locked after too many wrong passwords. It takes none for a while, and does not tell "
           "for how long."));
  if (then == 0)
    return g_strdup (_ ("The TPM is locked after too many wrong passwords, and takes none until it is reset."));
  instant = ward_client_text_instant (then);
  return g_strdup_printf (_ ("The TPM is locked after too many wrong passwords. It takes the next one at %s at "
                             "the latest."),
                          instant);
}

/* What a wrong lockout auth costs. */
static char *
describe_stake (WardDbusLockout *lockout)
{
  guint32 seconds = ward_dbus_lockout_get_lockout_recovery_seconds (lockout);
  g_autofree char *span = ward_client_text_span (seconds);

  if (seconds == 0)
    return g_strdup (_ ("This is the only try: after a wrong lockout auth the TPM refuses even the right one until the "
                        "machine is restarted. Then nobody can end a lockout, change its parameters or clear the TPM "
                        "by its lockout auth."));
  return g_strdup_printf (_ ("This is the only try: after a wrong lockout auth the TPM refuses even the right one for "
                             "%s. Then nobody can end a lockout, change its parameters or clear the TPM by its "
                             "lockout auth."),
                          span);
}

/* *is_last: one more wrong one locks the TPM, or the person. */
static char *
describe_tries (const Attempt *attempt, gboolean *is_last)
{
  WardDbusLockout *lockout = lockout_of (attempt);
  guint max = ward_dbus_lockout_get_max_failures (lockout);
  guint left = max - MIN (max, ward_dbus_lockout_get_failures (lockout));
  guint own = MIN (left, attempt->own_tries);

  *is_last = TRUE;
  if (attempt->is_lockout)
    return describe_stake (lockout);
  if (ward_dbus_lockout_get_locked_out (lockout))
    return describe_lock (attempt);
  *is_last = own <= 1 && max > 0;
  /* the TPM counts no wrong owner auth, and one of TPM 1.2 does not tell */
  if (attempt->by_owner || max == 0)
    return NULL;
  if (left <= 1)
    return g_strdup (_ ("This is the last try before the TPM locks itself."));
  if (own == 0)
    return g_strdup (_ ("You have no try left for now: the others are kept for other people."));
  if (own == 1)
    return g_strdup (_ ("This is your last try for now: the others are kept for other people."));
  if (own < left)
    return g_strdup_printf (ngettext ("You have %u try left.", "You have %u tries left.", own), own);
  return g_strdup_printf (
      ngettext ("%u try is left before the TPM locks itself.", "%u tries are left before the TPM locks itself.", left),
      left);
}

static void
show_tries (WardGuiAuthDialog *self, const Attempt *attempt)
{
  gboolean is_last = FALSE;
  g_autofree char *text = describe_tries (attempt, &is_last);
  GtkWidget *label = GTK_WIDGET (self->tries_label);

  gtk_label_set_label (self->tries_label, text != NULL ? text : "");
  gtk_widget_set_visible (label, text != NULL && !is_needless (attempt));
  gtk_widget_remove_css_class (label, is_last ? "dim-label" : "error");
  gtk_widget_add_css_class (label, is_last ? "error" : "dim-label");
}

static char *
describe_bar (WardDbusLockout *lockout)
{
  guint64 until = ward_dbus_lockout_get_lockout_auth_barred_until (lockout);
  g_autofree char *instant = NULL;

  if (until == G_MAXUINT64)
    return g_strdup (_ ("A wrong lockout auth is on record: even the right one is refused until the TPM is reset, at "
                        "the next restart of the machine."));
  if (until == 0)
    return g_strdup (_ ("A wrong lockout auth is on record: even the right one may be refused."));
  instant = ward_client_text_instant (until);
  return g_strdup_printf (_ ("A wrong lockout auth is on record: even the right one is refused until %s, and a further "
                             "wrong one after that bars it anew."),
                          instant);
}

static void
show_guard (WardGuiAuthDialog *self, const Attempt *attempt)
{
  g_autofree char *text = describe_bar (lockout_of (attempt));

  gtk_widget_set_visible (self->force_group, is_barred (attempt) || attempt->is_on_guard);
  adw_action_row_set_subtitle (self->force_row, text);
}

static void
forget_secrets (WardGuiAuthDialog *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->entry), "");
  gtk_editable_set_text (GTK_EDITABLE (self->srk_entry), "");
}

/* Also when the chip has changed while the dialog is open. */
static void
show (WardGuiAuthDialog *self)
{
  const Attempt *attempt = self->task != NULL ? g_task_get_task_data (self->task) : NULL;

  if (attempt == NULL)
    return;
  gtk_widget_set_visible (self->entry_group, takes_secret (attempt));
  gtk_widget_set_visible (self->known_row, attempt->by_owner && ward_gui_chip_is_tpm12 (attempt->chip));
  gtk_widget_set_visible (self->srk_group, wants_srk (attempt));
  show_tries (self, attempt);
  show_guard (self, attempt);
  follow_input (self);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    ward_gui_dialog_fit (WARD_GUI_DIALOG (self));
}

static void
ward_gui_auth_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiAuthDialog *self = WARD_GUI_AUTH_DIALOG (dialog);
  const Attempt *attempt = g_task_get_task_data (self->task);
  WardGuiCall *call = g_task_get_source_object (self->task);
  g_autoptr (WardSecret) secret = NULL;
  g_autoptr (WardSecret) srk_secret = NULL;

  /* the well-known one is what is taken for none */
  if (gtk_widget_get_visible (self->entry_group) && !gtk_check_button_get_active (self->known_button))
    secret = ward_gui_auth_dup_secret (GTK_EDITABLE (self->entry));
  if (*gtk_editable_get_text (GTK_EDITABLE (self->srk_entry)) != '\0')
    srk_secret = ward_gui_auth_dup_secret (GTK_EDITABLE (self->srk_entry));
  forget_secrets (self);
  if (attempt->option != NULL)
    ward_gui_call_set_secret (call, attempt->option, secret);
  if (attempt->by_srk)
    ward_gui_call_set_secret (call, "srk-auth", srk_secret);
  if (gtk_widget_get_visible (self->force_group))
    ward_gui_call_set_option (call, "force", g_variant_new_boolean (TRUE));
  ward_gui_dialog_set_busy (dialog, TRUE);
  try_call (self->task);
}

/* A call that is under way ends the task itself. */
static void
give_up (WardGuiAuthDialog *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  Attempt *attempt;

  forget_secrets (self);
  if (task == NULL)
    return;
  attempt = g_task_get_task_data (task);
  g_clear_weak_pointer (&attempt->dialog);
  if (ward_gui_dialog_is_busy (WARD_GUI_DIALOG (self)))
    ward_gui_call_withdraw (g_task_get_source_object (task));
  else
    g_task_return_new_error (task, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CANCELLED, "%s",
                             _ ("The password was not given."));
}

static gboolean
on_close_request (WardGuiAuthDialog *self)
{
  give_up (self);
  return FALSE;
}

static void
ward_gui_auth_dialog_dispose (GObject *object)
{
  WardGuiAuthDialog *self = WARD_GUI_AUTH_DIALOG (object);

  if (self->task != NULL)
    give_up (self);
  G_OBJECT_CLASS (ward_gui_auth_dialog_parent_class)->dispose (object);
}

static void
ward_gui_auth_dialog_class_init (WardGuiAuthDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_auth_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_auth_dialog_apply;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-auth.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, body_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, tries_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, entry_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, entry);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, known_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, known_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, srk_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, srk_entry);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, force_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, force_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiAuthDialog, force_button);
  gtk_widget_class_bind_template_callback (widget_class, follow_input);
}

static void
ward_gui_auth_dialog_init (WardGuiAuthDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self, "close-request", G_CALLBACK (on_close_request), NULL);
}

static void
focus (WardGuiAuthDialog *self)
{
  gtk_widget_grab_focus (gtk_widget_get_visible (self->entry_group) ? self->entry : self->srk_entry);
}

static void
open_dialog (GTask *task, Attempt *attempt, GtkWidget *widget)
{
  WardGuiAuthDialog *self = g_object_new (WARD_GUI_TYPE_AUTH_DIALOG, "title", attempt->title, NULL);

  self->task = g_object_ref (task);
  g_set_weak_pointer (&attempt->dialog, GTK_WINDOW (self));
  attempt->was_asked = TRUE;
  gtk_label_set_label (self->body_label, attempt->body != NULL ? attempt->body : "");
  gtk_widget_set_visible (GTK_WIDGET (self->body_label), attempt->body != NULL);
  g_signal_connect_object (attempt->chip, "changed", G_CALLBACK (show), self, G_CONNECT_SWAPPED);
  show (self);
  ward_gui_dialog_present (WARD_GUI_DIALOG (self), widget);
  focus (self);
  /* other programs fail too, and what is shown is to be true */
  ward_client_call_async (ward_gui_chip_get_tpm (attempt->chip), "Refresh", NULL, NULL, WARD_CLIENT_CALL_NONE, NULL,
                          NULL, NULL);
}

/* What went wrong is shown when the person had a part in it. */
static void
ask (GTask *task, const GError *error)
{
  Attempt *attempt = g_task_get_task_data (task);
  GtkWidget *widget = ward_gui_call_get_widget (g_task_get_source_object (task));
  WardGuiAuthDialog *dialog;

  if (attempt->dialog == NULL && (attempt->was_asked || widget == NULL || gtk_widget_get_root (widget) == NULL))
    {
      g_task_return_new_error (task, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_CANCELLED, "%s",
                               _ ("The password was not given."));
      return;
    }
  if (attempt->dialog == NULL)
    {
      open_dialog (task, attempt, widget);
      return;
    }
  dialog = WARD_GUI_AUTH_DIALOG (attempt->dialog);
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (dialog), FALSE);
  gtk_check_button_set_active (dialog->force_button, FALSE);
  show (dialog);
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (dialog), error);
  focus (dialog);
}

/* The service tells each user their own number, which is no property, in its message alone. */
static guint
read_own_tries (const GError *error)
{
  static const char before[] = "You have ";
  const char *words = strstr (error->message, before);
  const char *number = words != NULL ? words + strlen (before) : "";
  char *end;
  guint64 n = g_ascii_strtoull (number, &end, 10);

  return end != number && g_str_has_prefix (end, " more tries") ? (guint)MIN (n, G_MAXUINT) : G_MAXUINT;
}

/* Whether another secret, or insisting, could help. */
static gboolean
is_worth_asking (Attempt *attempt, const GError *error)
{
  gboolean is_locked = g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_LOCKED_OUT);
  gboolean is_wrong = g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_AUTHENTICATION_FAILED);

  attempt->is_on_guard = attempt->is_lockout && is_locked;
  attempt->is_refused = attempt->is_refused || is_wrong;
  attempt->own_tries = read_own_tries (error);
  if ((attempt->option == NULL && !attempt->by_srk) || attempt->is_on_guard)
    return attempt->is_on_guard;
  return is_wrong || (is_locked && attempt->dialog != NULL)
         || (attempt->by_owner && !ward_gui_chip_is_tpm12 (attempt->chip)
             && g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_OWNED));
}

static void
close_dialog (Attempt *attempt)
{
  WardGuiAuthDialog *dialog = attempt->dialog != NULL ? WARD_GUI_AUTH_DIALOG (attempt->dialog) : NULL;

  if (dialog == NULL)
    return;
  g_clear_object (&dialog->task);
  gtk_window_destroy (GTK_WINDOW (dialog));
}

static void
on_tried (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Attempt *attempt = g_task_get_task_data (task);
  WardGuiCall *call = WARD_GUI_CALL (source);
  g_autoptr (GError) error = NULL;
  GVariant *reply = ward_gui_call_start_finish (call, result, &error);

  if (attempt->option != NULL)
    ward_gui_call_set_secret (call, attempt->option, NULL);
  if (attempt->by_srk)
    ward_gui_call_set_secret (call, "srk-auth", NULL);
  if (reply == NULL && is_worth_asking (attempt, error))
    {
      ask (task, error);
      return;
    }
  close_dialog (attempt);
  if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
try_call (GTask *task)
{
  ward_gui_call_start_async (g_task_get_source_object (task), on_tried, g_object_ref (task));
}

static void
begin (GTask *task, gboolean ask_first)
{
  const Attempt *attempt = g_task_get_task_data (task);

  if (ask_first || is_barred (attempt) || (attempt->is_lockout && !is_needless (attempt)))
    ask (task, NULL);
  else
    try_call (task);
}

static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, &error);

  if (reply != NULL)
    begin (task, FALSE);
  else
    g_task_return_error (task, error);
}

void
ward_gui_auth_call_async (WardGuiCall *call, WardGuiChip *chip, const WardGuiAuth *auth, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (call, NULL, callback, user_data);
  Attempt *attempt = g_new0 (Attempt, 1);

  attempt->chip = g_object_ref (chip);
  attempt->option = g_strdup (auth->option);
  attempt->title = g_strdup (auth->title);
  attempt->body = g_strdup (auth->body);
  attempt->is_needed = auth->ask_first;
  attempt->by_owner = auth->by_owner;
  attempt->by_srk = auth->by_srk && ward_gui_chip_is_tpm12 (chip);
  attempt->is_lockout = auth->is_lockout;
  attempt->own_tries = G_MAXUINT;
  g_task_set_task_data (task, attempt, attempt_free);

  ward_gui_call_set_has_options (call);
  /* to try none where another program has set one would be a wrong one, and bar the lockout hierarchy */
  if (auth->is_lockout)
    ward_client_call_async (ward_gui_chip_get_tpm (chip), "Refresh", NULL, NULL, WARD_CLIENT_CALL_NONE, NULL,
                            on_refreshed, g_steal_pointer (&task));
  else
    begin (task, auth->ask_first);
}

GVariant *
ward_gui_auth_call_finish (WardGuiCall *call, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, call), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
