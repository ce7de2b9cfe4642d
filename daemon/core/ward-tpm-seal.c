/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-seal.h"

#include "ward-error.h"
#include "ward-tpm-private.h"
#include "ward-tpm-tools.h"

typedef struct
{
  WardSecret *data;
  WardKeyAuths auths;
  GPtrArray *pcrs; /* or NULL */
  gboolean no_da;
  WardEnvelope *envelope;
  WardCharge charge;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->data, ward_secret_unref);
  g_clear_pointer (&request->auths.auth, ward_secret_unref);
  g_clear_pointer (&request->auths.srk_auth, ward_secret_unref);
  g_clear_pointer (&request->pcrs, g_ptr_array_unref);
  g_clear_pointer (&request->envelope, ward_envelope_free);
  g_free (request);
}

static Request *
request_new (WardSecret *data, const WardKeyAuths *auths, GPtrArray *pcrs)
{
  Request *request = g_new0 (Request, 1);

  request->data = data ? ward_secret_ref (data) : NULL;
  request->auths.auth = auths->auth ? ward_secret_ref (auths->auth) : NULL;
  request->auths.srk_auth = auths->srk_auth ? ward_secret_ref (auths->srk_auth) : NULL;
  request->pcrs = pcrs ? g_ptr_array_ref (pcrs) : NULL;
  return request;
}

static gpointer
do_seal_for_tpm_tools (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;
  g_autoptr (WardSecret) key = ward_tpm_tools_make_key (error);
  g_autoptr (WardSealed) sealed = NULL;

  if (!key || !(sealed = backend->seal_for_tpm_tools (connection, key, &request->auths, request->pcrs, error)))
    return NULL;
  return ward_tpm_tools_print (sealed, key, request->data, error);
}

static gpointer
do_seal (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;
  g_autoptr (WardSecret) payload = ward_envelope_choose_payload (request->data, error);
  g_autoptr (WardSealed) sealed = NULL;

  if (!payload
      || !(sealed = backend->seal (connection, payload, &request->auths, request->pcrs, request->no_da, error)))
    return NULL;
  return ward_envelope_print (sealed, payload, request->data, error);
}

void
ward_tpm_seal_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *data, const WardKeyAuths *auths,
                     GPtrArray *pcrs, gboolean no_da, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (data, auths, pcrs);

  request->no_da = no_da;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, seal), do_seal, request, request_free, g_free,
                      callback, user_data);
}

void
ward_tpm_seal_for_tpm_tools_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *data, const WardKeyAuths *auths,
                                   GPtrArray *pcrs, GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, seal_for_tpm_tools), do_seal_for_tpm_tools,
                      request_new (data, auths, pcrs), request_free, g_free, callback, user_data);
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

  if (!has_auth && request->auths.auth && ward_secret_get_size (request->auths.auth) > 0)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                         "This data was sealed without an authorization value, but one was given. It was not tried. "
                         "Leave it out.");
  else if (has_auth && !request->auths.auth)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                         "This data was sealed with an authorization value, and none was given. The TPM was not asked. "
                         "Give it by the option “auth”.");
  else
    return TRUE;
  return FALSE;
}

static gpointer
unseal (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;

  return backend->unseal (connection, request->envelope->sealed, &request->auths, error);
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
  payload = counts ? ward_tpm_run_charged (worker, connection, &request->charge, unseal, request, error)
                   : unseal (backend, connection, request, error);
  return payload ? ward_envelope_open (request->envelope, payload, error) : NULL;
}

void
ward_tpm_unseal_async (WardTpm *tpm, const WardTicket *ticket, WardEnvelope *envelope, const WardKeyAuths *auths,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (NULL, auths, NULL);

  request->envelope = envelope;
  request->charge = (WardCharge){ tpm->budget, ticket->uid, FALSE };
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, unseal), do_unseal, request, request_free,
                      (GDestroyNotify)ward_secret_unref, callback, user_data);
}

WardSecret *
ward_tpm_unseal_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}
