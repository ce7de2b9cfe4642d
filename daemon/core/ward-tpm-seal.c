/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-seal.h"

#include "ward-error.h"
#include "ward-tpm-private.h"

typedef struct
{
  WardSecret *data;
  WardSecret *auth; /* or NULL */
  GPtrArray *pcrs;  /* or NULL */
  gboolean no_da;
  WardEnvelope *envelope;
  WardBudget *budget; /* the TPM's, which the job's task keeps alive */
  guint uid;
  gboolean begun; /* the chip may have seen a try that it counts */
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->data, ward_secret_unref);
  g_clear_pointer (&request->auth, ward_secret_unref);
  g_clear_pointer (&request->pcrs, g_ptr_array_unref);
  g_clear_pointer (&request->envelope, ward_envelope_free);
  g_free (request);
}

static gpointer
do_seal (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;
  g_autoptr (WardSecret) payload = ward_envelope_choose_payload (request->data, error);
  g_autoptr (WardSealed) sealed = NULL;

  if (!payload || !(sealed = backend->seal (connection, payload, request->auth, request->pcrs, request->no_da, error)))
    return NULL;
  return ward_envelope_print (sealed, payload, request->data, error);
}

void
ward_tpm_seal_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *data, WardSecret *auth, GPtrArray *pcrs,
                     gboolean no_da, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->data = ward_secret_ref (data);
  request->auth = auth ? ward_secret_ref (auth) : NULL;
  request->pcrs = pcrs ? g_ptr_array_ref (pcrs) : NULL;
  request->no_da = no_da;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, seal), do_seal, request, request_free, g_free,
                      callback, user_data);
}

char *
ward_tpm_seal_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

/* What cannot be right is not tried. */
static gboolean
check_auth (const Request *request, GError **error)
{
  gboolean has_auth = request->envelope->sealed->has_auth;

  if (!has_auth && request->auth && ward_secret_get_size (request->auth) > 0)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                         "This data was sealed without an authorization value, but one was given. It was not tried. "
                         "Leave it out.");
  else if (has_auth && !request->auth)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                         "This data was sealed with an authorization value, and none was given. The TPM was not asked. "
                         "Give it by the option “auth”.");
  else
    return TRUE;
  return FALSE;
}

/* Adds to an error about a counted auth how it stands now. */
static void
tell_standing (const WardBackend *backend, WardConnection *connection, Request *request, GError **error)
{
  g_autofree WardOwnership *now = backend->read_ownership (connection, NULL);
  g_autofree char *message = NULL;
  guint left;

  if (!now)
    return;
  left = ward_budget_get_left (request->budget, request->uid, now);
  if (g_error_matches (*error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED))
    message = g_strdup_printf ("%s You have %u more tries now, and the TPM has %u for all users together before it "
                               "locks itself; it forgives one every %u seconds.",
                               (*error)->message, left, now->max_failures - MIN (now->max_failures, now->failures),
                               now->recovery_seconds);
  else if (g_error_matches (*error, WARD_ERROR, WARD_ERROR_LOCKED_OUT))
    message = g_strdup_printf ("%s It has counted %u failures, and forgives one every %u seconds.", (*error)->message,
                               now->failures, now->recovery_seconds);
  if (message)
    {
      g_free ((*error)->message);
      (*error)->message = g_steal_pointer (&message);
    }
}

/* With a try that the chip may count. */
static WardSecret *
unseal_charged (WardWorker *worker, WardConnection *connection, Request *request, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  g_autofree WardOwnership *ownership = ward_tpm_begin_change (worker, connection, request->begun, error);
  g_autoptr (GError) outcome = NULL;
  WardSecret *payload;

  if (!ownership || !ward_budget_charge (request->budget, request->uid, ownership, error))
    return NULL;

  request->begun = TRUE;
  payload = backend->unseal (connection, request->envelope->sealed, request->auth, &outcome);
  ward_budget_settle (request->budget, request->uid, outcome);
  if (payload)
    return payload;

  tell_standing (backend, connection, request, &outcome);
  ward_worker_look (worker, connection, NULL);
  g_propagate_error (error, g_steal_pointer (&outcome));
  return NULL;
}

static gpointer
do_unseal (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;
  g_autoptr (WardSecret) payload = NULL;
  gboolean counts;

  if (!backend->check_sealed (request->envelope->sealed, &counts, error) || !check_auth (request, error))
    return NULL;
  payload = counts ? unseal_charged (worker, connection, request, error)
                   : backend->unseal (connection, request->envelope->sealed, request->auth, error);
  return payload ? ward_envelope_open (request->envelope, payload, error) : NULL;
}

void
ward_tpm_unseal_async (WardTpm *tpm, const WardTicket *ticket, WardEnvelope *envelope, WardSecret *auth,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->envelope = envelope;
  request->auth = auth ? ward_secret_ref (auth) : NULL;
  request->budget = tpm->budget;
  request->uid = ticket->uid;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, unseal), do_unseal, request, request_free,
                      (GDestroyNotify)ward_secret_unref, callback, user_data);
}

WardSecret *
ward_tpm_unseal_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}
