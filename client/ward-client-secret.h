/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "ward-secret.h"

/* The longest auth value that the service takes, in bytes. */
#define WARD_CLIENT_AUTH_MAX (64 * 1024)

/* Reads fd to its end: these bytes are the secret, also a line's end after it. fd stays open. A new reference, or NULL
 * with WARD_CLIENT_ERROR_INVALID_ARGUMENT for more than WARD_CLIENT_AUTH_MAX bytes, or WARD_CLIENT_ERROR_FAILED. */
WardSecret *ward_client_secret_read (int fd, GError **error);

/* A new memfd with the secret, sealed so that it can never change any more, as the service demands it; -1 with
 * WARD_CLIENT_ERROR_FAILED. */
int ward_client_secret_to_memfd (WardSecret *secret, GError **error);

/* Adds an option that is a secret to a call's dictionary of options, as a descriptor that is appended to fds. */
gboolean ward_client_secret_add (WardSecret *secret, const char *option, GVariantDict *options, GUnixFDList *fds,
                                 GError **error);
