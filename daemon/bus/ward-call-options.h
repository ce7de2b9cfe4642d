/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-call.h"
#include "ward-options.h"

/* What methods that take or give secrets have in common. */

/* WARD_ERROR_INVALID_ARGUMENT when the option is longer than an auth value can be. */
gboolean ward_options_check_auth (WardOptions *options, const char *name, GError **error);

/* The auth value of that option; NULL when it is not given or empty. The options' own. */
WardSecret *ward_options_get_auth (WardOptions *options, const char *name);

/* Whether wrong tries at the auth value of a new object are not to be counted: “no-da”, or, where that is not given,
 * whether there is none to guess. */
gboolean ward_options_get_no_da (WardOptions *options);

/* WARD_ERROR_NOT_SUPPORTED for an option that only TPMs of the other family can make sense of. */
gboolean ward_options_check_family (WardOptions *options, WardTpm *tpm, GError **error);

/* Ends the call with the secret: as its one out argument of type ay, or by the option “output”, which is taken. */
void ward_call_return_secret (WardCall *call, WardOptions *options, WardSecret *secret);
