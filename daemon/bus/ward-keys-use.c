/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods that use a key's private half: Sign, Decrypt and Agree. */
#include "ward-error.h"
#include "ward-keys-interface.h"

static const WardOption sign_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "owner-auth", WARD_OPTION_AUTH },
  { "scheme", WARD_OPTION_STRING },
  { "srk-auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

static const WardOption decrypt_options[] = {
  { "auth", WARD_OPTION_AUTH },       { "hash", WARD_OPTION_STRING },
  { "label", WARD_OPTION_BYTES },     { "output", WARD_OPTION_OUTPUT },
  { "owner-auth", WARD_OPTION_AUTH }, { "scheme", WARD_OPTION_STRING },
  { "srk-auth", WARD_OPTION_AUTH },   { NULL, 0 },
};

static const WardOption agree_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "output", WARD_OPTION_OUTPUT },
  { "owner-auth", WARD_OPTION_AUTH },
  { "srk-auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

static GBytes *
get_bytes (GVariant *parameters, gsize index)
{
  g_autoptr (GVariant) value = g_variant_get_child_value (parameters, index);

  return g_variant_get_data_as_bytes (value);
}

static const char *
get_scheme (const WardKeysRequest *request)
{
  return ward_options_get_string (request->options, "scheme");
}

static gboolean
parse_sign (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (WardKeysRequest) sign = ward_keys_request_new (parameters, fds, sign_options, error);

  if (!sign)
    return FALSE;
  g_variant_get_child (parameters, 1, "s", &sign->text);
  sign->bytes = get_bytes (parameters, 2);
  if (!ward_signing_check (get_scheme (sign), sign->text, sign->bytes, error))
    return FALSE;
  *request = g_steal_pointer (&sign);
  return TRUE;
}

static gboolean
parse_decrypt (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (WardKeysRequest) decrypt = ward_keys_request_new (parameters, fds, decrypt_options, error);

  if (!decrypt)
    return FALSE;
  decrypt->bytes = get_bytes (parameters, 1);
  if (!ward_decryption_check (get_scheme (decrypt), ward_options_get_string (decrypt->options, "hash"),
                              ward_options_get_bytes (decrypt->options, "label"), error))
    return FALSE;
  *request = g_steal_pointer (&decrypt);
  return TRUE;
}

static gboolean
parse_agree (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (WardKeysRequest) agree = ward_keys_request_new (parameters, fds, agree_options, error);
  g_autoptr (GBytes) peer = NULL;

  if (!agree)
    return FALSE;
  peer = get_bytes (parameters, 1);
  agree->peer = ward_point_parse (peer, error);
  if (!agree->peer)
    return FALSE;
  *request = g_steal_pointer (&agree);
  return TRUE;
}

/* What of the key's facts never changes. */
static WardKeyFacts
get_facts (const WardKey *key)
{
  return (WardKeyFacts){ .algorithm = key->algorithm,
                         .usage = key->usage,
                         .no_da = key->no_da,
                         .imported = key->imported,
                         .pkcs1_only = key->parent == WARD_TPM12_SRK_HANDLE };
}

static gboolean
find_to_sign (WardCall *call, GError **error)
{
  WardKeysRequest *request = call->request;
  WardKeyFacts facts;

  if (!ward_keys_find_usable (call, error))
    return FALSE;
  facts = get_facts (request->key);
  if (!request->signing)
    request->signing = ward_signing_new (&facts, get_scheme (request), request->text, request->bytes, error);
  return request->signing != NULL;
}

static gboolean
find_to_decrypt (WardCall *call, GError **error)
{
  WardKeysRequest *request = call->request;
  WardKeyFacts facts;

  if (!ward_keys_find_usable (call, error))
    return FALSE;
  facts = get_facts (request->key);
  if (!request->decryption)
    request->decryption = ward_decryption_new (
        &facts, get_scheme (request), ward_options_get_string (request->options, "hash"),
        ward_options_get_bytes (request->options, "label"), request->bytes, error);
  return request->decryption != NULL;
}

static gboolean
find_to_agree (WardCall *call, GError **error)
{
  const WardKeysRequest *request = call->request;
  WardKeyFacts facts;

  if (!ward_keys_find_usable (call, error))
    return FALSE;
  facts = get_facts (request->key);
  return ward_agreement_check (&facts, request->peer, error);
}

static void
on_signed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  const WardKeysRequest *request = call->request;
  GError *error = NULL;
  g_autoptr (GBytes) signature = ward_tpm_key_sign_finish (WARD_TPM (source), result, &error);

  if (!signature)
    {
      ward_call_fail (call, error);
      return;
    }
  ward_keyring_note_use (call->keyring, request->key);
  ward_call_return (call,
                    g_variant_new ("(@ay)", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, signature, TRUE)));
}

static void
sign (WardCall *call)
{
  WardKeysRequest *request = call->request;
  WardKeyAuths auths = ward_keys_get_auths (request, "auth");

  ward_tpm_key_sign_async (call->tpm, &call->ticket, request->wrapped, request->facts, &auths,
                           g_steal_pointer (&request->signing), on_signed, call);
}

static void
run_sign (WardCall *call)
{
  ward_keys_open (call, sign);
}

static void
on_revealed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  const WardKeysRequest *request = call->request;
  GError *error = NULL;
  g_autoptr (WardSecret) secret = ward_tpm_key_reveal_finish (WARD_TPM (source), result, &error);

  if (!secret)
    {
      ward_call_fail (call, error);
      return;
    }
  ward_keyring_note_use (call->keyring, request->key);
  ward_call_return_secret (call, request->options, secret);
}

static void
decrypt (WardCall *call)
{
  WardKeysRequest *request = call->request;
  WardKeyAuths auths = ward_keys_get_auths (request, "auth");

  ward_tpm_key_decrypt_async (call->tpm, &call->ticket, request->wrapped, request->facts, &auths,
                              g_steal_pointer (&request->decryption), on_revealed, call);
}

static void
run_decrypt (WardCall *call)
{
  ward_keys_open (call, decrypt);
}

static void
agree (WardCall *call)
{
  WardKeysRequest *request = call->request;
  WardKeyAuths auths = ward_keys_get_auths (request, "auth");

  ward_tpm_key_agree_async (call->tpm, &call->ticket, request->wrapped, request->facts, &auths,
                            g_steal_pointer (&request->peer), on_revealed, call);
}

static void
run_agree (WardCall *call)
{
  ward_keys_open (call, agree);
}

const WardMethod ward_keys_use_methods[] = {
  { .name = "Sign",
    .signal = "handle-sign",
    .takes_descriptors = TRUE,
    .parse = parse_sign,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .check = ward_keys_check,
    .find = find_to_sign,
    .describe = ward_keys_describe,
    .run = run_sign },
  { .name = "Decrypt",
    .signal = "handle-decrypt",
    .takes_descriptors = TRUE,
    .parse = parse_decrypt,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .check = ward_keys_check,
    .find = find_to_decrypt,
    .describe = ward_keys_describe,
    .run = run_decrypt },
  { .name = "Agree",
    .signal = "handle-agree",
    .takes_descriptors = TRUE,
    .parse = parse_agree,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .check = ward_keys_check,
    .find = find_to_agree,
    .describe = ward_keys_describe,
    .run = run_agree },
  { .name = NULL },
};
