/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-switches-group.h"

#include <glib/gi18n.h>

#include "ward-gui-auth.h"
#include "ward-gui-notice.h"

struct _WardGuiSwitchesGroup
{
  WardGuiGroup parent;

  AdwActionRow *enabled_row, *active_row;
  GtkImage *enabled_icon, *active_icon;
  GtkButton *enabled_button, *active_button;
};

G_DEFINE_FINAL_TYPE (WardGuiSwitchesGroup, ward_gui_switches_group, WARD_GUI_TYPE_GROUP)

static WardGuiChip *
chip_of (WardGuiSwitchesGroup *self)
{
  return ward_gui_group_get_chip (WARD_GUI_GROUP (self));
}

static WardDbusOwnership *
ownership_of (WardGuiSwitchesGroup *self)
{
  return ward_gui_chip_get_ownership (chip_of (self));
}

static void
show_flag (AdwActionRow *row, GtkImage *icon, gboolean is_on, const char *title, const char *subtitle)
{
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (row, subtitle);
  gtk_image_set_from_icon_name (icon, is_on ? "emblem-ok-symbolic" : "dialog-warning-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (icon), is_on ? "warning" : "success");
  gtk_widget_add_css_class (GTK_WIDGET (icon), is_on ? "success" : "warning");
}

static void
show_enabled (WardGuiSwitchesGroup *self, WardDbusOwnership *ownership)
{
  gboolean is_on = ward_dbus_ownership_get_enabled (ownership);
  gboolean is_owned = ward_dbus_ownership_get_owned (ownership);
  const char *subtitle;

  if (is_on && is_owned)
    subtitle = _ ("Its owner can disable it at once, and enable it again.");
  else if (is_on)
    subtitle = _ ("As long as it has no owner, only the setup of the computer’s firmware can disable it.");
  else if (is_owned)
    subtitle = _ ("None of its keys can be used, and nothing can be unsealed, until its owner enables it, or the setup "
                  "of the computer’s firmware does.");
  else
    subtitle = _ ("It can be given no owner. As it has none, only the setup of the computer’s firmware can enable it: "
                  "restart the computer, and look there for the TPM, or “security chip”.");
  show_flag (self->enabled_row, self->enabled_icon, is_on, is_on ? _ ("Enabled") : _ ("Disabled"), subtitle);
  gtk_button_set_label (self->enabled_button, is_on ? _ ("_Disable…") : _ ("_Enable…"));
  gtk_widget_set_visible (GTK_WIDGET (self->enabled_button), is_owned);
}

/* One that is disabled does not tell whether it is also inactive. */
static void
show_active (WardGuiSwitchesGroup *self, WardDbusOwnership *ownership)
{
  gboolean is_on = ward_dbus_ownership_get_active (ownership);

  show_flag (self->active_row, self->active_icon, is_on, is_on ? _ ("Active") : _ ("Not Active"),
             is_on
                 ? _ ("Whoever is at the computer can deactivate it, from the next start on. Most computers take that "
                      "in the setup of their firmware alone.")
                 : _ ("None of its keys can be used, and nothing can be unsealed. Whoever is at the computer can "
                      "activate it, from the next start on. Most computers take that in the setup of their firmware "
                      "alone."));
  gtk_button_set_label (self->active_button, is_on ? _ ("De_activate…") : _ ("_Activate"));
  gtk_widget_set_visible (GTK_WIDGET (self->active_row), ward_dbus_ownership_get_enabled (ownership));
}

static void
ward_gui_switches_group_update (WardGuiGroup *group)
{
  WardGuiSwitchesGroup *self = WARD_GUI_SWITCHES_GROUP (group);

  if (chip_of (self) == NULL)
    return;
  show_enabled (self, ownership_of (self));
  show_active (self, ownership_of (self));
}

/* What a button sets. */
typedef struct
{
  WardGuiSwitchesGroup *group;
  gboolean is_active; /* else enabled */
  gboolean value;
} Flag;

static Flag *
flag_new (WardGuiSwitchesGroup *self, gboolean is_active, gboolean value)
{
  Flag *flag = g_new0 (Flag, 1);

  flag->group = g_object_ref (self);
  flag->is_active = is_active;
  flag->value = value;
  return flag;
}

static void
flag_free (Flag *flag)
{
  g_object_unref (flag->group);
  g_free (flag);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Flag, flag_free)

static const char *
describe_success (const Flag *flag)
{
  if (flag->is_active)
    return flag->value ? _ ("The TPM is active from the next start on: restart the computer")
                       : _ ("The TPM is not active from the next start on");
  return flag->value ? _ ("The TPM is enabled") : _ ("The TPM is disabled, and keeps what it has");
}

static const char *
describe_failure (const Flag *flag)
{
  if (flag->is_active)
    return flag->value ? _ ("The TPM Was Not Activated") : _ ("The TPM Was Not Deactivated");
  return flag->value ? _ ("The TPM Was Not Enabled") : _ ("The TPM Was Not Disabled");
}

static void
on_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Flag) flag = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  if (reply != NULL)
    ward_gui_notice_toast (GTK_WIDGET (flag->group), describe_success (flag));
  else
    ward_gui_notice_error (GTK_WIDGET (flag->group), describe_failure (flag), error);
}

/* Takes flag. Whoever is present at the computer has no secret to type. */
static void
set (Flag *flag)
{
  WardGuiSwitchesGroup *self = flag->group;
  const WardGuiAuth by_presence = { .option = NULL };
  const WardGuiAuth by_owner = {
    .option = "auth",
    .title = flag->value ? _ ("Enable the TPM") : _ ("Disable the TPM"),
    .body = _ ("The owner’s secret is needed to enable and to disable the TPM."),
    .ask_first = TRUE,
    .by_owner = TRUE,
  };
  g_autoptr (WardGuiCall) call = ward_gui_call_new (GTK_WIDGET (self), ownership_of (self),
                                                    flag->is_active ? "SetActive" : "SetEnabled",
                                                    g_variant_new ("(b)", flag->value), _ ("The TPM is told…"));

  ward_gui_auth_call_async (call, chip_of (self), flag->is_active ? &by_presence : &by_owner, on_set, flag);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Flag) flag = user_data;

  if (ward_gui_notice_ask_finish (result) && chip_of (flag->group) != NULL)
    set (g_steal_pointer (&flag));
}

static void
on_enabled_clicked (WardGuiSwitchesGroup *self)
{
  if (chip_of (self) == NULL)
    return;
  if (!ward_dbus_ownership_get_enabled (ownership_of (self)))
    {
      set (flag_new (self, FALSE, TRUE));
      return;
    }
  ward_gui_notice_ask_async (GTK_WIDGET (self), _ ("Disable the TPM?"),
                             _ ("A disabled TPM does next to nothing: until it is enabled again none of its keys can "
                                "be used, and nothing that is sealed to it can be unsealed. It keeps all of that."),
                             _ ("_Disable…"), TRUE, on_answered, flag_new (self, FALSE, FALSE));
}

static void
on_active_clicked (WardGuiSwitchesGroup *self)
{
  if (chip_of (self) == NULL)
    return;
  if (!ward_dbus_ownership_get_active (ownership_of (self)))
    {
      set (flag_new (self, TRUE, TRUE));
      return;
    }
  ward_gui_notice_ask_async (GTK_WIDGET (self), _ ("Deactivate the TPM?"),
                             _ ("From the next start of the computer on the TPM does next to nothing: until it is "
                                "activated again none of its keys can be used, and nothing that is sealed to it can be "
                                "unsealed. It keeps all of that."),
                             _ ("De_activate"), TRUE, on_answered, flag_new (self, TRUE, FALSE));
}

static void
ward_gui_switches_group_class_init (WardGuiSwitchesGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  WARD_GUI_GROUP_CLASS (klass)->update = ward_gui_switches_group_update;

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-switches-group.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiSwitchesGroup, enabled_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSwitchesGroup, enabled_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSwitchesGroup, enabled_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSwitchesGroup, active_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSwitchesGroup, active_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiSwitchesGroup, active_button);
  gtk_widget_class_bind_template_callback (widget_class, on_enabled_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_active_clicked);
}

static void
ward_gui_switches_group_init (WardGuiSwitchesGroup *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
