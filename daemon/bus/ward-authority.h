/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What polkit says. */
typedef enum
{
  WARD_VERDICT_YES,
  WARD_VERDICT_NO,        /* also after a wrong password */
  WARD_VERDICT_CHALLENGE, /* a password is needed; after an interactive check: and nobody can ask for it */
  WARD_VERDICT_DISMISSED, /* the password dialog was dismissed */
} WardVerdict;

/* Asks polkit. Lives on the main thread and never blocks it. polkit is spoken to by its D-Bus interface rather than
 * through libpolkit-gobject, whose PolkitAuthority stays broken for the process once polkitd could not be started,
 * makes a thread for its set-up, and waits without limit for a polkitd that hangs. */
#define WARD_TYPE_AUTHORITY (ward_authority_get_type ())
G_DECLARE_FINAL_TYPE (WardAuthority, ward_authority, WARD, AUTHORITY, GObject)

WardAuthority *ward_authority_new (GDBusConnection *connection);

/* Whether polkit has said a plain yes to just this not long ago. Only actions that programs use many times a second are
 * remembered. */
gboolean ward_authority_remembers (WardAuthority *authority, const char *sender, const char *action, GVariant *details);

/* Checks whether sender, a connection of that uid's, may do action; details: an a{ss}. The bus lets us have so many
 * questions open and no more: beyond, checks wait, and users and their connections take turns. interactive: a password
 * dialog may be opened, for as long as it takes; without, polkit has 10 s to answer. Cancelling closes the dialog.
 * Errors: WARD_ERROR_NOT_AUTHORIZED when polkit gives no answer, and G_IO_ERROR_CANCELLED. */
void ward_authority_check_async (WardAuthority *authority, guint uid, const char *sender, const char *action,
                                 GVariant *details, gboolean interactive, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data);
gboolean ward_authority_check_finish (WardAuthority *authority, GAsyncResult *result, WardVerdict *verdict,
                                      GError **error);

/* Forgets what was remembered for a client that has left the bus. */
void ward_authority_forget (WardAuthority *authority, const char *sender);
