/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "ward-secret.h"

/* Auth values that are made here. */

/* Letters and digits that are not taken for each other, also in handwriting, and are where they are on most keyboards.
 */
#define WARD_CLIENT_GENERATE_ALPHABET "23456789abcdefghjkmnpqrtvwx"

/* Groups of letters, with dashes between them, which are part of the value: 133 bits of the system's randomness. */
#define WARD_CLIENT_GENERATE_N_GROUPS 4
#define WARD_CLIENT_GENERATE_GROUP_SIZE 7
#define WARD_CLIENT_GENERATE_SIZE (WARD_CLIENT_GENERATE_N_GROUPS * (WARD_CLIENT_GENERATE_GROUP_SIZE + 1) - 1)

/* A new auth value of WARD_CLIENT_GENERATE_SIZE bytes. NULL with WARD_CLIENT_ERROR_FAILED. */
WardSecret *ward_client_generate (GError **error);
