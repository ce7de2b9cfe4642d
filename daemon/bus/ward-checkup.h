/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-doctor.h"
#include "ward-inventory.h"
#include "ward-keyring.h"

/* Gathers what the doctor looks at: from the file system, from tpmward-helper, from systemd, from the keyring and from
 * the TPMs, each allowed to fail. Those who ask at a time share what was gathered once, and so do those who ask all the
 * time, so that many of them cost little more than one. Lives on the main thread. */
#define WARD_TYPE_CHECKUP (ward_checkup_get_type ())
G_DECLARE_FINAL_TYPE (WardCheckup, ward_checkup, WARD, CHECKUP, GObject)

WardCheckup *ward_checkup_new (WardInventory *inventory, WardKeyring *keyring);

WardInventory *ward_checkup_get_inventory (WardCheckup *checkup);

/* fresh: nothing that was gathered before now will do, however often it is asked for. It takes some seconds at most. */
void ward_checkup_gather_async (WardCheckup *checkup, GDBusConnection *connection, gboolean fresh,
                                GAsyncReadyCallback callback, gpointer user_data);
/* Never fails; freed by ward_doctor_facts_unref (). */
WardDoctorFacts *ward_checkup_gather_finish (WardCheckup *checkup, GAsyncResult *result);

/* What was gathered is no longer so. */
void ward_checkup_forget (WardCheckup *checkup);

/* What the doctor finds in the facts, and in the TPMs as they are now: of WardFinding. */
GPtrArray *ward_checkup_examine (WardCheckup *checkup, const WardDoctorFacts *facts, const WardDoctorViewer *viewer);

/* Has all TPMs read again; func (data) is called when they have been, or after some seconds. */
void ward_checkup_refresh (WardCheckup *checkup, void (*func) (gpointer data), gpointer data);
