/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-cli-ledger.h"

#include "ward-cli-term.h"
#include "ward-cli-text.h"

#define DETAIL_INDENT 4
/* How many a sentence names. */
#define N_NAMED 3

typedef struct
{
  const char *recoverable;
  const char *title;
  const char *mark;
  WardCliStyle style;
} Group;

/* In the order in which they are shown. */
static const Group groups[] = {
  { "no", "Lost for good", "✗", WARD_CLI_STYLE_BAD },
  { "unknown", "Perhaps lost", "?", WARD_CLI_STYLE_WARNING },
  { "yes", "Not lost: there is another way in, or it is made again by itself", "✓", WARD_CLI_STYLE_GOOD },
};

/* An entry's group; what is not understood is perhaps lost. */
static const Group *
group_of (GVariant *dependent)
{
  const char *recoverable = "";

  g_variant_lookup (dependent, "recoverable", "&s", &recoverable);
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    if (g_str_equal (groups[i].recoverable, recoverable))
      return &groups[i];
  return &groups[1];
}

char *
ward_cli_ledger_kind (const char *kind)
{
  static const struct
  {
    const char *kind;
    const char *words;
  } kinds[] = {
    { "luks-volume", "encrypted disk" },
    { "nv-index", "NV index" },
    { "unscanned", "not searched to its end" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].kind, kind))
      return g_strdup (kinds[i].words);
  return g_strdelimit (g_strdup (kind), "-", ' ');
}

/* What stands behind the subject: what it is, whose, and whether that is sure. */
static char *
describe (GVariant *dependent)
{
  const char *kind = "", *owner = "", *confidence = "";
  g_autofree char *words = NULL;
  gboolean likely;

  g_variant_lookup (dependent, "kind", "&s", &kind);
  g_variant_lookup (dependent, "owner", "&s", &owner);
  g_variant_lookup (dependent, "confidence", "&s", &confidence);
  words = ward_cli_ledger_kind (kind);
  likely = g_str_equal (confidence, "likely") && !g_str_equal (kind, "unscanned");
  if (*owner == '\0' || g_str_equal (owner, "root"))
    return g_strdup_printf ("%s%s", likely ? "probably a " : "", words);
  return g_strdup_printf ("%s%s of %s", likely ? "probably a " : "", words, owner);
}

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
  const Group *group = group_of (dependent);
  const char *subject = "";
  g_autofree char *mark = ward_cli_styled (group->style, group->mark);
  g_autofree char *clean = NULL;
  g_autofree char *name = NULL;
  g_autofree char *words = describe (dependent);
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

static guint
count_of (GVariant *dependent)
{
  guint32 count = 1;

  g_variant_lookup (dependent, "count", "u", &count);
  return count;
}

/* group may be NULL for all. Prints too, if so asked. */
static guint
visit (GVariant *dependents, const Group *group, gboolean print)
{
  guint count = 0;

  for (gsize i = 0; i < g_variant_n_children (dependents); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);

      if (group != NULL && group != group_of (dependent))
        continue;
      count += count_of (dependent);
      if (print)
        print_dependent (dependent);
    }
  return count;
}

void
ward_cli_ledger_print (GVariant *dependents)
{
  visit (dependents, NULL, TRUE);
}

void
ward_cli_ledger_print_groups (GVariant *dependents)
{
  gboolean is_first = TRUE;

  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    {
      guint count = visit (dependents, &groups[i], FALSE);
      g_autofree char *title = g_strdup_printf ("%s (%u)", groups[i].title, count);

      if (count == 0)
        continue;
      if (!is_first)
        ward_cli_print ("\n");
      is_first = FALSE;
      ward_cli_print_paragraph (0, groups[i].style, title);
      visit (dependents, &groups[i], TRUE);
    }
}

guint
ward_cli_ledger_count (GVariant *dependents, const char *recoverable)
{
  for (gsize i = 0; recoverable != NULL && i < G_N_ELEMENTS (groups); i++)
    if (g_str_equal (groups[i].recoverable, recoverable))
      return visit (dependents, &groups[i], FALSE);
  return visit (dependents, NULL, FALSE);
}

char *
ward_cli_ledger_summary (GVariant *dependents)
{
  guint lost = ward_cli_ledger_count (dependents, "no");
  guint perhaps = ward_cli_ledger_count (dependents, "unknown");
  guint kept = ward_cli_ledger_count (dependents, "yes");
  g_autofree char *losses = NULL;

  if (lost + perhaps + kept == 0)
    return g_strdup ("nothing was found that depends on it");
  losses = lost == 0 ? g_strdup ("nothing is lost for good") : g_strdup_printf ("%u lost for good", lost);
  return g_strdup_printf ("%s, %u perhaps lost, %u not lost", losses, perhaps, kept);
}

char *
ward_cli_ledger_names (GVariant *dependents)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n = g_variant_n_children (dependents);

  for (gsize i = 0; i < MIN (n, N_NAMED); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);
      const char *subject = "";

      g_variant_lookup (dependent, "subject", "&s", &subject);
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", *subject != '\0' ? subject : "what is other users'");
    }
  if (n > N_NAMED)
    g_string_append_printf (text, " and %" G_GSIZE_FORMAT " more", n - N_NAMED);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
