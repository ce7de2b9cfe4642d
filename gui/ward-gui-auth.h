/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ward-gui-call.h"
#include "ward-gui-chip.h"

/* A secret that a call of the chip's may need: the auth value of a key or of a hierarchy, or a TPM 1.2's owner's. */
typedef struct
{
  const char *option; /* the method's option for it, such as "auth"; NULL: nothing is to be typed, and only the guard
                         of the lockout auth may be in the way */
  const char *title;  /* “Password of the Key “ssh”” */
  const char *body;   /* what it is, and what for; NULL for nothing */
  gboolean ask_first; /* it is known to be needed: the person is asked before the first try */
  gboolean by_owner;  /* it is the owner auth, which NotOwned misses as well; of a TPM 1.2 the owner's secret, be it the
                         well-known one */
  gboolean by_srk;    /* a TPM 1.2 may want the secret of its storage root key, too: in the option “srk-auth” */
  gboolean is_lockout; /* it is the lockout auth, of which a wrong one bars the lockout hierarchy: the service's guard
                          refuses another try until it is told “force”, which the person is warned of and asked for */
} WardGuiAuth;

/* Makes the call, and asks the person for the secret when the service says that it is missing or wrong, as long as that
 * helps: the dialog says how many tries are left (in red before the last) and until when the TPM is locked. Nothing of
 * auth is kept but its strings, which are copied. Fails with WARD_CLIENT_ERROR_CANCELLED if the person gives up. */
void ward_gui_auth_call_async (WardGuiCall *call, WardGuiChip *chip, const WardGuiAuth *auth,
                               GAsyncReadyCallback callback, gpointer user_data);

/* The reply's tuple, as by ward_gui_call_start_finish(). */
GVariant *ward_gui_auth_call_finish (WardGuiCall *call, GAsyncResult *result, GError **error);

/* What is in an entry, such as an AdwPasswordEntryRow. A new reference. */
WardSecret *ward_gui_auth_dup_secret (GtkEditable *editable);
