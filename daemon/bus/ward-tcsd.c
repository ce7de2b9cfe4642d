/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tcsd.h"

#include <unistd.h>

#include "ward-device.h"
#include "ward-error.h"
#include "ward-helper-client.h"
#include "ward-systemd-client.h"

/* After a try to start it, whatever came of that. */
#define NEXT_TRY_USEC (10 * G_USEC_PER_SEC)

/* systemd may call a tcsd started that does not listen yet: how long it is waited for, and how often looked at. */
#define PATIENCE_USEC (8 * G_USEC_PER_SEC)
#define LOOK_AGAIN_MS 200

/* How often it is found in use before it is taken for that. */
#define N_TRIES 4

struct _WardTcsd
{
  GObject parent_instance;

  GDBusConnection *connection;
  WardInventory *inventory;
  GPtrArray *starts; /* of GTask, that wait for the start under way; NULL: there is none */
  gint64 listens_by; /* by the monotonic clock, as next_try */
  gint64 next_try;
  char *ours;        /* which start of tcsd was ours; NULL: it is not ours to stop */
  guint n_stopping;  /* stops under way */
  gboolean unwanted; /* what comes of the start under way is to be stopped */
};

G_DEFINE_FINAL_TYPE (WardTcsd, ward_tcsd, G_TYPE_OBJECT)

static void
ward_tcsd_finalize (GObject *object)
{
  WardTcsd *self = WARD_TCSD (object);

  g_object_unref (self->connection);
  g_object_unref (self->inventory);
  g_clear_pointer (&self->starts, g_ptr_array_unref);
  g_free (self->ours);
  G_OBJECT_CLASS (ward_tcsd_parent_class)->finalize (object);
}

static void
ward_tcsd_class_init (WardTcsdClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = ward_tcsd_finalize;
}

static void
ward_tcsd_init (WardTcsd *self)
{
}

WardTcsd *
ward_tcsd_new (GDBusConnection *connection, WardInventory *inventory)
{
  WardTcsd *self = g_object_new (WARD_TYPE_TCSD, NULL);

  self->connection = g_object_ref (connection);
  self->inventory = g_object_ref (inventory);
  return self;
}

gboolean
ward_tcsd_may_help (WardTcsd *tcsd, WardTpm *tpm)
{
  return ward_device_get_tcsd_port (ward_tpm_get_transport (tpm)) != 0
         && ward_tpm_get_state (tpm) == WARD_TPM_UNREACHABLE
         && (tcsd->starts || g_get_monotonic_time () >= tcsd->next_try);
}

/* Somebody who waits until tcsd listens. */
typedef struct
{
  WardTpm *tpm; /* or NULL */
  gboolean keep;
} Wait;

static void
wait_free (gpointer data)
{
  Wait *wait = data;

  g_clear_object (&wait->tpm);
  g_free (wait);
}

static const Wait *
get_wait (WardTcsd *self, guint i)
{
  return g_task_get_task_data (g_ptr_array_index (self->starts, i));
}

/* Ends the start under way for all who wait for it. */
static void
conclude (WardTcsd *self, const GError *error)
{
  g_autoptr (GPtrArray) starts = NULL;

  for (guint i = 0; i < self->starts->len; i++)
    if (get_wait (self, i)->keep)
      g_clear_pointer (&self->ours, g_free);
  starts = g_steal_pointer (&self->starts);
  self->next_try = g_get_monotonic_time () + NEXT_TRY_USEC;
  for (guint i = 0; i < starts->len; i++)
    if (error)
      g_task_return_error (g_ptr_array_index (starts, i), g_error_copy (error));
    else
      g_task_return_boolean (g_ptr_array_index (starts, i), TRUE);
  if (self->unwanted)
    ward_tcsd_stop_async (self, NULL, NULL);
  self->unwanted = FALSE;
}

/* A TPM that tells whether tcsd listens, or NULL. */
static WardTpm *
get_witness (WardTcsd *self)
{
  for (guint i = 0; i < self->starts->len; i++)
    if (get_wait (self, i)->tpm)
      return get_wait (self, i)->tpm;
  return NULL;
}

static void look (WardTcsd *self);

static gboolean
on_look_again (gpointer user_data)
{
  g_autoptr (WardTcsd) self = user_data;

  look (self);
  return G_SOURCE_REMOVE;
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardTcsd) self = user_data;
  WardUnit unit;
  gboolean ended;

  ward_systemd_client_get_unit_finish (G_DBUS_CONNECTION (source), result, &unit);
  ended = unit.active && !ward_unit_is_active (&unit);
  ward_unit_clear (&unit);
  if (ended)
    conclude (self, NULL);
  else
    g_timeout_add (LOOK_AGAIN_MS, on_look_again, g_steal_pointer (&self));
}

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardTcsd) self = user_data;
  GDBusConnection *connection = self->connection;
  WardTpm *tpm = WARD_TPM (source);

  ward_tpm_refresh_finish (tpm, result, NULL);
  if (ward_tpm_get_state (tpm) == WARD_TPM_UNREACHABLE && !self->unwanted && g_get_monotonic_time () < self->listens_by)
    ward_systemd_client_get_unit_async (connection, "tcsd.service", on_asked, g_steal_pointer (&self));
  else
    conclude (self, NULL);
}

static void
look (WardTcsd *self)
{
  ward_tpm_refresh_async (get_witness (self), NULL, on_looked, g_object_ref (self));
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (WardTcsd) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *start = ward_helper_client_start_tcsd_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean began = start && *start;

  if (began)
    {
      g_message ("tcsd was started");
      g_free (self->ours);
      self->ours = g_steal_pointer (&start);
      self->listens_by = g_get_monotonic_time () + PATIENCE_USEC;
    }
  else if (error)
    g_message ("tcsd was not started: %s", error->message);
  if (began && !self->unwanted && get_witness (self))
    look (self);
  else
    conclude (self, error);
}

void
ward_tcsd_start_async (WardTcsd *tcsd, WardTpm *tpm, gboolean keep, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (tcsd, NULL, callback, user_data);
  Wait *wait = g_new0 (Wait, 1);

  wait->tpm = tpm ? g_object_ref (tpm) : NULL;
  wait->keep = keep;
  g_task_set_task_data (task, wait, wait_free);
  if (!tcsd->starts)
    {
      tcsd->starts = g_ptr_array_new_with_free_func (g_object_unref);
      ward_helper_client_start_tcsd_async (tcsd->connection, on_started, g_object_ref (tcsd));
    }
  g_ptr_array_add (tcsd->starts, task);
}

gboolean
ward_tcsd_start_finish (WardTcsd *tcsd, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Whether it is the port of a tcsd of ours. */
static gboolean
is_tcsds (WardTcsd *self, guint port)
{
  GPtrArray *tpms = ward_inventory_get_tpms (self->inventory);

  for (guint i = 0; i < tpms->len; i++)
    if (port != 0 && port == (guint)ward_device_get_tcsd_port (ward_tpm_get_transport (g_ptr_array_index (tpms, i))))
      return TRUE;
  return FALSE;
}

static guint
fetch_number (const GMatchInfo *match, int part, guint base)
{
  g_autofree char *text = g_match_info_fetch (match, part);

  return (guint)g_ascii_strtoull (text, NULL, base);
}

/* 1 for an established connection that ends at tcsd; -1 for the other end of one that is the service's own, which is at
 * tcsd for moments; else 0. */
static int
weigh_connection (WardTcsd *self, const GMatchInfo *match)
{
  if (is_tcsds (self, fetch_number (match, 1, 16)))
    return 1;
  return is_tcsds (self, fetch_number (match, 2, 16)) && fetch_number (match, 3, 10) == getuid () ? -1 : 0;
}

/* The table's lines have number, own address and port, other's address and port, state (1: established), queues, timer,
 * retransmissions, and whose it is. */
static int
weigh_table (WardTcsd *self, const char *table)
{
  g_autoptr (GRegex) line = g_regex_new (
      "^ *\\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) 01 \\S+ \\S+ \\S+ +(\\d+) ", G_REGEX_MULTILINE, 0,
      NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *text = NULL;
  int n = 0;

  if (!g_file_get_contents (table, &text, NULL, NULL))
    return 0;
  for (gboolean found = g_regex_match (line, text, 0, &match); found; found = g_match_info_next (match, NULL))
    n += weigh_connection (self, match);
  return n;
}

/* Whether another program is connected to tcsd. */
static gboolean
is_used (WardTcsd *self)
{
  return weigh_table (self, "/proc/self/net/tcp") + weigh_table (self, "/proc/self/net/tcp6") > 0;
}

/* What could not be stopped now is not tried again. */
static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  WardTcsd *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  if (!ward_helper_client_stop_tcsd_finish (G_DBUS_CONNECTION (source), result, &error))
    g_message ("tcsd was not stopped: %s", error->message);
  self->n_stopping--;
  self->next_try = 0;
  g_task_return_boolean (task, TRUE);
}

static void try_to_stop (GTask *task);

static gboolean
on_try_again (gpointer user_data)
{
  try_to_stop (user_data);
  return G_SOURCE_REMOVE;
}

/* Takes the task, whose data count the tries: what begins or ends during the look may be counted as another's. */
static void
try_to_stop (GTask *task)
{
  g_autoptr (GTask) owned = task;
  WardTcsd *self = g_task_get_source_object (task);
  guint n = GPOINTER_TO_UINT (g_task_get_task_data (task)) + 1;
  g_autofree char *ours = NULL;

  if (self->ours && !is_used (self))
    {
      ours = g_steal_pointer (&self->ours);
      ward_helper_client_stop_tcsd_async (self->connection, ours, on_stopped, g_steal_pointer (&owned));
      return;
    }
  if (self->ours && n < N_TRIES)
    {
      g_task_set_task_data (task, GUINT_TO_POINTER (n), NULL);
      g_timeout_add (LOOK_AGAIN_MS, on_try_again, g_steal_pointer (&owned));
      return;
    }
  self->n_stopping--;
  g_task_return_boolean (task, !self->ours);
}

void
ward_tcsd_stop_async (WardTcsd *tcsd, GAsyncReadyCallback callback, gpointer user_data)
{
  tcsd->unwanted = tcsd->starts != NULL;
  tcsd->n_stopping++;
  try_to_stop (g_task_new (tcsd, NULL, callback, user_data));
}

gboolean
ward_tcsd_stop_finish (WardTcsd *tcsd, GAsyncResult *result)
{
  return g_task_propagate_boolean (G_TASK (result), NULL);
}

gboolean
ward_tcsd_is_stopping (WardTcsd *tcsd)
{
  return tcsd->n_stopping > 0 || tcsd->unwanted;
}
