/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-call-options.h"
#include "ward-error.h"
#include "ward-tpm-object.h"
#include "ward-tpm-seal.h"

G_STATIC_ASSERT (WARD_DATA_FD_MAX == WARD_ENVELOPE_MAX_DATA);

static const WardOption seal_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "data", WARD_OPTION_DATA },
  { "format", WARD_OPTION_STRING },
  { "no-da", WARD_OPTION_BOOLEAN },
  { "pcrs", WARD_OPTION_PCRS },
  { "srk-auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

static const WardOption unseal_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "output", WARD_OPTION_OUTPUT },
  { "srk-auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

typedef struct
{
  WardOptions *options;
  WardSecret *data;       /* to seal */
  WardEnvelope *envelope; /* to unseal */
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->options, ward_options_free);
  g_clear_pointer (&request->data, ward_secret_unref);
  g_clear_pointer (&request->envelope, ward_envelope_free);
  g_free (request);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Request, request_free)

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

/* Takes the data from wherever it came. */
static gboolean
take_data (Request *request, GVariant *bytes, GError **error)
{
  WardSecret *data = ward_options_get_secret (request->options, "data");
  gsize size;
  gconstpointer plain = g_variant_get_fixed_array (bytes, &size, 1);

  if (data && size > 0)
    return refuse (error, "There is data both as an argument and as the option “data”. Give one of them.");
  if (!data && size > WARD_ENVELOPE_MAX_DATA)
    return refuse (error, "The data is longer than 1 MiB. Encrypt it with a key of your own, and seal that.");

  request->data = data ? ward_secret_ref (data) : ward_secret_new_from (plain, size);
  return ward_secret_get_size (request->data) > 0 || refuse (error, "There is no data to seal. Give at least 1 byte.");
}

static gboolean
parse_seal (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (parameters, 0);
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 1);
  g_autoptr (Request) seal = g_new0 (Request, 1);
  const char *format;

  seal->options = ward_options_new (dictionary, fds, seal_options, error);
  if (!seal->options || !ward_options_check_auth (seal->options, "auth", error) || !take_data (seal, bytes, error))
    return FALSE;
  format = ward_options_get_string (seal->options, "format");
  if (format && !g_str_equal (format, "tpm-tools"))
    return refuse (error, "The option “format” can be “tpm-tools” only.");
  if (format && (ward_options_has (seal->options, "auth") || ward_options_has (seal->options, "no-da")))
    return refuse (error,
                   "tpm_unsealdata knows of no auth: with the format “tpm-tools” give neither “auth” nor “no-da”.");

  *request = g_steal_pointer (&seal);
  return TRUE;
}

static gboolean
parse_unseal (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 1);
  g_autoptr (Request) unseal = g_new0 (Request, 1);
  const char *blob;

  g_variant_get_child (parameters, 0, "&s", &blob);
  unseal->options = ward_options_new (dictionary, fds, unseal_options, error);
  if (!unseal->options || !ward_options_check_auth (unseal->options, "auth", error))
    return FALSE;
  unseal->envelope = ward_envelope_parse (blob, error);
  if (!unseal->envelope)
    return FALSE;

  *request = g_steal_pointer (&unseal);
  return TRUE;
}

static gboolean
check_family (WardTpm *tpm, gpointer request, GError **error)
{
  return ward_options_check_family (((Request *)request)->options, tpm, error);
}

static void
on_sealed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autofree char *blob = ward_tpm_seal_finish (WARD_TPM (source), result, &error);

  if (blob)
    ward_call_return (user_data, g_variant_new ("(s)", blob));
  else
    ward_call_fail (user_data, error);
}

static void
run_seal (WardCall *call)
{
  const Request *request = call->request;
  WardKeyAuths auths = { .auth = ward_options_get_auth (request->options, "auth"),
                         .srk_auth = ward_options_get_auth (request->options, "srk-auth") };

  if (ward_options_has (request->options, "format"))
    {
      ward_tpm_seal_for_tpm_tools_async (call->tpm, &call->ticket, request->data, &auths,
                                         ward_options_get_pcrs (request->options, "pcrs"), on_sealed, call);
      return;
    }
  ward_tpm_seal_async (call->tpm, &call->ticket, request->data, &auths,
                       ward_options_get_pcrs (request->options, "pcrs"), ward_options_get_no_da (request->options),
                       on_sealed, call);
}

static void
on_unsealed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  const Request *request = call->request;
  GError *error = NULL;
  g_autoptr (WardSecret) data = ward_tpm_unseal_finish (WARD_TPM (source), result, &error);

  if (data)
    ward_call_return_secret (call, request->options, data);
  else
    ward_call_fail (call, error);
}

static void
run_unseal (WardCall *call)
{
  Request *request = call->request;
  WardKeyAuths auths = { .auth = ward_options_get_secret (request->options, "auth"),
                         .srk_auth = ward_options_get_auth (request->options, "srk-auth") };

  ward_tpm_unseal_async (call->tpm, &call->ticket, g_steal_pointer (&request->envelope), &auths, on_unsealed, call);
}

static const WardMethod methods[] = {
  { .name = "Seal",
    .signal = "handle-seal",
    .takes_descriptors = TRUE,
    .parse = parse_seal,
    .request_free = request_free,
    .check = check_family,
    .run = run_seal },
  { .name = "Unseal",
    .signal = "handle-unseal",
    .takes_descriptors = TRUE,
    .parse = parse_unseal,
    .request_free = request_free,
    .check = check_family,
    .run = run_unseal },
  { .name = NULL },
};

WardDbusSeal *
ward_seal_interface_new (WardGate *gate, WardTpm *tpm)
{
  WardDbusSeal *skeleton = ward_dbus_seal_skeleton_new ();

  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (skeleton), methods, tpm);
  return skeleton;
}
