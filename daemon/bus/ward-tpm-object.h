/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-dbus.h"
#include "ward-gate.h"
#include "ward-keyring.h"

#define WARD_ROOT_PATH "/org/tpmward1"
#define WARD_MANAGER_PATH WARD_ROOT_PATH "/Manager"

/* The object path of a TPM; freed by the caller. */
char *ward_tpm_object_path (WardTpm *tpm);

/* The D-Bus object of a TPM with all its interfaces, each guarded by the gate, and properties that follow the TPM. */
GDBusObjectSkeleton *ward_tpm_object_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm);

/* The interfaces, one file each. They are in front of an object that is not exported yet. */
WardDbusTpm *ward_tpm_interface_new (WardGate *gate, WardTpm *tpm);
WardDbusLockout *ward_lockout_interface_new (WardGate *gate, WardTpm *tpm);
WardDbusOwnership *ward_ownership_interface_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm);
WardDbusSelfTest *ward_self_test_interface_new (WardGate *gate, WardTpm *tpm);
WardDbusPcrs *ward_pcrs_interface_new (WardGate *gate, WardTpm *tpm);
WardDbusSeal *ward_seal_interface_new (WardGate *gate, WardTpm *tpm);
WardDbusNv *ward_nv_interface_new (WardGate *gate, WardTpm *tpm);
WardDbusKeys *ward_keys_interface_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm);
WardDbusSystemKeys *ward_system_keys_interface_new (WardGate *gate, WardKeyring *keyring, WardTpm *tpm);

/* Those methods of the interface Ownership that are about a clear; ends with a row without a name. */
extern const WardMethod ward_clear_methods[];
