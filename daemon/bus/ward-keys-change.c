/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Methods of who owns a key: Export, SetLabel, SetComment, ChangeAuth and Delete. */
#include "ward-error.h"
#include "ward-keys-interface.h"

static const WardOption change_auth_options[] = {
  { "new", WARD_OPTION_AUTH },
  { "old", WARD_OPTION_AUTH },
  { "owner-auth", WARD_OPTION_AUTH },
  { "srk-auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

static GError *
cannot_print (const WardKey *key)
{
  g_autofree char *name = ward_key_to_string (key);

  return g_error_new (WARD_ERROR, WARD_ERROR_FAILED, "The key %s cannot be written as text. Try again.", name);
}

static void
return_text (WardCall *call)
{
  const WardKeysRequest *request = call->request;
  g_autoptr (GBytes) bytes = ward_keys_print (request->wrapped);
  g_autofree char *text = bytes ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)) : NULL;

  if (text)
    ward_call_return (call, g_variant_new ("(s)", text));
  else
    ward_call_fail (call, cannot_print (request->key));
}

static void
run_export (WardCall *call)
{
  ward_keys_open (call, return_text);
}

static gboolean
parse_text (GVariant *parameters, gpointer *request, gboolean (*validate) (const char *text, GError **error),
            GError **error)
{
  g_autoptr (WardKeysRequest) set = ward_keys_request_new (parameters, NULL, NULL, error);

  g_variant_get_child (parameters, 1, "s", &set->text);
  if (!validate (set->text, error))
    return FALSE;
  *request = g_steal_pointer (&set);
  return TRUE;
}

static gboolean
parse_set_label (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  return parse_text (parameters, request, ward_label_validate, error);
}

static gboolean
parse_set_comment (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  return parse_text (parameters, request, ward_comment_validate, error);
}

/* Also whether the label is free: its keyring looks again when it gives it. */
static gboolean
find_to_rename (WardCall *call, GError **error)
{
  const WardKeysRequest *request = call->request;
  g_autoptr (WardKey) other = NULL;

  if (!ward_keys_find (call, error))
    return FALSE;
  other = ward_keyring_find (call->keyring, ward_tpm_get_name (call->tpm), ward_keys_get_owner (call), request->text,
                             NULL);
  if (!other || other == request->key)
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_EXISTS,
               "There is a key “%s” already. Choose another label, or rename or delete that key.", request->text);
  return FALSE;
}

static void
run_set_label (WardCall *call)
{
  const WardKeysRequest *request = call->request;

  ward_keyring_set_label_async (call->keyring, request->key, request->text, ward_keys_on_changed, call);
}

static void
run_set_comment (WardCall *call)
{
  const WardKeysRequest *request = call->request;

  ward_keyring_set_comment_async (call->keyring, request->key, request->text, ward_keys_on_changed, call);
}

static gboolean
parse_change_auth (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  *request = ward_keys_request_new (parameters, fds, change_auth_options, error);
  return *request != NULL;
}

/* What cannot be right is not tried, and nobody is asked for a password for it. */
static gboolean
find_to_change_auth (WardCall *call, GError **error)
{
  const WardKeysRequest *request = call->request;

  if (!ward_keys_find_usable (call, error))
    return FALSE;
  if (!request->key->has_auth || ward_options_has (request->options, "old"))
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_AUTHENTICATION_FAILED,
                       "This key has an authorization value, and none was given. The TPM was not asked. Give it by the "
                       "option “old”.");
  return FALSE;
}

static void
on_auth_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  const WardKeysRequest *request = call->request;
  GError *error = NULL;
  g_autoptr (WardMadeKey) made = ward_tpm_key_make_finish (WARD_TPM (source), result, &error);
  g_autoptr (GBytes) private_half = made ? ward_keys_print (made->key) : NULL;

  if (private_half)
    ward_keyring_set_private_async (call->keyring, request->key, private_half, made->key->has_auth,
                                    ward_keys_on_changed, call);
  else
    ward_call_fail (call, error ? error : cannot_print (request->key));
}

static void
change_auth (WardCall *call)
{
  WardKeysRequest *request = call->request;
  WardKeyAuths auths = ward_keys_get_auths (request, "old");

  ward_tpm_key_change_auth_async (call->tpm, &call->ticket, request->wrapped, request->facts, &auths,
                                  ward_options_get_auth (request->options, "new"), on_auth_changed, call);
}

static void
run_change_auth (WardCall *call)
{
  ward_keys_open (call, change_auth);
}

static void
run_delete (WardCall *call)
{
  const WardKeysRequest *request = call->request;

  ward_keyring_remove_async (call->keyring, request->key, ward_keys_on_changed, call);
}

const WardMethod ward_keys_change_methods[] = {
  { .name = "Export",
    .signal = "handle-export",
    .parse = ward_keys_parse,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = ward_keys_find_usable,
    .describe = ward_keys_describe,
    .run = run_export },
  { .name = "SetLabel",
    .signal = "handle-set-label",
    .parse = parse_set_label,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = find_to_rename,
    .describe = ward_keys_describe,
    .run = run_set_label },
  { .name = "SetComment",
    .signal = "handle-set-comment",
    .parse = parse_set_comment,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = ward_keys_find,
    .describe = ward_keys_describe,
    .run = run_set_comment },
  { .name = "ChangeAuth",
    .signal = "handle-change-auth",
    .takes_descriptors = TRUE,
    .parse = parse_change_auth,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .check = ward_keys_check,
    .find = find_to_change_auth,
    .describe = ward_keys_describe,
    .run = run_change_auth },
  { .name = "Delete",
    .signal = "handle-delete",
    .parse = ward_keys_parse,
    .request_free = ward_keys_request_free,
    .prepare = ward_keys_prepare,
    .find = ward_keys_find,
    .describe = ward_keys_describe,
    .run = run_delete },
  { .name = NULL },
};
