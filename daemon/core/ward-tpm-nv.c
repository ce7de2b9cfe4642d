/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-nv.h"

#include "ward-error.h"
#include "ward-tpm-private.h"

typedef struct
{
  WardNvAccess access; /* as the caller has asked for it */
  WardNvAccess settled;
  WardSecret *data; /* to write, or NULL */
  WardNvTemplate template;
  GStrv attributes;
  guint32 index;
  WardSecret *owner_auth;
  gboolean force;
  WardCharge charge;
} Request;

static WardSecret *
ref_secret (WardSecret *secret)
{
  return secret ? ward_secret_ref (secret) : NULL;
}

static Request *
request_new (WardTpm *tpm, const WardTicket *ticket, WardSecret *owner_auth)
{
  Request *request = g_new0 (Request, 1);

  request->owner_auth = ref_secret (owner_auth);
  request->charge = (WardCharge){ tpm->budget, ticket ? ticket->uid : 0, FALSE };
  return request;
}

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->access.auth, ward_secret_unref);
  g_clear_pointer (&request->template.auth, ward_secret_unref);
  g_clear_pointer (&request->data, ward_secret_unref);
  g_clear_pointer (&request->owner_auth, ward_secret_unref);
  g_strfreev (request->attributes);
  g_free (request);
}

/* Those that ask nothing of the TPM; NULL with error set when this one has no NV indices. */
static const WardBackend *
get_backend (WardTpm *tpm, GError **error)
{
  const WardBackend *backend = tpm->worker ? ward_worker_get_backend (tpm->worker) : NULL;

  if (backend && backend->check_nv_index && backend->check_nv_template)
    return backend;
  if (tpm->gone)
    g_propagate_error (error, ward_worker_error_gone (tpm->name));
  else
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "%s is a TPM of family %s, whose NV indices cannot be used by this build of the service.", tpm->name,
                 tpm->family);
  return NULL;
}

gboolean
ward_tpm_nv_check_index (WardTpm *tpm, guint32 index, GError **error)
{
  const WardBackend *backend = get_backend (tpm, error);

  return backend && backend->check_nv_index (index, error);
}

gboolean
ward_tpm_nv_check_template (WardTpm *tpm, const WardNvTemplate *template, GError **error)
{
  const WardBackend *backend = get_backend (tpm, error);

  return backend && backend->check_nv_template (template, error);
}

static gpointer
do_list (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  return ward_worker_get_backend (worker)->list_nv (connection, error);
}

void
ward_tpm_nv_list_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, list_nv), do_list, NULL, NULL,
                      (GDestroyNotify)g_ptr_array_unref, callback, user_data);
}

GPtrArray *
ward_tpm_nv_list_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

/* Whether it may be tried: an empty auth value that nobody has given is no try that anybody should pay for. */
static gboolean
check_auth (const Request *request, gboolean counts, GError **error)
{
  if (!counts || request->access.right != WARD_NV_BY_ANY)
    return TRUE;
  g_set_error (
      error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
      "The NV index 0x%08x takes its own auth value, and none was given. The TPM was not asked: it would count "
      "a wrong one. Give it by the option “auth”, empty if it has none.",
      request->access.index);
  return FALSE;
}

static gpointer
read_nv (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  return backend->read_nv (connection, &((Request *)data)->settled, error);
}

static gpointer
write_nv (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;

  return GINT_TO_POINTER (backend->write_nv (connection, &request->settled, request->data, error));
}

static gpointer
do_access (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;
  WardUseFunc use = request->data ? write_nv : read_nv;
  gboolean counts;

  request->settled = request->access;
  if (!backend->prepare_nv (connection, &request->settled, request->data != NULL, &counts, error)
      || !check_auth (request, counts, error))
    return NULL;
  /* what is not counted can be done a second time over a new connection: the same bytes are written */
  return counts ? ward_tpm_run_charged (worker, connection, &request->charge, use, request, error)
                : use (backend, connection, request, error);
}

static Request *
access_request_new (WardTpm *tpm, const WardTicket *ticket, const WardNvAccess *access, WardSecret *data)
{
  Request *request = request_new (tpm, ticket, NULL);

  request->access = *access;
  request->access.auth = ref_secret (access->auth);
  request->data = ref_secret (data);
  if (data)
    request->access.size = ward_secret_get_size (data);
  return request;
}

void
ward_tpm_nv_read_async (WardTpm *tpm, const WardTicket *ticket, const WardNvAccess *access,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, read_nv), do_access,
                      access_request_new (tpm, ticket, access, NULL), request_free, (GDestroyNotify)ward_secret_unref,
                      callback, user_data);
}

WardSecret *
ward_tpm_nv_read_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

void
ward_tpm_nv_write_async (WardTpm *tpm, const WardTicket *ticket, const WardNvAccess *access, WardSecret *data,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, write_nv), do_access,
                      access_request_new (tpm, ticket, access, data), request_free, NULL, callback, user_data);
}

/* What is defined and undefined changes how much room there is, and is not done twice. */
static gboolean
begin (WardWorker *worker, WardConnection *connection, Request *request, GError **error)
{
  g_autofree WardOwnership *ownership = ward_tpm_begin_change (worker, connection, request->charge.begun, error);

  if (ownership)
    request->charge.begun = TRUE;
  return ownership != NULL;
}

static gpointer
conclude (WardWorker *worker, WardConnection *connection, gboolean done)
{
  if (done)
    ward_worker_look (worker, connection, NULL);
  return GINT_TO_POINTER (done);
}

static gpointer
do_define (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;

  if (!begin (worker, connection, request, error))
    return NULL;
  return conclude (worker, connection, backend->define_nv (connection, &request->template, request->owner_auth, error));
}

void
ward_tpm_nv_define_async (WardTpm *tpm, const WardTicket *ticket, const WardNvTemplate *template,
                          WardSecret *owner_auth, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, ticket, owner_auth);

  request->attributes = g_strdupv ((GStrv) template->attributes);
  request->template = *template;
  request->template.attributes = (const char *const *)request->attributes;
  request->template.auth = ref_secret (template->auth);
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, define_nv), do_define, request, request_free, NULL,
                      callback, user_data);
}

static gpointer
do_undefine (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;

  if (!begin (worker, connection, request, error))
    return NULL;
  return conclude (worker, connection,
                   backend->undefine_nv (connection, request->index, request->owner_auth, request->force, error));
}

void
ward_tpm_nv_undefine_async (WardTpm *tpm, const WardTicket *ticket, guint32 index, WardSecret *owner_auth,
                            gboolean force, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, ticket, owner_auth);

  request->index = index;
  request->force = force;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, undefine_nv), do_undefine, request, request_free, NULL,
                      callback, user_data);
}

gboolean
ward_tpm_nv_change_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}
