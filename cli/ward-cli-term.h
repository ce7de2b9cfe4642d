/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

typedef enum
{
  WARD_CLI_STYLE_PLAIN,
  WARD_CLI_STYLE_BOLD,
  WARD_CLI_STYLE_DIM,
  WARD_CLI_STYLE_GOOD,
  WARD_CLI_STYLE_WARNING,
  WARD_CLI_STYLE_BAD,
} WardCliStyle;

/* Columns of the terminal that standard output is; 0 when it is none, and nothing is to be wrapped. */
int ward_cli_term_get_width (void);
/* The same of standard error. */
int ward_cli_term_get_error_width (void);

/* Prints UTF-8 text to standard output, in ASCII where the locale is not UTF-8. */
void ward_cli_print (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Prints a line of text to standard error, cleaned, and wrapped on a terminal. */
void ward_cli_print_error (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* A new copy of text with the escape sequences of style; without them where standard output is no terminal, TERM is
 * "dumb" or NO_COLOR is set. */
char *ward_cli_styled (WardCliStyle style, const char *text);

/* Prints text, wrapped, each line indented by as many columns. */
void ward_cli_print_paragraph (int indent, WardCliStyle style, const char *text);

/* Prints text, wrapped, after a mark that it went well. */
void ward_cli_print_success (const char *text);

/* Prints a label and its value side by side; a long value is wrapped in its column. */
void ward_cli_print_field (const char *label, WardCliStyle style, const char *value);

/* The column in which ward_cli_print_field() starts values. */
#define WARD_CLI_FIELD_INDENT 18

#define WARD_CLI_TABLE_MAX_COLUMNS 8

/* Rows of aligned cells. The last column is wrapped within itself. */
typedef struct _WardCliTable WardCliTable;

WardCliTable *ward_cli_table_new (guint n_columns);
void ward_cli_table_free (WardCliTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardCliTable, ward_cli_table_free)

/* cells and styles have as many elements as the table has columns; styles may be NULL for plain ones. Text is cleaned.
 */
void ward_cli_table_add (WardCliTable *table, const char *const *cells, const WardCliStyle *styles);
/* Leaves out the last columns, as far as the terminal is too narrow for them. */
void ward_cli_table_fit (WardCliTable *table);
void ward_cli_table_print (WardCliTable *table);
