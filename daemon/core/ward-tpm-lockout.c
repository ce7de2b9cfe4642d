/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-private.h"

#include "ward-error.h"

typedef struct _Request Request;

/* What is asked of the TPM with the lockout auth. */
struct _Request
{
  gboolean (*check) (const WardOwnership *ownership, GError **error); /* whether to try at all; or NULL */
  gboolean (*act) (const WardBackend *backend, WardConnection *connection, const Request *request, GError **error);
  WardGuard *guard;   /* the TPM's, which the job's task keeps alive */
  WardRecord *record; /* likewise */
  WardBudget *budget; /* likewise */
  WardSecret *auth;   /* or NULL */
  gboolean force;
  gboolean begun; /* the chip may have seen it */
  guint32 max_failures;
  guint32 recovery_seconds;
  guint32 lockout_recovery_seconds;
};

static Request *
request_new (WardTpm *tpm, WardSecret *auth, gboolean force)
{
  Request *request = g_new0 (Request, 1);

  request->guard = tpm->guard;
  request->record = tpm->record;
  request->budget = tpm->budget;
  request->auth = auth ? ward_secret_ref (auth) : NULL;
  request->force = force;
  return request;
}

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->auth, ward_secret_unref);
  g_free (request);
}

/* Does it under the guard. */
static gpointer
use_lockout_auth (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;
  g_autofree WardOwnership *ownership = ward_tpm_begin_change (worker, connection, request->begun, error);
  g_autoptr (GError) outcome = NULL;

  if (!ownership || (request->check && !request->check (ownership, error))
      || (backend->guards_lockout
          && !ward_guard_begin (request->guard, ownership, request->auth, request->force, error)))
    return NULL;

  request->begun = TRUE;
  request->act (backend, connection, request, &outcome);
  if (backend->guards_lockout)
    ward_guard_end (request->guard, outcome);

  /* a look that fails is not this operation's failure, and is told by the next one */
  ward_worker_look (worker, connection, NULL);
  if (outcome)
    {
      g_propagate_error (error, g_steal_pointer (&outcome));
      return NULL;
    }
  return GINT_TO_POINTER (TRUE);
}

gboolean
ward_tpm_is_guard_damaged (WardTpm *tpm)
{
  return ward_guard_is_damaged (tpm->guard);
}

static gboolean
finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}

static gboolean
act_reset (const WardBackend *backend, WardConnection *connection, const Request *request, GError **error)
{
  if (!backend->reset_lockout (connection, request->auth, error))
    return FALSE;
  ward_budget_restore (request->budget);
  return TRUE;
}

void
ward_tpm_reset_lockout_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *auth, gboolean force,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, auth, force);

  request->act = act_reset;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, reset_lockout), use_lockout_auth, request,
                      request_free, NULL, callback, user_data);
}

gboolean
ward_tpm_reset_lockout_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return finish (tpm, result, error);
}

static gboolean
act_set_parameters (const WardBackend *backend, WardConnection *connection, const Request *request, GError **error)
{
  return backend->set_lockout_parameters (connection, request->max_failures, request->recovery_seconds,
                                          request->lockout_recovery_seconds, request->auth, error);
}

void
ward_tpm_set_lockout_parameters_async (WardTpm *tpm, const WardTicket *ticket, guint32 max_failures,
                                       guint32 recovery_seconds, guint32 lockout_recovery_seconds, WardSecret *auth,
                                       gboolean force, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, auth, force);

  request->act = act_set_parameters;
  request->max_failures = max_failures;
  request->recovery_seconds = recovery_seconds;
  request->lockout_recovery_seconds = lockout_recovery_seconds;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, set_lockout_parameters), use_lockout_auth, request,
                      request_free, NULL, callback, user_data);
}

gboolean
ward_tpm_set_lockout_parameters_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return finish (tpm, result, error);
}

gboolean
ward_tpm_check_clear (const WardOwnership *ownership, GError **error)
{
  if (!ownership || !ownership->clear_disabled)
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_DISABLED,
                       "Clearing this TPM by its lockout auth is switched off, so nothing was tried. Have the "
                       "machine's firmware clear it: with the option “physical-presence”, or in its setup.");
  return FALSE;
}

static gboolean
act_clear (const WardBackend *backend, WardConnection *connection, const Request *request, GError **error)
{
  if (!backend->clear (connection, request->auth, error))
    return FALSE;
  ward_record_expect_clear (request->record);
  ward_budget_restore (request->budget);
  return TRUE;
}

void
ward_tpm_clear_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *auth, gboolean force,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, auth, force);

  request->check = ward_tpm_check_clear;
  request->act = act_clear;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, clear), use_lockout_auth, request, request_free, NULL,
                      callback, user_data);
}

gboolean
ward_tpm_clear_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return finish (tpm, result, error);
}

static gboolean
act_disable_clear (const WardBackend *backend, WardConnection *connection, const Request *request, GError **error)
{
  return backend->disable_clear (connection, request->auth, error);
}

void
ward_tpm_disable_clear_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *auth, gboolean force,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, auth, force);

  request->act = act_disable_clear;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, disable_clear), use_lockout_auth, request,
                      request_free, NULL, callback, user_data);
}

gboolean
ward_tpm_disable_clear_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return finish (tpm, result, error);
}
