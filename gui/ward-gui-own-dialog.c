/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-own-dialog.h"

#include <glib/gi18n.h>

#include "ward-client-generate.h"
#include "ward-client-ledger.h"
#include "ward-gui-auth.h"
#include "ward-gui-ledger.h"
#include "ward-gui-new-auth.h"
#include "ward-gui-notice.h"
#include "ward-gui-sheet.h"

/* The most bytes that the service takes; the TPM gets their digest. */
#define MAX_SIZE_OF_TPM12 64

struct _WardGuiOwnDialog
{
  WardGuiDialog parent;

  GtkWidget *choose_page, *breaking_page; /* sheet and entries_box are pages too */
  GtkWidget *auths_group, *srk_group, *known_row;
  AdwPreferencesGroup *way_group;
  AdwActionRow *lockout_row, *owner_row, *endorsement_row, *generate_row;
  GtkCheckButton *lockout_button, *owner_button, *endorsement_button;
  GtkCheckButton *srk_button, *known_button, *generate_button, *choose_button, *force_button;
  GtkLabel *breaking_label;
  WardGuiLedger *ledger;
  WardGuiSheet *sheet;
  GtkBox *entries_box;

  GtkWidget *page; /* that is shown */
  WardGuiChip *chip;
  gboolean is_tpm12;
  gboolean is_change;
  WardClientAuth which; /* then */
  gsize max_size;       /* of an auth value, in bytes; 0 while not known */

  WardGuiNewAuth *entries[WARD_CLIENT_N_AUTHS]; /* by WardClientAuth, NULL for none; owned by the box */
  WardSecret *made[WARD_CLIENT_N_AUTHS];        /* likewise, owned */
};

G_DEFINE_FINAL_TYPE (WardGuiOwnDialog, ward_gui_own_dialog, WARD_GUI_TYPE_DIALOG)

static GtkCheckButton *
button_of (WardGuiOwnDialog *self, WardClientAuth auth)
{
  switch (auth)
    {
    case WARD_CLIENT_AUTH_SRK:
      return self->srk_button;
    case WARD_CLIENT_AUTH_ENDORSEMENT:
      return self->endorsement_button;
    case WARD_CLIENT_AUTH_OWNER:
      return self->owner_button;
    case WARD_CLIENT_AUTH_LOCKOUT:
    case WARD_CLIENT_N_AUTHS:
    default:
      return self->lockout_button;
    }
}

static gboolean
is_set (WardGuiOwnDialog *self, WardClientAuth auth)
{
  return ward_client_auth_is_set (ward_gui_chip_get_ownership (self->chip), auth);
}

static WardClientAuthInfo
info_of (WardGuiOwnDialog *self, WardClientAuth auth)
{
  return ward_client_auth_info (auth, self->is_tpm12);
}

/* An owner is what a TPM 1.2 gets in any case. */
static gboolean
is_wanted (WardGuiOwnDialog *self, WardClientAuth auth)
{
  if (self->is_change)
    return auth == self->which;
  if (!ward_client_auth_exists (auth, self->is_tpm12))
    return FALSE;
  if (self->is_tpm12 && auth == WARD_CLIENT_AUTH_OWNER)
    return TRUE;
  return gtk_check_button_get_active (button_of (self, auth)) && !is_set (self, auth);
}

/* Only where there was none can one stop other programs; they do nothing with a TPM 1.2 that has no owner. */
static gboolean
may_break (WardGuiOwnDialog *self, WardClientAuth auth)
{
  return !self->is_tpm12 && is_wanted (self, auth) && !is_set (self, auth);
}

/* The secret that everybody has is to be set, which there is nothing to type or to keep of. */
static gboolean
is_well_known (WardGuiOwnDialog *self)
{
  return self->is_change && self->which == WARD_CLIENT_AUTH_SRK && gtk_check_button_get_active (self->known_button);
}

static gboolean
is_at_sheet (WardGuiOwnDialog *self)
{
  return self->page == GTK_WIDGET (self->sheet);
}

static gboolean
is_at_entries (WardGuiOwnDialog *self)
{
  return self->page == GTK_WIDGET (self->entries_box);
}

static gboolean
has_wanted (WardGuiOwnDialog *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    if (is_wanted (self, (WardClientAuth)i))
      return TRUE;
  return FALSE;
}

static gboolean
has_entries (WardGuiOwnDialog *self)
{
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      g_autoptr (WardSecret) secret = self->entries[i] != NULL ? ward_gui_new_auth_dup_secret (self->entries[i]) : NULL;

      if (self->entries[i] != NULL && secret == NULL)
        return FALSE;
    }
  return TRUE;
}

static void
show_problem (WardGuiOwnDialog *self)
{
  g_autofree char *problem = NULL;

  for (int i = WARD_CLIENT_N_AUTHS - 1; i >= 0 && problem == NULL; i--)
    if (self->entries[i] != NULL)
      problem = ward_gui_new_auth_dup_problem (self->entries[i]);
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), problem);
}

static void
follow_input (WardGuiOwnDialog *self)
{
  gboolean is_last = is_at_sheet (self) || is_at_entries (self) || is_well_known (self);
  gboolean can_apply;

  /* while the template is built */
  if (self->chip == NULL)
    return;
  if (self->page == self->choose_page)
    can_apply = has_wanted (self);
  else if (self->page == self->breaking_page)
    can_apply = gtk_check_button_get_active (self->force_button);
  else if (is_at_sheet (self))
    can_apply = ward_gui_sheet_is_kept (self->sheet);
  else
    can_apply = has_entries (self);
  g_object_set (self, "apply-label", is_last ? _ ("_Set") : _ ("_Next"), NULL);
  ward_gui_dialog_set_can_apply (WARD_GUI_DIALOG (self), can_apply);
  if (is_at_entries (self))
    show_problem (self);
}

static void
show_page (WardGuiOwnDialog *self, GtkWidget *page)
{
  ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), NULL);
  gtk_widget_set_visible (self->page, FALSE);
  self->page = page;
  gtk_widget_set_visible (page, TRUE);
  follow_input (self);
  ward_gui_dialog_fit (WARD_GUI_DIALOG (self));
}

static void
forget_secrets (WardGuiOwnDialog *self)
{
  ward_gui_sheet_clear (self->sheet);
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      g_clear_pointer (&self->made[i], ward_secret_unref);
      if (self->entries[i] != NULL)
        gtk_box_remove (self->entries_box, GTK_WIDGET (self->entries[i]));
      self->entries[i] = NULL;
    }
}

static void
show_sheet (WardGuiOwnDialog *self)
{
  g_autoptr (GError) error = NULL;

  if (self->max_size > 0 && self->max_size < WARD_CLIENT_GENERATE_SIZE)
    {
      g_set_error (&error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_SUPPORTED,
                   _ ("It takes passwords of at most %u bytes, too few for one that is made here and easily written "
                      "down. Choose one yourself."),
                   (guint)self->max_size);
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      if (!is_wanted (self, (WardClientAuth)i))
        continue;
      self->made[i] = ward_client_generate (&error);
      if (self->made[i] != NULL)
        continue;
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  ward_gui_sheet_fill (self->sheet, self->chip, self->made);
  show_page (self, GTK_WIDGET (self->sheet));
}

static void
show_entries (WardGuiOwnDialog *self)
{
  /* the one that is recommended comes first */
  for (int i = WARD_CLIENT_N_AUTHS - 1; i >= 0; i--)
    {
      GtkWidget *entry;

      if (!is_wanted (self, (WardClientAuth)i))
        continue;
      entry = ward_gui_new_auth_new ((WardClientAuth)i, self->is_tpm12, self->max_size);
      self->entries[i] = WARD_GUI_NEW_AUTH (entry);
      g_signal_connect_object (entry, "changed", G_CALLBACK (follow_input), self, G_CONNECT_SWAPPED);
      gtk_box_append (self->entries_box, entry);
    }
  show_page (self, GTK_WIDGET (self->entries_box));
  gtk_widget_child_focus (GTK_WIDGET (self->entries_box), GTK_DIR_TAB_FORWARD);
}

static void
show_secrets (WardGuiOwnDialog *self)
{
  forget_secrets (self);
  if (gtk_check_button_get_active (self->generate_button))
    show_sheet (self);
  else
    show_entries (self);
}

static void
show_breaking (WardGuiOwnDialog *self, GVariant *breaking)
{
  gtk_label_set_label (self->breaking_label,
                       _ ("These use the TPM without a password, or may do so, and would stop working."));
  ward_gui_ledger_show_list (self->ledger, breaking, "");
  gtk_widget_set_visible (GTK_WIDGET (self->ledger), TRUE);
  show_page (self, self->breaking_page);
}

/* The service would refuse too, where nobody can look. */
static gboolean
is_unable_to_look (const GError *error)
{
  return g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_NOT_SUPPORTED)
         || g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_UNREACHABLE);
}

static void
show_unseen (WardGuiOwnDialog *self, const GError *error)
{
  g_autofree char *text = g_strdup_printf (_ ("It cannot be told what would stop working. %s"), error->message);

  gtk_label_set_label (self->breaking_label, text);
  gtk_widget_set_visible (GTK_WIDGET (self->ledger), FALSE);
  show_page (self, self->breaking_page);
}

static void
on_previewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiOwnDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);
  g_autoptr (GVariant) all = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;
  g_autoptr (GVariant) breaking = NULL;

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (all == NULL && is_unable_to_look (error))
    {
      show_unseen (self, error);
      return;
    }
  if (all == NULL)
    {
      ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
      return;
    }
  breaking = ward_client_ledger_select_breaking (all, may_break (self, WARD_CLIENT_AUTH_OWNER),
                                                 may_break (self, WARD_CLIENT_AUTH_ENDORSEMENT));
  if (g_variant_n_children (breaking) > 0)
    show_breaking (self, breaking);
  else
    show_secrets (self);
}

static void
look_for_breaking (WardGuiOwnDialog *self)
{
  g_autoptr (WardGuiCall) call = NULL;

  gtk_check_button_set_active (self->force_button, FALSE);
  if (!may_break (self, WARD_CLIENT_AUTH_OWNER) && !may_break (self, WARD_CLIENT_AUTH_ENDORSEMENT))
    {
      show_secrets (self);
      return;
    }
  call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_ownership (self->chip), "PreviewOwnership", NULL,
                            _ ("Looking for what would stop working…"));
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), TRUE);
  ward_gui_call_start_async (call, on_previewed, g_object_ref (self));
}

/* What broke down on the way may have been done, or in part. */
static gboolean
is_doubtful (const GError *error)
{
  static const int codes[] = { WARD_CLIENT_ERROR_FAILED, WARD_CLIENT_ERROR_UNREACHABLE, WARD_CLIENT_ERROR_NO_BUS,
                               WARD_CLIENT_ERROR_SERVICE_FAILED };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_error_matches (error, WARD_CLIENT_ERROR, codes[i]))
      return TRUE;
  return FALSE;
}

static void
show_failure (WardGuiOwnDialog *self, const GError *error)
{
  ward_gui_dialog_set_error (WARD_GUI_DIALOG (self), error);
  if (g_error_matches (error, WARD_CLIENT_ERROR, WARD_CLIENT_ERROR_WOULD_BREAK))
    show_page (self, self->choose_page);
  else if (is_at_sheet (self) && is_doubtful (error))
    ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), _ ("Keep the sheet until you know that what it shows was not "
                                                         "set."));
  else if (is_at_sheet (self))
    ward_gui_dialog_set_hint (WARD_GUI_DIALOG (self), _ ("What the sheet shows was not set, and is of no use unless "
                                                         "you try again."));
}

static char *
describe_success (WardGuiOwnDialog *self)
{
  const char *name = ward_gui_chip_get_name (self->chip);

  if (!self->is_change)
    return g_strdup_printf (_ ("%s is owned now"), name);
  return g_strdup_printf (_ ("%s has a new %s"), name, info_of (self, self->which).what);
}

static void
on_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiOwnDialog) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);
  GtkWindow *parent = gtk_window_get_transient_for (GTK_WINDOW (self));
  g_autofree char *text = describe_success (self);

  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), FALSE);
  if (reply == NULL)
    {
      show_failure (self, error);
      return;
    }
  if (parent != NULL)
    ward_gui_notice_toast (GTK_WIDGET (parent), text);
  gtk_window_destroy (GTK_WINDOW (self));
}

/* The value that is to be set; a new reference. */
static WardSecret *
dup_secret (WardGuiOwnDialog *self, WardClientAuth auth)
{
  if (is_at_sheet (self))
    return self->made[auth] != NULL ? ward_secret_ref (self->made[auth]) : NULL;
  return self->entries[auth] != NULL ? ward_gui_new_auth_dup_secret (self->entries[auth]) : NULL;
}

static WardGuiCall *
new_take_call (WardGuiOwnDialog *self)
{
  WardGuiCall *call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_ownership (self->chip), "TakeOwnership",
                                         NULL, _ ("The TPM is taken into ownership…"));

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    {
      g_autoptr (WardSecret) secret = dup_secret (self, (WardClientAuth)i);

      ward_gui_call_set_secret (call, info_of (self, (WardClientAuth)i).option, secret);
    }
  return call;
}

static WardGuiCall *
new_change_call (WardGuiOwnDialog *self)
{
  const char *name = info_of (self, self->which).name;
  WardGuiCall *call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_ownership (self->chip), "ChangeAuth",
                                         g_variant_new ("(s)", name), _ ("The TPM changes the auth…"));
  g_autoptr (WardSecret) secret = dup_secret (self, self->which);

  ward_gui_call_set_secret (call, "new", secret);
  return call;
}

static void
set (WardGuiOwnDialog *self)
{
  g_autoptr (WardGuiCall) call = self->is_change ? new_change_call (self) : new_take_call (self);
  gboolean is_srk = self->which == WARD_CLIENT_AUTH_SRK;
  g_autofree char *body = g_strdup_printf (is_srk ? _ ("To change the %s the owner’s secret is needed.")
                                                  : _ ("To change the %s the present one is needed."),
                                           info_of (self, self->which).what);
  const WardGuiAuth auth = {
    .option = !self->is_change ? NULL
              : is_srk         ? "owner-auth"
                               : "old",
    .title = gtk_window_get_title (GTK_WINDOW (self)),
    .body = self->is_change ? body : NULL,
    .ask_first = self->is_change && is_set (self, self->which),
    .by_owner = self->is_change && self->which != WARD_CLIENT_AUTH_LOCKOUT,
    .is_lockout = is_wanted (self, WARD_CLIENT_AUTH_LOCKOUT),
  };

  if (gtk_check_button_get_active (self->force_button))
    ward_gui_call_set_option (call, "force", g_variant_new_boolean (TRUE));
  ward_gui_dialog_set_busy (WARD_GUI_DIALOG (self), TRUE);
  ward_gui_auth_call_async (call, self->chip, &auth, on_set, g_object_ref (self));
}

static void
ward_gui_own_dialog_apply (WardGuiDialog *dialog)
{
  WardGuiOwnDialog *self = WARD_GUI_OWN_DIALOG (dialog);

  if (self->page == self->choose_page && is_well_known (self))
    set (self);
  else if (self->page == self->choose_page)
    look_for_breaking (self);
  else if (self->page == self->breaking_page)
    show_secrets (self);
  else
    set (self);
}

static void
ward_gui_own_dialog_dispose (GObject *object)
{
  WardGuiOwnDialog *self = WARD_GUI_OWN_DIALOG (object);

  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    g_clear_pointer (&self->made[i], ward_secret_unref);
  g_clear_object (&self->chip);
  G_OBJECT_CLASS (ward_gui_own_dialog_parent_class)->dispose (object);
}

static void
ward_gui_own_dialog_class_init (WardGuiOwnDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = ward_gui_own_dialog_dispose;
  WARD_GUI_DIALOG_CLASS (klass)->apply = ward_gui_own_dialog_apply;

  g_type_ensure (WARD_GUI_TYPE_LEDGER);
  g_type_ensure (WARD_GUI_TYPE_SHEET);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-own-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, choose_page);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, breaking_page);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, auths_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, srk_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, srk_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, way_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, known_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, known_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, generate_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, lockout_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, owner_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, endorsement_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, lockout_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, owner_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, endorsement_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, generate_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, choose_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, force_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, breaking_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, ledger);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, sheet);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnDialog, entries_box);
  gtk_widget_class_bind_template_callback (widget_class, follow_input);
}

static void
ward_gui_own_dialog_init (WardGuiOwnDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->page = self->choose_page;
  adw_action_row_set_subtitle (self->lockout_row, info_of (self, WARD_CLIENT_AUTH_LOCKOUT).protects);
  adw_action_row_set_subtitle (self->owner_row, info_of (self, WARD_CLIENT_AUTH_OWNER).protects);
  adw_action_row_set_subtitle (self->endorsement_row, info_of (self, WARD_CLIENT_AUTH_ENDORSEMENT).protects);
}

static void
on_properties (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiOwnDialog) self = user_data;
  g_autoptr (GVariant) reply = ward_client_call_finish (source, result, NULL);
  g_autoptr (GVariant) properties = reply != NULL ? g_variant_get_child_value (reply, 0) : NULL;

  if (properties == NULL)
    return;
  self->max_size = ward_client_auth_max_size (properties);
  for (int i = 0; i < WARD_CLIENT_N_AUTHS; i++)
    if (self->entries[i] != NULL)
      ward_gui_new_auth_set_max_size (self->entries[i], self->max_size);
}

static WardGuiOwnDialog *
new_dialog (WardGuiChip *chip, const char *title)
{
  WardGuiOwnDialog *self = g_object_new (WARD_GUI_TYPE_OWN_DIALOG, "title", title, NULL);

  self->chip = g_object_ref (chip);
  self->is_tpm12 = ward_gui_chip_is_tpm12 (chip);
  if (self->is_tpm12)
    self->max_size = MAX_SIZE_OF_TPM12;
  else
    ward_client_call_async (ward_gui_chip_get_tpm (chip), "GetProperties", NULL, NULL, WARD_CLIENT_CALL_NONE, NULL,
                            on_properties, g_object_ref (self));
  return self;
}

WardGuiDialog *
ward_gui_own_dialog_new (WardGuiChip *chip)
{
  WardGuiOwnDialog *self = new_dialog (chip, _ ("Take Ownership"));

  gtk_widget_set_visible (self->auths_group, !self->is_tpm12);
  gtk_widget_set_visible (self->srk_group, self->is_tpm12);
  if (self->is_tpm12)
    {
      adw_preferences_group_set_title (self->way_group, _ ("The Owner’s Secret"));
      adw_preferences_group_set_description (self->way_group, info_of (self, WARD_CLIENT_AUTH_OWNER).protects);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->lockout_row), !is_set (self, WARD_CLIENT_AUTH_LOCKOUT));
  gtk_widget_set_visible (GTK_WIDGET (self->owner_row), !is_set (self, WARD_CLIENT_AUTH_OWNER));
  gtk_widget_set_visible (GTK_WIDGET (self->endorsement_row), !is_set (self, WARD_CLIENT_AUTH_ENDORSEMENT));
  follow_input (self);
  return WARD_GUI_DIALOG (self);
}

static void
recommend_well_known (WardGuiOwnDialog *self)
{
  gtk_widget_set_visible (self->known_row, TRUE);
  gtk_check_button_set_active (self->known_button, TRUE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->generate_row), _ ("Make a Strong One"));
}

WardGuiDialog *
ward_gui_own_dialog_new_change (WardGuiChip *chip, WardClientAuth auth)
{
  static const char *const titles[] = {
    [WARD_CLIENT_AUTH_SRK] = N_ ("Secret of the Storage Root Key"),
    [WARD_CLIENT_AUTH_ENDORSEMENT] = N_ ("Endorsement Auth"),
    [WARD_CLIENT_AUTH_OWNER] = N_ ("Owner Auth"),
    [WARD_CLIENT_AUTH_LOCKOUT] = N_ ("Lockout Auth"),
  };
  gboolean is_owner_of_tpm12 = auth == WARD_CLIENT_AUTH_OWNER && ward_gui_chip_is_tpm12 (chip);
  WardGuiOwnDialog *self = new_dialog (chip, is_owner_of_tpm12 ? _ ("The Owner’s Secret") : _ (titles[auth]));

  self->is_change = TRUE;
  self->which = auth;
  gtk_widget_set_visible (self->auths_group, FALSE);
  adw_preferences_group_set_title (self->way_group, _ ("New Password"));
  adw_preferences_group_set_description (self->way_group, info_of (self, auth).protects);
  if (auth == WARD_CLIENT_AUTH_SRK)
    recommend_well_known (self);
  follow_input (self);
  return WARD_GUI_DIALOG (self);
}
