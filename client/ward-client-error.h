/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "ward-error-names.h"

#define WARD_CLIENT_ERROR_ENUM(suffix, name) WARD_CLIENT_ERROR_##suffix,

/* What can go wrong for a client: first what the service answers, by its D-Bus names, then what keeps it from
 * answering. A message is a sentence for a person, without the bus's prefix: what failed, why, and what to do next. */
typedef enum
{
  WARD_ERROR_LIST (WARD_CLIENT_ERROR_ENUM)
      WARD_CLIENT_ERROR_NO_BUS,     /* no connection to the system bus, or it was lost */
  WARD_CLIENT_ERROR_NO_SERVICE,     /* the service is not installed */
  WARD_CLIENT_ERROR_SERVICE_FAILED, /* the service could not be started, or ended before it answered */
  WARD_CLIENT_ERROR_BUS_DENIED,     /* the bus's policy does not let this user talk to the service */
  WARD_CLIENT_ERROR_NO_TPM,         /* the machine has none, or none of that name */
} WardClientErrorCode;

#undef WARD_CLIENT_ERROR_ENUM

#define WARD_CLIENT_ERROR (ward_client_error_quark ())

/* The first use registers the service's error names with GDBus, for the process. */
GQuark ward_client_error_quark (void);

/* Turns an error of GDBus, of the bus or of the service into one of WARD_CLIENT_ERROR whose message can be shown to a
 * person. Takes error, which may be NULL, and returns the new one. A cancellation by the caller's own GCancellable
 * stays G_IO_ERROR_CANCELLED. */
GError *ward_client_error_take (GError *error);
