/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Where the property stands in the specification's order; those that it does not name come last. */
guint ward_cli_tpm_property_order (const char *name);

/* What value means, in words, such as "4096 bytes": a new string, "" when there is nothing to say beyond the number. */
char *ward_cli_tpm_property_describe (const char *name, guint32 value);
