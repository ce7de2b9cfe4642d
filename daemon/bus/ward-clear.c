/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of the interface Ownership that clear the TPM, and say what that would take away. */
#include "ward-tpm-object.h"

#include "ward-error.h"
#include "ward-helper-client.h"
#include "ward-ledger.h"
#include "ward-options.h"
#include "ward-preview.h"

static const WardOption clear_options[] = {
  { "confirm", WARD_OPTION_STRING },
  { "auth", WARD_OPTION_AUTH },
  { "physical-presence", WARD_OPTION_BOOLEAN },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

static const WardOption disable_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

static const WardOption enable_options[] = {
  { "auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

static const WardOption no_options[] = {
  { NULL, 0 },
};

static void
request_free (gpointer request)
{
  ward_options_free (request);
}

static gboolean
is_by_presence (gpointer request)
{
  return ward_options_get_boolean (request, "physical-presence");
}

/* names_others: other users' things are named, not counted. */
static void
return_preview (WardCall *call, GVariant *found, GError *error, gboolean names_others)
{
  g_autoptr (GVariant) owned = found;
  g_autoptr (GVariant) seen = NULL;

  if (!found)
    {
      ward_call_fail (call, error);
      return;
    }
  seen = g_variant_ref_sink (names_others ? g_variant_ref (found)
                                          : ward_ledger_for_user (found, call->client->user->uid));
  ward_call_return (call, g_variant_new ("(@aa{sv})", ward_ledger_sort (seen)));
}

static void
on_preview (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  GVariant *found = ward_preview_clear_finish (WARD_TPM (source), result, &error);

  return_preview (user_data, found, error, FALSE);
}

static void
run_preview (WardCall *call)
{
  ward_preview_clear_async (call->tpm, &call->ticket, call->keyring, FALSE,
                            g_dbus_method_invocation_get_connection (call->invocation), on_preview, call);
}

static void
on_preview_all (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  GVariant *found = ward_preview_clear_finish (WARD_TPM (source), result, &error);

  return_preview (user_data, found, error, TRUE);
}

static void
run_preview_all (WardCall *call)
{
  ward_preview_clear_async (call->tpm, &call->ticket, call->keyring, TRUE,
                            g_dbus_method_invocation_get_connection (call->invocation), on_preview_all, call);
}

static gboolean
parse_clear (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 0);
  g_autoptr (WardOptions) options = ward_options_new (dictionary, fds, clear_options, error);

  if (!options)
    return FALSE;
  if (is_by_presence (options) && ward_options_has (options, "auth"))
    {
      g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                           "Clear either by a secret, with the option “auth”, or by the firmware, with "
                           "“physical-presence”. Give one of them.");
      return FALSE;
    }
  *request = g_steal_pointer (&options);
  return TRUE;
}

/* The machine's firmware clears the machine's TPM: of any other it must never be asked, whatever its name. */
static gboolean
check_presence (WardTpm *tpm, GError **error)
{
  const WardPresenceState *presence = ward_tpm_get_presence (tpm);
  const char *secret = ward_tpm_is_tpm12 (tpm) ? "owner's secret" : "lockout auth";

  if (!*ward_tpm_get_kernel_name (tpm))
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "%s is reached by “%s”, and is no TPM that this machine's firmware could clear. Clear it with the %s.",
                 ward_tpm_get_name (tpm), ward_tpm_get_transport (tpm), secret);
  else if (presence && presence->clear == WARD_PRESENCE_NONE)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "This machine's firmware takes no request to clear %s at the restart. Look for it in its setup, or "
                 "clear with the %s.",
                 ward_tpm_get_name (tpm), secret);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_clear (WardTpm *tpm, gpointer request, GError **error)
{
  const char *confirm = ward_options_get_string (request, "confirm");

  if (g_strcmp0 (confirm, ward_tpm_get_name (tpm)) != 0)
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "Nothing was cleared: to clear this TPM, the option “confirm” must be its name, “%s”. A clear "
                   "destroys its keys and what they protect; PreviewClear lists that.",
                   ward_tpm_get_name (tpm));
      return FALSE;
    }
  if (is_by_presence (request))
    return check_presence (tpm, error);
  return ward_tpm_check_clear (ward_tpm_get_ownership (tpm), error);
}

static void
describe_clear (gpointer request, GVariantBuilder *details)
{
  g_variant_builder_add (details, "{ss}", "by", is_by_presence (request) ? "physical-presence" : "lockout-auth");
}

static void
on_cleared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;

  if (ward_tpm_clear_finish (WARD_TPM (source), result, &error))
    ward_call_return (call, g_variant_new ("(s)", "cleared"));
  else
    ward_call_fail (call, error);
}

/* The request stands whatever the look at it says. */
static void
on_request_seen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ward_tpm_refresh_finish (WARD_TPM (source), result, NULL);
  ward_call_return (user_data, g_variant_new ("(s)", "reboot-required"));
}

static void
on_requested (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;

  if (!ward_helper_client_request_clear_finish (G_DBUS_CONNECTION (source), result, &error))
    {
      ward_call_fail (call, error);
      return;
    }
  ward_tpm_expect_firmware_clear (call->tpm, TRUE);
  ward_tpm_refresh_async (call->tpm, NULL, on_request_seen, call);
}

static void
run_clear (WardCall *call)
{
  if (is_by_presence (call->request))
    ward_helper_client_request_clear_async (g_dbus_method_invocation_get_connection (call->invocation),
                                            ward_tpm_get_kernel_name (call->tpm), NULL, on_requested, call);
  else
    ward_tpm_clear_async (call->tpm, &call->ticket, ward_options_get_secret (call->request, "auth"),
                          ward_options_get_boolean (call->request, "force"), on_cleared, call);
}

static gboolean
check_cancel (WardTpm *tpm, gpointer request, GError **error)
{
  if (*ward_tpm_get_kernel_name (tpm))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
               "No clear of %s waits for the restart: it is no TPM that this machine's firmware could clear.",
               ward_tpm_get_name (tpm));
  return FALSE;
}

static void
on_withdrawal_seen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ward_tpm_refresh_finish (WARD_TPM (source), result, NULL);
  ward_call_return (user_data, NULL);
}

static void
on_withdrawn (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;

  if (!ward_helper_client_withdraw_clear_finish (G_DBUS_CONNECTION (source), result, &error))
    {
      ward_call_fail (call, error);
      return;
    }
  ward_tpm_expect_firmware_clear (call->tpm, FALSE);
  ward_tpm_refresh_async (call->tpm, NULL, on_withdrawal_seen, call);
}

static void
run_cancel (WardCall *call)
{
  ward_helper_client_withdraw_clear_async (g_dbus_method_invocation_get_connection (call->invocation),
                                           ward_tpm_get_kernel_name (call->tpm), NULL, on_withdrawn, call);
}

/* A flag of the TPM, and what it is to be. */
typedef struct
{
  gboolean value;
  WardOptions *options;
} SetFlag;

static void
set_flag_free (gpointer data)
{
  SetFlag *set = data;

  ward_options_free (set->options);
  g_free (set);
}

static gboolean
parse_flag (GVariant *parameters, GUnixFDList *fds, const WardOption *known, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 1);
  WardOptions *options = ward_options_new (dictionary, fds, known, error);
  SetFlag *set;

  if (!options)
    return FALSE;
  set = g_new0 (SetFlag, 1);
  set->options = options;
  g_variant_get_child (parameters, 0, "b", &set->value);
  *request = set;
  return TRUE;
}

static gboolean
parse_set_enabled (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  return parse_flag (parameters, fds, enable_options, request, error);
}

static gboolean
parse_set_active (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  return parse_flag (parameters, fds, no_options, request, error);
}

/* Those that only a TPM 1.2 has. */
static gboolean
check_flag (WardTpm *tpm, gpointer request, GError **error)
{
  if (ward_tpm_is_tpm12 (tpm))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
               "%s is a TPM %s, which is switched on and off in the machine's firmware setup alone: this is a flag of "
               "TPM 1.2.",
               ward_tpm_get_name (tpm), ward_tpm_get_family (tpm));
  return FALSE;
}

static void
on_enabled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_set_enabled_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
run_set_enabled (WardCall *call)
{
  SetFlag *set = call->request;

  ward_tpm_set_enabled_async (call->tpm, &call->ticket, set->value, ward_options_get_secret (set->options, "auth"),
                              on_enabled, call);
}

static void
on_activated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_set_active_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
run_set_active (WardCall *call)
{
  ward_tpm_set_active_async (call->tpm, &call->ticket, ((SetFlag *)call->request)->value, on_activated, call);
}

static gboolean
parse_set_disabled (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  return parse_flag (parameters, fds, disable_options, request, error);
}

static gboolean
check_set_disabled (WardTpm *tpm, gpointer request, GError **error)
{
  if (((SetFlag *)request)->value)
    return TRUE;
  g_set_error_literal (
      error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
      "No operating system can allow a TPM to be cleared again: it would be counted as a wrong lockout "
      "auth, so it was not tried. A clear by the machine's firmware allows it again.");
  return FALSE;
}

static void
on_disabled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_disable_clear_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
run_set_disabled (WardCall *call)
{
  WardOptions *options = ((SetFlag *)call->request)->options;

  ward_tpm_disable_clear_async (call->tpm, &call->ticket, ward_options_get_secret (options, "auth"),
                                ward_options_get_boolean (options, "force"), on_disabled, call);
}

const WardMethod ward_clear_methods[] = {
  { .name = "PreviewClear", .signal = "handle-preview-clear", .run = run_preview },
  { .name = "PreviewClearAll", .signal = "handle-preview-clear-all", .run = run_preview_all },
  { .name = "Clear",
    .signal = "handle-clear",
    .takes_descriptors = TRUE,
    .parse = parse_clear,
    .request_free = request_free,
    .check = check_clear,
    .describe = describe_clear,
    .run = run_clear },
  { .name = "CancelClear", .signal = "handle-cancel-clear", .check = check_cancel, .run = run_cancel },
  { .name = "SetEnabled",
    .signal = "handle-set-enabled",
    .takes_descriptors = TRUE,
    .parse = parse_set_enabled,
    .request_free = set_flag_free,
    .check = check_flag,
    .run = run_set_enabled },
  { .name = "SetActive",
    .signal = "handle-set-active",
    .parse = parse_set_active,
    .request_free = set_flag_free,
    .check = check_flag,
    .run = run_set_active },
  { .name = "SetClearDisabled",
    .signal = "handle-set-clear-disabled",
    .takes_descriptors = TRUE,
    .parse = parse_set_disabled,
    .request_free = set_flag_free,
    .check = check_set_disabled,
    .run = run_set_disabled },
  { .name = NULL },
};
