/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read of a TPM on request, and changes nothing that is known of it. */
#include "ward-tpm-private.h"

/* What an operation asks of the TPM. */
typedef struct
{
  gsize count;
  char *bank;
  guint32 mask;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_free (request->bank);
  g_free (request);
}

static void
run_async (WardTpm *self, const WardTicket *ticket, gsize member, WardJobFunc func, Request *request,
           GDestroyNotify result_free, GAsyncReadyCallback callback, gpointer user_data)
{
  ward_tpm_run_async (self, ticket, member, func, request, request_free, result_free, callback, user_data);
}

static gpointer
get_random (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autofree guint8 *bytes = g_malloc (request->count);

  if (!ward_worker_get_backend (worker)->get_random (connection, bytes, request->count, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&bytes), request->count);
}

void
ward_tpm_get_random_async (WardTpm *tpm, const WardTicket *ticket, gsize count, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->count = count;
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, get_random), get_random, request, (GDestroyNotify)g_bytes_unref,
             callback, user_data);
}

GBytes *
ward_tpm_get_random_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
get_properties (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  GVariant *properties = ward_worker_get_backend (worker)->get_properties (connection, error);

  return properties ? g_variant_ref_sink (properties) : NULL;
}

void
ward_tpm_get_properties_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data)
{
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, get_properties), get_properties, g_new0 (Request, 1),
             (GDestroyNotify)g_variant_unref, callback, user_data);
}

GVariant *
ward_tpm_get_properties_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
get_test_result (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  return ward_worker_get_backend (worker)->get_test_result (connection, error);
}

void
ward_tpm_get_test_result_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, get_test_result), get_test_result, g_new0 (Request, 1),
             (GDestroyNotify)ward_test_result_free, callback, user_data);
}

WardTestResult *
ward_tpm_get_test_result_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
read_pcrs (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  Request *request = data;
  g_autofree WardPcrValues *values = g_new0 (WardPcrValues, 1);

  if (!ward_worker_get_backend (worker)->read_pcrs (connection, request->bank, request->mask, values, error))
    return NULL;
  return g_steal_pointer (&values);
}

void
ward_tpm_read_pcrs_async (WardTpm *tpm, const WardTicket *ticket, const char *bank, guint32 mask,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  Request *request = g_new0 (Request, 1);

  request->bank = g_strdup (bank);
  request->mask = mask;
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, read_pcrs), read_pcrs, request, g_free, callback, user_data);
}

WardPcrValues *
ward_tpm_read_pcrs_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}

static gpointer
list_items (WardWorker *worker, WardConnection *connection, gpointer data, GError **error)
{
  return ward_worker_get_backend (worker)->list_items (connection, error);
}

void
ward_tpm_list_items_async (WardTpm *tpm, const WardTicket *ticket, GAsyncReadyCallback callback, gpointer user_data)
{
  run_async (tpm, ticket, G_STRUCT_OFFSET (WardBackend, list_items), list_items, g_new0 (Request, 1),
             (GDestroyNotify)g_ptr_array_unref, callback, user_data);
}

GPtrArray *
ward_tpm_list_items_finish (WardTpm *tpm, GAsyncResult *result, GError **error)
{
  return ward_tpm_run_finish (tpm, result, error);
}
