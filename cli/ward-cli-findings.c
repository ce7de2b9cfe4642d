/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-findings.h"

#include <string.h>

#include "ward-cli-term.h"
#include "ward-cli-text.h"

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
  const char *severity = ward_cli_finding_get (finding, "severity");

  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    if (g_str_equal (looks[i].severity, severity))
      return &looks[i];
  return &looks[1]; /* one that this program does not know is worth a look */
}

const char *
ward_cli_finding_get (GVariant *finding, const char *key)
{
  const char *value = "";

  g_variant_lookup (finding, key, "&s", &value);
  return value;
}

gboolean
ward_cli_finding_concerns (GVariant *finding, const char *tpm_name)
{
  const char *at = strrchr (ward_cli_finding_get (finding, "id"), '@');

  return tpm_name == NULL || at == NULL || g_str_equal (at + 1, tpm_name);
}

GVariant *
ward_cli_findings_select (GVariant *findings, const char *tpm_name, gboolean repairable)
{
  GVariantBuilder chosen;

  g_variant_builder_init (&chosen, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < g_variant_n_children (findings); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (findings, i);

      if (ward_cli_finding_concerns (finding, tpm_name)
          && (!repairable || *ward_cli_finding_get (finding, "repair") != '\0'))
        g_variant_builder_add_value (&chosen, finding);
    }
  return g_variant_ref_sink (g_variant_builder_end (&chosen));
}

guint
ward_cli_findings_count (GVariant *findings, const char *severity)
{
  guint count = 0;

  for (gsize i = 0; i < g_variant_n_children (findings); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (findings, i);

      count += g_str_equal (ward_cli_finding_get (finding, "severity"), severity) ? 1 : 0;
    }
  return count;
}

char *
ward_cli_findings_summary (GVariant *findings)
{
  guint errors = ward_cli_findings_count (findings, "error");
  guint warnings = ward_cli_findings_count (findings, "warning");
  g_autofree char *first = g_strdup_printf ("%u error%s", errors, errors == 1 ? "" : "s");
  g_autofree char *second = g_strdup_printf ("%u warning%s", warnings, warnings == 1 ? "" : "s");

  if (errors == 0 && warnings == 0)
    return NULL;
  if (errors > 0 && warnings > 0)
    return g_strdup_printf ("%s, %s", first, second);
  return g_strdup (errors > 0 ? first : second);
}

static void
print_repair (GVariant *finding)
{
  const char *repair = ward_cli_finding_get (finding, "repair");
  g_autofree char *text = g_strconcat ("Repair: ", repair, NULL);
  g_autofree char *command = g_strconcat ("tpmward repair ", ward_cli_finding_get (finding, "id"), NULL);

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
  g_autofree char *title = g_strconcat (look->word, ward_cli_finding_get (finding, "title"), NULL);
  const WardCliStyle styles[] = { look->style, WARD_CLI_STYLE_BOLD };
  g_autofree char *mark = g_strconcat (" ", look->mark, NULL);

  ward_cli_table_add (table, (const char *const[]){ mark, title }, styles);
  ward_cli_table_print (table);
}

void
ward_cli_finding_print (GVariant *finding)
{
  const char *detail = ward_cli_finding_get (finding, "detail");
  const char *subject = ward_cli_finding_get (finding, "subject");
  g_autofree char *about = g_strdup_printf ("%s%s%s", ward_cli_finding_get (finding, "id"),
                                            *subject != '\0' ? " · " : "", subject);

  print_title (finding);
  if (*detail != '\0')
    ward_cli_print_paragraph (DETAIL_INDENT, WARD_CLI_STYLE_PLAIN, detail);
  ward_cli_print_paragraph (DETAIL_INDENT, WARD_CLI_STYLE_DIM, about);
  print_repair (finding);
}
