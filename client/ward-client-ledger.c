/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-config.h"

#include "ward-client-ledger.h"

#include <glib/gi18n-lib.h>

/* How many a sentence names. */
#define N_NAMED 3

static const struct
{
  const char *recoverable;
  const char *title;
} fates[WARD_CLIENT_LEDGER_N_FATES] = {
  [WARD_CLIENT_LEDGER_LOST] = { "no", N_ ("Lost for good") },
  [WARD_CLIENT_LEDGER_PERHAPS] = { "unknown", N_ ("Perhaps lost") },
  [WARD_CLIENT_LEDGER_KEPT] = { "yes", N_ ("Not lost: there is another way in, or it is made again by itself") },
};

const char *
ward_client_ledger_title (WardClientLedgerFate fate)
{
  return _ (fates[fate].title);
}

WardClientLedgerFate
ward_client_ledger_fate (GVariant *dependent)
{
  const char *recoverable = "";

  g_variant_lookup (dependent, "recoverable", "&s", &recoverable);
  for (int i = 0; i < WARD_CLIENT_LEDGER_N_FATES; i++)
    if (g_str_equal (fates[i].recoverable, recoverable))
      return (WardClientLedgerFate)i;
  return WARD_CLIENT_LEDGER_PERHAPS;
}

char *
ward_client_ledger_kind (const char *kind)
{
  static const struct
  {
    const char *kind;
    const char *words;
  } kinds[] = {
    { "luks-volume", N_ ("encrypted disk") },
    { "nv-index", N_ ("NV index") },
    { "unscanned", N_ ("not searched to its end") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].kind, kind))
      return g_strdup (_ (kinds[i].words));
  return g_strdelimit (g_strdup (kind), "-", ' ');
}

char *
ward_client_ledger_describe (GVariant *dependent)
{
  const char *kind = "", *owner = "", *confidence = "";
  g_autofree char *words = NULL;
  gboolean likely, is_roots;

  g_variant_lookup (dependent, "kind", "&s", &kind);
  g_variant_lookup (dependent, "owner", "&s", &owner);
  g_variant_lookup (dependent, "confidence", "&s", &confidence);
  words = ward_client_ledger_kind (kind);
  likely = g_str_equal (confidence, "likely") && !g_str_equal (kind, "unscanned");
  is_roots = *owner == '\0' || g_str_equal (owner, "root");
  if (is_roots)
    return likely ? g_strdup_printf (_ ("probably a %s"), words) : g_steal_pointer (&words);
  if (likely)
    return g_strdup_printf (_ ("probably a %s of %s"), words, owner);
  return g_strdup_printf (_ ("%s of %s"), words, owner);
}

guint
ward_client_ledger_weight (GVariant *dependent)
{
  guint32 count = 1;

  g_variant_lookup (dependent, "count", "u", &count);
  return count;
}

guint
ward_client_ledger_count (GVariant *dependents, WardClientLedgerFate fate)
{
  guint count = 0;

  for (gsize i = 0; i < g_variant_n_children (dependents); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);

      if (fate == WARD_CLIENT_LEDGER_N_FATES || fate == ward_client_ledger_fate (dependent))
        count += ward_client_ledger_weight (dependent);
    }
  return count;
}

char *
ward_client_ledger_summary (GVariant *dependents)
{
  guint lost = ward_client_ledger_count (dependents, WARD_CLIENT_LEDGER_LOST);
  guint perhaps = ward_client_ledger_count (dependents, WARD_CLIENT_LEDGER_PERHAPS);
  guint kept = ward_client_ledger_count (dependents, WARD_CLIENT_LEDGER_KEPT);

  if (lost + perhaps + kept == 0)
    return g_strdup (_ ("nothing was found that depends on it"));
  if (lost == 0)
    return g_strdup_printf (_ ("nothing is lost for good, %u perhaps lost, %u not lost"), perhaps, kept);
  return g_strdup_printf (_ ("%u lost for good, %u perhaps lost, %u not lost"), lost, perhaps, kept);
}

char *
ward_client_ledger_names (GVariant *dependents)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gsize n = g_variant_n_children (dependents);

  for (gsize i = 0; i < MIN (n, N_NAMED); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);
      const char *subject = "";

      g_variant_lookup (dependent, "subject", "&s", &subject);
      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", *subject != '\0' ? subject : _ ("what is other users'"));
    }
  if (n > N_NAMED)
    return g_strdup_printf (_ ("%s and %u more"), text->str, (guint)(n - N_NAMED));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

GVariant *
ward_client_ledger_select_breaking (GVariant *dependents, gboolean owner, gboolean endorsement)
{
  GVariantBuilder chosen;

  g_variant_builder_init (&chosen, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < g_variant_n_children (dependents); i++)
    {
      g_autoptr (GVariant) dependent = g_variant_get_child_value (dependents, i);
      gboolean uses_owner = FALSE, uses_endorsement = FALSE;

      g_variant_lookup (dependent, "uses-owner-empty-auth", "b", &uses_owner);
      g_variant_lookup (dependent, "uses-endorsement-empty-auth", "b", &uses_endorsement);
      /* neither: a place that could not be searched, or other users' things, which are only counted */
      if ((!uses_owner && !uses_endorsement) || (owner && uses_owner) || (endorsement && uses_endorsement))
        g_variant_builder_add_value (&chosen, dependent);
    }
  return g_variant_ref_sink (g_variant_builder_end (&chosen));
}
