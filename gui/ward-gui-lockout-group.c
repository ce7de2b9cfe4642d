/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-lockout-group.h"

#include <glib/gi18n.h>

#include "ward-client-text.h"
#include "ward-gui-auth.h"
#include "ward-gui-lockout-dialog.h"
#include "ward-gui-notice.h"

struct _WardGuiLockoutGroup
{
  WardGuiGroup parent;

  AdwActionRow *state_row, *failures_row, *bar_row, *rules_row;
  GtkImage *state_icon;
  GtkWidget *reset_button;
  GtkLabel *failures_label;

  gboolean compact;
  guint tick_id;    /* while it is seen and something runs out */
  guint64 asked_at; /* the instant whose passing the service was asked to look for */
};

G_DEFINE_FINAL_TYPE (WardGuiLockoutGroup, ward_gui_lockout_group, WARD_GUI_TYPE_GROUP)

enum
{
  PROP_COMPACT = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static WardGuiChip *
chip_of (WardGuiLockoutGroup *self)
{
  return ward_gui_group_get_chip (WARD_GUI_GROUP (self));
}

/* A part of a second is rounded up: nothing happens “in 0 seconds”. */
static char *
span_until (guint64 then, gint64 now)
{
  return ward_client_text_span ((then - (guint64)now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
}

static void
show_state (WardGuiLockoutGroup *self, WardDbusLockout *lockout)
{
  gboolean locked = ward_dbus_lockout_get_locked_out (lockout);
  gboolean failed = ward_dbus_lockout_get_failures (lockout) > 0;
  /* what it does not count it does not tell */
  gboolean counts = ward_dbus_lockout_get_max_failures (lockout) > 0;
  const char *title = locked ? _ ("Locked") : _ ("Not Locked");
  const char *subtitle;

  if (locked)
    subtitle = _ ("After too many wrong passwords the TPM refuses all that it counts tries for, even the right ones.");
  else if (self->compact && failed)
    subtitle = _ ("Wrong passwords were given.");
  else if (self->compact && counts)
    subtitle = _ ("No wrong password was given.");
  else
    subtitle = _ ("Who tries passwords is stopped by the TPM itself, by the rules of its “dictionary attack” "
                  "protection.");
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->state_row), title);
  adw_action_row_set_subtitle (self->state_row, subtitle);
  gtk_image_set_from_icon_name (self->state_icon, locked ? "dialog-warning-symbolic" : "emblem-ok-symbolic");
  gtk_widget_remove_css_class (GTK_WIDGET (self->state_icon), locked ? "success" : "error");
  gtk_widget_add_css_class (GTK_WIDGET (self->state_icon), locked ? "error" : "success");
  gtk_widget_set_visible (self->reset_button, locked || failed);
}

/* When the next try is forgiven; NULL when there is none to forgive. */
static char *
describe_recovery (WardDbusLockout *lockout, gint64 now)
{
  guint64 then = ward_dbus_lockout_get_next_recovery (lockout);
  gboolean locked = ward_dbus_lockout_get_locked_out (lockout);
  g_autofree char *span = NULL;
  g_autofree char *instant = NULL;

  if (then == 0)
    return locked ? g_strdup (_ ("It stays locked until it is reset.")) : NULL;
  if (then <= (guint64)now)
    return g_strdup (_ ("One is forgiven any moment now."));
  span = span_until (then, now);
  instant = ward_client_text_instant (then);
  if (locked)
    return g_strdup_printf (_ ("The TPM takes one more try in %s, on %s at the latest."), span, instant);
  return g_strdup_printf (_ ("One is forgiven in %s, on %s at the latest."), span, instant);
}

static void
show_failures (WardGuiLockoutGroup *self, WardDbusLockout *lockout, gint64 now)
{
  guint failures = ward_dbus_lockout_get_failures (lockout);
  guint max = ward_dbus_lockout_get_max_failures (lockout);
  g_autofree char *count = g_strdup_printf (_ ("%u of %u"), failures, max);
  g_autofree char *recovery = describe_recovery (lockout, now);

  gtk_label_set_label (self->failures_label, count);
  adw_action_row_set_subtitle (self->failures_row, recovery != NULL ? recovery : "");
  /* a TPM 1.2 does not tell */
  gtk_widget_set_visible (GTK_WIDGET (self->failures_row), max > 0);
}

static void
show_bar (WardGuiLockoutGroup *self, WardDbusLockout *lockout, gint64 now)
{
  guint64 until = ward_dbus_lockout_get_lockout_auth_barred_until (lockout);
  gboolean is_barred = until > (guint64)now;
  g_autofree char *span = NULL;
  g_autofree char *instant = NULL;
  g_autofree char *text = NULL;

  gtk_widget_set_visible (GTK_WIDGET (self->bar_row), is_barred);
  if (!is_barred)
    return;
  if (until == G_MAXUINT64)
    text = g_strdup (_ ("A wrong lockout auth was given. Even the right one is refused until the TPM is reset, at the "
                        "next restart of the machine."));
  else
    {
      span = span_until (until, now);
      instant = ward_client_text_instant (until);
      text = g_strdup_printf (_ ("A wrong lockout auth was given. Even the right one is refused for %s, until %s."),
                              span, instant);
    }
  adw_action_row_set_subtitle (self->bar_row, text);
}

static void
show_rules (WardGuiLockoutGroup *self, WardDbusLockout *lockout)
{
  guint max = ward_dbus_lockout_get_max_failures (lockout);
  guint penalty_seconds = ward_dbus_lockout_get_lockout_recovery_seconds (lockout);
  g_autofree char *recovery = ward_client_text_span (ward_dbus_lockout_get_recovery_seconds (lockout));
  g_autofree char *penalty = ward_client_text_span (penalty_seconds);
  g_autofree char *text = NULL;

  if (penalty_seconds == 0)
    text = g_strdup_printf (ngettext ("Locks after %u failed try, and forgives one every %s. A wrong lockout auth bars "
                                      "resets and clearing until the machine is restarted.",
                                      "Locks after %u failed tries, and forgives one every %s. A wrong lockout auth "
                                      "bars resets and clearing until the machine is restarted.",
                                      max),
                            max, recovery);
  else
    text = g_strdup_printf (ngettext ("Locks after %u failed try, and forgives one every %s. A wrong lockout auth bars "
                                      "resets and clearing for %s.",
                                      "Locks after %u failed tries, and forgives one every %s. A wrong lockout auth "
                                      "bars resets and clearing for %s.",
                                      max),
                            max, recovery, penalty);
  adw_action_row_set_subtitle (self->rules_row, text);
  gtk_widget_set_visible (GTK_WIDGET (self->rules_row), max > 0 && !self->compact);
}

/* What has run out is for the service to see: its clock is the one that counts. */
static void
look_for (WardGuiLockoutGroup *self, guint64 then, gint64 now)
{
  if (then == 0 || then > (guint64)now || self->asked_at == then)
    return;
  self->asked_at = then;
  ward_client_call_async (ward_gui_chip_get_tpm (chip_of (self)), "Refresh", NULL, NULL, WARD_CLIENT_CALL_NONE, NULL,
                          NULL, NULL);
}

static gboolean on_tick (gpointer user_data);

static void
follow_time (WardGuiLockoutGroup *self, WardDbusLockout *lockout, gint64 now)
{
  guint64 next = ward_dbus_lockout_get_next_recovery (lockout);
  guint64 until = ward_dbus_lockout_get_lockout_auth_barred_until (lockout);
  gboolean runs = next > (guint64)now || (until > (guint64)now && until != G_MAXUINT64);

  look_for (self, next, now);
  look_for (self, until, now);
  if (!runs || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    g_clear_handle_id (&self->tick_id, g_source_remove);
  else if (self->tick_id == 0)
    self->tick_id = g_timeout_add_seconds (1, on_tick, self);
}

static void
ward_gui_lockout_group_update (WardGuiGroup *group)
{
  WardGuiLockoutGroup *self = WARD_GUI_LOCKOUT_GROUP (group);
  WardDbusLockout *lockout;
  gint64 now = g_get_real_time ();

  if (chip_of (self) == NULL || !gtk_widget_get_mapped (GTK_WIDGET (self)))
    {
      g_clear_handle_id (&self->tick_id, g_source_remove);
      return;
    }
  lockout = ward_gui_chip_get_lockout (chip_of (self));
  show_state (self, lockout);
  show_failures (self, lockout, now);
  show_bar (self, lockout, now);
  show_rules (self, lockout);
  follow_time (self, lockout, now);
}

static gboolean
on_tick (gpointer user_data)
{
  WardGuiLockoutGroup *self = user_data;

  ward_gui_lockout_group_update (WARD_GUI_GROUP (self));
  return self->tick_id != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
on_reset (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardGuiLockoutGroup) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_gui_auth_call_finish (WARD_GUI_CALL (source), result, &error);

  if (reply != NULL)
    ward_gui_notice_toast (GTK_WIDGET (self), _ ("The TPM has forgiven all failed tries"));
  else
    ward_gui_notice_error (GTK_WIDGET (self), _ ("The Lockout Was Not Reset"), error);
}

static void
on_reset_clicked (WardGuiLockoutGroup *self)
{
  g_autoptr (WardGuiCall) call = NULL;
  WardGuiAuth auth = {
    .option = "auth",
    .title = _ ("Reset the Lockout"),
    .body = _ ("The lockout auth is needed to have the TPM forgive all failed tries."),
    .is_lockout = TRUE,
  };

  if (chip_of (self) == NULL)
    return;
  if (ward_gui_chip_is_tpm12 (chip_of (self)))
    {
      auth.body = _ ("The owner’s secret is needed to have the TPM forgive all failed tries.");
      auth.is_lockout = FALSE;
      auth.by_owner = TRUE;
      auth.ask_first = TRUE;
    }
  call = ward_gui_call_new (GTK_WIDGET (self), ward_gui_chip_get_lockout (chip_of (self)), "Reset", NULL,
                            _ ("The TPM forgives all failed tries…"));
  ward_gui_auth_call_async (call, chip_of (self), &auth, on_reset, g_object_ref (self));
}

static void
on_rules_clicked (WardGuiLockoutGroup *self)
{
  if (chip_of (self) != NULL)
    ward_gui_dialog_present (ward_gui_lockout_dialog_new (chip_of (self)), GTK_WIDGET (self));
}

static void
ward_gui_lockout_group_reset (WardGuiGroup *group)
{
  WARD_GUI_LOCKOUT_GROUP (group)->asked_at = 0;
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WardGuiLockoutGroup *self = WARD_GUI_LOCKOUT_GROUP (object);

  if (id == PROP_COMPACT)
    g_value_set_boolean (value, self->compact);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WardGuiLockoutGroup *self = WARD_GUI_LOCKOUT_GROUP (object);

  if (id == PROP_COMPACT)
    {
      self->compact = g_value_get_boolean (value);
      ward_gui_lockout_group_update (WARD_GUI_GROUP (self));
    }
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
ward_gui_lockout_group_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (ward_gui_lockout_group_parent_class)->map (widget);
  ward_gui_lockout_group_update (WARD_GUI_GROUP (widget));
}

static void
ward_gui_lockout_group_unmap (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (ward_gui_lockout_group_parent_class)->unmap (widget);
  ward_gui_lockout_group_update (WARD_GUI_GROUP (widget));
}

static void
ward_gui_lockout_group_dispose (GObject *object)
{
  WardGuiLockoutGroup *self = WARD_GUI_LOCKOUT_GROUP (object);

  g_clear_handle_id (&self->tick_id, g_source_remove);
  G_OBJECT_CLASS (ward_gui_lockout_group_parent_class)->dispose (object);
}

static void
ward_gui_lockout_group_class_init (WardGuiLockoutGroupClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = ward_gui_lockout_group_dispose;
  widget_class->map = ward_gui_lockout_group_map;
  widget_class->unmap = ward_gui_lockout_group_unmap;
  WARD_GUI_GROUP_CLASS (klass)->update = ward_gui_lockout_group_update;
  WARD_GUI_GROUP_CLASS (klass)->reset = ward_gui_lockout_group_reset;

  properties[PROP_COMPACT] = g_param_spec_boolean ("compact", NULL, NULL, FALSE,
                                                   G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/tpmward/Manager/ward-gui-lockout-group.ui");
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutGroup, state_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutGroup, state_icon);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutGroup, reset_button);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutGroup, failures_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutGroup, failures_label);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutGroup, bar_row);
  gtk_widget_class_bind_template_child (widget_class, WardGuiLockoutGroup, rules_row);
  gtk_widget_class_bind_template_callback (widget_class, on_reset_clicked);
  gtk_widget_class_bind_template_callback (widget_class, on_rules_clicked);
}

static void
ward_gui_lockout_group_init (WardGuiLockoutGroup *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
