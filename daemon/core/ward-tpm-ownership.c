/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-private.h"

#include "ward-error.h"

/* Of a TPM 2.0, in the order in which they are set: the lockout auth last, as to take it back a right one must be
 * spent. */
static const WardHierarchy order[] = { WARD_HIERARCHY_ENDORSEMENT, WARD_HIERARCHY_OWNER, WARD_HIERARCHY_LOCKOUT };

typedef struct
{
  WardGuard *guard;                      /* the TPM's, which the job's task keeps alive */
  WardRecord *record;                    /* likewise */
  WardSecret *auths[WARD_N_HIERARCHIES]; /* or NULL */
  WardHierarchy hierarchy;
  WardSecret *old_auth;
  WardSecret *new_auth;
  gboolean value; /* what a flag is set to */
  gboolean force;
  gboolean begun; /* the chip may have seen it */
} Request;

static gboolean
is_set (const WardOwnership *ownership, WardHierarchy hierarchy)
{
  switch (hierarchy)
    {
    case WARD_HIERARCHY_OWNER:
      return ownership->owner_auth_set;
    case WARD_HIERARCHY_ENDORSEMENT:
      return ownership->endorsement_auth_set;
    case WARD_HIERARCHY_LOCKOUT:
      return ownership->lockout_auth_set;
    case WARD_HIERARCHY_SRK:
    default:
      return ownership->has_srk;
    }
}

static WardSecret *
ref_secret (WardSecret *secret)
{
  return secret ? ward_secret_ref (secret) : NULL;
}

static void
request_free (gpointer data)
{
  Request *request = data;

  for (guint i = 0; i < G_N_ELEMENTS (request->auths); i++)
    g_clear_pointer (&request->auths[i], ward_secret_unref);
  g_clear_pointer (&request->old_auth, ward_secret_unref);
  g_clear_pointer (&request->new_auth, ward_secret_unref);
  g_free (request);
}

/* Under the guard where the lockout auth is used. */
static gboolean
change_auth (const WardBackend *backend, WardConnection *connection, Request *request, const WardOwnership *ownership,
             WardHierarchy hierarchy, WardSecret *old_auth, WardSecret *new_auth, GError **error)
{
  g_autoptr (GError) outcome = NULL;
  gboolean is_guarded = hierarchy == WARD_HIERARCHY_LOCKOUT && backend->guards_lockout;

  if (is_guarded && !ward_guard_begin (request->guard, ownership, old_auth, request->force, error))
    return FALSE;

  request->begun = TRUE;
  backend->change_auth (connection, hierarchy, old_auth, new_auth, &outcome);
  if (is_guarded)
    ward_guard_end (request->guard, outcome);
  if (!outcome)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&outcome));
  return FALSE;
}

static gpointer
do_change_auth (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autofree WardOwnership *ownership = ward_tpm_begin_change (worker, connection, request->begun, error);
  gboolean ok;

  if (!ownership)
    return NULL;

  ok = change_auth (ward_worker_get_backend (worker), connection, request, ownership, request->hierarchy,
                    request->old_auth, request->new_auth, error);
  ward_worker_look (worker, connection, NULL);
  return GINT_TO_POINTER (ok);
}

void
ward_tpm_change_auth_async (WardTpm *tpm, const WardTicket *ticket, WardHierarchy hierarchy, WardSecret *old_auth,
                            WardSecret *new_auth, gboolean force, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->guard = tpm->guard;
  request->record = tpm->record;
  request->hierarchy = hierarchy;
  request->old_auth = ref_secret (old_auth);
  request->new_auth = ref_secret (new_auth);
  request->force = force;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, change_auth), do_change_auth, request, request_free,
                      NULL, callback, user_data);
}

gboolean
ward_tpm_change_auth_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}

static gpointer
do_provision_srk (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autofree WardOwnership *ownership = ward_tpm_begin_change (worker, connection, request->begun, error);
  gboolean ok;

  if (!ownership)
    return NULL;

  request->begun = TRUE;
  ok = ward_worker_get_backend (worker)->provision_srk (connection, request->old_auth, error);
  if (ok)
    ward_record_expect_change (request->record);
  ward_worker_look (worker, connection, NULL);
  return GINT_TO_POINTER (ok);
}

void
ward_tpm_provision_srk_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *owner_auth,
                              GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->guard = tpm->guard;
  request->record = tpm->record;
  request->old_auth = ref_secret (owner_auth);
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, provision_srk), do_provision_srk, request,
                      request_free, NULL, callback, user_data);
}

gboolean
ward_tpm_provision_srk_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}

/* Whether all that is to be set can be: nothing is changed before that is known. */
static gboolean
check_auths (const Request *request, const WardOwnership *ownership, GError **error)
{
  for (WardHierarchy i = 0; i < WARD_N_HIERARCHIES; i++)
    {
      WardSecret *auth = request->auths[i];
      const char *name = ward_hierarchy_to_string (i);

      if (!auth)
        continue;
      if (is_set (ownership, i))
        {
          g_set_error (error, WARD_ERROR, WARD_ERROR_ALREADY_OWNED,
                       "This TPM has a %s auth already, so nothing was changed. Who knows it can change it.", name);
          return FALSE;
        }
      if (ward_secret_get_size (auth) > ownership->max_auth_size)
        {
          g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                       "The %s auth is longer than this TPM can take, which is %u bytes. Nothing was changed.", name,
                       ownership->max_auth_size);
          return FALSE;
        }
    }
  return TRUE;
}

/* Takes back the first so many of what was set; tells what could not be. */
static void
take_back (const WardBackend *backend, WardConnection *connection, Request *request, guint n_set, GError **error)
{
  g_autoptr (GString) standing = g_string_new (NULL);

  while (n_set-- > 0)
    {
      WardSecret *auth = request->auths[order[n_set]];
      const char *name = ward_hierarchy_to_string (order[n_set]);

      if (auth && !backend->change_auth (connection, order[n_set], auth, NULL, NULL))
        g_string_append_printf (standing, "%s%s", standing->len ? ", " : "", name);
    }

  if (standing->len)
    g_prefix_error (error,
                    "Ownership was taken in part: these auths are set as you gave them and could not be taken back: "
                    "%s. The reason why the rest failed: ",
                    standing->str);
}

static gboolean
set_auths (const WardBackend *backend, WardConnection *connection, Request *request, const WardOwnership *ownership,
           GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    {
      WardSecret *auth = request->auths[order[i]];

      if (!auth || change_auth (backend, connection, request, ownership, order[i], NULL, auth, error))
        continue;
      take_back (backend, connection, request, i, error);
      return FALSE;
    }
  return TRUE;
}

/* What is at the SRK's handle already is respected, whatever it is. */
static gboolean
add_srk (const WardBackend *backend, WardConnection *connection, Request *request, const WardOwnership *ownership,
         GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (ownership->srk_handle)
    return TRUE;
  if (backend->provision_srk (connection, request->auths[WARD_HIERARCHY_OWNER], &local_error))
    {
      ward_record_expect_change (request->record);
      return TRUE;
    }
  if (g_error_matches (local_error, WARD_ERROR, WARD_ERROR_EXISTS))
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  take_back (backend, connection, request, G_N_ELEMENTS (order), error);
  return FALSE;
}

static gboolean
take_ownership (const WardBackend *backend, WardConnection *connection, Request *request,
                const WardOwnership *ownership, GError **error)
{
  g_autoptr (GBytes) srk_modulus = NULL;

  if (!backend->take_ownership)
    return set_auths (backend, connection, request, ownership, error)
           && add_srk (backend, connection, request, ownership, error);

  request->begun = TRUE;
  if (!backend->take_ownership (connection, request->auths[WARD_HIERARCHY_OWNER], request->auths[WARD_HIERARCHY_SRK],
                                &srk_modulus, error))
    return FALSE;
  ward_record_keep_srk_modulus (request->record, srk_modulus);
  ward_record_expect_change (request->record);
  return TRUE;
}

static gpointer
do_take_ownership (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  const WardBackend *backend = ward_worker_get_backend (worker);
  Request *request = data;
  g_autofree WardOwnership *ownership = ward_tpm_begin_change (worker, connection, request->begun, error);
  gboolean ok;

  if (!ownership || !check_auths (request, ownership, error))
    return NULL;

  ok = take_ownership (backend, connection, request, ownership, error);
  ward_worker_look (worker, connection, NULL);
  return GINT_TO_POINTER (ok);
}

void
ward_tpm_take_ownership_async (WardTpm *tpm, const WardTicket *ticket, WardSecret *const auths[WARD_N_HIERARCHIES],
                               gboolean force, GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->guard = tpm->guard;
  request->record = tpm->record;
  request->force = force;
  for (WardHierarchy i = 0; i < WARD_N_HIERARCHIES; i++)
    request->auths[i] = ref_secret (auths[i]);
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, change_auth), do_take_ownership, request, request_free,
                      NULL, callback, user_data);
}

gboolean
ward_tpm_take_ownership_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}

static gpointer
do_set_enabled (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  gboolean ok = ward_worker_get_backend (worker)->set_enabled (connection, request->value, request->old_auth, error);

  ward_worker_look (worker, connection, NULL);
  return GINT_TO_POINTER (ok);
}

void
ward_tpm_set_enabled_async (WardTpm *tpm, const WardTicket *ticket, gboolean enabled, WardSecret *owner_auth,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->value = enabled;
  request->old_auth = ref_secret (owner_auth);
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, set_enabled), do_set_enabled, request, request_free,
                      NULL, callback, user_data);
}

gboolean
ward_tpm_set_enabled_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}

static gpointer
do_set_active (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  gboolean ok = ward_worker_get_backend (worker)->set_active (connection, request->value, error);

  ward_worker_look (worker, connection, NULL);
  return GINT_TO_POINTER (ok);
}

void
ward_tpm_set_active_async (WardTpm *tpm, const WardTicket *ticket, gboolean active, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->value = active;
  ward_tpm_run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, set_active), do_set_active, request, request_free,
                      NULL, callback, user_data);
}

gboolean
ward_tpm_set_active_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error) != NULL;
}
