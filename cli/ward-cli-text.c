/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-text.h"

#include <string.h>

static int
char_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

int
ward_cli_text_width (const char *text)
{
  int width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    width += char_width (g_utf8_get_char (p));
  return width;
}

char *
ward_cli_text_clean (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *clean = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c == '\n' || c == '\t')
        g_string_append_c (clean, ' ');
      else if (c == 0xfffd || g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT)
        g_string_append_c (clean, '?');
      else
        g_string_append_unichar (clean, c);
    }
  return g_string_free (clean, FALSE);
}

static const char *
ascii_for (gunichar c)
{
  static const struct
  {
    gunichar c;
    const char *ascii;
  } looks[] = {
    { 0x00b7, "-" },  { 0x00d7, "x" },  { 0x2013, "-" }, { 0x2018, "'" },   { 0x2019, "'" },
    { 0x201c, "\"" }, { 0x201d, "\"" }, { 0x2022, "*" }, { 0x2026, "..." }, { 0x2192, "->" },
    { 0x25cf, "*" },  { 0x2713, "+" },  { 0x2717, "x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    if (looks[i].c == c)
      return looks[i].ascii;
  return "?";
}

char *
ward_cli_text_to_ascii (const char *text)
{
  GString *ascii = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c < 0x80)
        g_string_append_c (ascii, (char)c);
      else
        g_string_append (ascii, ascii_for (c));
    }
  return g_string_free (ascii, FALSE);
}

GStrv
ward_cli_text_wrap (const char *text, int width)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_autoptr (GString) line = g_string_new (NULL);
  g_auto (GStrv) words = NULL;
  int column = 0;

  if (width <= 0)
    {
      g_strv_builder_add (lines, text);
      return g_strv_builder_end (lines);
    }

  words = g_strsplit (text, " ", -1);
  for (guint i = 0; words[i] != NULL; i++)
    {
      int word_width = ward_cli_text_width (words[i]);

      if (i > 0 && column + 1 + word_width > width)
        {
          g_strv_builder_add (lines, line->str);
          g_string_truncate (line, 0);
          column = 0;
        }
      else if (i > 0)
        {
          g_string_append_c (line, ' ');
          column++;
        }
      g_string_append (line, words[i]);
      column += word_width;
    }
  g_strv_builder_add (lines, line->str);
  return g_strv_builder_end (lines);
}

#define MAX_WORD 32

static guint
min3 (guint a, guint b, guint c)
{
  return MIN (MIN (a, b), c);
}

/* How many letters must be changed, added, dropped or swapped with their neighbour to turn a into b. */
static guint
edit_distance (const char *a, const char *b)
{
  guint d[MAX_WORD + 1][MAX_WORD + 1];
  gsize n = strlen (a), m = strlen (b);

  if (n > MAX_WORD || m > MAX_WORD)
    return G_MAXUINT;

  for (gsize i = 0; i <= n; i++)
    d[i][0] = (guint)i;
  for (gsize j = 0; j <= m; j++)
    d[0][j] = (guint)j;

  for (gsize i = 1; i <= n; i++)
    for (gsize j = 1; j <= m; j++)
      {
        guint cost = a[i - 1] == b[j - 1] ? 0 : 1;

        d[i][j] = min3 (d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost);
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          d[i][j] = MIN (d[i][j], d[i - 2][j - 2] + 1);
      }
  return d[n][m];
}

const char *
ward_cli_text_suggest (const char *word, const char *const *candidates)
{
  const char *best = NULL;
  guint best_distance = G_MAXUINT;

  for (guint i = 0; candidates[i] != NULL; i++)
    {
      guint distance = edit_distance (word, candidates[i]);
      /* As far as a third of the letters may be wrong; "sha2" still means "sha256". */
      guint limit = MAX (1, (guint)strlen (candidates[i]) / 3);
      gboolean is_start = strlen (word) >= 2 && g_str_has_prefix (candidates[i], word);

      if (is_start)
        distance = 0;
      if (distance <= limit && distance < best_distance)
        {
          best = candidates[i];
          best_distance = distance;
        }
    }
  return best;
}

char *
ward_cli_text_from_camel (const char *name, char separator)
{
  GString *text = g_string_new (NULL);

  for (const char *p = name; *p != '\0'; p++)
    {
      if (g_ascii_isupper (*p) && p != name)
        g_string_append_c (text, separator);
      g_string_append_c (text, g_ascii_tolower (*p));
    }
  return g_string_free (text, FALSE);
}
