/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-act.h"

/* Has acts done on other threads: those that share a turn one after the other in the order in which they are asked for,
 * others at the same time. What an act that is remembered returned is given to those who waited meanwhile, too. For the
 * main thread. */
typedef struct _WardTurns WardTurns;

WardTurns *ward_turns_new (void);

/* Not while something is under way. */
void ward_turns_free (WardTurns *turns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WardTurns, ward_turns_free)

void ward_turns_take_async (WardTurns *turns, const WardAct *act, GVariant *parameters, GAsyncReadyCallback callback,
                            gpointer user_data);

/* What the act returned, the caller's. Fails as the act does. */
GVariant *ward_turns_take_finish (GAsyncResult *result, GError **error);
