/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-term.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ward-cli-text.h"

#define DEFAULT_WIDTH 80
/* A value column narrower than this is not worth wrapping in. */
#define MIN_COLUMN 16
#define GAP 2

static int
get_width (int fd)
{
  struct winsize size = { 0 };

  if (!isatty (fd))
    return 0;
  if (ioctl (fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return DEFAULT_WIDTH;
  return size.ws_col;
}

int
ward_cli_term_get_width (void)
{
  return get_width (STDOUT_FILENO);
}

int
ward_cli_term_get_error_width (void)
{
  return get_width (STDERR_FILENO);
}

static gboolean
has_colour (void)
{
  const char *no_color = g_getenv ("NO_COLOR");
  const char *term = g_getenv ("TERM");

  if (no_color != NULL && *no_color != '\0')
    return FALSE;
  if (term == NULL || *term == '\0' || g_str_equal (term, "dumb"))
    return FALSE;
  return isatty (STDOUT_FILENO);
}

static void
put (FILE *stream, const char *text)
{
  g_autofree char *ascii = NULL;

  if (g_get_charset (NULL))
    {
      fputs (text, stream);
      return;
    }
  ascii = ward_cli_text_to_ascii (text);
  fputs (ascii, stream);
}

void
ward_cli_print (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  put (stdout, text);
}

void
ward_cli_print_error (const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *clean = NULL;
  g_auto (GStrv) lines = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);

  clean = ward_cli_text_clean (text);
  lines = ward_cli_text_wrap (clean, get_width (STDERR_FILENO));
  for (guint i = 0; lines[i] != NULL; i++)
    {
      put (stderr, lines[i]);
      put (stderr, "\n");
    }
}

char *
ward_cli_styled (WardCliStyle style, const char *text)
{
  static const char *const escapes[] = {
    [WARD_CLI_STYLE_PLAIN] = "",        [WARD_CLI_STYLE_BOLD] = "\033[1m",     [WARD_CLI_STYLE_DIM] = "\033[2m",
    [WARD_CLI_STYLE_GOOD] = "\033[32m", [WARD_CLI_STYLE_WARNING] = "\033[33m", [WARD_CLI_STYLE_BAD] = "\033[1;31m",
  };

  if (style == WARD_CLI_STYLE_PLAIN || *text == '\0' || !has_colour ())
    return g_strdup (text);
  return g_strconcat (escapes[style], text, "\033[0m", NULL);
}

/* Prints lines one under the other, the first one where the cursor is and the others after indent columns. */
static void
print_lines (GStrv lines, int indent, WardCliStyle style)
{
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *styled = ward_cli_styled (style, lines[i]);

      ward_cli_print ("%*s%s\n", i > 0 ? indent : 0, "", styled);
    }
}

/* How many columns are left for text that starts after indent; 0 for as many as it needs. */
static int
room_after (int indent)
{
  int width = ward_cli_term_get_width ();

  return width == 0 ? 0 : MAX (width - indent, MIN_COLUMN);
}

void
ward_cli_print_paragraph (int indent, WardCliStyle style, const char *text)
{
  g_autofree char *clean = ward_cli_text_clean (text);
  g_auto (GStrv) lines = ward_cli_text_wrap (clean, room_after (indent));

  ward_cli_print ("%*s", indent, "");
  print_lines (lines, indent, style);
}

void
ward_cli_print_success (const char *text)
{
  g_autofree char *mark = ward_cli_styled (WARD_CLI_STYLE_GOOD, "✓");
  g_autofree char *clean = ward_cli_text_clean (text);
  g_auto (GStrv) lines = ward_cli_text_wrap (clean, room_after (GAP));

  ward_cli_print ("%s ", mark);
  print_lines (lines, GAP, WARD_CLI_STYLE_PLAIN);
}

void
ward_cli_print_field (const char *label, WardCliStyle style, const char *value)
{
  g_autofree char *clean = ward_cli_text_clean (value);
  g_auto (GStrv) lines = ward_cli_text_wrap (clean, room_after (WARD_CLI_FIELD_INDENT));
  g_autofree char *padded = g_strdup_printf ("%-*s", WARD_CLI_FIELD_INDENT - GAP, label);
  g_autofree char *styled = ward_cli_styled (WARD_CLI_STYLE_DIM, padded);

  ward_cli_print ("%*s%s", GAP, "", styled);
  print_lines (lines, WARD_CLI_FIELD_INDENT, style);
}

typedef struct
{
  char *cells[WARD_CLI_TABLE_MAX_COLUMNS];
  WardCliStyle styles[WARD_CLI_TABLE_MAX_COLUMNS];
} Row;

struct _WardCliTable
{
  guint n_columns;
  int widths[WARD_CLI_TABLE_MAX_COLUMNS];
  GArray *rows;
};

static void
row_clear (gpointer data)
{
  Row *row = data;

  for (guint i = 0; i < G_N_ELEMENTS (row->cells); i++)
    g_free (row->cells[i]);
}

WardCliTable *
ward_cli_table_new (guint n_columns)
{
  WardCliTable *table = g_new0 (WardCliTable, 1);

  g_assert (n_columns > 0 && n_columns <= WARD_CLI_TABLE_MAX_COLUMNS);
  table->n_columns = n_columns;
  table->rows = g_array_new (FALSE, TRUE, sizeof (Row));
  g_array_set_clear_func (table->rows, row_clear);
  return table;
}

void
ward_cli_table_free (WardCliTable *table)
{
  g_array_unref (table->rows);
  g_free (table);
}

void
ward_cli_table_add (WardCliTable *table, const char *const *cells, const WardCliStyle *styles)
{
  Row row = { 0 };

  for (guint i = 0; i < table->n_columns; i++)
    {
      row.cells[i] = ward_cli_text_clean (cells[i]);
      row.styles[i] = styles != NULL ? styles[i] : WARD_CLI_STYLE_PLAIN;
      table->widths[i] = MAX (table->widths[i], ward_cli_text_width (row.cells[i]));
    }
  g_array_append_val (table->rows, row);
}

static void
print_row (WardCliTable *table, Row *row)
{
  guint last = table->n_columns - 1;
  g_auto (GStrv) lines = NULL;
  int indent = 0;

  for (guint i = 0; i < last; i++)
    {
      g_autofree char *styled = ward_cli_styled (row->styles[i], row->cells[i]);
      int padding = table->widths[i] - ward_cli_text_width (row->cells[i]) + GAP;

      /* No spaces are left at the end of a line. */
      if (row->cells[last][0] == '\0' && i + 1 == last)
        padding = 0;
      ward_cli_print ("%s%*s", styled, padding, "");
      indent += table->widths[i] + GAP;
    }
  lines = ward_cli_text_wrap (row->cells[last], room_after (indent));
  print_lines (lines, indent, row->styles[last]);
}

void
ward_cli_table_fit (WardCliTable *table)
{
  int width = ward_cli_term_get_width ();
  int needed = 0;
  guint n = 0;

  while (n < table->n_columns && (n == 0 || width == 0 || needed + table->widths[n] <= width))
    needed += table->widths[n++] + GAP;
  table->n_columns = n;
}

void
ward_cli_table_print (WardCliTable *table)
{
  for (guint i = 0; i < table->rows->len; i++)
    print_row (table, &g_array_index (table->rows, Row, i));
}
