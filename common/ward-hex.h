/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Lower-case hexadecimal digits, a new string; after every group bytes a space, 0 for none. */
char *ward_hex (const guint8 *bytes, gsize size, gsize group);
