/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* From the least to the worst. */
typedef enum
{
  WARD_SEVERITY_OK,
  WARD_SEVERITY_INFO,
  WARD_SEVERITY_WARNING,
  WARD_SEVERITY_ERROR,
} WardSeverity;

/* "ok", "info", "warning" or "error". */
const char *ward_severity_to_string (WardSeverity severity);

/* One thing that the doctor says. No string is NULL. */
typedef struct
{
  char *id; /* stays the same from one version to the next; "BASE", or "BASE@TPM" of what is about one TPM */
  WardSeverity severity;
  char *title;   /* a line */
  char *detail;  /* what it means and what to do, in sentences */
  char *subject; /* a path, unit or module, or "" */
  char *repair;  /* what Manager.Repair would do, in words; "" when there is nothing that it could */
} WardFinding;

/* tpm: NULL for what is not about one TPM. Detail, subject and repair are "" at first. */
WardFinding *ward_finding_new (const char *base, const char *tpm, WardSeverity severity, const char *title);
void ward_finding_free (WardFinding *finding);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardFinding, ward_finding_free)

/* For g_ptr_array_sort(): worst first, in the order of the ladder (which is that of their bases' table), then by TPM.
 */
int ward_finding_compare (gconstpointer a, gconstpointer b);

/* The most bytes of an id. */
#define WARD_FINDING_ID_MAX 128

/* Takes an id that somebody wrote apart. tpm is NULL where the id names none. FALSE when it is not shaped like one. */
gboolean ward_finding_parse_id (const char *id, char **base, char **tpm);

/* Whether there is a finding of that base, about one TPM or not. */
gboolean ward_finding_is_known (const char *base, gboolean of_tpm);
