/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-tpm-object.h"

char *
ward_tpm_object_path (WardTpm *tpm)
{
  return g_strconcat (WARD_ROOT_PATH "/tpm/", ward_tpm_get_name (tpm), NULL);
}

GDBusObjectSkeleton *
ward_tpm_object_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm)
{
  g_autofree char *path = ward_tpm_object_path (tpm);
  g_autoptr (WardDbusTpm) tpm_interface = ward_tpm_interface_new (gate, tpm);
  g_autoptr (WardDbusSelfTest) self_test = ward_self_test_interface_new (gate, tpm);
  g_autoptr (WardDbusLockout) lockout = ward_lockout_interface_new (gate, tpm);
  g_autoptr (WardDbusOwnership) ownership = ward_ownership_interface_new (gate, keyring, tpm);
  g_autoptr (WardDbusPcrs) pcrs = ward_pcrs_interface_new (gate, tpm);
  g_autoptr (WardDbusSeal) seal = ward_seal_interface_new (gate, tpm);
  g_autoptr (WardDbusNv) nv = ward_nv_interface_new (gate, tpm);
  g_autoptr (WardDbusKeys) keys = ward_keys_interface_new (gate, keyring, tpm);
  g_autoptr (WardDbusSystemKeys) system_keys = ward_system_keys_interface_new (gate, keyring, tpm);
  WardDbusObjectSkeleton *object = ward_dbus_object_skeleton_new (path);

  ward_dbus_object_skeleton_set_tpm (object, tpm_interface);
  ward_dbus_object_skeleton_set_self_test (object, self_test);
  ward_dbus_object_skeleton_set_lockout (object, lockout);
  ward_dbus_object_skeleton_set_ownership (object, ownership);
  ward_dbus_object_skeleton_set_pcrs (object, pcrs);
  ward_dbus_object_skeleton_set_seal (object, seal);
  ward_dbus_object_skeleton_set_nv (object, nv);
  ward_dbus_object_skeleton_set_keys (object, keys);
  ward_dbus_object_skeleton_set_system_keys (object, system_keys);
  return G_DBUS_OBJECT_SKELETON (object);
}
