/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods after which there is one key more: Create and Import. */
#include "ward-error.h"
#include "ward-key-import.h"
#include "ward-key-public.h"
#include "ward-keys-interface.h"

static const WardOption create_options[] = {
  { "auth", WARD_OPTION_AUTH },     { "comment", WARD_OPTION_STRING },
  { "no-da", WARD_OPTION_BOOLEAN }, { "owner-auth", WARD_OPTION_AUTH },
  { "pcrs", WARD_OPTION_PCRS },     { "srk-auth", WARD_OPTION_AUTH },
  { "usage", WARD_OPTION_STRINGS }, { NULL, 0 },
};

static const WardOption import_options[] = {
  { "auth", WARD_OPTION_AUTH },       { "comment", WARD_OPTION_STRING },
  { "data", WARD_OPTION_DATA },       { "no-da", WARD_OPTION_BOOLEAN },
  { "owner-auth", WARD_OPTION_AUTH }, { "passphrase", WARD_OPTION_SECRET },
  { "pcrs", WARD_OPTION_PCRS },       { "srk-auth", WARD_OPTION_AUTH },
  { "usage", WARD_OPTION_STRINGS },   { NULL, 0 },
};

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

static gboolean
take_usage (WardKeysRequest *request, GError **error)
{
  const char *const *names = ward_options_get_strings (request->options, "usage");

  if (!names)
    {
      request->usage = WARD_KEY_SIGN;
      return TRUE;
    }
  for (guint i = 0; names[i]; i++)
    if (!ward_key_usage_parse (names[i], &request->usage))
      {
        g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                     "“%.32s” is no usage of a key. There are “sign”, “decrypt” and “agree”.", names[i]);
        return FALSE;
      }
  return request->usage || refuse (error, "The option “usage” names none. Leave it out for “sign”.");
}

/* What both have in common. */
static WardKeysRequest *
parse_new (GVariant *parameters, GUnixFDList *fds, const WardOption *known, GError **error)
{
  g_autoptr (WardKeysRequest) request = ward_keys_request_new (parameters, fds, known, error);
  const char *comment;

  if (!request || !ward_label_validate (request->name, error) || !take_usage (request, error))
    return NULL;
  comment = ward_options_get_string (request->options, "comment");
  if (comment && !ward_comment_validate (comment, error))
    return NULL;
  return g_steal_pointer (&request);
}

static gboolean
check_algorithm (const WardKeysRequest *request, GError **error)
{
  const WardKeyAlgorithm *algorithm = ward_key_algorithm_find (request->text);

  if (!algorithm)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "“%.32s” is no algorithm of keys. There are “rsa2048”, “rsa3072”, “ecc-p256” and “ecc-p384”.",
                   request->text);
      return FALSE;
    }
  if ((request->usage & ~ward_key_algorithm_get_usage (algorithm)) == 0)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               "No key of %s can be made for this usage. RSA keys sign and decrypt, ECC keys sign and agree.",
               algorithm->name);
  return FALSE;
}

static gboolean
parse_create (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (WardKeysRequest) create = parse_new (parameters, fds, create_options, error);

  if (!create)
    return FALSE;
  g_variant_get_child (parameters, 1, "s", &create->text);
  if (!check_algorithm (create, error))
    return FALSE;
  *request = g_steal_pointer (&create);
  return TRUE;
}

/* Takes the key from wherever it came. */
static gboolean
take_data (WardKeysRequest *request, GVariant *bytes, GError **error)
{
  WardSecret *data = ward_options_get_secret (request->options, "data");
  gsize size;
  gconstpointer plain = g_variant_get_fixed_array (bytes, &size, 1);

  if (data && size > 0)
    return refuse (error, "There is a key both as an argument and as the option “data”. Give one of them.");
  if (size > WARD_MAX_IMPORT_SIZE || (data && ward_secret_get_size (data) > WARD_MAX_IMPORT_SIZE))
    return refuse (error, "This is longer than 64 KiB, which no private key is.");
  request->data = data ? ward_secret_ref (data) : ward_secret_new_from (plain, size);
  return ward_secret_get_size (request->data) > 0 || refuse (error, "There is no key to import.");
}

/* A wrapped key is what it is. */
static gboolean
check_wrapped (const WardKeysRequest *request, GError **error)
{
  static const char *const of_plain[] = { "auth", "no-da", "passphrase", "pcrs", "usage" };

  if (!ward_key_import_is_wrapped (request->data))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (of_plain); i++)
    if (ward_options_has (request->options, of_plain[i]))
      {
        g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                     "The option “%s” cannot be given for a key that a TPM has wrapped already: it brings its own "
                     "properties. Leave it out.",
                     of_plain[i]);
        return FALSE;
      }
  return TRUE;
}

static gboolean
parse_import (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (parameters, 1);
  g_autoptr (WardKeysRequest) import = parse_new (parameters, fds, import_options, error);

  if (!import || !take_data (import, bytes, error) || !check_wrapped (import, error))
    return FALSE;
  *request = g_steal_pointer (&import);
  return TRUE;
}

static WardReservation *
reserve (WardCall *call, GError **error)
{
  const WardKeysRequest *request = call->request;

  return ward_keyring_reserve (call->keyring, ward_tpm_get_name (call->tpm), ward_keys_get_owner (call), request->name,
                               error);
}

/* Whether there is a place. It is not kept while polkit is asked: who may not take it shall not keep others from it. */
static gboolean
find_place (WardCall *call, GError **error)
{
  g_autoptr (WardReservation) reservation = reserve (call, error);

  return reservation != NULL;
}

static gboolean
check_create (WardTpm *tpm, gpointer data, GError **error)
{
  const WardKeysRequest *request = data;
  const WardIdentity *identity = ward_tpm_get_identity (tpm);

  if (!ward_keys_check (tpm, data, error))
    return FALSE;
  if (!identity || g_strv_contains ((const char *const *)identity->key_algorithms, request->text))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
               "%s makes no keys of %s. Its property KeyAlgorithms names those that it makes.", ward_tpm_get_name (tpm),
               request->text);
  return FALSE;
}

/* What wraps a key for a TPM 1.2 may have to be asked of its owner. */
static gboolean
check_import (WardTpm *tpm, gpointer data, GError **error)
{
  return ward_options_check_family (((WardKeysRequest *)data)->options, tpm, error);
}

static void
on_added (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (WardKey) key = ward_keyring_change_finish (WARD_KEYRING (source), result, &error);

  if (key)
    ward_call_return (user_data, g_variant_new ("(s)", key->id));
  else
    ward_call_fail (user_data, error);
}

/* What is on record of a key that has been made. NULL when its public half is none. */
static WardKey *
describe (const WardMadeKey *made, const char *comment)
{
  g_autoptr (WardKey) key = ward_key_new ();

  if (!ward_key_set_public (key, made->public_key))
    return NULL;
  g_free (key->comment);
  key->comment = g_strdup (comment ? comment : "");
  g_free (key->parent_name);
  key->parent_name = g_strdup (made->key->parent_name);
  g_ptr_array_unref (key->pcrs);
  key->pcrs = g_ptr_array_ref (made->key->pcrs);
  key->algorithm = made->facts->algorithm;
  key->usage = made->facts->usage;
  key->no_da = made->facts->no_da;
  key->imported = made->facts->imported;
  key->parent = made->key->parent;
  key->has_auth = made->key->has_auth;
  return g_steal_pointer (&key);
}

static void
on_made (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  WardKeysRequest *request = call->request;
  GError *error = NULL;
  g_autoptr (WardMadeKey) made = ward_tpm_key_make_finish (WARD_TPM (source), result, &error);
  g_autoptr (GBytes) private_half = made ? ward_keys_print (made->key) : NULL;
  g_autoptr (WardKey) key = made ? describe (made, ward_options_get_string (request->options, "comment")) : NULL;

  if (key && private_half)
    ward_keyring_add_async (call->keyring, g_steal_pointer (&request->reservation), key, private_half, on_added, call);
  else
    ward_call_fail (call, error ? error
                                : g_error_new (WARD_ERROR, WARD_ERROR_FAILED,
                                               "The key that %s made cannot be written down. Nothing has been kept. "
                                               "Try again.",
                                               ward_tpm_get_name (call->tpm)));
}

/* Ends the call and returns FALSE when there is no place any more. */
static gboolean
begin (WardCall *call, WardKeyTemplate *template)
{
  WardKeysRequest *request = call->request;
  GError *error = NULL;

  request->reservation = reserve (call, &error);
  if (!request->reservation)
    {
      ward_call_fail (call, error);
      return FALSE;
    }
  *template = (WardKeyTemplate){
    .algorithm = request->text,
    .pcrs = ward_options_get_pcrs (request->options, "pcrs"),
    .usage = request->usage,
    .no_da = ward_options_get_no_da (request->options),
  };
  return TRUE;
}

/* The auths of a new key: an empty one is none. */
static WardKeyAuths
get_auths (WardKeysRequest *request)
{
  WardKeyAuths auths = ward_keys_get_auths (request, NULL);

  auths.auth = ward_options_get_auth (request->options, "auth");
  return auths;
}

static void
run_create (WardCall *call)
{
  WardKeyAuths auths = get_auths (call->request);
  WardKeyTemplate template;

  if (begin (call, &template))
    ward_tpm_key_create_async (call->tpm, &call->ticket, &template, &auths, on_made, call);
}

static void
run_import (WardCall *call)
{
  WardKeysRequest *request = call->request;
  WardKeyAuths auths = get_auths (request);
  WardKeyTemplate template;

  if (begin (call, &template))
    ward_tpm_key_import_async (call->tpm, &call->ticket, request->data,
                               ward_options_get_secret (request->options, "passphrase"), &template, &auths, on_made,
                               call);
}

const WardMethod ward_keys_make_methods[] = {
  { .name = "Create",
    .signal = "handle-create",
    .takes_descriptors = TRUE,
    .parse = parse_create,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = find_place,
    .check = check_create,
    .describe = ward_keys_describe,
    .run = run_create },
  { .name = "Import",
    .signal = "handle-import",
    .takes_descriptors = TRUE,
    .parse = parse_import,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = find_place,
    .check = check_import,
    .describe = ward_keys_describe,
    .run = run_import },
  { .name = NULL },
};
