/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-client.h"

#define WARD_GUI_TYPE_FINDING (ward_gui_finding_get_type ())

/* One finding of the doctor's; it does not change. */
G_DECLARE_FINAL_TYPE (WardGuiFinding, ward_gui_finding, WARD_GUI, FINDING, GObject)

/* description: a{sv}, as by Diagnose. */
WardGuiFinding *ward_gui_finding_new (GVariant *description);

/* An entry of the description's, such as "title"; "" where it lacks it. Owned by the finding. */
const char *ward_gui_finding_get (WardGuiFinding *finding, const char *key);

gboolean ward_gui_finding_is_repairable (WardGuiFinding *finding);

/* Whether something is wrong: an error or a warning, or what this program does not know. */
gboolean ward_gui_finding_is_bad (WardGuiFinding *finding);

#define WARD_GUI_TYPE_FINDINGS (ward_gui_findings_get_type ())

/* What the doctor has found: a list model of WardGuiFinding, worst first. It also serves a machine without a TPM.
 *
 * Signal "loaded": they have been read, or could not be; then there is an error. */
G_DECLARE_FINAL_TYPE (WardGuiFindings, ward_gui_findings, WARD_GUI, FINDINGS, GObject)

WardGuiFindings *ward_gui_findings_new (WardClient *client);

/* Has the doctor look again. all: with what only an administrator may see, which may ask for a password; when that does
 * not succeed, what is there stays. Where it is being read already, that reading is dropped. */
void ward_gui_findings_load (WardGuiFindings *findings, gboolean all);

/* The same as far as was looked last, without asking for a password: where one is needed by now, as anybody may see. */
void ward_gui_findings_reload (WardGuiFindings *findings);

/* While it is following, it does that by itself a moment after something has changed that the doctor has to say
 * something about. Not before it is told to. */
void ward_gui_findings_set_following (WardGuiFindings *findings, gboolean is_following);

/* Whether there are any to show, if only none that is bad: not before the first reading, nor when the last one failed.
 */
gboolean ward_gui_findings_is_loaded (WardGuiFindings *findings);

/* Of the last reading; NULL if it went well. Owned by the findings. */
const GError *ward_gui_findings_get_error (WardGuiFindings *findings);

/* As Diagnose gave them, aa{sv}; NULL unless they are loaded. Owned by the findings. */
GVariant *ward_gui_findings_get_variant (WardGuiFindings *findings);

/* “2 problems, 1 warning”, and with_notes “, 1 note”; NULL where there is nothing of these. Only when they are loaded.
 * A new string. */
char *ward_gui_findings_dup_counts (WardGuiFindings *findings, gboolean with_notes);

WardClient *ward_gui_findings_get_client (WardGuiFindings *findings);
