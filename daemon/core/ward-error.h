/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "ward-error-names.h"

#define WARD_ERROR_ENUM(suffix, name) WARD_ERROR_##suffix,

/* The one domain of errors that leave core. Each has a D-Bus name of its own (dbus/ward-error-names.h). A message is a
 * sentence for a person: what failed, why on this machine, and what to do next. */
typedef enum
{
  WARD_ERROR_LIST (WARD_ERROR_ENUM)
} WardErrorCode;

#undef WARD_ERROR_ENUM

#define WARD_ERROR (ward_error_quark ())

GQuark ward_error_quark (void);
