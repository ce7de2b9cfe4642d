/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-ledger.h"

#include "ward-cli-term.h"
#include "ward-cli-text.h"

#define DETAIL_INDENT 4

typedef struct
{
  const char *mark;
  WardCliStyle style;
} Look;

static const Look looks[WARD_CLIENT_LEDGER_N_FATES] = {
  [WARD_CLIENT_LEDGER_LOST] = { "✗", WARD_CLI_STYLE_BAD },
  [WARD_CLIENT_LEDGER_PERHAPS] = { "?", WARD_CLI_STYLE_WARNING },
  [WARD_CLIENT_LEDGER_KEPT] = { "✓", WARD_CLI_STYLE_GOOD },
};

static void
print_paragraph_of (GVariant *dependent, const char *key, WardCliStyle style)
{
  const char *text = "";

  g_variant_lookup (dependent, key, "&s", &text);
  if (*text != '\0')
    ward_cli_print_paragraph (DETAIL_INDENT, style, text);
}

static void
print_dependent (GVariant *dependent)
{
  const Look *look = &looks[ward_client_ledger_fate (dependent)];
  const char *subject = "";
  g_autofree char *mark = ward_cli_styled (look->style, look->mark);
  g_autofree char *clean = NULL;
  g_autofree char *name = NULL;
  g_autofree char *words = ward_client_ledger_describe (dependent);
  g_autofree char *description = ward_cli_text_clean (words);

  g_variant_lookup (dependent, "subject", "&s", &subject);
  clean = ward_cli_text_clean (subject);
  name = ward_cli_styled (WARD_CLI_STYLE_BOLD, clean);
  if (*clean != '\0')
    ward_cli_print ("  %s %s · %s\n", mark, name, description);
  else
    ward_cli_print ("  %s %s\n", mark, description);
  print_paragraph_of (dependent, "detail", WARD_CLI_STYLE_PLAIN);
  print_paragraph_of (dependent, "reason", WARD_CLI_STYLE_DIM);
}

/* Of one fate, or with WARD_CLIENT_LEDGER_N_FATES all. */
static void
print_dependents (GVariant *dependents, WardClientLedgerFate fate)
{
  for (gsize i = 0; i < g_variant_n_children (dependents); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);

      if (fate == WARD_CLIENT_LEDGER_N_FATES || fate == ward_client_ledger_fate (dependent))
        print_dependent (dependent);
    }
}

void
ward_cli_ledger_print (GVariant *dependents)
{
  print_dependents (dependents, WARD_CLIENT_LEDGER_N_FATES);
}

void
ward_cli_ledger_print_groups (GVariant *dependents)
{
  gboolean is_first = TRUE;

  for (int i = 0; i < WARD_CLIENT_LEDGER_N_FATES; i++)
    {
      WardClientLedgerFate fate = (WardClientLedgerFate)i;
      guint count = ward_client_ledger_count (dependents, fate);
      g_autofree char *title = g_strdup_printf ("%s (%u)", ward_client_ledger_title (fate), count);

      if (count == 0)
        continue;
      if (!is_first)
        ward_cli_print ("\n");
      is_first = FALSE;
      ward_cli_print_paragraph (0, looks[i].style, title);
      print_dependents (dependents, fate);
    }
}
