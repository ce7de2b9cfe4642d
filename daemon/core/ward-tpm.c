/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-private.h"

#include <string.h>

#include "ward-error.h"

G_DEFINE_FINAL_TYPE (WardTpm, ward_tpm, G_TYPE_OBJECT)

enum
{
  CHANGED,
  SELF_TEST_CHANGED,
  OWNERSHIP_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const char *const states[] = {
  [WARD_TPM_READY] = "ready",
  [WARD_TPM_DISABLED] = "disabled",
  [WARD_TPM_FAILED] = "failed",
  [WARD_TPM_UNREACHABLE] = "unreachable",
};

const char *
ward_tpm_state_to_string (WardTpmState state)
{
  return states[state];
}

static void
ward_tpm_dispose (GObject *object)
{
  WardTpm *self = WARD_TPM (object);

  ward_tpm_stop (self);
  g_clear_handle_id (&self->recovery_timeout, g_source_remove);
  G_OBJECT_CLASS (ward_tpm_parent_class)->dispose (object);
}

static void
ward_tpm_finalize (GObject *object)
{
  WardTpm *self = WARD_TPM (object);

  g_free (self->name);
  g_free (self->family);
  g_free (self->transport);
  g_free (self->device_path);
  g_free (self->driver);
  g_free (self->kernel_name);
  g_free (self->self_test_path);
  g_free (self->state_detail);
  ward_identity_free (self->identity);
  ward_self_test_free (self->self_test);
  g_clear_pointer (&self->presence, ward_presence_state_free);
  g_free (self->ownership);
  g_free (self->change_text);
  ward_guard_free (self->guard);
  ward_budget_unref (self->budget);
  g_object_unref (self->key_parser);
  ward_record_unref (self->record);
  G_OBJECT_CLASS (ward_tpm_parent_class)->finalize (object);
}

static void
ward_tpm_class_init (WardTpmClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = ward_tpm_dispose;
  object_class->finalize = ward_tpm_finalize;

  signals[CHANGED] = g_signal_new ("changed", WARD_TYPE_TPM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SELF_TEST_CHANGED] = g_signal_new ("self-test-changed", WARD_TYPE_TPM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                             G_TYPE_NONE, 0);
  signals[OWNERSHIP_CHANGED] = g_signal_new ("ownership-changed", WARD_TYPE_TPM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                             G_TYPE_NONE, 0);
}

static void
ward_tpm_init (WardTpm *self)
{
  self->state = WARD_TPM_UNREACHABLE;
  self->identity = ward_identity_new ();
  self->self_test = ward_self_test_new ();
  self->key_parser = ward_key_parser_new ();
}

static void
set_state (WardTpm *self, WardTpmState state, const char *detail)
{
  g_autofree char *old_detail = self->state_detail;

  self->state = state;
  self->state_detail = g_strdup (detail);
}

static gboolean
on_recovery (gpointer user_data)
{
  WardTpm *self = user_data;

  self->recovery_timeout = 0;
  ward_tpm_refresh_async (self, NULL, NULL, NULL);
  return G_SOURCE_REMOVE;
}

/* The chip does not tell when it will forgive the next failure: at the latest when the time that this takes has passed
 * since we first saw that many. */
static void
estimate_recovery (WardTpm *self, const WardOwnership *old)
{
  const WardOwnership *now = self->ownership;
  guint64 real_time = g_get_real_time ();

  if (now->failures == 0 || now->recovery_seconds == 0)
    self->next_recovery = 0;
  else if (!old || old->failures != now->failures || self->next_recovery <= real_time)
    self->next_recovery = real_time + (guint64)now->recovery_seconds * G_USEC_PER_SEC;
}

/* Has the TPM read again when what is estimated or barred has come to its time. */
static void
await_recovery (WardTpm *self)
{
  guint64 wake = self->next_recovery ? self->next_recovery : WARD_BARRED_UNTIL_RESET;
  guint64 barred_until = ward_guard_get_barred_until (self->guard);
  guint64 seconds;

  g_clear_handle_id (&self->recovery_timeout, g_source_remove);
  if (barred_until)
    wake = MIN (wake, barred_until);
  if (wake == WARD_BARRED_UNTIL_RESET)
    return;

  seconds = (wake - MIN (wake, (guint64)g_get_real_time ())) / G_USEC_PER_SEC + 1;
  self->recovery_timeout = g_timeout_add_seconds (MIN (seconds, G_MAXINT), on_recovery, self);
}

static void
take_ownership (WardTpm *self, WardOwnership *ownership)
{
  g_autofree WardOwnership *old = self->ownership;

  self->ownership = ownership;
  ward_guard_look (self->guard, ownership);
  estimate_recovery (self, old);
  await_recovery (self);
  g_signal_emit (self, signals[OWNERSHIP_CHANGED], 0);
}

/* What the record says, of which a TPM that works tells in its state's detail. */
static void
take_change (WardTpm *self)
{
  g_clear_pointer (&self->change_text, g_free);
  self->change_noticed_at = 0;
  self->change = ward_record_get_change (self->record, &self->change_noticed_at, &self->change_text);
}

static void
take_identity (WardTpm *self, WardIdentity *identity)
{
  ward_identity_free (self->identity);
  self->identity = identity;
  if (*identity->failure)
    set_state (self, WARD_TPM_FAILED, identity->failure);
  else if (*identity->disablement)
    set_state (self, WARD_TPM_DISABLED, identity->disablement);
  else
    set_state (self, WARD_TPM_READY, self->change_text ? self->change_text : "");
}

/* On the worker's thread, where alone the budget is used. */
static gpointer
restore_budget (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  ward_budget_restore (data);
  return GINT_TO_POINTER (TRUE);
}

/* What was on record of wrong auths was of what is no more. */
static void
forget_failures (WardTpm *self)
{
  ward_guard_end (self->guard, NULL);
  ward_tpm_run_async (self, NULL, G_STRUCT_OFFSET (WardBackend, identify), restore_budget, self->budget, NULL, NULL,
                      NULL, NULL);
}

static void
on_report (WardReport *report, gpointer user_data)
{
  WardTpm *self = user_data;
  gboolean first = report->identity && self->identity->firmware_raw == 0 && !*self->identity->manufacturer;

  self->seen = TRUE;
  take_change (self);
  if (report->identity)
    take_identity (self, g_steal_pointer (&report->identity));
  else
    set_state (self,
               g_error_matches (report->error, WARD_ERROR, WARD_ERROR_DISABLED) ? WARD_TPM_DISABLED
                                                                                : WARD_TPM_UNREACHABLE,
               report->error->message);
  if (report->presence)
    {
      g_clear_pointer (&self->presence, ward_presence_state_free);
      self->presence = g_steal_pointer (&report->presence);
    }

  if (first && self->self_test->state == WARD_SELF_TEST_NEVER_RUN)
    ward_tpm_recall_self_test (self);
  if ((report->noticed == WARD_CHANGE_CLEARED || report->noticed == WARD_CHANGE_REPLACED)
      && !report->ownership->lockout_auth_set)
    forget_failures (self);
  if (report->ownership)
    take_ownership (self, g_steal_pointer (&report->ownership));
  g_signal_emit (self, signals[CHANGED], 0);
}

/* "tpm0" of "device:/dev/tpm0" or "device:/dev/tpmrm0", or of the device's own path. Any other transport may lead
 * anywhere, whatever the TPM is called. */
static char *
find_kernel_name (const char *transport, const char *device_path)
{
  static const char *const prefixes[] = { "device:/dev/tpmrm", "device:/dev/tpm", "/dev/tpm" };

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      const char *path = *prefixes[i] == '/' ? device_path : transport;
      const char *number = g_str_has_prefix (path, prefixes[i]) ? path + strlen (prefixes[i]) : "";

      if (*number && strspn (number, "0123456789") == strlen (number))
        return g_strconcat ("tpm", number, NULL);
    }
  return g_strdup ("");
}

WardTpm *
ward_tpm_new (const char *name, const char *family, const char *transport, const char *device_path, const char *driver,
              const WardBackend *backend, const char *state_dir)
{
  WardTpm *self = g_object_new (WARD_TYPE_TPM, NULL);
  g_autofree char *self_test_name = g_strconcat (name, ".self-test", NULL);
  g_autofree char *guard_name = g_strconcat (name, ".lockout-guard", NULL);
  g_autofree char *guard_path = g_build_filename (state_dir, guard_name, NULL);
  g_autofree char *record_name = g_strconcat (name, ".chip", NULL);
  g_autofree char *record_path = g_build_filename (state_dir, record_name, NULL);

  self->name = g_strdup (name);
  self->family = g_strdup (family);
  self->transport = g_strdup (transport);
  self->device_path = g_strdup (device_path);
  self->driver = g_strdup (driver);
  self->kernel_name = find_kernel_name (transport, device_path);
  self->self_test_path = g_build_filename (state_dir, self_test_name, NULL);

  self->guard = ward_guard_new (guard_path);
  self->budget = ward_budget_new (state_dir, name);
  self->record = ward_record_new (record_path);
  if (backend)
    {
      set_state (self, WARD_TPM_UNREACHABLE, "The service has not reached the TPM yet.");
      self->worker = ward_worker_new (name, backend, transport, self->kernel_name, self->record, self->budget,
                                      on_report, self);
    }
  else
    {
      g_autofree char *detail = g_strdup_printf ("This is a TPM of family %s, and the service was built without "
                                                 "support for that family. Install one that was built with %s.",
                                                 family, g_str_equal (family, "2.0") ? "tpm2-tss" : "TrouSerS");

      self->seen = TRUE;
      set_state (self, WARD_TPM_UNREACHABLE, detail);
    }
  return self;
}

void
ward_tpm_stop (WardTpm *tpm)
{
  tpm->gone = TRUE;
  g_clear_pointer (&tpm->worker, ward_worker_stop);
}

const char *
ward_tpm_get_name (WardTpm *tpm)
{
  return tpm->name;
}

const char *
ward_tpm_get_family (WardTpm *tpm)
{
  return tpm->family;
}

gboolean
ward_tpm_is_tpm12 (WardTpm *tpm)
{
  return g_str_equal (tpm->family, "1.2");
}

const char *
ward_tpm_get_transport (WardTpm *tpm)
{
  return tpm->transport;
}

const char *
ward_tpm_get_device_path (WardTpm *tpm)
{
  return tpm->device_path;
}

const char *
ward_tpm_get_driver (WardTpm *tpm)
{
  return tpm->driver;
}

const char *
ward_tpm_get_kernel_name (WardTpm *tpm)
{
  return tpm->kernel_name;
}

gboolean
ward_tpm_has_been_seen (WardTpm *tpm)
{
  return tpm->seen;
}

WardTpmState
ward_tpm_get_state (WardTpm *tpm)
{
  return tpm->state;
}

const char *
ward_tpm_get_state_detail (WardTpm *tpm)
{
  return tpm->state_detail;
}

const WardIdentity *
ward_tpm_get_identity (WardTpm *tpm)
{
  return tpm->identity;
}

const WardSelfTest *
ward_tpm_get_self_test (WardTpm *tpm)
{
  return tpm->self_test;
}

const WardOwnership *
ward_tpm_get_ownership (WardTpm *tpm)
{
  return tpm->ownership;
}

const WardRoom *
ward_tpm_get_room (WardTpm *tpm)
{
  return tpm->ownership ? &tpm->ownership->room : NULL;
}

const WardPresenceState *
ward_tpm_get_presence (WardTpm *tpm)
{
  return tpm->presence;
}

WardChange
ward_tpm_get_change (WardTpm *tpm, guint64 *noticed_at, const char **text)
{
  if (tpm->change == WARD_CHANGE_NONE)
    return WARD_CHANGE_NONE;
  if (noticed_at)
    *noticed_at = tpm->change_noticed_at;
  if (text)
    *text = tpm->change_text;
  return tpm->change;
}

void
ward_tpm_acknowledge_change (WardTpm *tpm)
{
  ward_record_acknowledge (tpm->record);
  take_change (tpm);
  if (tpm->state == WARD_TPM_READY)
    set_state (tpm, WARD_TPM_READY, "");
  g_signal_emit (tpm, signals[CHANGED], 0);
}

void
ward_tpm_expect_firmware_clear (WardTpm *tpm, gboolean expected)
{
  if (expected)
    ward_record_expect_firmware_clear (tpm->record);
  else
    ward_record_forget_firmware_clear (tpm->record);
}

guint64
ward_tpm_get_next_recovery (WardTpm *tpm)
{
  return tpm->next_recovery;
}

guint64
ward_tpm_get_barred_until (WardTpm *tpm)
{
  return ward_guard_get_barred_until (tpm->guard);
}

/* How long what is asked by that member may take. */
static gint64
get_patience (const WardBackend *backend, gsize member)
{
  static const gsize readers[] = {
    G_STRUCT_OFFSET (WardBackend, identify),        G_STRUCT_OFFSET (WardBackend, get_properties),
    G_STRUCT_OFFSET (WardBackend, get_random),      G_STRUCT_OFFSET (WardBackend, read_pcrs),
    G_STRUCT_OFFSET (WardBackend, get_test_result), G_STRUCT_OFFSET (WardBackend, list_items),
    G_STRUCT_OFFSET (WardBackend, list_nv),
  };

  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    if (readers[i] == member)
      return backend->patience;
  return backend->long_patience;
}

gboolean
ward_tpm_can (WardTpm *tpm, gsize member, GError **error)
{
  if (tpm->worker && G_STRUCT_MEMBER (gpointer, ward_worker_get_backend (tpm->worker), member))
    return TRUE;

  if (tpm->gone)
    g_propagate_error (error, ward_worker_error_gone (tpm->name));
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "%s is a TPM of family %s, which cannot do this, or not with this build of the service.", tpm->name,
                 tpm->family);
  return FALSE;
}

void
ward_tpm_run_async (WardTpm *self, const WardTicket *ticket, gsize member, WardJobFunc func, gpointer data,
                    GDestroyNotify data_free, GDestroyNotify result_free, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  GError *error = NULL;

  if (ward_tpm_can (self, member, &error))
    {
      ward_worker_push (self->worker, ticket, task, get_patience (ward_worker_get_backend (self->worker), member), func,
                        data, data_free, result_free);
      return;
    }

  g_task_return_error (task, error);
  g_object_unref (task);
  if (data_free)
    data_free (data);
}

gboolean
ward_tpm_withdraw (WardTpm *tpm, const WardTicket *ticket)
{
  return ward_key_parser_withdraw (tpm->key_parser, ticket)
         || (tpm->worker && ward_worker_withdraw (tpm->worker, ticket));
}

WardOwnership *
ward_tpm_begin_change (WardWorker *worker, WardConnection *connection, gboolean begun, GError **error)
{
  if (!begun)
    return ward_worker_get_backend (worker)->read_ownership (connection, error);

  g_set_error_literal (
      error, WARD_ERROR, WARD_ERROR_UNREACHABLE,
      "The connection to the TPM broke while it was at this, so that nobody knows whether it was done. "
      "Look at its state before you try again.");
  return NULL;
}

gpointer
ward_tpm_run_finish (WardTpm *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static gpointer
refresh (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  return GINT_TO_POINTER (ward_worker_look (worker, connection, error));
}

void
ward_tpm_refresh_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, identify), refresh, NULL, NULL, NULL, callback,
                      user_data);
}

gboolean
ward_tpm_refresh_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (ward_tpm_run_finish (tpm, result, &local_error)
      || g_error_matches (local_error, WARD_ERROR, WARD_ERROR_UNREACHABLE))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}
