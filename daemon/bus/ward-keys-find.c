/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an argument to the key, and to its private half. */
#include "ward-keys-interface.h"

#include <string.h>

#include "ward-error.h"
#include "ward-gate.h"
#include "ward-key-pem.h"

#define SYSTEM_KEYS "org.tpmward1.SystemKeys"

void
ward_keys_request_free (gpointer data)
{
  WardKeysRequest *request = data;

  g_free (request->name);
  g_free (request->text);
  g_clear_pointer (&request->bytes, g_bytes_unref);
  g_clear_pointer (&request->data, ward_secret_unref);
  g_clear_pointer (&request->peer, ward_point_free);
  g_clear_pointer (&request->options, ward_options_free);
  g_clear_pointer (&request->key, ward_key_unref);
  g_clear_pointer (&request->signing, ward_signing_free);
  g_clear_pointer (&request->decryption, ward_decryption_free);
  g_clear_pointer (&request->reservation, ward_reservation_free);
  g_clear_pointer (&request->wrapped, ward_sealed_free);
  g_free (request->facts);
  g_free (request);
}

WardKeysRequest *
ward_keys_request_new (GVariant *parameters, GUnixFDList *fds, const WardOption *known, GError **error)
{
  g_autoptr (WardKeysRequest) request = g_new0 (WardKeysRequest, 1);
  g_autoptr (GVariant) last = g_variant_get_child_value (parameters, g_variant_n_children (parameters) - 1);

  g_variant_get_child (parameters, 0, "s", &request->name);
  if (!known)
    return g_steal_pointer (&request);
  request->options = ward_options_new (last, fds, known, error);
  if (!request->options)
    return NULL;
  for (const WardOption *option = known; option->name; option++)
    if (option->kind == WARD_OPTION_AUTH && !ward_options_check_auth (request->options, option->name, error))
      return NULL;
  return g_steal_pointer (&request);
}

gboolean
ward_keys_parse (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  *request = ward_keys_request_new (parameters, fds, NULL, error);
  return *request != NULL;
}

guint32
ward_keys_get_owner (WardCall *call)
{
  gboolean is_system = g_str_equal (g_dbus_method_invocation_get_interface_name (call->invocation), SYSTEM_KEYS);

  return is_system ? WARD_UID_SYSTEM : call->client->user->uid;
}

static void
on_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  ward_keyring_prepare_finish (WARD_KEYRING (source), result, &error);
  ward_gate_go_on (user_data, error);
}

gboolean
ward_keys_prepare (WardCall *call)
{
  guint32 owner = ward_keys_get_owner (call);

  if (ward_keyring_is_ready (call->keyring, owner))
    return TRUE;
  ward_keyring_prepare_async (call->keyring, owner, on_prepared, call);
  return FALSE;
}

gboolean
ward_keys_find (WardCall *call, GError **error)
{
  WardKeysRequest *request = call->request;
  /* by its label another key might be found the second time, of which polkit was not told */
  const char *name = request->key ? request->key->id : request->name;
  WardKey *key = ward_keyring_find (call->keyring, ward_tpm_get_name (call->tpm), ward_keys_get_owner (call), name,
                                    error);

  if (!key)
    return FALSE;
  g_clear_pointer (&request->key, ward_key_unref);
  request->key = key;
  return TRUE;
}

gboolean
ward_keys_find_usable (WardCall *call, GError **error)
{
  WardKeysRequest *request = call->request;

  return ward_keys_find (call, error) && ward_keyring_check_usable (call->keyring, request->key, error);
}

void
ward_keys_describe (gpointer data, GVariantBuilder *details)
{
  const WardKeysRequest *request = data;

  if (request->key)
    g_variant_builder_add (details, "{ss}", "key", request->key->id);
  g_variant_builder_add (details, "{ss}", "key-label", request->key ? request->key->label : request->name);
}

gboolean
ward_keys_check (WardTpm *tpm, gpointer request, GError **error)
{
  WardOptions *options = ((WardKeysRequest *)request)->options;

  if (!ward_options_check_family (options, tpm, error))
    return FALSE;
  if (g_str_equal (ward_tpm_get_family (tpm), "2.0") || !ward_options_has (options, "owner-auth"))
    return TRUE;
  g_set_error (
      error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
      "The option “owner-auth” is for a TPM 2.0, and %s is a TPM %s, whose keys take “srk-auth”, the secret of "
      "its storage root key.",
      ward_tpm_get_name (tpm), ward_tpm_get_family (tpm));
  return FALSE;
}

WardKeyAuths
ward_keys_get_auths (WardKeysRequest *request, const char *name)
{
  return (WardKeyAuths){ .auth = name ? ward_options_get_secret (request->options, name) : NULL,
                         .owner_auth = ward_options_get_auth (request->options, "owner-auth"),
                         .srk_auth = ward_options_get_auth (request->options, "srk-auth") };
}

/* Goes on with the private half, which is taken; NULL: with the error. */
static void
take_wrapped (WardCall *call, WardWrappedKey *wrapped, GError *error)
{
  WardKeysRequest *request = call->request;

  request->wrapped = wrapped;
  if (wrapped)
    request->facts = ward_tpm_key_describe (call->tpm, wrapped, &error);
  if (request->facts)
    call->continuation (call);
  else
    ward_call_fail (call, error);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  WardWrappedKey *wrapped = ward_keyring_open_finish (WARD_KEYRING (source), result, &error);

  take_wrapped (user_data, wrapped, error);
}

void
ward_keys_open (WardCall *call, void (*go_on) (WardCall *call))
{
  WardKeysRequest *request = call->request;
  WardWrappedKey *wrapped = ward_keyring_peek (call->keyring, request->key);

  call->continuation = go_on;
  if (wrapped)
    take_wrapped (call, wrapped, NULL);
  else
    ward_keyring_open_async (call->keyring, request->key, on_opened, call);
}

void
ward_keys_on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (WardKey) key = ward_keyring_change_finish (WARD_KEYRING (source), result, &error);

  ward_call_conclude (user_data, key != NULL, error);
}

GBytes *
ward_keys_print (const WardWrappedKey *wrapped)
{
  char *text = ward_key_pem_print (wrapped);

  return text ? g_bytes_new_take (text, strlen (text)) : NULL;
}
