/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "ward-secret.h"

/* A new descriptor for a secret result of the service's, which is the caller's to close; -1 with
 * WARD_CLIENT_ERROR_FAILED. */
int ward_client_output_new (GError **error);

/* Adds it to a call's dictionary of options, as “output”; the service gets another descriptor of the same file. */
gboolean ward_client_output_add (int fd, GVariantDict *options, GUnixFDList *fds, GError **error);

/* What the service wrote, after the reply. A new reference, or NULL with WARD_CLIENT_ERROR_FAILED. */
WardSecret *ward_client_output_read (int fd, GError **error);
