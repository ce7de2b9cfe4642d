/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-notifier.h"

#include <glib/gi18n.h>

typedef enum
{
  SELF_TEST_FAILED,
  LOCKED_OUT,
  N_ALARMS
} Alarm;

static const struct
{
  const char *id; /* of its notification, with the TPM's name behind it */
  const char *title;
  const char *page; /* where to look */
} alarms[N_ALARMS] = {
  [SELF_TEST_FAILED] = { "self-test", N_ ("The TPM Has Failed Its Self-Test"), "overview" },
  [LOCKED_OUT] = { "lockout", N_ ("The TPM Is Locked"), "ownership" },
};

/* By the TPM's name, as it is another object after the service was restarted. */
typedef struct
{
  gboolean is_on[N_ALARMS];
} Known;

struct _WardGuiNotifier
{
  GObject parent;

  GApplication *application;
  WardGuiMachine *machine;
  GHashTable *known; /* name → Known */
};

G_DEFINE_FINAL_TYPE (WardGuiNotifier, ward_gui_notifier, G_TYPE_OBJECT)

static void
look (WardGuiChip *chip, Known *known)
{
  WardDbusSelfTest *self_test = ward_gui_chip_get_self_test (chip);
  const char *state = ward_dbus_self_test_get_state (self_test);

  known->is_on[LOCKED_OUT] = ward_dbus_lockout_get_locked_out (ward_gui_chip_get_lockout (chip));
  /* until a new test has ended, the last one counts */
  if (g_strcmp0 (state, "running") != 0)
    known->is_on[SELF_TEST_FAILED] = g_strcmp0 (state, "failed") == 0;
}

static char *
make_body (WardGuiChip *chip, Alarm alarm)
{
  const char *text = ward_dbus_self_test_get_text (ward_gui_chip_get_self_test (chip));

  if (alarm == SELF_TEST_FAILED)
    return g_strdup (text);
  return g_strdup (
      _ ("Too many wrong passwords were tried. Until some are forgiven or the lockout is reset, what has a "
         "password cannot be used."));
}

static void
tell (WardGuiNotifier *self, WardGuiChip *chip, Alarm alarm)
{
  const char *name = ward_gui_chip_get_name (chip);
  g_autofree char *id = g_strdup_printf ("%s-%s", alarms[alarm].id, name);
  g_autofree char *body = make_body (chip, alarm);
  g_autoptr (GNotification) notification = g_notification_new (_ (alarms[alarm].title));

  g_notification_set_body (notification, body);
  g_notification_set_priority (notification, G_NOTIFICATION_PRIORITY_HIGH);
  g_notification_set_default_action_and_target (notification, "app.show-page", "(ss)", name, alarms[alarm].page);
  g_application_send_notification (self->application, id, notification);
}

static void
withdraw (WardGuiNotifier *self, const char *name, Alarm alarm)
{
  g_autofree char *id = g_strdup_printf ("%s-%s", alarms[alarm].id, name);

  g_application_withdraw_notification (self->application, id);
}

static void
on_changed (WardGuiNotifier *self, WardGuiChip *chip)
{
  Known *known = g_hash_table_lookup (self->known, ward_gui_chip_get_name (chip));
  Known before = *known;

  look (chip, known);
  for (Alarm alarm = 0; alarm < N_ALARMS; alarm++)
    {
      if (known->is_on[alarm] && !before.is_on[alarm])
        tell (self, chip, alarm);
      if (!known->is_on[alarm] && before.is_on[alarm])
        withdraw (self, ward_gui_chip_get_name (chip), alarm);
    }
}

static void
watch (WardGuiNotifier *self, WardGuiChip *chip)
{
  const char *name = ward_gui_chip_get_name (chip);

  if (!g_hash_table_contains (self->known, name))
    {
      Known *known = g_new0 (Known, 1);

      look (chip, known);
      g_hash_table_insert (self->known, g_strdup (name), known);
    }
  g_signal_connect_object (chip, "changed", G_CALLBACK (on_changed), self, G_CONNECT_SWAPPED);
  on_changed (self, chip);
}

static void
on_chips_changed (WardGuiNotifier *self, guint position, guint n_removed, guint n_added)
{
  for (guint i = 0; i < n_added; i++)
    {
      g_autoptr (WardGuiChip) chip = g_list_model_get_item (ward_gui_machine_get_chips (self->machine), position + i);

      watch (self, chip);
    }
}

static void
ward_gui_notifier_finalize (GObject *object)
{
  WardGuiNotifier *self = WARD_GUI_NOTIFIER (object);

  g_clear_object (&self->machine);
  g_hash_table_unref (self->known);
  G_OBJECT_CLASS (ward_gui_notifier_parent_class)->finalize (object);
}

static void
ward_gui_notifier_class_init (WardGuiNotifierClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_gui_notifier_finalize;
}

static void
ward_gui_notifier_init (WardGuiNotifier *self)
{
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

WardGuiNotifier *
ward_gui_notifier_new (GApplication *application, WardGuiMachine *machine)
{
  WardGuiNotifier *self = g_object_new (WARD_GUI_TYPE_NOTIFIER, NULL);
  GListModel *chips = ward_gui_machine_get_chips (machine);

  self->application = application;
  self->machine = g_object_ref (machine);
  g_signal_connect_object (chips, "items-changed", G_CALLBACK (on_chips_changed), self, G_CONNECT_SWAPPED);
  on_chips_changed (self, 0, 0, g_list_model_get_n_items (chips));
  return self;
}
