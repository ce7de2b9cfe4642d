/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-findings.h"

#include "ward-cli-term.h"
#include "ward-client-findings.h"

#define DETAIL_INDENT 4

typedef struct
{
  const char *severity;
  const char *mark;
  const char *word; /* before the title, or "" */
  WardCliStyle style;
} Look;

static const Look *
look_of (GVariant *finding)
{
  static const Look looks[] = {
    { "error", "✗", "Error: ", WARD_CLI_STYLE_BAD },
    { "warning", "!", "Warning: ", WARD_CLI_STYLE_WARNING },
    { "info", "·", "", WARD_CLI_STYLE_PLAIN },
    { "ok", "✓", "", WARD_CLI_STYLE_GOOD },
  };
  const char *severity = ward_client_finding_get (finding, "severity");

  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    if (g_str_equal (looks[i].severity, severity))
      return &looks[i];
  return &looks[1]; /* one that this program does not know is worth a look */
}

static void
print_repair (GVariant *finding)
{
  const char *repair = ward_client_finding_get (finding, "repair");
  g_autofree char *text = g_strconcat ("Repair: ", repair, NULL);
  g_autofree char *command = g_strconcat ("tpmward repair ", ward_client_finding_get (finding, "id"), NULL);

  if (*repair == '\0')
    return;
  ward_cli_print_paragraph (DETAIL_INDENT, WARD_CLI_STYLE_GOOD, text);
  ward_cli_print_paragraph (DETAIL_INDENT + 2, WARD_CLI_STYLE_GOOD, command);
}

/* Wrapped in the column behind the mark. */
static void
print_title (GVariant *finding)
{
  const Look *look = look_of (finding);
  g_autoptr (WardCliTable) table = ward_cli_table_new (2);
  g_autofree char *title = g_strconcat (look->word, ward_client_finding_get (finding, "title"), NULL);
  const WardCliStyle styles[] = { look->style, WARD_CLI_STYLE_BOLD };
  g_autofree char *mark = g_strconcat (" ", look->mark, NULL);

  ward_cli_table_add (table, (const char *const[]){ mark, title }, styles);
  ward_cli_table_print (table);
}

void
ward_cli_finding_print (GVariant *finding)
{
  const char *detail = ward_client_finding_get (finding, "detail");
  const char *subject = ward_client_finding_get (finding, "subject");
  g_autofree char *about = g_strdup_printf ("%s%s%s", ward_client_finding_get (finding, "id"),
                                            *subject != '\0' ? " · " : "", subject);

  print_title (finding);
  if (*detail != '\0')
    ward_cli_print_paragraph (DETAIL_INDENT, WARD_CLI_STYLE_PLAIN, detail);
  ward_cli_print_paragraph (DETAIL_INDENT, WARD_CLI_STYLE_DIM, about);
  print_repair (finding);
}
