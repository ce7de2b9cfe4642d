/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Which programs found on this machine depend on the TPM, by what the helper finds when it looks. */

/* Finds those that use the owner (or the endorsement) hierarchy with an empty auth, and would stop working if it had
 * one. */
void ward_ledger_find_breaking_async (GDBusConnection *connection, gboolean owner, gboolean endorsement,
                                      GAsyncReadyCallback callback, gpointer user_data);

/* An aa{sv} that the caller owns. Fails with WARD_ERROR when nobody could look. */
GVariant *ward_ledger_find_breaking_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* The same for the eyes of a user: what is other users' is counted, not named. An entry may have a “count” u of what it
 * stands for. */
GVariant *ward_ledger_for_user (GVariant *dependents, guint uid);

/* The same, sorted: what cannot be got back comes first, then what nobody knows that of. A new floating aa{sv}. */
GVariant *ward_ledger_sort (GVariant *dependents);

/* What is there in one line for a message: "/dev/sda3, /dev/sdb1 and 2 others". */
char *ward_ledger_summarize (GVariant *dependents);
