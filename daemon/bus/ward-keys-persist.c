/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept in the TPM itself: Persist, Evict and ListPersistent. */
#include "ward-error.h"
#include "ward-keys-interface.h"

static const WardOption owner_options[] = {
  { "owner-auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

static gboolean
check_handle (guint32 handle, GError **error)
{
  if (handle >= WARD_PERSISTENT_FIRST && handle <= WARD_PERSISTENT_LAST)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "0x%08x is no handle at which an owner keeps objects. Those go from 0x%08x to 0x%08x.", handle,
               WARD_PERSISTENT_FIRST, WARD_PERSISTENT_LAST);
  return FALSE;
}

static gboolean
parse_persist (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (WardKeysRequest) persist = ward_keys_request_new (parameters, fds, owner_options, error);

  if (!persist)
    return FALSE;
  g_variant_get_child (parameters, 1, "u", &persist->handle);
  if (!check_handle (persist->handle, error))
    return FALSE;
  if (persist->handle == WARD_SRK_HANDLE)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "0x%08x is the storage root key's handle, where no other key may be. Choose another one.",
                   persist->handle);
      return FALSE;
    }
  *request = g_steal_pointer (&persist);
  return TRUE;
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean done = ward_tpm_persist_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, done, error);
}

static void
persist_key (WardCall *call)
{
  WardKeysRequest *request = call->request;
  WardKeyAuths auths = ward_keys_get_auths (request, NULL);

  ward_tpm_key_persist_async (call->tpm, &call->ticket, request->wrapped, request->handle, &auths, on_done, call);
}

static void
run_persist (WardCall *call)
{
  ward_keys_open (call, persist_key);
}

static gboolean
parse_evict (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (WardKeysRequest) evict = g_new0 (WardKeysRequest, 1);
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 1);

  g_variant_get_child (parameters, 0, "u", &evict->handle);
  evict->options = ward_options_new (dictionary, fds, owner_options, error);
  if (!evict->options || !ward_options_check_auth (evict->options, "owner-auth", error)
      || !check_handle (evict->handle, error))
    return FALSE;
  *request = g_steal_pointer (&evict);
  return TRUE;
}

static void
run_evict (WardCall *call)
{
  const WardKeysRequest *request = call->request;

  ward_tpm_evict_async (call->tpm, &call->ticket, request->handle,
                        ward_options_get_auth (request->options, "owner-auth"), on_done, call);
}

/* Every key of the TPM by its id. */
static GHashTable *
index_keys (WardCall *call, GPtrArray *keys)
{
  GHashTable *index = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; keys && i < keys->len; i++)
    {
      WardKey *key = keys->pdata[i];

      g_hash_table_insert (index, key->id, key);
    }
  return index;
}

/* Adds a dictionary. key: which of the service's keys it is, or NULL. */
static void
add_object (GVariantBuilder *builder, const WardChipItem *item, const WardKey *key)
{
  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (builder, "{sv}", "handle", g_variant_new_uint32 (item->handle));
  g_variant_builder_add (builder, "{sv}", "name", g_variant_new_string (item->name));
  g_variant_builder_add (builder, "{sv}", "algorithm", g_variant_new_string (item->algorithm));
  g_variant_builder_add (builder, "{sv}", "attributes", g_variant_new_uint32 (item->attributes));
  g_variant_builder_add (builder, "{sv}", "description", g_variant_new_string (item->purpose));
  if (key)
    {
      g_variant_builder_add (builder, "{sv}", "key", g_variant_new_string (key->id));
      g_variant_builder_add (builder, "{sv}", "label", g_variant_new_string (key->label));
      ward_key_print_owner (builder, key);
    }
  g_variant_builder_close (builder);
}

static void
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;
  g_autoptr (GPtrArray) items = ward_tpm_list_items_finish (WARD_TPM (source), result, &error);
  g_autoptr (GPtrArray) keys = NULL;
  g_autoptr (GHashTable) index = NULL;
  GVariantBuilder builder;

  if (!items)
    {
      ward_call_fail (call, error);
      return;
    }
  keys = ward_keyring_list_all (call->keyring, ward_tpm_get_name (call->tpm), NULL);
  index = index_keys (call, keys);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("(aa{sv})"));
  g_variant_builder_open (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < items->len; i++)
    {
      const WardChipItem *item = items->pdata[i];

      if (g_str_equal (item->kind, WARD_CHIP_PERSISTENT))
        add_object (&builder, item, g_hash_table_lookup (index, item->key_id));
    }
  g_variant_builder_close (&builder);
  ward_call_return (call, g_variant_builder_end (&builder));
}

static void
run_list_persistent (WardCall *call)
{
  ward_tpm_list_items_async (call->tpm, &call->ticket, on_listed, call);
}

const WardMethod ward_keys_persist_methods[] = {
  { .name = "Persist",
    .signal = "handle-persist",
    .takes_descriptors = TRUE,
    .parse = parse_persist,
    .request_free = ward_keys_request_free,
    .needs = G_STRUCT_OFFSET (WardBackend, persist_key),
    .prepare = ward_keys_prepare,
    .find = ward_keys_find_usable,
    .describe = ward_keys_describe,
    .run = run_persist },
  { .name = "Evict",
    .signal = "handle-evict",
    .takes_descriptors = TRUE,
    .parse = parse_evict,
    .request_free = ward_keys_request_free,
    .needs = G_STRUCT_OFFSET (WardBackend, evict),
    .run = run_evict },
  { .name = "ListPersistent",
    .signal = "handle-list-persistent",
    .needs = G_STRUCT_OFFSET (WardBackend, persist_key),
    .prepare = ward_keys_prepare,
    .run = run_list_persistent },
  { .name = NULL },
};
