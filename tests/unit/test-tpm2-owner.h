/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "test-tpm2-fixture.h"

/* The backend's operations of ownership, with auth values as strings; NULL: none. Each asserts that it has left nothing
 * in the TPM and that ESYS has forgotten the hierarchies' auth values. */
gboolean owner_change (WardConnection *connection, WardHierarchy hierarchy, const char *old, const char *new,
                       GError **error);
gboolean owner_provision (WardConnection *connection, const char *auth, GError **error);
gboolean owner_reset (WardConnection *connection, const char *auth, GError **error);
gboolean owner_set_lockout (WardConnection *connection, guint32 max, guint32 recovery, guint32 lockout_recovery,
                            const char *auth, GError **error);
gboolean owner_clear (WardConnection *connection, const char *auth, GError **error);
gboolean owner_disable_clear (WardConnection *connection, const char *auth, GError **error);

/* Sets an auth value where there is none. */
void owner_set (WardConnection *connection, WardHierarchy hierarchy, const char *auth);
WardOwnership *owner_read (WardConnection *connection);

/* A transient key made in the owner's hierarchy, whose auth is empty; to be flushed. auth: of the key. */
ESYS_TR owner_make_key (WardConnection *connection, const TPM2B_PUBLIC *template, const char *auth);
void owner_persist (WardConnection *connection, ESYS_TR key, TPM2_HANDLE handle);

#define assert_fails(call, what)                                                                                       \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autoptr (GError) error = NULL;                                                                                   \
                                                                                                                       \
    g_assert_false (call);                                                                                             \
    g_assert_error (error, WARD_ERROR, what);                                                                          \
  }                                                                                                                    \
  G_STMT_END

#define assert_works(call)                                                                                             \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autoptr (GError) error = NULL;                                                                                   \
    gboolean call_worked = call;                                                                                       \
                                                                                                                       \
    g_assert_no_error (error);                                                                                         \
    g_assert_true (call_worked);                                                                                       \
  }                                                                                                                    \
  G_STMT_END
