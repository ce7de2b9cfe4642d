/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-call.h"
#include "ward-tcsd.h"

/* The value of a method's org.tpmward1.Action annotation that asks polkit nothing. */
#define WARD_ACTION_PUBLIC "public"

/* The one way in for method calls. It stands at each method of each interface's skeleton, and lets a call through in
 * this order: known caller, within the limits, no stray descriptors, sound arguments, something that they are about, a
 * TPM that can do it, polkit's yes. Whatever it does not know it refuses. A call for a TPM whose tcsd does not run has
 * that started then. Lives on the main thread. */
WardGate *ward_gate_new (GDBusConnection *connection, WardClients *clients, WardTcsd *tcsd);
void ward_gate_free (WardGate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardGate, ward_gate_free)

/* Puts the gate in front of an interface, before it is exported. methods: ends with a row without a name; static. tpm:
 * whose interface it is, or NULL. The gate must outlive the skeleton's last call. */
void ward_gate_guard (WardGate *gate, GDBusInterfaceSkeleton *skeleton, const WardMethod *methods, WardTpm *tpm);

/* The same in front of an interface of keys. */
void ward_gate_guard_keys (WardGate *gate, GDBusInterfaceSkeleton *skeleton, const WardMethod *methods, WardTpm *tpm,
                           WardKeyring *keyring);

/* Everybody whose calls come through. */
WardClients *ward_gate_get_clients (WardGate *gate);

/* What starts tcsd. */
WardTcsd *ward_gate_get_tcsd (WardGate *gate);

/* The call has been prepared, or cannot be: error, which is taken, or NULL. */
void ward_gate_go_on (WardCall *call, GError *error);

/* The service ends: fails the calls that have not come through the gate, and those that come from now on. Such a reply
 * may need the main context to run once more. */
void ward_gate_close (WardGate *gate);

/* Withdraws the client's call of that serial unless the TPM has started on it. FALSE when there is no such call. */
gboolean ward_gate_withdraw (WardGate *gate, WardClient *client, guint32 serial);
