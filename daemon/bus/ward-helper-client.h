/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* Whether the machine has a node of a TPM in /dev, so that there is something whose access to repair at the start. */
gboolean ward_helper_client_has_devices (void);

/* Has tpmward-helper, which D-Bus starts, give the nodes of TPMs and /var/lib/tpm the owners and modes that they need;
 * with dry_run only tell what it would do. Neither waits for a TPM nor for a person. Needs the rights of user tpmward
 * on the bus. */
void ward_helper_client_repair_access_async (GDBusConnection *connection, gboolean dry_run, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);

/* A line for each action, owned by the caller; none if all was right. Lines that begin with "left alone: " tell of what
 * could not be repaired. Fails with an error of WARD_ERROR: NOT_SUPPORTED if there is no helper on this machine,
 * UNREACHABLE if it does not start or answer, CANCELLED, or what the helper says. */
char **ward_helper_client_repair_access_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper look for what on this machine depends on the TPM, of all users. */
void ward_helper_client_scan_dependents_async (GDBusConnection *connection, GCancellable *cancellable,
                                               GAsyncReadyCallback callback, gpointer user_data);

/* An aa{sv}, owned by the caller. Fails as ward_helper_client_repair_access_finish () does. */
GVariant *ward_helper_client_scan_dependents_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);
