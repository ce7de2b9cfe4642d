/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-gui-text.h"

char *
ward_gui_text_capitalize (const char *text)
{
  g_autoptr (GString) capitalized = g_string_new (NULL);

  if (*text == '\0')
    return g_strdup ("");
  g_string_append_unichar (capitalized, g_unichar_totitle (g_utf8_get_char (text)));
  g_string_append (capitalized, g_utf8_next_char (text));
  return g_string_free (g_steal_pointer (&capitalized), FALSE);
}
