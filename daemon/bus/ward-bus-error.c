/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ward-bus-error.h"

#include "ward-error.h"

#define ERROR_NAME(suffix, name) [WARD_ERROR_##suffix] = WARD_ERROR_PREFIX name,

static const char *const names[] = { WARD_ERROR_LIST (ERROR_NAME) };

#undef ERROR_NAME

void
ward_bus_error_return (GDBusMethodInvocation *invocation, GError *error)
{
  g_autoptr (GError) owned = error;
  g_autofree char *message = g_utf8_make_valid (error->message, -1); /* it may quote, and cut off, what a caller sent */
  int code = error->domain == WARD_ERROR ? error->code : WARD_ERROR_FAILED;

  g_dbus_method_invocation_return_dbus_error (invocation, names[code], message);
}

gboolean
ward_bus_error_from_name (const char *name, int *code)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (names[i], name) == 0)
      {
        *code = i;
        return TRUE;
      }
  return FALSE;
}
