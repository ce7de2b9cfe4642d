/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The attributes of NV indices in plain words: TPM 2.0 Library, Part 2, 13.4 (TPMA_NV); those that TPM 1.2 has are the
 * same by other names (TPM Main, Part 2, 19.2). */

/* What the attribute says, translated; of one that is not known, its name. */
const char *ward_gui_nv_attribute_describe (const char *name);

typedef struct
{
  const char *name;  /* as tpm2-tools has it */
  const char *title; /* both to be translated */
  const char *explanation;
  gboolean is_of_tpm12; /* it has it, too */
} WardGuiNvChoice;

/* Those that a person may choose for a new index, beside who may read and write; the last one has no name. */
extern const WardGuiNvChoice ward_gui_nv_choices[];
