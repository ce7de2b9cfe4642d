/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-boot-state.h"

typedef struct
{
  char *name;
  GBytes *values[WARD_CLIENT_N_PCRS]; /* NULL for one that is not there */
} WardGuiPcrBank;

/* For the making of a state. Strings are copied. */
WardGuiBootState *ward_gui_boot_state_new (const char *tpm, const char *model, GDateTime *time);

/* Owned by the state. */
WardGuiPcrBank *ward_gui_boot_state_add_bank (WardGuiBootState *state, const char *name);
