/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-ownership-page.h"

#include <glib/gi18n.h>

#include "ward-client-auth.h"
#include "ward-gui-auth.h"
#include "ward-gui-clear-dialog.h"
#include "ward-gui-lockout-group.h"
#include "ward-gui-notice.h"
#include "ward-gui-own-dialog.h"
#include "ward-gui-release.h"
#include "ward-gui-switches-group.h"

/* What shows one auth value. */
typedef struct
{
  AdwActionRow *row;
  GtkImage *icon;
  GtkButton *button;
} AuthRow;

struct _WardGuiOwnershipPage
{
  WardGuiPage parent;

  AdwActionRow *state_row, *hierarchy_row, *srk_row, *pending_row, *disable_row, *firmware_row;
  GtkImage *state_icon;
  GtkWidget *buttons_group, *own_button, *release_button, *srk_button, *disable_button;
  GtkWidget *auths_group, *srk_group;        /* of TPM 2.0 */
  GtkWidget *switches_group, *secrets_group; /* of TPM 1.2 */
  AdwActionRow *owner_secret_row, *srk_secret_row;
  AdwPreferencesGroup *clearing_group;
  AdwActionRow *lockout_row, *owner_row, *endorsement_row;
  GtkImage *lockout_icon, *owner_icon, *endorsement_icon;
  GtkButton *lockout_button, *owner_button, *endorsement_button;
};

G_DEFINE_FINAL_TYPE (WardGuiOwnershipPage, ward_gui_ownership_page, WARD_GUI_TYPE_PAGE)

static WardDbusOwnership *
ownership_of (WardGuiOwnershipPage *self)
{
  return ward_gui_chip_get_ownership (ward_gui_page_get_chip (WARD_GUI_PAGE (self)));
}

static gboolean
is_tpm12 (WardGuiOwnershipPage *self)
{
  return ward_gui_chip_is_tpm12 (ward_gui_page_get_chip (WARD_GUI_PAGE (self)));
}

static void
set_state (WardGuiOwnershipPage *self, gboolean is_owned, gboolean is_safe, const char *subtitle)
{
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->state_row), is_owned ? _ ("Owned") : _ ("Not Owned"));
  adw_action_row_set_subtitle (self->state_row, subtitle);
  gtk_image_set_from_icon_name (self->state_icon, is_safe ? "emblem-ok-symbolic" : "dialog-information-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (self->state_icon), is_safe ? "accent" : "success");
  gtk_widget_add_css_class (GTK_WIDGET (self->state_icon), is_safe ? "success" : "accent");
}

/* A TPM 1.2 that has an owner has one until it is cleared, and takes one only while it is switched on. */
static void
show_state_of_tpm12 (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  gboolean is_owned = ward_dbus_ownership_get_owned (ownership);
  gboolean is_on = ward_dbus_ownership_get_enabled (ownership) && ward_dbus_ownership_get_active (ownership);

  set_state (self, is_owned, is_owned,
             is_owned ? _ ("Only who knows the owner’s secret may lift a lockout of this TPM, switch it off and clear "
                           "it. It has an owner until it is cleared.")
                      : _ ("Until it has an owner it has no storage root key: no keys can be made in it, and nothing "
                           "can be sealed."));
  gtk_widget_set_visible (self->own_button, !is_owned && is_on);
  gtk_widget_set_visible (self->release_button, FALSE);
  gtk_widget_set_visible (self->buttons_group, !is_owned && is_on);
}

static void
show_state (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  gboolean is_owned = ward_dbus_ownership_get_owned (ownership);
  gboolean has_lockout = ward_dbus_ownership_get_lockout_auth_set (ownership);
  gboolean has_any = is_owned || ward_dbus_ownership_get_endorsement_auth_set (ownership);
  const char *subtitle;

  if (has_lockout)
    subtitle = _ ("Only who knows the lockout auth may lift a lockout of this TPM, change its rules or clear it.");
  else if (is_owned)
    subtitle = _ ("It has an owner auth, but no lockout auth: every administrator may lift its lockout and clear it.");
  else
    subtitle = _ ("That is how most TPMs are delivered, and all that uses it works. But every administrator, and every "
                  "program with such rights, may lift its lockout and clear it.");
  set_state (self, is_owned, has_lockout, subtitle);
  gtk_widget_set_visible (self->own_button, !is_owned);
  gtk_widget_set_visible (self->release_button, has_any);
  gtk_widget_set_visible (self->buttons_group, TRUE);
}

static void
show_hierarchies (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  gboolean has_storage = ward_dbus_ownership_get_enabled (ownership);
  gboolean has_endorsement = ward_dbus_ownership_get_active (ownership);
  const char *subtitle;

  if (!has_storage && !has_endorsement)
    subtitle = _ ("The storage and endorsement hierarchies are off until the next restart: their keys cannot be used.");
  else if (!has_storage)
    subtitle = _ ("The storage hierarchy is off until the next restart: its keys cannot be used.");
  else
    subtitle = _ ("The endorsement hierarchy is off until the next restart: the TPM cannot prove that it is genuine.");
  adw_action_row_set_subtitle (self->hierarchy_row, subtitle);
  gtk_widget_set_visible (GTK_WIDGET (self->hierarchy_row), !has_storage || !has_endorsement);
}

static AuthRow
row_of (WardGuiOwnershipPage *self, WardClientAuth auth)
{
  switch (auth)
    {
    case WARD_CLIENT_AUTH_ENDORSEMENT:
      return (AuthRow){ self->endorsement_row, self->endorsement_icon, self->endorsement_button };
    case WARD_CLIENT_AUTH_OWNER:
      return (AuthRow){ self->owner_row, self->owner_icon, self->owner_button };
    case WARD_CLIENT_AUTH_LOCKOUT:
    case WARD_CLIENT_AUTH_SRK:
    case WARD_CLIENT_N_AUTHS:
    default:
      return (AuthRow){ self->lockout_row, self->lockout_icon, self->lockout_button };
    }
}

static void
show_auth (WardGuiOwnershipPage *self, WardDbusOwnership *ownership, WardClientAuth auth)
{
  static const char *const set_labels[] = {
    [WARD_CLIENT_AUTH_ENDORSEMENT] = N_ ("Set the Endorsement Auth"),
    [WARD_CLIENT_AUTH_OWNER] = N_ ("Set the Owner Auth"),
    [WARD_CLIENT_AUTH_LOCKOUT] = N_ ("Set the Lockout Auth"),
  };
  static const char *const change_labels[] = {
    [WARD_CLIENT_AUTH_ENDORSEMENT] = N_ ("Change the Endorsement Auth"),
    [WARD_CLIENT_AUTH_OWNER] = N_ ("Change the Owner Auth"),
    [WARD_CLIENT_AUTH_LOCKOUT] = N_ ("Change the Lockout Auth"),
  };
  const AuthRow row = row_of (self, auth);
  gboolean is_set = ward_client_auth_is_set (ownership, auth);
  const char *protects = ward_client_auth_info (auth, FALSE).protects;
  const char *label = _ (is_set ? change_labels[auth] : set_labels[auth]);
  g_autofree char *subtitle = g_strdup_printf (is_set ? _ ("Set. %s") : _ ("Not set. %s"), protects);

  adw_action_row_set_subtitle (row.row, subtitle);
  gtk_image_set_from_icon_name (row.icon, is_set ? "changes-prevent-symbolic" : "changes-allow-symbolic");
  gtk_button_set_label (row.button, is_set ? _ ("Change…") : _ ("Set…"));
  gtk_widget_set_tooltip_text (GTK_WIDGET (row.button), label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row.button), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
}

static void
show_srk (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  gboolean is_present = ward_dbus_ownership_get_srk_present (ownership);
  g_autofree char *handle = g_strdup_printf (_ ("At 0x%08x"), ward_dbus_ownership_get_srk_handle (ownership));

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->srk_row), is_present ? handle : _ ("Not There"));
  adw_action_row_set_subtitle (self->srk_row,
                               is_present ? _ ("The key that wraps the other keys, which this and most other programs "
                                               "keep in files. It never leaves the TPM.")
                                          : _ ("The key that wraps the other keys. Programs make one for each use as "
                                               "long as the TPM keeps none, which is slower."));
  gtk_widget_set_visible (self->srk_button, !is_present);
}

static const char *
describe_presence (WardDbusOwnership *ownership)
{
  const char *presence = ward_dbus_ownership_get_physical_presence (ownership);

  if (g_strcmp0 (presence, "prompt") == 0)
    return _ ("It can be asked to clear the TPM at a restart, and then asks whoever is at the machine.");
  if (g_strcmp0 (presence, "immediate") == 0)
    return _ ("It can be asked to clear the TPM at a restart, and does so without asking again.");
  return _ ("It takes no request to clear the TPM from here. Its own menu may offer it.");
}

static void
set_disable_button (WardGuiOwnershipPage *self, gboolean is_visible, const char *label)
{
  gtk_widget_set_tooltip_text (self->disable_button, label);
  gtk_widget_set_visible (self->disable_button, is_visible);
}

/* It does not tell whether it refuses to be cleared by its owner. */
static void
show_clearing_of_tpm12 (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  gboolean is_owned = ward_dbus_ownership_get_owned (ownership);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->disable_row), _ ("By the Owner’s Secret"));
  adw_action_row_set_subtitle (self->disable_row,
                               is_owned ? _ ("Who knows the owner’s secret can clear the TPM, unless that was switched "
                                             "off, which the TPM does not tell.")
                                        : _ ("There is no owner, and so nothing to clear."));
  set_disable_button (self, is_owned, _ ("Have the TPM refuse to be cleared by its owner’s secret"));
}

static void
show_clearing (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  gboolean is_disabled = ward_dbus_ownership_get_clear_disabled (ownership);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->disable_row),
                                 is_disabled ? _ ("By the Lockout Auth: Switched Off") : _ ("By the Lockout Auth"));
  adw_action_row_set_subtitle (
      self->disable_row, is_disabled ? _ ("The TPM refuses to be cleared by its lockout auth. Only a clear by the "
                                          "firmware allows it again.")
                                     : _ ("Who knows the lockout auth can clear the TPM; as long as none is set, "
                                          "every administrator can."));
  set_disable_button (self, !is_disabled, _ ("Have the TPM refuse to be cleared by its lockout auth"));
}

static void
show_firmware (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  adw_action_row_set_subtitle (self->firmware_row, describe_presence (ownership));
  gtk_widget_set_visible (GTK_WIDGET (self->pending_row), ward_dbus_ownership_get_clear_pending (ownership));
}

static void
show_hierarchies_and_auths (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  show_state (self, ownership);
  show_hierarchies (self, ownership);
  show_auth (self, ownership, WARD_CLIENT_AUTH_ENDORSEMENT);
  show_auth (self, ownership, WARD_CLIENT_AUTH_OWNER);
  show_auth (self, ownership, WARD_CLIENT_AUTH_LOCKOUT);
  show_srk (self, ownership);
  show_clearing (self, ownership);
}

static void
show_owner_and_switches (WardGuiOwnershipPage *self, WardDbusOwnership *ownership)
{
  show_state_of_tpm12 (self, ownership);
  gtk_widget_set_visible (GTK_WIDGET (self->hierarchy_row), FALSE);
  show_clearing_of_tpm12 (self, ownership);
}

/* What the family of TPMs has not is not there. */
static void
show_family (WardGuiOwnershipPage *self)
{
  gboolean is_old = is_tpm12 (self);

  gtk_widget_set_visible (self->auths_group, !is_old);
  gtk_widget_set_visible (self->srk_group, !is_old);
  gtk_widget_set_visible (self->switches_group, is_old);
  gtk_widget_set_visible (self->secrets_group, is_old && ward_dbus_ownership_get_owned (ownership_of (self)));
  adw_preferences_group_set_description (
      self->clearing_group,
      is_old ? _ ("Clearing takes away the owner and the storage root key, and with it all keys and sealed data for "
                  "good. The TPM is switched off then, until the setup of the computer’s firmware enables and "
                  "activates it.")
             : _ ("Clearing resets the TPM as for a new owner: its keys, sealed data and passwords are gone for "
                  "good."));
}

static void
ward_gui_ownership_page_update (WardGuiPage *page)
{
  WardGuiOwnershipPage *self = WARD_GUI_OWNERSHIP_PAGE (page);
  WardDbusOwnership *ownership = ownership_of (self);

  show_family (self);
  if (is_tpm12 (self))
    show_owner_and_switches (self, ownership);
  else
    show_hierarchies_and_auths (self, ownership);
  show_firmware (self, ownership);
}

/* Other programs change a TPM too, of which the service learns when it looks. */
static void
ward_gui_ownership_page_load (WardGuiPage *page, gboolean is_refresh)
{
  ward_client_call_async (ward_gui_chip_get_tpm (ward_gui_page_get_chip (page)), "Refresh", NULL, NULL,
                          WARD_CLIENT_CALL_NONE, NULL, NULL, NULL);
}

static void
on_own_clicked (WardGuiOwnershipPage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));

  if (chip != NULL)
    ward_gui_dialog_present (ward_gui_own_dialog_new (chip), GTK_WIDGET (self));
}

static void
on_release_clicked (WardGuiOwnershipPage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));

  if (chip != NULL)
    ward_gui_release (GTK_WIDGET (self), chip);
}

static void
change (WardGuiOwnershipPage *self, WardClientAuth auth)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));

  if (chip != NULL)
    ward_gui_dialog_present (ward_gui_own_dialog_new_change (chip, auth), GTK_WIDGET (self));
}

static void
on_lockout_clicked (WardGuiOwnershipPage *self)
{
  change (self, WARD_CLIENT_AUTH_LOCKOUT);
}

static void
on_owner_clicked (WardGuiOwnershipPage *self)
{
  change (self, WARD_CLIENT_AUTH_OWNER);
}

static void
on_srk_secret_clicked (WardGuiOwnershipPage *self)
{
  change (self, WARD_CLIENT_AUTH_SRK);
}

static void
on_endorsement_clicked (WardGuiOwnershipPage *self)
{
  change (self, WARD_CLIENT_AUTH_ENDORSEMENT);
}

/* What is told at the end of a call that was made with make_call(). */
typedef struct
{
  WardGuiOwnershipPage *page;
  const char *success, *failure; /* translated, static */
} Outcome;

static void
outcome_free (Outcome *outcome)
{
  g_object_unref (outcome->page);
  g_free (outcome);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Outcome, outcome_free)

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Outcome) outcome = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  if (reply != NULL)
    ward_gui_notice_toast (GTK_WIDGET (outcome->page), outcome->success);
  else
    ward_gui_notice_error (GTK_WIDGET (outcome->page), outcome->failure, error);
}

static void
make_call (WardGuiOwnershipPage *self, WardGuiCall *call, const WardGuiAuth *auth, const char *success,
           const char *failure)
{
  Outcome *outcome = g_new0 (Outcome, 1);

  outcome->page = g_object_ref (self);
  outcome->success = success;
  outcome->failure = failure;
  ward_gui_auth_call_async (call, ward_gui_page_get_chip (WARD_GUI_PAGE (self)), auth, on_done, outcome);
}

static void
on_srk_clicked (WardGuiOwnershipPage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));
  g_autoptr (WardGuiCall) call = NULL;
  WardGuiAuth auth = {
    .option = "owner-auth",
    .title = _ ("Make the Storage Root Key"),
    .body = _ ("The owner auth is needed to keep a key in the TPM."),
    .by_owner = TRUE,
  };

  if (chip == NULL)
    return;
  auth.ask_first = ward_dbus_ownership_get_owner_auth_set (ownership_of (self));
  call = ward_gui_call_new (GTK_WIDGET (self), ownership_of (self), "ProvisionSrk", NULL,
                            _ ("The TPM makes its storage root key…"));
  make_call (self, call, &auth, _ ("The TPM has a storage root key now"), _ ("The Storage Root Key Was Not Made"));
}

static void
on_cancelled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiOwnershipPage) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_call_start_finish (WARD_GUI_CALL (source), result, &error);

  if (reply != NULL)
    ward_gui_notice_toast (GTK_WIDGET (self), _ ("The request was withdrawn: a restart leaves the TPM as it is"));
  else
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The Request Was Not Withdrawn"), error);
}

static void
on_cancel_clicked (WardGuiOwnershipPage *self)
{
  g_autoptr (WardGuiCall) call = NULL;

  if (ward_gui_page_get_chip (WARD_GUI_PAGE (self)) == NULL)
    return;
  call = ward_gui_call_new (GTK_WIDGET (self), ownership_of (self), "CancelClear", NULL, _ ("The firmware is asked…"));
  ward_gui_call_start_async (call, on_cancelled, g_object_ref (self));
}

static void
on_disable_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiOwnershipPage) self = user_data;
  g_autoptr (WardGuiCall) call = NULL;
  WardGuiAuth auth = {
    .option = "auth",
    .title = _ ("Switch Clearing Off"),
    .body = _ ("The lockout auth is needed to have the TPM refuse to be cleared by it."),
    .is_lockout = TRUE,
  };

  if (!ward_gui_notice_ask_finish (result) || ward_gui_page_get_chip (WARD_GUI_PAGE (self)) == NULL)
    return;
  if (is_tpm12 (self))
    {
      auth.body = _ ("The owner’s secret is needed to have the TPM refuse to be cleared by it.");
      auth.is_lockout = FALSE;
      auth.by_owner = TRUE;
      auth.ask_first = TRUE;
    }
  call = ward_gui_call_new (GTK_WIDGET (self), ownership_of (self), "SetClearDisabled", g_variant_new ("(b)", TRUE),
                            _ ("The TPM is told…"));
  make_call (self, call, &auth,
             is_tpm12 (self) ? _ ("The TPM can no longer be cleared by its owner’s secret")
                             : _ ("The TPM can no longer be cleared by its lockout auth"),
             _ ("Clearing Was Not Switched Off"));
}

static void
on_disable_clicked (WardGuiOwnershipPage *self)
{
  if (ward_gui_page_get_chip (WARD_GUI_PAGE (self)) == NULL)
    return;
  ward_gui_notice_ask_async (
      GTK_WIDGET (self), _ ("Switch Clearing Off?"),
      is_tpm12 (self) ? _ ("This goes one way: no operating system can allow it again. The TPM then refuses to be "
                           "cleared by its owner’s secret, also when you want it. What remains is the firmware’s own "
                           "menu, or its question at a restart.")
                      : _ ("This goes one way: no operating system can allow it again. The TPM then refuses to be "
                           "cleared by its lockout auth, also when you want it. What remains is the firmware’s own "
                           "menu, or its question at a restart."),
      _ ("Switch _Off"), TRUE, on_disable_answered, g_object_ref (self));
}

static void
on_clear_clicked (WardGuiOwnershipPage *self)
{
  WardGuiChip *chip = ward_gui_page_get_chip (WARD_GUI_PAGE (self));

  if (chip != NULL)
    ward_gui_dialog_present (ward_gui_clear_dialog_new (chip), GTK_WIDGET (self));
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, state_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, state_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, hierarchy_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, buttons_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, own_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, release_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, auths_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, srk_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, switches_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, secrets_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, owner_secret_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, srk_secret_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, clearing_group);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, lockout_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, lockout_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, lockout_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, owner_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, owner_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, owner_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, endorsement_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, endorsement_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, endorsement_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, srk_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, srk_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, pending_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, disable_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, disable_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiOwnershipPage, firmware_row);
}

static void
ward_gui_ownership_page_class_init (WardGuiOwnershipPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  WARD_GUI_PAGE_CLASS (klass)->update = ward_gui_ownership_page_update;
  WARD_GUI_PAGE_CLASS (klass)->load = ward_gui_ownership_page_load;

  g_type_ensure (WARD_GUI_TYPE_LOCKOUT_GROUP);
  g_type_ensure (WARD_GUI_TYPE_SWITCHES_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-ownership-page.ui");
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, on_own_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_release_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_lockout_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_owner_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_endorsement_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_srk_secret_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_srk_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_cancel_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_disable_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_clear_clicked);
}

static void
ward_gui_ownership_page_init (WardGuiOwnershipPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  adw_action_row_set_subtitle (self->owner_secret_row, ward_client_auth_info (WARD_CLIENT_AUTH_OWNER, TRUE).protects);
  adw_action_row_set_subtitle (self->srk_secret_row, ward_client_auth_info (WARD_CLIENT_AUTH_SRK, TRUE).protects);
}
