/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The name of a TPM's manufacturer by its four-letter id in the TCG's registry, trimmed; "" when the id is not in it.
 */
const char *ward_manufacturer_get_name (const char *manufacturer);
