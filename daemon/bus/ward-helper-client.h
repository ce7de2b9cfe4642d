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

/* Has the helper ask the firmware to clear the TPM at the next restart. tpm: the kernel's name of it, "tpm0". The
 * service has asked polkit by then. */
void ward_helper_client_request_clear_async (GDBusConnection *connection, const char *tpm, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);

/* The operation of the Physical Presence Interface that was asked for; 0 on error. Fails as
 * ward_helper_client_repair_access_finish () does. */
guint32 ward_helper_client_request_clear_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper withdraw such a request. */
void ward_helper_client_withdraw_clear_async (GDBusConnection *connection, const char *tpm, GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);

/* Fails as ward_helper_client_repair_access_finish () does. */
gboolean ward_helper_client_withdraw_clear_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper look which processes have a TPM open, and what the journal has about TPMs. */
void ward_helper_client_inspect_async (GDBusConnection *connection, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);

/* An (aa{sv}as), the caller's: holders and lines of the journal, as org.tpmward1.Helper.Inspect describes them. Fails
 * as ward_helper_client_repair_access_finish () does. */
GVariant *ward_helper_client_inspect_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper load the driver of a TPM that has none; with dry_run only tell what it would do. Takes some seconds if
 * no TPM comes of it. */
void ward_helper_client_load_driver_async (GDBusConnection *connection, gboolean dry_run, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);

/* A line for each action, the caller's; none if no driver is missing. Fails as
 * ward_helper_client_repair_access_finish () does. */
char **ward_helper_client_load_driver_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper stop a service ("tcsd" or "tpm2-abrmd") for good; with dry_run only tell what it would do. It takes
 * as long as the service takes to stop. */
void ward_helper_client_disable_service_async (GDBusConnection *connection, const char *service, gboolean dry_run,
                                               GCancellable *cancellable, GAsyncReadyCallback callback,
                                               gpointer user_data);

/* A line for each action, the caller's; none if it neither runs nor would. Fails as
 * ward_helper_client_repair_access_finish () does. */
char **ward_helper_client_disable_service_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper put right what in /etc/tcsd.conf keeps tcsd from starting; with dry_run only tell what it would do. */
void ward_helper_client_repair_tcsd_config_async (GDBusConnection *connection, gboolean dry_run,
                                                  GAsyncReadyCallback callback, gpointer user_data);

/* Has the helper take out of it what has tcsd listen to other machines, and tcsd restarted; with dry_run only tell. */
void ward_helper_client_close_tcsd_async (GDBusConnection *connection, gboolean dry_run, GAsyncReadyCallback callback,
                                          gpointer user_data);

/* Of both: a line for each action, the caller's. Fails as ward_helper_client_repair_access_finish () does. */
char **ward_helper_client_tcsd_config_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper start tcsd; it takes as long as tcsd takes. */
void ward_helper_client_start_tcsd_async (GDBusConnection *connection, GAsyncReadyCallback callback,
                                          gpointer user_data);

/* Which start of it that was, the caller's; "" if it ran already. Fails as ward_helper_client_repair_access_finish ()
 * does. */
char *ward_helper_client_start_tcsd_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);

/* Has the helper stop tcsd if nobody has started it since that. */
void ward_helper_client_stop_tcsd_async (GDBusConnection *connection, const char *invocation,
                                         GAsyncReadyCallback callback, gpointer user_data);

/* Fails as ward_helper_client_repair_access_finish () does. */
gboolean ward_helper_client_stop_tcsd_finish (GDBusConnection *connection, GAsyncResult *result, GError **error);
