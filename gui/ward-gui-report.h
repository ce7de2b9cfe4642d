/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-chip.h"

/* What somebody who helps wants to know of a machine's TPM, as plain text in English: versions, the chip, its state,
 * and what the doctor has found (aa{sv}, as by Diagnose). It has no secrets. A new string. */
char *ward_gui_report_make (WardGuiChip *chip, GVariant *findings);
