/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-manager-interface.h"

#include "ward-config.h"
#include "ward-error.h"
#include "ward-tpm-object.h"

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

static const WardMethod methods[] = {
  { .name = "Cancel", .signal = "handle-cancel", .is_instant = TRUE, .parse = parse_cancel, .run = run_cancel },
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
ward_manager_interface_new (WardGate *gate, WardInventory *inventory)
{
  WardDbusManager *manager = ward_dbus_manager_skeleton_new ();

  ward_dbus_manager_set_version (manager, WARD_VERSION);
  g_signal_connect_object (inventory, "added", G_CALLBACK (on_inventory_changed), manager, 0);
  g_signal_connect_object (inventory, "removed", G_CALLBACK (on_inventory_changed), manager, 0);
  on_inventory_changed (inventory, NULL, manager);
  ward_gate_guard (gate, G_DBUS_INTERFACE_SKELETON (manager), methods, NULL);
  return manager;
}
