/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What Tpm.GetProperties gives: a{sv}, by TCG name. */

/* The names, in the specification's order, those that it does not know last: a new array of strings of properties'. */
GPtrArray *ward_client_tpm_properties_sort (GVariant *properties);

/* One of them as a number, such as "0x00001000", and as what that means: new strings. What is no number is only in the
 * second. */
void ward_client_tpm_properties_format (GVariant *properties, const char *name, char **hex, char **text);

/* Where the property stands in the specification's order; those that it does not name come last. */
guint ward_client_tpm_property_order (const char *name);

/* What value means, in words, such as "4096 bytes": a new string, "" when there is nothing to say beyond the number. */
char *ward_client_tpm_property_describe (const char *name, guint32 value);
