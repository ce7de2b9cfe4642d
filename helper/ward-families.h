/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Of which families the kernel's TPMs are. root: "", or what stands for "/" in tests. */

/* The kernel's name of a TPM 1.2, the caller's; NULL if there is none. */
char *ward_families_find_tpm12 (const char *root);

/* Whether there are TPMs, and none is of family 1.2. */
gboolean ward_families_are_only_tpm2 (const char *root);
