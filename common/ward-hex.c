/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-hex.h"

char *
ward_hex (const guint8 *bytes, gsize size, gsize group)
{
  GString *hex = g_string_sized_new (2 * size + (group > 0 ? size / group : 0) + 1);

  for (gsize i = 0; i < size; i++)
    {
      if (group > 0 && i > 0 && i % group == 0)
        g_string_append_c (hex, ' ');
      g_string_append_printf (hex, "%02x", bytes[i]);
    }
  return g_string_free (hex, FALSE);
}
