/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-client.h"

#define WARD_GUI_TYPE_CHIP (ward_gui_chip_get_type ())

/* One TPM for the widgets: the service's object, and one signal for all that changes of it.
 *
 * Signal "changed": properties of any of its interfaces are others; once for all that come together.
 *
 * Property "gone" (boolean): the service has it no more; calls of it fail. It does not come back: where the TPM does,
 * it is another object. */
G_DECLARE_FINAL_TYPE (WardGuiChip, ward_gui_chip, WARD_GUI, CHIP, GObject)

WardGuiChip *ward_gui_chip_new (WardClient *client, WardDbusObject *object);

/* Owned by the chip. */
WardClient *ward_gui_chip_get_client (WardGuiChip *chip);
WardDbusObject *ward_gui_chip_get_object (WardGuiChip *chip);

/* The interfaces' proxies, for properties and calls; never NULL, owned by the chip. */
WardDbusTpm *ward_gui_chip_get_tpm (WardGuiChip *chip);
WardDbusSelfTest *ward_gui_chip_get_self_test (WardGuiChip *chip);
WardDbusOwnership *ward_gui_chip_get_ownership (WardGuiChip *chip);
WardDbusLockout *ward_gui_chip_get_lockout (WardGuiChip *chip);
WardDbusKeys *ward_gui_chip_get_keys (WardGuiChip *chip);
WardDbusSystemKeys *ward_gui_chip_get_system_keys (WardGuiChip *chip);
WardDbusSeal *ward_gui_chip_get_seal (WardGuiChip *chip);
WardDbusPcrs *ward_gui_chip_get_pcrs (WardGuiChip *chip);
WardDbusNv *ward_gui_chip_get_nv (WardGuiChip *chip);

/* It is of the family that has an owner or none, and no hierarchies. */
gboolean ward_gui_chip_is_tpm12 (WardGuiChip *chip);

/* As "tpm0"; owned by the chip. */
const char *ward_gui_chip_get_name (WardGuiChip *chip);

/* The maker and the model for people, such as "Infineon SLB9670"; a new string. */
char *ward_gui_chip_dup_model (WardGuiChip *chip);

gboolean ward_gui_chip_is_gone (WardGuiChip *chip);

/* Makes chip, which may be NULL, the one that follower (an object) follows: in *followed, a reference of its own, in
 * place of the one that was there, and with changed (follower) called for its signal "changed". FALSE when it is there
 * already, and nothing was done. */
gboolean ward_gui_chip_follow (WardGuiChip **followed, WardGuiChip *chip, gpointer follower, GCallback changed);
