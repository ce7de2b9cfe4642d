/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What the doctor finds, as Diagnose gives it: aa{sv}. */

/* A finding's entry of that name; "" where it lacks it. Owned by finding. */
const char *ward_client_finding_get (GVariant *finding, const char *key);

/* Whether it is about no TPM in particular, or about the one of that name; NULL for any. */
gboolean ward_client_finding_concerns (GVariant *finding, const char *tpm_name);

/* Of findings, those that concern the TPM and, if repairable, have a repair. A new aa{sv}. */
GVariant *ward_client_findings_select (GVariant *findings, const char *tpm_name, gboolean repairable);

/* How many have that severity. */
guint ward_client_findings_count (GVariant *findings, const char *severity);

/* "2 errors, 1 warning"; NULL where there is neither. A new string. */
char *ward_client_findings_summary (GVariant *findings);
