/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-keys-interface.h"

#include "ward-tpm-object.h"

static void
guard (WardGate *gate, gpointer skeleton, WardKeyring *keyring, WardTpm *tpm)
{
  static const WardMethod *const tables[] = { ward_keys_list_methods, ward_keys_make_methods, ward_keys_use_methods,
                                              ward_keys_change_methods };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    ward_gate_guard_keys (gate, skeleton, tables[i], tpm, keyring);
}

/* What tells of one skeleton's keys. */
typedef struct
{
  GDBusInterfaceSkeleton *skeleton;
  WardClients *clients;
} Teller;

static void
teller_free (gpointer data, GClosure *closure)
{
  Teller *teller = data;

  g_object_unref (teller->clients);
  g_free (teller);
}

/* A user's keys are not announced to others: neither that they have changed, nor that there is such a user. */
static void
on_keys_changed (WardKeyring *keyring, guint uid, Teller *teller)
{
  GDBusConnection *connection = g_dbus_interface_skeleton_get_connection (teller->skeleton);
  const char *path = g_dbus_interface_skeleton_get_object_path (teller->skeleton);
  g_autoptr (GList) clients = NULL;

  if (!connection || uid == WARD_UID_SYSTEM)
    return;
  clients = ward_clients_list_of_user (teller->clients, uid);
  for (GList *l = clients; l; l = l->next)
    g_dbus_connection_emit_signal (connection, ((WardClient *)l->data)->sender, path,
                                   g_dbus_interface_skeleton_get_info (teller->skeleton)->name, "Changed", NULL, NULL);
}

static void
on_system_keys_changed (WardKeyring *keyring, guint uid, WardDbusSystemKeys *skeleton)
{
  if (uid == WARD_UID_SYSTEM)
    ward_dbus_system_keys_emit_changed (skeleton);
}

WardDbusKeys *
ward_keys_interface_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm)
{
  WardDbusKeys *skeleton = ward_dbus_keys_skeleton_new ();
  Teller *teller = g_new (Teller, 1);
  GClosure *closure = g_cclosure_new (G_CALLBACK (on_keys_changed), teller, teller_free);

  teller->skeleton = G_DBUS_INTERFACE_SKELETON (skeleton);
  teller->clients = g_object_ref (ward_gate_get_clients (gate));
  g_object_watch_closure (G_OBJECT (skeleton), closure);
  g_signal_connect_closure (keyring, "changed", closure, FALSE);
  guard (gate, skeleton, keyring, tpm);
  return skeleton;
}

WardDbusSystemKeys *
ward_system_keys_interface_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm)
{
  WardDbusSystemKeys *skeleton = ward_dbus_system_keys_skeleton_new ();

  g_signal_connect_object (keyring, "changed", G_CALLBACK (on_system_keys_changed), skeleton, 0);
  guard (gate, skeleton, keyring, tpm);
  ward_gate_guard_keys (gate, G_DBUS_INTERFACE_SKELETON (skeleton), ward_keys_list_all_methods, tpm, keyring);
  ward_gate_guard_keys (gate, G_DBUS_INTERFACE_SKELETON (skeleton), ward_keys_persist_methods, tpm, keyring);
  return skeleton;
}
