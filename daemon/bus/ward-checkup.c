/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-checkup.h"

#include <unistd.h>

#include "ward-error.h"
#include "ward-helper-client.h"
#include "ward-systemd-client.h"

/* So often something is gathered in that time; who asks more often is given what was gathered last. So a person sees at
 * once what he has changed, and a program that asks all the time costs little. */
#define MAX_ROUNDS 4
#define ROUNDS_USEC (4 * G_USEC_PER_SEC)

/* How long the helper and systemd, and TPMs that are at a long command, are waited for. */
#define OTHERS_LIMIT_MS 15000
#define TPMS_LIMIT_MS 3000

/* One gathering. Every question that is under way holds a reference. */
typedef struct
{
  WardCheckup *checkup;
  WardDoctorFacts *facts;
  GPtrArray *waiting; /* of GTask; NULL once they have been answered */
  guint n_others;     /* questions to the helper and systemd that are not answered yet */
  gboolean tpms_seen;
  guint limit; /* source */
} Round;

struct _WardCheckup
{
  GObject parent_instance;

  WardInventory *inventory;
  WardKeyring *keyring;
  Round *round;                /* under way, or NULL */
  WardDoctorFacts *remembered; /* or NULL */
  gint64 starts[MAX_ROUNDS];   /* of the last rounds, by the monotonic clock; a ring */
  guint n_rounds;
};

G_DEFINE_FINAL_TYPE (WardCheckup, ward_checkup, G_TYPE_OBJECT)

static void
ward_checkup_finalize (GObject *object)
{
  WardCheckup *self = WARD_CHECKUP (object);

  g_object_unref (self->inventory);
  g_object_unref (self->keyring);
  g_clear_pointer (&self->remembered, ward_doctor_facts_unref);
  G_OBJECT_CLASS (ward_checkup_parent_class)->finalize (object);
}

static void
ward_checkup_class_init (WardCheckupClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_checkup_finalize;
}

static void
ward_checkup_init (WardCheckup *self)
{
}

WardCheckup *
ward_checkup_new (WardInventory *inventory, WardKeyring *keyring)
{
  WardCheckup *self = g_object_new (WARD_TYPE_CHECKUP, NULL);

  self->inventory = g_object_ref (inventory);
  self->keyring = g_object_ref (keyring);
  return self;
}

WardInventory *
ward_checkup_get_inventory (WardCheckup *checkup)
{
  return checkup->inventory;
}

/* All TPMs being read again. */
typedef struct
{
  guint n_pending;
  guint limit; /* source */
  void (*func) (gpointer data);
  gpointer data;
} Reading;

static void
reading_done (Reading *reading)
{
  void (*func) (gpointer data) = reading->func;

  reading->func = NULL;
  g_clear_handle_id (&reading->limit, g_source_remove);
  if (func)
    func (reading->data);
}

static gboolean
on_reading_limit (gpointer user_data)
{
  Reading *reading = user_data;

  reading->limit = 0;
  reading_done (reading);
  return G_SOURCE_REMOVE;
}

static void
reading_release (Reading *reading)
{
  if (--reading->n_pending > 0)
    return;
  reading_done (reading);
  g_free (reading);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ward_tpm_refresh_finish (WARD_TPM (source), result, NULL);
  reading_release (user_data);
}

void
ward_checkup_refresh (WardCheckup *checkup, void (*func) (gpointer data), gpointer data)
{
  GPtrArray *tpms = ward_inventory_get_tpms (checkup->inventory);
  Reading *reading = g_new0 (Reading, 1);

  reading->n_pending = 1;
  reading->func = func;
  reading->data = data;
  reading->limit = g_timeout_add (TPMS_LIMIT_MS, on_reading_limit, reading);
  for (guint i = 0; i < tpms->len; i++)
    {
      reading->n_pending++;
      ward_tpm_refresh_async (g_ptr_array_index (tpms, i), NULL, on_read, reading);
    }
  reading_release (reading);
}

static void
round_clear (gpointer data)
{
  Round *round = data;

  g_object_unref (round->checkup);
  ward_doctor_facts_unref (round->facts);
}

static void
round_release (Round *round)
{
  g_rc_box_release_full (round, round_clear);
}

/* Whoever has not answered yet is not waited for any more, and what comes is not taken in. */
static void
round_end (Round *round)
{
  WardCheckup *self = round->checkup;
  g_autoptr (GPtrArray) waiting = g_steal_pointer (&round->waiting);

  g_clear_handle_id (&round->limit, g_source_remove);
  if (self->round == round)
    {
      self->round = NULL;
      g_clear_pointer (&self->remembered, ward_doctor_facts_unref);
      self->remembered = ward_doctor_facts_ref (round->facts);
    }
  for (guint i = 0; i < waiting->len; i++)
    g_task_return_pointer (g_ptr_array_index (waiting, i), ward_doctor_facts_ref (round->facts),
                           (GDestroyNotify)ward_doctor_facts_unref);
}

static void
round_check (Round *round)
{
  if (round->waiting && round->facts->machine && round->tpms_seen && round->n_others == 0)
    round_end (round);
}

static GError *
late_error (void)
{
  return g_error_new (WARD_ERROR, WARD_ERROR_UNREACHABLE,
                      "tpmward-helper, which does what needs root, has not answered within %d s. The journal of "
                      "tpmward-helper.service may say more.",
                      OTHERS_LIMIT_MS / 1000);
}

static gboolean
on_limit (gpointer user_data)
{
  Round *round = user_data;

  round->limit = 0;
  if (!round->facts->access && !round->facts->access_error)
    round->facts->access_error = late_error ();
  if (!round->facts->dependents && !round->facts->dependents_error)
    round->facts->dependents_error = late_error ();
  if (!round->facts->holders && !round->facts->holders_error)
    round->facts->holders_error = late_error ();
  round->n_others = 0;
  round_check (round);
  return G_SOURCE_REMOVE;
}

/* Whether an answer still counts. */
static gboolean
round_takes (Round *round)
{
  return round->waiting && round->n_others > 0;
}

static void
round_answered (Round *round)
{
  if (round_takes (round))
    {
      round->n_others--;
      round_check (round);
    }
  round_release (round);
}

static void
on_access (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = ward_helper_client_repair_access_finish (G_DBUS_CONNECTION (source), result, &error);

  if (round_takes (round))
    {
      round->facts->access = g_steal_pointer (&lines);
      round->facts->access_error = g_steal_pointer (&error);
    }
  round_answered (round);
}

static void
on_tcsd_config (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  g_auto (GStrv) lines = ward_helper_client_tcsd_config_finish (G_DBUS_CONNECTION (source), result, NULL);

  if (round_takes (round))
    round->facts->tcsd_config = g_steal_pointer (&lines);
  round_answered (round);
}

static void
on_tcsd_remote (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  g_auto (GStrv) lines = ward_helper_client_tcsd_config_finish (G_DBUS_CONNECTION (source), result, NULL);

  if (round_takes (round))
    round->facts->tcsd_remote = g_steal_pointer (&lines);
  round_answered (round);
}

static void
on_dependents (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) dependents = ward_helper_client_scan_dependents_finish (G_DBUS_CONNECTION (source), result,
                                                                               &error);

  if (round_takes (round))
    {
      round->facts->dependents = g_steal_pointer (&dependents);
      round->facts->dependents_error = g_steal_pointer (&error);
    }
  round_answered (round);
}

static void
on_inspected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = ward_helper_client_inspect_finish (G_DBUS_CONNECTION (source), result, &error);

  if (round_takes (round))
    {
      if (reply)
        g_variant_get (reply, "(@aa{sv}^as)", &round->facts->holders, &round->facts->journal);
      round->facts->holders_error = g_steal_pointer (&error);
    }
  round_answered (round);
}

static void
on_tcsd (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;

  if (round_takes (round))
    ward_systemd_client_get_unit_finish (G_DBUS_CONNECTION (source), result, &round->facts->tcsd);
  round_answered (round);
}

static void
on_abrmd (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;

  if (round_takes (round))
    ward_systemd_client_get_unit_finish (G_DBUS_CONNECTION (source), result, &round->facts->abrmd);
  round_answered (round);
}

typedef struct
{
  WardTss tss;
  WardMachine *machine;
} Sight;

static void
sight_free (gpointer data)
{
  Sight *sight = data;

  g_clear_pointer (&sight->machine, ward_machine_free);
  g_free (sight);
}

static void
look_around (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Sight *sight = g_new0 (Sight, 1);

  sight->tss = ward_tss_find ();
  sight->machine = ward_machine_read ("", &sight->tss);
  g_task_return_pointer (task, sight, sight_free);
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  Sight *sight = g_task_propagate_pointer (G_TASK (result), NULL);

  round->facts->tss = sight->tss;
  round->facts->machine = g_steal_pointer (&sight->machine);
  sight_free (sight);
  round_check (round);
  round_release (round);
}

static void
on_items (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  GPtrArray *items = ward_tpm_list_items_finish (WARD_TPM (source), result, NULL);

  if (items && round_takes (round))
    g_hash_table_insert (round->facts->items, g_strdup (ward_tpm_get_name (WARD_TPM (source))), items);
  else
    g_clear_pointer (&items, g_ptr_array_unref);
  round_answered (round);
}

/* The store has been read. */
static void
on_store (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Round *round = user_data;
  WardKeyring *keyring = WARD_KEYRING (source);
  const GPtrArray *damages = ward_keyring_get_damages (keyring);
  g_autoptr (GError) error = NULL;

  ward_keyring_prepare_finish (keyring, result, &error);
  if (round_takes (round))
    {
      for (guint i = 0; i < damages->len; i++)
        g_ptr_array_add (round->facts->damages, ward_damage_copy (damages->pdata[i]));
      round->facts->store_error = g_steal_pointer (&error);
    }
  round_answered (round);
}

/* Of a TPM that is full it is worth knowing by what. */
static void
ask_for_items (Round *round)
{
  GPtrArray *tpms = ward_inventory_get_tpms (round->checkup->inventory);

  for (guint i = 0; i < tpms->len; i++)
    {
      WardTpm *tpm = g_ptr_array_index (tpms, i);
      const WardRoom *room = ward_tpm_get_room (tpm);

      if (ward_tpm_get_state (tpm) != WARD_TPM_READY || !room || !ward_doctor_is_short (room))
        continue;
      round->n_others++;
      ward_tpm_list_items_async (tpm, NULL, on_items, g_rc_box_acquire (round));
    }
}

static void
on_tpms_read (gpointer data)
{
  Round *round = data;

  if (round->limit)
    ask_for_items (round);
  round->tpms_seen = TRUE;
  round_check (round);
  round_release (round);
}

static Round *
round_new (WardCheckup *self, GDBusConnection *connection)
{
  Round *round = g_rc_box_new0 (Round);
  g_autoptr (GTask) look = NULL;

  round->checkup = g_object_ref (self);
  round->waiting = g_ptr_array_new_with_free_func (g_object_unref);
  round->facts = ward_doctor_facts_new ();
  round->facts->discovers = ward_inventory_is_discovering (self->inventory);
  round->facts->own_pid = (guint)getpid ();
  round->limit = g_timeout_add_full (G_PRIORITY_DEFAULT, OTHERS_LIMIT_MS, on_limit, g_rc_box_acquire (round),
                                     (GDestroyNotify)round_release);

  round->n_others = 8;
  ward_helper_client_repair_access_async (connection, TRUE, NULL, on_access, g_rc_box_acquire (round));
  ward_helper_client_repair_tcsd_config_async (connection, TRUE, on_tcsd_config, g_rc_box_acquire (round));
  ward_helper_client_close_tcsd_async (connection, TRUE, on_tcsd_remote, g_rc_box_acquire (round));
  ward_helper_client_scan_dependents_async (connection, NULL, on_dependents, g_rc_box_acquire (round));
  ward_helper_client_inspect_async (connection, NULL, on_inspected, g_rc_box_acquire (round));
  ward_systemd_client_get_unit_async (connection, "tcsd.service", on_tcsd, g_rc_box_acquire (round));
  ward_systemd_client_get_unit_async (connection, "tpm2-abrmd.service", on_abrmd, g_rc_box_acquire (round));
  ward_keyring_prepare_async (self->keyring, WARD_UID_SYSTEM, on_store, g_rc_box_acquire (round));
  look = g_task_new (NULL, NULL, on_looked, g_rc_box_acquire (round));
  g_task_run_in_thread (look, look_around);
  return round;
}

void
ward_checkup_gather_async (WardCheckup *checkup, GDBusConnection *connection, gboolean fresh,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (checkup, NULL, callback, user_data);
  gint64 now = g_get_monotonic_time ();
  gint64 *oldest = &checkup->starts[checkup->n_rounds % MAX_ROUNDS];
  gboolean is_often = checkup->n_rounds >= MAX_ROUNDS && now - *oldest < ROUNDS_USEC;
  Round *round = checkup->round;

  if (checkup->remembered && is_often && !fresh)
    {
      g_task_return_pointer (task, ward_doctor_facts_ref (checkup->remembered),
                             (GDestroyNotify)ward_doctor_facts_unref);
      return;
    }
  if (round && !fresh)
    {
      g_ptr_array_add (round->waiting, g_steal_pointer (&task));
      return;
    }

  *oldest = now;
  checkup->n_rounds++;
  round = round_new (checkup, connection);
  checkup->round = round;
  g_ptr_array_add (round->waiting, g_steal_pointer (&task));
  /* without a TPM it is done at once */
  ward_checkup_refresh (checkup, on_tpms_read, round);
}

WardDoctorFacts *
ward_checkup_gather_finish (WardCheckup *checkup, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

void
ward_checkup_forget (WardCheckup *checkup)
{
  checkup->round = NULL;
  g_clear_pointer (&checkup->remembered, ward_doctor_facts_unref);
}

GPtrArray *
ward_checkup_examine (WardCheckup *checkup, const WardDoctorFacts *facts, const WardDoctorViewer *viewer)
{
  GPtrArray *tpms = ward_inventory_get_tpms (checkup->inventory);
  g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func ((GDestroyNotify)ward_doctor_tpm_free);

  for (guint i = 0; i < tpms->len; i++)
    g_ptr_array_add (copies, ward_doctor_tpm_new (g_ptr_array_index (tpms, i)));
  return ward_doctor_examine (facts, copies, viewer);
}
