/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-object.h"

#include "ward-call-options.h"
#include "ward-error.h"
#include "ward-ledger.h"
#include "ward-options.h"

static const WardOption srk_options[] = {
  { "owner-auth", WARD_OPTION_AUTH },
  { NULL, 0 },
};

static const WardOption take_options[] = {
  { "owner-auth", WARD_OPTION_AUTH }, { "endorsement-auth", WARD_OPTION_AUTH }, { "lockout-auth", WARD_OPTION_AUTH },
  { "srk-auth", WARD_OPTION_AUTH },   { "force", WARD_OPTION_BOOLEAN },         { NULL, 0 },
};

static const WardOption change_options[] = {
  { "old", WARD_OPTION_AUTH },
  { "new", WARD_OPTION_AUTH },
  { "owner-auth", WARD_OPTION_AUTH },
  { "force", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

typedef struct
{
  WardHierarchy which; /* ChangeAuth alone */
  WardOptions *options;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_pointer (&request->options, ward_options_free);
  g_free (request);
}

static Request *
request_new (GVariant *dictionary, GUnixFDList *fds, const WardOption *known, GError **error)
{
  WardOptions *options = ward_options_new (dictionary, fds, known, error);
  Request *request;

  if (!options)
    return NULL;
  request = g_new0 (Request, 1);
  request->options = options;
  return request;
}

static WardSecret *
get_secret (WardCall *call, const char *name)
{
  return ward_options_get_secret (((Request *)call->request)->options, name);
}

static gboolean
is_given (WardCall *call, const char *name)
{
  WardSecret *secret = get_secret (call, name);

  return secret && ward_secret_get_size (secret) > 0;
}

static gboolean
is_forced (WardCall *call)
{
  return ward_options_get_boolean (((Request *)call->request)->options, "force");
}

/* The error of a change by which other programs would stop working, or that nobody could say that of. */
static GError *
would_break (GVariant *dependents, const GError *error)
{
  g_autofree char *names = NULL;

  if (!dependents)
    return g_error_new (
        WARD_ERROR, WARD_ERROR_WOULD_BREAK,
        "Nothing was changed: programs that expect the owner and endorsement auths to be empty would stop "
        "working, and it could not be found out whether there are any (%s) If you are sure that there "
        "are none, say so with the option “force”.",
        error->message);

  names = ward_ledger_summarize (dependents);
  return g_error_new (WARD_ERROR, WARD_ERROR_WOULD_BREAK,
                      "Nothing was changed: these use the TPM with an empty auth and would stop working: %s. Set the "
                      "lockout auth alone, or do it all the same with the option “force”.",
                      names);
}

/* Goes on with the call once it is known that nothing breaks by it. */
static void
on_breaking_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  void (*go_on) (WardCall *) = call->continuation;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) dependents = ward_ledger_find_breaking_finish (G_DBUS_CONNECTION (source), result, &error);

  if (call->client->left)
    ward_call_fail (call, g_error_new_literal (WARD_ERROR, WARD_ERROR_CANCELLED, "The caller has left."));
  else if (dependents && g_variant_n_children (dependents) == 0)
    go_on (call);
  else
    ward_call_fail (call, would_break (dependents, error));
}

static void
unless_it_breaks (WardCall *call, gboolean owner, gboolean endorsement, void (*go_on) (WardCall *call))
{
  if (is_forced (call) || (!owner && !endorsement) || ward_tpm_is_tpm12 (call->tpm))
    {
      go_on (call);
      return;
    }
  call->continuation = go_on;
  ward_ledger_find_breaking_async (g_dbus_method_invocation_get_connection (call->invocation), owner, endorsement,
                                   on_breaking_found, call);
}

static void
on_preview (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WardCall *call = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) dependents = ward_ledger_find_breaking_finish (G_DBUS_CONNECTION (source), result, &error);

  if (dependents)
    ward_call_return (call, g_variant_new ("(@aa{sv})", ward_ledger_for_user (dependents, call->client->user->uid)));
  else
    ward_call_fail (call, error);
}

/* The secrets of a TPM 1.2 keep nobody else from anything: nothing can be used before there is an owner. */
static void
run_preview (WardCall *call)
{
  if (ward_tpm_is_tpm12 (call->tpm))
    {
      ward_call_return (call, g_variant_new ("(@aa{sv})", g_variant_new_array (G_VARIANT_TYPE_VARDICT, NULL, 0)));
      return;
    }
  ward_ledger_find_breaking_async (g_dbus_method_invocation_get_connection (call->invocation), TRUE, TRUE, on_preview,
                                   call);
}

static gboolean
parse_take (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 0);

  *request = request_new (dictionary, fds, take_options, error);
  return *request != NULL;
}

static gboolean
is_any_given (WardOptions *options)
{
  for (const WardOption *option = take_options; option->kind == WARD_OPTION_AUTH; option++)
    if (ward_options_get_auth (options, option->name))
      return TRUE;
  return FALSE;
}

/* The empty auth value of an owner is the well-known one of the TSS: an owner that everybody can be, which is to be
 * asked for by name. */
static gboolean
check_take (WardTpm *tpm, gpointer request, GError **error)
{
  WardOptions *options = ((Request *)request)->options;

  if (!ward_options_check_family (options, tpm, error))
    return FALSE;
  if (ward_tpm_is_tpm12 (tpm) ? ward_options_has (options, "owner-auth") : is_any_given (options))
    return TRUE;
  g_set_error_literal (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                       ward_tpm_is_tpm12 (tpm)
                           ? "To take ownership of a TPM 1.2, give the option “owner-auth”; an empty one is the "
                             "well-known secret, which everybody has."
                           : "To take ownership, give at least one auth value that is not empty; the lockout auth is "
                             "recommended.");
  return FALSE;
}

static void
on_taken (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_take_ownership_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
take (WardCall *call)
{
  WardOptions *options = ((Request *)call->request)->options;
  WardSecret *const auths[WARD_N_HIERARCHIES] = {
    [WARD_HIERARCHY_OWNER] = ward_options_get_auth (options, "owner-auth"),
    [WARD_HIERARCHY_ENDORSEMENT] = ward_options_get_auth (options, "endorsement-auth"),
    [WARD_HIERARCHY_LOCKOUT] = ward_options_get_auth (options, "lockout-auth"),
    [WARD_HIERARCHY_SRK] = ward_options_get_auth (options, "srk-auth"),
  };

  ward_tpm_take_ownership_async (call->tpm, &call->ticket, auths, is_forced (call), on_taken, call);
}

static void
run_take (WardCall *call)
{
  unless_it_breaks (call, is_given (call, "owner-auth"), is_given (call, "endorsement-auth"), take);
}

static gboolean
parse_provision_srk (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = g_variant_get_child_value (parameters, 0);

  *request = request_new (dictionary, fds, srk_options, error);
  return *request != NULL;
}

static void
on_provisioned (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_provision_srk_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
run_provision_srk (WardCall *call)
{
  ward_tpm_provision_srk_async (call->tpm, &call->ticket, get_secret (call, "owner-auth"), on_provisioned, call);
}

static gboolean
parse_change_auth (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = NULL;
  const char *which;
  Request *change;
  WardHierarchy hierarchy;

  g_variant_get (parameters, "(&s@a{sv})", &which, &dictionary);
  if (!ward_hierarchy_from_string (which, &hierarchy))
    {
      g_set_error (
          error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
          "“%.32s” has no auth value. It is one of “owner”, “endorsement”, “lockout” and, of a TPM 1.2, “srk”.", which);
      return FALSE;
    }
  change = request_new (dictionary, fds, change_options, error);
  if (!change)
    return FALSE;

  change->which = hierarchy;
  *request = change;
  return TRUE;
}

/* That of a storage root key is changed with the owner's. */
static gboolean
check_change_options (const Request *request, GError **error)
{
  gboolean is_srk = request->which == WARD_HIERARCHY_SRK;
  const char *wrong = is_srk ? "old" : "owner-auth";

  if (!ward_options_has (request->options, wrong))
    return TRUE;
  g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
               is_srk ? "The option “%s” is of no use here: the secret of the storage root key is changed with the "
                        "owner's, in the option “owner-auth”."
                      : "The option “%s” is for “srk” alone: give the present auth value as “old”.",
               wrong);
  return FALSE;
}

static gboolean
check_change_auth (WardTpm *tpm, gpointer data, GError **error)
{
  const Request *request = data;
  gboolean is_srk = request->which == WARD_HIERARCHY_SRK;

  if (!ward_tpm_is_tpm12 (tpm) && is_srk)
    g_set_error_literal (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                         "The storage root key of a TPM 2.0 has no auth value; that of a TPM 1.2 has.");
  else if (ward_tpm_is_tpm12 (tpm) && !is_srk && request->which != WARD_HIERARCHY_OWNER)
    g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_SUPPORTED,
                 "%s is a TPM 1.2, which has no %s auth: it has one of its owner and one of its storage root key.",
                 ward_tpm_get_name (tpm), ward_hierarchy_to_string (request->which));
  else
    return check_change_options (request, error);
  return FALSE;
}

static void
describe_change_auth (gpointer request, GVariantBuilder *details)
{
  g_variant_builder_add (details, "{ss}", "which", ward_hierarchy_to_string (((Request *)request)->which));
}

static void
on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  gboolean ok = ward_tpm_change_auth_finish (WARD_TPM (source), result, &error);

  ward_call_conclude (user_data, ok, error);
}

static void
change (WardCall *call)
{
  Request *request = call->request;

  ward_tpm_change_auth_async (call->tpm, &call->ticket, request->which,
                              get_secret (call, request->which == WARD_HIERARCHY_SRK ? "owner-auth" : "old"),
                              get_secret (call, "new"), is_forced (call), on_changed, call);
}

/* Only the first auth value of a hierarchy breaks anything: with another one the programs have stopped already. */
static void
run_change_auth (WardCall *call)
{
  const WardOwnership *ownership = ward_tpm_get_ownership (call->tpm);
  WardHierarchy which = ((Request *)call->request)->which;
  gboolean is_first = is_given (call, "new") && ownership;

  unless_it_breaks (call, is_first && which == WARD_HIERARCHY_OWNER && !ownership->owner_auth_set,
                    is_first && which == WARD_HIERARCHY_ENDORSEMENT && !ownership->endorsement_auth_set, change);
}

static const WardMethod methods[] = {
  { .name = "PreviewOwnership", .signal = "handle-preview-ownership", .run = run_preview },
  { .name = "TakeOwnership",
    .signal = "handle-take-ownership",
    .takes_descriptors = TRUE,
    .parse = parse_take,
    .request_free = request_free,
    .check = check_take,
    .run = run_take },
  { .name = "ProvisionSrk",
    .signal = "handle-provision-srk",
    .takes_descriptors = TRUE,
    .parse = parse_provision_srk,
    .request_free = request_free,
    .needs = G_STRUCT_OFFSET (WardBackend, provision_srk),
    .run = run_provision_srk },
  { .name = "ChangeAuth",
    .signal = "handle-change-auth",
    .takes_descriptors = TRUE,
    .parse = parse_change_auth,
    .request_free = request_free,
    .check = check_change_auth,
    .describe = describe_change_auth,
    .run = run_change_auth },
  { .name = NULL },
};

static void
on_tpm_changed (WardTpm *tpm, WardDbusOwnership *skeleton)
{
  const WardPresenceState *presence = ward_tpm_get_presence (tpm);

  ward_dbus_ownership_set_physical_presence (skeleton,
                                             ward_presence_to_string (presence ? presence->clear : WARD_PRESENCE_NONE));
  ward_dbus_ownership_set_clear_pending (skeleton, presence && presence->clear_pending);
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (skeleton));
}

static void
on_ownership_changed (WardTpm *tpm, WardDbusOwnership *skeleton)
{
  const WardOwnership *ownership = ward_tpm_get_ownership (tpm);

  if (!ownership)
    return;
  ward_dbus_ownership_set_owned (skeleton, ownership->lockout_auth_set || ownership->owner_auth_set);
  ward_dbus_ownership_set_owner_auth_set (skeleton, ownership->owner_auth_set);
  ward_dbus_ownership_set_endorsement_auth_set (skeleton, ownership->endorsement_auth_set);
  ward_dbus_ownership_set_lockout_auth_set (skeleton, ownership->lockout_auth_set);
  ward_dbus_ownership_set_srk_present (skeleton, ownership->has_srk);
  ward_dbus_ownership_set_srk_handle (skeleton, ownership->srk_handle);
  ward_dbus_ownership_set_clear_disabled (skeleton, ownership->clear_disabled);
  ward_dbus_ownership_set_enabled (skeleton, ownership->owner_enabled);
  ward_dbus_ownership_set_active (skeleton, ownership->endorsement_enabled);
  g_dbus_interface_skeleton_flush (G_DBUS_INTERFACE_SKELETON (skeleton));
}

WardDbusOwnership *
ward_ownership_interface_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm)
{
  WardDbusOwnership *skeleton = ward_dbus_ownership_skeleton_new ();

  g_signal_connect_object (tpm, "ownership-changed", G_CALLBACK (on_ownership_changed), skeleton, 0);
  on_ownership_changed (tpm, skeleton);
  g_signal_connect_object (tpm, "changed", G_CALLBACK (on_tpm_changed), skeleton, 0);
  on_tpm_changed (tpm, skeleton);
  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (skeleton), methods, tpm);
  ward_gate_guard_keys (gate, G_DBUS_INTERFACE_SKELETON (skeleton), ward_clear_methods, tpm, keyring);
  return skeleton;
}
