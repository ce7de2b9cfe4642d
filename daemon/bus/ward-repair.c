/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-repair.h"

#include "ward-device.h"
#include "ward-error.h"
#include "ward-gate.h"
#include "ward-helper-client.h"
#include "ward-options.h"
#include "ward-repair-tcsd.h"

static const WardOption repair_options[] = {
  { "dry-run", WARD_OPTION_BOOLEAN },
  { NULL, 0 },
};

typedef struct
{
  char *id;
  char *base;
  char *tpm; /* NULL when it is about none */
  gboolean dry_run;
} Request;

/* One repair under way. */
typedef struct
{
  WardCall *call;
  WardCheckup *checkup;
  const Request *request;      /* the call's */
  GDBusConnection *connection; /* the invocation's */
  char **actions;              /* what was done */
} Repair;

gboolean
ward_repair_parse (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  g_autoptr (GVariant) dictionary = NULL;
  g_autoptr (WardOptions) options = NULL;
  g_autofree char *base = NULL;
  g_autofree char *tpm = NULL;
  const char *id;
  Request *repair;

  g_variant_get (parameters, "(&s@a{sv})", &id, &dictionary);
  if (!ward_finding_parse_id (id, &base, &tpm))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_INVALID_ARGUMENT,
                   "“%.32s” is not shaped like a finding's id. Take one that Diagnose gives, such as “wrong-access” "
                   "or “srk-missing@tpm0”.",
                   id);
      return FALSE;
    }
  options = ward_options_new (dictionary, fds, repair_options, error);
  if (!options)
    return FALSE;
  if (!ward_finding_is_known (base, tpm != NULL))
    {
      g_set_error (error, WARD_ERROR, WARD_ERROR_NOT_FOUND,
                   "There is no finding “%s”. Take one that Diagnose gives, such as “wrong-access” or "
                   "“srk-missing@tpm0”.",
                   id);
      return FALSE;
    }

  repair = g_new0 (Request, 1);
  repair->id = g_strdup (id);
  repair->base = g_steal_pointer (&base);
  repair->tpm = g_steal_pointer (&tpm);
  repair->dry_run = ward_options_get_boolean (options, "dry-run");
  *request = repair;
  return TRUE;
}

void
ward_repair_request_free (gpointer request)
{
  Request *repair = request;

  g_free (repair->id);
  g_free (repair->base);
  g_free (repair->tpm);
  g_free (repair);
}

void
ward_repair_describe (gpointer request, GVariantBuilder *details)
{
  const Request *repair = request;

  g_variant_builder_add (details, "{ss}", "finding", repair->id);
  if (repair->tpm)
    g_variant_builder_add (details, "{ss}", "tpm", repair->tpm);
}

static void
repair_free (Repair *repair)
{
  g_object_unref (repair->checkup);
  g_object_unref (repair->connection);
  g_strfreev (repair->actions);
  g_free (repair);
}

static void
repair_fail (Repair *repair, GError *error)
{
  ward_checkup_forget (repair->checkup);
  ward_call_fail (repair->call, error);
  repair_free (repair);
}

static void
repair_return (gpointer data)
{
  Repair *repair = data;

  ward_checkup_forget (repair->checkup);
  ward_call_return (repair->call, g_variant_new ("(^as)", repair->actions));
  repair_free (repair);
}

/* Takes the actions, or the error. What the helper has changed shows in the TPMs' properties only once these are read
 * again. */
static void
settle_helper (Repair *repair, char **actions, GError *error)
{
  repair->actions = actions;
  if (!actions)
    repair_fail (repair, error);
  else if (repair->request->dry_run || !*actions)
    repair_return (repair);
  else
    ward_checkup_refresh (repair->checkup, repair_return, repair);
}

/* Takes the one action, or the error. A TPM's own operations have it read again by themselves. */
static void
settle_tpm (Repair *repair, char *action, GError *error)
{
  g_autoptr (GStrvBuilder) actions = g_strv_builder_new ();
  g_autofree char *owned = action;

  if (error)
    {
      repair_fail (repair, error);
      return;
    }
  g_strv_builder_add (actions, action);
  repair->actions = g_strv_builder_end (actions);
  repair_return (repair);
}

static void
on_access_repaired (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  char **actions = ward_helper_client_repair_access_finish (G_DBUS_CONNECTION (source), result, &error);

  settle_helper (user_data, actions, error);
}

static void
repair_access (Repair *repair)
{
  ward_helper_client_repair_access_async (repair->connection, repair->request->dry_run, NULL, on_access_repaired,
                                          repair);
}

static void
on_driver_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  char **actions = ward_helper_client_load_driver_finish (G_DBUS_CONNECTION (source), result, &error);

  settle_helper (user_data, actions, error);
}

static void
load_driver (Repair *repair)
{
  ward_helper_client_load_driver_async (repair->connection, repair->request->dry_run, NULL, on_driver_loaded, repair);
}

static void
on_service_disabled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  char **actions = ward_helper_client_disable_service_finish (G_DBUS_CONNECTION (source), result, &error);

  settle_helper (user_data, actions, error);
}

static void
disable_tcsd (Repair *repair)
{
  ward_helper_client_disable_service_async (repair->connection, "tcsd", repair->request->dry_run, NULL,
                                            on_service_disabled, repair);
}

static void
disable_abrmd (Repair *repair)
{
  ward_helper_client_disable_service_async (repair->connection, "tpm2-abrmd", repair->request->dry_run, NULL,
                                            on_service_disabled, repair);
}

static void
on_tcsd_config_repaired (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  char **actions = ward_helper_client_tcsd_config_finish (G_DBUS_CONNECTION (source), result, &error);

  settle_helper (user_data, actions, error);
}

static void
repair_tcsd_config (Repair *repair)
{
  ward_helper_client_repair_tcsd_config_async (repair->connection, repair->request->dry_run, on_tcsd_config_repaired,
                                               repair);
}

static void
close_tcsd (Repair *repair)
{
  ward_helper_client_close_tcsd_async (repair->connection, repair->request->dry_run, on_tcsd_config_repaired, repair);
}

static void
on_tcsd_repaired (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  char **actions = ward_repair_tcsd_finish (result, &error);

  settle_helper (user_data, actions, error);
}

static void
repair_tcsd (Repair *repair)
{
  GPtrArray *tpms = ward_inventory_get_tpms (ward_checkup_get_inventory (repair->checkup));
  WardTpm *tpm = NULL;

  for (guint i = 0; i < tpms->len && !tpm; i++)
    if (ward_device_get_tcsd_port (ward_tpm_get_transport (g_ptr_array_index (tpms, i))) != 0)
      tpm = g_ptr_array_index (tpms, i);
  ward_repair_tcsd_async (repair->connection, ward_gate_get_tcsd (repair->call->gate), tpm, repair->request->dry_run,
                          on_tcsd_repaired, repair);
}

static char *
tell_srk (Repair *repair)
{
  return g_strdup_printf ("make the storage root key of %s and keep it at 0x%08x", repair->request->tpm,
                          WARD_SRK_HANDLE);
}

static void
on_srk (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  ward_tpm_provision_srk_finish (WARD_TPM (source), result, &error);
  settle_tpm (user_data, tell_srk (user_data), error);
}

static void
provision_srk (Repair *repair)
{
  ward_tpm_provision_srk_async (repair->call->tpm, &repair->call->ticket, NULL, on_srk, repair);
}

static char *
tell_self_test (Repair *repair)
{
  return g_strdup_printf ("run a full self-test of %s", repair->request->tpm);
}

static void
on_self_test (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;
  g_autoptr (WardTestResult) test = ward_tpm_run_self_test_finish (WARD_TPM (source), result, &error);
  g_autofree char *action = tell_self_test (user_data);
  char *told = test ? g_strdup_printf ("%s: %s (%s)", action, test->passed ? "it passed" : "it failed", test->text)
                    : NULL;

  settle_tpm (user_data, told, error);
}

static void
run_self_test (Repair *repair)
{
  ward_tpm_run_self_test_async (repair->call->tpm, &repair->call->ticket, WARD_SELF_TEST_FULL, on_self_test, repair);
}

static char *
tell_reset (Repair *repair)
{
  return g_strdup_printf ("reset the lockout of %s with the empty lockout auth", repair->request->tpm);
}

static void
on_reset (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  ward_tpm_reset_lockout_finish (WARD_TPM (source), result, &error);
  settle_tpm (user_data, tell_reset (user_data), error);
}

static void
reset_lockout (Repair *repair)
{
  ward_tpm_reset_lockout_async (repair->call->tpm, &repair->call->ticket, NULL, FALSE, on_reset, repair);
}

/* The finding is there to be repaired only while no lockout auth is set: then the empty one is right. */
static void
renew_guard (Repair *repair)
{
  ward_tpm_reset_lockout_async (repair->call->tpm, &repair->call->ticket, NULL, TRUE, on_reset, repair);
}

static char *
tell_acknowledge (Repair *repair)
{
  return g_strdup_printf ("take it as known that %s was changed", repair->request->tpm);
}

static void
acknowledge (Repair *repair)
{
  ward_tpm_acknowledge_change (repair->call->tpm);
  settle_tpm (repair, tell_acknowledge (repair), NULL);
}

static char *
tell_withdraw (Repair *repair)
{
  return g_strdup_printf ("withdraw the request to the firmware to clear %s", repair->request->tpm);
}

static void
on_withdrawn (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GStrvBuilder) actions = g_strv_builder_new ();
  g_autofree char *action = tell_withdraw (user_data);
  GError *error = NULL;
  gboolean ok = ward_helper_client_withdraw_clear_finish (G_DBUS_CONNECTION (source), result, &error);

  g_strv_builder_add (actions, action);
  settle_helper (user_data, ok ? g_strv_builder_end (actions) : NULL, error);
}

static void
withdraw_clear (Repair *repair)
{
  ward_helper_client_withdraw_clear_async (repair->connection, ward_tpm_get_kernel_name (repair->call->tpm), NULL,
                                           on_withdrawn, repair);
}

/* What is done about a finding that has a repair. tell: what a dry run says instead of act; NULL where act does dry
 * runs by itself. */
static const struct
{
  const char *base;
  void (*act) (Repair *repair);
  char *(*tell) (Repair *repair);
} repairs[] = {
  { "wrong-access", repair_access, NULL },
  { "no-driver", load_driver, NULL },
  { "tcsd-on-tpm2", disable_tcsd, NULL },
  { "tcsd-config", repair_tcsd_config, NULL },
  { "tcsd-failed", repair_tcsd, NULL },
  { "tcsd-exposed", close_tcsd, NULL },
  { "abrmd-in-the-way", disable_abrmd, NULL },
  { "srk-missing", provision_srk, tell_srk },
  { "self-test-failed", run_self_test, tell_self_test },
  { "self-test-never-run", run_self_test, tell_self_test },
  { "lockout-reached", reset_lockout, tell_reset },
  { "lockout-near", reset_lockout, tell_reset },
  { "guard-damaged", renew_guard, tell_reset },
  { "tpm-cleared", acknowledge, tell_acknowledge },
  { "tpm-replaced", acknowledge, tell_acknowledge },
  { "tpm-updated", acknowledge, tell_acknowledge },
  { "clear-pending", withdraw_clear, tell_withdraw },
};

static GError *
no_repair (const WardFinding *finding)
{
  return g_error_new (WARD_ERROR, WARD_ERROR_NOT_SUPPORTED, "There is no repair for “%s”. %s", finding->id,
                      finding->detail);
}

static void
start (Repair *repair, const WardFinding *finding)
{
  for (guint i = 0; *finding->repair && i < G_N_ELEMENTS (repairs); i++)
    {
      if (!g_str_equal (repairs[i].base, repair->request->base))
        continue;
      if (repair->request->dry_run && repairs[i].tell)
        settle_tpm (repair, repairs[i].tell (repair), NULL);
      else
        repairs[i].act (repair);
      return;
    }
  repair_fail (repair, no_repair (finding));
}

static void
on_gathered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Repair *repair = user_data;
  g_autoptr (WardDoctorFacts) facts = ward_checkup_gather_finish (WARD_CHECKUP (source), result);
  const WardDoctorViewer viewer = { .uid = repair->call->client->user->uid, .sees_all = TRUE };
  g_autoptr (GPtrArray) findings = ward_checkup_examine (repair->checkup, facts, &viewer);
  const WardFinding *finding = ward_doctor_find (findings, repair->request->id);

  if (repair->call->client->left)
    repair_fail (repair, g_error_new_literal (WARD_ERROR, WARD_ERROR_CANCELLED, "The caller has left."));
  else if (finding)
    start (repair, finding);
  else
    {
      repair->actions = g_new0 (char *, 1);
      repair_return (repair);
    }
}

static WardTpm *
find_tpm (WardCheckup *checkup, const char *name)
{
  GPtrArray *tpms = ward_inventory_get_tpms (ward_checkup_get_inventory (checkup));

  for (guint i = 0; i < tpms->len; i++)
    if (g_str_equal (ward_tpm_get_name (g_ptr_array_index (tpms, i)), name))
      return g_ptr_array_index (tpms, i);
  return NULL;
}

void
ward_repair_run (WardCall *call, WardCheckup *checkup)
{
  const Request *request = call->request;
  WardTpm *tpm = request->tpm ? find_tpm (checkup, request->tpm) : NULL;
  Repair *repair;

  if (request->tpm && !tpm)
    {
      ward_call_fail (call,
                      g_error_new (WARD_ERROR, WARD_ERROR_NOT_FOUND, "There is no TPM “%s” (any more).", request->tpm));
      return;
    }

  /* so that it can be withdrawn like any call that is for a TPM */
  if (tpm)
    call->tpm = g_object_ref (tpm);
  repair = g_new0 (Repair, 1);
  repair->call = call;
  repair->checkup = g_object_ref (checkup);
  repair->request = request;
  repair->connection = g_object_ref (g_dbus_method_invocation_get_connection (call->invocation));
  ward_checkup_gather_async (checkup, repair->connection, TRUE, on_gathered, repair);
}
