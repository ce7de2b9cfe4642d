/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "test-tpm2-owner.h"

#define INDEX 0x01800042u
#define OTHER 0x01800043u
/* What the TCG keeps for an endorsement key's certificate. */
#define RESERVED 0x01c00002u

#define AUTH "an-auth-value-of-an-nv-index"
#define OWNER_AUTH "an-auth-value-of-the-owner"
/* Longer than what a TPM reads or writes at once. */
#define LONG 1500

/* The backend's operations on NV indices, with auth values as strings; NULL: none. Each asserts that it has left
 * nothing in the TPM. An access is prepared first, as its caller does. */
gboolean nv_define (WardConnection *connection, WardNvTemplate template, const char *auth, const char *owner_auth,
                    GError **error);
gboolean nv_undefine (WardConnection *connection, guint32 index, const char *owner_auth, gboolean force,
                      GError **error);
WardSecret *nv_read (WardConnection *connection, WardNvAccess access, const char *auth, GError **error);
gboolean nv_write (WardConnection *connection, WardNvAccess access, WardSecret *data, const char *auth, GError **error);

/* As it is listed; NULL when it is not. */
WardNvIndex *nv_find (WardConnection *connection, guint32 number);

/* Bytes of which no eight are like another eight. */
WardSecret *nv_data_new (gsize size);

/* expected: all of the index. offset: of what is read. */
void nv_assert_reads (WardConnection *connection, WardNvAccess access, const char *auth, WardSecret *expected,
                      gsize offset);
void nv_assert_refuses_read (WardConnection *connection, WardNvAccess access, const char *auth, int code,
                             const char *word);
void nv_assert_refuses_write (WardConnection *connection, WardNvAccess access, WardSecret *data, int code,
                              const char *word);
