/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-call.h"
#include "ward-checkup.h"

/* Manager.Repair. */

/* WARD_ERROR_INVALID_ARGUMENT for what is not shaped like a finding's id, or for a wrong option; WARD_ERROR_NOT_FOUND
 * for an id that no finding has. */
gboolean ward_repair_parse (GVariant *parameters, GUnixFDList *fds, gpointer *request, GError **error);
void ward_repair_request_free (gpointer request);

/* Tells polkit which finding and TPM it is about. */
void ward_repair_describe (gpointer request, GVariantBuilder *details);

/* Looks whether there is such a finding now, repairs it, and ends the call. */
void ward_repair_run (WardCall *call, WardCheckup *checkup);
