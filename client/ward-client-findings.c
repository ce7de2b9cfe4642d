/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-client-findings.h"

#include "ward-config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

const char *
ward_client_finding_get (GVariant *finding, const char *key)
{
  const char *value = "";

  g_variant_lookup (finding, key, "&s", &value);
  return value;
}

gboolean
ward_client_finding_concerns (GVariant *finding, const char *tpm_name)
{
  const char *at = strrchr (ward_client_finding_get (finding, "id"), '@');

  return tpm_name == NULL || at == NULL || g_str_equal (at + 1, tpm_name);
}

GVariant *
ward_client_findings_select (GVariant *findings, const char *tpm_name, gboolean repairable)
{
  GVariantBuilder chosen;

  g_variant_builder_init (&chosen, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; i < g_variant_n_children (findings); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (findings, i);

      if (ward_client_finding_concerns (finding, tpm_name)
          && (!repairable || *ward_client_finding_get (finding, "repair") != '\0'))
        g_variant_builder_add_value (&chosen, finding);
    }
  return g_variant_ref_sink (g_variant_builder_end (&chosen));
}

guint
ward_client_findings_count (GVariant *findings, const char *severity)
{
  guint count = 0;

  for (gsize i = 0; i < g_variant_n_children (findings); i++)
    {
      g_autoptr (GVariant) finding = g_variant_get_child_value (findings, i);

      count += g_str_equal (ward_client_finding_get (finding, "severity"), severity) ? 1 : 0;
    }
  return count;
}

char *
ward_client_findings_summary (GVariant *findings)
{
  guint n_errors = ward_client_findings_count (findings, "error");
  guint n_warnings = ward_client_findings_count (findings, "warning");
  g_autofree char *errors = g_strdup_printf (ngettext ("%u error", "%u errors", n_errors), n_errors);
  g_autofree char *warnings = g_strdup_printf (ngettext ("%u warning", "%u warnings", n_warnings), n_warnings);

  if (n_errors == 0 && n_warnings == 0)
    return NULL;
  if (n_errors > 0 && n_warnings > 0)
    /* Translators: errors, and warnings, such as “2 errors, 1 warning” */
    return g_strdup_printf (_ ("%s, %s"), errors, warnings);
  return g_strdup (n_errors > 0 ? errors : warnings);
}
