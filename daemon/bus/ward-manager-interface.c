/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-manager-interface.h"

#include "ward-checkup.h"
#include "ward-config.h"
#include "ward-error.h"
#include "ward-repair.h"
#include "ward-tpm-object.h"

#define CHECKUP_KEY "ward-checkup"

static gboolean
parse_cancel (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error)
{
  guint32 serial;

  g_variant_get (parameters, "(u)", &serial);
  *request = GUINT_TO_POINTER (serial);
  return TRUE;
}

static void
run_cancel (WardCall *call)
{
  guint32 serial = GPOINTER_TO_UINT (call->request);

  if (ward_gate_withdraw (call->gate, call->client, serial))
    ward_call_return (call, NULL);
  else
    ward_call_fail (call,
                    g_error_new (WARD_ERROR, WARD_ERROR_NOT_FOUND,
                                 "You have no waiting call with the serial %u on this connection: it has ended, or "
                                 "the TPM is at it already and cannot be interrupted.",
                                 serial));
}

/* The gate knows no more of an interface than its methods and TPM: what this one has is kept with its skeleton, which
 * is what GDBus gives invocations as their data. */
static WardCheckup *
get_checkup (WardCall *call)
{
  return g_object_get_data (g_dbus_method_invocation_get_user_data (call->invocation), CHECKUP_KEY);
}

static GVariant *
findings_to_variant (GPtrArray *findings)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < findings->len; i++)
    {
      const WardFinding *finding = g_ptr_array_index (findings, i);

      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&builder, "{sv}", "id", g_variant_new_string (finding->id));
      g_variant_builder_add (&builder, "{sv}", "severity",
                             g_variant_new_string (ward_severity_to_string (finding->severity)));
      g_variant_builder_add (&builder, "{sv}", "title", g_variant_new_string (finding->title));
      g_variant_builder_add (&builder, "{sv}", "detail", g_variant_new_string (finding->detail));
      g_variant_builder_add (&builder, "{sv}", "subject", g_variant_new_string (finding->subject));
      g_variant_builder_add (&builder, "{sv}", "repair", g_variant_new_string (finding->repair));
      g_variant_builder_close (&builder);
    }
  return g_variant_builder_end (&builder);
}

static void
diagnosed (WardCall *call, WardCheckup *checkup, GAsyncResult *result, gboolean sees_all)
{
  g_autoptr (WardDoctorFacts) facts = ward_checkup_gather_finish (checkup, result);
  const WardDoctorViewer viewer = { .uid = call->client->user->uid, .sees_all = sees_all };
  g_autoptr (GPtrArray) findings = ward_checkup_examine (checkup, facts, &viewer);

  ward_call_return (call, g_variant_new ("(@aa{sv})", findings_to_variant (findings)));
}

static void
on_diagnosed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  diagnosed (user_data, WARD_CHECKUP (source), result, FALSE);
}

static void
run_diagnose (WardCall *call)
{
  ward_checkup_gather_async (get_checkup (call), g_dbus_method_invocation_get_connection (call->invocation), FALSE,
                             on_diagnosed, call);
}

static void
on_diagnosed_all (GObject *source, GAsyncResult *result, gpointer user_data)
{
  diagnosed (user_data, WARD_CHECKUP (source), result, TRUE);
}

static void
run_diagnose_all (WardCall *call)
{
  ward_checkup_gather_async (get_checkup (call), g_dbus_method_invocation_get_connection (call->invocation), FALSE,
                             on_diagnosed_all, call);
}

static void
run_repair (WardCall *call)
{
  ward_repair_run (call, get_checkup (call));
}

static const WardMethod methods[] = {
  { .name = "Cancel", .signal = "handle-cancel", .is_instant = TRUE, .parse = parse_cancel, .run = run_cancel },
  { .name = "Diagnose", .signal = "handle-diagnose", .run = run_diagnose },
  { .name = "DiagnoseAll", .signal = "handle-diagnose-all", .run = run_diagnose_all },
  { .name = "Repair",
    .signal = "handle-repair",
    .parse = ward_repair_parse,
    .request_free = ward_repair_request_free,
    .describe = ward_repair_describe,
    .run = run_repair },
  { .name = NULL },
};

static void
on_inventory_changed (WardInventory *inventory, WardTpm *tpm, WardDbusManager *manager)
{
  GPtrArray *tpms = ward_inventory_get_tpms (inventory);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *reason = ward_inventory_explain_absence (inventory);

  for (guint i = 0; i < tpms->len; i++)
    g_ptr_array_add (paths, ward_tpm_object_path (g_ptr_array_index (tpms, i)));
  g_ptr_array_add (paths, NULL);
  ward_dbus_manager_set_tpms (manager, (const char *const *)paths->pdata);
  ward_dbus_manager_set_no_tpm_reason (manager, reason);
}

WardDbusManager *
ward_manager_interface_new (WardGate *gate, WardInventory *inventory, WardKeyring *keyring)
{
  WardDbusManager *manager = ward_dbus_manager_skeleton_new ();

  g_object_set_data_full (G_OBJECT (manager), CHECKUP_KEY, ward_checkup_new (inventory, keyring), g_object_unref);
  ward_dbus_manager_set_version (manager, WARD_VERSION);
  g_signal_connect_object (inventory, "added", G_CALLBACK (on_inventory_changed), manager, 0);
  g_signal_connect_object (inventory, "removed", G_CALLBACK (on_inventory_changed), manager, 0);
  on_inventory_changed (inventory, NULL, manager);
  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (manager), methods, NULL);
  return manager;
}
