/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-keys.h"

#include "ward-error.h"
#include "ward-key-import.h"
#include "ward-key-public.h"
#include "ward-tpm-private.h"

typedef struct
{
  WardWrappedKey *key;
  gboolean counts; /* a wrong auth is charged to the user */
  WardKeyAuths auths;
  WardCharge charge;
  WardRecord *record; /* the TPM's, which the job's task keeps alive */
  WardUseFunc use;
  char *algorithm;
  WardKeyTemplate template;
  WardKeyImport *import; /* to be imported */
  WardSecret *new_auth;
  WardSigning *signing;
  WardDecryption *decryption;
  WardPoint *peer;
  guint32 handle;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->key, ward_sealed_free);
  g_clear_pointer (&request->auths.auth, ward_secret_unref);
  g_clear_pointer (&request->auths.owner_auth, ward_secret_unref);
  g_clear_pointer (&request->auths.srk_auth, ward_secret_unref);
  g_clear_pointer (&request->algorithm, g_free);
  g_clear_pointer (&request->template.pcrs, g_ptr_array_unref);
  g_clear_pointer (&request->template.srk_modulus, g_bytes_unref);
  g_clear_pointer (&request->import, ward_key_import_free);
  g_clear_pointer (&request->new_auth, ward_secret_unref);
  g_clear_pointer (&request->signing, ward_signing_free);
  g_clear_pointer (&request->decryption, ward_decryption_free);
  g_clear_pointer (&request->peer, ward_point_free);
  g_free (request);
}

static WardSecret *
ref_or_null (WardSecret *secret)
{
  return secret ? ward_secret_ref (secret) : NULL;
}

/* key, facts: NULL for what has none. */
static Request *
request_new (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key, const WardKeyFacts *facts,
             const WardKeyAuths *auths)
{
  Request *request = g_new0 (Request, 1);

  request->key = key ? ward_sealed_copy (key) : NULL;
  /* the chip counts no wrong owner auths: without a limit of ours anybody could guess it */
  request->counts = (facts && facts->counts) || auths->owner_auth || auths->srk_auth;
  request->auths.auth = ref_or_null (auths->auth);
  request->auths.owner_auth = ref_or_null (auths->owner_auth);
  request->auths.srk_auth = ref_or_null (auths->srk_auth);
  request->charge = (WardCharge){ tpm->budget, ticket->uid, FALSE };
  request->record = tpm->record;
  return request;
}

static void
set_template (Request *request, const WardKeyTemplate *template)
{
  request->algorithm = g_strdup (template->algorithm);
  request->template = *template;
  request->template.algorithm = request->algorithm;
  request->template.pcrs = template->pcrs ? g_ptr_array_ref (template->pcrs) : NULL;
}

void
ward_made_key_free (WardMadeKey *made)
{
  g_clear_pointer (&made->key, ward_sealed_free);
  g_clear_pointer (&made->facts, g_free);
  g_clear_pointer (&made->public_key, g_bytes_unref);
  g_free (made);
}

/* key: taken over; NULL when it was not made. */
static WardMadeKey *
made_key_new (const WardBackend *backend, const Request *request, WardWrappedKey *key, GError **error)
{
  g_autoptr (WardMadeKey) made = g_new0 (WardMadeKey, 1);

  made->key = key;
  if (key && backend->hides_srk)
    {
      g_free (key->parent_name);
      key->parent_name = ward_record_dup_srk (request->record);
    }
  if (!key || !(made->facts = backend->describe_key (key, error))
      || !(made->public_key = backend->get_public_key (key, error)))
    return NULL;
  return g_steal_pointer (&made);
}

static const WardBackend *
get_backend (WardTpm *tpm, GError **error)
{
  const WardBackend *backend = tpm->worker ? ward_worker_get_backend (tpm->worker) : NULL;

  if (backend && backend->describe_key)
    return backend;
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
               "%s is a TPM of family %s, which has no keys for the service, or not with this build of it.", tpm->name,
               tpm->family);
  return NULL;
}

WardKeyFacts *
ward_tpm_key_describe (WardTpm *tpm, const WardWrappedKey *key, GError **error)
{
  const WardBackend *backend = get_backend (tpm, error);

  return backend ? backend->describe_key (key, error) : NULL;
}

GBytes *
ward_tpm_key_get_public (WardTpm *tpm, const WardWrappedKey *key, GError **error)
{
  const WardBackend *backend = get_backend (tpm, error);

  return backend ? backend->get_public_key (key, error) : NULL;
}

static gpointer
run_counted (WardWorker *worker, WardConnection *connection, Request *request, GError **error)
{
  return request->counts ? ward_tpm_run_charged (worker, connection, &request->charge, request->use, request, error)
                         : request->use (ward_worker_get_backend (worker), connection, request, error);
}

static gpointer
do_make (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  return run_counted (worker, connection, data, error);
}

static gpointer
create (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;

  return made_key_new (backend, request, backend->create_key (connection, &request->template, &request->auths, error),
                       error);
}

void
ward_tpm_key_create_async (WardTpm *tpm, const WardTicket *ticket, const WardKeyTemplate *template,
                           const WardKeyAuths *auths, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, ticket, NULL, NULL, auths);

  request->use = create;
  set_template (request, template);
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, create_key), do_make, request, request_free,
                      (GDestroyNotify)ward_made_key_free, callback, user_data);
}

/* One that this chip, or its predecessor, has wrapped: it is told what it lies beneath here. */
static WardMadeKey *
adopt (const WardBackend *backend, WardConnection *connection, const Request *request, WardWrappedKey *wrapped,
       GError **error)
{
  g_autoptr (WardMadeKey) made = made_key_new (backend, request, wrapped, error);

  if (!made || !backend->check_key (connection, made->key, &request->auths, error))
    return NULL;
  return g_steal_pointer (&made);
}

static gpointer
import (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  const WardKeyImport *read = request->import;

  if (read->wrapped)
    return adopt (backend, connection, request, ward_sealed_copy (read->wrapped), error);
  if (backend->hides_srk)
    request->template.srk_modulus = ward_record_dup_srk_modulus (request->record);
  return made_key_new (backend, request,
                       backend->import_key (connection, read->pair, &request->template, &request->auths, error), error);
}

/* A key that is being read, before the TPM is asked. */
typedef struct
{
  GTask *task; /* the caller's */
  const WardTicket *ticket;
  Request *request;
} Reading;

static void
on_imported (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  WardMadeKey *made = ward_tpm_run_finish (WARD_TPM (source), result, &error);

  if (made)
    g_task_return_pointer (task, made, (GDestroyNotify)ward_made_key_free);
  else
    g_task_return_error (task, error);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Reading *reading = user_data;
  WardTpm *tpm = WARD_TPM (g_task_get_source_object (reading->task));
  GError *error = NULL;

  reading->request->import = ward_key_parser_run_finish (WARD_KEY_PARSER (source), result, &error);
  if (reading->request->import)
    {
      ward_tpm_run_async (tpm, reading->ticket,
                          reading->request->import->wrapped ? G_STRUCT_OFFSET (WardBackend, check_key)
                                                            : G_STRUCT_OFFSET (WardBackend, import_key),
                          do_make, reading->request, request_free, (GDestroyNotify)ward_made_key_free, on_imported,
                          reading->task);
      return;
    }
  request_free (reading->request);
  g_task_return_error (reading->task, error);
  g_object_unref (reading->task);
}

void
ward_tpm_key_import_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *data, WardSecret *passphrase,
                           const WardKeyTemplate *template, const WardKeyAuths *auths, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  Reading *reading = g_new (Reading, 1);

  *reading = (Reading){ g_task_new (tpm, NULL, callback, user_data), ticket,
                        request_new (tpm, ticket, NULL, NULL, auths) };
  reading->request->use = import;
  set_template (reading->request, template);
  ward_key_parser_run_async (tpm->key_parser, ticket, data, passphrase, on_read, reading);
}

/* What cannot be right is not tried. */
static gboolean
check_auth (const Request *request, GError **error)
{
  gboolean is_given = request->auths.auth && ward_secret_get_size (request->auths.auth) > 0;

  if (!request->key->has_auth && is_given)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                         "This key has no authorization value, but one was given. It was not tried. Leave it out.");
  else if (request->key->has_auth && !request->auths.auth)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                         "This key has an authorization value, and none was given. The TPM was not asked. Give it by "
                         "the option “auth”.");
  else
    return TRUE;
  return FALSE;
}

static gpointer
do_use (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autoptr (GError) outcome = NULL;
  gpointer result;

  if (!check_auth (request, error))
    return NULL;
  result = run_counted (worker, connection, request, &outcome);
  /* it was one of this chip's when it was kept: the chip may have been cleared meanwhile */
  if (g_error_matches (outcome, WARD_ERROR, WARD_ERROR_CORRUPT))
    ward_worker_look (worker, connection, NULL);
  if (outcome)
    g_propagate_error (error, g_steal_pointer (&outcome));
  return result;
}

static void
run_use (WardTpm *tpm, const WardTicket *ticket, gsize member, WardUseFunc use, Request *request,
         GDestroyNotify result_free, GAsyncReadyCallback callback, gpointer user_data)
{
  request->use = use;
  ward_tpm_run_async (tpm, ticket, member, do_use, request, request_free, result_free, callback, user_data);
}

static gpointer
change_auth (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;

  return made_key_new (backend, request,
                       backend->change_key_auth (connection, request->key, &request->auths, request->new_auth, error),
                       error);
}

void
ward_tpm_key_change_auth_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key,
                                const WardKeyFacts *facts, const WardKeyAuths *auths, WardSecret *new_auth,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, ticket, key, facts, auths);

  request->new_auth = ref_or_null (new_auth);
  run_use (tpm, ticket, G_STRUCT_OFFSET (WardBackend, change_key_auth), change_auth, request,
           (GDestroyNotify)ward_made_key_free, callback, user_data);
}

WardMadeKey *
ward_tpm_key_make_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
sign (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;

  return backend->sign (connection, request->key, &request->auths, request->signing, error);
}

void
ward_tpm_key_sign_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key, const WardKeyFacts *facts,
                         const WardKeyAuths *auths, WardSigning *signing, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  Request *request = request_new (tpm, ticket, key, facts, auths);

  request->signing = signing;
  run_use (tpm, ticket, G_STRUCT_OFFSET (WardBackend, sign), sign, request, (GDestroyNotify)g_bytes_unref, callback,
           user_data);
}

GBytes *
ward_tpm_key_sign_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
decrypt (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;

  return backend->decrypt (connection, request->key, &request->auths, request->decryption, error);
}

void
ward_tpm_key_decrypt_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key,
                            const WardKeyFacts *facts, const WardKeyAuths *auths, WardDecryption *decryption,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, ticket, key, facts, auths);

  request->decryption = decryption;
  run_use (tpm, ticket, G_STRUCT_OFFSET (WardBackend, decrypt), decrypt, request, (GDestroyNotify)ward_secret_unref,
           callback, user_data);
}

static gpointer
agree (const WardBackend *backend, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;

  return backend->agree (connection, request->key, &request->auths, request->peer, error);
}

void
ward_tpm_key_agree_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key, const WardKeyFacts *facts,
                          const WardKeyAuths *auths, WardPoint *peer, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, ticket, key, facts, auths);

  request->peer = peer;
  run_use (tpm, ticket, G_STRUCT_OFFSET (WardBackend, agree), agree, request, (GDestroyNotify)ward_secret_unref,
           callback, user_data);
}

WardSecret *
ward_tpm_key_reveal_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

/* What changes the chip itself is not done twice. */
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
do_find_parents (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  char **names = ward_worker_get_backend (worker)->find_parents (connection, GPOINTER_TO_INT (data), error);

  return names;
}

void
ward_tpm_find_parents_async (WardTpm *tpm, gboolean with_owner, GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (tpm, NULL, G_STRUCT_OFFSET (WardBackend, find_parents), do_find_parents,
                      GINT_TO_POINTER (with_owner), NULL, (GDestroyNotify)g_strfreev, callback, user_data);
}

char **
ward_tpm_find_parents_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
do_persist (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;

  if (!begin (worker, connection, request, error))
    return NULL;
  return conclude (worker, connection,
                   backend->persist_key (connection, request->key, request->handle, &request->auths, error));
}

void
ward_tpm_key_persist_async (WardTpm *tpm, const WardTicket *ticket, const WardWrappedKey *key, guint32 handle,
                            const WardKeyAuths *auths, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = request_new (tpm, ticket, key, NULL, auths);

  request->handle = handle;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, persist_key), do_persist, request, request_free, NULL,
                      callback, user_data);
}

static gpointer
do_evict (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;

  if (!begin (worker, connection, request, error))
    return NULL;
  return conclude (worker, connection, backend->evict (connection, request->handle, request->auths.owner_auth, error));
}

void
ward_tpm_evict_async (WardTpm *tpm, const WardTicket *ticket, guint32 handle, WardSecret *owner_auth,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  WardKeyAuths auths = { .owner_auth = owner_auth };
  Request *request = request_new (tpm, ticket, NULL, NULL, &auths);

  request->handle = handle;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, evict), do_evict, request, request_free, NULL,
                      callback, user_data);
}

gboolean
ward_tpm_persist_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}
