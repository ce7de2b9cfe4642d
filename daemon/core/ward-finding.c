/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-finding.h"

#include <string.h>

#include "ward-advisories.h"

#define ADVISORY_PREFIX "advisory-"

/* Every finding's base, from the lowest rung of the ladder to the highest, and whether it is about one TPM. */
static const struct
{
  const char *base;
  gboolean of_tpm;
} bases[] = {
  { "no-acpi", FALSE },
  { "no-driver", FALSE },
  { "no-node", FALSE },
  { "tpm-unused", FALSE },
  { "no-tss-user", FALSE },
  { "wrong-access", FALSE },
  { "device-held", FALSE },
  { "tcsd-on-tpm2", FALSE },
  { "tcsd-missing", FALSE },
  { "tcsd-config", FALSE },
  { "tcsd-failed", FALSE },
  { "tcsd-port", FALSE },
  { "tcsd-exposed", FALSE },
  { "abrmd-in-the-way", FALSE },
  { "tpm-unreachable", TRUE },
  { "tpm-disabled", TRUE },
  { "self-test-failed", TRUE },
  { "tpm-cleared", TRUE },
  { "tpm-replaced", TRUE },
  { "tpm-updated", TRUE },
  { "clear-pending", TRUE },
  { "physical-presence-response", TRUE },
  { "lockout-reached", TRUE },
  { "lockout-near", TRUE },
  { "lockout-auth-barred", TRUE },
  { "guard-damaged", TRUE },
  { "owner-auth-set", TRUE },
  { "lockout-auth-missing", TRUE },
  { "srk-missing", TRUE },
  { "no-room-persistent", TRUE },
  { "no-room-objects", TRUE },
  { "leaked-sessions", TRUE },
  { "helper-missing", FALSE },
  { "store-damaged", FALSE },
  { "self-test-never-run", TRUE },
  { "not-owned", TRUE },
  { "all-well", FALSE },
};

static const char *const severities[] = {
  [WARD_SEVERITY_OK] = "ok",
  [WARD_SEVERITY_INFO] = "info",
  [WARD_SEVERITY_WARNING] = "warning",
  [WARD_SEVERITY_ERROR] = "error",
};

const char *
ward_severity_to_string (WardSeverity severity)
{
  return severities[severity];
}

WardFinding *
ward_finding_new (const char *base, const char *tpm, WardSeverity severity, const char *title)
{
  WardFinding *finding = g_new0 (WardFinding, 1);

  finding->id = tpm ? g_strconcat (base, "@", tpm, NULL) : g_strdup (base);
  finding->severity = severity;
  finding->title = g_strdup (title);
  finding->detail = g_strdup ("");
  finding->subject = g_strdup ("");
  finding->repair = g_strdup ("");
  return finding;
}

void
ward_finding_free (WardFinding *finding)
{
  g_free (finding->id);
  g_free (finding->title);
  g_free (finding->detail);
  g_free (finding->subject);
  g_free (finding->repair);
  g_free (finding);
}

static guint
rung_of (const char *id)
{
  gsize length = strcspn (id, "@");
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bases); i++)
    if (strlen (bases[i].base) == length && strncmp (bases[i].base, id, length) == 0)
      break;
  return i;
}

int
ward_finding_compare (gconstpointer a, gconstpointer b)
{
  const WardFinding *first = *(const WardFinding *const *)a;
  const WardFinding *second = *(const WardFinding *const *)b;
  guint first_rung = rung_of (first->id), second_rung = rung_of (second->id);

  if (first->severity != second->severity)
    return first->severity > second->severity ? -1 : 1;
  if (first_rung != second_rung)
    return first_rung < second_rung ? -1 : 1;
  return strcmp (first->id, second->id);
}

/* Letters, digits and a few signs, as bases and the names of TPMs have them. */
static gboolean
is_word (const char *text)
{
  for (const char *at = text; *at; at++)
    if (!g_ascii_isalnum (*at) && !strchr ("-_.", *at))
      return FALSE;
  return *text != '\0';
}

gboolean
ward_finding_parse_id (const char *id, char **base, char **tpm)
{
  g_auto (GStrv) parts = NULL;

  if (strlen (id) > WARD_FINDING_ID_MAX)
    return FALSE;
  parts = g_strsplit (id, "@", 3);
  if (!parts[0] || !is_word (parts[0]) || (parts[1] && (!is_word (parts[1]) || parts[2])))
    return FALSE;

  *base = g_strdup (parts[0]);
  *tpm = g_strdup (parts[1]);
  return TRUE;
}

gboolean
ward_finding_is_known (const char *base, gboolean of_tpm)
{
  if (of_tpm && g_str_has_prefix (base, ADVISORY_PREFIX))
    return ward_advisories_knows (base + strlen (ADVISORY_PREFIX));
  for (guint i = 0; i < G_N_ELEMENTS (bases); i++)
    if (g_str_equal (bases[i].base, base))
      return bases[i].of_tpm == of_tpm;
  return FALSE;
}
