/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-config-file.h"
#include "ward-tpm.h"

/* All TPMs of this machine: those that the administrator named, and those that the kernel drives, as they come and go.
 * Lives on the main thread. Signals: "added" and "removed", each with the WardTpm. */
#define WARD_TYPE_INVENTORY (ward_inventory_get_type ())
G_DECLARE_FINAL_TYPE (WardInventory, ward_inventory, WARD, INVENTORY, GObject)

/* backends: NULL-terminated, one for each family that this build speaks to; static. state_dir: where records of TPMs
 * are kept. */
WardInventory *ward_inventory_new (const WardBackend *const *backends, const char *state_dir);

/* Adds the configured TPMs and looks for the machine's own if the configuration says so. Named ones win over the
 * kernel's of the same name. */
void ward_inventory_start (WardInventory *inventory, const WardConfig *config);

/* Lets go of all TPMs; what waits for them fails. */
void ward_inventory_stop (WardInventory *inventory);

/* Of WardTpm, sorted by name; owned by the inventory. */
GPtrArray *ward_inventory_get_tpms (WardInventory *inventory);

/* Whether it looks for the machine's own TPMs. */
gboolean ward_inventory_is_discovering (WardInventory *inventory);

/* Why there is no TPM, in sentences; "" while there is one. Freed by the caller. */
char *ward_inventory_explain_absence (WardInventory *inventory);
