/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-client-pcr.h"
#include "ward-gui-chip.h"

#define WARD_GUI_TYPE_BOOT_STATE (ward_gui_boot_state_get_type ())

/* The values of all PCRs at a moment: read from a TPM, or from a file. Does not change. */
G_DECLARE_FINAL_TYPE (WardGuiBootState, ward_gui_boot_state, WARD_GUI, BOOT_STATE, GObject)

/* Reads all banks of the chip. */
void ward_gui_boot_state_read_async (WardGuiChip *chip, GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data);
/* A new reference, or NULL with an error of WARD_CLIENT_ERROR. */
WardGuiBootState *ward_gui_boot_state_read_finish (GAsyncResult *result, GError **error);

/* No saved state is larger, in bytes. */
#define WARD_GUI_BOOT_STATE_MAX_SIZE (64 * 1024)

/* A file that keeps a state is a key file in UTF-8:
 *
 *   [Boot State]
 *   Format=1
 *   TPM=tpm0                             its name, and
 *   Model=Infineon SLB9670               its maker and model
 *   Saved=2026-11-23T09:30:00Z           when it was read, in UTC
 *   Values=48                            how many values follow, so that a file that was cut is told
 *
 *   [sha256]                             a bank, by the hash's name, with its registers in hexadecimal digits
 *   0=3d458cfe55cc03ea1f443f1562beec8df51c75e14a9fcf9a7234a13f198e7969
 */
GBytes *ward_gui_boot_state_to_file (WardGuiBootState *state);

/* A new reference, or NULL with WARD_CLIENT_ERROR_CORRUPT for what is no such file, or damaged. */
WardGuiBootState *ward_gui_boot_state_from_file (gconstpointer data, gsize size, GError **error);

/* The following are owned by the state. */
const char *ward_gui_boot_state_get_tpm (WardGuiBootState *state);
const char *ward_gui_boot_state_get_model (WardGuiBootState *state);

/* When it was read. */
GDateTime *ward_gui_boot_state_get_time (WardGuiBootState *state);

/* The banks' names, in the TPM's order; ends in NULL. */
const char *const *ward_gui_boot_state_get_banks (WardGuiBootState *state);

/* NULL if the bank or the register is not there. */
GBytes *ward_gui_boot_state_get_value (WardGuiBootState *state, const char *bank, guint32 index);

/* All values as tpm2_pcrread prints them; a new string. */
char *ward_gui_boot_state_to_text (WardGuiBootState *state);

/* What both have, compared bank by bank. */
typedef struct
{
  guint32 changed; /* a mask: bit i is set where PCR i has another value in any bank */
  guint32 same;    /* the same for those that have the same value in all banks */
} WardGuiBootDifference;

/* FALSE, with WARD_CLIENT_ERROR_NOT_SUPPORTED, if the two have no register of any bank in common. */
gboolean ward_gui_boot_state_compare (WardGuiBootState *before, WardGuiBootState *after,
                                      WardGuiBootDifference *difference, GError **error);
